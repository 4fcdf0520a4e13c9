//! The record of one shown number, as it stands in the appendix, in the file attached to the PDF and in
//! the output `numbers`.

use serde::Serialize;
use serde_json::Value;

/// How a number was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Val,
    Calc,
    Change,
    Cfg,
}

/// One shown number.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Number {
    pub(crate) kind: Kind,
    /// The path into the results; for `calc` the expression, for `change` `from -> to`.
    pub(crate) reference: String,
    pub(crate) shown: String,
    /// In full precision. A word (a verdict, a name) is a string.
    pub(crate) value: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unit: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ci: Option<[f64; 2]>,
    /// How many runs the value rests on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) n: Option<u64>,
    /// The document of the results (first segment of the path); of the first input of a derived number.
    pub(crate) document: String,
    /// The blake3 of the canonical JSON of that document, in hex.
    pub(crate) digest: String,
    /// Why a derived number is shown, as the writer said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) why: Option<String>,
    /// What a derived number is computed from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) inputs: Vec<Input>,
    /// Where the reference stands in the draft, from 1.
    pub(crate) line: usize,
    pub(crate) col: usize,
    /// The page of the PDF, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) page: Option<usize>,
    /// The row of the appendix, from 1; equal references that show the same share one.
    pub(crate) row: usize,
}

/// A value that a derived number is computed from.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Input {
    pub(crate) reference: String,
    pub(crate) value: f64,
    pub(crate) document: String,
    pub(crate) digest: String,
}

/// The canonical JSON text of a value: keys sorted, no spaces.
pub(crate) fn canonical(value: &Value) -> String {
    match value {
        Value::Object(object) => {
            let mut keys: Vec<&String> = object.keys().collect();
            keys.sort();
            let members: Vec<String> = keys
                .into_iter()
                .map(|key| {
                    let name = Value::String(key.clone());
                    format!("{name}:{}", canonical(&object[key]))
                })
                .collect();
            format!("{{{}}}", members.join(","))
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(canonical).collect();
            format!("[{}]", items.join(","))
        }
        plain => plain.to_string(),
    }
}

/// The digest of a document: blake3 of its canonical JSON, in hex.
pub(crate) fn digest(document: &Value) -> String {
    blake3::hash(canonical(document).as_bytes())
        .to_hex()
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn canonical_json_has_sorted_keys_and_no_spaces() {
        let value = json!({"b": [1, 0.5, null], "a": {"y": "\"", "x": true}});
        assert_eq!(
            canonical(&value),
            r#"{"a":{"x":true,"y":"\""},"b":[1,0.5,null]}"#
        );
    }
}
