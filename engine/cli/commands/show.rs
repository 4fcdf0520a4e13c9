//! `kyo show`: which run and stage run are meant, and all of one as data. [`text`] says it to people.

mod text;

use std::collections::BTreeMap;
use std::io::Write;

use kyobashi_cache::{Record, Store};
use kyobashi_engine::artifact::{Artifact, Artifacts};
use kyobashi_engine::run::Finished;
use serde_json::{Map, Value, json};

use super::log;
use crate::arguments::{Global, Show};
use crate::exit::{self, Code, Stopped};
use crate::history::{self, Told};
use crate::makers::Makers;
use crate::{talk, workspace};

pub(super) fn show(global: &Global, arguments: &Show) -> Result<Code, Stopped> {
    let store = workspace::look(global)?;
    let (told, address) = asked(&store, arguments)?;
    match (address, &arguments.output) {
        (None, None) => run(global, &store, &told)?,
        (None, Some(name)) => {
            let outputs = told.artifacts(&store).unwrap_or_default();
            content(&store, name, &outputs)?;
        }
        (Some(address), output) => {
            let one = at(&told, &address)?;
            let Some(record) = history::record(&store, one)? else {
                let why = failed(one);
                return Err(Stopped::wrong(format!("`{address}` made nothing: {why}")));
            };
            let outputs: Artifacts =
                serde_json::from_str(&record.outputs).map_err(Stopped::fault)?;
            match output {
                Some(name) => content(&store, name, &outputs)?,
                None => stage(global, &Shown::of(&store, &told, one, &record, outputs))?,
            }
        }
    }
    Ok(exit::DONE)
}

/// The run that is meant, and the address in it, if one is.
fn asked(store: &Store, arguments: &Show) -> Result<(Told, Option<String>), Stopped> {
    let runs = store.runs();
    let pins = runs.pins()?;
    let read = |text: &str| -> Result<Told, Stopped> {
        Ok(Told::read(&runs, history::find(&runs, text)?, &pins))
    };
    let what = arguments.what.as_deref();
    if let Some(run) = &arguments.run {
        return Ok((read(run)?, what.map(str::to_owned)));
    }
    let last = read("last")?;
    let Some(what) = what else {
        return Ok((last, None));
    };
    // A stage may be called as a run is pinned.
    if last.finished.iter().any(|one| one.address == what) {
        return Ok((last, Some(what.to_owned())));
    }
    if let Some(one) = made(&last, what) {
        let address = one.address.clone();
        return Ok((last, Some(address)));
    }
    let (head, rest) = match what.split_once('/') {
        Some((head, rest)) => (head, Some(rest.to_owned())),
        None => (what, None),
    };
    let run = head == "last" || head.parse::<u64>().is_ok() || pins.values().any(|pin| pin == head);
    match run && !head.is_empty() {
        true => Ok((read(head)?, rest)),
        false => Ok((last, Some(what.to_owned()))),
    }
}

/// Letters of a digest below which it may be a word.
const DIGEST: usize = 8;

/// The stage run of which an output has a digest that begins so: a paper's appendix prints such beginnings.
fn made<'t>(told: &'t Told, what: &str) -> Option<&'t Finished> {
    let digest = what.len() >= DIGEST && what.bytes().all(|byte| byte.is_ascii_hexdigit());
    let begins = |one: &&Finished| {
        let mut outputs = one.outputs.values();
        outputs.any(|digest| digest.to_string().starts_with(what))
    };
    told.finished.iter().filter(|_| digest).find(begins)
}

fn at<'t>(told: &'t Told, address: &str) -> Result<&'t Finished, Stopped> {
    let found = told.finished.iter().find(|one| one.address == address);
    found.ok_or_else(|| {
        let error = Stopped::wrong(format!("run {} has nothing at `{address}`", told.number));
        let names = told.finished.iter().map(|one| one.address.as_str());
        match history::nearest(address, names) {
            Some(near) => error.help(format!(
                "did you mean `{near}`? `kyo show {}` lists the addresses",
                told.number
            )),
            None => error.help(format!("`kyo show {}` lists the addresses", told.number)),
        }
    })
}

