//! Typst source text, with the way back from it to the draft.

use std::ops::Range;

/// Collects Typst source.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    pub(crate) text: String,
    /// (offset in `text`, offset in the draft), both rising as the draft is written out.
    marks: Vec<(usize, usize)>,
}

impl Writer {
    /// What is written from here on comes from `offset` of the draft.
    pub(crate) fn mark(&mut self, offset: usize) {
        self.marks.push((self.text.len(), offset));
    }

    pub(crate) fn push(&mut self, source: &str) {
        self.text.push_str(source);
    }

    /// Words that stand for themselves: no sign of them is markup.
    pub(crate) fn words(&mut self, words: &str) {
        for c in words.chars() {
            match c {
                '\n' | '\r' => self.text.push(' '),
                '%' => {
                    join(&mut self.text, "\u{a0}");
                    self.text.push_str("\\%");
                }
                c if c.is_ascii_punctuation() => {
                    self.text.push('\\');
                    self.text.push(c);
                }
                c => self.text.push(c),
            }
        }
    }

    /// Where in the draft a place of the source came from.
    pub(crate) fn origin(&self, place: &Range<usize>) -> Option<usize> {
        let after = self
            .marks
            .partition_point(|(offset, _)| *offset <= place.start);
        Some(self.marks.get(after.checked_sub(1)?)?.1)
    }
}

/// Keeps a number with the sign of its unit that follows: no line ends in the blank between them.
pub(crate) fn join(text: &mut String, blank: &str) {
    let number = text
        .strip_suffix(' ')
        .is_some_and(|before| before.ends_with(|c: char| c.is_ascii_digit()));
    if number {
        text.pop();
        text.push_str(blank);
    }
}

/// A Typst string literal.
pub(crate) fn literal(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A label for a name of the draft, which may hold any sign.
pub(crate) fn label(name: &str) -> String {
    format!("label({})", literal(name))
}
