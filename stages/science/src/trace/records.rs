//! Lists of records: what tells one record from the others. Words do (`"dataset": "circle"`), and whole
//! numbers of the settings that a record holds (`"config": {"layers": 12}`); an identity that only numbers
//! the records does not, since no paper calls a run by it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

/// Longer texts are no names.
const LONGEST: usize = 60;

/// Fields that say nothing of what a record is of.
const REMARKS: [&str; 14] = [
    "unit",
    "units",
    "note",
    "notes",
    "comment",
    "description",
    "date",
    "time",
    "timestamp",
    "created",
    "host",
    "status",
    "path",
    "version",
];

/// Words for a record that a program gave.
const IDENTITIES: [&str; 9] = [
    "id", "run", "run_id", "uid", "uuid", "key", "label", "tag", "run_name",
];

/// Whether a field of a record holds its settings, which are nothing that was measured.
pub(super) fn is_settings(key: &str) -> bool {
    let low = key.to_lowercase();
    [
        "config",
        "configuration",
        "settings",
        "hparams",
        "hyperparameters",
        "hyper_parameters",
        "args",
        "arguments",
    ]
    .contains(&low.as_str())
}

/// The names of each record, in the order of `items`: one for each field that tells records apart, at the
/// same depth in all of them.
pub(super) fn names(items: &[Json]) -> Vec<Vec<String>> {
    let told: Vec<BTreeMap<String, String>> = items.iter().map(fields).collect();
    let all: BTreeSet<&String> = told.iter().flat_map(BTreeMap::keys).collect();
    let varies = |key: &&String| {
        let values: BTreeSet<Option<&String>> = told.iter().map(|own| own.get(*key)).collect();
        values.len() > 1 || items.len() == 1
    };
    let mut kept: Vec<&String> = all.iter().copied().filter(varies).collect();
    let identity = |key: &str| IDENTITIES.contains(&key.to_lowercase().as_str());
    // An identity says what the other fields say, in a word of its own.
    if kept.iter().any(|key| !identity(key)) {
        let known = |skip: bool| {
            let keys: Vec<&String> = kept
                .iter()
                .copied()
                .filter(|key| !(skip && identity(key)))
                .collect();
            let rows = told
                .iter()
                .map(|own| keys.iter().map(|key| own.get(*key)).collect());
            rows.collect::<BTreeSet<Vec<Option<&String>>>>().len()
        };
        if known(true) == known(false) {
            kept.retain(|key| !identity(key));
        }
    }
    told.iter()
        .map(|own| {
            let name = |key: &&String| own.get(*key).cloned().unwrap_or_else(|| "*".to_owned());
            kept.iter().map(name).collect()
        })
        .collect()
}

/// The fields of a record that may name it, by path.
fn fields(record: &Json) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    if let Json::Object(own) = record {
        for (key, value) in own {
            if REMARKS.contains(&key.to_lowercase().as_str()) {
                continue;
            }
            match value {
                Json::String(word) if word.len() < LONGEST => {
                    found.insert(key.clone(), word.clone());
                }
                Json::Object(inner) if is_settings(key) => {
                    for (name, value) in inner {
                        match value {
                            Json::String(word) if word.len() < LONGEST => {
                                found.insert(format!("{key}.{name}"), word.clone());
                            }
                            // `12 layers`: a whole number needs its word, since numbers are everywhere.
                            Json::Number(number) if number.is_u64() => {
                                found.insert(format!("{key}.{name}"), format!("{number} {name}"));
                            }
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn records_are_named_by_what_tells_them_apart() {
        let record = |id: &str, layers: u64, optimizer: &str| json!({"id": id, "config": {"layers": layers, "optimizer": optimizer, "clip": 1}, "loss": 0.5});
        let named = names(&[record("a-4", 4, "adam"), record("b-8", 8, "lion")]);
        assert_eq!(named[1], ["8 layers", "lion"]);
        // Without other words the identity is all there is.
        let plain = names(&[json!({"id": "a", "loss": 1}), json!({"id": "b", "loss": 2})]);
        assert_eq!(plain, [["a"], ["b"]]);
        // A field that some records lack keeps its depth.
        let partly = names(&[json!({"task": "x", "set": "y"}), json!({"task": "z"})]);
        assert_eq!(partly, [["y", "x"], ["*", "z"]]);
    }
}
