//! What flows along an edge, by content: the engine's own form of a value, with digests instead of paths.
//!
//! A [`kyobashi_stage::Datum`] is the same thing as a stage sees it. This file knows nothing of the
//! spec and of the store.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use kyobashi_cache::Digest;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Values longer than this (bytes of canonical JSON) live in a blob, not in the record.
pub const INLINE_LIMIT: usize = 16 * 1024;

pub use crate::artifacts::Artifacts;

/// One value by content.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Artifact {
    Value(Arc<Value>),
    /// A value too long for the record; its canonical JSON is the blob.
    Large(Digest),
    File(FileArtifact),
    Dir(FileArtifact),
    List(Arc<Vec<Artifact>>),
    Grid(Arc<Grid>),
    /// The output of a skipped stage, or one that a `may_fail` stage did not make.
    Absent,
}

/// A file or folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FileArtifact {
    pub digest: Digest,
    /// Bytes; of a folder, of all its files together.
    pub size: u64,
    /// Where it lies in the user's workspace, if it is a source and not yet in the store.
    #[serde(skip)]
    pub origin: Option<Arc<PathBuf>>,
}

/// The gathered outputs of a matrix.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Grid {
    pub axes: Vec<String>,
    pub cells: Vec<GridCell>,
}

/// One cell of a [`Grid`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GridCell {
    pub at: Arc<BTreeMap<String, Value>>,
    pub artifact: Artifact,
}

impl Artifact {
    /// The artifact of a plain value.
    #[must_use]
    pub fn value(value: impl Into<Value>) -> Self {
        Self::Value(Arc::new(value.into()))
    }

    /// An artifact of members in order.
    #[must_use]
    pub fn list(items: Vec<Self>) -> Self {
        Self::List(Arc::new(items))
    }

    /// The members of a list, a grid or a JSON array; none for anything else.
    #[must_use]
    pub fn members(&self) -> Option<Vec<Self>> {
        match self {
            Self::List(items) => Some(items.as_ref().clone()),
            Self::Grid(grid) => Some(
                grid.cells
                    .iter()
                    .map(|cell| cell.artifact.clone())
                    .collect(),
            ),
            Self::Value(value) => value
                .as_array()
                .map(|items| items.iter().map(|item| Self::value(item.clone())).collect()),
            _ => None,
        }
    }

    /// As plain JSON; none if there is a file inside.
    #[must_use]
    pub fn plain(&self) -> Option<Value> {
        match self {
            Self::Value(value) => Some(value.as_ref().clone()),
            Self::Absent => Some(Value::Null),
            Self::List(items) => items
                .iter()
                .map(Self::plain)
                .collect::<Option<_>>()
                .map(Value::Array),
            Self::Grid(grid) => {
                let cells = grid.cells.iter().map(|cell| cell.artifact.plain());
                cells.collect::<Option<_>>().map(Value::Array)
            }
            Self::File(_) | Self::Dir(_) | Self::Large(_) => None,
        }
    }

