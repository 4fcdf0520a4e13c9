//! A stage that did not succeed. Failures are data: they go into events and are never cached.

use serde::{Deserialize, Serialize};

/// Whether trying the same call again can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Retry {
    /// The same call would fail in the same way.
    Never,
    /// The cause lies outside the call: a dropped connection, a machine out of memory.
    Possible,
}

/// Something wrong at a place of a text that a stage was given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The text by the name under which messages quote it: `draft.md`.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub col: usize,
    pub message: String,
    /// How to mend it, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// Why a stage failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What went wrong, first line short; may quote the place (`program.py:12:8`).
    pub message: String,
    /// What to do about it, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    pub retry: Retry,
    /// Whether the fault is ours (exit code 70).
    #[serde(default)]
    pub bug: bool,
    /// What is wrong where, for those who mend the text: a writer, an editor. The message says it too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<Place>,
}

impl Failure {
    /// A failure that the same call would repeat.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: None,
            retry: Retry::Never,
            bug: false,
            places: Vec::new(),
        }
    }

    /// A failure that another try may not meet.
    pub fn passing(message: impl Into<String>) -> Self {
        Self {
            retry: Retry::Possible,
            ..Self::new(message)
        }
    }

    /// A fault of the engine or of the stage's author.
    pub fn bug(message: impl Into<String>) -> Self {
        Self {
            bug: true,
            ..Self::new(message)
        }
    }

    /// Adds what is wrong where.
    #[must_use]
    pub fn at(self, places: Vec<Place>) -> Self {
        Self { places, ..self }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn help(self, help: impl Into<String>) -> Self {
        Self {
            help: Some(help.into()),
            ..self
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::passing(error.to_string())
    }
}
