//! YAML text → [`Node`] tree. Nothing of the text can make it slow, deep or large: size, nesting,
//! nodes and what aliases copy are limited. It does not know the pipeline language.
//!
//! The whole surface of the YAML parser that is touched is in this file.

use std::collections::{BTreeMap, HashSet};
use std::rc::Rc;

use granit_parser::{Event, Options, Parser, ScalarStyle, ScanError, StructureStyle};

use super::broken::told;
use super::node::{Entry, Node, Scalar, Style, What};
use super::report::{Issue, Report};
use super::source::{FileId, Sources, Span};

/// Bytes of one file. A flat pipeline of 10,000 stages has about 1 MiB.
pub(super) const MOST_BYTES: usize = 4 << 20;

/// Lists and maps inside each other. Our deepest own file has 9.
pub(super) const MOST_LEVELS: usize = 64;

/// Values of one file. A flat pipeline of 10,000 stages has about 70,000.
const MOST_NODES: usize = 250_000;

/// Values that the aliases of one file may copy.
const MOST_COPIES: usize = 10_000;

/// Reads a file of one document. None if its structure could not be read; the reason is in the report.
pub(super) fn read(sources: &Sources, report: &mut Report, file: FileId) -> Option<Node> {
    let text: Rc<str> = sources.text(file);
    read_text(&text, report, file)
}

/// Reads a text as if it stood in `file` at the same bytes.
pub(super) fn read_text(text: &str, report: &mut Report, file: FileId) -> Option<Node> {
    if text.len() > MOST_BYTES {
        let size = text.len() >> 20;
        let most = MOST_BYTES >> 20;
        let message = format!("the file has {size} MiB; at most {most} MiB are read");
        let start = Span::new(file, 0, 0);
        report.add(Issue::error("limit::size", start, "", message));
        return None;
    }
    let mut builder = Builder::new(file, text, report);
    let mut parser = Parser::new_from_str_with_options(text, options());
    while let Some(next) = parser.next_event() {
        match next {
            Ok((event, span)) => {
                let bytes = span.byte_range().unwrap_or(0..0);
                let span = Span::new(file, bytes.start, bytes.end);
                builder.take(event, span).ok()?;
                if builder.report.is_full() {
                    return None;
                }
            }
            Err(error) => {
                builder.syntax(&error);
                return None;
            }
        }
    }
    if builder.root.is_none() {
        builder.fault("yaml::empty", Span::new(file, 0, 0), "the file is empty");
    }
    builder.root.filter(|_| !builder.merged)
}

fn options() -> Options {
    let mut options = granit_parser::options! {
        flow_nesting_limit: MOST_LEVELS,
        block_nesting_limit: MOST_LEVELS,
    };
    options.set_emit_comments(false);
    options
}

/// The problem was told; the document cannot be read further.
struct Stop;

struct Builder<'b> {
    file: FileId,
    text: &'b str,
    report: &'b mut Report,
    open: Vec<Open>,
    root: Option<Node>,
    nodes: usize,
    copies: usize,
    /// Finished nodes that have an anchor; none where the node is too large to be copied.
    anchors: BTreeMap<usize, Option<(Node, usize)>>,
    last_scalar_end: usize,
    documents: usize,
    /// Whether there is a merge key; what it would have merged is missing.
    merged: bool,
}

/// A list or map that is being filled.
struct Open {
    span: Span,
    anchor: usize,
    /// Nodes before it, so that its size is known at the end.
    before: usize,
    what: Filling,
}

enum Filling {
    List(Vec<Node>),
    Map {
        entries: Vec<Entry>,
        key: Option<(String, Span)>,
        /// Only filled for maps with many keys.
        seen: HashSet<String>,
    },
}

/// Below this many keys a scan finds duplicates faster than a set.
const FEW: usize = 16;

impl<'b> Builder<'b> {
    fn new(file: FileId, text: &'b str, report: &'b mut Report) -> Self {
        Self {
            file,
            text,
            report,
            open: Vec::new(),
            root: None,
            nodes: 0,
            copies: 0,
            anchors: BTreeMap::new(),
            last_scalar_end: 0,
            documents: 0,
            merged: false,
        }
    }

