//! The papers of a run: their pages, their numbers, and where the numbers stand.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kyobashi_cache::{Digest, Store};
use kyobashi_engine::artifact::{Artifact, Artifacts};
use kyobashi_engine::run::Finished;
use serde_json::{Value, json};

use crate::exit::Stopped;
use crate::history::{self, Told};

/// Papers on one page; each brings its pages as images.
const MOST: usize = 12;

/// A paper that the run set.
pub(super) struct Paper {
    address: String,
    title: String,
    /// As data URIs.
    pages: Vec<String>,
    numbers: Value,
    areas: Value,
}

/// The papers of a run: those among its outputs, or all where none is.
pub(super) fn papers(store: &Store, told: &Told) -> Result<Vec<Paper>, Stopped> {
    let outputs = told.artifacts(store).unwrap_or_default();
    let mut delivered = Vec::new();
    outputs
        .values()
        .for_each(|artifact| artifact.blobs(&mut delivered));
    let delivered: BTreeSet<Digest> = delivered.into_iter().collect();
    let is_output = |one: &Finished| {
        let pdf = one.outputs.get("pdf");
        outputs
            .values()
            .any(|artifact| Some(&artifact.digest()) == pdf)
    };
    // What was set last stands first, and before it what is an output of its own.
    let set = told
        .finished
        .iter()
        .rev()
        .filter(|one| one.uses == "paper/set");
    let mut set: Vec<&Finished> = set.collect();
    set.sort_by_key(|one| !is_output(one));
    let out = |one: &Finished| {
        one.outputs
            .get("pdf")
            .is_some_and(|pdf| delivered.contains(pdf))
    };
    let any = set.iter().any(|one| out(one));
    let chosen = set.into_iter().filter(|one| !any || out(one));
    let mut papers = Vec::new();
    for one in chosen {
        if papers.len() < MOST
            && let Some(paper) = paper(store, one)?
        {
            papers.push(paper);
        }
    }
    Ok(papers)
}

fn paper(store: &Store, one: &Finished) -> Result<Option<Paper>, Stopped> {
    let Some(record) = history::record(store, one)? else {
        return Ok(None);
    };
    let outputs: Artifacts = serde_json::from_str(&record.outputs).map_err(Stopped::fault)?;
    let value = |name: &str| -> Result<Value, Stopped> {
        match outputs.get(name) {
            Some(Artifact::Large(digest)) => {
                serde_json::from_slice(&store.read(digest)?).map_err(Stopped::fault)
            }
            Some(other) => Ok(other.plain().unwrap_or_default()),
            None => Ok(Value::Null),
        }
    };
    let mut pages = Vec::new();
    for page in outputs
        .get("pages")
        .and_then(Artifact::members)
        .unwrap_or_default()
    {
        if let Artifact::File(file) = page {
            let image = STANDARD.encode(store.read(&file.digest)?);
            pages.push(format!("data:image/png;base64,{image}"));
        }
    }
    let text = match outputs.get("text") {
        Some(Artifact::File(file)) => store.read(&file.digest)?,
        _ => Vec::new(),
    };
    let title = String::from_utf8_lossy(&text)
        .lines()
        .next()
        .unwrap_or_default()
        .to_owned();
    Ok(Some(Paper {
        address: one.address.clone(),
        title,
        pages,
        numbers: value("numbers")?,
        areas: value("areas")?,
    }))
}

impl Paper {
    fn rows(&self) -> impl Iterator<Item = &Value> {
        self.numbers["numbers"].as_array().into_iter().flatten()
    }

    pub(super) fn numbers(&self) -> usize {
        self.rows().count()
    }

    /// Digests of the documents that its numbers stand in.
    pub(super) fn makers(&self) -> impl Iterator<Item = Digest> {
        self.rows().flat_map(|number| {
            let inputs = number["inputs"].as_array().into_iter().flatten();
            let all = inputs
                .chain([number])
                .filter_map(|one| one["digest"].as_str());
            all.filter_map(|digest| digest.parse().ok())
                .collect::<Vec<Digest>>()
        })
    }

    pub(super) fn document(&self) -> Value {
        json!({
            "address": self.address,
            "title": self.title,
            "provenance": self.numbers["provenance"],
            "pages": self.pages,
            "sizes": self.areas["pages"],
            "areas": self.areas["areas"],
            "numbers": self.numbers["numbers"],
        })
    }
}
