//! Who made what a stage run read: outputs of other stage runs, or files of the workspace.

use std::collections::BTreeMap;

use kyobashi_cache::{Digest, Store};
use kyobashi_engine::artifact::Artifact;
use serde_json::Value;

use crate::compare;
use crate::gathered::Families;
use crate::history::Told;

/// Who made each content that a run knows.
pub(crate) struct Makers {
    one: BTreeMap<Digest, String>,
    families: Families,
}

/// Somebody's work: its digest, and `address.output` or a path in the workspace.
pub(crate) type Made = (Digest, String);

impl Makers {
    /// Those of a run. Of several that made the same, the first to end counts.
    pub(crate) fn of(store: &Store, told: &Told) -> Self {
        let mut one: BTreeMap<Digest, String> = BTreeMap::new();
        for (path, artifact) in compare::sources(store, told) {
            one.insert(artifact.digest(), path);
        }
        for made in told.finished.iter().rev() {
            for (name, digest) in &made.outputs {
                one.insert(*digest, format!("{}.{name}", made.address));
            }
        }
        Self {
            one,
            families: Families::of(&told.finished),
        }
    }

    /// The maker of a content.
    pub(crate) fn maker(&self, digest: &Digest) -> Option<&String> {
        self.one.get(digest)
    }

    /// Who made a part of a recipe: one, or those of the members of a grid; none where the record does not
    /// say.
    pub(crate) fn whose(&self, said: &Value) -> Vec<Made> {
        let Some(digest) = digest(said) else {
            return Vec::new();
        };
        if let Some(maker) = self.one.get(&digest) {
            return vec![(digest, maker.clone())];
        }
        let members = said.get("members").and_then(Value::as_u64).unwrap_or(0);
        let members = usize::try_from(members).unwrap_or(0);
        self.families.makers(&digest, members).unwrap_or_default()
    }
}

/// The digest of what a part of a recipe says; none where that is a number or a yes or no, of which there
/// are too many to say whose they are.
pub(crate) fn digest(said: &Value) -> Option<Digest> {
    let map = said.as_object()?;
    if let Some(value) = map.get("value") {
        let telling = value.is_object() || value.is_array() || value.is_string();
        return telling.then(|| Artifact::value(value.clone()).digest());
    }
    let (_, digest) = map.iter().find(|(name, _)| *name != "members")?;
    digest.as_str()?.parse().ok()
}
