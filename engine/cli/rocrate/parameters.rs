//! What a run was given and what it came to, as the parameters of the workflow and their values.

use std::path::PathBuf;

use kyobashi_engine::artifact::Artifact;
use serde_json::{Value, json};

use super::content::{Run, relative};
use super::files::{Files, Wanted};
use super::graph::{Graph, to};
use super::names::plain;
use crate::compare::sources;
use crate::exit::Stopped;
use crate::history::Told;

const PARAMETER: &str = "https://bioschemas.org/profiles/FormalParameter/1.0-RELEASE";

/// Parameters, models and data.
pub(super) fn inputs(
    graph: &mut Graph,
    files: &mut Files<'_>,
    told: &Told,
    run: &mut Run,
) -> Result<(), Stopped> {
    let mut by_path = std::collections::BTreeMap::new();
    let sources = sources(files.store(), told);
    for (path, artifact) in &sources {
        let (Artifact::File(found) | Artifact::Dir(found)) = artifact else {
            continue;
        };
        let folder = matches!(artifact, Artifact::Dir(_));
        let named = format!("data/{}", relative(path, told));
        let wanted = Wanted {
            name: &named,
            extension: "",
            about: "Named by the pipeline as data.",
            always: false,
        };
        let here = told
            .begun
            .as_ref()
            .map(|begun| PathBuf::from(&begun.asked.dir));
        let origin = here.unwrap_or_default().join(path);
        let id = files.put(&found.digest, folder, &wanted, Some(&origin))?;
        run.given.push(id.clone());
        by_path.insert(path.clone(), (id, folder));
    }
    let params = told.made_from.params.iter();
    let params = params.map(|(name, value)| (format!("params.{name}"), value.clone()));
    let models = told.made_from.models.iter();
    let models = models.map(|(role, model)| (format!("models.{role}"), json!(model.to_string())));
    for (name, value) in params.chain(models) {
        let parameter = format!("#input/{}", plain(&name));
        let path = value.as_str().and_then(|path| by_path.get(path));
        let kind = match (path, &value) {
            (Some((_, true)), _) => "Dataset",
            (Some((_, false)), _) => "File",
            (None, Value::Bool(_)) => "Boolean",
            (None, Value::Number(number)) if number.is_f64() => "Float",
            (None, Value::Number(_)) => "Integer",
            (None, Value::String(_)) => "Text",
            (None, _) => "PropertyValue",
        };
        graph.add(parameter_of(&parameter, &name, kind));
        graph.link(&run.workflow, "input", std::slice::from_ref(&parameter));
        match path {
            Some((id, _)) => files.example(id, &parameter),
            None => {
                let id = graph.add(json!({
                    "@id": format!("{parameter}/value"),
                    "@type": "PropertyValue",
                    "name": name,
                    "value": scalar(&value),
                    "exampleOfWork": to(&parameter),
                }));
                run.given.push(id);
            }
        }
    }
    Ok(())
}

/// The pipeline's outputs.
pub(super) fn outputs(
    graph: &mut Graph,
    files: &mut Files<'_>,
    told: &Told,
    run: &mut Run,
) -> Result<(), Stopped> {
    for (name, artifact) in told.artifacts(files.store()).unwrap_or_default() {
        let parameter = format!("#output/{}", plain(&name));
        let members = Files::members(&artifact);
        let kind = match (&artifact, members.is_empty()) {
            (Artifact::File(_) | Artifact::Large(_), _) => "File",
            (Artifact::Dir(_), _) => "Dataset",
            (_, true) => "PropertyValue",
            _ => "Collection",
        };
        graph.add(parameter_of(&parameter, &name, kind));
        graph.link(&run.workflow, "output", std::slice::from_ref(&parameter));
        let about = format!("Output `{name}` of the pipeline.");
        let made = artifact_of(
            graph,
            files,
            &artifact,
            &Wanted {
                name: &format!("outputs/{name}"),
                extension: ".txt",
                about: &about,
                always: true,
            },
        )?;
        match made.as_slice() {
            [one] if one.starts_with('#') => graph.link(one, "exampleOfWork", &[parameter]),
            [one] => files.example(one, &parameter),
            many => {
                let collection = graph.add(json!({
                    "@id": format!("{parameter}/members"),
                    "@type": "Collection",
                    "name": name,
                    "exampleOfWork": to(&parameter),
                    "hasPart": many.iter().map(|id| to(id)).collect::<Vec<_>>(),
                    "mainEntity": many.first().map(|id| to(id)),
                }));
                graph.link(&run.root, "mentions", &[collection]);
            }
        }
        run.made.extend(made);
    }
    Ok(())
}

/// Files and values of an artifact as entities; gives their ids.
pub(super) fn artifact_of(
    graph: &mut Graph,
    files: &mut Files<'_>,
    artifact: &Artifact,
    wanted: &Wanted<'_>,
) -> Result<Vec<String>, Stopped> {
    let members = Files::members(artifact);
    if members.is_empty() {
        let value = artifact.plain().unwrap_or_default();
        let text = scalar(&value);
        let long = text.as_str().is_some_and(Files::is_long);
        if long {
            let json = Wanted {
                extension: ".json",
                ..*wanted
            };
            let id = files.text(&value.to_string(), &json)?;
            return Ok(vec![id]);
        }
        let id = format!("#{}", plain(wanted.name));
        return Ok(vec![graph.add(json!({
            "@id": id,
            "@type": "PropertyValue",
            "name": wanted.name,
            "description": wanted.about,
            "value": text,
            "identifier": format!("blake3:{}", artifact.digest()),
        }))]);
    }
    let mut ids = Vec::new();
    for (mark, member) in members {
        let name = format!("{}{mark}", wanted.name);
        let (digest, folder, extension) = match member {
            Artifact::Dir(found) => (found.digest, true, ""),
            Artifact::File(found) => (found.digest, false, wanted.extension),
            other => (other.digest(), false, ".json"),
        };
        let wanted = Wanted {
            name: &name,
            extension,
            ..*wanted
        };
        ids.push(files.put(&digest, folder, &wanted, None)?);
    }
    Ok(ids)
}

fn parameter_of(id: &str, name: &str, kind: &str) -> Value {
    json!({
        "@id": id,
        "@type": "FormalParameter",
        "conformsTo": to(PARAMETER),
        "name": name,
        "additionalType": kind,
    })
}

/// A value as a `PropertyValue` has it: lists and maps as their JSON.
pub(super) fn scalar(value: &Value) -> Value {
    match value {
        Value::Array(_) | Value::Object(_) => json!(value.to_string()),
        Value::Null => json!("null"),
        plain => plain.clone(),
    }
}
