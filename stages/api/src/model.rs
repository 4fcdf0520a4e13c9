//! A model as a stage sees it: who answers, and with which settings. Credentials are not in it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The provider name of the deterministic author that works without a model.
pub const BASELINE: &str = "baseline";

/// A resolved entry of `models:`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// `openai`, `anthropic`, … or [`BASELINE`].
    pub provider: String,
    /// The model id exactly as sent; empty for the baseline.
    pub id: String,
    /// The base URL without user info and query, or the provider's `identity:`; empty for the baseline.
    pub endpoint: String,
    /// `temperature`, `max_tokens`, `seed`, … only what the user set.
    #[serde(default)]
    pub settings: BTreeMap<String, Value>,
}

impl Model {
    /// Whether the role is played by the baseline author, without any model.
    #[must_use]
    pub fn is_baseline(&self) -> bool {
        self.provider == BASELINE
    }
}

impl std::fmt::Display for Model {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.id.is_empty() {
            out.write_str(&self.provider)
        } else {
            write!(out, "{}/{}", self.provider, self.id)
        }
    }
}
