//! Everything about a tree that must hold before it is typeset: figures, citations, labels, sections.

use std::collections::{BTreeMap, BTreeSet};

use crate::bibliography::Works;
use crate::draft::place::{DRAFT, Problem, line_col};
use crate::draft::tree::{Block, Inline, Key, words};
use crate::typeset::maths::convert;
use crate::typeset::world::has_sign;

/// What is known beside the tree.
pub(crate) struct Known<'p> {
    pub(crate) figures: &'p [String],
    pub(crate) works: &'p Works,
}

/// Something that does not stop a paper.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub(crate) struct Warning {
    pub(crate) message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) col: Option<usize>,
}

impl Warning {
    pub(crate) fn at(draft: &str, offset: usize, message: String) -> Self {
        let (line, col) = line_col(draft, offset);
        Self {
            message: format!("{DRAFT}:{line}:{col}: {message}"),
            line: Some(line),
            col: Some(col),
        }
    }
}

/// Checks the tree; the warnings.
pub(crate) fn check(
    draft: &str,
    parts: &[&[Block]],
    known: &Known<'_>,
    problems: &mut Vec<Problem>,
) -> Vec<Warning> {
    let mut seen = Seen::default();
    for part in parts {
        seen.blocks(part);
    }
    seen.sections(problems);
    for (latex, at) in &seen.formulas {
        if let Err(message) = convert(latex, &|_| "1".to_owned()) {
            problems.push(
                Problem::new(*at..at + 1, format!("formula: {message}"))
                    .help("the formula is LaTeX as in a paper, without packages of its own"),
            );
        }
    }
    let mut shown = BTreeSet::new();
    for (name, at) in &seen.figures {
        if !known.figures.contains(name) {
            let near = nearest(name, known.figures.iter().map(String::as_str));
            problems.push(
                Problem::new(*at..at + 2, format!("there is no figure `{name}`")).help(
                    match (near, known.figures.is_empty()) {
                        (Some(near), _) => format!("did you mean `{near}`?"),
                        (None, true) => "no figures were given".to_owned(),
                        (None, false) => format!("the figures are {}", known.figures.join(", ")),
                    },
                ),
            );
        } else if !shown.insert(name) {
            problems.push(Problem::new(
                *at..at + 2,
                format!("figure `{name}` is shown twice"),
            ));
        }
    }
    let mut labels: BTreeSet<String> = shown.iter().map(|name| format!("fig:{name}")).collect();
    for (name, at) in &seen.labels {
        if !labels.insert(name.clone()) {
            problems.push(Problem::new(
                *at..at + 1,
                format!("label `{name}` is given twice"),
            ));
        }
    }
    for (key, at) in &seen.cites {
        let (missing, near) = if key.is_internal() {
            let near = nearest(&key.key, labels.iter().map(String::as_str));
            (!labels.contains(&key.key), near)
        } else {
            let near = nearest(&key.key, known.works.keys().map(String::as_str));
            (!known.works.contains_key(&key.key), near)
        };
        if missing {
            let message = match key.is_internal() {
                true => format!("nothing is labelled `{}`", key.key),
                false => format!("`{}` is not in the bibliography", key.key),
            };
            let problem = Problem::new(*at..at + key.key.len() + 2, message);
            problems.push(match near {
                Some(near) => problem.help(format!("did you mean `{near}`?")),
                None => problem,
            });
        }
    }
    let mut warnings: Vec<Warning> = seen
        .unknown
        .iter()
        .map(|(what, at)| {
            Warning::at(
                draft,
                *at,
                format!("the writer says that this is not known: {what}"),
            )
        })
        .collect();
    warnings.extend(
        known
            .figures
            .iter()
            .filter(|name| !shown.contains(name))
            .map(|name| Warning {
                message: format!("figure `{name}` was given but is not in the draft"),
                line: None,
                col: None,
            }),
    );
    warnings
}

