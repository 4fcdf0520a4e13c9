//! Values against the types that are wanted: [`Written`] → [`Template`]. Says which strings are
//! paths, reads JSON files that stand for values, and puts numbers into one form.

use kyobashi_stage::{Field, Type};
use serde_json::{Map, Value};

use super::super::report::Issue;
use super::super::source::Span;
use super::super::written::{Form, Part, Written};
use super::super::{Template, TextPart};
use super::expression::{resolve, type_of, unify};
use super::path::{self, path};
use super::reference::{absent, role};
use super::scope::Scope;
use super::state::Check;

/// What a string is that could be a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Strings {
    /// A path only where a file, table, text or folder is wanted: `with`.
    Values,
    /// A path unless a scalar is wanted: `in`.
    Paths,
    /// A path if it names something that exists: `carry`.
    PathsIfThere,
}

/// The value of something that has a type. `name` is what the value is for.
pub(super) fn given(
    check: &mut Check<'_>,
    scope: &Scope<'_>,
    value: &Written,
    wanted: &Type,
    strings: Strings,
    name: &str,
) -> Template {
    let want = match wanted {
        Type::Optional(inner) => inner,
        other => other,
    };
    match &value.what {
        Form::Broken => absent(),
        Form::Literal(Value::Null) if want != wanted => absent(),
        Form::Literal(Value::String(text))
            if path::meant(check, value.span, text, want, strings) =>
        {
            path(check, value.span, text, want).0
        }
        Form::Literal(literal) => scalar(check, value.span, literal, want, name),
        Form::Expr(expr) => {
            let (expression, ty) = resolve(check, scope, expr);
            if !ty.fits(wanted) {
                mismatch(check, value.span, name, wanted, &ty);
            }
            Template::Expression(expression)
        }
        Form::Text(_) if want.is_path() && *want != Type::Text => {
            mismatch(check, value.span, name, wanted, &Type::Str);
            absent()
        }
        Form::Text(_) if *want == Type::Text && strings != Strings::PathsIfThere => {
            let message = format!("the path of `{name}` cannot have references in it");
            let issue = Issue::error("file::reference", value.span, "not a fixed path", message);
            check
                .report
                .add(issue.help("the files of a pipeline are known before it runs"));
            absent()
        }
        Form::Text(parts) => {
            if !Type::Str.fits(wanted) {
                mismatch(check, value.span, name, wanted, &Type::Str);
            }
            text(check, scope, parts)
        }
        Form::List(items) => list(check, scope, value, items, want, strings, name),
        Form::Map(entries) => map(check, scope, value, entries, want, name),
    }
}

/// The value of something that takes its type from the value.
pub(super) fn inferred(
    check: &mut Check<'_>,
    scope: &Scope<'_>,
    value: &Written,
    strings: Strings,
) -> (Template, Type) {
    match &value.what {
        Form::Broken => (absent(), Type::Any),
        Form::Literal(Value::String(text))
            if path::meant(check, value.span, text, &Type::Any, strings) =>
        {
            path(check, value.span, text, &Type::Any)
        }
        Form::Literal(literal) => (Template::Literal(literal.clone()), type_of(literal)),
        Form::Expr(expr) => {
            let (expression, ty) = resolve(check, scope, expr);
            (Template::Expression(expression), ty)
        }
        Form::Text(parts) => (text(check, scope, parts), Type::Str),
        Form::List(items) => {
            let (mut members, mut ty) = (Vec::new(), None);
            for item in items {
                let (member, next) = inferred(check, scope, item, strings);
                members.push(member);
                ty = Some(match ty {
                    None => next,
                    Some(before) => unify(&before, &next).unwrap_or(Type::Json),
                });
            }
            let ty = Type::List(Box::new(ty.unwrap_or(Type::Any)));
            (joined(members), ty)
        }
        Form::Map(entries) => (open_map(check, scope, entries), Type::Json),
    }
}

