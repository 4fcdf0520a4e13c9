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
#[expect(
    clippy::large_enum_variant,
    reason = "a handful of these exist in a process"
)]
pub enum ToWorker {
    /// Run one call; `scratch` is an empty folder for its outputs. One call at a time.
    Run {
        call: Call,
        scratch: PathBuf,
        threads: u32,
        /// Where the work may save how far it is; without, a call that is killed begins anew.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        checkpoints: Option<Checkpoints>,
    },
    /// Give up the running call, answer `Failed`.
    Cancel,
}

/// A place for checkpoints of one call: it outlives a killed attempt and is given to the next attempt at
/// the same call, and to no other call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoints {
    /// An existing folder.
    pub dir: PathBuf,
    /// The least seconds between checkpoints; work whose checkpoints cost much waits longer.
    pub every: f64,
}

/// Worker to engine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "snake_case")]
pub enum FromWorker {
    /// The first line after start.
    Ready {
        wire: u32,
        libtorch: String,
        device: String,
    },
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
