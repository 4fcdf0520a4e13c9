//! What a run would do, without doing it: the same schedule, fed from the store alone.
//!
//! A call whose inputs are known is looked up: it is reused, or it would run. A call that reads
//! something that would run is compared, field by field, with what the last run recorded at its
//! address: if a field that is known differs, it would run; else it runs perhaps (early cut-off).

use std::collections::BTreeMap;

use kyobashi_cache::{Key, Kind, Record, Store};
use serde::Serialize;
use serde_json::Value;

use super::look;
use super::resources::Amounts;
use super::schedule::{Effect, Input, Schedule};
use super::settle::uses;
use crate::plan::key::{self, Machine, Recipe, Resolved, shown};
use crate::plan::{Blocked, NodeId, NodeKind, Settled, Sources};
use crate::spec::{CachePolicy, Place, Spec, StageId, Work};

/// What would become of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Prospect {
    Reused,
    Run,
    /// Unless what it reads turns out equal to last time.
    Perhaps,
    /// How many there are is known only later.
    Later,
    Frozen,
    Skipped,
}

/// One node of the plan.
#[derive(Clone, Debug, Serialize)]
pub struct Planned {
    pub address: String,
    pub uses: String,
    pub state: Prospect,
    /// Why it would not be reused.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub because: Vec<Change>,
    /// From the record that would be reused, or of the last time: wall seconds and US dollars.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usd: Option<f64>,
    pub place: Option<Place>,
}

/// One changed field.
#[derive(Clone, Debug, Serialize)]
pub struct Change {
    /// `with.lr`, `in.data`, `run`; or `new` when nothing was recorded at this address.
    pub field: String,
    #[serde(skip_serializing_if = "Value::is_null")]
    pub old: Value,
    #[serde(skip_serializing_if = "Value::is_null")]
    pub new: Value,
    /// Where the field is written.
    pub place: Option<Place>,
}

/// The key that was recorded at an address by the last run.
pub type Last = BTreeMap<String, Key>;

/// Plans a run.
///
/// # Errors
/// When the store cannot be read.
pub fn preview(
    spec: &Spec,
    sources: &Sources,
    store: &Store,
    machine: &Machine,
    last: &Last,
) -> Result<Vec<Planned>, kyobashi_cache::StoreError> {
    let nothing: Amounts = Amounts::new();
    let mut schedule = Schedule::new(spec, sources, nothing, Box::new(|_, _| 0));
    let mut planned = BTreeMap::new();
    while let Some(effect) = schedule.next_effect() {
        let Effect::Look(id) = effect else {
            if let Effect::Skipped(id, _) = effect {
                planned.insert(id, entry(&schedule, id, Prospect::Skipped));
            }
            continue;
        };
        let resolved = Resolved::of(&schedule.scope(id), schedule.stage(id), machine);
        let policy = schedule.stage(id).policy.cache;
        let found = match (resolved.key(), policy) {
            (_, CachePolicy::Frozen) => {
                let address = schedule.graph.address(spec, id);
                newest(store, &key::frozen(&spec.name, &address))?
            }
            (Ok((key, _)), CachePolicy::Auto) => store.peek(Kind::Stage, &key)?,
            _ => None,
        };
        if let Some(record) = found {
            let mut entry = entry(&schedule, id, Prospect::Reused);
            if policy == CachePolicy::Frozen {
                let old: Recipe = serde_json::from_str(&record.recipe).unwrap_or_default();
                let stage = schedule.stage(id).id;
                entry.because = changes(&resolved, &old, &|field| place(spec, stage, field));
                if !entry.because.is_empty() {
                    entry.state = Prospect::Frozen;
                }
            }
            (entry.seconds, entry.usd) = (Some(record.seconds), Some(record.usd));
            planned.insert(id, entry);
            match look::outputs(store, &record) {
                Ok(outputs) => schedule.feed(Input::Done(id, outputs.into())),
                Err(_) => schedule.feed(Input::Unknown(id)),
            }
            continue;
        }
        let mut entry = entry(&schedule, id, Prospect::Run);
        let before = match last.get(&entry.address) {
            Some(key) => newest(store, key)?,
            None => None,
        };
        explain(&mut entry, &schedule, id, &resolved, before.as_ref());
        planned.insert(id, entry);
        schedule.feed(Input::Unknown(id));
    }
    for id in schedule.graph.nodes.node_indices() {
        let node = schedule.graph.node(id);
        let unopened = matches!(
            node.kind,
            NodeKind::OpenFan { .. } | NodeKind::OpenGroup { .. }
        );
        if unopened && matches!(schedule.results[id.index()], Settled::Unknown) {
            planned.insert(id, entry(&schedule, id, Prospect::Later));
        }
    }
    Ok(planned.into_values().collect())
}

