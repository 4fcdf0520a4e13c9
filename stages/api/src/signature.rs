//! What a stage type says of itself, so that a pipeline is checked before anything runs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Type;

/// The public face of a stage type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// As written after `uses:`: `train/program`.
    pub name: String,
    /// One sentence for `kyo help` and the reference.
    pub doc: String,
    /// Raised by the author when the same call would now give another result; enters every key.
    pub version: u32,
    /// Data: what `in:` accepts.
    pub ins: Vec<Port>,
    /// Settings: what `with:` accepts. A setting of type `text`, `file`, `table` or `dir` is written as a
    /// path beside the pipeline and enters the key by its content.
    pub with: Vec<Port>,
    /// What the stage makes.
    pub outs: Vec<Port>,
    /// Whether `model:` must be given.
    #[serde(default)]
    pub model: bool,
    /// Whether `in:` takes any further name (as `llm/chat` does, whose prompt says what it reads).
    #[serde(default)]
    pub open_ins: bool,
    /// Whether the pipeline may declare outputs of its own under `out:` (as `llm/chat` does).
    #[serde(default)]
    pub open_outs: bool,
    /// Whether facts of the machine (libtorch version, device, threads, CPU capability) can change the
    /// result and so enter the key.
    #[serde(default)]
    pub machine: bool,
}

/// A named place for a value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Port {
    pub name: String,
    pub ty: Type,
    pub doc: String,
    /// Used when the pipeline gives none; a port without default is required unless its type is optional.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// What its strings are names of, so that a misspelt one is told before anything runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub names: Option<Names>,
}

/// What the strings of a setting name. Each holds the name of an input of the same stage type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Names {
    /// Axes of the grid that is given there.
    AxesOf(String),
    /// Fields of the value, or of the members of the list, that is given there.
    FieldsOf(String),
    /// Columns of the tables that are given there; the axes of a grid of tables count as columns.
    ColumnsOf(String),
    /// The same, or one of these columns that the stage adds of its own.
    ColumnsOr(String, Vec<String>),
}

impl Port {
    /// A port that must be given (or an output).
    #[must_use]
    pub fn new(name: &str, ty: &str, doc: &str) -> Self {
        let ty = Type::parse(ty).expect("signatures are written with valid types");
        Self {
            name: name.to_owned(),
            ty,
            doc: doc.to_owned(),
            default: None,
            names: None,
        }
    }

    /// A port that has a default.
    #[must_use]
    pub fn or(name: &str, ty: &str, default: impl Into<Value>, doc: &str) -> Self {
        Self {
            default: Some(default.into()),
            ..Self::new(name, ty, doc)
        }
    }

    /// The same port, whose strings are names of something.
    #[must_use]
    pub fn naming(self, names: Names) -> Self {
        Self {
            names: Some(names),
            ..self
        }
    }

    /// Whether the pipeline has to give it.
    #[must_use]
    pub fn required(&self) -> bool {
        self.default.is_none() && !matches!(self.ty, Type::Optional(_))
    }
}

impl Signature {
    /// A signature without ports, to be filled in by struct update.
    #[must_use]
    pub fn new(name: &str, version: u32, doc: &str) -> Self {
        Self {
            name: name.to_owned(),
            doc: doc.to_owned(),
            version,
            ins: Vec::new(),
            with: Vec::new(),
            outs: Vec::new(),
            model: false,
            open_ins: false,
            open_outs: false,
            machine: false,
        }
    }
}

/// The fields of a named type. Values are checked against it when they are stored.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shape {
    pub fields: BTreeMap<String, Field>,
    /// Whether fields that are not listed are allowed.
    #[serde(default)]
    pub open: bool,
}

/// One field of a [`Shape`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    pub ty: Type,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// The only values allowed, if any are listed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<Value>,
}

impl Field {
    /// A field with a type and no further rule.
    #[must_use]
    pub fn new(ty: &str) -> Self {
        let ty = Type::parse(ty).expect("shapes are written with valid types");
        Self {
            ty,
            min: None,
            max: None,
            choices: Vec::new(),
        }
    }

    /// A number between `min` and `max`, both included.
    #[must_use]
    pub fn range(ty: &str, min: f64, max: f64) -> Self {
        Self {
            min: Some(min),
            max: Some(max),
            ..Self::new(ty)
        }
    }

    /// One of the listed words.
    #[must_use]
    pub fn one_of(words: &[&str]) -> Self {
        let choices = words.iter().map(|word| Value::from(*word)).collect();
        Self {
            choices,
            ..Self::new("str")
        }
    }
}
