//! From Markdown to the tree of a paper. Everything wrong is collected with its place, so that a writer
//! sees all of it at once.

use pulldown_cmark::{
    Alignment, BrokenLink, CodeBlockKind, CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd,
};
use std::collections::BTreeMap;
use std::ops::Range;

use crate::draft::place::Problem;
use crate::draft::source::Source;
use crate::draft::tree::{Align, Block, Inline};
use crate::draft::words;
use crate::numbers::resolve::Resolver;

/// Reads one piece of Markdown.
pub(crate) fn read(
    draft: &str,
    source: &Source,
    resolver: &mut Resolver<'_>,
    problems: &mut Vec<Problem>,
) -> Vec<Block> {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_MATH
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_SMART_PUNCTUATION
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_HEADING_ATTRIBUTES;
    let cited = |link: BrokenLink<'_>| {
        link.reference
            .trim_start()
            .starts_with('@')
            .then(|| (CowStr::from(link.reference.to_string()), CowStr::from("")))
    };
    let events: Vec<(Event<'_>, Range<usize>)> =
        Parser::new_with_broken_link_callback(source.text(), options, Some(cited))
            .into_offset_iter()
            .collect();
    let mut reader = Reader {
        draft,
        source,
        resolver,
        problems,
        events,
        next: 0,
        notes: BTreeMap::new(),
        wanted: Vec::new(),
        depth: 0,
    };
    reader.footnotes();
    let blocks = reader.blocks();
    crate::draft::captions::attach(blocks, reader.problems)
}

/// The state of one reading.
pub(crate) struct Reader<'s, 'r, 'p> {
    pub(crate) draft: &'s str,
    pub(crate) source: &'s Source,
    pub(crate) resolver: &'p mut Resolver<'r>,
    pub(crate) problems: &'p mut Vec<Problem>,
    pub(crate) events: Vec<(Event<'s>, Range<usize>)>,
    pub(crate) next: usize,
    /// Where the content of each footnote starts in `events`.
    pub(crate) notes: BTreeMap<String, usize>,
    /// The footnotes being read, so that one that refers to itself ends.
    pub(crate) wanted: Vec<String>,
    pub(crate) depth: usize,
}

/// Quotes and lists nested deeper than this are refused rather than read by recursion.
pub(crate) const DEEPEST: usize = 40;

impl<'s> Reader<'s, '_, '_> {
    fn footnotes(&mut self) {
        for (index, (event, _)) in self.events.iter().enumerate() {
            if let Event::Start(Tag::FootnoteDefinition(name)) = event {
                self.notes.insert(name.to_string(), index + 1);
            }
        }
    }

    pub(crate) fn take(&mut self) -> Option<(Event<'s>, Range<usize>)> {
        let event = self.events.get(self.next).cloned();
        self.next += 1;
        event
    }

    fn place(&self, at: &Range<usize>) -> Range<usize> {
        self.source.original(at.start)..self.source.original(at.end)
    }

    pub(crate) fn problem(
        &mut self,
        at: &Range<usize>,
        message: impl Into<String>,
        help: Option<&str>,
    ) {
        let problem = Problem::new(self.place(at), message);
        self.problems.push(match help {
            Some(help) => problem.help(help),
            None => problem,
        });
    }

    /// Skips to the end of an element whose start was taken.
    pub(crate) fn skip(&mut self) {
        let mut depth = 1;
        while depth > 0 {
            match self.take() {
                Some((Event::Start(_), _)) => depth += 1,
                Some((Event::End(_), _)) => depth -= 1,
                Some(_) => {}
                None => return,
            }
        }
    }

    /// Blocks up to the end of the enclosing element, which is taken.
    pub(crate) fn blocks(&mut self) -> Vec<Block> {
        let mut out = Vec::new();
        // In a tight list, text stands in the item without a paragraph.
        let mut loose: Vec<Inline> = Vec::new();
        while let Some((event, at)) = self.take() {
            let flush = |out: &mut Vec<Block>, loose: &mut Vec<Inline>| {
                if !loose.is_empty() {
                    out.push(Block::Paragraph(std::mem::take(loose)));
                }
            };
            match event {
                Event::End(_) => break,
                Event::Start(tag) if is_block(&tag) => {
                    flush(&mut out, &mut loose);
                    self.depth += 1;
                    if self.depth > DEEPEST {
                        self.problem(&at, "nested too deeply", None);
                        self.skip();
                    } else {
                        self.block(tag, &at, &mut out);
                    }
                    self.depth -= 1;
                }
                Event::Rule => {
                    flush(&mut out, &mut loose);
                    out.push(Block::Rule);
                }
                other => self.inline(other, &at, &mut loose),
            }
        }
        if !loose.is_empty() {
            words::check(&loose, self.problems);
            out.push(Block::Paragraph(loose));
        }
        out
    }

