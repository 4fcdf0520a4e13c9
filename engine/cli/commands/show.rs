//! `kyo show`

use std::io::Write;

use kyobashi_cache::Store;
use kyobashi_engine::artifact::{Artifact, Artifacts};
use kyobashi_engine::run::Finished;
use serde_json::{Value, json};

use crate::arguments::{Global, Show};
use crate::exit::{self, Code, Stopped};
use crate::{history, journal, talk, workspace};

pub(super) fn show(global: &Global, arguments: &Show) -> Result<Code, Stopped> {
    let store = workspace::look(global)?;
    let runs = store.runs();
    let run = match arguments.run {
        Some(number) => Some(number).filter(|number| runs.path(*number).exists()),
        None => runs.last()?,
    };
    let Some(run) = run else {
        return Err(
            Stopped::wrong(format!("no such run in {}", store.dir().display())).help(
                "choose the store with `--store DIR`; `kyo run FILE` makes one beside the file",
            ),
        );
    };
    let finished = journal::finished(&runs.events(run));
    let Some(address) = &arguments.address else {
        for one in &finished {
            if global.json {
                talk::json(one)?;
            } else {
                let state = serde_json::to_value(one.state).map_err(Stopped::fault)?;
                let state = state.as_str().unwrap_or_default();
                talk::data(&format!("{state:8} {}  {}", one.address, one.uses))?;
            }
        }
        return Ok(exit::DONE);
    };
    let Some(one) = finished.iter().find(|one| one.address == *address) else {
        return Err(
            Stopped::wrong(format!("run {run} has nothing at `{address}`"))
                .help("`kyo show` lists the addresses"),
        );
    };
    let Some(record) = history::record(&store, one)? else {
        return Err(Stopped::wrong(format!(
            "`{address}` made nothing: {}",
            failed(one)
        )));
    };
    let outputs: Artifacts = serde_json::from_str(&record.outputs).map_err(Stopped::fault)?;
    if let Some(name) = &arguments.output {
        return content(&store, name, &outputs);
    }
    let recipe: Value = serde_json::from_str(&record.recipe).unwrap_or_default();
    let note: Value = serde_json::from_str(&record.note).unwrap_or_default();
    let document = json!({
        "address": one.address,
        "uses": one.uses,
        "key": one.key,
        "outputs": outputs.iter().map(|(name, made)| (name.clone(), outline(&store, made))).collect::<serde_json::Map<_, _>>(),
        "recipe": recipe,
        "seconds": record.seconds,
        "usd": record.usd,
        "note": note,
    });
    if global.json {
        talk::json(&document)?;
    } else {
        talk::data(&serde_json::to_string_pretty(&document).map_err(Stopped::fault)?)?;
    }
    Ok(exit::DONE)
}

fn failed(one: &Finished) -> String {
    let failure = one.failure.as_ref().map(|failure| failure.message.clone());
    failure
        .or_else(|| one.because.clone())
        .unwrap_or_else(|| "its record is gone".to_owned())
}

/// An output with its digest, and with its path in the store if it is a file.
fn outline(store: &Store, artifact: &Artifact) -> Value {
    match artifact {
        Artifact::Value(value) => json!({ "value": value, "digest": artifact.digest() }),
        Artifact::File(file) => json!({
            "file": store.path_of(&file.digest), "bytes": file.size, "digest": file.digest,
        }),
        Artifact::Dir(file) => json!({ "dir": file.digest, "bytes": file.size }),
        Artifact::Large(digest) => json!({ "value": store.path_of(digest), "digest": digest }),
        Artifact::List(items) => items.iter().map(|item| outline(store, item)).collect(),
        Artifact::Grid(grid) => grid
            .cells
            .iter()
            .map(|cell| outline(store, &cell.artifact))
            .collect(),
        Artifact::Absent => Value::Null,
    }
}

fn content(store: &Store, name: &str, outputs: &Artifacts) -> Result<Code, Stopped> {
    let Some(artifact) = outputs.get(name) else {
        let names: Vec<_> = outputs.keys().map(String::as_str).collect();
        return Err(Stopped::wrong(format!("there is no output `{name}`"))
            .help(format!("outputs: {}", names.join(", "))));
    };
    match artifact {
        Artifact::File(file) => std::io::stdout().write_all(&store.read(&file.digest)?)?,
        Artifact::Large(digest) => std::io::stdout().write_all(&store.read(digest)?)?,
        other => talk::json(&outline(store, other))?,
    }
    Ok(exit::DONE)
}
