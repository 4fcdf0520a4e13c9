//! What Markdown has no place for: `Table: caption {#tab:label}` beside a table, `{#eq:label}` after a
//! displayed formula, and formulas that stand in the middle of a paragraph.

use crate::draft::place::Problem;
use crate::draft::tree::{Block, Inline};

/// Gives tables their captions and cuts paragraphs at displayed formulas.
pub(crate) fn attach(blocks: Vec<Block>, problems: &mut Vec<Problem>) -> Vec<Block> {
    let mut out: Vec<Block> = Vec::new();
    // A caption that stood before its table, waiting for it.
    let mut waiting: Option<Vec<Inline>> = None;
    for block in blocks {
        match block {
            Block::Paragraph(content) if is_caption(&content) => match out.last_mut() {
                Some(Block::Table { caption, label, .. }) if caption.is_empty() => {
                    (*caption, *label) = stripped(content);
                }
                _ => {
                    if let Some(left) = waiting.replace(content) {
                        problems.push(orphan(&left));
                    }
                }
            },
            Block::Table {
                align,
                head,
                rows,
                at,
                ..
            } => {
                let (caption, label) = waiting.take().map_or((Vec::new(), None), stripped);
                out.push(Block::Table {
                    align,
                    head,
                    rows,
                    caption,
                    label,
                    at,
                });
            }
            Block::Paragraph(content) => cut(content, &mut out),
            other => out.push(other),
        }
    }
    if let Some(left) = waiting {
        problems.push(orphan(&left));
    }
    out
}

fn is_caption(content: &[Inline]) -> bool {
    matches!(content.first(), Some(Inline::Text { text, .. }) if text.starts_with("Table: "))
}

fn orphan(content: &[Inline]) -> Problem {
    let at = match content.first() {
        Some(Inline::Text { at, .. }) => *at,
        _ => 0,
    };
    Problem::new(at..at + 6, "this caption has no table")
        .help("a paragraph `Table: …` stands directly before or after its table")
}

/// The caption without its mark and label.
fn stripped(mut content: Vec<Inline>) -> (Vec<Inline>, Option<String>) {
    if let Some(Inline::Text { text, .. }) = content.first_mut() {
        *text = text["Table: ".len()..].to_owned();
    }
    let mut label = None;
    if let Some(Inline::Text { text, .. }) = content.last_mut()
        && let Some((rest, found)) = trailing_label(text)
    {
        label = Some(found);
        *text = rest;
    }
    (content, label)
}

/// `… {#name}` at the end of a text.
fn trailing_label(text: &str) -> Option<(String, String)> {
    let inner = text.trim_end().strip_suffix('}')?;
    let (rest, name) = inner.rsplit_once("{#")?;
    let plain = !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_alphanumeric() || ":-_.".contains(c));
    plain.then(|| (rest.trim_end().to_owned(), name.to_owned()))
}

/// `{#name}` at the start of a text.
fn leading_label(text: &str) -> Option<(String, String)> {
    let (name, rest) = text.trim_start().strip_prefix("{#")?.split_once('}')?;
    Some((rest.to_owned(), name.to_owned()))
}

fn cut(content: Vec<Inline>, out: &mut Vec<Block>) {
    let mut line: Vec<Inline> = Vec::new();
    let flush = |line: &mut Vec<Inline>, out: &mut Vec<Block>| {
        let blank = line
            .iter()
            .all(|inline| matches!(inline, Inline::Text { text, .. } if text.trim().is_empty()));
        let line = std::mem::take(line);
        if !blank {
            out.push(Block::Paragraph(line));
        }
    };
    for inline in content {
        match inline {
            Inline::Display { latex, at } => {
                flush(&mut line, out);
                out.push(Block::Maths {
                    latex,
                    label: None,
                    at,
                });
            }
            Inline::Text { text, at } if line.is_empty() => {
                let labelled = match out.last_mut() {
                    Some(Block::Maths { label, .. }) => leading_label(&text).map(|(rest, name)| {
                        *label = Some(name);
                        rest
                    }),
                    _ => None,
                };
                let text = labelled.unwrap_or(text);
                line.push(Inline::Text {
                    text: text.trim_start().to_owned(),
                    at: at + text.len() - text.trim_start().len(),
                });
            }
            other => line.push(other),
        }
    }
    flush(&mut line, out);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Inline {
        Inline::Text {
            text: text.to_owned(),
            at: 0,
        }
    }

    #[test]
    fn a_displayed_formula_cuts_its_paragraph_and_takes_its_label() {
        let formula = Inline::Display {
            latex: "x".to_owned(),
            at: 3,
        };
        let blocks = vec![Block::Paragraph(vec![
            text("so "),
            formula,
            text(" {#eq:x} and"),
        ])];
        let out = attach(blocks, &mut Vec::new());
        assert_eq!(out.len(), 3);
        assert!(matches!(&out[1], Block::Maths { label: Some(label), .. } if label == "eq:x"));
        assert!(matches!(&out[2], Block::Paragraph(words) if words.len() == 1));
    }

    #[test]
    fn a_caption_without_a_table_is_a_problem() {
        let mut problems = Vec::new();
        attach(
            vec![Block::Paragraph(vec![text("Table: Losses")])],
            &mut problems,
        );
        assert_eq!(problems.len(), 1);
    }
}
