//! A credential in memory. It cannot be printed, and takes itself out of every text.

use std::fmt;

/// A key. Its `Debug` shows nothing of it.
#[derive(Clone)]
pub(super) struct Secret(String);

impl Secret {
    /// None for an empty value, which no server takes.
    pub(super) fn new(value: String) -> Option<Self> {
        let value = value.trim().to_owned();
        (!value.is_empty()).then_some(Self(value))
    }

    /// The value, for the header that carries it.
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether a text holds the credential.
    pub(super) fn is_in(&self, text: &str) -> bool {
        text.contains(&self.0)
    }

    /// A text without the credential.
    pub(super) fn scrub(&self, text: &str) -> String {
        text.replace(&self.0, "[secret]")
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Secret")
    }
}
