//! A value as a stage sees it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One input of a call. Files and folders are read-only paths whose content is fixed by `digest`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Datum {
    /// `bool int float str json`, a named shape, a model; `null` where an optional value is absent.
    Value {
        value: Value,
    },
    /// `text table file`. `digest` is the blake3 of the content, in hex.
    File {
        path: PathBuf,
        digest: String,
    },
    /// A folder. `digest` covers names, modes and contents.
    Dir {
        path: PathBuf,
        digest: String,
    },
    List {
        items: Vec<Datum>,
    },
    /// The gathered outputs of a matrix.
    Grid {
        axes: Vec<String>,
        cells: Vec<Cell>,
    },
}

/// One cell of a grid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// The coordinate on each axis.
    pub at: BTreeMap<String, Value>,
    pub datum: Datum,
}

impl Datum {
    /// The datum of a plain value.
    pub fn value(value: impl Into<Value>) -> Self {
        Self::Value {
            value: value.into(),
        }
    }

    /// The members of a list or grid in order; the datum itself, alone, if it is neither.
    #[must_use]
    pub fn members(&self) -> Vec<&Datum> {
        match self {
            Self::List { items } => items.iter().collect(),
            Self::Grid { cells, .. } => cells.iter().map(|cell| &cell.datum).collect(),
            other => vec![other],
        }
    }

    /// The members of a grid with their coordinates; those of a list have none.
    #[must_use]
    pub fn cells(&self) -> Vec<Cell> {
        match self {
            Self::Grid { cells, .. } => cells.clone(),
            other => other
                .members()
                .into_iter()
                .map(|datum| Cell {
                    at: BTreeMap::new(),
                    datum: datum.clone(),
                })
                .collect(),
        }
    }
}
