//! What the paper calls things that the results name otherwise: a row `Ours` whose values are all of
//! `curriculum`, a row `Distilled (student)`. It learns from tables and knows no meaning.

use std::collections::{BTreeMap, BTreeSet};

use super::around::wordy;
use super::context::Names;
use super::entry::{Finding, Verdict};
use super::judge::Judge;
use super::plain::{Block, Cell, Kind};
use super::stems::stems;
use super::token::Number;

/// A name at a depth of the results, by words of the paper.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Alias {
    pub(super) stems: Vec<String>,
    pub(super) depth: usize,
    pub(super) name: String,
}

/// Words that every paper uses for many things.
const COMMON: &str = "full base small large none all mean average avg total model method simple standard default \
    fixed learned random baseline run time value with without and the of on in for set test train val result only";

/// Fewer digits agree with too much.
const FIGURES: usize = 3;

/// A cell of a table that was judged.
pub(super) struct Seen<'j> {
    pub(super) cell: &'j Cell,
    pub(super) number: &'j Number,
    pub(super) finding: &'j Finding,
}

/// What the labels of rows and columns stand for, by the values beside and below them.
pub(super) fn learn(cells: &[Seen<'_>], names: &Names) -> Vec<Alias> {
    let mut found: Vec<Alias> = Vec::new();
    let sides: [fn(&Cell) -> &str; 2] = [|cell| &cell.rows, |cell| &cell.columns];
    for side in sides {
        let mut groups: BTreeMap<(usize, &str), Vec<&Seen<'_>>> = BTreeMap::new();
        for seen in cells {
            let label = side(seen.cell);
            if !label.trim().is_empty() {
                groups
                    .entry((seen.cell.table, label))
                    .or_default()
                    .push(seen);
            }
        }
        for ((table, label), group) in &groups {
            found.extend(bracketed(label, names));
            let others: Vec<&Seen<'_>> = groups
                .iter()
                .filter(|((other, text), _)| other == table && text != label)
                .flat_map(|(_, group)| group.iter().copied())
                .collect();
            found.extend(valued(label, group, &others, names));
        }
    }
    // Words that are learned for two things stand for neither.
    let mut meanings: BTreeMap<Vec<String>, BTreeSet<(usize, String)>> = BTreeMap::new();
    for alias in &found {
        let meaning = (alias.depth, alias.name.clone());
        meanings
            .entry(alias.stems.clone())
            .or_default()
            .insert(meaning);
    }
    found.retain(|alias| meanings[&alias.stems].len() == 1);
    found.sort_by(|a, b| (&a.stems, a.depth).cmp(&(&b.stems, b.depth)));
    found.dedup();
    found
}

/// Whether a name says what was measured.
pub(super) fn measure(name: &String) -> bool {
    super::words::better(std::slice::from_ref(name)).is_some()
}

fn telling(text: &str) -> Option<Vec<String>> {
    let stems = stems(text);
    let plain = stems.iter().all(|stem| {
        super::words::has(COMMON, stem)
            || stem.len() < 2
            || stem.bytes().all(|byte| byte.is_ascii_digit())
    });
    (!plain && stems.len() <= 5).then_some(stems)
}

/// `Distilled (student)`: what stands in brackets is what stands before them, if one of them is a name.
fn bracketed(label: &str, names: &Names) -> Option<Alias> {
    let (outer, rest) = label.rsplit(" / ").next()?.split_once('(')?;
    let (inner, _) = rest.split_once(')')?;
    let (a, b) = (names.only(outer), names.only(inner));
    let (known, words) = match (a, b) {
        (Some(known), None) if !names.tells(inner) => (known, inner),
        (None, Some(known)) if !names.tells(outer) => (known, outer),
        _ => return None,
    };
    let (depth, name) = known;
    Some(Alias {
        stems: telling(words)?,
        depth,
        name,
    })
}

/// A label that names nothing, and whose values are all of one name that no other label's are of.
fn valued(label: &str, group: &[&Seen<'_>], others: &[&Seen<'_>], names: &Names) -> Option<Alias> {
    let words = label.rsplit(" / ").next()?;
    let stems = telling(words)?;
    let strong: Vec<&[String]> = group
        .iter()
        .filter(|seen| seen.finding.verdict == Verdict::Traced && seen.number.figures >= FIGURES)
        .filter_map(|seen| seen.finding.base.as_ref())
        .map(|base| base.names.as_slice())
        .collect();
    let told = group
        .iter()
        .filter(|seen| !seen.number.spread && seen.number.figures >= FIGURES)
        .count();
    if strong.len() < 2 || strong.len() * 4 < told * 3 {
        return None;
    }
    let depths = strong.iter().map(|names| names.len()).min()?;
    // Runs are told in too many ways, and rows of one run are judged together elsewhere.
    (0..depths)
        .filter(|depth| !names.is_run(*depth))
        .find_map(|depth| {
            let mut counts: BTreeMap<&String, usize> = BTreeMap::new();
            for names in &strong {
                *counts.entry(&names[depth]).or_default() += 1;
            }
            // One cell of many may be wrong.
            let (name, most) = counts.into_iter().max_by_key(|(_, count)| *count)?;
            let one = most == strong.len() || (strong.len() > 3 && most * 4 >= strong.len() * 3);
            let based = others.iter().filter_map(|seen| seen.finding.base.as_ref());
            let (mut same, mut apart) = (0, 0);
            for base in based {
                match base.names.get(depth) {
                    Some(other) if other == name => same += 1,
                    Some(_) => apart += 1,
                    None => {}
                }
            }
            let elsewhere = same > 0 && (most == strong.len() || same * 3 > most);
            let told = names
                .named(words)
                .full
                .get(depth)
                .is_some_and(|known| !known.is_empty());
            (one && !elsewhere && apart > 0 && !told && name != "*" && !measure(name)).then(|| {
                Alias {
                    stems: stems.clone(),
                    depth,
                    name: name.clone(),
                }
            })
        })
}

impl Judge<'_> {
    /// What the labels of the paper's tables stand for.
    pub(super) fn aliases(&mut self, blocks: &[Block]) -> Vec<Alias> {
        let mut judged = Vec::new();
        for block in blocks.iter().filter(|block| block.kind == Kind::Cell) {
            if let Some(cell) = block.cell.as_ref().filter(|_| !wordy(&block.plain.text)) {
                let found = self.cell(block, cell);
                judged.extend(
                    found
                        .into_iter()
                        .map(|(number, finding, _)| (cell, number, finding)),
                );
            }
        }
        let seen: Vec<Seen<'_>> = judged
            .iter()
            .map(|(cell, number, finding)| Seen {
                cell,
                number,
                finding,
            })
            .collect();
        learn(&seen, &self.evidence.names)
    }
}