/// Tells a value of the wrong type.
pub(super) fn mismatch(check: &mut Check<'_>, span: Span, name: &str, want: &Type, have: &Type) {
    let nothing = *have == Type::Optional(Box::new(Type::Any));
    let shown = if nothing {
        "nothing".to_owned()
    } else {
        have.to_string()
    };
    let message = format!("`{name}` takes {want}, this is {shown}");
    let help = match (have, want) {
        _ if nothing => None,
        (Type::Optional(inner), want) if inner.fits(want) => {
            Some("say what to take where it is absent: `default(x, y)`")
        }
        (Type::List(inner) | Type::Grid(inner, _), want) if inner.fits(want) => {
            Some("from outside a `foreach` or `matrix` its outputs are lists")
        }
        (Type::Int | Type::Float | Type::Bool, Type::Str) => Some("write it in quotes"),
        _ => None,
    };
    let issue = Issue::error("type::mismatch", span, shown, message);
    check.report.add(issue.help(help.map(str::to_owned)));
}

fn scalar(check: &mut Check<'_>, span: Span, value: &Value, want: &Type, name: &str) -> Template {
    match (want, value) {
        (Type::Model, Value::String(text)) => {
            if !check.models.contains_key(text) {
                let help =
                    check
                        .report
                        .suggest(text, "models", check.models.keys().map(String::as_str));
                let issue = Issue::error(
                    "ref::unknown_model",
                    span,
                    "unknown model",
                    format!("no model `{text}`"),
                );
                check.report.add(issue.help(help));
                return absent();
            }
            check.used_models.insert(text.clone());
            role(text)
        }
        (Type::Any | Type::Json, _) => Template::Literal(value.clone()),
        (Type::Float, Value::Number(number)) => {
            // One form for one number, so that `1` and `1.0` have one digest.
            Template::Literal(number.as_f64().map_or(Value::Null, Value::from))
        }
        _ => {
            let have = type_of(value);
            if !have.fits(want) {
                mismatch(check, span, name, want, &have);
            }
            Template::Literal(value.clone())
        }
    }
}

fn text(check: &mut Check<'_>, scope: &Scope<'_>, parts: &[Part]) -> Template {
    let mut resolved = Vec::new();
    for part in parts {
        resolved.push(match part {
            Part::Text(text) => TextPart::Text(text.clone()),
            Part::Expr(expr) => {
                let (expression, ty) = resolve(check, scope, expr);
                if !matches!(
                    ty,
                    Type::Any | Type::Bool | Type::Int | Type::Float | Type::Str
                ) {
                    let message = format!("a value of type `{ty}` cannot stand inside a text");
                    let issue = Issue::error("type::in_text", expr.span, ty.to_string(), message);
                    check.report.add(issue.help(match ty {
                        Type::Optional(_) => "say what to take where it is absent: `default(x, y)`",
                        _ => "only numbers, truth values and strings can",
                    }));
                }
                TextPart::Expression(expression)
            }
        });
    }
    Template::Text(resolved)
}

fn list(
    check: &mut Check<'_>,
    scope: &Scope<'_>,
    value: &Written,
    items: &[Written],
    want: &Type,
    strings: Strings,
    name: &str,
) -> Template {
    match want {
        Type::List(item) => {
            let members = items
                .iter()
                .map(|member| given(check, scope, member, item, strings, name));
            joined(members.collect())
        }
        Type::Any | Type::Json => {
            let members = items
                .iter()
                .map(|member| given(check, scope, member, want, Strings::Values, name));
            joined(members.collect())
        }
        _ => {
            let message = format!("`{name}` takes {want}, this is a list");
            check.error("type::mismatch", value.span, "a list", message);
            absent()
        }
    }
}

/// A list; a literal if there is no reference in it.
fn joined(members: Vec<Template>) -> Template {
    if members
        .iter()
        .any(|member| !matches!(member, Template::Literal(_)))
    {
        return Template::List(members);
    }
    let values = members.into_iter().filter_map(|member| match member {
        Template::Literal(value) => Some(value),
        _ => None,
    });
    Template::Literal(Value::Array(values.collect()))
}

