//! From Markdown to the tree of a paper. Everything wrong is collected with its place, so that a writer
//! sees all of it at once.

use pulldown_cmark::{
    Alignment, BrokenLink, CodeBlockKind, CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd,
};
use std::collections::BTreeMap;
use std::ops::Range;

use crate::draft::mask::{Macro, OPEN, pieces};
use crate::draft::place::{Problem, line_col};
use crate::draft::placeholder;
use crate::draft::source::Source;
use crate::draft::tree::{Align, Block, Inline, Key};
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

struct Reader<'s, 'r, 'p> {
    draft: &'s str,
    source: &'s Source,
    resolver: &'p mut Resolver<'r>,
    problems: &'p mut Vec<Problem>,
    events: Vec<(Event<'s>, Range<usize>)>,
    next: usize,
    /// Where the content of each footnote starts in `events`.
    notes: BTreeMap<String, usize>,
    /// The footnotes being read, so that one that refers to itself ends.
    wanted: Vec<String>,
    depth: usize,
}

/// Quotes and lists nested deeper than this are refused rather than read by recursion.
const DEEPEST: usize = 40;

impl<'s> Reader<'s, '_, '_> {
    fn footnotes(&mut self) {
        for (index, (event, _)) in self.events.iter().enumerate() {
            if let Event::Start(Tag::FootnoteDefinition(name)) = event {
                self.notes.insert(name.to_string(), index + 1);
            }
        }
    }

    fn take(&mut self) -> Option<(Event<'s>, Range<usize>)> {
        let event = self.events.get(self.next).cloned();
        self.next += 1;
        event
    }

    fn place(&self, at: &Range<usize>) -> Range<usize> {
        self.source.original(at.start)..self.source.original(at.end)
    }

    fn problem(&mut self, at: &Range<usize>, message: impl Into<String>, help: Option<&str>) {
        let problem = Problem::new(self.place(at), message);
        self.problems.push(match help {
            Some(help) => problem.help(help),
            None => problem,
        });
    }

    /// Skips to the end of an element whose start was taken.
    fn skip(&mut self) {
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
    fn blocks(&mut self) -> Vec<Block> {
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
            self.check(&loose);
            out.push(Block::Paragraph(loose));
        }
        out
    }

