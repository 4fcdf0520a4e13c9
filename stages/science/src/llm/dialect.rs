//! The dialects in which model servers are spoken to, behind one trait.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::ask::{Answer, Ask};
use super::provider::Provider;
use super::{anthropic, chat, gemini, responses};

/// A way of writing requests and replies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dialect {
    /// `POST /chat/completions`: OpenAI, and with another base URL DeepSeek, OpenRouter, vLLM, Ollama,
    /// llama.cpp, LiteLLM.
    OpenaiChat,
    /// `POST /responses` of OpenAI.
    OpenaiResponses,
    /// `POST /messages` of Anthropic.
    Anthropic,
    /// `POST /models/…:generateContent` of Google.
    Gemini,
}

/// What a dialect knows: to write a request and to read its reply. It sends nothing.
pub(super) trait Wire: Sync {
    /// The settings that the dialect has, by the names that it gives them.
    fn settings(&self, provider: &Provider) -> &'static [&'static str];

    /// The path below the base URL.
    fn path(&self, model: &str) -> String;

    /// The body, with nothing in it that was not asked for.
    fn body(&self, model: &str, ask: &Ask, provider: &Provider) -> Map<String, Value>;

    /// A complete reply.
    ///
    /// # Errors
    /// Which part of the reply is missing.
    fn answer(&self, reply: &Value) -> Result<Answer, String>;
}

impl Dialect {
    pub(super) fn wire(self) -> &'static dyn Wire {
        match self {
            Self::OpenaiChat => &chat::Chat,
            Self::OpenaiResponses => &responses::Responses,
            Self::Anthropic => &anthropic::Messages,
            Self::Gemini => &gemini::Gemini,
        }
    }

    /// Tokens of a reply at most where the user sets no limit; none where the server chooses.
    pub(super) fn limit(self) -> Option<u64> {
        (self == Self::Anthropic).then_some(anthropic::LIMIT)
    }

    /// The dialect's name as it stands in a pipeline and in keys.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::OpenaiChat => "openai-chat",
            Self::OpenaiResponses => "openai-responses",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
        }
    }

    /// The dialect of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [
            Self::OpenaiChat,
            Self::OpenaiResponses,
            Self::Anthropic,
            Self::Gemini,
        ]
        .into_iter()
        .find(|dialect| dialect.name() == name)
    }
}