    fn block(&mut self, tag: Tag<'s>, at: &Range<usize>, out: &mut Vec<Block>) {
        match tag {
            Tag::Paragraph => self.paragraph(out),
            Tag::Heading { level, id, .. } => {
                let content = self.inlines();
                out.push(Block::Heading {
                    level: depth(level),
                    label: id.map(|id| id.to_string()),
                    content,
                    at: self.source.original(at.start),
                });
            }
            Tag::BlockQuote(_) => {
                let inner = self.blocks();
                out.push(Block::Quote(inner));
            }
            Tag::CodeBlock(kind) => {
                let language = match kind {
                    CodeBlockKind::Fenced(language) => language.to_string(),
                    CodeBlockKind::Indented => String::new(),
                };
                let mut text = String::new();
                while let Some((event, _)) = self.take() {
                    match event {
                        Event::Text(more) => text.push_str(&self.literal(&more)),
                        Event::End(_) => break,
                        _ => {}
                    }
                }
                let at = self.source.original(at.start);
                out.push(Block::Code { language, text, at });
            }
            Tag::List(start) => {
                let mut items = Vec::new();
                while let Some((event, _)) = self.take() {
                    match event {
                        Event::Start(Tag::Item) => items.push(self.blocks()),
                        Event::End(TagEnd::List(_)) => break,
                        _ => {}
                    }
                }
                out.push(Block::List { start, items });
            }
            Tag::Table(align) => self.table(&align, at, out),
            // Read where it is referred to.
            Tag::FootnoteDefinition(_) => self.skip(),
            Tag::HtmlBlock => {
                self.problem(
                    at,
                    "raw HTML cannot be typeset",
                    Some("write Markdown; a sign `<` in prose is written `\\<`"),
                );
                self.skip();
            }
            _ => {
                self.problem(at, "this kind of block cannot be typeset", None);
                self.skip();
            }
        }
    }

    fn paragraph(&mut self, out: &mut Vec<Block>) {
        if let Some((
            Event::Start(Tag::Image {
                dest_url, title, ..
            }),
            place,
        )) = self.events.get(self.next).cloned()
        {
            self.next += 1;
            let caption = self.inlines();
            let alone = matches!(
                self.events.get(self.next),
                Some((Event::End(TagEnd::Paragraph), _))
            );
            out.push(Block::Figure {
                name: dest_url.to_string(),
                wide: match &*title {
                    "wide" => Some(true),
                    "narrow" => Some(false),
                    _ => None,
                },
                caption,
                at: self.source.original(place.start),
            });
            if !alone {
                self.problem(
                    &place,
                    "a figure stands in a paragraph of its own",
                    Some("put an empty line before and after it"),
                );
            }
        }
        let content = self.inlines();
        if !content.is_empty() {
            out.push(Block::Paragraph(content));
        }
    }

    fn table(&mut self, align: &[Alignment], at: &Range<usize>, out: &mut Vec<Block>) {
        let mut head = Vec::new();
        let mut rows: Vec<Vec<Vec<Inline>>> = Vec::new();
        let mut in_head = false;
        while let Some((event, _)) = self.take() {
            match event {
                Event::Start(Tag::TableHead) => in_head = true,
                Event::End(TagEnd::TableHead) => in_head = false,
                Event::Start(Tag::TableRow) => rows.push(Vec::new()),
                Event::Start(Tag::TableCell) => {
                    let cell = self.inlines();
                    match rows.last_mut() {
                        Some(row) if !in_head => row.push(cell),
                        _ => head.push(cell),
                    }
                }
                Event::End(TagEnd::Table) => break,
                _ => {}
            }
        }
        let align = align
            .iter()
            .map(|align| match align {
                Alignment::Right => Align::Right,
                Alignment::Center => Align::Centre,
                Alignment::None | Alignment::Left => Align::Left,
            })
            .collect();
        out.push(Block::Table {
            align,
            head,
            rows,
            caption: Vec::new(),
            label: None,
            at: self.source.original(at.start),
        });
    }
}

fn is_block(tag: &Tag<'_>) -> bool {
    matches!(
        tag,
        Tag::Paragraph
            | Tag::Heading { .. }
            | Tag::BlockQuote(_)
            | Tag::CodeBlock(_)
            | Tag::List(_)
            | Tag::Table(_)
            | Tag::FootnoteDefinition(_)
            | Tag::HtmlBlock
            | Tag::DefinitionList
            | Tag::MetadataBlock(_)
    )
}

fn depth(level: HeadingLevel) -> u8 {
    match level {
        HeadingLevel::H1 => 1,
        HeadingLevel::H2 => 2,
        HeadingLevel::H3 => 3,
        HeadingLevel::H4 => 4,
        HeadingLevel::H5 => 5,
        HeadingLevel::H6 => 6,
    }
}
