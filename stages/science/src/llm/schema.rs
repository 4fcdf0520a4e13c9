//! Types of the pipeline language as JSON Schemas that strict servers take, and as words for those that
//! take none.
//!
//! Strict servers want every object closed and every property required, so an optional field is one that
//! may be null. Ranges of whole numbers are written as lists where they are short; other rules are left
//! to the check of what comes back.

use std::collections::BTreeMap;

use kyobashi_stage::{Field, Shape, Type};
use serde_json::{Map, Value, json};

/// Values of a range that are listed in a schema at most.
const LISTED: f64 = 32.0;

/// Shapes inside shapes at most; a shape that holds itself has no strict schema.
const DEEPEST: usize = 12;

/// A closed schema; none for types that cannot be closed.
pub(crate) fn strict(ty: &Type, shapes: &BTreeMap<String, Shape>) -> Option<Value> {
    closed(ty, shapes, 0)
}

/// A closed object with every property required.
pub(crate) fn object(fields: Vec<(String, Value)>) -> Value {
    let names: Vec<String> = fields.iter().map(|(name, _)| name.clone()).collect();
    let properties: Map<String, Value> = fields.into_iter().collect();
    json!({
        "type": "object",
        "properties": properties,
        "required": names,
        "additionalProperties": false,
    })
}

fn closed(ty: &Type, shapes: &BTreeMap<String, Shape>, depth: usize) -> Option<Value> {
    if depth > DEEPEST {
        return None;
    }
    Some(match ty {
        Type::Bool => json!({"type": "boolean"}),
        Type::Int => json!({"type": "integer"}),
        Type::Float => json!({"type": "number"}),
        Type::Str => json!({"type": "string"}),
        Type::List(inner) => json!({"type": "array", "items": closed(inner, shapes, depth + 1)?}),
        Type::Optional(inner) => {
            json!({"anyOf": [closed(inner, shapes, depth + 1)?, {"type": "null"}]})
        }
        Type::Named(name) => {
            let shape = shapes.get(name).filter(|shape| !shape.open)?;
            let fields = shape.fields.iter().map(|(name, field)| {
                let schema = closed(&field.ty, shapes, depth + 1)?;
                Some((name.clone(), ruled(schema, field)))
            });
            object(fields.collect::<Option<Vec<_>>>()?)
        }
        _ => return None,
    })
}

fn ruled(mut schema: Value, field: &Field) -> Value {
    let whole = field.ty.member() == &Type::Int || field.ty == Type::Int;
    let listed = match (field.min, field.max) {
        _ if !field.choices.is_empty() => field.choices.clone(),
        (Some(min), Some(max)) if whole && max - min < LISTED && !is_list(&field.ty) => {
            (min.ceil() as i64..=max.floor() as i64)
                .map(Value::from)
                .collect()
        }
        _ => return schema,
    };
    match schema.pointer_mut("/anyOf/0") {
        Some(inner) => inner["enum"] = listed.into(),
        None => schema["enum"] = listed.into(),
    }
    schema
}

fn is_list(ty: &Type) -> bool {
    matches!(ty, Type::List(_))
}

/// The form of a value in words: `{"score": a whole number from 1 to 10, "quote": a string or null}`.
pub(crate) fn described(ty: &Type, shapes: &BTreeMap<String, Shape>) -> String {
    words(ty, shapes, 0)
}

fn words(ty: &Type, shapes: &BTreeMap<String, Shape>, depth: usize) -> String {
    match ty {
        Type::Bool => "true or false".to_owned(),
        Type::Int => "a whole number".to_owned(),
        Type::Float => "a number".to_owned(),
        Type::Str => "a string".to_owned(),
        Type::List(inner) => format!("[{}, …]", words(inner, shapes, depth + 1)),
        Type::Optional(inner) => format!("{} or null", words(inner, shapes, depth + 1)),
        Type::Named(name) if depth <= DEEPEST => match shapes.get(name) {
            Some(shape) if !shape.fields.is_empty() => {
                let fields: Vec<String> = shape
                    .fields
                    .iter()
                    .map(|(name, field)| format!("{}: {}", json!(name), rule(field, shapes, depth)))
                    .collect();
                format!("{{{}}}", fields.join(", "))
            }
            _ => "an object".to_owned(),
        },
        _ => "any JSON value".to_owned(),
    }
}

fn rule(field: &Field, shapes: &BTreeMap<String, Shape>, depth: usize) -> String {
    let own = words(&field.ty, shapes, depth + 1);
    if !field.choices.is_empty() {
        let choices: Vec<String> = field.choices.iter().map(Value::to_string).collect();
        return format!("one of {}", choices.join(", "));
    }
    match (field.min, field.max) {
        (Some(min), Some(max)) => format!("{own} from {min} to {max}"),
        (Some(min), None) => format!("{own}, at least {min}"),
        (None, Some(max)) => format!("{own}, at most {max}"),
        (None, None) => own,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shapes() -> BTreeMap<String, Shape> {
        let shape = |fields: Vec<(&str, Field)>, open| Shape {
            fields: fields
                .into_iter()
                .map(|(name, field)| (name.to_owned(), field))
                .collect(),
            open,
        };
        BTreeMap::from([
            (
                "Verdict".to_owned(),
                shape(
                    vec![
                        ("decision", Field::one_of(&["accept", "reject"])),
                        ("score", Field::range("int?", 1.0, 3.0)),
                        ("share", Field::range("float", 0.0, 1.0)),
                    ],
                    false,
                ),
            ),
            ("Open".to_owned(), shape(Vec::new(), true)),
            (
                "Self".to_owned(),
                shape(vec![("next", Field::new("Self?"))], false),
            ),
        ])
    }

    fn schema(text: &str) -> Option<Value> {
        strict(&Type::parse(text).unwrap(), &shapes())
    }

    #[test]
    fn objects_are_closed_and_optional_fields_may_be_null() {
        let verdict = schema("Verdict").unwrap();
        assert_eq!(verdict["additionalProperties"], false);
        assert_eq!(verdict["required"], json!(["decision", "score", "share"]));
        assert_eq!(
            verdict["properties"]["score"],
            json!({"anyOf": [{"type": "integer", "enum": [1, 2, 3]}, {"type": "null"}]})
        );
        assert_eq!(
            verdict["properties"]["decision"]["enum"],
            json!(["accept", "reject"])
        );
        assert_eq!(schema("list<Verdict>").unwrap()["items"], verdict);
    }

    #[test]
    fn open_and_endless_types_have_no_strict_schema() {
        assert_eq!(
            (schema("json"), schema("Open"), schema("Self")),
            (None, None, None)
        );
    }

    #[test]
    fn the_words_say_every_rule() {
        let said = described(&Type::parse("Verdict").unwrap(), &shapes());
        for part in [
            "one of \"accept\"",
            "or null from 1 to 3",
            "a number from 0 to 1",
        ] {
            assert!(said.contains(part), "{said}");
        }
    }
}
