//! What a stage is asked, and what it answers.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Cell, Datum, Failure, Model, Port, Shape};

/// One run of a stage, written as data. Defaults of the signature are already filled in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// The stage type.
    pub uses: String,
    pub ins: BTreeMap<String, Datum>,
    pub with: BTreeMap<String, Datum>,
    pub model: Option<Model>,
    /// The outputs to make: the signature's and those that the pipeline declared itself.
    pub outs: Vec<Port>,
    /// The shapes that the types of outputs which the pipeline declared itself name, and those that these
    /// name in turn.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub shapes: BTreeMap<String, Shape>,
}

impl Call {
    /// An input or a setting by name.
    ///
    /// # Errors
    /// A [`Failure`] that names what is missing: the signature did not declare it.
    pub fn datum(&self, name: &str) -> Result<&Datum, Failure> {
        self.ins
            .get(name)
            .or_else(|| self.with.get(name))
            .ok_or_else(|| Failure::bug(format!("`{}` was called without `{name}`", self.uses)))
    }

    /// A plain value; a list of values or of grids of values becomes a JSON array.
    ///
    /// # Errors
    /// If there is no such input, or it is a file.
    pub fn value(&self, name: &str) -> Result<Value, Failure> {
        plain(self.datum(name)?).ok_or_else(|| {
            Failure::bug(format!(
                "`{name}` of `{}` is a file, not a value",
                self.uses
            ))
        })
    }

    /// A value of a Rust type.
    ///
    /// # Errors
    /// If there is no such input, or its value has another form.
    pub fn get<T: serde::de::DeserializeOwned>(&self, name: &str) -> Result<T, Failure> {
        serde_json::from_value(self.value(name)?)
            .map_err(|error| Failure::new(format!("`{name}` of `{}`: {error}", self.uses)))
    }

    /// The path of a file or folder.
    ///
    /// # Errors
    /// If there is no such input, or it is a value.
    pub fn path(&self, name: &str) -> Result<&Path, Failure> {
        match self.datum(name)? {
            Datum::File { path, .. } | Datum::Dir { path, .. } => Ok(path),
            _ => Err(Failure::bug(format!(
                "`{name}` of `{}` is a value, not a file",
                self.uses
            ))),
        }
    }

    /// The content of a text, whether it came as a file or as a string.
    ///
    /// # Errors
    /// If it cannot be read, or is not UTF-8.
    pub fn text(&self, name: &str) -> Result<String, Failure> {
        match self.datum(name)? {
            Datum::Value {
                value: Value::String(text),
            } => Ok(text.clone()),
            _ => {
                let path = self.path(name)?;
                std::fs::read_to_string(path).map_err(|error| {
                    Failure::new(format!("cannot read {}: {error}", path.display()))
                })
            }
        }
    }

    /// Whether an optional input was given.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.datum(name)
            .is_ok_and(|datum| *datum != Datum::value(Value::Null))
    }

    /// The cells of a gathered input.
    ///
    /// # Errors
    /// If there is no such input.
    pub fn cells(&self, name: &str) -> Result<Vec<Cell>, Failure> {
        Ok(self.datum(name)?.cells())
    }
}

fn plain(datum: &Datum) -> Option<Value> {
    match datum {
        Datum::Value { value } => Some(value.clone()),
        Datum::List { .. } | Datum::Grid { .. } => datum
            .members()
            .into_iter()
            .map(plain)
            .collect::<Option<Vec<_>>>()
            .map(Value::Array),
        Datum::File { .. } | Datum::Dir { .. } => None,
    }
}

/// What a stage made, by output name.
pub type Outputs = BTreeMap<String, Output>;

/// One output before it is stored. Paths lie in the scratch folder; the engine takes them over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Output {
    /// For `bool int float str json`, named shapes and lists of these.
    Value { value: Value },
    /// The content of a `text`, `table` or `file`.
    Bytes { bytes: Vec<u8> },
    /// A file to take over.
    File { path: PathBuf },
    /// A folder to take over.
    Dir { path: PathBuf },
    /// For lists of files.
    List { items: Vec<Output> },
}

impl Output {
    /// A plain value.
    pub fn value(value: impl Into<Value>) -> Self {
        Self::Value {
            value: value.into(),
        }
    }

    /// A text, table or other small file.
    pub fn bytes(content: impl Into<Vec<u8>>) -> Self {
        Self::Bytes {
            bytes: content.into(),
        }
    }
}
