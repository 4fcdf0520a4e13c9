//! A draft read into parts with their places, so that checks can name a line and mending can replace a
//! sentence in the text as it stands. It reads only as much Markdown as that needs.

use std::ops::Range;

use super::reference::references;
use super::sentence::sentences;

/// What a part of a draft is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The title of the front matter.
    Title,
    /// A paragraph of the abstract or the body, or an item of a list.
    Prose,
    Heading,
    /// One line of a table.
    Table,
    /// A table's caption: `Table: …`.
    Caption,
    /// `![caption](name)`.
    Figure,
    /// Words of others, displayed maths or code.
    Quote,
}

/// A part of a draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) kind: Kind,
    /// Bytes of the draft.
    pub(crate) at: Range<usize>,
    /// The heading it stands under; `Abstract` for the front matter's.
    pub(crate) section: String,
}

/// A sentence of the prose or of a caption.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sentence<'t> {
    pub(crate) text: &'t str,
    pub(crate) at: Range<usize>,
    pub(crate) kind: Kind,
    pub(crate) section: &'t str,
}

/// A draft with its parts in order.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) text: String,
    pub(crate) parts: Vec<Part>,
}

/// The section name of the front matter's abstract.
pub(crate) const ABSTRACT: &str = "Abstract";

impl Draft {
    pub(crate) fn read(text: &str) -> Self {
        let mut parts = Vec::new();
        let body = front(text, &mut parts);
        body_parts(text, body, &mut parts);
        Self {
            text: text.to_owned(),
            parts,
        }
    }

    /// The text of a part.
    pub(crate) fn part(&self, part: &Part) -> &str {
        &self.text[part.at.clone()]
    }

    /// The line of a byte, from 1.
    pub(crate) fn line(&self, at: usize) -> usize {
        self.text[..at.min(self.text.len())].matches('\n').count() + 1
    }

    /// The parts of one kind.
    pub(crate) fn of(&self, kind: Kind) -> impl Iterator<Item = &Part> {
        self.parts.iter().filter(move |part| part.kind == kind)
    }

    /// Every sentence of prose, captions and figure captions.
    pub(crate) fn sentences(&self) -> Vec<Sentence<'_>> {
        let mut found = Vec::new();
        for part in &self.parts {
            if !matches!(
                part.kind,
                Kind::Prose | Kind::Caption | Kind::Figure | Kind::Title
            ) {
                continue;
            }
            let at = if part.kind == Kind::Figure {
                caption(&self.text, &part.at)
            } else {
                part.at.clone()
            };
            for range in sentences(&self.text[at.clone()]) {
                let range = at.start + range.start..at.start + range.end;
                found.push(Sentence {
                    text: &self.text[range.clone()],
                    at: range,
                    kind: part.kind,
                    section: &part.section,
                });
            }
        }
        found
    }

    /// The headings, in order, without their marks.
    pub(crate) fn headings(&self) -> Vec<(&Part, &str)> {
        self.of(Kind::Heading)
            .map(|part| (part, title(self.part(part))))
            .collect()
    }

    /// The parts of the section whose heading contains `word`, whatever its case.
    pub(crate) fn section<'d>(&'d self, word: &'d str) -> impl Iterator<Item = &'d Part> {
        let word = word.to_lowercase();
        self.parts
            .iter()
            .filter(move |part| part.section.to_lowercase().contains(&word))
    }

    /// The figures: name and caption.
    pub(crate) fn figures(&self) -> Vec<(&Part, &str, &str)> {
        self.of(Kind::Figure)
            .filter_map(|part| {
                let text = self.part(part);
                let (caption, rest) = text.strip_prefix("![")?.rsplit_once("](")?;
                let name = rest.split([')', ' ']).next()?;
                Some((part, name, caption))
            })
            .collect()
    }
}

fn caption(text: &str, at: &Range<usize>) -> Range<usize> {
    let end = text[at.clone()]
        .rfind("](")
        .map_or(at.end, |end| at.start + end);
    (at.start + 2).min(end)..end
}

/// A heading without `#` and label.
fn title(line: &str) -> &str {
    let line = line.trim_start_matches('#').trim();
    line.rsplit_once("{#")
        .map_or(line, |(before, _)| before.trim())
}

