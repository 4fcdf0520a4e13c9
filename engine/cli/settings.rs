//! Settings that a model's server does not have, told by a check, before anything runs. Which there are,
//! the dialects know; the language does not.

use kyobashi_engine::spec::{
    Checked, Expression, Label, Place, Problem, Reference, Root, Severity, Spec, Stage, Template,
    Work,
};
use kyobashi_stage::Model;
use serde_json::Value;

use crate::surroundings::Surroundings;

/// Settings of stages that become settings of their model.
const OF_STAGES: &[&str] = &["temperature"];

/// Adds a problem for each setting that its model's dialect does not have; a spec with one is none.
pub(crate) fn refuse(mut checked: Checked, surroundings: &Surroundings) -> Checked {
    let Some(spec) = &checked.spec else {
        return checked;
    };
    if spec.models.is_empty() {
        return checked;
    }
    let servers = surroundings.servers(spec);
    let mut problems = Vec::new();
    let mut ask = |model: &Model, place: Option<&Place>| {
        if let (Err(failure), Some(place)) = (servers.check(model), place) {
            let text = checked.sources.get(&*place.file);
            let at = text.map_or(0, |text| byte(text, place));
            problems.push(Problem {
                code: "model::setting",
                severity: Severity::Error,
                message: failure.message,
                labels: vec![Label {
                    place: place.clone(),
                    start: at,
                    end: text.map_or(at, |text| at + word(&text[at..])),
                    text: "not there".to_owned(),
                }],
                help: failure.help,
            });
        }
    };
    for (role, model) in &spec.models {
        ask(model, spec.places.names.get(&format!("models.{role}")));
    }
    for stage in &spec.stages {
        for (name, value, model) in settings(spec, stage) {
            let mut model = model.clone();
            model.settings.clear();
            model.settings.insert(name.to_owned(), value.clone());
            let part = format!("with.{name}");
            ask(&model, spec.places.parts.get(stage.id, &part));
        }
    }
    if !problems.is_empty() {
        checked.problems.append(&mut problems);
        let key = |problem: &Problem| {
            let place = &problem.labels[0].place;
            (place.file.clone(), place.line, place.col)
        };
        checked.problems.sort_by_cached_key(key);
        checked.spec = None;
    }
    checked
}

/// The settings that a stage writes out for its model, where that is a role.
fn settings<'s>(spec: &'s Spec, stage: &'s Stage) -> Vec<(&'s str, &'s Value, &'s Model)> {
    let Work::Uses { with, model, .. } = &stage.work else {
        return Vec::new();
    };
    let Some(Template::Expression(Expression::Reference(Reference {
        root: Root::Model(role),
        ..
    }))) = model
    else {
        return Vec::new();
    };
    let Some(model) = spec.models.get(role) else {
        return Vec::new();
    };
    with.iter()
        .filter(|binding| OF_STAGES.contains(&binding.name.as_str()))
        .filter_map(|binding| match &binding.value {
            Template::Literal(value) if !value.is_null() => {
                Some((binding.name.as_str(), value, model))
            }
            _ => None,
        })
        .collect()
}

/// The byte of a place.
fn byte(text: &str, place: &Place) -> usize {
    let lines = text.split_inclusive('\n');
    let start: usize = lines.take(place.line.saturating_sub(1)).map(str::len).sum();
    let line = text[start..].lines().next().unwrap_or_default();
    let before = line.chars().take(place.col.saturating_sub(1));
    start + before.map(char::len_utf8).sum::<usize>()
}

/// Bytes of the word at the start of a text.
fn word(text: &str) -> usize {
    let end = text.find(|c: char| c.is_whitespace() || matches!(c, ',' | '}' | ']'));
    end.unwrap_or(text.len()).max(1).min(text.len())
}
