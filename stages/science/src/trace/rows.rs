//! Rows of a table that belong to one run: a cell whose value comes from another run than all others of
//! its row was taken from the wrong place. It looks at traced cells only.

use std::collections::BTreeMap;

use super::context::Names;
use super::entry::{Class, Finding, Verdict};
use super::plain::Cell;

/// A cell that was traced to results.
pub(super) struct Traced {
    /// Where its entry stands.
    pub(super) entry: usize,
    pub(super) cell: Cell,
    /// The runs that have this value there.
    pub(super) runs: Vec<String>,
}

/// Fewer cells say nothing of their run.
const FEWEST: usize = 3;

/// The cells that come from another run than the cells beside them, with what is wrong.
pub(super) fn strays(cells: &[Traced], names: &Names) -> Vec<(usize, Finding)> {
    let mut groups: BTreeMap<(usize, u8, String), Vec<&Traced>> = BTreeMap::new();
    for traced in cells {
        let rows = label(&traced.cell.rows, names);
        let columns = label(&traced.cell.columns, names);
        // Where neither rows nor columns tell runs apart, the caption names the one that is shown.
        let (kind, name) = match (rows.is_empty(), columns.is_empty()) {
            (false, _) => (0, rows),
            (true, false) => (1, columns),
            (true, true) => (2, traced.cell.caption.clone()),
        };
        if !name.is_empty() {
            groups
                .entry((traced.cell.table, kind, name))
                .or_default()
                .push(traced);
        }
    }
    let mut out = Vec::new();
    for ((_, kind, name), group) in groups {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for run in group.iter().flat_map(|traced| &traced.runs) {
            *counts.entry(run).or_default() += 1;
        }
        let Some((run, most)) = counts.into_iter().max_by_key(|(_, count)| *count) else {
            continue;
        };
        let needed = if group.len() == FEWEST {
            2
        } else {
            (group.len() * 3).div_ceil(4)
        };
        if group.len() < FEWEST * (1 + usize::from(kind == 2)) || most < needed {
            continue;
        }
        for traced in group.iter().filter(|traced| {
            !traced.runs.is_empty() && !traced.runs.iter().any(|known| known == run)
        }) {
            let why = format!(
                "this value is of {}, but {most} of {} cells of `{name}` are of {run}",
                traced.runs.join(", "),
                group.len()
            );
            out.push((
                traced.entry,
                Finding::new(Class::Result, Verdict::Untraced, why),
            ));
        }
    }
    out
}

/// The parts of a label that name no data set and no metric.
fn label(text: &str, names: &Names) -> String {
    let parts = text
        .split(" / ")
        .filter(|part| !part.trim().is_empty() && !names.tells(part));
    parts.collect::<Vec<_>>().join(" / ")
}