/// Reads title and abstract of the front matter; returns where the body starts.
fn front(text: &str, parts: &mut Vec<Part>) -> usize {
    let Some(rest) = text.strip_prefix("---\n") else {
        return 0;
    };
    let mut at = text.len() - rest.len();
    let mut within: Option<(Kind, usize, usize)> = None;
    let close = |within: &mut Option<(Kind, usize, usize)>, parts: &mut Vec<Part>| {
        if let Some((kind, start, end)) = within.take()
            && start < end
        {
            let section = if kind == Kind::Title {
                "Title"
            } else {
                ABSTRACT
            };
            parts.push(Part {
                kind,
                at: start..end,
                section: section.to_owned(),
            });
        }
    };
    for line in rest.split_inclusive('\n') {
        let start = at;
        at += line.len();
        let content = line.trim_end();
        if content == "---" || content == "..." {
            close(&mut within, parts);
            return at;
        }
        let indented = line.starts_with([' ', '\t']);
        if indented || content.is_empty() {
            if let Some((_, from, end)) = &mut within
                && !content.is_empty()
            {
                if *from == *end {
                    *from = start + (content.len() - content.trim_start().len());
                }
                *end = start + content.len();
            }
            continue;
        }
        close(&mut within, parts);
        for (key, kind) in [("title:", Kind::Title), ("abstract:", Kind::Prose)] {
            if let Some(value) = content.strip_prefix(key) {
                let inline = value.trim();
                let block = inline.is_empty() || inline.starts_with(['|', '>']);
                let end = start + content.len();
                within = Some((kind, if block { end } else { end - inline.len() }, end));
            }
        }
    }
    text.len()
}

fn body_parts(text: &str, body: usize, parts: &mut Vec<Part>) {
    let mut section = String::new();
    let mut open: Option<Range<usize>> = None;
    let mut fence = false;
    let mut at = body;
    for line in text[body..].split_inclusive('\n') {
        let start = at;
        at += line.len();
        let content = line.trim();
        let range = start + (line.len() - line.trim_start().len())..start + line.trim_end().len();
        let fenced = content.starts_with("```") || content.starts_with("$$");
        let kind = if fence || fenced {
            Some(Kind::Quote)
        } else if content.starts_with('#') {
            Some(Kind::Heading)
        } else if content.starts_with('|') {
            Some(Kind::Table)
        } else if content.starts_with('>') {
            Some(Kind::Quote)
        } else if content.starts_with("Table:") {
            Some(Kind::Caption)
        } else if content.starts_with("![") {
            Some(Kind::Figure)
        } else {
            None
        };
        let one_line = content.starts_with("$$") && content.len() > 2 && content.ends_with("$$");
        if fenced && !one_line {
            fence = !fence;
        }
        let item = content.starts_with("- ") || content.starts_with("* ") || numbered(content);
        if (kind.is_some() || content.is_empty() || item)
            && let Some(at) = open.take()
        {
            parts.push(Part {
                kind: Kind::Prose,
                at,
                section: section.clone(),
            });
        }
        match kind {
            Some(Kind::Heading) => {
                section = title(content).to_owned();
                parts.push(Part {
                    kind: Kind::Heading,
                    at: range,
                    section: section.clone(),
                });
            }
            Some(kind) => parts.push(Part {
                kind,
                at: range,
                section: section.clone(),
            }),
            None if content.is_empty() => {}
            None => match &mut open {
                Some(open) => open.end = range.end,
                None => open = Some(range),
            },
        }
    }
    if let Some(at) = open {
        parts.push(Part {
            kind: Kind::Prose,
            at,
            section,
        });
    }
}

fn numbered(line: &str) -> bool {
    line.split_once(". ")
        .is_some_and(|(number, _)| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

/// The paths of every reference of a text.
pub(crate) fn paths(text: &str) -> Vec<String> {
    references(text)
        .iter()
        .flat_map(|reference| reference.paths())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "---\ntitle: A short title\nabstract: |-\n  First sentence. Second\n  goes on.\nprovenance: baseline\n---\n\n# Results {#sec:results}\n\nOne line\nand another. Next.\n\n- item one\n- item two\n\n| a | b |\n| --- | --- |\n\nTable: Losses {#tab:x}\n\n![A caption. More.](loss)\n\n> quoted words\n";

    #[test]
    fn parts_know_their_kind_section_and_line() {
        let draft = Draft::read(TEXT);
        let kinds: Vec<(Kind, usize, &str)> = draft
            .parts
            .iter()
            .map(|part| (part.kind, draft.line(part.at.start), part.section.as_str()))
            .collect();
        assert_eq!(
            kinds,
            [
                (Kind::Title, 2, "Title"),
                (Kind::Prose, 4, "Abstract"),
                (Kind::Heading, 9, "Results"),
                (Kind::Prose, 11, "Results"),
                (Kind::Prose, 14, "Results"),
                (Kind::Prose, 15, "Results"),
                (Kind::Table, 17, "Results"),
                (Kind::Table, 18, "Results"),
                (Kind::Caption, 20, "Results"),
                (Kind::Figure, 22, "Results"),
                (Kind::Quote, 24, "Results"),
            ]
        );
        assert_eq!(draft.figures()[0].1, "loss");
    }

    #[test]
    fn sentences_carry_their_bytes_in_the_draft() {
        let draft = Draft::read(TEXT);
        let texts: Vec<&str> = draft
            .sentences()
            .iter()
            .map(|sentence| sentence.text)
            .collect();
        assert_eq!(texts[1..3], ["First sentence.", "Second\n  goes on."]);
        assert!(texts.contains(&"A caption.") && texts.contains(&"Next."));
        for sentence in draft.sentences() {
            assert_eq!(&TEXT[sentence.at.clone()], sentence.text);
        }
    }
}
