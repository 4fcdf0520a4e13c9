//! What a stage may use while it works.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Failure;

/// The engine's side of a running stage.
pub trait Context: Send + Sync {
    /// A keyed call to the world (a model's reply, a literature query). If the store holds the reply
    /// to an equal request, it is returned and `perform` is not called; else `perform` runs once,
    /// its reply is stored durably before this returns, and equal requests elsewhere wait for it.
    ///
    /// # Errors
    /// What `perform` returned; failures are not stored.
    fn call(
        &self,
        request: &Request,
        perform: &mut dyn FnMut() -> Result<Reply, Failure>,
    ) -> Result<Reply, Failure>;

    /// Reports progress; cheap, may be called at every step.
    fn note(&self, note: Note);

    /// An empty folder of this attempt alone, removed afterwards.
    fn scratch(&self) -> &Path;

    /// Whether the run is being stopped; long work asks now and then and returns a failure.
    fn cancelled(&self) -> bool;

    /// The value of a secret that the stage listed, or of its model provider's key.
    fn secret(&self, name: &str) -> Option<String>;
}

/// A request as data. Its key is the digest of everything in it; credentials are never in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// What is asked: `model`, `literature`.
    pub kind: String,
    /// The whole request (models.md: dialect, endpoint, API version, body, sample, generation).
    pub document: Value,
}

/// The answer to a [`Request`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// The answer, with usage, latency and identifiers as the kind documents them.
    pub document: Value,
    /// What it cost, US dollars.
    pub usd: f64,
}

/// Progress of a running stage.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Note {
    /// Steps done, of `total`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// Seconds still to go, as far as the stage can tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eta: Option<f64>,
    /// Named values of the moment: `loss`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, f64>,
    /// A line for the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}
