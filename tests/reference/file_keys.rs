//! The keys of a pipeline file, from the schema that `kyo schema` prints.

use std::fmt::Write;

use serde_json::Value;

use crate::space::Space;

pub(super) fn text() -> String {
    let done = Space::new().kyo(&["schema"]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    let schema: Value = serde_json::from_str(&done.stdout).unwrap();
    let mut page = String::from(
        "# Keys of a file\n\nMade from the schema that `kyo schema` prints and editors complete from.\n",
    );
    section(&mut page, "Pipeline", &schema);
    // Stages first: they are what one looks up.
    let definitions = schema["definitions"].as_object().unwrap();
    let mut names: Vec<&String> = definitions.keys().collect();
    names.sort_by_key(|name| (*name != "Stage", *name));
    for name in names {
        section(&mut page, name, &definitions[name]);
    }
    page
}

/// What has keys becomes a table; what is one of some words, a list of them.
fn section(page: &mut String, name: &str, schema: &Value) {
    let _ = write!(page, "\n## {name}\n");
    if let Some(doc) = schema["description"].as_str() {
        let _ = write!(page, "\n{}\n", plain(doc));
    }
    let required: Vec<&Value> = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .collect();
    if let Some(keys) = schema["properties"].as_object() {
        let _ = write!(page, "\n| key | value | what it is |\n|---|---|---|\n");
        for (key, value) in keys {
            let needed = if required.iter().any(|name| *name == key) {
                " (required)"
            } else {
                ""
            };
            let doc = plain(value["description"].as_str().unwrap_or_default());
            let _ = writeln!(
                page,
                "| `{key}`{needed} | {} | {} |",
                super::cell(&kind(value)),
                super::cell(&doc)
            );
        }
    }
    let words: Vec<&Value> = schema["oneOf"].as_array().into_iter().flatten().collect();
    if !words.is_empty() {
        let _ = write!(page, "\n| word | means |\n|---|---|\n");
    }
    for word in words {
        let doc = plain(word["description"].as_str().unwrap_or_default());
        let _ = writeln!(
            page,
            "| `{}` | {} |",
            word["const"].as_str().unwrap_or_default(),
            super::cell(&doc)
        );
    }
    if let Some(words) = schema["enum"].as_array() {
        let words: Vec<String> = words
            .iter()
            .map(|word| format!("`{}`", word.as_str().unwrap_or_default()))
            .collect();
        let _ = write!(page, "\nOne of {}.\n", words.join(", "));
    }
}

/// What kind of value a key has.
fn kind(schema: &Value) -> String {
    if let Some(reference) = schema["$ref"].as_str() {
        return link(reference);
    }
    for several in ["anyOf", "oneOf", "allOf"] {
        if let Some(choices) = schema[several].as_array() {
            let mut kinds: Vec<String> = choices.iter().map(kind).collect();
            kinds.dedup();
            return kinds.join(" or ");
        }
    }
    match schema["type"].as_str() {
        Some("array") => format!("list of {}", kind(&schema["items"])),
        Some("object") => match &schema["additionalProperties"] {
            Value::Object(_) => format!("map to {}", kind(&schema["additionalProperties"])),
            _ => "map".to_owned(),
        },
        Some("string") if schema["enum"].is_array() => "stage type".to_owned(),
        Some(name) => name.to_owned(),
        None if schema["enum"].is_array() => "stage type".to_owned(),
        None => "any".to_owned(),
    }
}

fn link(reference: &str) -> String {
    let name = reference.rsplit('/').next().unwrap_or_default();
    format!("[{name}](#{})", name.to_lowercase())
}

/// A doc comment on one line.
fn plain(doc: &str) -> String {
    doc.split_whitespace().collect::<Vec<_>>().join(" ")
}
