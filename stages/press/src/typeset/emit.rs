//! The tree of a paper as Typst source. It does not know pages, fonts or columns: those are the
//! template's.

use std::collections::BTreeMap;

use crate::draft::place::Problem;
use crate::draft::tree::{Align, Block, Inline, words};
use crate::numbers::record::Number;
use crate::typeset::maths::convert;
use crate::typeset::writer::{Writer, label, literal};

/// What the emitter must know beside the tree.
pub(crate) struct Emitter<'p> {
    pub(crate) numbers: &'p [Number],
    /// The file name in the world and whether it spans both columns, by figure name.
    pub(crate) figures: &'p BTreeMap<String, (String, bool)>,
    pub(crate) writer: Writer,
    pub(crate) problems: Vec<Problem>,
}

impl Emitter<'_> {
    /// The words of inlines, for alternative texts.
    fn plain(&self, inlines: &[Inline]) -> String {
        words(inlines, &|index| self.numbers[index].shown.clone())
    }

    pub(crate) fn blocks(&mut self, blocks: &[Block]) {
        for block in blocks {
            self.block(block);
        }
    }

    fn block(&mut self, block: &Block) {
        match block {
            Block::Heading {
                level,
                label: name,
                content,
                at,
            } => {
                self.writer.mark(*at);
                self.writer.push(&format!("#heading(level: {level})["));
                self.inlines(content);
                self.writer.push("]");
                self.label(name.as_deref());
                self.writer.push("\n\n");
            }
            Block::Paragraph(content) => {
                self.inlines(content);
                self.writer.push("\n\n");
            }
            Block::List { start, items } => {
                match start {
                    Some(start) => self.writer.push(&format!("#enum(start: {start}")),
                    None => self.writer.push("#list("),
                }
                for (index, item) in items.iter().enumerate() {
                    let comma = if index > 0 || start.is_some() {
                        ", ["
                    } else {
                        "["
                    };
                    self.writer.push(comma);
                    self.blocks(item);
                    self.writer.push("]");
                }
                self.writer.push(")\n\n");
            }
            Block::Quote(inner) => {
                self.writer.push("#quote(block: true)[");
                self.blocks(inner);
                self.writer.push("]\n\n");
            }
            Block::Code { language, text, at } => {
                self.writer.mark(*at);
                let text = literal(text.trim_end());
                let language = match language.as_str() {
                    "" => "none".to_owned(),
                    language => literal(language),
                };
                self.writer
                    .push(&format!("#raw({text}, block: true, lang: {language})\n\n"));
            }
            Block::Rule => self.writer.push("#rule\n\n"),
            Block::Maths {
                latex,
                label: name,
                at,
            } => {
                let numbered = match name {
                    Some(_) => ", numbering: \"(1)\"",
                    None => "",
                };
                self.writer.push(&format!("#displayed({at})["));
                self.equation(latex, &format!("block: true{numbered}"), *at);
                self.label(name.as_deref());
                self.writer.push("]\n\n");
            }
            Block::Figure {
                name,
                wide,
                caption,
                at,
            } => self.figure(name, *wide, caption, *at),
            Block::Table { .. } => self.table(block),
        }
    }

    fn label(&mut self, name: Option<&str>) {
        if let Some(name) = name {
            self.writer.push(&format!("#{}", label(name)));
        }
    }

    fn figure(&mut self, name: &str, wide: Option<bool>, caption: &[Inline], at: usize) {
        self.writer.mark(at);
        // A figure that is missing was reported when the tree was checked.
        let Some((file, natural)) = self.figures.get(name) else {
            return;
        };
        let wide = wide.unwrap_or(*natural);
        let alt = literal(&self.plain(caption));
        self.writer.push(&format!(
            "#paper-figure({}, wide: {wide}, alt: {alt})[",
            literal(file)
        ));
        self.inlines(caption);
        self.writer.push("]");
        self.label(Some(&format!("fig:{name}")));
        self.writer.push("\n\n");
    }

    fn table(&mut self, table: &Block) {
        let Block::Table {
            align,
            head,
            rows,
            caption,
            label: name,
            at,
        } = table
        else {
            return;
        };
        self.writer.mark(*at);
        let columns: Vec<&str> = align
            .iter()
            .map(|align| match align {
                Align::Left => "left",
                Align::Centre => "center",
                Align::Right => "right",
            })
            .collect();
        let wide = self.width(head, rows) > WIDE;
        self.writer.push(&format!(
            "#paper-table({at}, wide: {wide}, align: ({},), caption: ",
            columns.join(", ")
        ));
        if caption.is_empty() {
            self.writer.push("none");
        } else {
            self.writer.push("[");
            self.inlines(caption);
            self.writer.push("]");
        }
        self.writer.push(", head: (");
        self.cells(head);
        self.writer.push("), rows: (");
        for row in rows {
            self.writer.push("(");
            self.cells(row);
            self.writer.push("), ");
        }
        self.writer.push("))");
        if !caption.is_empty() {
            self.label(name.as_deref());
        }
        self.writer.push("\n\n");
    }

    fn cells(&mut self, cells: &[Vec<Inline>]) {
        for cell in cells {
            self.writer.push("[");
            self.inlines(cell);
            self.writer.push("], ");
        }
    }

    /// The characters of the widest cells side by side.
    fn width(&self, head: &[Vec<Inline>], rows: &[Vec<Vec<Inline>>]) -> usize {
        (0..head.len())
            .map(|column| {
                let cell = |row: &[Vec<Inline>]| {
                    row.get(column)
                        .map_or(0, |cell| self.plain(cell).chars().count())
                };
                rows.iter()
                    .map(|row| cell(row))
                    .chain([cell(head)])
                    .max()
                    .unwrap_or(0)
                    + 3
            })
            .sum()
    }

    pub(crate) fn inlines(&mut self, inlines: &[Inline]) {
        for inline in inlines {
            self.inline(inline);
        }
    }

    fn inline(&mut self, inline: &Inline) {
        match inline {
            Inline::Text { text, at } => {
                self.writer.mark(*at);
                self.writer.words(text);
            }
            Inline::Emphasis(inner) => self.wrapped("emph", inner),
            Inline::Strong(inner) => self.wrapped("strong", inner),
            Inline::Strike(inner) => self.wrapped("strike", inner),
            Inline::Code(code) => self.writer.push(&format!("#raw({});", literal(code))),
            Inline::Maths { latex, at } => self.equation(latex, "block: false", *at),
            Inline::Display { latex, at } => self.equation(latex, "block: true", *at),
            Inline::Link { url, content } => {
                self.writer.push(&format!("#link({})[", literal(url)));
                self.inlines(content);
                self.writer.push("];");
            }
            Inline::Number(index) => self.writer.push(&number(&self.numbers[*index], *index)),
            Inline::Unknown { what, .. } => {
                self.writer.push("#unknown[");
                self.writer.words(what);
                self.writer.push("];");
            }
            Inline::Cite { keys, at } => {
                self.writer.mark(*at);
                for key in keys {
                    let name = label(&key.key);
                    match (&key.detail, key.is_internal()) {
                        (_, true) => self.writer.push(&format!("#ref({name});")),
                        (None, false) => self.writer.push(&format!("#cite({name});")),
                        (Some(detail), false) => {
                            self.writer.push(&format!("#cite({name}, supplement: ["));
                            self.writer.words(detail);
                            self.writer.push("]);");
                        }
                    }
                }
            }
            Inline::Footnote(content) => {
                self.writer.push("#footnote[");
                self.blocks(content);
                self.writer.push("];");
            }
            Inline::Break => self.writer.push("#linebreak();"),
        }
    }

    fn wrapped(&mut self, name: &str, inner: &[Inline]) {
        self.writer.push(&format!("#{name}["));
        self.inlines(inner);
        self.writer.push("];");
    }

    fn equation(&mut self, latex: &str, set: &str, at: usize) {
        self.writer.mark(at);
        let shown = |index: usize| number(&self.numbers[index], index);
        match convert(latex, &shown) {
            Ok(source) => {
                let alt = crate::draft::tree::maths_words(latex, &|index| {
                    self.numbers[index].shown.clone()
                });
                // The line break keeps a trailing backslash of the formula from escaping the dollar.
                self.writer.push(&format!(
                    "#math.equation({set}, alt: {}, $ {}\n $);",
                    literal(alt.trim()),
                    source.trim()
                ));
            }
            // The check of the tree told it with its remedy; a formula never vanishes silently.
            Err(message) => self
                .problems
                .push(Problem::new(at..at + 1, format!("formula: {message}"))),
        }
    }
}

/// Tables with more characters than this side by side span both columns.
const WIDE: usize = 62;

/// A number that links to its row of the appendix.
fn number(number: &Number, index: usize) -> String {
    let mut writer = Writer::default();
    // A line may break before an interval and before its n, not inside either.
    let mut kept = number.shown.replace(' ', "\u{a0}");
    for part in ["[", "n\u{a0}="] {
        kept = kept.replace(&format!("\u{a0}{part}"), &format!(" {part}"));
    }
    writer.words(&kept);
    format!("#num({index}, {})[{}];", number.row, writer.text)
}
