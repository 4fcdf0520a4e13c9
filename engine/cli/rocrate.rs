//! A run as an RO-Crate: its files in a folder or a zip archive, and `ro-crate-metadata.json`, which
//! says what each is and which action made it. After RO-Crate 1.1, Workflow RO-Crate 1.0 and the three
//! Workflow Run profiles 0.5 (process, workflow, provenance).
//!
//! | of the run | in the crate |
//! |---|---|
//! | the pipeline's files | the workflow (`mainEntity`) and its parts |
//! | parameters, models, data | inputs: `FormalParameter`s with their `PropertyValue`s, files and folders |
//! | a stage | a tool (`SoftwareSourceCode`, `SoftwareApplication`) and a `HowToStep` |
//! | a stage run | a `CreateAction` with times, instrument, object and result, and its `ControlAction` |
//! | the run | the workflow's `CreateAction`, and the `OrganizeAction` of `kyo` |
//!
//! It prints nothing.

mod actions;
mod content;
mod files;
mod graph;
mod names;
mod parameters;
mod sink;

use std::path::Path;

use kyobashi_cache::Store;

use files::Files;
pub(crate) use files::Payload;
use graph::Graph;
use sink::Sink;

use crate::exit::Stopped;
use crate::history::Told;

/// What the owner of a run says of it.
pub(crate) struct Wishes<'a> {
    pub(crate) payload: Payload,
    /// An SPDX identifier or a URL.
    pub(crate) license: Option<&'a str>,
    pub(crate) author: Option<&'a str>,
}

/// What was written.
#[derive(serde::Serialize)]
pub(crate) struct Written {
    pub(crate) files: u64,
    pub(crate) bytes: u64,
    pub(crate) actions: u64,
    /// Files that the run names and the store no longer has.
    pub(crate) missing: Vec<String>,
}

/// Writes the crate of a run to a folder that is empty or not there yet, or to a new `.zip`.
///
/// # Errors
/// When something cannot be read or written, or would be overwritten.
pub(crate) fn write(
    store: &Store,
    told: &Told,
    wishes: &Wishes<'_>,
    out: &Path,
) -> Result<Written, Stopped> {
    let mut files = Files::new(store, Sink::new(out)?, wishes.payload);
    let mut graph = Graph::default();
    let run = content::describe(&mut graph, &mut files, told, wishes)?;
    let actions = actions::describe(&mut graph, &mut files, told, &run)?;
    let (entries, mut written) = files.entities();
    written.actions = actions;
    graph.finish(&run.root, entries);
    files.end(graph.text().as_bytes())?;
    Ok(written)
}
