//! The texts that were read, and how a byte in one of them becomes a line and a column.
//! It does not know what the texts mean.

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use super::Place;

/// The name under which command line arguments are shown.
pub(super) const COMMAND_LINE: &str = "command line";

/// The index of a text in [`Sources`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct FileId(u32);

/// A piece of a text, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Span {
    pub file: FileId,
    pub start: u32,
    pub end: u32,
}

impl Span {
    /// The piece from `start` to `end`, both in bytes of the text.
    pub(super) fn new(file: FileId, start: usize, end: usize) -> Self {
        let byte = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Self {
            file,
            start: byte(start),
            end: byte(end.max(start)),
        }
    }

    /// From the start of this piece to the end of a later one.
    pub(super) fn to(self, last: Self) -> Self {
        Self {
            end: last.end.max(self.end),
            ..self
        }
    }
}

/// Every text of one check.
#[derive(Default)]
pub(super) struct Sources {
    all: Vec<Source>,
}

struct Source {
    name: Arc<str>,
    folder: PathBuf,
    text: Rc<str>,
    /// The first byte of every line.
    lines: Vec<u32>,
    /// Characters before every block of [`BLOCK`] bytes, so that a column in a very long line is cheap.
    /// Empty for a text in ASCII, where characters are bytes.
    blocks: Vec<u32>,
}

const BLOCK: usize = 128;

impl Sources {
    /// Takes in a text. `folder` is what the relative paths in it are joined to.
    pub(super) fn add(&mut self, name: String, folder: PathBuf, text: String) -> FileId {
        let id = FileId(u32::try_from(self.all.len()).expect("fewer texts than bytes of memory"));
        let (lines, blocks) = index(&text);
        self.all.push(Source {
            name: name.into(),
            folder,
            text: text.into(),
            lines,
            blocks,
        });
        id
    }

    /// The whole text.
    pub(super) fn text(&self, file: FileId) -> Rc<str> {
        Rc::clone(&self.all[file.0 as usize].text)
    }

    /// The text of a piece; empty where the piece does not lie on character borders.
    pub(super) fn slice(&self, span: Span) -> &str {
        self.all[span.file.0 as usize]
            .text
            .get(span.start as usize..span.end as usize)
            .unwrap_or("")
    }

    /// The folder of a text.
    pub(super) fn folder(&self, file: FileId) -> &Path {
        &self.all[file.0 as usize].folder
    }

    /// Where a piece starts, for people.
    pub(super) fn place(&self, span: Span) -> Place {
        let source = &self.all[span.file.0 as usize];
        let at = (span.start as usize).min(source.text.len());
        let line = source.lines.partition_point(|first| *first as usize <= at);
        let first = source.lines[line.saturating_sub(1)] as usize;
        Place {
            file: Arc::clone(&source.name),
            line,
            col: 1 + source.characters(at) - source.characters(first),
        }
    }

    /// A piece cut at the end of its first line: a mark over many lines hides what it marks.
    pub(super) fn first_line(&self, span: Span) -> Span {
        let length = self
            .slice(span)
            .find(['\n', '\r'])
            .unwrap_or((span.end - span.start) as usize);
        Span::new(span.file, span.start as usize, span.start as usize + length)
    }

    /// All texts by name.
    pub(super) fn into_texts(self) -> impl Iterator<Item = (String, String)> {
        self.all
            .into_iter()
            .map(|source| (source.name.to_string(), source.text.to_string()))
    }
}

impl Source {
    /// The number of characters before a byte.
    fn characters(&self, at: usize) -> usize {
        if self.blocks.is_empty() {
            return at;
        }
        let block = at / BLOCK;
        let bytes = &self.text.as_bytes()[block * BLOCK..at];
        self.blocks[block] as usize + starts(bytes)
    }
}

fn index(text: &str) -> (Vec<u32>, Vec<u32>) {
    let small = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    let mut lines = vec![0];
    lines.extend(text.match_indices('\n').map(|(at, _)| small(at + 1)));
    if text.is_ascii() {
        return (lines, Vec::new());
    }
    let mut blocks = vec![0];
    let mut count = 0;
    for bytes in text.as_bytes().chunks(BLOCK) {
        count += starts(bytes);
        blocks.push(small(count));
    }
    (lines, blocks)
}

/// How many characters start in these bytes.
fn starts(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| (**byte & 0xC0) != 0x80).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_not_bytes() {
        let mut sources = Sources::default();
        let text = "# 学習の設定\nname: 学習 # 訓練\n";
        let file = sources.add("a.yaml".into(), PathBuf::new(), text.into());
        let at = text.find("# 訓練").unwrap();
        let place = sources.place(Span::new(file, at, at + 1));
        assert_eq!((place.line, place.col), (2, 10));
    }

    #[test]
    fn a_column_in_a_long_line_is_right_beyond_a_block() {
        let mut sources = Sources::default();
        let text = format!("x\n{}y", "あ".repeat(1000));
        let file = sources.add("a.yaml".into(), PathBuf::new(), text.clone());
        let place = sources.place(Span::new(file, text.len() - 1, text.len()));
        assert_eq!((place.line, place.col), (2, 1001));
    }
}