/// The newest record of a key, with its recipe.
fn newest(store: &Store, key: &Key) -> Result<Option<Record>, kyobashi_cache::StoreError> {
    Ok(store
        .history(Kind::Stage, key)?
        .into_iter()
        .next()
        .map(|entry| entry.record))
}

fn entry(schedule: &Schedule<'_>, id: NodeId, state: Prospect) -> Planned {
    let stage = schedule.stage(id);
    Planned {
        address: schedule.graph.address(schedule.spec, id),
        uses: uses(&stage.work),
        state,
        because: Vec::new(),
        seconds: None,
        usd: None,
        place: schedule.spec.places.stages.get(stage.id.index()).cloned(),
    }
}

fn explain(
    entry: &mut Planned,
    schedule: &Schedule<'_>,
    id: NodeId,
    resolved: &Resolved,
    before: Option<&Record>,
) {
    let stage = schedule.stage(id).id;
    let place = |field: &str| place(schedule.spec, stage, field);
    let unknown = || {
        let blocked = resolved
            .fields
            .iter()
            .filter(|field| matches!(field.value, Err(Blocked::Unknown)));
        blocked.map(|field| field.path.clone()).collect::<Vec<_>>()
    };
    let Some(before) = before else {
        entry.because.push(Change {
            field: "new".to_owned(),
            old: Value::Null,
            new: Value::Null,
            place: entry.place.clone(),
        });
        return;
    };
    (entry.seconds, entry.usd) = (Some(before.seconds), Some(before.usd));
    let old: Recipe = serde_json::from_str(&before.recipe).unwrap_or_default();
    entry.because = changes(resolved, &old, &place);
    if entry.because.is_empty() {
        let waits = unknown();
        entry.state = if waits.is_empty() {
            Prospect::Run
        } else {
            Prospect::Perhaps
        };
        for field in waits {
            let place = place(&field);
            let old = old.get(&field).cloned().unwrap_or_default();
            entry.because.push(Change {
                field,
                old,
                new: Value::Null,
                place,
            });
        }
    }
}

/// The fields that are known and differ from a recipe.
fn changes(
    resolved: &Resolved,
    old: &Recipe,
    place: &dyn Fn(&str) -> Option<Place>,
) -> Vec<Change> {
    let mut changes = Vec::new();
    for field in &resolved.fields {
        let before = old.get(&field.path).cloned().unwrap_or_default();
        if let Ok(artifact) = &field.value {
            let now = shown(artifact, artifact.digest());
            if now != before {
                let place = place(&field.path);
                changes.push(Change {
                    field: field.path.clone(),
                    old: before,
                    new: now,
                    place,
                });
            }
        }
    }
    for (path, before) in old {
        if !resolved.fields.iter().any(|field| field.path == *path) {
            let place = place(path);
            changes.push(Change {
                field: path.clone(),
                old: before.clone(),
                new: Value::Null,
                place,
            });
        }
    }
    changes
}

/// Where a field of a stage is written: a reference to a parameter or model leads on to it.
fn place(spec: &Spec, stage: StageId, field: &str) -> Option<Place> {
    let own = spec.places.parts.get(&(stage, field.to_owned()));
    if let Some(name) = named(spec, stage, field)
        && let Some(place) = spec.places.names.get(&name)
    {
        return Some(place.clone());
    }
    own.or_else(|| spec.places.stages.get(stage.index()))
        .cloned()
}

/// The parameter or model that a field is a plain reference to.
fn named(spec: &Spec, stage: StageId, field: &str) -> Option<String> {
    use crate::spec::{Expression, Root, Template};
    let template = match (&spec.stage(stage).work, field.split_once('.')) {
        (Work::Uses { model, .. }, None) if field == "model" => model.as_ref()?,
        (Work::Uses { ins, with, .. } | Work::Run { ins, with, .. }, Some((group, name))) => {
            let bindings = if group == "in" { ins } else { with };
            &bindings.iter().find(|binding| binding.name == name)?.value
        }
        _ => return None,
    };
    match template {
        Template::Expression(Expression::Reference(reference)) => match &reference.root {
            Root::Param(name) => Some(format!("params.{name}")),
            Root::Model(name) => Some(format!("models.{name}")),
            _ => None,
        },
        _ => None,
    }
}
