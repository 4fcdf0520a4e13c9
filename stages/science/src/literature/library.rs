//! What every library has in common: how it is asked, and what a paper is.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A published work as a library describes it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Paper {
    pub(crate) title: String,
    /// Names as the library writes them.
    pub(crate) authors: Vec<String>,
    pub(crate) venue: Option<String>,
    pub(crate) year: Option<i64>,
    pub(crate) citations: Option<u64>,
    #[serde(rename = "abstract")]
    pub(crate) summary: Option<String>,
    /// A DOI, an arXiv id, a BibTeX key, or the name of a file.
    pub(crate) id: Option<String>,
    pub(crate) url: Option<String>,
    /// The library that told of it.
    pub(crate) source: String,
}

/// A question as it is sent.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Question {
    /// Below the base URL, with a slash.
    pub(crate) path: &'static str,
    /// What is asked; enters the key of the call.
    pub(crate) query: Vec<(&'static str, String)>,
}

/// How a library wants its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// None is asked for.
    Open,
    /// Optional, in a header.
    Header {
        secret: &'static str,
        header: &'static str,
    },
    /// Optional, in the query.
    Query {
        secret: &'static str,
        name: &'static str,
    },
}

/// A library that can be searched over the network.
pub(crate) trait Library: Sync {
    /// As `engine` names it.
    fn name(&self) -> &'static str;

    fn base_url(&self) -> &'static str;

    fn access(&self) -> Access;

    /// Whether it serves those better who say whom to write to (`mailto`).
    fn polite(&self) -> bool {
        false
    }

    /// The time that it wants between two questions.
    fn pace(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn question(&self, words: &str, most: usize) -> Question;

    /// Reads an answer.
    ///
    /// # Errors
    /// What about it is not as documented.
    fn read(&self, body: &str) -> Result<Vec<Paper>, String>;
}

/// Parses a body that has to be JSON.
pub(crate) fn json(body: &str) -> Result<Value, String> {
    serde_json::from_str(body).map_err(|error| format!("it is not JSON: {error}"))
}

/// A text somewhere in a value, on one line; none if empty.
pub(crate) fn text(value: &Value, at: &str) -> Option<String> {
    let text = one_line(value.pointer(at)?.as_str()?);
    (!text.is_empty()).then_some(text)
}

/// A text without line breaks and double spaces.
pub(crate) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The names at a place in each member of a list.
pub(crate) fn names(list: Option<&Value>, at: &str) -> Vec<String> {
    let members = list.and_then(Value::as_array).into_iter().flatten();
    members.filter_map(|member| text(member, at)).collect()
}
