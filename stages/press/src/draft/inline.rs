//! Inlines of a draft: words, references, links, citations, footnotes and formulas.

use pulldown_cmark::{Event, Tag};
use std::ops::Range;

use crate::draft::mask::{Macro, OPEN, pieces};
use crate::draft::place::line_col;
use crate::draft::read::{DEEPEST, Reader};
use crate::draft::tree::{Inline, Key};
use crate::draft::words;

impl<'s> Reader<'s, '_, '_> {
    /// Inlines up to the end of the enclosing element, which is taken.
    pub(crate) fn inlines(&mut self) -> Vec<Inline> {
        let mut out = Vec::new();
        if self.depth > DEEPEST {
            self.skip();
            return out;
        }
        self.depth += 1;
        while let Some((event, at)) = self.take() {
            if matches!(event, Event::End(_)) {
                break;
            }
            self.inline(event, &at, &mut out);
        }
        self.depth -= 1;
        words::check(&out, self.problems);
        out
    }

    pub(crate) fn inline(&mut self, event: Event<'s>, at: &Range<usize>, out: &mut Vec<Inline>) {
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
                Ok(words) => {
                    // A piece is a part of `text`; where signs were replaced, its place is that of the whole.
                    let offset = words.as_ptr() as usize - text.as_ptr() as usize;
                    let offset = if text.len() == at.len() { offset } else { 0 };
                    push(out, words, self.source.original(at.start + offset));
                }
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
    pub(crate) fn literal(&self, code: &str) -> String {
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