fn run(global: &Global, store: &Store, told: &Told) -> Result<(), Stopped> {
    let outputs = told.artifacts(store).unwrap_or_default();
    if !global.json {
        for line in text::run(store, told, &outputs)? {
            talk::data(&line)?;
        }
        return Ok(());
    }
    let mut document = log::summary(told);
    document["made_from"] = json!(told.made_from);
    document["stages"] = json!(told.finished);
    document["outputs"] = outlines(store, &outputs).into();
    talk::json(&document)?;
    Ok(())
}

/// A stage run with everything that is known of it.
struct Shown<'a> {
    store: &'a Store,
    told: &'a Told,
    one: &'a Finished,
    record: &'a Record,
    outputs: Artifacts,
    recipe: BTreeMap<String, Value>,
    /// Who made what it read, by the part of its recipe: outputs of stage runs, several where they were
    /// gathered, or a file.
    from: BTreeMap<String, Vec<String>>,
    /// Keys of its calls to the world, of the run that made it.
    called: Vec<String>,
}

impl<'a> Shown<'a> {
    fn of(
        store: &'a Store,
        told: &'a Told,
        one: &'a Finished,
        record: &'a Record,
        outputs: Artifacts,
    ) -> Self {
        let recipe: BTreeMap<String, Value> =
            serde_json::from_str(&record.recipe).unwrap_or_default();
        let makers = Makers::of(store, told);
        let from = recipe.iter().filter(|(field, _)| field.starts_with("in."));
        let from = from.filter_map(|(field, said)| {
            let whose = makers.whose(said).into_iter().map(|(_, maker)| maker);
            let whose: Vec<String> = whose.collect();
            (!whose.is_empty()).then(|| (field.clone(), whose))
        });
        let from = from.collect();
        let maker = history::noted(&record.note, "run").and_then(|run| run.parse().ok());
        let maker = maker.filter(|run| *run != told.number);
        let other = maker.map(|run| Told::read(&store.runs(), run, &BTreeMap::new()));
        let address = history::noted(&record.note, "address");
        let address = address.unwrap_or_else(|| one.address.clone());
        let called = &other.as_ref().unwrap_or(told).called;
        let called = called.iter().filter(|(by, _)| *by == address);
        Self {
            store,
            told,
            one,
            record,
            outputs,
            recipe,
            from,
            called: called.map(|(_, key)| key.to_string()).collect(),
        }
    }

    fn document(&self) -> Value {
        json!({
            "run": self.told.number,
            "address": self.one.address,
            "uses": self.one.uses,
            "state": self.one.state,
            "key": self.one.key,
            "outputs": outlines(self.store, &self.outputs),
            "recipe": self.recipe,
            "from": self.from,
            "calls": self.called,
            "seconds": self.record.seconds,
            "usd": self.record.usd,
            "started_at_ms": self.record.started_at_ms,
            "note": serde_json::from_str::<Value>(&self.record.note).unwrap_or_default(),
            "place": self.one.place,
            "log": self.one.log,
        })
    }
}

fn stage(global: &Global, shown: &Shown<'_>) -> Result<(), Stopped> {
    if global.json {
        talk::json(&shown.document())?;
        return Ok(());
    }
    for line in text::stage(shown) {
        talk::data(&line)?;
    }
    Ok(())
}

fn failed(one: &Finished) -> String {
    let failure = one.failure.as_ref().map(|failure| failure.message.clone());
    failure
        .or_else(|| {
            Some(format!(
                "it was skipped because of {}",
                one.because.as_ref()?
            ))
        })
        .unwrap_or_else(|| "its record is gone".to_owned())
}

fn outlines(store: &Store, outputs: &Artifacts) -> Map<String, Value> {
    let outputs = outputs.iter();
    outputs
        .map(|(name, made)| (name.clone(), outline(store, made)))
        .collect()
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

fn content(store: &Store, name: &str, outputs: &Artifacts) -> Result<(), Stopped> {
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
    Ok(())
}
