//! Rows and columns of a table that belong to one thing each: a cell whose value comes from elsewhere than
//! all others beside it was taken from the wrong place. It looks at traced cells only, and at values, not at
//! what labels mean.

use std::collections::{BTreeMap, BTreeSet};

use super::context::Names;
use super::entry::{Class, Finding, Verdict};
use super::plain::Cell;

/// A cell that was traced to results.
pub(super) struct Traced {
    /// Where its entry stands.
    pub(super) entry: usize,
    pub(super) cell: Cell,
    /// The names of all results that it may show.
    pub(super) fits: Vec<Vec<String>>,
    /// Whether it is told in per cent.
    pub(super) percent: bool,
}

impl Traced {
    fn has(&self, depth: usize, name: &str) -> bool {
        let at = |names: &Vec<String>| names.get(depth).is_some_and(|known| known == name);
        self.fits.iter().any(at)
    }

    /// The names that it may have at a depth.
    fn at(&self, depth: usize) -> BTreeSet<&str> {
        let named = self.fits.iter().filter_map(|names| names.get(depth));
        // Places of curves, repetitions and means over them tell nothing of what a row is of.
        let plain = |name: &&String| {
            let place = super::positions::numbered(name).is_some();
            *name != "*" && !place && !super::repeated::numbered(name)
        };
        named.filter(plain).map(String::as_str).collect()
    }
}

/// Fewer cells say nothing of what they have in common.
const FEWEST: usize = 3;

/// Which cells belong together: those of a row, of a column, of a whole table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    Row,
    Column,
    Table,
}

type Group<'t> = (usize, Side, String);

/// The groups that a cell is in: by the whole label of its row or column, and by each part of it.
fn groups(cell: &Cell) -> BTreeSet<Group<'_>> {
    let mut out = BTreeSet::new();
    for (side, label) in [(Side::Row, &cell.rows), (Side::Column, &cell.columns)] {
        for text in std::iter::once(label.as_str()).chain(label.split(" / ")) {
            if !text.trim().is_empty() {
                out.insert((cell.table, side, text.trim().to_owned()));
            }
        }
    }
    out.insert((cell.table, Side::Table, cell.caption.clone()));
    out
}

/// The cells that come from elsewhere than the cells beside them, with what is wrong.
pub(super) fn strays(cells: &[Traced], names: &Names) -> Vec<(usize, Finding)> {
    let mut members: BTreeMap<Group<'_>, Vec<&Traced>> = BTreeMap::new();
    for traced in cells {
        for group in groups(&traced.cell) {
            members.entry(group).or_default().push(traced);
        }
    }
    let deepest = cells
        .iter()
        .flat_map(|traced| traced.fits.iter().map(Vec::len))
        .max()
        .unwrap_or(0);
    let mut out: BTreeMap<usize, Finding> = BTreeMap::new();
    for ((_, side, label), group) in &members {
        for depth in 0..deepest {
            let Some((name, most)) = common(group, depth, *side) else {
                continue;
            };
            for traced in group.iter().filter(|traced| !traced.has(depth, &name)) {
                // What the other side of the table tells apart is no stray: a column of losses among accuracies.
                let others = groups(&traced.cell);
                let elsewhere = others.iter().filter(|(_, other, _)| other != side);
                let told = elsewhere.filter_map(|group| common(&members[group], depth, group.1));
                let mut told = told.chain(nested(&members, &others, *side, label, depth));
                let own: Vec<&str> = traced.at(depth).into_iter().take(3).collect();
                let words = format!("{} / {}", traced.cell.rows, traced.cell.columns);
                let spoken = names.named(&words);
                let spoken = spoken.full.get(depth).filter(|full| !full.is_empty());
                let called = spoken.is_some_and(|full| own.iter().any(|name| full.contains(*name)));
                if own.is_empty() || called || told.any(|(known, _)| traced.has(depth, &known)) {
                    continue;
                }
                // A per cent among seconds is of another measure, and its sign says so.
                let measured = traced.fits.iter().any(|names| names.len() == depth + 1);
                let alike = |other: &&&Traced| other.percent && other.has(depth, &name);
                if measured && traced.percent && group.iter().find(alike).is_none() {
                    continue;
                }
                let why = format!(
                    "this value is of {}, but {most} of {} cells of `{label}` are of {name}",
                    own.join(", "),
                    group.len()
                );
                out.entry(traced.entry)
                    .or_insert_with(|| Finding::new(Class::Result, Verdict::Untraced, why));
            }
        }
    }
    out.into_iter().collect()
}

/// What other labels of the same side tell: `dino / KL` is a column of `KL` and of `dino`.
fn nested(
    members: &BTreeMap<Group<'_>, Vec<&Traced>>,
    groups: &BTreeSet<Group<'_>>,
    side: Side,
    label: &str,
    depth: usize,
) -> Vec<(String, usize)> {
    let same = groups
        .iter()
        .filter(|(_, other, text)| *other == side && text != label);
    same.filter_map(|group| common(&members[group], depth, side))
        .collect()
}

/// The name that nearly all cells of a group may have at a depth, with how many may.
fn common(group: &[&Traced], depth: usize, side: Side) -> Option<(String, usize)> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for name in group.iter().flat_map(|traced| traced.at(depth)) {
        *counts.entry(name).or_default() += 1;
    }
    let (name, most) = counts.into_iter().max_by_key(|(_, count)| *count)?;
    let needed = if group.len() == FEWEST {
        2
    } else {
        (group.len() * 3).div_ceil(4)
    };
    let fewest = if side == Side::Table {
        2 * FEWEST
    } else {
        FEWEST
    };
    (group.len() >= fewest && most >= needed).then(|| (name.to_owned(), most))
}
