//! `kyo plan`

use std::collections::BTreeMap;

use kyobashi_cache::Store;
use kyobashi_engine::run::preview::{self, Change, Planned, Prospect};
use kyobashi_engine::spec::Place;
use kyobashi_science::Providers;
use serde_json::Value;

use crate::arguments::{Global, Pipeline, Plan};
use crate::exit::{self, Code, Stopped};
use crate::journal;
use crate::surroundings::{self, Surroundings};
use crate::talk;
use crate::workspace::{self, Catalogue};

pub(super) fn plan(global: &Global, arguments: &Plan) -> Result<Code, Stopped> {
    let planned = planned(global, &arguments.pipeline)?;
    if global.json {
        talk::json(&planned)?;
        return Ok(exit::DONE);
    }
    let width = planned
        .iter()
        .map(|node| node.address.chars().count())
        .max()
        .unwrap_or(0)
        .min(60);
    for node in &planned {
        let mut line = format!(
            "{} {:width$}  {}",
            sign(node.state),
            node.address,
            word(node.state)
        );
        if let Some(change) = node.because.first()
            && node.state != Prospect::Reused
        {
            line.push_str(&format!("  {}", said(change)));
        }
        talk::data(&line)?;
    }
    talk::data(&total(&planned))?;
    Ok(exit::DONE)
}

/// What a run of this pipeline would do.
pub(super) fn planned(global: &Global, pipeline: &Pipeline) -> Result<Vec<Planned>, Stopped> {
    let surroundings = Surroundings::read();
    let catalogue = Catalogue::new(Providers::default());
    let spec = workspace::spec(global, pipeline, &catalogue, &surroundings, false)?;
    let store = workspace::open(global, Some(&pipeline.file))?;
    let sources = workspace::sources(&spec, &store)?;
    let last = last(&store);
    Ok(preview::preview(
        &spec,
        &sources,
        &store,
        &surroundings::machine(),
        &last,
    )?)
}

/// The keys of every address, from the newest run in which it ended well.
fn last(store: &Store) -> preview::Last {
    let mut last = preview::Last::new();
    let runs = store.runs();
    for number in runs.list().unwrap_or_default().into_iter().rev().take(20) {
        for finished in journal::finished(&runs.events(number)) {
            if let (Some(key), true) = (finished.key, finished.failure.is_none()) {
                last.entry(finished.address).or_insert(key);
            }
        }
    }
    last
}

fn sign(state: Prospect) -> char {
    match state {
        Prospect::Reused => '=',
        Prospect::Run => '>',
        Prospect::Perhaps => '?',
        Prospect::Later => '~',
        Prospect::Frozen => '!',
        Prospect::Skipped => '-',
    }
}

fn word(state: Prospect) -> &'static str {
    match state {
        Prospect::Reused => "reused",
        Prospect::Run => "run",
        Prospect::Perhaps => "perhaps",
        Prospect::Later => "later",
        Prospect::Frozen => "frozen",
        Prospect::Skipped => "skipped",
    }
}

/// A change on one line, with the place where it is written.
pub(super) fn said(change: &Change) -> String {
    let place = change.place.as_ref().map(at).unwrap_or_default();
    if change.field == "new" {
        return format!("not run before  {place}");
    }
    let (old, new) = (shown(&change.old), shown(&change.new));
    match (change.old.is_null(), change.new.is_null()) {
        (_, true) => format!("if {} differs from {old}  {place}", change.field),
        (true, false) => format!("{} is new: {new}  {place}", change.field),
        _ => format!("{} {old} -> {new}  {place}", change.field),
    }
}

pub(super) fn at(place: &Place) -> String {
    format!("{}:{}:{}", place.file, place.line, place.col)
}

/// A recipe's value for people: short.
fn shown(value: &Value) -> String {
    let text = match value.get("value") {
        Some(Value::String(text)) => text.clone(),
        Some(model) if model.get("provider").is_some() => {
            let word = |name| model.get(name).and_then(Value::as_str).unwrap_or_default();
            [word("provider"), word("id")]
                .iter()
                .filter(|w| !w.is_empty())
                .copied()
                .collect::<Vec<_>>()
                .join("/")
        }
        Some(value) => value.to_string(),
        None => match value
            .as_object()
            .and_then(|map| map.iter().find(|(name, _)| *name != "members"))
        {
            Some((kind, digest)) => {
                let digest = digest.as_str().unwrap_or_default();
                format!("{kind} {}", &digest[..digest.len().min(12)])
            }
            None => "nothing".to_owned(),
        },
    };
    let mut line = text.lines().next().unwrap_or_default().chars();
    let start: String = line.by_ref().take(48).collect();
    if line.next().is_some() || text.lines().count() > 1 {
        format!("{start}…")
    } else {
        start
    }
}

fn total(planned: &[Planned]) -> String {
    let mut counts: BTreeMap<Prospect, u64> = BTreeMap::new();
    let (mut usd, mut seconds, mut unknown) = (0.0, 0.0, 0);
    for node in planned {
        *counts.entry(node.state).or_default() += 1;
        if matches!(node.state, Prospect::Run | Prospect::Perhaps) {
            usd += node.usd.unwrap_or(0.0);
            seconds += node.seconds.unwrap_or(0.0);
            unknown += u64::from(node.seconds.is_none());
        }
    }
    let parts: Vec<_> = counts
        .iter()
        .map(|(state, count)| format!("{count} {}", word(*state)))
        .collect();
    let mut text = parts.join(", ");
    if seconds > 0.0 {
        text.push_str(&format!(
            ".  From recorded runs: at most {} and {} of work",
            talk::money(usd),
            talk::duration(seconds)
        ));
    }
    if unknown > 0 {
        text.push_str(&format!(
            ".  {} without a record",
            talk::plural(unknown, "stage run")
        ));
    }
    text
}
