//! `params:`, `secrets:` and the `inputs:` of a component.

use std::collections::BTreeMap;

use kyobashi_stage::{Field, Type};

use super::super::node::Node;
use super::super::report::Issue;
use super::super::source::Span;
use super::super::written::Form;
use super::super::{Param, Secret, Template};
use super::expression::type_of;
use super::file::File;
use super::layers::Layers;
use super::reference::absent;
use super::scope::{Frame, Scope};
use super::state::Check;
use super::types;
use super::value::{Strings, bounded, given};

/// Keys of a param or an input in its long form.
pub(super) const PARAM: &[&str] = &["type", "default", "min", "max", "choices", "doc"];

/// Reads `params:` with every layer over it.
pub(super) fn params(check: &mut Check<'_>, file: &File, layers: &Layers) {
    let Some(entry) = file.entry("params") else {
        return;
    };
    for line in check.form().map(&entry.node, "params").to_vec() {
        check.form().name(&line.key, line.at, "param");
        let (field, default) = declaration(check, &line.node, &line.key);
        let mut nodes: Vec<&Node> = default.into_iter().collect();
        nodes.extend(
            layers
                .params
                .iter()
                .filter(|over| over.name == line.key)
                .map(|over| &over.node),
        );
        let mut value = None;
        for node in &nodes {
            value = Some((literal(check, node, &field, &line.key), node.span));
        }
        let (value, span) = value.unwrap_or_else(|| {
            let message = format!("param `{}` has no value", line.key);
            let issue = Issue::error("param::missing", line.at, "no default", message);
            let help = format!(
                "give it a `default`, or run with `--set params.{}=…`",
                line.key
            );
            check.report.add(issue.help(help));
            (absent(), line.at)
        });
        check.name(format!("params.{}", line.key), span);
        let param = Param {
            ty: field.ty,
            value,
        };
        check.params.insert(line.key.clone(), param);
    }
}

/// The type and bounds of a parameter, and its default: `2000`, or `{type: int, default: 2000}`.
fn declaration<'n>(check: &mut Check<'_>, node: &'n Node, name: &str) -> (Field, Option<&'n Node>) {
    let long = node.get("type").is_some() || node.get("default").is_some();
    let mut field = Field {
        ty: Type::Any,
        min: None,
        max: None,
        choices: Vec::new(),
    };
    let mut default = Some(node);
    if let (true, Some(entries)) = (long, node.map()) {
        check.form().keys(entries, PARAM, "a param");
        default = node.get("default").map(|entry| &entry.node);
        if node.get("type").is_some() || default.is_none() {
            return (types::bounds(check, node, name), default);
        }
        field = Field {
            ty: Type::Any,
            ..types::bounds_without_type(check, node)
        };
    }
    field.ty = default.map_or(Type::Any, |node| type_of(&node.value()));
    if matches!(field.ty, Type::Optional(_)) {
        let message = format!("the type of param `{name}` is not known");
        let issue = Issue::error("spec::no_type", node.span, "no value", message);
        check
            .report
            .add(issue.help("write `{type: …}`, or give it a default"));
        field.ty = Type::Any;
    }
    (field, default)
}

/// A value without references.
fn literal(check: &mut Check<'_>, node: &Node, field: &Field, name: &str) -> Template {
    let written = check.form().written(node);
    if matches!(written.what, Form::Broken) {
        return absent();
    }
    if written.plain().is_none() {
        let message = format!("param `{name}` is a fixed value; it cannot refer to anything");
        check.error("param::reference", node.span, "a reference", message);
        return absent();
    }
    let scope = Scope::file(Frame::Pipeline);
    // A role that a parameter names counts as used where the parameter is.
    let used = check.used_models.clone();
    let strings = if named_file(node, &field.ty) {
        Strings::Paths
    } else {
        Strings::Values
    };
    let value = given(check, &scope, &written, &field.ty, strings, name);
    check.used_models = used;
    if let Template::Literal(value) = &value {
        bounded(check, node.span, value, field, name);
    }
    value
}

/// Whether a parameter that holds any JSON value names a JSON file, which then stands for what is in it.
fn named_file(node: &Node, ty: &Type) -> bool {
    let json = match ty {
        Type::Optional(inner) => **inner == Type::Json,
        other => *other == Type::Json,
    };
    json && node.string().is_some_and(|text| text.ends_with(".json"))
}

/// Keys of a secret.
pub(super) const SECRET: &[&str] = &["env", "optional"];

/// Reads `secrets:`: `{s2: {env: S2_API_KEY, optional: true}}` or `{s2: S2_API_KEY}`.
pub(super) fn secrets(check: &mut Check<'_>, file: &File) {
    let Some(entry) = file.entry("secrets") else {
        return;
    };
    for line in check.form().map(&entry.node, "secrets").to_vec() {
        let mut form = check.form();
        let mut secret = Secret {
            env: String::new(),
            optional: false,
        };
        if let Some(name) = line.node.string() {
            name.clone_into(&mut secret.env);
        } else {
            let entries = form.map(&line.node, &line.key);
            form.keys(entries, SECRET, "a secret");
            for part in entries {
                match part.key.as_str() {
                    "env" => secret.env = form.string(&part.node, "env").unwrap_or_default(),
                    "optional" => {
                        secret.optional = form.truth(&part.node, "optional").unwrap_or(false)
                    }
                    _ => {}
                }
            }
        }
        let variable = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if secret.env.is_empty() || !secret.env.chars().all(variable) {
            let message = format!("secret `{}` names no environment variable", line.key);
            let issue = Issue::error("secret::env", line.node.span, "no variable", message);
            check.report.add(
                issue.help("only the variable's name stands in a file, as in `{env: S2_API_KEY}`"),
            );
            continue;
        }
        let before = check
            .secrets
            .get(&line.key)
            .map(|before| before.env.clone());
        if before.is_some_and(|before| before != secret.env) {
            let message = format!("secret `{}` has two variables", line.key);
            check.error("spec::twice", line.at, "another one", message);
        }
        check.secrets.insert(line.key.clone(), secret);
    }
}

/// An input of a component.
pub(super) struct Input {
    pub name: String,
    pub at: Span,
    pub ty: Type,
    pub default: Option<Node>,
}

/// Reads `inputs:`: a type, or `{type: int, default: 3}`.
pub(super) fn inputs(check: &mut Check<'_>, file: &File) -> Vec<Input> {
    let Some(entry) = file.entry("inputs") else {
        return Vec::new();
    };
    let mut inputs = Vec::new();
    for line in check.form().map(&entry.node, "inputs").to_vec() {
        let ty = match line.node.map() {
            Some(entries) => {
                check.form().keys(entries, PARAM, "an input");
                types::bounds(check, &line.node, &line.key).ty
            }
            None => types::field(check, &line.node, &line.key).ty,
        };
        inputs.push(Input {
            name: line.key.clone(),
            at: line.at,
            ty,
            default: line.node.get("default").map(|entry| entry.node.clone()),
        });
    }
    inputs
}

/// The types of inputs, by name.
pub(super) fn input_types(inputs: &[Input]) -> BTreeMap<String, Type> {
    inputs
        .iter()
        .map(|input| (input.name.clone(), input.ty.clone()))
        .collect()
}
