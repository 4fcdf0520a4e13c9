//! Stages as tools and steps, stage runs as actions, and the run as the action that holds them.

use std::collections::{BTreeMap, BTreeSet};

use kyobashi_cache::{Digest, Record};
use kyobashi_engine::artifact::Artifacts;
use kyobashi_engine::run::{FinalState, Finished, refresh};
use serde_json::{Value, json};

use super::content::Run;
use super::files::{Files, Wanted};
use super::graph::{Graph, all, to};
use super::names::plain;
use super::parameters::{artifact_of, scalar};
use crate::exit::Stopped;
use crate::history::{self, Told};
use crate::makers::Makers;
use crate::talk;

const DONE: &str = "http://schema.org/CompletedActionStatus";
const FAILED: &str = "http://schema.org/FailedActionStatus";

/// Describes the run's actions and says how many there are.
pub(super) fn describe(
    graph: &mut Graph,
    files: &mut Files<'_>,
    told: &Told,
    run: &Run,
) -> Result<u64, Stopped> {
    let begin = told.begun.as_ref().map_or(0, |begun| begun.at_ms) as f64 / 1000.0;
    let sum = told.sum();
    let failed = told.outcome() != "done";
    let ran: Vec<&Finished> = told
        .finished
        .iter()
        .filter(|one| one.state != FinalState::Skipped)
        .collect();
    // Who made what, before anybody refers to it; in an order that does not hang on which ended first.
    let mut made: BTreeMap<&str, (Record, Vec<String>)> = BTreeMap::new();
    let mut sorted = ran.clone();
    sorted.sort_by(|a, b| a.address.cmp(&b.address));
    for one in sorted {
        if let Some(record) = history::record(files.store(), one)?.filter(|_| one.failure.is_none())
        {
            let outputs = outputs(graph, files, one, &record)?;
            made.insert(&one.address, (record, outputs));
        }
    }
    let makers = Makers::of(files.store(), told);
    let mut paths = BTreeSet::new();
    let (mut controls, mut actions) = (Vec::new(), Vec::new());
    for one in &ran {
        let path = refresh::path(&one.address);
        let kept = made.get(one.address.as_str());
        let recipe: BTreeMap<String, Value> = kept
            .and_then(|(record, _)| serde_json::from_str(&record.recipe).ok())
            .unwrap_or_default();
        let tool = tool(graph, &path, one, &recipe);
        if paths.insert(path.clone()) {
            let step = graph.add(json!({
                "@id": format!("#step/{path}"),
                "@type": "HowToStep",
                "name": path,
                "position": paths.len().to_string(),
                "workExample": to(&tool),
            }));
            graph.link(&run.workflow, "step", &[step]);
            graph.link(&run.workflow, "hasPart", std::slice::from_ref(&tool));
        }
        let objects = objects(graph, files, &makers, one, &recipe)?;
        let (start, end, by) = times(one, kept.map(|(record, _)| record), begin);
        let action = graph.add(json!({
            "@id": format!("#action/{}", plain(&one.address)),
            "@type": "CreateAction",
            "name": format!("Run of {}", one.address),
            "description": match one.state {
                FinalState::Reused => format!("Made by run {by}, and reused by this one."),
                _ => format!("Made by this run with {}.", one.uses),
            },
            "startTime": talk::rfc3339(start),
            "endTime": talk::rfc3339(end),
            "instrument": to(&tool),
            "agent": run.author.as_deref().map(to),
            "object": all(&objects),
            "result": all(kept.map_or(&[], |(_, made)| made)),
            "actionStatus": if one.failure.is_some() { FAILED } else { DONE },
            "error": one.failure.as_ref().map(|failure| failure.message.clone()),
            "identifier": one.key.map(|key| format!("blake3:{key}")),
        }));
        controls.push(graph.add(json!({
            "@id": format!("#control/{}", plain(&one.address)),
            "@type": "ControlAction",
            "name": format!("Orchestration of {}", one.address),
            "instrument": to(&format!("#step/{path}")),
            "object": to(&action),
        })));
        actions.push(action);
    }
    let whole = graph.add(json!({
        "@id": "#run",
        "@type": "CreateAction",
        "name": format!("Run {} of {}", told.number, told.pipeline()),
        "description": told.begun.as_ref().map(|begun| format!("Asked for as `{}`.", begun.words())),
        "startTime": talk::rfc3339(begin),
        "endTime": talk::rfc3339(begin + sum.seconds),
        "instrument": to(&run.workflow),
        "agent": run.author.as_deref().map(to),
        "object": all(&run.given),
        "result": all(&run.made),
        "actionStatus": if failed { FAILED } else { DONE },
        "error": failed.then(|| format!("The run ended as: {}.", told.outcome())),
        "subjectOf": run.journal.as_deref().map(to),
    }));
    graph.add(json!({
        "@id": "#orchestration",
        "@type": "OrganizeAction",
        "name": format!("kyo {}", told.made_from.kyo),
        "startTime": talk::rfc3339(begin),
        "endTime": talk::rfc3339(begin + sum.seconds),
        "instrument": to(&run.engine),
        "agent": run.author.as_deref().map(to),
        "object": all(&controls),
        "result": to(&whole),
    }));
    let count = actions.len() as u64;
    graph.link(
        &run.root,
        "mentions",
        &[&[whole, "#orchestration".to_owned()], &actions[..]].concat(),
    );
    Ok(count)
}