/// Signs of a draft that no font has, each once. Signs without a form of their own, as the joiners of
/// scripts and the marks of direction, are passed over by the typesetter too.
pub(crate) fn signs(draft: &str, problems: &mut Vec<Problem>) {
    let mut seen = BTreeSet::new();
    for (at, sign) in draft.char_indices() {
        let formless = sign.is_whitespace()
            || matches!(sign, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}');
        if formless || has_sign(sign) || !seen.insert(sign) {
            continue;
        }
        let message = match sign.is_control() {
            true => format!(
                "the control character U+{:04X} cannot be printed",
                u32::from(sign)
            ),
            false => format!(
                "no font here has the sign `{sign}` (U+{:04X})",
                u32::from(sign)
            ),
        };
        problems.push(
            Problem::new(at..at + sign.len_utf8(), message)
                .help("write it in Latin, Greek or Cyrillic letters or as mathematics; it would be an empty box"),
        );
    }
}

/// The known name most like `name`, if any is like it.
pub(crate) fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    known
        .map(|known| (strsim::normalized_damerau_levenshtein(known, name), known))
        .filter(|(likeness, _)| *likeness > 0.4)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| known)
}

/// Calls `see` with every citation key and cross reference of a tree.
pub(crate) fn each_key(blocks: &[Block], see: &mut dyn FnMut(&Key)) {
    let mut seen = Seen::default();
    seen.blocks(blocks);
    seen.cites.iter().for_each(|(key, _)| see(key));
}

#[derive(Default)]
struct Seen {
    figures: Vec<(String, usize)>,
    labels: Vec<(String, usize)>,
    cites: Vec<(Key, usize)>,
    unknown: Vec<(String, usize)>,
    headings: Vec<(String, usize)>,
    formulas: Vec<(String, usize)>,
}

impl Seen {
    fn sections(&self, problems: &mut Vec<Problem>) {
        let mut titles = BTreeMap::new();
        for (title, at) in &self.headings {
            if titles.insert(title, *at).is_some() {
                problems.push(Problem::new(
                    *at..at + 1,
                    format!("section `{title}` is there twice"),
                ));
            }
        }
    }

    fn blocks(&mut self, blocks: &[Block]) {
        for block in blocks {
            match block {
                Block::Heading {
                    level,
                    label,
                    content,
                    at,
                } => {
                    if *level == 1 {
                        self.headings
                            .push((words(content, &|_| String::new()), *at));
                    }
                    self.labels.extend(label.clone().map(|label| (label, *at)));
                    self.inlines(content);
                }
                Block::Paragraph(content) => self.inlines(content),
                Block::List { items, .. } => items.iter().for_each(|item| self.blocks(item)),
                Block::Quote(inner) => self.blocks(inner),
                Block::Code { .. } | Block::Rule => {}
                Block::Maths { label, at, latex } => {
                    self.formulas.push((latex.clone(), *at));
                    self.labels.extend(label.clone().map(|label| (label, *at)));
                }
                Block::Table {
                    head,
                    rows,
                    caption,
                    label,
                    at,
                    ..
                } => {
                    self.labels.extend(label.clone().map(|label| (label, *at)));
                    self.inlines(caption);
                    let cells = head.iter().chain(rows.iter().flatten());
                    cells.for_each(|cell| self.inlines(cell));
                }
                Block::Figure {
                    name, caption, at, ..
                } => {
                    self.figures.push((name.clone(), *at));
                    self.inlines(caption);
                }
            }
        }
    }

    fn inlines(&mut self, inlines: &[Inline]) {
        for inline in inlines {
            match inline {
                Inline::Emphasis(inner) | Inline::Strong(inner) | Inline::Strike(inner) => {
                    self.inlines(inner)
                }
                Inline::Link { content, .. } => self.inlines(content),
                Inline::Footnote(content) => self.blocks(content),
                Inline::Cite { keys, at } => {
                    self.cites.extend(keys.iter().map(|key| (key.clone(), *at)));
                }
                Inline::Maths { latex, at } | Inline::Display { latex, at } => {
                    self.formulas.push((latex.clone(), *at));
                }
                Inline::Unknown { what, at } => self.unknown.push((what.clone(), *at)),
                _ => {}
            }
        }
    }
}