    fn fault(&mut self, code: &'static str, span: Span, message: &str) {
        self.report.add(Issue::error(code, span, "", message));
    }

    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Stop> {
        if event.tag().is_some() {
            let message = "tags are not part of the language";
            let issue = Issue::error("yaml::tag", span, "has a tag", message);
            self.report
                .add(issue.help("put a value in quotes to make it a string"));
        }
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    self.fault("yaml::documents", span, "a file holds one document");
                    return Err(Stop);
                }
            }
            Event::Scalar(text, style, anchor, _) => {
                self.last_scalar_end = span.end as usize;
                let style = match style {
                    ScalarStyle::Plain => Style::Plain,
                    ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => Style::Quoted,
                    ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
                };
                let scalar = Scalar {
                    text: text.into_owned(),
                    style,
                };
                self.scalar(scalar, span, anchor)?;
            }
            Event::SequenceStart(_, anchor, _) => {
                self.start(span, anchor, Filling::List(Vec::new()))?
            }
            Event::MappingStart(style, anchor, _) => self.start(
                span,
                anchor,
                Filling::Map {
                    // Most maps in flow style have one entry, and there are very many of them.
                    entries: Vec::with_capacity(match style {
                        StructureStyle::Flow => 1,
                        StructureStyle::Block => 4,
                    }),
                    key: None,
                    seen: HashSet::new(),
                },
            )?,
            Event::SequenceEnd | Event::MappingEnd => self.end(span)?,
            Event::Alias(id) => self.alias(id, span)?,
            _ => {}
        }
        Ok(())
    }

    fn count(&mut self, span: Span, more: usize) -> Result<(), Stop> {
        self.nodes += more;
        if self.nodes > MOST_NODES {
            let message = format!("the file has more than {MOST_NODES} values");
            self.fault("limit::nodes", span, &message);
            return Err(Stop);
        }
        Ok(())
    }

    fn scalar(&mut self, scalar: Scalar, span: Span, anchor: usize) -> Result<(), Stop> {
        if let Some(Open {
            what: Filling::Map { entries, key, seen },
            ..
        }) = self.open.last_mut()
            && key.is_none()
        {
            let name = scalar.text;
            let duplicate = if entries.len() < FEW {
                entries.iter().any(|entry| entry.key == name)
            } else {
                if seen.is_empty() {
                    seen.extend(entries.iter().map(|entry| entry.key.clone()));
                }
                !seen.insert(name.clone())
            };
            let merge = name == "<<";
            if duplicate {
                let first = entries.iter().find(|entry| entry.key == name);
                let message = format!("`{name}` is written twice");
                let mut issue = Issue::error("yaml::duplicate_key", span, "again", message);
                if let Some(first) = first {
                    issue = issue.also(first.at, "first");
                }
                self.report.add(issue);
            }
            *key = Some((name, span));
            if merge {
                self.merged = true;
                let message = "merge keys (`<<`) are not part of the language";
                self.fault("yaml::merge_key", span, message);
            }
            return Ok(());
        }
        self.count(span, 1)?;
        if scalar.style == Style::Plain && scalar.value().is_none() {
            let message = format!("`{}` is not a number that can be kept", scalar.text);
            self.fault("yaml::number", span, &message);
        }
        let node = Node {
            span,
            what: What::Scalar(scalar),
        };
        self.remember(anchor, &node, 1);
        self.place(node)
    }

    fn start(&mut self, span: Span, anchor: usize, what: Filling) -> Result<(), Stop> {
        if let Some(Open {
            what: Filling::Map { key: None, .. },
            ..
        }) = self.open.last()
        {
            self.fault("yaml::key", span, "a key is a word, not a list or map");
            return Err(Stop);
        }
        let before = self.nodes;
        self.count(span, 1)?;
        self.open.push(Open {
            span,
            anchor,
            before,
            what,
        });
        Ok(())
    }

    fn end(&mut self, span: Span) -> Result<(), Stop> {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        let what = match open.what {
            Filling::List(items) => What::List(items),
            Filling::Map { entries, .. } => What::Map(entries),
        };
        let node = Node {
            span: open.span.to(span),
            what,
        };
        self.remember(open.anchor, &node, self.nodes - open.before);
        self.place(node)
    }

    fn alias(&mut self, id: usize, span: Span) -> Result<(), Stop> {
        let too_much = format!("aliases copy more than {MOST_COPIES} values");
        match self.anchors.get(&id) {
            Some(Some((node, size))) => {
                let (mut node, size) = (node.clone(), *size);
                self.copies += size;
                if self.copies > MOST_COPIES {
                    self.fault("limit::aliases", span, &too_much);
                    return Err(Stop);
                }
                self.count(span, size)?;
                if matches!(
                    self.open.last(),
                    Some(Open {
                        what: Filling::Map { key: None, .. },
                        ..
                    })
                ) {
                    self.fault("yaml::key", span, "a key is a word, not an alias");
                    return Err(Stop);
                }
                node.span = span;
                self.place(node)
            }
            Some(None) => {
                self.fault("limit::aliases", span, &too_much);
                Err(Stop)
            }
            None => {
                self.fault(
                    "yaml::alias",
                    span,
                    "this alias stands for a value that it is part of",
                );
                Err(Stop)
            }
        }
    }

    /// Keeps an anchored node for its aliases. What was kept counts as copied, so that anchors inside
    /// anchors cannot multiply.
    fn remember(&mut self, anchor: usize, node: &Node, size: usize) {
        if anchor == 0 {
            return;
        }
        self.copies += size;
        let kept = (self.copies <= MOST_COPIES).then(|| (node.clone(), size));
        self.anchors.insert(anchor, kept);
    }

    /// Puts a finished node where it belongs.
    fn place(&mut self, mut node: Node) -> Result<(), Stop> {
        match self.open.last_mut().map(|open| &mut open.what) {
            None => self.root = Some(node),
            Some(Filling::List(items)) => items.push(node),
            Some(Filling::Map { entries, key, .. }) => {
                let Some((key, at)) = key.take() else {
                    self.fault("yaml::key", node.span, "a key is a word");
                    return Err(Stop);
                };
                if node.span.start >= node.span.end {
                    // Nothing is written, so the key is the best place to point at.
                    node.span = at;
                }
                entries.push(Entry { key, at, node });
            }
        }
        Ok(())
    }

    /// A problem of the text itself.
    fn syntax(&mut self, error: &ScanError) {
        let at = error
            .marker()
            .byte_offset()
            .unwrap_or(0)
            .min(self.text.len());
        let marked = self.text.get(at..).and_then(|rest| rest.chars().next());
        let span = Span::new(self.file, at, at + marked.map_or(0, char::len_utf8));
        if let Some(span) = self.unquoted(at) {
            let message = "`${…}` must be quoted inside [ ] and { }";
            let issue = Issue::error("yaml::unquoted_ref", span, "not quoted", message);
            let quoted = self.text.get(span.start as usize..span.end as usize);
            let help = quoted.map(|text| format!("write \"{text}\""));
            return self.report.add(issue.help(help));
        }
        let told = told(error.kind());
        let issue = Issue::error(told.code, span, "", told.message);
        self.report.add(issue.help(told.help.map(str::to_owned)));
    }

    /// The reference without quotes that ended a plain word in flow style, if that is what happened.
    fn unquoted(&self, at: usize) -> Option<Span> {
        let bytes = self.text.as_bytes();
        let start = [at, self.last_scalar_end]
            .into_iter()
            .find(|at| *at > 0 && bytes.get(*at) == Some(&b'{') && bytes[*at - 1] == b'$')?;
        let line = self.text.get(start..)?.lines().next().unwrap_or("");
        let length = line.find('}').map_or(line.len(), |end| end + 1);
        Some(Span::new(self.file, start - 1, start + length))
    }
}
