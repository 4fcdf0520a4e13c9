//! Cassettes: the calls of a run as a file that others can replay. A header line, then one line of JSON for
//! each call. It does not know pipelines; whoever replays brings the pipeline along.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, Write};

use kyobashi_cache::{Key, Kind, Lookup, Record, Store, StoreError};
use kyobashi_stage::{Reply, Request};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::memory::{call_key, recipe};
use crate::artifact::canonical;

/// The version of the format.
const VERSION: u32 = 1;

/// The first line of a cassette.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// The version of the format.
    pub kyobashi_cassette: u32,
    pub pipeline: String,
    pub calls: u64,
}

/// One call with its reply.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Taped {
    /// Who was asked, for people: `openai/gpt-4o-mini`.
    pub who: String,
    pub kind: String,
    /// The whole request; the key follows from it and is not taken on trust.
    pub document: Value,
    pub reply: Reply,
    /// What the call took.
    pub seconds: f64,
    /// When it was made, milliseconds since 1970.
    pub at_ms: u64,
}

/// Why a cassette cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum CassetteError {
    #[error("line {line}: {lack}")]
    Broken { line: usize, lack: String },
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Disk(#[from] std::io::Error),
}

/// What replaying a cassette put into a store.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Loaded {
    /// Calls that the store did not have.
    pub new: u64,
    /// Calls that it had; its own replies stay.
    pub known: u64,
}

/// The calls with these keys that the store has, in the order of the keys.
///
/// # Errors
/// When the store cannot be read.
pub fn collect(store: &Store, keys: &BTreeSet<Key>) -> Result<BTreeMap<Key, Taped>, CassetteError> {
    let mut found = BTreeMap::new();
    for key in keys {
        let newest = store.history(Kind::Call, key)?;
        let Some(record) = newest.into_iter().find(|entry| entry.complete) else {
            continue;
        };
        let record = record.record;
        let broken = |error: serde_json::Error| CassetteError::Broken {
            line: 0,
            lack: format!("the stored call {key} is broken: {error}"),
        };
        let recipe: Value = serde_json::from_str(&record.recipe).map_err(broken)?;
        let note: Value = serde_json::from_str(&record.note).unwrap_or_default();
        found.insert(
            *key,
            Taped {
                who: note["who"].as_str().unwrap_or_default().to_owned(),
                kind: recipe["kind"].as_str().unwrap_or_default().to_owned(),
                document: recipe["document"].clone(),
                reply: serde_json::from_str(&record.outputs).map_err(broken)?,
                seconds: record.seconds,
                at_ms: record.started_at_ms,
            },
        );
    }
    Ok(found)
}

/// Writes a cassette.
///
/// # Errors
/// When it cannot be written.
pub fn write(
    out: &mut dyn Write,
    pipeline: &str,
    calls: &BTreeMap<Key, Taped>,
) -> Result<(), CassetteError> {
    let head = Head {
        kyobashi_cassette: VERSION,
        pipeline: pipeline.to_owned(),
        calls: calls.len() as u64,
    };
    writeln!(out, "{}", canonical(&json!(head)))?;
    for taped in calls.values() {
        writeln!(out, "{}", canonical(&json!(taped)))?;
    }
    Ok(())
}

/// Reads a cassette.
///
/// # Errors
/// The first line that is not what it should be.
pub fn read(text: &mut dyn BufRead) -> Result<(Head, Vec<Taped>), CassetteError> {
    let broken = |line, lack: String| CassetteError::Broken { line, lack };
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_else(|| Ok(String::new()))?;
    let head: Head = serde_json::from_str(&first)
        .map_err(|_| broken(1, "this is not the head of a cassette".to_owned()))?;
    if head.kyobashi_cassette != VERSION {
        let lack = format!(
            "a cassette of version {}, and this kyo reads version {VERSION}",
            head.kyobashi_cassette
        );
        return Err(broken(1, lack));
    }
    let mut calls = Vec::new();
    for (index, line) in lines.enumerate() {
        let taped: Taped = serde_json::from_str(&line?)
            .map_err(|error| broken(index + 2, format!("not a call: {error}")))?;
        calls.push(taped);
    }
    if calls.len() as u64 != head.calls {
        let lack = format!(
            "it was cut: {} calls are announced, and {} are there",
            head.calls,
            calls.len()
        );
        return Err(broken(calls.len() + 1, lack));
    }
    Ok((head, calls))
}

/// Puts the calls of a cassette into a store; what the store has stays as it is.
///
/// # Errors
/// When the store cannot be written.
pub fn load(store: &Store, calls: Vec<Taped>) -> Result<Loaded, CassetteError> {
    let mut loaded = Loaded::default();
    for taped in calls {
        let request = Request {
            kind: taped.kind,
            document: taped.document,
            ..Request::default()
        };
        let key = call_key(&request);
        let claim = loop {
            match store.look(Kind::Call, &key)? {
                Lookup::Hit(_) => break None,
                Lookup::Miss(claim) => break Some(claim),
                Lookup::Busy(waiter) => waiter.wait()?,
            }
        };
        let Some(claim) = claim else {
            loaded.known += 1;
            continue;
        };
        claim.save(Record {
            outputs: json!(taped.reply).to_string(),
            recipe: canonical(&recipe(&request)),
            usd: taped.reply.usd,
            seconds: taped.seconds,
            started_at_ms: taped.at_ms,
            note: json!({"who": taped.who, "from": "cassette"}).to_string(),
            ..Record::default()
        })?;
        loaded.new += 1;
    }
    store.flush()?;
    Ok(loaded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lack(text: &str) -> String {
        read(&mut text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn what_is_no_cassette_or_was_cut_is_told_with_its_line() {
        assert!(lack("").starts_with("line 1: this is not the head"));
        assert!(lack("%PDF-1.7\n").starts_with("line 1: this is not the head"));
        let head =
            |version: u32| json!({"kyobashi_cassette": version, "pipeline": "p", "calls": 2});
        assert!(lack(&head(9).to_string()).contains("version 9"));
        assert!(lack(&head(1).to_string()).contains("2 calls are announced, and 0 are there"));
        assert!(lack(&format!("{}\n{{}}\n", head(1))).starts_with("line 2: not a call"));
    }
}
