//! The outputs of a node by name: a handful of artifacts, held by the ten thousand, so in one piece of
//! memory each. It knows nothing of what they are.

use std::collections::BTreeMap;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::artifact::Artifact;

/// The outputs of a node, in the order of their names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Artifacts(Vec<(String, Artifact)>);

impl Artifacts {
    /// No outputs.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An output.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Artifact> {
        self.at(name).ok().map(|at| &self.0[at].1)
    }

    /// Adds an output, or replaces the one of that name.
    pub fn insert(&mut self, name: impl Into<String>, artifact: Artifact) {
        let name = name.into();
        match self.at(&name) {
            Ok(at) => self.0[at].1 = artifact,
            Err(at) => {
                // Most nodes have one output, and a vector that grows begins with room for four.
                self.0.reserve_exact(1);
                self.0.insert(at, (name, artifact));
            }
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// All outputs in order.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &Artifact)> {
        self.0.iter().map(|(name, artifact)| (name, artifact))
    }

    /// The names in order.
    pub fn keys(&self) -> impl Iterator<Item = &String> {
        self.0.iter().map(|(name, _)| name)
    }

    /// The artifacts in the order of their names.
    pub fn values(&self) -> impl Iterator<Item = &Artifact> {
        self.0.iter().map(|(_, artifact)| artifact)
    }

    /// All outputs in order, to be changed.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut Artifact> {
        self.0.iter_mut().map(|(_, artifact)| artifact)
    }

    fn at(&self, name: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(own, _)| own.as_str().cmp(name))
    }
}

impl IntoIterator for Artifacts {
    type Item = (String, Artifact);
    type IntoIter = std::vec::IntoIter<(String, Artifact)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Artifacts {
    type Item = (&'a String, &'a Artifact);
    type IntoIter = std::iter::Map<
        std::slice::Iter<'a, (String, Artifact)>,
        fn(&'a (String, Artifact)) -> (&'a String, &'a Artifact),
    >;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter().map(|(name, artifact)| (name, artifact))
    }
}

impl FromIterator<(String, Artifact)> for Artifacts {
    fn from_iter<I: IntoIterator<Item = (String, Artifact)>>(all: I) -> Self {
        // Of two outputs of one name the later one stays.
        let sorted: BTreeMap<String, Artifact> = all.into_iter().collect();
        Self(sorted.into_iter().collect())
    }
}

impl Serialize for Artifacts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Artifacts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Outputs;
        impl<'de> Visitor<'de> for Outputs {
            type Value = Artifacts;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("outputs by name")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Artifacts, M::Error> {
                let mut outputs = Artifacts::new();
                while let Some((name, artifact)) = map.next_entry::<String, Artifact>()? {
                    outputs.insert(name, artifact);
                }
                Ok(outputs)
            }
        }
        deserializer.deserialize_map(Outputs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_are_found_by_name_and_written_in_order() {
        let mut outputs = Artifacts::new();
        for (name, value) in [("b", 1), ("a", 2), ("b", 3)] {
            outputs.insert(name, Artifact::value(value));
        }
        assert_eq!(outputs.get("b"), Some(&Artifact::value(3)));
        assert_eq!(outputs.get("c"), None);
        let text = serde_json::to_string(&outputs).unwrap();
        assert_eq!(text, r#"{"a":{"value":2},"b":{"value":3}}"#);
        assert_eq!(serde_json::from_str::<Artifacts>(&text).unwrap(), outputs);
        let pairs = [("b", 1), ("a", 2), ("b", 3)];
        let pairs = pairs.map(|(name, value)| (name.to_owned(), Artifact::value(value)));
        assert_eq!(pairs.into_iter().collect::<Artifacts>(), outputs);
    }
}
