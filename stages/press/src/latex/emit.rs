//! The tree of a paper as LaTeX. Every block is preceded by a comment with its line of the draft, so that
//! an error of LaTeX leads back to the Markdown.

use std::fmt::Write as _;

use crate::draft::mask::pieces;
use crate::draft::place::{DRAFT, line_col};
use crate::draft::tree::{Align, Block, Inline, Key};
use crate::latex::escape::{address, breakable, name, words};
use crate::numbers::record::Number;

/// Collects LaTeX.
pub(crate) struct Emitter<'p> {
    pub(crate) draft: &'p str,
    pub(crate) numbers: &'p [Number],
    /// Whether a figure spans both columns, by name.
    pub(crate) wide: &'p dyn Fn(&str) -> bool,
    pub(crate) out: String,
}

/// Tables with more characters than this side by side span both columns.
const WIDE: usize = 62;

impl Emitter<'_> {
    pub(crate) fn blocks(&mut self, blocks: &[Block]) {
        for (index, block) in blocks.iter().enumerate() {
            // A formula stands in its paragraph: an empty line would add room and begin another one.
            let before = index.checked_sub(1).map(|at| &blocks[at]);
            let joined = match (before, block) {
                (Some(Block::Paragraph(_)), Block::Maths { .. }) => true,
                (Some(Block::Maths { .. }), Block::Paragraph(content)) => goes_on(content),
                _ => false,
            };
            while joined && self.out.ends_with("\n\n") {
                self.out.pop();
            }
            self.block(block);
        }
    }

    fn place(&mut self, at: usize) {
        let (line, _) = line_col(self.draft, at);
        let _ = writeln!(self.out, "% {DRAFT}:{line}");
    }

    fn block(&mut self, block: &Block) {
        match block {
            Block::Heading {
                level,
                label,
                content,
                at,
            } => {
                self.place(*at);
                let command = match level {
                    1 => "section",
                    2 => "subsection",
                    3 => "subsubsection",
                    _ => "paragraph",
                };
                let content = self.inlines(content);
                let _ = writeln!(
                    self.out,
                    "\\{command}{{{content}}}{}\n",
                    labelled(label.as_deref())
                );
            }
            Block::Paragraph(content) => {
                if let Some(at) = start(content) {
                    self.place(at);
                }
                let content = self.inlines(content);
                let _ = writeln!(self.out, "{}\n", content.trim());
            }
            Block::List { start, items } => {
                let kind = if start.is_some() {
                    "enumerate"
                } else {
                    "itemize"
                };
                let _ = writeln!(self.out, "\\begin{{{kind}}}");
                if let Some(start) = start.filter(|start| *start != 1) {
                    let _ = writeln!(
                        self.out,
                        "\\setcounter{{enumi}}{{{}}}",
                        i128::from(start) - 1
                    );
                }
                for item in items {
                    self.out.push_str("\\item ");
                    self.blocks(item);
                }
                let _ = writeln!(self.out, "\\end{{{kind}}}\n");
            }
            Block::Quote(inner) => {
                self.out.push_str("\\begin{quote}\n");
                self.blocks(inner);
                self.out.push_str("\\end{quote}\n\n");
            }
            Block::Code { text, at, .. } => {
                self.place(*at);
                // A line that ends the environment early would run the rest as LaTeX.
                let text = text.trim_end().replace("\\end{code}", "\\end {code}");
                let _ = writeln!(self.out, "\\begin{{code}}\n{text}\n\\end{{code}}\n");
            }
            Block::Rule => self
                .out
                .push_str("\\begin{center}\\rule{0.3\\linewidth}{0.4pt}\\end{center}\n\n"),
            Block::Maths { latex, label, at } => {
                self.place(*at);
                let inner = self.maths(latex.trim());
                // Lines aligned by an environment of their own cannot stand inside another one.
                let own = ["align", "gather", "equation", "multline"]
                    .iter()
                    .any(|name| {
                        inner.starts_with(&format!("\\begin{{{name}"))
                            && !inner.starts_with("\\begin{aligned")
                    });
                match label {
                    _ if own => {
                        let _ = writeln!(self.out, "{inner}\n");
                    }
                    Some(_) => {
                        let label = labelled(label.as_deref());
                        let _ = writeln!(
                            self.out,
                            "\\begin{{equation}}{label}\n{inner}\n\\end{{equation}}\n"
                        );
                    }
                    None => {
                        let _ = writeln!(self.out, "\\[\n{inner}\n\\]\n");
                    }
                }
            }
            Block::Figure {
                name: figure,
                wide,
                caption,
                at,
            } => {
                self.place(*at);
                let star = if wide.unwrap_or_else(|| (self.wide)(figure)) {
                    "*"
                } else {
                    ""
                };
                let caption = self.inlines(caption);
                let _ = writeln!(
                    self.out,
                    "\\begin{{figure{star}}}[!tb]\n\\centering\n\\includegraphics[width=\\linewidth]{{figures/{file}.pdf}}\n\\caption{{{caption}}}\n\\label{{fig:{file}}}\n\\end{{figure{star}}}\n",
                    file = name(figure),
                );
            }
            Block::Table { .. } => self.table(block),
        }
    }

    fn table(&mut self, table: &Block) {
        let Block::Table {
            align,
            head,
            rows,
            caption,
            label,
            at,
        } = table
        else {
            return;
        };
        self.place(*at);
        let columns: String = align
            .iter()
            .map(|align| match align {
                Align::Left => 'l',
                Align::Centre => 'c',
                Align::Right => 'r',
            })
            .collect();
        let line = |emitter: &mut Self, row: &[Vec<Inline>]| {
            let cells: Vec<String> = row.iter().map(|cell| emitter.inlines(cell)).collect();
            cells.join(" & ") + " \\\\\n"
        };
        let bold: Vec<Vec<Inline>> = head
            .iter()
            .map(|cell| vec![Inline::Strong(cell.clone())])
            .collect();
        let mut body = line(self, &bold);
        body.push_str("\\midrule\n");
        for row in rows {
            body.push_str(&line(self, row));
        }
        let tabular = format!(
            "\\begin{{tabular}}{{{columns}}}\n\\toprule\n{body}\\bottomrule\n\\end{{tabular}}\n"
        );
        if caption.is_empty() {
            let _ = writeln!(self.out, "\\begin{{center}}\n{tabular}\\end{{center}}\n");
            return;
        }
        let shown = |index: usize| self.numbers[index].shown.clone();
        let widest: usize = (0..head.len())
            .map(|column| {
                let cell = |row: &Vec<Vec<Inline>>| {
                    row.get(column).map_or(0, |cell| {
                        crate::draft::tree::words(cell, &shown).chars().count()
                    })
                };
                rows.iter().map(cell).max().unwrap_or(0).max(cell(head)) + 3
            })
            .sum();
        let star = if widest > WIDE { "*" } else { "" };
        let caption = self.inlines(caption);
        let _ = writeln!(
            self.out,
            "\\begin{{table{star}}}[!tb]\n\\centering\\small\n\\caption{{{caption}}}{}\\vspace{{4pt}}\n{tabular}\\end{{table{star}}}\n",
            labelled(label.as_deref()),
        );
    }

    pub(crate) fn inlines(&mut self, inlines: &[Inline]) -> String {
        let mut out = String::new();
        for inline in inlines {
            match inline {
                Inline::Text { text, .. } => out.push_str(&quotes(&words(text))),
                Inline::Emphasis(inner) => {
                    out.push_str(&format!("\\emph{{{}}}", self.inlines(inner)))
                }
                Inline::Strong(inner) => {
                    out.push_str(&format!("\\textbf{{{}}}", self.inlines(inner)))
                }
                Inline::Strike(inner) => {
                    out.push_str(&format!("\\sout{{{}}}", self.inlines(inner)))
                }
                Inline::Code(code) => out.push_str(&format!("\\texttt{{{}}}", words(code))),
                Inline::Maths { latex, .. } => {
                    out.push_str(&format!("${}$", self.maths(latex.trim())))
                }
                Inline::Display { latex, .. } => {
                    out.push_str(&format!("\\[{}\\]", self.maths(latex.trim())))
                }
                Inline::Link { url, content } => {
                    let shown = match content.as_slice() {
                        // An address has no place where a line may end, so that each sign is one.
                        [Inline::Text { text, .. }] if url.ends_with(text.as_str()) => {
                            breakable(text)
                        }
                        content => self.inlines(content),
                    };
                    out.push_str(&format!("\\href{{{}}}{{{shown}}}", address(url)));
                }
                Inline::Number(index) => {
                    out.push_str(&format!("\\val{{{}}}", self.numbers[*index].row))
                }
                Inline::Unknown { what, .. } => {
                    out.push_str(&format!("\\unknown{{{}}}", words(what)))
                }
                Inline::Cite { keys, .. } => out.push_str(&cited(keys)),
                Inline::Footnote(content) => {
                    let before = std::mem::take(&mut self.out);
                    self.blocks(content);
                    let note = std::mem::replace(&mut self.out, before);
                    out.push_str(&format!("\\footnote{{%\n{}%\n}}", note.trim_end()));
                }
                Inline::Break => out.push_str("\\\\ "),
            }
        }
        out
    }

    fn maths(&self, latex: &str) -> String {
        pieces(latex)
            .into_iter()
            .map(|piece| match piece {
                Ok(text) => text.to_owned(),
                Err(index) => format!("\\val{{{}}}", self.numbers[index].row),
            })
            .collect()
    }
}

