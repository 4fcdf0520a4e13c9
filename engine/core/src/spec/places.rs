//! Where the parts of a spec are written. Never enters a key.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use serde::Serialize;

use super::StageId;
use super::packed;

/// Where something is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The file, or `command line`; one text for all places in it.
    pub file: Arc<str>,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub col: usize,
}

/// The positions of a spec's parts.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// By [`StageId`].
    pub stages: Vec<Place>,
    pub parts: Parts,
    /// `params.steps`, `models.reviewer`, `outputs.paper`: where the *effective* value is written.
    pub names: BTreeMap<String, Place>,
}

/// By stage and path inside it, `in.data`, `with.lr`, `model`, `run`, `matrix.seed`, `when`, `version`:
/// where it is written. Thousands, which only somebody asks for who has a change or a mistake to show, so
/// that they stay packed until then.
#[derive(Clone, Default)]
pub struct Parts {
    packed: Vec<u8>,
    all: OnceLock<All>,
}

type All = BTreeMap<(StageId, String), Place>;

impl Parts {
    /// Parts that are unpacked when one of them is asked for.
    pub(super) fn from_packed(packed: Vec<u8>) -> Self {
        Self {
            packed,
            all: OnceLock::new(),
        }
    }

    /// All of them.
    pub fn all(&self) -> &All {
        // What was packed by this program and kept whole can be unpacked.
        self.all
            .get_or_init(|| packed::alone(&self.packed).unwrap_or_default())
    }

    /// Where a part of a stage is written, if it is.
    #[must_use]
    pub fn get(&self, stage: StageId, part: &str) -> Option<&Place> {
        self.all().get(&(stage, part.to_owned()))
    }

    pub(super) fn insert(&mut self, stage: StageId, part: String, place: Place) {
        self.all();
        if let Some(all) = self.all.get_mut() {
            all.insert((stage, part), place);
        }
    }
}

impl fmt::Debug for Parts {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.all().fmt(to)
    }
}
