//! What two runs were asked for and made from, side by side.

use std::collections::{BTreeMap, BTreeSet};

use kyobashi_cache::{Digest, Store};
use kyobashi_engine::artifact::{Artifact, Artifacts};
use serde::Serialize;
use serde_json::{Value, json};
use similar::{ChangeTag, TextDiff};

use crate::history::Told;

/// The name under which the words of the command line are kept as a file; they are told apart.
const COMMAND_LINE: &str = "command line";

/// One thing with a name that differs; null on the side where it is not.
#[derive(Serialize)]
pub(crate) struct Change {
    pub(crate) name: String,
    pub(crate) old: Value,
    pub(crate) new: Value,
}

/// One file of the pipeline that differs.
#[derive(Serialize)]
pub(crate) struct Edited {
    pub(crate) name: String,
    pub(crate) old: Option<Digest>,
    pub(crate) new: Option<Digest>,
    /// Lines that were added and removed; none where a text is no longer in the store.
    pub(crate) added: Option<u64>,
    pub(crate) removed: Option<u64>,
    /// The lines that differ, as a unified difference.
    pub(crate) lines: Option<String>,
}

/// What differs between two maps; equal entries are counted.
fn changes(
    old: &BTreeMap<String, Value>,
    new: &BTreeMap<String, Value>,
    same: &mut u64,
) -> Vec<Change> {
    let names: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    let mut found = Vec::new();
    for name in names {
        if old.get(name) == new.get(name) {
            *same += 1;
            continue;
        }
        let of = |map: &BTreeMap<String, Value>| map.get(name).cloned().unwrap_or_default();
        found.push(Change {
            name: name.clone(),
            old: of(old),
            new: of(new),
        });
    }
    found
}

pub(super) fn asked(old: &Told, new: &Told) -> Vec<Change> {
    let words = |told: &Told| {
        let mut words = BTreeMap::new();
        let Some(begun) = &told.begun else {
            return words;
        };
        let asked = &begun.asked;
        let joined = |list: &[String]| match list {
            [] => Value::Null,
            words => json!(words.join(" ")),
        };
        words.insert("pipeline".to_owned(), json!(begun.pipeline));
        words.insert("file".to_owned(), json!(begun.file));
        words.insert("--profile".to_owned(), json!(asked.profile));
        words.insert("--values".to_owned(), json!(asked.values));
        words.insert("--set".to_owned(), joined(&asked.set));
        words.insert("--pool".to_owned(), joined(&asked.pool));
        words.insert("--jobs".to_owned(), json!(asked.jobs));
        words.insert("--refresh".to_owned(), joined(&told.made_from.refresh));
        words
    };
    changes(&words(old), &words(new), &mut 0)
}

pub(super) fn settings(old: &Told, new: &Told, same: &mut u64) -> Vec<Change> {
    let all = |told: &Told| {
        let from = &told.made_from;
        let params = from.params.iter();
        let params = params.map(|(name, value)| (format!("params.{name}"), value.clone()));
        let models = from.models.iter();
        let models = models.map(|(name, model)| (format!("models.{name}"), json!(model)));
        let machine = from.machine.iter();
        let machine = machine.map(|(name, value)| (format!("machine.{name}"), json!(value)));
        let mut all: BTreeMap<String, Value> = params.chain(models).chain(machine).collect();
        all.insert("kyo".to_owned(), json!(from.kyo));
        all
    };
    changes(&all(old), &all(new), same)
}

pub(super) fn data(store: &Store, old: &Told, new: &Told, same: &mut u64) -> Vec<Change> {
    let all = |told: &Told| {
        let sources = sources(store, told).into_iter();
        let outline = |artifact: &Artifact| json!({ artifact.kind(): artifact.digest() });
        sources
            .map(|(path, artifact)| (path, outline(&artifact)))
            .collect()
    };
    changes(&all(old), &all(new), same)
}

/// The files and folders that a run read as data, by path.
pub(crate) fn sources(store: &Store, told: &Told) -> Artifacts {
    let bytes = told.made_from.sources.map(|digest| store.read(&digest));
    bytes
        .and_then(Result::ok)
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default()
}

pub(super) fn files(store: &Store, old: &Told, new: &Told, same: &mut u64) -> Vec<Edited> {
    let (a, b) = (&old.made_from.files, &new.made_from.files);
    let names: BTreeSet<_> = a.keys().chain(b.keys()).collect();
    let mut found = Vec::new();
    for name in names.into_iter().filter(|name| *name != COMMAND_LINE) {
        let (old, new) = (a.get(name).copied(), b.get(name).copied());
        if old == new {
            *same += 1;
            continue;
        }
        let text = |digest: Option<Digest>| match digest {
            Some(digest) => String::from_utf8(store.read(&digest).ok()?).ok(),
            None => Some(String::new()),
        };
        let lines = text(old)
            .zip(text(new))
            .map(|(old, new)| Lines::of(&old, &new));
        found.push(Edited {
            name: name.clone(),
            old,
            new,
            added: lines.as_ref().map(|lines| lines.added),
            removed: lines.as_ref().map(|lines| lines.removed),
            lines: lines.map(|lines| lines.text),
        });
    }
    found
}

/// How two texts differ, line by line.
pub(super) struct Lines {
    pub(super) added: u64,
    pub(super) removed: u64,
    pub(super) text: String,
}

impl Lines {
    pub(super) fn of(old: &str, new: &str) -> Self {
        let diff = TextDiff::from_lines(old, new);
        let count = |tag| {
            diff.iter_all_changes()
                .filter(|one| one.tag() == tag)
                .count() as u64
        };
        Self {
            added: count(ChangeTag::Insert),
            removed: count(ChangeTag::Delete),
            text: diff.unified_diff().context_radius(1).to_string(),
        }
    }
}