/// Cross references, and works; works that stand together share their brackets.
fn cited(keys: &[Key]) -> String {
    let mut out = String::new();
    let mut works: Vec<&str> = Vec::new();
    for key in keys {
        let target = name(&key.key);
        let part = match (key.key.split_once(':'), &key.detail) {
            (Some(("fig", _)), _) => format!("Figure~\\ref{{{target}}}"),
            (Some(("tab", _)), _) => format!("Table~\\ref{{{target}}}"),
            (Some(("sec", _)), _) => format!("Section~\\ref{{{target}}}"),
            (Some(("eq", _)), _) => format!("Eq.~\\eqref{{{target}}}"),
            (_, Some(detail)) => format!("\\citep[{}]{{{}}}", words(detail), key.key),
            (_, None) => {
                works.push(&key.key);
                continue;
            }
        };
        gather(&mut works, &mut out);
        out.push_str(&part);
    }
    gather(&mut works, &mut out);
    out
}

fn gather(works: &mut Vec<&str>, out: &mut String) {
    if !works.is_empty() {
        out.push_str(&format!("\\citep{{{}}}", works.join(",")));
        works.clear();
    }
}

fn labelled(label: Option<&str>) -> String {
    label.map_or(String::new(), |label| format!("\\label{{{}}}", name(label)))
}

/// Whether words go on with the sentence before them.
fn goes_on(content: &[Inline]) -> bool {
    match content.first() {
        Some(Inline::Text { text, .. }) => {
            let first = text.trim_start().chars().next();
            first.is_some_and(|c| c.is_lowercase() || ",.;:)".contains(c))
        }
        _ => false,
    }
}

/// Curly quotes have glyphs; LaTeX's own marks kern better and are found in every font.
fn quotes(text: &str) -> String {
    text.replace('“', "``")
        .replace('”', "''")
        .replace('‘', "`")
        .replace('’', "'")
        .replace('—', "---")
        .replace('–', "--")
        .replace('…', "\\ldots{}")
}

fn start(content: &[Inline]) -> Option<usize> {
    content.iter().find_map(|inline| match inline {
        Inline::Text { at, .. } | Inline::Maths { at, .. } | Inline::Cite { at, .. } => Some(*at),
        _ => None,
    })
}
