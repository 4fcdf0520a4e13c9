//! A paper as plain text in reading order, for reviewers that read text. It knows no layout.

use std::collections::BTreeMap;

use crate::bibliography::Works;
use crate::draft::tree::{Block, Inline, maths_words, words};
use crate::numbers::record::Number;

/// Writes the text.
pub(crate) struct Text<'p> {
    pub(crate) numbers: &'p [Number],
    pub(crate) works: &'p Works,
    out: String,
    sections: [usize; 6],
    figures: usize,
    tables: usize,
    /// Every work in the order of its first citation.
    cited: Vec<String>,
    footnotes: Vec<String>,
    labels: BTreeMap<String, String>,
}

impl<'p> Text<'p> {
    pub(crate) fn new(numbers: &'p [Number], works: &'p Works, body: &[Block]) -> Self {
        let mut text = Self {
            numbers,
            works,
            out: String::new(),
            sections: [0; 6],
            figures: 0,
            tables: 0,
            cited: Vec::new(),
            footnotes: Vec::new(),
            labels: BTreeMap::new(),
        };
        text.name(body);
        text
    }

    /// What cross references show, which must be known before they are met.
    fn name(&mut self, body: &[Block]) {
        let (mut figures, mut tables, mut equations) = (0, 0, 0);
        let mut sections = [0; 6];
        for block in body {
            match block {
                Block::Heading { level, label, .. } => {
                    let number = count(&mut sections, *level);
                    if let Some(label) = label {
                        self.labels
                            .insert(label.clone(), format!("Section {number}"));
                    }
                }
                Block::Figure { name, .. } => {
                    figures += 1;
                    self.labels
                        .insert(format!("fig:{name}"), format!("Figure {figures}"));
                }
                Block::Table { label, caption, .. } if !caption.is_empty() => {
                    tables += 1;
                    if let Some(label) = label {
                        self.labels.insert(label.clone(), format!("Table {tables}"));
                    }
                }
                Block::Maths {
                    label: Some(label), ..
                } => {
                    equations += 1;
                    self.labels
                        .insert(label.clone(), format!("Eq. {equations}"));
                }
                _ => {}
            }
        }
    }

    pub(crate) fn line(&mut self, line: &str) {
        self.out.push_str(line);
        self.out.push('\n');
    }

    pub(crate) fn blocks(&mut self, blocks: &[Block]) {
        for block in blocks {
            self.block(block);
        }
    }

    fn block(&mut self, block: &Block) {
        match block {
            Block::Heading { level, content, .. } => {
                let number = count(&mut self.sections, *level);
                let title = self.words(content);
                self.line(&format!("\n{number} {title}\n"));
            }
            Block::Paragraph(content) => {
                let content = self.words(content);
                self.line(content.trim());
                self.line("");
            }
            Block::List { start, items } => {
                for (index, item) in items.iter().enumerate() {
                    let from = self.out.len();
                    self.blocks(item);
                    let inner = self.out.split_off(from);
                    let mark =
                        start.map_or("-".to_owned(), |start| format!("{}.", start + index as u64));
                    self.line(&format!("{mark} {}", inner.trim().replace("\n\n", "\n")));
                }
                self.line("");
            }
            Block::Quote(inner) => self.blocks(inner),
            Block::Code { text, .. } => self.line(text),
            Block::Rule => {}
            Block::Maths { latex, .. } => {
                let latex = maths_words(latex, &|index| self.numbers[index].shown.clone());
                self.line(&format!("    {}\n", latex.trim()));
            }
            Block::Figure { caption, .. } => {
                self.figures += 1;
                let caption = self.words(caption);
                self.line(&format!("Figure {}. {caption}\n", self.figures));
            }
            Block::Table {
                head,
                rows,
                caption,
                ..
            } => {
                if !caption.is_empty() {
                    self.tables += 1;
                    let caption = self.words(caption);
                    self.line(&format!("Table {}. {caption}", self.tables));
                }
                for row in std::iter::once(head).chain(rows) {
                    let cells: Vec<String> = row.iter().map(|cell| self.words(cell)).collect();
                    self.line(&format!("| {} |", cells.join(" | ")));
                }
                self.line("");
            }
        }
    }

    fn words(&mut self, inlines: &[Inline]) -> String {
        let mut out = String::new();
        for inline in inlines {
            match inline {
                Inline::Cite { keys, .. } => {
                    let mut works = Vec::new();
                    for key in keys {
                        match self.labels.get(&key.key) {
                            Some(name) => out.push_str(name),
                            None => works.push(self.cite(&key.key).to_string()),
                        }
                    }
                    if !works.is_empty() {
                        out.push_str(&format!("[{}]", works.join(", ")));
                    }
                }
                Inline::Emphasis(inner) | Inline::Strong(inner) | Inline::Strike(inner) => {
                    out.push_str(&self.words(inner));
                }
                Inline::Link { content, .. } => out.push_str(&self.words(content)),
                Inline::Footnote(content) => {
                    let from = self.out.len();
                    self.blocks(content);
                    let note = self.out.split_off(from);
                    self.footnotes.push(note.trim().to_owned());
                    out.push_str(&format!("[note {}]", self.footnotes.len()));
                }
                plain => out.push_str(&words(std::slice::from_ref(plain), &|index| {
                    self.numbers[index].shown.clone()
                })),
            }
        }
        out
    }

    fn cite(&mut self, key: &str) -> usize {
        match self.cited.iter().position(|cited| cited == key) {
            Some(place) => place + 1,
            None => {
                self.cited.push(key.to_owned());
                self.cited.len()
            }
        }
    }

    /// The whole text, with footnotes and references at its end.
    pub(crate) fn finish(mut self) -> String {
        for (index, note) in std::mem::take(&mut self.footnotes).iter().enumerate() {
            self.line(&format!("[note {}] {note}", index + 1));
        }
        if !self.cited.is_empty() {
            self.line("\nReferences\n");
            for (index, key) in std::mem::take(&mut self.cited).iter().enumerate() {
                let work = self
                    .works
                    .get(key)
                    .map_or(key.as_str(), String::as_str)
                    .to_owned();
                self.line(&format!("[{}] {work}", index + 1));
            }
        }
        let mut out = self.out;
        while out.contains("\n\n\n") {
            out = out.replace("\n\n\n", "\n\n");
        }
        format!("{}\n", out.trim())
    }
}

fn count(sections: &mut [usize; 6], level: u8) -> String {
    let level = usize::from(level.clamp(1, 6));
    sections[level - 1] += 1;
    sections[level..].fill(0);
    let parts: Vec<String> = sections[..level].iter().map(usize::to_string).collect();
    parts.join(".")
}