/// A stage as a tool: its script, or the stage type.
fn tool(graph: &mut Graph, path: &str, one: &Finished, recipe: &BTreeMap<String, Value>) -> String {
    let id = format!("#tool/{path}");
    let said = |field: &str| {
        recipe
            .get(field)
            .and_then(|field| field.get("value"))
            .cloned()
    };
    let place = one.place.as_ref();
    let about = place.map(|place| format!("Stage `{path}`, written at {place}."));
    match said("uses") {
        Some(uses) => graph.add(json!({
            "@id": id,
            "@type": "SoftwareApplication",
            "name": uses,
            "description": about,
            "softwareVersion": said("uses.version").map(|version| version.to_string()),
        })),
        None => graph.add(json!({
            "@id": id,
            "@type": "SoftwareSourceCode",
            "name": path,
            "description": about,
            "programmingLanguage": said("shell").and_then(|shell| shell[0].as_str().map(str::to_owned)),
            "version": said("run").map(|script| version(&script)),
            "text": said("run"),
        })),
    }
}

/// A script's version is its content.
fn version(script: &Value) -> String {
    let digest = Digest::of(script.as_str().unwrap_or_default().as_bytes());
    format!("blake3:{digest}")
}

/// Seconds since 1970 of the begin and the end of the making, and the run that made it.
fn times(one: &Finished, record: Option<&Record>, begin: f64) -> (f64, f64, String) {
    let by = record.and_then(|record| history::noted(&record.note, "run"));
    let by = by.unwrap_or_else(|| "?".to_owned());
    match record.filter(|record| record.started_at_ms > 0) {
        Some(record) => {
            let start = record.started_at_ms as f64 / 1000.0;
            (start, start + record.seconds, by)
        }
        None => (begin, begin + one.seconds, by),
    }
}

fn outputs(
    graph: &mut Graph,
    files: &mut Files<'_>,
    one: &Finished,
    record: &Record,
) -> Result<Vec<String>, Stopped> {
    let outputs: Artifacts = serde_json::from_str(&record.outputs).map_err(Stopped::fault)?;
    let recipe: Value = serde_json::from_str(&record.recipe).unwrap_or_default();
    let types = recipe["out"]["value"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let mut made = Vec::new();
    for (name, artifact) in outputs {
        let ty = types.iter().filter_map(Value::as_str);
        let mut ty = ty.filter_map(|port| port.split_once(": "));
        let ty = ty.find(|(port, _)| *port == name).map_or("", |(_, ty)| ty);
        let about = format!("Output `{name}` of {}.", one.address);
        made.extend(artifact_of(
            graph,
            files,
            &artifact,
            &Wanted {
                name: &format!("stages/{}/{name}", one.address),
                extension: extension(ty),
                about: &about,
                always: false,
            },
        )?);
    }
    Ok(made)
}

/// The extension of a file of a type.
fn extension(ty: &str) -> &str {
    let inner = ty
        .split_once("file(")
        .and_then(|(_, rest)| rest.split_once(')'));
    match inner {
        Some((extension, _)) => extension,
        None if ty.contains("table") => ".csv",
        None if ty.contains("text") => ".txt",
        None => "",
    }
}

/// What a stage run read: files and values that are described already by their digests, and settings.
fn objects(
    graph: &mut Graph,
    files: &Files<'_>,
    makers: &Makers,
    one: &Finished,
    recipe: &BTreeMap<String, Value>,
) -> Result<Vec<String>, Stopped> {
    let mut found = Vec::new();
    for (field, said) in recipe {
        let known = ["in.", "with.", "env."]
            .iter()
            .any(|group| field.starts_with(group));
        if !known && field != "model" {
            continue;
        }
        let members = makers.whose(said).into_iter();
        let members: Vec<_> = members
            .filter_map(|(digest, _)| files.id(&digest))
            .collect();
        let value = match said.get("value") {
            Some(value) => scalar(value),
            None if !members.is_empty() => {
                found.extend(members);
                continue;
            }
            None => {
                let mut parts = said.as_object().into_iter().flatten();
                let digest = parts.find(|(name, _)| *name != "members");
                let digest = digest
                    .and_then(|(_, digest)| digest.as_str())
                    .unwrap_or_default();
                if let Some(id) = digest.parse().ok().and_then(|digest| files.id(&digest)) {
                    found.push(id);
                    continue;
                }
                json!(format!("blake3:{digest}"))
            }
        };
        found.push(graph.add(json!({
            "@id": format!("#given/{}/{}", plain(&one.address), plain(field)),
            "@type": "PropertyValue",
            "name": field,
            "value": value,
        })));
    }
    Ok(found)
}
