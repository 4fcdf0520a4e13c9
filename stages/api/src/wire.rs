//! What the engine and a worker process (the trainer) say to each other: one JSON value a line, on the
//! worker's standard input and output. Standard error is the worker's log.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{Call, Failure, Note, Outputs, Signature};

/// Raised when a line changes its meaning; a worker of another version is refused.
pub const WIRE_VERSION: u32 = 1;

/// Engine to worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum ToWorker {
    /// Run one call; `scratch` is an empty folder for its outputs. One call at a time.
    Run { call: Call, scratch: PathBuf, threads: u32 },
    /// Give up the running call, answer `Failed`.
    Cancel,
}

/// Worker to engine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "snake_case")]
pub enum FromWorker {
    /// The first line after start.
    Ready { wire: u32, libtorch: String, device: String },
    /// Progress of the running call.
    Note { note: Note },
    /// The running call succeeded.
    Done { outputs: Outputs },
    /// The running call failed; the worker goes on.
    Failed { failure: Failure },
}

/// What `--describe` prints, as one JSON document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Description {
    pub wire: u32,
    pub stages: Vec<Signature>,
}