    fn block(&mut self, tag: Tag<'s>, at: &Range<usize>, out: &mut Vec<Block>) {
        match tag {
            Tag::Paragraph => self.paragraph(at, out),
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
                out.push(Block::Code { language, text });
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

    fn paragraph(&mut self, at: &Range<usize>, out: &mut Vec<Block>) {
        let from = self.next;
        if let Some((Event::Start(Tag::Image { .. }), _)) = self.events.get(from) {
            if let Some((
                Event::Start(Tag::Image {
                    dest_url, title, ..
                }),
                place,
            )) = self.take()
            {
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
        }
        let content = self.inlines();
        if !content.is_empty() {
            out.push(Block::Paragraph(content));
        }
        let _ = at;
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

    /// Inlines up to the end of the enclosing element, which is taken.
    fn inlines(&mut self) -> Vec<Inline> {
        let mut out = Vec::new();
        while let Some((event, at)) = self.take() {
            if matches!(event, Event::End(_)) {
                break;
            }
            self.inline(event, &at, &mut out);
        }
        self.check(&out);
        out
    }

    fn inline(&mut self, event: Event<'s>, at: &Range<usize>, out: &mut Vec<Inline>) {
        match event {
            Event::Text(text) => self.text(&text, at, out),
            Event::SoftBreak => push(out, " ", self.source.original(at.start)),
            Event::HardBreak => out.push(Inline::Break),
            Event::Code(code) => out.push(Inline::Code(self.literal(&code))),
            Event::InlineMath(latex) | Event::DisplayMath(latex) => {
                let display = self.source.text()[at.clone()].starts_with("$$");
                let latex = self.maths(&latex);
                let start = self.source.original(at.start);
                out.push(if display {
                    Inline::Display { latex, at: start }
                } else {
                    Inline::Maths { latex, at: start }
                });
            }
            Event::Html(_) | Event::InlineHtml(_) => self.problem(
                at,
                "raw HTML cannot be typeset",
                Some("write Markdown; a sign `<` in prose is written `\\<`"),
            ),
            Event::FootnoteReference(name) => self.footnote(&name, at, out),
            Event::Start(Tag::Emphasis) => out.push(Inline::Emphasis(self.inlines())),
            Event::Start(Tag::Strong) => out.push(Inline::Strong(self.inlines())),
            Event::Start(Tag::Strikethrough) => out.push(Inline::Strike(self.inlines())),
            Event::Start(Tag::Link { dest_url, .. }) => self.link(&dest_url, at, out),
            Event::Start(Tag::Image { .. }) => {
                self.problem(
                    at,
                    "a figure stands in a paragraph of its own",
                    Some("put an empty line before and after it"),
                );
                self.skip();
            }
            Event::Start(_) => {
                self.problem(at, "this cannot be typeset inside a line", None);
                self.skip();
            }
            Event::End(_) | Event::Rule | Event::TaskListMarker(_) => {}
        }
    }

    fn link(&mut self, url: &str, at: &Range<usize>, out: &mut Vec<Inline>) {
        if !url.starts_with('@') {
            if url.contains(OPEN) {
                self.problem(at, "a reference cannot stand in an address", None);
            }
            let content = self.inlines();
            out.push(Inline::Link {
                url: url.to_owned(),
                content,
            });
            return;
        }
        self.skip();
        let keys = url
            .split(';')
            .map(|key| {
                let key = key.trim().trim_start_matches('@');
                let (key, detail) = match key.split_once(',') {
                    Some((key, detail)) => (key.trim(), Some(detail.trim().to_owned())),
                    None => (key, None),
                };
                Key {
                    key: key.to_owned(),
                    detail,
                }
            })
            .collect();
        out.push(Inline::Cite {
            keys,
            at: self.source.original(at.start),
        });
    }

    fn footnote(&mut self, name: &str, at: &Range<usize>, out: &mut Vec<Inline>) {
        let Some(&start) = self.notes.get(name) else {
            self.problem(at, format!("there is no footnote `{name}`"), None);
            return;
        };
        if self.wanted.iter().any(|open| open == name) {
            self.problem(at, format!("footnote `{name}` refers to itself"), None);
            return;
        }
        let back = std::mem::replace(&mut self.next, start);
        self.wanted.push(name.to_owned());
        let content = self.blocks();
        self.wanted.pop();
        self.next = back;
        out.push(Inline::Footnote(content));
    }

    fn text(&mut self, text: &str, at: &Range<usize>, out: &mut Vec<Inline>) {
        for piece in pieces(text) {
            match piece {
                Ok(words) => push(out, words, self.source.original(at.start)),
                Err(index) => {
                    let Some(asked) = self.source.usage(index) else {
                        continue;
                    };
                    if asked.name == Macro::Unknown {
                        out.push(Inline::Unknown {
                            what: asked.args[0].clone(),
                            at: self.source.place(asked).start,
                        });
                    } else if let Some(number) = self.number(index) {
                        out.push(Inline::Number(number));
                    }
                }
            }
        }
    }

    fn number(&mut self, index: usize) -> Option<usize> {
        let asked = self.source.usage(index)?;
        let at = self.source.place(asked);
        let place = line_col(self.draft, at.start);
        match self.resolver.number(asked, at, place) {
            Ok(number) => Some(number),
            Err(problem) => {
                self.problems.push(problem);
                None
            }
        }
    }

    /// Maths keeps its tokens, but with the index of the number instead of that of the reference.
    fn maths(&mut self, latex: &str) -> String {
        let mut out = String::new();
        for piece in pieces(latex) {
            match piece {
                Ok(text) => out.push_str(text),
                Err(index) => {
                    if let Some(number) = self.number(index) {
                        out.push_str(&crate::draft::mask::token(number));
                    }
                }
            }
        }
        out
    }

    /// Code shows a reference as it is written.
    fn literal(&self, code: &str) -> String {
        pieces(code)
            .into_iter()
            .map(|piece| match piece {
                Ok(text) => text,
                Err(index) => self
                    .source
                    .usage(index)
                    .map_or("", |asked| &self.draft[self.source.place(asked)]),
            })
            .collect()
    }

    /// Refuses placeholders and macros that nobody knows.
    fn check(&mut self, inlines: &[Inline]) {
        for inline in inlines {
            let Inline::Text { text, at } = inline else {
                continue;
            };
            if let Some(found) = placeholder::find(text) {
                let message = format!("placeholder `{}`", &text[found.clone()]);
                self.problems.push(
                    Problem::new(at + found.start..at + found.end, message).help(
                        "write it out, or `\\unknown{what}`; to mention the word itself, put it in backticks",
                    ),
                );
            }
            if let Some(found) = unknown_macro(text) {
                let name = &text[found.clone()];
                let near = Macro::ALL
                    .iter()
                    .map(|(known, ..)| *known)
                    .max_by(|a, b| {
                        let like = |known: &str| strsim::jaro_winkler(known, &name[1..]);
                        like(a).total_cmp(&like(b))
                    })
                    .unwrap_or("val");
                self.problems.push(
                    Problem::new(
                        at + found.start..at + found.end,
                        format!("unknown macro `{name}`"),
                    )
                    .help(format!(
                        "`\\{near}` is the nearest; LaTeX is written between dollar signs"
                    )),
                );
            }
        }
    }
}

fn unknown_macro(text: &str) -> Option<Range<usize>> {
    text.match_indices('\\').find_map(|(at, _)| {
        let rest = &text[at + 1..];
        let length = rest
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(rest.len());
        (length > 0).then_some(at..at + 1 + length)
    })
}

fn push(out: &mut Vec<Inline>, words: &str, at: usize) {
    match out.last_mut() {
        Some(Inline::Text { text, .. }) => text.push_str(words),
        _ => out.push(Inline::Text {
            text: words.to_owned(),
            at,
        }),
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
