//! Markdown with its references taken out, and the way back from its offsets to the draft's.

use std::ops::Range;

use crate::draft::mask::{Masked, Use, mask};
use crate::draft::place::Problem;

/// A piece of Markdown: the body, or a value of the front matter.
#[derive(Debug)]
pub(crate) struct Source {
    masked: Masked,
    /// Where each line of the unmasked text stands in the draft: (offset in the text, offset in the draft).
    lines: Vec<(usize, usize)>,
}

impl Source {
    /// The body, which stands in the draft from `start` to its end.
    pub(crate) fn body(draft: &str, start: usize, problems: &mut Vec<Problem>) -> Self {
        Self::new(&draft[start..], vec![(0, start)], problems)
    }

    /// A value of the front matter. YAML may indent and fold it, so its lines are looked up one by one.
    pub(crate) fn value(text: &str, matter: &str, problems: &mut Vec<Problem>) -> Self {
        let mut lines = Vec::new();
        let mut offset = 0;
        let mut from = 0;
        for line in text.split_inclusive('\n') {
            let words = line.trim();
            let indent = line.len() - line.trim_start().len();
            // A folded line is longer than any line of the file, so its first words must do.
            let found = (matter[from..].find(words)).or_else(|| {
                let start: String = words.chars().take(24).collect();
                matter[from..].find(&start)
            });
            if let Some(found) = found {
                lines.push((offset + indent, from + found));
                from += found;
            }
            offset += line.len();
        }
        if lines.is_empty() {
            lines.push((0, 0));
        }
        Self::new(text, lines, problems)
    }

    fn new(text: &str, lines: Vec<(usize, usize)>, problems: &mut Vec<Problem>) -> Self {
        let mut own = Vec::new();
        let source = Self {
            masked: mask(text, &mut own),
            lines,
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
        let after = self.lines.partition_point(|(line, _)| *line <= offset);
        let (line, place) = self.lines[after.saturating_sub(1)];
        place + offset.saturating_sub(line)
    }
}
