//! Text freed of markup that remembers where each of its bytes stood, and the blocks that a paper is
//! read into. It does not know which markup there was.

use std::ops::Range;

/// Text with the place in the source of every byte.
#[derive(Clone, Debug, Default)]
pub(super) struct Plain {
    pub(super) text: String,
    places: Vec<usize>,
    /// Bytes of `text` that are formulas: symbols, not measured values.
    pub(super) formulas: Vec<Range<usize>>,
}

impl Plain {
    pub(super) fn push(&mut self, letter: char, place: usize) {
        self.text.push(letter);
        self.places.resize(self.text.len(), place);
    }

    pub(super) fn add(&mut self, text: &str, place: usize) {
        self.text.push_str(text);
        self.places.resize(self.text.len(), place);
    }

    /// One space, unless there is one.
    pub(super) fn space(&mut self, place: usize) {
        if !self.text.is_empty() && !self.text.ends_with(char::is_whitespace) {
            self.push(' ', place);
        }
    }

    /// Appends another text.
    pub(super) fn extend(&mut self, other: &Self) {
        let start = self.text.len();
        self.text.push_str(&other.text);
        self.places.extend(&other.places);
        let moved = other.formulas.iter();
        self.formulas
            .extend(moved.map(|range| range.start + start..range.end + start));
    }

    /// The place in the source of a byte.
    pub(super) fn place(&self, at: usize) -> usize {
        let last = self.places.last().copied().unwrap_or(0);
        self.places.get(at).copied().unwrap_or(last)
    }

    pub(super) fn is_formula(&self, at: usize) -> bool {
        self.formulas.iter().any(|range| range.contains(&at))
    }
}

/// Stands for citations, which are no words.
pub(super) const CITED: char = '\u{fffc}';

/// What a block is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Title,
    Heading,
    Prose,
    Caption,
    Cell,
    /// Displayed maths.
    Formula,
}

/// Where a cell stands.
#[derive(Clone, Debug, Default)]
pub(super) struct Cell {
    pub(super) table: usize,
    pub(super) row: usize,
    pub(super) column: usize,
    /// Whether it stands above the values, and names its column.
    pub(super) head: bool,
    /// The words to its left, those of spanning rows included.
    pub(super) rows: String,
    /// The words above it.
    pub(super) columns: String,
    /// The words of its table's caption.
    pub(super) caption: String,
}

/// A paragraph, heading, caption or cell.
#[derive(Clone, Debug)]
pub(super) struct Block {
    pub(super) kind: Kind,
    pub(super) plain: Plain,
    /// The headings over it, joined by ` / `.
    pub(super) section: String,
    pub(super) cell: Option<Cell>,
}

/// The language that a paper is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    Tex,
    Markdown,
    Text,
}

impl Dialect {
    /// By the looks of the content: the store keeps no file names.
    pub(super) fn of(content: &str) -> Self {
        let says = |marks: &[&str]| marks.iter().any(|mark| content.contains(mark));
        let begins = |marks: &[&str]| {
            content
                .lines()
                .any(|line| marks.iter().any(|mark| line.starts_with(mark)))
        };
        if says(&[
            "\\begin{document}",
            "\\documentclass",
            "\\section{",
            "\\section*{",
            "\\begin{abstract}",
        ]) {
            Self::Tex
        } else if content.starts_with("---\n")
            || begins(&["# ", "## ", "### ", "|--", "| --", "|:-", "```"])
            || says(&["](", "[@"])
        {
            Self::Markdown
        } else if says(&[
            "\\begin{",
            "\\cite",
            "\\textbf{",
            "\\emph{",
            "\\ref{",
            "\\%",
            "\\caption{",
            "\\subsection{",
            "\\item ",
        ]) {
            Self::Tex
        } else if says(&["**", "`"]) {
            Self::Markdown
        } else {
            Self::Text
        }
    }
}

/// Line and column, both from 1, the column in characters.
pub(super) struct Lines<'s> {
    source: &'s str,
    starts: Vec<usize>,
}

impl<'s> Lines<'s> {
    pub(super) fn of(source: &'s str) -> Self {
        let starts = source.match_indices('\n').map(|(at, _)| at + 1);
        Self {
            source,
            starts: std::iter::once(0).chain(starts).collect(),
        }
    }

    pub(super) fn of_byte(&self, at: usize) -> (usize, usize) {
        let at = at.min(self.source.len());
        let line = self.starts.partition_point(|start| *start <= at);
        let start = self.starts[line - 1];
        let column = self
            .source
            .get(start..at)
            .map_or(0, |text| text.chars().count());
        (line, column + 1)
    }
}
