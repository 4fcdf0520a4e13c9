//! `kyo cassette`: the model calls of a run as a file, and a run from such a file with nobody asked.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufReader, BufWriter, Write};
use std::path::Path;

use kyobashi_cache::{Key, Kind, Store};
use kyobashi_engine::run::cassette::{self, CassetteError, Taped};
use serde_json::{Value, json};

use super::run;
use crate::arguments::{Calls, Cassette, CassetteAction, Global, Recording, Replay, Run};
use crate::exit::{self, Code, Stopped};
use crate::history::{self, Told};
use crate::surroundings::Surroundings;
use crate::{talk, workspace};

/// The shortest value of a variable that is taken for a secret, in characters.
const SECRET: usize = 8;

pub(super) fn cassette(global: &Global, arguments: &Cassette) -> Result<Code, Stopped> {
    match &arguments.action {
        CassetteAction::Export(export) => record(global, export),
        CassetteAction::Replay(replay) => play(global, replay),
    }
}

fn record(global: &Global, arguments: &Recording) -> Result<Code, Stopped> {
    let store = workspace::look(global)?;
    let runs = store.runs();
    let number = history::find(&runs, arguments.run.as_deref().unwrap_or("last"))?;
    let told = Told::read(&runs, number, &runs.pins()?);
    let keys = keys(&store, &told)?;
    let calls = cassette::collect(&store, &keys).map_err(Stopped::fault)?;
    if calls.is_empty() {
        return Err(
            Stopped::wrong(format!("run {number} has no calls that are stored"))
                .help("`kyo log` lists the runs, and `kyo cost RUN` what they asked"),
        );
    }
    let mut bytes = Vec::new();
    cassette::write(&mut bytes, told.pipeline(), &calls).map_err(Stopped::fault)?;
    no_secret_in(&bytes)?;
    let file = &arguments.file;
    let wrong = |error: std::io::Error| Stopped::wrong(format!("{}: {error}", file.display()));
    let mut out = BufWriter::new(std::fs::File::create(file).map_err(wrong)?);
    out.write_all(&bytes).map_err(wrong)?;
    out.flush().map_err(wrong)?;
    tell(global, number, file, bytes.len(), &calls)?;
    Ok(exit::DONE)
}

/// Says what is about to become public.
fn tell(
    global: &Global,
    run: u64,
    file: &Path,
    bytes: usize,
    calls: &BTreeMap<Key, Taped>,
) -> Result<(), Stopped> {
    let mut by_who: BTreeMap<&str, (u64, f64)> = BTreeMap::new();
    for taped in calls.values() {
        let (count, usd) = by_who.entry(&taped.who).or_default();
        *count += 1;
        *usd += taped.reply.usd;
    }
    if global.json {
        let models: BTreeMap<_, _> = by_who
            .iter()
            .map(|(who, (count, usd))| (who, json!({"calls": count, "usd": usd})))
            .collect();
        talk::json(&json!({
            "run": run, "file": file, "bytes": bytes, "calls": calls.len(), "models": models,
        }))?;
        return Ok(());
    }
    talk::data(&format!(
        "{}: {} of run {run}, {}",
        file.display(),
        talk::plural(calls.len() as u64, "call"),
        talk::size(bytes as u64)
    ))?;
    for (who, (count, usd)) in by_who {
        talk::data(&format!(
            "  {who}  {}, once {}",
            talk::plural(count, "call"),
            talk::money(usd)
        ))?;
    }
    talk::say(
        global,
        "It holds every prompt and every reply as they were sent: read it before you publish it.",
    );
    Ok(())
}

/// The calls of a run: those that it made or reused, and those of the stage runs that it reused whole.
fn keys(store: &Store, told: &Told) -> Result<BTreeSet<Key>, Stopped> {
    let mut keys: BTreeSet<Key> = told.called.iter().map(|(_, key)| *key).collect();
    for key in told.finished.iter().filter_map(|one| one.key) {
        let Some(newest) = store.history(Kind::Stage, &key)?.into_iter().next() else {
            continue;
        };
        let note: Value = serde_json::from_str(&newest.record.note).unwrap_or_default();
        let calls: Vec<Key> = serde_json::from_value(note["calls"].clone()).unwrap_or_default();
        keys.extend(calls);
    }
    Ok(keys)
}

/// Refuses to write what a variable holds that could be a secret.
fn no_secret_in(bytes: &[u8]) -> Result<(), Stopped> {
    let variables = Surroundings::read().variables;
    let text = String::from_utf8_lossy(bytes);
    let secret = |name: &str| {
        let name = name.to_uppercase();
        ["KEY", "TOKEN", "SECRET", "PASSWORD"]
            .iter()
            .any(|word| name.contains(word))
    };
    let leaked = variables
        .iter()
        .find(|(name, value)| secret(name) && value.len() >= SECRET && text.contains(*value));
    match leaked {
        None => Ok(()),
        Some((name, _)) => Err(Stopped::wrong(format!(
            "the calls hold the value of {name}; nothing was written"
        ))
        .help("take it out of the prompts or settings, and run again")),
    }
}

fn play(global: &Global, arguments: &Replay) -> Result<Code, Stopped> {
    let path = &arguments.cassette;
    let wrong =
        |error: &dyn std::fmt::Display| Stopped::wrong(format!("{}: {error}", path.display()));
    let file = std::fs::File::open(path).map_err(|error| wrong(&error))?;
    let (head, calls) = cassette::read(&mut BufReader::new(file)).map_err(|error| {
        wrong(&error).help("`kyo cassette export FILE` writes such a file after a run")
    })?;
    let (store, _) = workspace::open(global, Some(&arguments.pipeline.file))?;
    let loaded = cassette::load(&store, calls).map_err(|error| match error {
        CassetteError::Store(error) => error.into(),
        other => Stopped::fault(other),
    })?;
    talk::say(
        global,
        &format!(
            "{} of `{}`: {} new, {} known",
            talk::plural(head.calls, "call"),
            head.pipeline,
            loaded.new,
            loaded.known
        ),
    );
    drop(store);
    let run = Run {
        pipeline: arguments.pipeline.clone(),
        out: arguments.out.clone(),
        keep_going: false,
        fail_fast: false,
        refresh: Vec::new(),
        budget: None,
        calls: Calls::Replay,
    };
    Ok(run::outcome(global, &run)?.code)
}
