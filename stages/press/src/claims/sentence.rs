//! The sentences of a tree, with the numbers that stand in them.

use std::ops::Range;

use crate::draft::tree::{Block, Inline};
use crate::numbers::record::Number;

/// One sentence of prose or of a caption.
#[derive(Debug, Default)]
pub(crate) struct Sentence {
    pub(crate) text: String,
    pub(crate) numbers: Vec<usize>,
    /// Where pieces of `text` stand in the draft: (offset in `text`, offset in the draft).
    parts: Vec<(usize, usize)>,
}

impl Sentence {
    /// The place in the draft of a word of the sentence.
    pub(crate) fn place(&self, word: &str) -> Range<usize> {
        let offset = self.text.find(word).unwrap_or(0);
        let after = self.parts.partition_point(|(part, _)| *part <= offset);
        let (part, at) = self
            .parts
            .get(after.saturating_sub(1))
            .copied()
            .unwrap_or_default();
        let start = at + offset.saturating_sub(part);
        start..start + word.len()
    }
}

/// Every sentence of paragraphs, lists, quotes and captions.
pub(crate) fn sentences(blocks: &[Block], numbers: &[Number]) -> Vec<Sentence> {
    let mut out = Vec::new();
    for block in blocks {
        match block {
            Block::Paragraph(content)
            | Block::Figure {
                caption: content, ..
            }
            | Block::Table {
                caption: content, ..
            } => {
                out.push(Sentence::default());
                inlines(content, numbers, &mut out);
            }
            Block::List { items, .. } => {
                out.extend(items.iter().flat_map(|item| sentences(item, numbers)))
            }
            Block::Quote(inner) => out.extend(sentences(inner, numbers)),
            Block::Heading { .. } | Block::Code { .. } | Block::Maths { .. } | Block::Rule => {}
        }
    }
    out.retain(|sentence| !sentence.text.trim().is_empty());
    out
}

fn inlines(content: &[Inline], numbers: &[Number], out: &mut Vec<Sentence>) {
    for inline in content {
        match inline {
            Inline::Text { text, at } => {
                let mut start = 0;
                for end in ends(text) {
                    append(out, &text[start..end], Some(at + start));
                    out.push(Sentence::default());
                    start = end;
                }
                append(out, &text[start..], Some(at + start));
            }
            Inline::Number(index) => {
                // A verdict that is referred to speaks as a word of the sentence does.
                append(out, &numbers[*index].shown, None);
                if let Some(last) = out.last_mut() {
                    last.numbers.push(*index);
                }
            }
            Inline::Emphasis(inner) | Inline::Strong(inner) | Inline::Strike(inner) => {
                inlines(inner, numbers, out)
            }
            Inline::Link { content, .. } => inlines(content, numbers, out),
            Inline::Code(code) => append(out, code, None),
            Inline::Maths { .. } | Inline::Display { .. } => append(out, "∎", None),
            Inline::Break => append(out, " ", None),
            Inline::Cite { .. } | Inline::Footnote(_) | Inline::Unknown { .. } => {}
        }
    }
}

fn append(out: &mut [Sentence], text: &str, at: Option<usize>) {
    if let Some(last) = out.last_mut() {
        if let Some(at) = at {
            last.parts.push((last.text.len(), at));
        }
        last.text.push_str(text);
    }
}

/// Words after which a full stop ends no sentence.
const SHORT: [&str; 9] = [
    "e.g", "i.e", "al", "Fig", "Figs", "Eq", "vs", "cf", "approx",
];

/// Offsets just after the ends of sentences.
fn ends(text: &str) -> Vec<usize> {
    text.char_indices()
        .filter(|(_, c)| ".!?;".contains(*c))
        .filter(|(at, c)| {
            let before = &text[..*at];
            let short = *c == '.' && SHORT.iter().any(|word| before.ends_with(word));
            text[at + 1..].starts_with(char::is_whitespace) && !short
        })
        .map(|(at, _)| at + 1)
        .collect()
}
