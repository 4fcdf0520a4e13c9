//! The entities of `ro-crate-metadata.json`, each once, in the order in which they were first named.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// The contexts that the terms are of.
const CONTEXT: [&str; 2] = [
    "https://w3id.org/ro/crate/1.1/context",
    "https://w3id.org/ro/terms/workflow-run/context",
];

/// Entities by their `@id`.
#[derive(Default)]
pub(super) struct Graph {
    entities: Vec<Map<String, Value>>,
    places: BTreeMap<String, usize>,
}

/// A reference to an entity.
pub(super) fn to(id: &str) -> Value {
    json!({ "@id": id })
}

/// References to entities.
pub(super) fn all(ids: &[String]) -> Value {
    ids.iter().map(|id| to(id)).collect()
}

impl Graph {
    /// Adds an entity if there is none of its `@id` yet. Fields that are null or empty are left out.
    pub(super) fn add(&mut self, entity: Value) -> String {
        let Value::Object(mut fields) = entity else {
            return String::new();
        };
        fields.retain(|_, value| {
            let empty = value.as_array().is_some_and(Vec::is_empty);
            !value.is_null() && !empty
        });
        let id = fields.get("@id").and_then(Value::as_str);
        let id = id.unwrap_or_default().to_owned();
        if !self.places.contains_key(&id) {
            self.places.insert(id.clone(), self.entities.len());
            self.entities.push(fields);
        }
        id
    }

    /// Adds references to a field of an entity that is there; none twice.
    pub(super) fn link(&mut self, id: &str, field: &str, ids: &[String]) {
        let Some(entity) = self.places.get(id).map(|at| &mut self.entities[*at]) else {
            return;
        };
        let mut refs = match entity.remove(field) {
            Some(Value::Array(refs)) => refs,
            Some(one) => vec![one],
            None => Vec::new(),
        };
        for id in ids {
            let one = to(id);
            if !refs.contains(&one) {
                refs.push(one);
            }
        }
        if !refs.is_empty() {
            entity.insert(field.to_owned(), Value::Array(refs));
        }
    }

    /// Adds the files, and names them as parts of the root. The same file may stand for several
    /// parameters, so what was linked to it before is kept.
    pub(super) fn finish(&mut self, root: &str, files: Vec<Value>) {
        for file in files {
            self.add(file);
        }
        let parts = self.entities.iter().filter_map(|entity| {
            let types = entity.get("@type")?.to_string();
            let id = entity.get("@id")?.as_str()?;
            let data = types.contains("\"File\"") || types.contains("\"Dataset\"");
            (data && id != root).then(|| id.to_owned())
        });
        let parts: Vec<String> = parts.collect();
        self.link(root, "hasPart", &parts);
        // A parameter and what stands for it name each other.
        let pairs: Vec<(String, String)> = self
            .entities
            .iter()
            .filter_map(|entity| {
                let id = entity.get("@id")?.as_str()?;
                let of = entity.get("exampleOfWork")?;
                let of = of.as_array().cloned().unwrap_or_else(|| vec![of.clone()]);
                Some(
                    of.iter()
                        .filter_map(|of| Some((of["@id"].as_str()?.to_owned(), id.to_owned())))
                        .collect::<Vec<_>>(),
                )
            })
            .flatten()
            .collect();
        for (parameter, example) in pairs {
            self.link(&parameter, "workExample", &[example]);
        }
    }

    /// The JSON-LD document. A single reference stands alone, without a list around it.
    pub(super) fn text(&mut self) -> String {
        for value in self.entities.iter_mut().flat_map(Map::values_mut) {
            if let Value::Array(members) = value
                && members.len() == 1
            {
                *value = members.remove(0);
            }
        }
        let document = json!({ "@context": CONTEXT, "@graph": self.entities });
        serde_json::to_string_pretty(&document).expect("entities are JSON") + "\n"
    }
}
