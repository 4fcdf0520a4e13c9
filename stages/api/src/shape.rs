//! Whether a value is of a type: checked when a stage's output is stored, and by those stages whose
//! outputs are written by somebody else.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{Field, Port, Shape, Signature, Type};

/// Says where and why a value is not of a type.
///
/// # Errors
/// One line: `.overall: 11 is above 10`.
pub fn check_value(
    value: &Value,
    ty: &Type,
    shapes: &BTreeMap<String, Shape>,
) -> Result<(), String> {
    at("", value, ty, shapes)
}

fn at(
    path: &str,
    value: &Value,
    ty: &Type,
    shapes: &BTreeMap<String, Shape>,
) -> Result<(), String> {
    let right = match ty {
        Type::Any | Type::Json | Type::Model => true,
        Type::Bool => value.is_boolean(),
        Type::Int => value.is_i64() || value.is_u64(),
        Type::Float => value.is_number(),
        Type::Str => value.is_string(),
        Type::Optional(inner) => {
            return if value.is_null() {
                Ok(())
            } else {
                at(path, value, inner, shapes)
            };
        }
        Type::List(inner) | Type::Grid(inner, _) => {
            let Some(items) = value.as_array() else {
                return Err(wrong(path, value, ty));
            };
            for (index, item) in items.iter().enumerate() {
                at(&format!("{path}[{index}]"), item, inner, shapes)?;
            }
            return Ok(());
        }
        Type::Named(name) => {
            return match shapes.get(name) {
                Some(shape) => object(path, value, ty, shape, shapes),
                None => Err(format!("no type `{name}`")),
            };
        }
        // Files are stored as files.
        Type::Text | Type::Table(_) | Type::File(_) | Type::Dir => false,
    };
    if right {
        Ok(())
    } else {
        Err(wrong(path, value, ty))
    }
}

fn object(
    path: &str,
    value: &Value,
    ty: &Type,
    shape: &Shape,
    shapes: &BTreeMap<String, Shape>,
) -> Result<(), String> {
    let Some(map) = value.as_object() else {
        return Err(wrong(path, value, ty));
    };
    for (name, field) in &shape.fields {
        let inside = format!("{path}.{name}");
        match map.get(name) {
            Some(value) => {
                at(&inside, value, &field.ty, shapes)?;
                rules(&inside, value, field)?;
            }
            None if matches!(field.ty, Type::Optional(_)) => {}
            None => return Err(format!("{inside} is missing")),
        }
    }
    match map
        .keys()
        .find(|name| !shape.open && !shape.fields.contains_key(*name))
    {
        Some(extra) => Err(format!("{path}.{extra} is not a field of {ty}")),
        None => Ok(()),
    }
}

fn rules(path: &str, value: &Value, field: &Field) -> Result<(), String> {
    if let Some(number) = value.as_f64() {
        if let Some(min) = field.min.filter(|min| number < *min) {
            return Err(format!("{path}: {number} is below {min}"));
        }
        if let Some(max) = field.max.filter(|max| number > *max) {
            return Err(format!("{path}: {number} is above {max}"));
        }
    }
    if !field.choices.is_empty() && !value.is_null() && !field.choices.contains(value) {
        let choices: Vec<_> = field.choices.iter().map(Value::to_string).collect();
        return Err(format!(
            "{path}: {value} is not one of {}",
            choices.join(", ")
        ));
    }
    Ok(())
}

fn wrong(path: &str, value: &Value, ty: &Type) -> String {
    let mut shown: String = value.to_string().chars().take(60).collect();
    if shown.is_empty() {
        shown = "nothing".to_owned();
    }
    let path = if path.is_empty() {
        String::new()
    } else {
        format!("{path}: ")
    };
    format!("{path}`{shown}` is not {ty}")
}

/// The outputs that a pipeline declared itself, beside those of the stage type.
pub fn declared<'p>(signature: &Signature, outs: &'p [Port]) -> impl Iterator<Item = &'p Port> {
    let own: Vec<String> = signature
        .outs
        .iter()
        .map(|port| port.name.clone())
        .collect();
    outs.iter().filter(move |port| !own.contains(&port.name))
}

/// The shapes that the types of ports name, and those that these name in turn.
pub fn named_shapes<'p>(
    ports: impl Iterator<Item = &'p Port>,
    shapes: &BTreeMap<String, Shape>,
) -> BTreeMap<String, Shape> {
    let mut found = BTreeMap::new();
    for port in ports {
        gather(&port.ty, shapes, &mut found);
    }
    found
}

fn gather(ty: &Type, shapes: &BTreeMap<String, Shape>, found: &mut BTreeMap<String, Shape>) {
    match ty {
        Type::Named(name) if !found.contains_key(name) => {
            if let Some(shape) = shapes.get(name) {
                found.insert(name.clone(), shape.clone());
                for field in shape.fields.values() {
                    gather(&field.ty, shapes, found);
                }
            }
        }
        Type::List(inner) | Type::Optional(inner) | Type::Grid(inner, _) => {
            gather(inner, shapes, found);
        }
        _ => {}
    }
}
