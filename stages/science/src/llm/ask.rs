//! What is asked of a model and what it answers, in no dialect.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::image::Image;

/// A question to a model.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Ask {
    /// Standing instructions; none if empty.
    pub(crate) system: String,
    /// The talk so far, beginning and ending with the user.
    pub(crate) turns: Vec<Turn>,
    /// The form that the reply must have, where the server can promise it.
    pub(crate) schema: Option<Schema>,
    /// `temperature`, `max_tokens`, …: only what the user set.
    pub(crate) settings: BTreeMap<String, Value>,
    /// Which of several answers to the same question this is.
    pub(crate) sample: u64,
}

/// One turn of a talk.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Turn {
    pub(crate) who: Who,
    pub(crate) text: String,
    /// Pictures, after the text.
    pub(crate) images: Vec<Image>,
}

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    User,
    Model,
}

/// A JSON Schema with a name.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Schema {
    pub(crate) name: String,
    /// Every object in it closed and every property required, which strict servers ask for.
    pub(crate) schema: Value,
}

/// A reply, in no dialect.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Answer {
    pub(crate) text: String,
    pub(crate) finish: Finish,
    pub(crate) usage: Usage,
    /// The model that answered, as the server names it.
    pub(crate) model_returned: Option<String>,
    /// The server's id of the reply.
    pub(crate) id: Option<String>,
}

/// Why a reply ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Finish {
    /// It was complete.
    #[default]
    Stop,
    /// It reached the limit of tokens.
    Length,
    /// The model or a filter refused.
    Refusal,
    /// For a reason that this client does not know.
    Other,
}

/// Tokens of a call. `input` holds the cached ones too, `output` the reasoning ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Usage {
    pub(crate) input: u64,
    pub(crate) cached: u64,
    /// Tokens written into the server's cache, which some servers charge more for.
    pub(crate) cache_write: u64,
    pub(crate) output: u64,
    pub(crate) reasoning: u64,
}

impl Ask {
    /// A question of one turn.
    pub(crate) fn new(system: &str, user: &str) -> Self {
        Self {
            system: system.to_owned(),
            turns: vec![Turn::user(user)],
            ..Self::default()
        }
    }

    /// The question as it enters a key: with the digests of its pictures.
    pub(super) fn named(&self) -> Self {
        let mut named = self.clone();
        for image in named.turns.iter_mut().flat_map(|turn| &mut turn.images) {
            *image = image.named();
        }
        named
    }

    /// How many pictures it has.
    pub(super) fn pictures(&self) -> u64 {
        self.turns.iter().map(|turn| turn.images.len() as u64).sum()
    }

    /// Copies the named settings into a body, under the dialect's own names.
    pub(super) fn copy_settings(&self, names: &[(&str, &str)], body: &mut Map<String, Value>) {
        for (name, own) in names {
            if let Some(value) = self.settings.get(*name) {
                body.insert((*own).to_owned(), value.clone());
            }
        }
    }

    /// Merges `extra_body` into a body; its fields win.
    pub(super) fn extend(&self, body: &mut Map<String, Value>) {
        if let Some(Value::Object(extra)) = self.settings.get("extra_body") {
            body.extend(extra.clone());
        }
    }
}

impl Turn {
    pub(crate) fn user(text: &str) -> Self {
        Self {
            who: Who::User,
            text: text.to_owned(),
            images: Vec::new(),
        }
    }

    /// The content as a list of a part for the text and one for each picture; the plain text where there
    /// is no picture.
    pub(super) fn content(
        &self,
        text: impl Fn(&str) -> Value,
        image: impl Fn(&Image) -> Value,
    ) -> Value {
        if self.images.is_empty() {
            return self.text.clone().into();
        }
        let parts = std::iter::once(text(&self.text));
        parts.chain(self.images.iter().map(image)).collect()
    }

    pub(crate) fn model(text: &str) -> Self {
        Self {
            who: Who::Model,
            text: text.to_owned(),
            images: Vec::new(),
        }
    }
}

/// A count of tokens somewhere in a reply.
pub(super) fn count(reply: &Value, pointer: &str) -> u64 {
    reply.pointer(pointer).and_then(Value::as_u64).unwrap_or(0)
}

/// A string somewhere in a reply.
pub(super) fn word(reply: &Value, pointer: &str) -> Option<String> {
    reply.pointer(pointer)?.as_str().map(str::to_owned)
}
