//! `types:` and the lines that look like it: fields with a type and bounds.

use std::collections::BTreeMap;

use kyobashi_stage::{Field, Shape, Type};

use super::super::node::{Entry, Node};
use super::super::report::Issue;
use super::file::File;
use super::state::Check;

/// Keys of a field in its long form.
const FIELD: &[&str] = &["type", "min", "max", "choices", "doc"];

/// Reads the named types of a file. Names first, so that types can name each other.
pub(super) fn types(check: &mut Check<'_>, file: &File) {
    let Some(entry) = file.entry("types") else {
        return;
    };
    let entries = check.form().map(&entry.node, "types").to_vec();
    let mut fresh = Vec::new();
    for entry in &entries {
        if !matches!(Type::parse(&entry.key), Ok(Type::Named(_))) || entry.key.len() > 100 {
            let message = format!("`{}` is not a name for a type", entry.key);
            let issue = Issue::error("spec::name", entry.at, "not a name", message);
            check
                .report
                .add(issue.help("a type's name starts with a capital letter"));
        } else if let Some(first) = check.declared.get(&entry.key) {
            if *first != entry.at {
                let message = format!("type `{}` is declared twice", entry.key);
                let issue = Issue::error("spec::twice", entry.at, "again", message);
                let issue = issue.also(*first, "first");
                check.report.add(issue);
            }
        } else if check.question.shapes.contains_key(&entry.key) {
            let message = format!("type `{}` is built in", entry.key);
            let issue = Issue::error("spec::twice", entry.at, "built in", message);
            check.report.add(issue.help("give yours another name"));
        } else {
            check.declared.insert(entry.key.clone(), entry.at);
            check.shapes.insert(entry.key.clone(), Shape::default());
            fresh.push(entry);
        }
    }
    for entry in fresh {
        let shape = shape(check, &entry.node, &entry.key);
        check.shapes.insert(entry.key.clone(), shape);
    }
}

fn shape(check: &mut Check<'_>, node: &Node, name: &str) -> Shape {
    let mut fields = BTreeMap::new();
    for entry in check.form().map(node, name).to_vec() {
        let field = shape_field(check, &entry, name);
        fields.insert(entry.key, field);
    }
    Shape {
        fields,
        open: false,
    }
}

fn shape_field(check: &mut Check<'_>, entry: &Entry, shape_name: &str) -> Field {
    let nested = entry.node.map().is_some() && entry.node.get("type").is_none();
    if !nested {
        return field(check, &entry.node, &entry.key);
    }
    // A map inside a shape is a shape of its own; its name is made from where it stands.
    let name = format!("{shape_name}_{}", entry.key);
    let inner = shape(check, &entry.node, &name);
    check.shapes.insert(name.clone(), inner);
    plain(Type::Named(name))
}

fn plain(ty: Type) -> Field {
    Field {
        ty,
        min: None,
        max: None,
        choices: Vec::new(),
    }
}

/// A type, short (`str?`) or long (`{type: int, min: 1, max: 10}`).
pub(super) fn field(check: &mut Check<'_>, node: &Node, name: &str) -> Field {
    if let Some(text) = node.string() {
        let ty = check.ty(text, node.span);
        return plain(ty);
    }
    let Some(entries) = node.map() else {
        check.form().expected(node, name, "a type");
        return plain(Type::Any);
    };
    check.form().keys(entries, FIELD, &format!("`{name}`"));
    bounds(check, node, name)
}

/// The type and bounds among the entries of a map.
pub(super) fn bounds(check: &mut Check<'_>, node: &Node, name: &str) -> Field {
    let ty = match node.get("type") {
        Some(entry) => match check.form().string(&entry.node, "type") {
            Some(text) => check.ty(&text, entry.node.span),
            None => Type::Any,
        },
        None => {
            let message = format!("`{name}` has no type");
            check.error("spec::no_type", node.span, "no `type`", message);
            Type::Any
        }
    };
    Field {
        ty,
        ..bounds_without_type(check, node)
    }
}

/// Only the bounds among the entries of a map.
pub(super) fn bounds_without_type(check: &mut Check<'_>, node: &Node) -> Field {
    let mut limit = |key: &str| {
        let entry = node.get(key)?;
        let number = entry.node.value().as_f64();
        if number.is_none() {
            check.form().expected(&entry.node, key, "a number");
        }
        number
    };
    let (min, max) = (limit("min"), limit("max"));
    let choices = match node.get("choices") {
        Some(entry) => check
            .form()
            .list(&entry.node, "choices")
            .iter()
            .map(Node::value)
            .collect(),
        None => Vec::new(),
    };
    Field {
        min,
        max,
        choices,
        ..plain(Type::Any)
    }
}
