//! The runs of a store, as their journals tell them. Decides nothing and changes nothing.

use std::collections::BTreeMap;

use kyobashi_cache::{Digest, Key, Kind, Record, Runs, Store};
use kyobashi_engine::artifact::Artifacts;
use kyobashi_engine::run::{Asked, Event, Finished, MadeFrom, Totals};
use serde_json::Value;

use crate::exit::Stopped;
use crate::journal;

/// One run.
pub(crate) struct Told {
    pub(crate) number: u64,
    /// Absent where not even the first line was written.
    pub(crate) begun: Option<Begun>,
    pub(crate) made_from: MadeFrom,
    /// The ended stage runs, in order.
    pub(crate) finished: Vec<Finished>,
    /// Keyed calls to the world: who made them, and which.
    pub(crate) called: Vec<(String, Key)>,
    /// Digests of the pipeline's outputs, and the blob with the outputs themselves.
    pub(crate) outputs: BTreeMap<String, Digest>,
    pub(crate) content: Option<Digest>,
    /// Absent while it runs, and of a run that was killed.
    pub(crate) totals: Option<Totals>,
    pub(crate) live: bool,
    pub(crate) pin: Option<String>,
}

/// How a run began.
pub(crate) struct Begun {
    pub(crate) pipeline: String,
    pub(crate) file: String,
    pub(crate) asked: Asked,
    /// Milliseconds since 1970.
    pub(crate) at_ms: u64,
}

impl Begun {
    /// The command that asked for it.
    pub(crate) fn words(&self) -> String {
        words(&self.file, &self.asked)
    }
}

/// A run's command, put together from how it was asked for.
pub(crate) fn words(file: &str, asked: &Asked) -> String {
    let mut words = vec![format!("kyo run {file}")];
    if let Some(profile) = &asked.profile {
        words.push(format!("--profile {profile}"));
    }
    if let Some(values) = &asked.values {
        words.push(format!("--values {values}"));
    }
    words.extend(asked.set.iter().map(|set| format!("--set '{set}'")));
    words.extend(asked.pool.iter().map(|pool| format!("--pool '{pool}'")));
    words.extend(asked.jobs.map(|jobs| format!("--jobs {jobs}")));
    words.join(" ")
}

impl Told {
    /// Reads a run's journal.
    pub(crate) fn read(runs: &Runs, number: u64, pins: &BTreeMap<u64, String>) -> Self {
        // First whether it lives: a run that ends between the two is not taken for a killed one.
        let live = runs.is_live(number);
        let mut told = Self {
            number,
            begun: None,
            made_from: MadeFrom::default(),
            finished: Vec::new(),
            called: Vec::new(),
            outputs: BTreeMap::new(),
            content: None,
            totals: None,
            live,
            pin: pins.get(&number).cloned(),
        };
        for event in journal::events(&runs.events(number)) {
            told.hear(event);
        }
        told
    }

    /// Enough for a line about the run: without its stage runs, of which there may be thousands, where
    /// its totals are known.
    pub(crate) fn in_short(mut self) -> Self {
        if self.totals.is_some() {
            self.finished = Vec::new();
        }
        self
    }

    fn hear(&mut self, event: Event) {
        match event {
            Event::RunStarted { .. } => self.begun = begun(event),
            Event::MadeFrom(made_from) => self.made_from = made_from,
            Event::Called { address, key, .. } => self.called.push((address, key)),
            Event::NodeFinished(finished) => self.finished.push(finished),
            Event::OutputsMade { outputs, content } => {
                (self.outputs, self.content) = (outputs, content);
            }
            Event::RunFinished(totals) => self.totals = Some(totals),
            Event::BudgetReached { .. }
            | Event::Grown { .. }
            | Event::NodeStarted { .. }
            | Event::NodeNoted { .. }
            | Event::NodeRetried { .. } => {}
        }
    }

