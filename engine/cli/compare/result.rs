//! What came of two runs: stage runs by address, and the pipeline's outputs by name.

use std::collections::{BTreeMap, BTreeSet};

use kyobashi_cache::Store;
use kyobashi_engine::artifact::{Artifact, Artifacts};
use kyobashi_engine::run::{FinalState, Finished};
use serde::Serialize;
use serde_json::Value;

use super::value::leaves;
use super::{Change, Leaf, Meanings, Unchanged};
use crate::exit::Stopped;
use crate::history::{self, Told};

/// What became of a stage run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum What {
    /// Its outputs differ.
    Changed,
    /// It ended in another way: well, failed, skipped.
    Ended,
    /// Only the old run has it.
    Gone,
    /// Only the new run has it.
    New,
}

/// A stage run that differs.
#[derive(Serialize)]
pub(crate) struct StageChange {
    pub(crate) address: String,
    pub(crate) uses: String,
    pub(crate) what: What,
    pub(crate) old: Option<FinalState>,
    pub(crate) new: Option<FinalState>,
    /// The first line of the failure, if one of them failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) failure: Option<String>,
    /// Parts of the recipe that differ; none where the same call came out differently.
    pub(crate) because: Vec<Change>,
    pub(crate) outputs: Vec<Made>,
}

/// An output that differs.
#[derive(Serialize)]
pub(crate) struct Made {
    pub(crate) name: String,
    pub(crate) differs: Vec<Leaf>,
}

pub(super) fn stages(
    store: &Store,
    old: &Told,
    new: &Told,
    meanings: &Meanings,
    unchanged: &mut Unchanged,
) -> Result<Vec<StageChange>, Stopped> {
    let (a, b) = (by_address(old), by_address(new));
    let addresses: BTreeSet<_> = a.keys().chain(b.keys()).copied().collect();
    let mut found = Vec::new();
    for address in addresses {
        let (old, new) = (a.get(address).copied(), b.get(address).copied());
        let what = match (old, new) {
            (Some(old), Some(new)) => match different(old, new) {
                Some(what) => what,
                None => {
                    unchanged.stages += 1;
                    unchanged.cut_off += u64::from(well(old) && old.key != new.key);
                    continue;
                }
            },
            (None, _) => What::New,
            (_, None) => What::Gone,
        };
        let Some(one) = new.or(old) else { continue };
        let failure = [new, old].into_iter().flatten();
        let failure = failure.filter_map(|one| one.failure.as_ref());
        let failure = failure
            .filter_map(|failure| failure.message.lines().next())
            .next();
        let mut change = StageChange {
            address: address.to_owned(),
            uses: one.uses.clone(),
            what,
            old: old.map(|one| one.state),
            new: new.map(|one| one.state),
            failure: failure.map(str::to_owned),
            because: Vec::new(),
            outputs: Vec::new(),
        };
        if let (What::Changed, Some(old), Some(new)) = (what, old, new) {
            let (old, new) = (Kept::of(store, old)?, Kept::of(store, new)?);
            change.because = because(&old.recipe, &new.recipe);
            change.outputs = made(store, &old.outputs, &new.outputs, meanings, &mut 0);
        }
        found.push(change);
    }
    Ok(found)
}

pub(super) fn outputs(
    store: &Store,
    old: &Told,
    new: &Told,
    meanings: &Meanings,
    same: &mut u64,
) -> Vec<Made> {
    let of = |told: &Told| told.artifacts(store).unwrap_or_default();
    made(store, &of(old), &of(new), meanings, same)
}

fn by_address(told: &Told) -> BTreeMap<&str, &Finished> {
    let finished = told.finished.iter();
    finished.map(|one| (one.address.as_str(), one)).collect()
}

fn well(one: &Finished) -> bool {
    matches!(one.state, FinalState::Ran | FinalState::Reused)
}

fn different(old: &Finished, new: &Finished) -> Option<What> {
    match (well(old), well(new)) {
        (true, true) => (old.outputs != new.outputs).then_some(What::Changed),
        (false, false) if old.state == new.state && old.failure == new.failure => None,
        _ => Some(What::Ended),
    }
}

/// What the store has of a stage run; empty where it is gone.
#[derive(Default)]
struct Kept {
    outputs: Artifacts,
    recipe: BTreeMap<String, Value>,
}

impl Kept {
    fn of(store: &Store, one: &Finished) -> Result<Self, Stopped> {
        let record = history::record(store, one)?;
        Ok(record.map_or_else(Self::default, |record| Self {
            outputs: serde_json::from_str(&record.outputs).unwrap_or_default(),
            recipe: serde_json::from_str(&record.recipe).unwrap_or_default(),
        }))
    }
}

fn because(old: &BTreeMap<String, Value>, new: &BTreeMap<String, Value>) -> Vec<Change> {
    let fields: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    let differing = fields
        .into_iter()
        .filter(|field| old.get(*field) != new.get(*field));
    differing
        .map(|field| Change {
            name: field.clone(),
            old: old.get(field).cloned().unwrap_or_default(),
            new: new.get(field).cloned().unwrap_or_default(),
        })
        .collect()
}

fn made(
    store: &Store,
    old: &Artifacts,
    new: &Artifacts,
    meanings: &Meanings,
    same: &mut u64,
) -> Vec<Made> {
    let names: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    let mut found = Vec::new();
    for name in names {
        let (old, new) = (old.get(name), new.get(name));
        if old.map(Artifact::digest) == new.map(Artifact::digest) {
            *same += 1;
            continue;
        }
        let differs = leaves(store, old, new, meanings);
        found.push(Made {
            name: name.clone(),
            differs,
        });
    }
    found
}
