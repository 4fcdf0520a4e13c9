//! Two artifacts leaf by leaf: numbers with their change, means with their intervals, files with their
//! sizes and lines.

use std::collections::{BTreeMap, BTreeSet};

use kyobashi_cache::Store;
use kyobashi_engine::artifact::Artifact;
use kyobashi_science::stats::Estimate;
use serde::Serialize;
use serde_json::{Value, json};

use super::Meanings;
use super::spec::Lines;

/// Files larger than this (bytes) are compared by digest and size alone.
const READABLE: u64 = 1 << 20;

/// One place at which two values differ; null on the side where there is nothing.
#[derive(Serialize)]
pub(crate) struct Leaf {
    /// Empty for the whole: `[lr=0.1,seed=0].eval_loss`.
    pub(crate) path: String,
    pub(crate) old: Value,
    pub(crate) new: Value,
    /// New less old, of two numbers or of two means.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) change: Option<f64>,
    /// The change as a share of the old number's magnitude.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) relative: Option<f64>,
    /// As the pipeline declares it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unit: Option<String>,
    /// Whether the change is the wanted one, where the pipeline declares a direction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) better: Option<bool>,
    /// Lines added and removed, of two texts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) lines: Option<[u64; 2]>,
}

/// The places at which two artifacts differ.
pub(super) fn leaves(
    store: &Store,
    old: Option<&Artifact>,
    new: Option<&Artifact>,
    meanings: &Meanings,
) -> Vec<Leaf> {
    let mut flat: [BTreeMap<String, Piece>; 2] = Default::default();
    for (artifact, flat) in [old, new].into_iter().zip(&mut flat) {
        if let Some(artifact) = artifact {
            flatten(store, String::new(), artifact, flat);
        }
    }
    let paths: BTreeSet<&String> = flat.iter().flat_map(BTreeMap::keys).collect();
    let pairs = paths.into_iter().filter_map(|path| {
        let [old, new] = [flat[0].get(path), flat[1].get(path)];
        (old != new).then(|| leaf(store, path, old, new, meanings))
    });
    pairs.collect()
}

/// A leaf of an artifact.
#[derive(Clone, PartialEq)]
enum Piece {
    Value(Value),
    File(kyobashi_cache::Digest, u64, &'static str),
}

fn flatten(store: &Store, path: String, artifact: &Artifact, into: &mut BTreeMap<String, Piece>) {
    match artifact {
        Artifact::Value(value) => spread(path, value, into),
        Artifact::Large(digest) => {
            let value = store.read(digest).ok();
            match value.and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok()) {
                Some(value) => spread(path, &value, into),
                None => drop(into.insert(path, Piece::File(*digest, 0, "value"))),
            }
        }
        Artifact::File(file) | Artifact::Dir(file) => {
            let piece = Piece::File(file.digest, file.size, artifact.kind());
            into.insert(path, piece);
        }
        Artifact::List(items) => {
            for (index, item) in items.iter().enumerate() {
                flatten(store, format!("{path}[{index}]"), item, into);
            }
        }
        Artifact::Grid(grid) => {
            for cell in &grid.cells {
                let at = cell.at.iter().map(|(axis, value)| match value {
                    Value::String(text) => format!("{axis}={text}"),
                    other => format!("{axis}={other}"),
                });
                let at = at.collect::<Vec<_>>().join(",");
                flatten(store, format!("{path}[{at}]"), &cell.artifact, into);
            }
        }
        Artifact::Absent => drop(into.insert(path, Piece::Value(Value::Null))),
    }
}

fn spread(path: String, value: &Value, into: &mut BTreeMap<String, Piece>) {
    match value {
        Value::Object(map) if !map.is_empty() && estimate(value).is_none() => {
            for (name, value) in map {
                let dot = if path.is_empty() { "" } else { "." };
                spread(format!("{path}{dot}{name}"), value, into);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (index, item) in items.iter().enumerate() {
                spread(format!("{path}[{index}]"), item, into);
            }
        }
        leaf => drop(into.insert(path, Piece::Value(leaf.clone()))),
    }
}

/// A mean as `stats/aggregate` makes it.
pub(crate) fn estimate(value: &Value) -> Option<Estimate> {
    serde_json::from_value(value.clone()).ok()
}

fn leaf(
    store: &Store,
    path: &str,
    old: Option<&Piece>,
    new: Option<&Piece>,
    meanings: &Meanings,
) -> Leaf {
    let value = |piece: Option<&Piece>| match piece {
        None => Value::Null,
        Some(Piece::Value(value)) => value.clone(),
        Some(Piece::File(digest, size, kind)) => json!({ *kind: digest, "bytes": size }),
    };
    let number = |piece: Option<&Piece>| match piece {
        Some(Piece::Value(value)) => value.as_f64().or_else(|| Some(estimate(value)?.mean)),
        _ => None,
    };
    let numbers = number(old).zip(number(new));
    let change = numbers.map(|(old, new)| new - old);
    let relative = numbers
        .filter(|(old, _)| *old != 0.0)
        .map(|(old, new)| (new - old) / old.abs());
    let meaning = meanings.of_path(path).filter(|_| numbers.is_some());
    let lines = match (old, new) {
        (Some(Piece::File(a, m, "file")), Some(Piece::File(b, n, "file")))
            if *m.max(n) <= READABLE =>
        {
            let text = |digest| String::from_utf8(store.read(digest).ok()?).ok();
            text(a).zip(text(b)).map(|(a, b)| Lines::of(&a, &b))
        }
        _ => None,
    };
    Leaf {
        path: path.to_owned(),
        old: value(old),
        new: value(new),
        change,
        relative,
        unit: meaning
            .map(|meaning| meaning.unit.clone())
            .filter(|unit| !unit.is_empty()),
        better: meaning
            .and_then(|meaning| meaning.lower)
            .zip(change.filter(|change| *change != 0.0))
            .map(|(lower, change)| lower == (change < 0.0)),
        lines: lines.map(|lines| [lines.added, lines.removed]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_stay_whole_and_other_values_are_spread() {
        let value = json!({
            "rows": [{"at": "x", "kl": {"mean": 0.5, "ci": [0.4, 0.6], "level": 0.95, "n": 3, "stderr": 0.02}}],
            "empty": {},
        });
        let mut flat = BTreeMap::new();
        spread(String::new(), &value, &mut flat);
        let paths: Vec<_> = flat.keys().map(String::as_str).collect();
        assert_eq!(paths, ["empty", "rows[0].at", "rows[0].kl"]);
        let mean = estimate(&value["rows"][0]["kl"]).unwrap();
        assert_eq!((mean.mean, mean.ci, mean.n), (0.5, Some([0.4, 0.6]), 3));
    }
}