type Entries = [(String, Span, Written)];

fn map(
    check: &mut Check<'_>,
    scope: &Scope<'_>,
    value: &Written,
    entries: &Entries,
    want: &Type,
    name: &str,
) -> Template {
    match want {
        Type::Any | Type::Json => open_map(check, scope, entries),
        Type::Named(shape) => shaped(check, scope, value, entries, shape),
        _ => {
            let message = format!("`{name}` takes {want}, this is a map");
            check.error("type::mismatch", value.span, "a map", message);
            absent()
        }
    }
}

fn open_map(check: &mut Check<'_>, scope: &Scope<'_>, entries: &Entries) -> Template {
    let mut values = Vec::new();
    for (key, _, value) in entries {
        let value = given(check, scope, value, &Type::Json, Strings::Values, key);
        values.push((key.clone(), value));
    }
    joined_map(values)
}

/// A map; a literal if there is no reference in it.
fn joined_map(entries: Vec<(String, Template)>) -> Template {
    if entries
        .iter()
        .any(|(_, value)| !matches!(value, Template::Literal(_)))
    {
        return Template::Map(entries);
    }
    let values = entries.into_iter().filter_map(|(key, value)| match value {
        Template::Literal(value) => Some((key, value)),
        _ => None,
    });
    Template::Literal(Value::Object(values.collect::<Map<_, _>>()))
}

fn shaped(
    check: &mut Check<'_>,
    scope: &Scope<'_>,
    value: &Written,
    entries: &Entries,
    shape: &str,
) -> Template {
    let Some(fields) = check.shapes.get(shape).cloned() else {
        return absent();
    };
    let mut values = Vec::new();
    for (key, at, written) in entries {
        let template = match fields.fields.get(key) {
            Some(field) => {
                let template = given(check, scope, written, &field.ty, Strings::Values, key);
                if let Template::Literal(value) = &template {
                    bounded(check, written.span, value, field, key);
                }
                template
            }
            None => {
                if !fields.open {
                    let help = check.report.suggest(
                        key,
                        "fields",
                        fields.fields.keys().map(String::as_str),
                    );
                    let message = format!("`{shape}` has no field `{key}`");
                    let issue = Issue::error("ref::unknown_field", *at, "unknown field", message);
                    check.report.add(issue.help(help));
                }
                given(check, scope, written, &Type::Json, Strings::Values, key)
            }
        };
        values.push((key.clone(), template));
    }
    for (key, field) in &fields.fields {
        let optional = matches!(field.ty, Type::Optional(_));
        if !optional && !entries.iter().any(|(given, ..)| given == key) {
            let message = format!("`{shape}` needs the field `{key}`");
            check.error("type::missing_field", value.span, "not complete", message);
        }
    }
    joined_map(values)
}

/// Tells a literal outside the bounds of its field or parameter.
pub(super) fn bounded(check: &mut Check<'_>, span: Span, value: &Value, field: &Field, name: &str) {
    if let Some(message) = bounds(value, field) {
        check.error(
            "type::range",
            span,
            "out of range",
            format!("`{name}` {message}"),
        );
    }
}

/// Why a value is outside the bounds of a field.
pub(super) fn bounds(value: &Value, field: &Field) -> Option<String> {
    if let Some(number) = value.as_f64() {
        if let Some(min) = field.min.filter(|min| number < *min) {
            return Some(format!("is at least {min}, this is {value}"));
        }
        if let Some(max) = field.max.filter(|max| number > *max) {
            return Some(format!("is at most {max}, this is {value}"));
        }
    }
    if field.choices.is_empty() || value.is_null() || field.choices.contains(value) {
        return None;
    }
    let choices: Vec<String> = field.choices.iter().map(Value::to_string).collect();
    Some(format!("is one of {}, this is {value}", choices.join(", ")))
}
