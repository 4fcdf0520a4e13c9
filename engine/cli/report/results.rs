//! The outputs of a run as the page shows them: texts and values as text, pictures as pictures, of the
//! rest the size. What was found first is shown first; who made it is the lineage's to say.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kyobashi_cache::{Digest, Store};
use kyobashi_engine::artifact::Artifact;
use serde_json::{Value, json};

use crate::exit::Stopped;
use crate::history::Told;
use crate::talk;

/// Contents on one page; a matrix of many seeds is read in the folder of its outputs.
const MOST: usize = 60;

/// Letters of a text that are shown.
const LETTERS: usize = 20_000;

/// Bytes of a picture, or of a file that may be a text, that are looked at.
const BYTES: u64 = 4_000_000;

/// What a run delivered.
pub(super) struct Results {
    shown: Vec<Value>,
    digests: Vec<Digest>,
    /// Contents that are not on the page.
    more: usize,
}

impl Results {
    /// The outputs that are still in the store.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(super) fn of(store: &Store, told: &Told) -> Result<Self, Stopped> {
        let mut results = Self {
            shown: Vec::new(),
            digests: Vec::new(),
            more: 0,
        };
        for (name, artifact) in told.artifacts(store).unwrap_or_default() {
            results.add(store, &name, "", &artifact)?;
        }
        Ok(results)
    }

    /// What leads to the stage runs that made them.
    pub(super) fn makers(&self) -> impl Iterator<Item = Digest> {
        self.digests.iter().copied()
    }

    pub(super) fn document(&self) -> Value {
        json!({"shown": self.shown, "more": self.more})
    }

    fn add(
        &mut self,
        store: &Store,
        name: &str,
        at: &str,
        artifact: &Artifact,
    ) -> Result<(), Stopped> {
        match artifact {
            Artifact::List(items) if artifact.plain().is_none() => {
                for (index, item) in items.iter().enumerate() {
                    self.add(store, name, &joined(at, &index.to_string()), item)?;
                }
            }
            Artifact::Grid(grid) if artifact.plain().is_none() => {
                for cell in &grid.cells {
                    let place = cell.at.iter().map(|(axis, value)| match value {
                        Value::String(text) => format!("{axis}={text}"),
                        other => format!("{axis}={other}"),
                    });
                    let place = place.collect::<Vec<_>>().join(", ");
                    self.add(store, name, &joined(at, &place), &cell.artifact)?;
                }
            }
            _ if self.shown.len() >= MOST => self.more += 1,
            _ => {
                let digest = artifact.digest();
                let mut one = content(store, artifact)?;
                one["name"] = name.into();
                one["at"] = at.into();
                one["digest"] = digest.to_string().into();
                self.shown.push(one);
                self.digests.push(digest);
            }
        }
        Ok(())
    }
}

/// What is in an artifact, as `text`, as `image` (a data URI), or as neither.
fn content(store: &Store, artifact: &Artifact) -> Result<Value, Stopped> {
    Ok(match artifact {
        Artifact::File(file) if file.size > BYTES => json!({"size": talk::size(file.size)}),
        Artifact::File(file) => {
            let bytes = store.read(&file.digest)?;
            let mut one = match picture(&bytes) {
                Some(kind) => {
                    json!({"image": format!("data:{kind};base64,{}", STANDARD.encode(&bytes))})
                }
                None => String::from_utf8(bytes).map_or_else(|_| json!({}), |text| cut(&text)),
            };
            one["size"] = talk::size(file.size).into();
            one
        }
        Artifact::Dir(folder) => {
            json!({"size": format!("a folder of {}", talk::size(folder.size))})
        }
        Artifact::Large(digest) => {
            let value: Value =
                serde_json::from_slice(&store.read(digest)?).map_err(Stopped::fault)?;
            written(&value)
        }
        Artifact::Absent => json!({"size": "not made"}),
        other => written(&other.plain().unwrap_or_default()),
    })
}

/// A value: a text as it is, anything else as JSON on lines of its own.
fn written(value: &Value) -> Value {
    match value {
        Value::String(text) => cut(text),
        other => cut(&serde_json::to_string_pretty(other).unwrap_or_default()),
    }
}

fn cut(text: &str) -> Value {
    match text.char_indices().nth(LETTERS) {
        Some((end, _)) => json!({"text": &text[..end], "cut": true}),
        None => json!({"text": text}),
    }
}

/// The media type of a picture that a browser draws, known by how it begins.
fn picture(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        _ if bytes.starts_with(b"<svg") => Some("image/svg+xml"),
        _ if bytes.starts_with(b"<?xml") => {
            let head = &bytes[..bytes.len().min(1000)];
            head.windows(4)
                .any(|four| four == b"<svg")
                .then_some("image/svg+xml")
        }
        _ => None,
    }
}

fn joined(before: &str, place: &str) -> String {
    match before {
        "" => place.to_owned(),
        before => format!("{before}, {place}"),
    }
}