    /// The totals; of a run without an end, what its ended stage runs come to.
    pub(crate) fn sum(&self) -> Totals {
        self.totals.clone().unwrap_or_else(|| {
            let mut totals = Totals::default();
            self.finished.iter().for_each(|one| totals.count(one));
            totals
        })
    }

    /// How it went, in one word.
    pub(crate) fn outcome(&self) -> &'static str {
        match &self.totals {
            None if self.live => "running",
            None => "killed",
            Some(totals) if totals.stopped => "stopped",
            Some(totals) if totals.failed > 0 => "failed",
            Some(_) => "done",
        }
    }

    /// The name of its pipeline.
    pub(crate) fn pipeline(&self) -> &str {
        self.begun
            .as_ref()
            .map_or("?", |begun| begun.pipeline.as_str())
    }

    /// The pipeline's outputs, if they are still in the store.
    pub(crate) fn artifacts(&self, store: &Store) -> Option<Artifacts> {
        serde_json::from_slice(&store.read(self.content.as_ref()?).ok()?).ok()
    }
}

/// How a run began, if this is its first event.
pub(crate) fn begun(event: Event) -> Option<Begun> {
    match event {
        Event::RunStarted {
            pipeline,
            file,
            asked,
            at_ms,
            ..
        } => Some(Begun {
            pipeline,
            file,
            asked,
            at_ms,
        }),
        _ => None,
    }
}

/// The run that `text` means: a number, `last`, or a pinned name.
///
/// # Errors
/// When there is no such run.
pub(crate) fn find(runs: &Runs, text: &str) -> Result<u64, Stopped> {
    let all = runs.list()?;
    let Some(last) = all.last().copied() else {
        return Err(Stopped::wrong("this store has no runs")
            .help("`kyo run FILE` makes one; another store is named with `--store DIR`"));
    };
    if text == "last" {
        return Ok(last);
    }
    let pins = runs.pins()?;
    if let Some((number, _)) = pins.iter().rev().find(|(_, name)| *name == text) {
        return Ok(*number);
    }
    if let Ok(number) = text.parse::<u64>()
        && all.contains(&number)
    {
        return Ok(number);
    }
    let error = Stopped::wrong(format!("there is no run `{text}`"));
    let names: Vec<String> = pins.into_values().filter(|name| !name.is_empty()).collect();
    let near = nearest(text, names.iter().map(String::as_str));
    Err(match near {
        Some(near) => error.help(format!("did you mean `{near}`? `kyo log` lists all runs")),
        None => error.help(format!(
            "runs are numbered {} to {last}; `kyo log` lists them",
            all[0]
        )),
    })
}

/// The name that is nearest to what was typed, if one is near.
pub(crate) fn nearest<'a>(typed: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    names
        .map(|name| (strsim::jaro_winkler(name, typed), name))
        .filter(|(near, _)| *near > 0.7)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

/// What the store has of a stage run: the record that holds what the run saw, or else the newest;
/// one whose files are gone only where there is no other.
///
/// # Errors
/// When the store cannot be read.
pub(crate) fn record(store: &Store, one: &Finished) -> Result<Option<Record>, Stopped> {
    let Some(key) = &one.key else { return Ok(None) };
    let same = |record: &Record| {
        serde_json::from_str::<Artifacts>(&record.outputs).is_ok_and(|outputs| {
            outputs
                .iter()
                .all(|(name, made)| one.outputs.get(name) == Some(&made.digest()))
        })
    };
    let entries = store.history(Kind::Stage, key)?.into_iter();
    // The first of the least: entries come newest first.
    let found = entries.min_by_key(|entry| (!entry.complete, !same(&entry.record)));
    Ok(found.map(|entry| entry.record))
}

/// A word of a record's note: `address`, `run`, `provenance`.
pub(crate) fn noted(note: &str, word: &str) -> Option<String> {
    let note: Value = serde_json::from_str(note).ok()?;
    match note.get(word)? {
        Value::String(text) => Some(text.clone()),
        Value::Null => None,
        other => Some(other.to_string()),
    }
}
