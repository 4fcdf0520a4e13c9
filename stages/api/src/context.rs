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
        perform: &mut dyn FnMut(&dyn Outbox) -> Result<Reply, Failure>,
    ) -> Result<Reply, Failure>;

    /// Reports progress; cheap, may be called at every step.
    fn note(&self, note: Note);

    /// An empty folder of this attempt alone, removed afterwards.
    fn scratch(&self) -> &Path;

    /// Whether the run is being stopped; long work asks now and then and returns a failure.
    fn cancelled(&self) -> bool;

    /// The value of a secret that the stage listed, or of its model provider's key.
    fn secret(&self, name: &str) -> Option<String>;

    /// Which generation of its model's replies the user wants: 0 are the first, and each later one was
    /// asked for afresh. It belongs into every request to a model, so that generations live side by side.
    fn generation(&self) -> u64 {
        0
    }
}

/// Told of what leaves the machine, so that it can be said what is perhaps billed.
pub trait Outbox {
    /// A request is about to leave.
    ///
    /// # Errors
    /// If that cannot be written down: then it must not leave.
    fn leaves(&self) -> Result<(), Failure>;

    /// The request that left last is surely not billed: it did not arrive, or it was refused.
    fn came_back(&self);
}

/// The kind of a request to a language model; budgets count these.
pub const MODEL_CALL: &str = "model";

/// A request as data. Its key is the digest of kind and document; credentials are never in it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// What is asked: [`MODEL_CALL`], `literature`.
    pub kind: String,
    /// The whole request (models.md: dialect, endpoint, API version, body, sample, generation).
    pub document: Value,
    /// Who is asked, for people: `openai/gpt-4o-mini`. Not part of the key.
    #[serde(default)]
    pub who: String,
    /// What it can cost. Not part of the key.
    #[serde(default)]
    pub price: Price,
}

/// What a call can cost before it is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Price {
    #[default]
    Free,
    /// Somebody may ask for money, and nobody here knows how much.
    Unknown,
    /// US dollars.
    Between { least: f64, most: f64 },
}

/// The answer to a [`Request`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// The answer, with usage, latency and identifiers as the kind documents them.
    pub document: Value,
    /// What it cost, US dollars.
    pub usd: f64,
    /// What was counted for it, if it was counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<Tokens>,
}

/// Tokens of a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokens {
    pub input: u64,
    pub output: u64,
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
