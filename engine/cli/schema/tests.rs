//! The schema knows the words of the checker, and nothing else.

use std::collections::BTreeSet;

use super::*;

fn properties(schema: &Value) -> BTreeSet<&str> {
    let properties = schema["properties"].as_object().unwrap();
    properties.keys().map(String::as_str).collect()
}

#[test]
fn the_schema_and_the_checker_know_the_same_keys() {
    let schema = schema(&["llm/chat"]);
    for (what, keys) in kyobashi_engine::spec::words() {
        let found = match what {
            "pipeline" => properties(&schema),
            "stage" => properties(&schema["definitions"]["Stage"]),
            "repeat" => properties(&schema["definitions"]["Repeat"]),
            "resources" => properties(&schema["definitions"]["Resources"]),
            "defaults" => properties(&schema["definitions"]["Rules"]),
            "provider" => properties(&schema["definitions"]["Provider"]),
            "profile" => properties(&schema["definitions"]["Profile"]),
            // These have a short form too, so the schema leaves them open.
            _ => continue,
        };
        assert_eq!(found, BTreeSet::from_iter(keys.iter().copied()), "{what}");
    }
}

#[test]
fn an_unknown_key_is_an_error_in_every_map_with_fixed_keys() {
    let schema = schema(&[]);
    let definitions = schema["definitions"].as_object().unwrap();
    let maps = definitions
        .values()
        .filter(|map| map.get("properties").is_some());
    for map in maps.chain([&schema]) {
        assert_eq!(map["additionalProperties"], json!(false), "{map:#}");
    }
}

#[test]
fn null_is_never_offered() {
    assert!(!schema(&[]).to_string().contains("\"null\""));
}

#[test]
fn stage_types_are_offered_after_uses() {
    let schema = schema(&["data/points", "llm/chat"]);
    let uses = &schema["definitions"]["Stage"]["properties"]["uses"];
    assert_eq!(uses["anyOf"][0]["enum"], json!(["data/points", "llm/chat"]));
    assert!(
        uses["description"]
            .as_str()
            .is_some_and(|text| text.contains("stage type"))
    );
}

#[test]
fn a_stage_shows_its_words_on_hover() {
    let schema = schema(&[]);
    let stage = &schema["definitions"]["Stage"]["properties"];
    for (key, property) in stage.as_object().unwrap() {
        assert!(property["description"].is_string(), "{key} has no text");
    }
}

#[test]
fn only_what_the_checker_asks_for_is_required() {
    let schema = schema(&[]);
    assert_eq!(schema["required"], json!(["kyobashi", "stages"]));
    let required = |name: &str| schema["definitions"][name].get("required").cloned();
    assert_eq!(required("Repeat"), Some(json!(["max"])));
    for name in ["Stage", "Rules", "Resources", "Provider", "Profile"] {
        assert_eq!(required(name), None, "{name}");
    }
}
