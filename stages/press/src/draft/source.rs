//! Markdown with its references taken out, and the way back from its offsets to the draft's.

use std::ops::Range;

use crate::draft::mask::{Masked, Use, mask};
use crate::draft::place::Problem;

/// A piece of Markdown: the body, or a value of the front matter.
#[derive(Debug)]
pub(crate) struct Source {
    masked: Masked,
    /// Where parts of the unmasked text stand in the draft: (offset in the text, offset in the draft).
    parts: Vec<(usize, usize)>,
}

impl Source {
    /// The body, which stands in the draft from `start` to its end.
    pub(crate) fn body(draft: &str, start: usize, problems: &mut Vec<Problem>) -> Self {
        Self::new(&draft[start..], vec![(0, start)], problems)
    }

    /// A value of the front matter. YAML may indent and fold it, so its words are looked up one by one.
    pub(crate) fn value(text: &str, matter: &str, problems: &mut Vec<Problem>) -> Self {
        let mut words = vec![(0, 0)];
        let mut from = 0;
        for word in text.split_whitespace() {
            // A word is a part of `text`, so the difference of their addresses is its offset.
            let offset = word.as_ptr() as usize - text.as_ptr() as usize;
            if let Some(found) = matter[from..].find(word) {
                words.push((offset, from + found));
                from += found + word.len();
            }
        }
        Self::new(text, words, problems)
    }

    fn new(text: &str, parts: Vec<(usize, usize)>, problems: &mut Vec<Problem>) -> Self {
        let mut own = Vec::new();
        let source = Self {
            masked: mask(text, &mut own),
            parts,
        };
        problems.extend(own.into_iter().map(|problem| Problem {
            at: source.unmasked(problem.at.start)..source.unmasked(problem.at.end),
            ..problem
        }));
        source
    }

    /// The Markdown to parse.
    pub(crate) fn text(&self) -> &str {
        &self.masked.text
    }

    /// A reference by the index in its token.
    pub(crate) fn usage(&self, index: usize) -> Option<&Use> {
        self.masked.uses.get(index)
    }

    /// Where a reference stands in the draft.
    pub(crate) fn place(&self, usage: &Use) -> Range<usize> {
        self.unmasked(usage.at.start)..self.unmasked(usage.at.end)
    }

    /// The place in the draft of an offset in [`Source::text`].
    pub(crate) fn original(&self, offset: usize) -> usize {
        self.unmasked(self.masked.original(offset))
    }

    fn unmasked(&self, offset: usize) -> usize {
        let after = self.parts.partition_point(|(part, _)| *part <= offset);
        let (part, place) = self.parts[after.saturating_sub(1)];
        place + offset.saturating_sub(part)
    }
}
