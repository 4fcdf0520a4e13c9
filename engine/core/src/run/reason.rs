//! Why a node would run: its key, field by field, then and now, with the place where each is written.

use kyobashi_cache::Record;
use serde::Serialize;
use serde_json::Value;

use super::schedule::Schedule;
use crate::plan::key::{Recipe, Resolved, shown};
use crate::plan::{Blocked, NodeId};
use crate::spec::{CachePolicy, Expression, Place, Root, Spec, Stage, StageId, Template, Work};

/// One field, then and now.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// `with.lr`, `in.data`, `run`; `new` when nothing was recorded at this address; `when`, `foreach`,
    /// `matrix` or `repeat` where these decide; `upstream` where a failure before it does.
    pub field: String,
    /// What the field is a plain reference to, where that can be set: `params.lr`, `models.reviewer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Value::is_null")]
    pub old: Value,
    #[serde(skip_serializing_if = "Value::is_null")]
    pub new: Value,
    /// Where the field is written.
    pub place: Option<Place>,
}

/// A reason that is no field of the key.
pub(super) fn told(field: &str, new: Value, place: Option<Place>) -> Change {
    Change {
        field: field.to_owned(),
        name: None,
        old: Value::Null,
        new,
        place,
    }
}

/// What a record was made from.
pub(super) fn recipe(record: &Record) -> Recipe {
    serde_json::from_str(&record.recipe).unwrap_or_default()
}

/// Why a call would run, and whether that is certain or hangs on what it reads.
pub(super) fn explain(
    stage: &Stage,
    resolved: &Resolved,
    old: Option<&Recipe>,
    writer: &Writer<'_>,
) -> (Vec<Change>, bool) {
    if stage.policy.cache == CachePolicy::Never {
        return (
            vec![told("cache", "never".into(), writer.own("cache"))],
            true,
        );
    }
    let Some(old) = old else {
        return (vec![told("new", Value::Null, writer.own("new"))], true);
    };
    let known = changes(resolved, old, writer);
    if !known.is_empty() {
        return (known, true);
    }
    let waits = resolved
        .fields
        .iter()
        .filter(|field| matches!(field.value, Err(Blocked::Unknown)));
    let before = |path: &str| old.get(path).cloned().unwrap_or_default();
    let hangs: Vec<_> = waits
        .map(|field| writer.change(&field.path, before(&field.path), Value::Null))
        .collect();
    let certain = hangs.is_empty();
    (hangs, certain)
}

/// The fields that are known and differ from a recipe.
pub(super) fn changes(resolved: &Resolved, old: &Recipe, writer: &Writer<'_>) -> Vec<Change> {
    let unknown = |path: &str| {
        let field = resolved.fields.iter().find(|field| field.path == path);
        field.is_some_and(|field| field.value.is_err())
    };
    fields(resolved, old, writer)
        .into_iter()
        .filter(|change| change.old != change.new && !unknown(&change.field))
        .collect()
}

/// Every field, as a recipe has it and as it is now; what is not known yet is null.
pub(super) fn fields(resolved: &Resolved, old: &Recipe, writer: &Writer<'_>) -> Vec<Change> {
    let mut fields = Vec::new();
    for field in &resolved.fields {
        let before = old.get(&*field.path).cloned().unwrap_or_default();
        let now = match &field.value {
            Ok(artifact) => shown(artifact, artifact.digest()),
            Err(_) => Value::Null,
        };
        fields.push(writer.change(&field.path, before, now));
    }
    for (path, before) in old {
        if !resolved.fields.iter().any(|field| field.path == *path) {
            fields.push(writer.change(path, before.clone(), Value::Null));
        }
    }
    fields
}

/// Knows where the fields of a stage are written.
pub(super) struct Writer<'a> {
    spec: &'a Spec,
    stage: StageId,
}

impl<'a> Writer<'a> {
    pub(super) fn of(schedule: &Schedule<'a>, id: NodeId) -> Self {
        Self {
            spec: schedule.spec,
            stage: schedule.stage(id).id,
        }
    }

    fn change(&self, field: &str, old: Value, new: Value) -> Change {
        let name = named(self.spec, self.stage, field);
        let names = &self.spec.places.names;
        let place = name.as_ref().and_then(|name| names.get(name).cloned());
        Change {
            field: field.to_owned(),
            place: place.or_else(|| self.own(field)),
            name,
            old,
            new,
        }
    }

    /// The place of a part of the stage itself, or of the stage.
    pub(super) fn own(&self, part: &str) -> Option<Place> {
        let places = &self.spec.places;
        let part = places.parts.get(self.stage, part);
        part.or_else(|| places.stages.get(self.stage.index()))
            .cloned()
    }
}

/// The parameter or model that a field is a plain reference to.
fn named(spec: &Spec, stage: StageId, field: &str) -> Option<String> {
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
