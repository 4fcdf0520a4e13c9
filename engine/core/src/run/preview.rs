//! What a run would do, without doing it: the same schedule, fed from the store alone.
//!
//! A call whose inputs are known is looked up: it is reused, or it would run. A call that reads
//! something that would run is compared, field by field, with what the last run recorded at its
//! address: if a field that is known differs, it would run; else it runs perhaps (early cut-off).

use std::collections::BTreeMap;
use std::sync::Arc;

use kyobashi_cache::{Key, Kind, Record, Store};
use serde::Serialize;
use serde_json::Value;

use super::estimate::{Estimate, Estimator};
pub use super::reason::Change;
use super::reason::{Writer, changes, explain, fields, recipe, told};
use super::settle::uses;
use super::{Effect, Input, Schedule};
use super::{generation, look};
use crate::plan::key::{self, Machine};
use crate::plan::{NodeId, NodeKind, Settled, Sources};
use crate::spec::{CachePolicy, Fan, Place, Spec, Template};

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
    /// The stage, without the marks of its instances: `study/first/reviewer`.
    pub stage: String,
    pub uses: String,
    pub state: Prospect,
    /// Why it would not be reused.
    pub because: Vec<Change>,
    /// Every field of its key, then and now; only of the node that was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Change>,
    /// From the record that would be reused, or of the last time: wall seconds and US dollars.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usd: Option<f64>,
    /// Model calls that it would make first, as far as they are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calls: Option<Estimate>,
    pub place: Option<Place>,
}

/// The key that was recorded at an address by the last run.
pub type Last = BTreeMap<String, Key>;

/// What a plan says beyond the fate of every node.
#[derive(Clone, Copy, Default)]
pub struct Detail<'d> {
    /// The address of a node of which every field of the key is told.
    pub address: Option<&'d str>,
    /// Estimates the calls of stage runs whose inputs are known.
    pub estimator: Option<&'d Estimator<'d>>,
}

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
    detail: &Detail<'_>,
) -> Result<Vec<Planned>, kyobashi_cache::StoreError> {
    let mut schedule = Schedule::new(spec, sources, Box::new(|_, _| 0), None);
    let mut planned = BTreeMap::new();
    while let Some(effect) = schedule.next_effect() {
        let id = match effect {
            Effect::Look(id) => id,
            Effect::Skipped(id, cause) => {
                planned.insert(id, skipped(&schedule, id, cause));
                continue;
            }
            Effect::Broken(id, problem) => {
                let mut entry = entry(&schedule, id, Prospect::Run);
                let place = entry.place.clone();
                entry.because.push(told("problem", problem.into(), place));
                planned.insert(id, entry);
                continue;
            }
            _ => continue,
        };
        let resolved = generation::resolved(&schedule, id, machine);
        let policy = schedule.stage(id).policy.cache;
        let found = match (resolved.key(), policy) {
            (_, CachePolicy::Frozen) => {
                let address = schedule.graph.address(spec, id);
                newest(store, &key::frozen(&spec.name, &address))?.map(Arc::new)
            }
            (Ok(key), CachePolicy::Auto) => store.peek(Kind::Stage, &key)?,
            _ => None,
        };
        let mut entry = entry(&schedule, id, Prospect::Reused);
        let writer = Writer::of(&schedule, id);
        let detailed = detail.address == Some(entry.address.as_str());
        if let Some(record) = found {
            if policy == CachePolicy::Frozen {
                entry.because = changes(&resolved, &recipe(&record), &writer);
                if !entry.because.is_empty() {
                    entry.state = Prospect::Frozen;
                }
            }
            if detailed {
                // What is looked up by the thousand comes without its recipe.
                let whole = match resolved.key() {
                    Ok(key) if policy == CachePolicy::Auto => newest(store, &key)?,
                    _ => None,
                };
                entry.fields = fields(
                    &resolved,
                    &recipe(whole.as_ref().unwrap_or(&record)),
                    &writer,
                );
            }
            (entry.seconds, entry.usd) = (Some(record.seconds), Some(record.usd));
            planned.insert(id, entry);
            match look::outputs(store, &record) {
                Ok(outputs) => schedule.feed(Input::Done(id, outputs.into())),
                Err(_) => schedule.feed(Input::Unknown(id)),
            }
            continue;
        }
        entry.state = Prospect::Run;
        let before = match last.get(&entry.address) {
            Some(key) => newest(store, key)?,
            None => None,
        };
        let old = before.as_ref().map(recipe);
        if let Some(before) = &before {
            (entry.seconds, entry.usd) = (Some(before.seconds), Some(before.usd));
        }
        let (because, certain) = explain(schedule.stage(id), &resolved, old.as_ref(), &writer);
        entry.because = because;
        if !certain {
            entry.state = Prospect::Perhaps;
        }
        if detailed {
            entry.fields = fields(&resolved, &old.unwrap_or_default(), &writer);
        }
        if let (Some(estimator), Ok(_)) = (detail.estimator, resolved.key()) {
            entry.calls = estimator.estimate(schedule.stage(id), &resolved);
        }
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
            planned.insert(id, later(&schedule, id));
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
        stage: stage.path.clone(),
        uses: uses(&stage.work),
        state,
        because: Vec::new(),
        fields: Vec::new(),
        seconds: None,
        usd: None,
        calls: None,
        place: schedule.spec.places.stages.get(stage.id.index()).cloned(),
    }
}

/// A node that would not run: by its `when`, or because of what lies before it.
fn skipped(schedule: &Schedule<'_>, id: NodeId, cause: Option<String>) -> Planned {
    let mut entry = entry(schedule, id, Prospect::Skipped);
    let stage = schedule.stage(id);
    let because = match (cause, &stage.when) {
        (Some(address), _) => told("upstream", address.into(), None),
        (None, Some(when)) => {
            let text = format!("${{{}}}", schedule.spec.expression(when));
            told("when", text.into(), Writer::of(schedule, id).own("when"))
        }
        (None, None) => told("upstream", Value::Null, None),
    };
    entry.because.push(because);
    entry
}

/// A fan-out or group that cannot be opened yet, with what its size hangs on.
fn later(schedule: &Schedule<'_>, id: NodeId) -> Planned {
    let mut entry = entry(schedule, id, Prospect::Later);
    let (spec, stage) = (schedule.spec, schedule.stage(id));
    let fan = match &*stage.fan {
        Fan::Foreach { list, .. } => Some(("foreach", spec.expression(list))),
        Fan::Matrix { axes, .. } => {
            let unknown = axes
                .iter()
                .find(|axis| !matches!(axis.values, Template::Literal(_)));
            unknown.map(|axis| ("matrix", spec.said(&axis.values)))
        }
        Fan::Repeat { max, .. } => Some(("repeat", spec.said(max))),
        Fan::Once => None,
    };
    let when = || {
        stage
            .when
            .as_ref()
            .map(|when| ("when", spec.expression(when)))
    };
    if let Some((field, text)) = fan.or_else(when) {
        let text = text.trim_start_matches("${").trim_end_matches('}');
        let place = Writer::of(schedule, id).own(field);
        entry
            .because
            .push(told(field, format!("${{{text}}}").into(), place));
    }
    entry
}
