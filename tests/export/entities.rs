//! The entities of an RO-Crate, as a reader finds them.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

/// A crate's entities by id.
pub(super) struct Crate(pub(super) BTreeMap<String, Value>);

impl Crate {
    pub(super) fn read(folder: &Path) -> Self {
        let text = std::fs::read_to_string(folder.join("ro-crate-metadata.json")).unwrap();
        let document: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            document["@context"],
            json!([
                "https://w3id.org/ro/crate/1.1/context",
                "https://w3id.org/ro/terms/workflow-run/context"
            ])
        );
        let entities = document["@graph"].as_array().unwrap().iter();
        let by_id: BTreeMap<String, Value> = entities
            .map(|entity| (entity["@id"].as_str().unwrap().to_owned(), entity.clone()))
            .collect();
        assert_eq!(
            by_id.len(),
            document["@graph"].as_array().unwrap().len(),
            "no id twice"
        );
        Self(by_id)
    }

    pub(super) fn of_type(&self, ty: &str) -> Vec<&Value> {
        self.0.values().filter(|entity| is(entity, ty)).collect()
    }

    /// What a field refers to.
    pub(super) fn refs(&self, entity: &Value, field: &str) -> Vec<&Value> {
        ids(&entity[field])
            .into_iter()
            .map(|id| &self.0[&id])
            .collect()
    }

    pub(super) fn one(&self, entity: &Value, field: &str) -> &Value {
        let found = self.refs(entity, field);
        assert_eq!(found.len(), 1, "{field} of {entity}");
        found[0]
    }
}

pub(super) fn is(entity: &Value, ty: &str) -> bool {
    match &entity["@type"] {
        Value::Array(types) => types.iter().any(|one| one == ty),
        one => one == ty,
    }
}

pub(super) fn ids(value: &Value) -> Vec<String> {
    match value {
        Value::Array(list) => list.iter().flat_map(ids).collect(),
        Value::Object(map) => map
            .get("@id")
            .into_iter()
            .map(|id| id.as_str().unwrap().to_owned())
            .collect(),
        _ => Vec::new(),
    }
}
