//! Knows again what a matrix gathered. A recipe holds a grid by its digest alone; the stage runs whose
//! outputs are its cells are found by putting grids together from the addresses until the digest is met.
//! What is not met is left unsaid: a maker is never guessed.

use std::collections::BTreeMap;
use std::sync::Arc;

use kyobashi_cache::Digest;
use kyobashi_engine::artifact::{Artifact, FileArtifact, Grid, GridCell};
use kyobashi_engine::run::Finished;
use serde_json::Value;

use crate::makers::Made;

type At = BTreeMap<String, Value>;
/// Coordinates, digest, and address with the output's name.
type Cell = (At, Digest, String);

/// Outputs of one name, of stage runs whose addresses differ in one pair of brackets.
struct Family {
    axes: Vec<String>,
    /// In the order in which they ended.
    cells: Vec<Cell>,
}

/// Every family of a run.
pub(crate) struct Families(Vec<Family>);

/// Axes of at most so many values are tried in every order.
const TRIED: usize = 4;

impl Families {
    pub(crate) fn of(finished: &[Finished]) -> Self {
        let mut found: BTreeMap<(String, String), Family> = BTreeMap::new();
        for one in finished {
            for (open, _) in one.address.match_indices('[') {
                let Some(close) = one.address[open..].find(']').map(|at| open + at) else {
                    continue;
                };
                let Some((axes, at)) = coordinates(&one.address[open + 1..close]) else {
                    continue;
                };
                let skeleton = format!("{}[]{}", &one.address[..open], &one.address[close + 1..]);
                for (name, digest) in &one.outputs {
                    let family = found
                        .entry((skeleton.clone(), name.clone()))
                        .or_insert_with(|| Family {
                            axes: axes.clone(),
                            cells: Vec::new(),
                        });
                    if family.axes == axes {
                        let maker = format!("{}.{name}", one.address);
                        family.cells.push((at.clone(), *digest, maker));
                    }
                }
            }
        }
        Self(found.into_values().collect())
    }

    /// The cells of a grid with their makers, in its order.
    pub(crate) fn makers(&self, grid: &Digest, members: usize) -> Option<Vec<Made>> {
        let likely = self.0.iter().filter(|family| family.cells.len() == members);
        likely.into_iter().find_map(|family| family.met(grid))
    }
}

impl Family {
    fn met(&self, grid: &Digest) -> Option<Vec<Made>> {
        let orders: Vec<Vec<Vec<Value>>> = self.axes.iter().map(|axis| self.orders(axis)).collect();
        let mut pick = vec![0; orders.len()];
        loop {
            let axes: Vec<&[Value]> = pick
                .iter()
                .zip(&orders)
                .map(|(at, orders)| orders[*at].as_slice())
                .collect();
            if let Some(cells) = self.ordered(&axes)
                && KINDS.iter().any(|kind| self.digest(&cells, *kind) == *grid)
            {
                return Some(cells.iter().map(|cell| (cell.1, cell.2.clone())).collect());
            }
            // The next choice of orders, as a counter with one wheel for each axis.
            let wheel = (0..pick.len())
                .rev()
                .find(|at| pick[*at] + 1 < orders[*at].len())?;
            pick[wheel] += 1;
            pick[wheel + 1..].fill(0);
        }
    }

    /// Orders in which an axis may have run through its values.
    fn orders(&self, axis: &str) -> Vec<Vec<Value>> {
        let mut values: Vec<Value> = Vec::new();
        for (at, ..) in &self.cells {
            if !values.contains(&at[axis]) {
                values.push(at[axis].clone());
            }
        }
        if values.len() <= TRIED {
            return permutations(&values);
        }
        let mut sorted = values.clone();
        sorted.sort_by(|a, b| match (a.as_f64(), b.as_f64()) {
            (Some(a), Some(b)) => a.total_cmp(&b),
            _ => a.to_string().cmp(&b.to_string()),
        });
        vec![sorted, values]
    }

    /// The cells in the order of the product of the axes, the last running fastest.
    fn ordered(&self, axes: &[&[Value]]) -> Option<Vec<&Cell>> {
        let places = |at: &At| -> Option<Vec<usize>> {
            let axes = self.axes.iter().zip(axes);
            axes.map(|(axis, values)| values.iter().position(|value| *value == at[axis]))
                .collect()
        };
        let mut cells: Vec<(Vec<usize>, &Cell)> = self
            .cells
            .iter()
            .map(|cell| Some((places(&cell.0)?, cell)))
            .collect::<Option<_>>()?;
        cells.sort_by(|a, b| a.0.cmp(&b.0));
        Some(cells.into_iter().map(|(_, cell)| cell).collect())
    }

    fn digest(&self, cells: &[&Cell], kind: fn(Digest) -> Artifact) -> Digest {
        let cells = cells.iter().map(|(at, digest, _)| GridCell {
            at: Arc::new(at.clone()),
            artifact: kind(*digest),
        });
        let grid = Grid {
            axes: self.axes.clone(),
            cells: cells.collect(),
        };
        Artifact::Grid(Arc::new(grid)).digest()
    }
}

/// What the cells may be: values or files. A value by its digest alone is told apart from a file.
const KINDS: [fn(Digest) -> Artifact; 2] = [Artifact::Large, |digest| {
    Artifact::File(FileArtifact {
        digest,
        size: 0,
        origin: None,
    })
}];

/// `dataset=circle,seed=0` as axes in order and values.
fn coordinates(text: &str) -> Option<(Vec<String>, At)> {
    let mut axes = Vec::new();
    let mut at = At::new();
    for part in text.split(',') {
        let (axis, value) = part.split_once('=')?;
        let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value));
        axes.push(axis.to_owned());
        at.insert(axis.to_owned(), value);
    }
    Some((axes, at))
}

fn permutations(values: &[Value]) -> Vec<Vec<Value>> {
    if values.len() <= 1 {
        return vec![values.to_vec()];
    }
    let mut out = Vec::new();
    for first in 0..values.len() {
        let mut rest = values.to_vec();
        let head = rest.remove(first);
        for mut tail in permutations(&rest) {
            tail.insert(0, head.clone());
            out.push(tail);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_is_known_by_its_digest_in_whatever_order_its_cells_ended() {
        let digest = |word: &str| Digest::of(word.as_bytes());
        let cell = |set: &str, seed: u64| {
            let text = format!("set={set},seed={seed}");
            let (_, at) = coordinates(&text).unwrap();
            (at, digest(&text), format!("train[{text}].metrics"))
        };
        let axes = vec!["set".to_owned(), "seed".to_owned()];
        let truth: Vec<_> = ["b", "a"]
            .iter()
            .flat_map(|set| [cell(set, 0), cell(set, 1)])
            .collect();
        let cells = truth.iter().map(|(at, digest, _)| GridCell {
            at: Arc::new(at.clone()),
            artifact: Artifact::Large(*digest),
        });
        let grid = Artifact::Grid(Arc::new(Grid {
            axes: axes.clone(),
            cells: cells.collect(),
        }));
        let mut ended = truth.clone();
        ended.reverse();
        let family = Family { axes, cells: ended };
        let made: Vec<Made> = truth.into_iter().map(|cell| (cell.1, cell.2)).collect();
        assert_eq!(family.met(&grid.digest()), Some(made));
        assert_eq!(family.met(&digest("another")), None);
    }
}
