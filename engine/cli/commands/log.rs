//! `kyo log`

use kyobashi_cache::Store;
use kyobashi_engine::run::{CallState, Event, FinalState, Finished};
use serde_json::json;

use crate::arguments::{Global, Log};
use crate::exit::{self, Code, Stopped};
use crate::history::{self, Told};
use crate::progress::because;
use crate::{journal, talk, workspace};

pub(super) fn log(global: &Global, arguments: &Log) -> Result<Code, Stopped> {
    let store = workspace::look(global)?;
    match &arguments.run {
        Some(run) => {
            let number = history::find(&store.runs(), run)?;
            events(global, &store, number)?;
        }
        None => runs(global, arguments, &store)?,
    }
    Ok(exit::DONE)
}

fn runs(global: &Global, arguments: &Log, store: &Store) -> Result<(), Stopped> {
    let runs = store.runs();
    let pins = runs.pins()?;
    let mut told = Vec::new();
    for number in runs.list()?.into_iter().rev() {
        if told.len() == arguments.limit {
            break;
        }
        if let Some(wanted) = &arguments.pipeline {
            let begun = journal::first(&runs.events(number)).and_then(history::begun);
            if begun.is_none_or(|begun| begun.pipeline != *wanted) {
                continue;
            }
        }
        told.push(Told::read(&runs, number, &pins).in_short());
    }
    if global.json {
        for run in &told {
            talk::json(&summary(run))?;
        }
        return Ok(());
    }
    let width =
        |of: &dyn Fn(&Told) -> usize, least| told.iter().map(of).max().unwrap_or(0).max(least);
    let named = width(&|run| run.pipeline().chars().count(), 8).min(40);
    talk::data(&format!(
        "{:>5}  {:16}  {:named$}  {:8}  {:>6} {:>6} {:>6}  {:>12}  {:>8}  pin",
        "run", "when", "pipeline", "outcome", "ran", "reused", "failed", "took", "paid"
    ))?;
    for run in &told {
        let sum = run.sum();
        let when = run
            .begun
            .as_ref()
            .map_or_else(|| "?".to_owned(), |begun| talk::when(begun.at_ms));
        let took = match run.totals {
            Some(_) => talk::duration(sum.seconds),
            None => "–".to_owned(),
        };
        let line = format!(
            "{:>5}  {when:16}  {:named$}  {:8}  {:>6} {:>6} {:>6}  {took:>12}  {:>8}  {}",
            run.number,
            run.pipeline(),
            run.outcome(),
            sum.ran,
            sum.reused,
            sum.failed,
            talk::money(sum.usd),
            run.pin
                .as_deref()
                .map_or("", |name| if name.is_empty() { "pinned" } else { name }),
        );
        talk::data(line.trim_end())?;
    }
    Ok(())
}

/// One run as a line of `--json`.
pub(super) fn summary(run: &Told) -> serde_json::Value {
    let sum = run.sum();
    let begun = run.begun.as_ref();
    json!({
        "run": run.number,
        "pipeline": begun.map(|begun| &begun.pipeline),
        "file": begun.map(|begun| &begun.file),
        "asked": begun.map(|begun| &begun.asked),
        "at_ms": begun.map(|begun| begun.at_ms),
        "outcome": run.outcome(),
        "ran": sum.ran,
        "reused": sum.reused,
        "failed": sum.failed,
        "skipped": sum.skipped,
        "seconds": run.totals.as_ref().map(|totals| totals.seconds),
        "usd": sum.usd,
        "pin": run.pin,
    })
}

fn events(global: &Global, store: &Store, number: u64) -> Result<(), Stopped> {
    let path = store.runs().events(number);
    if global.json {
        for line in journal::lines(&path) {
            talk::data(&line)?;
        }
        return Ok(());
    }
    for (t, event) in journal::timed(&path) {
        let t = t.map_or_else(|| "–".to_owned(), |t| format!("{t:.3}"));
        for line in said(&event) {
            talk::data(&format!("{t:>9} s  {line}"))?;
        }
    }
    if store.runs().is_live(number) {
        talk::say(global, &format!("run {number} is still running"));
    }
    Ok(())
}

/// An event in words, on as many lines as it needs.
fn said(event: &Event) -> Vec<String> {
    match event {
        Event::RunStarted {
            run,
            pipeline,
            file,
            asked,
            at_ms,
            known,
            ..
        } => {
            let words = history::words(file, asked);
            vec![
                format!(
                    "begun     run {run} of {pipeline}, {}, {} known",
                    talk::when(*at_ms),
                    talk::plural(*known, "stage run")
                ),
                format!("asked     {words}  in {}", asked.dir),
            ]
        }
        Event::MadeFrom(from) => {
            let mut lines = vec![format!("made by   kyo {}", from.kyo)];
            for (name, digest) in &from.files {
                lines.push(format!("read      {name}  {}", digest.short()));
            }
            for (role, model) in &from.models {
                lines.push(format!("model     {role}: {model}"));
            }
            lines
        }
        Event::Grown { known } => vec![format!(
            "grown     {} known",
            talk::plural(*known, "stage run")
        )],
        Event::NodeStarted { address, uses, .. } => vec![format!("started   {address}  {uses}")],
        Event::NodeNoted { .. } => Vec::new(),
        Event::Called {
            address,
            kind,
            who,
            key,
            state,
            usd,
            ..
        } => {
            let word = match state {
                CallState::Made => "called",
                CallState::Reused => "recalled",
            };
            vec![format!(
                "{word:9} {address}  {kind} {who} {}  {}",
                key.digest().short(),
                talk::money(*usd)
            )]
        }
        Event::BudgetReached { address, failure } => {
            vec![format!("no money  {address}  {}", failure.message)]
        }
        Event::NodeRetried {
            address,
            failure,
            attempt,
        } => {
            let first = failure.message.lines().next().unwrap_or_default();
            vec![format!("again     {address}  after try {attempt}: {first}")]
        }
        Event::NodeFinished(finished) => ended(finished),
        Event::OutputsMade { outputs, .. } => outputs
            .iter()
            .map(|(name, digest)| format!("output    {name}  {}", digest.short()))
            .collect(),
        Event::RunFinished(totals) => {
            let how = if totals.stopped { "stopped" } else { "done" };
            vec![format!(
                "{how:9} {} in {}",
                crate::progress::counts(totals),
                talk::duration(totals.seconds)
            )]
        }
    }
}

fn ended(one: &Finished) -> Vec<String> {
    let address = &one.address;
    match one.state {
        FinalState::Ran => {
            let made: Vec<_> = one
                .outputs
                .iter()
                .map(|(name, digest)| format!("{name} {}", digest.short()))
                .collect();
            let cost = format!("{}, {}", talk::duration(one.seconds), talk::money(one.usd));
            vec![format!("ran       {address}  {cost}  {}", made.join(", "))]
        }
        FinalState::Reused => {
            let saved = format!(
                "{}, {}",
                talk::duration(one.saved_seconds),
                talk::money(one.saved_usd)
            );
            vec![format!("reused    {address}  saved {saved}")]
        }
        FinalState::Skipped => {
            vec![format!("skipped   {address}  {}", because(one))]
        }
        FinalState::Failed => {
            let failure = one.failure.as_ref();
            let message = failure.map_or("", |failure| failure.message.as_str());
            let mut lines = vec![format!("FAILED    {address}")];
            lines.extend(message.lines().map(|line| format!("            {line}")));
            if let Some(place) = &one.place {
                lines.push(format!("            spec {place}"));
            }
            lines
        }
    }
}