    /// Whether there is nothing.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        match self {
            Self::Absent => true,
            Self::Value(value) => value.is_null(),
            _ => false,
        }
    }

    /// Every blob and tree that the artifact names.
    pub fn blobs(&self, into: &mut Vec<Digest>) {
        match self {
            Self::File(file) | Self::Dir(file) => into.push(file.digest),
            Self::Large(digest) => into.push(*digest),
            Self::List(items) => items.iter().for_each(|item| item.blobs(into)),
            Self::Grid(grid) => grid.cells.iter().for_each(|cell| cell.artifact.blobs(into)),
            Self::Value(_) | Self::Absent => {}
        }
    }

    /// The digest of the content: of a value, the blake3 of its canonical JSON; of a file, of its bytes.
    #[must_use]
    pub fn digest(&self) -> Digest {
        match self {
            Self::Value(value) => Digest::of(canonical(value).as_bytes()),
            Self::Large(digest) => *digest,
            Self::File(file) | Self::Dir(file) => file.digest,
            Self::Absent => Digest::of(b"absent"),
            Self::List(_) | Self::Grid(_) => match self.plain() {
                // A gathered list of values is the same content as the value `[…]`.
                Some(value) if matches!(self, Self::List(_)) => {
                    Digest::of(canonical(&value).as_bytes())
                }
                _ => Digest::of(self.outline().as_bytes()),
            },
        }
    }

    /// A typed text that tells apart every two different contents.
    fn outline(&self) -> String {
        match self {
            Self::Value(_) | Self::Large(_) => format!("v{}", self.digest()),
            Self::File(_) => format!("f{}", self.digest()),
            Self::Dir(_) => format!("d{}", self.digest()),
            Self::Absent => "-".to_owned(),
            Self::List(items) => {
                format!(
                    "[{}]",
                    items
                        .iter()
                        .map(Self::outline)
                        .collect::<Vec<_>>()
                        .join(",")
                )
            }
            Self::Grid(grid) => {
                let cells = grid.cells.iter().map(|cell| {
                    let at = serde_json::to_value(cell.at.as_ref()).expect("coordinates are JSON");
                    format!("{}={}", canonical(&at), cell.artifact.outline())
                });
                format!(
                    "{{{};{}}}",
                    grid.axes.join(","),
                    cells.collect::<Vec<_>>().join(",")
                )
            }
        }
    }

    /// The kind as one word, so that a value and a file of equal bytes are told apart.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Value(_) | Self::Large(_) => "value",
            Self::File(_) => "file",
            Self::Dir(_) => "dir",
            Self::List(_) => "list",
            Self::Grid(_) => "grid",
            Self::Absent => "absent",
        }
    }
}

/// JSON with sorted keys and no blanks, the form whose blake3 is a value's digest.
#[must_use]
pub fn canonical(value: &Value) -> String {
    let mut text = String::new();
    write_canonical(value, &mut text);
    text
}

fn write_canonical(value: &Value, text: &mut String) {
    match value {
        Value::Object(map) => {
            let mut names: Vec<_> = map.keys().collect();
            names.sort_unstable();
            text.push('{');
            for (index, name) in names.into_iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write_text(name, text);
                text.push(':');
                write_canonical(&map[name], text);
            }
            text.push('}');
        }
        Value::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write_canonical(item, text);
            }
            text.push(']');
        }
        Value::String(inside) => write_text(inside, text),
        other => text.push_str(&other.to_string()),
    }
}

/// A string as JSON. Most need nothing but their quotes.
fn write_text(inside: &str, text: &mut String) {
    let plain = |byte: u8| byte >= 0x20 && byte != b'"' && byte != b'\\';
    if inside.bytes().all(plain) {
        text.push('"');
        text.push_str(inside);
        text.push('"');
    } else {
        let escaped = serde_json::to_string(inside).expect("a string is JSON");
        text.push_str(&escaped);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_order_of_keys_does_not_change_a_digest() {
        let a: Value = serde_json::from_str(r#"{"a":1,"b":[{"y":1,"x":2}]}"#).unwrap();
        let b: Value = serde_json::from_str(r#"{"b":[{"x":2,"y":1}],"a":1}"#).unwrap();
        assert_eq!(Artifact::value(a).digest(), Artifact::value(b).digest());
    }

    #[test]
    fn a_gathered_list_is_the_same_content_as_the_array() {
        let gathered = Artifact::list(vec![Artifact::value(1), Artifact::value("x")]);
        assert_eq!(gathered.digest(), Artifact::value(json!([1, "x"])).digest());
    }

    #[test]
    fn artifacts_round_trip_through_a_record() {
        let file = FileArtifact {
            digest: Digest::of(b"x"),
            size: 1,
            origin: None,
        };
        for artifact in [
            Artifact::value(json!({"a": null})),
            Artifact::File(file.clone()),
            Artifact::list(vec![Artifact::Dir(file), Artifact::Absent]),
        ] {
            let text = serde_json::to_string(&artifact).unwrap();
            assert_eq!(serde_json::from_str::<Artifact>(&text).unwrap(), artifact);
        }
    }
}
