//! How often a stage runs: `matrix`, `foreach`, `repeat`, and the names that they bring.

use std::collections::BTreeMap;
use std::mem::discriminant;

use kyobashi_stage::Type;
use serde_json::Value;

use super::super::report::Issue;
use super::super::source::Span;
use super::super::written::{Form, Written};
use super::super::{Axis, Carry, Expression, Fan, StageId, Template};
use super::draft::{self, Draft, Kind};
use super::early;
use super::expression::{broken, resolve, type_of};
use super::form::Given;
use super::reference::absent;
use super::scope::{Frame, Scope};
use super::stages::Level;
use super::state::Check;
use super::value::{Strings, given, inferred};

/// A fan and the names that it brings.
pub(super) struct Fanned {
    pub fan: Fan,
    pub variables: Vec<(String, Type)>,
    pub carry: Vec<(String, Type)>,
}

/// Checks how often a stage runs. What a `repeat` does after a round is filled in by its group.
pub(super) fn fan(
    check: &mut Check<'_>,
    level: &Level<'_>,
    outside: &Scope<'_>,
    draft: &Draft,
    id: StageId,
) -> Fanned {
    let (mut variables, mut carried) = (Vec::new(), Vec::new());
    let fan = match draft.fan() {
        draft::Fan::Once => Fan::Once,
        draft::Fan::Matrix {
            at,
            axes,
            exclude,
            include,
        } => {
            check.part(id, "matrix", *at);
            matrix(check, outside, id, axes, exclude, include, &mut variables)
        }
        draft::Fan::Foreach {
            variable,
            at,
            list,
            key,
        } => {
            check.part(id, "foreach", *at);
            let (list, item) = members(check, outside, list, "foreach");
            variables.push((variable.clone(), item));
            let inside = outside.with(Frame::Variables(&variables));
            let key = key.as_ref().map(|key| address(check, &inside, key));
            Fan::Foreach {
                variable: variable.clone(),
                list,
                key,
            }
        }
        draft::Fan::Repeat {
            at,
            max,
            at_max,
            carry,
            next,
            ..
        } => {
            check.part(id, "repeat", *at);
            pairs(check, *at, carry, next);
            let max = match max {
                Some(max) => given(check, outside, max, &Type::Int, Strings::Values, "max"),
                None => absent(),
            };
            if !matches!(draft.kind, Kind::Group { .. } | Kind::Broken) {
                let issue = Issue::error(
                    "repeat::no_group",
                    *at,
                    "not here",
                    "`repeat` needs `stages`",
                );
                check.report.add(issue.help(
                    "put the stage into `stages:`; its results are read by `next:` and `until:`",
                ));
            }
            let inner: &[Draft] = match &draft.kind {
                Kind::Group { stages } => stages,
                _ => &[],
            };
            let mut carries = Vec::new();
            for first in carry {
                let next = next.iter().find(|given| given.name == first.name);
                let ty = next.and_then(|next| early::early(check, level, inner, &next.value));
                let (template, ty) = first_value(check, outside, id, first, ty);
                carried.push((first.name.clone(), ty.clone()));
                carries.push(Carry {
                    name: first.name.clone(),
                    ty,
                    first: template,
                    next: absent(),
                });
            }
            Fan::Repeat {
                max,
                until: None,
                at_max: *at_max,
                carry: carries,
            }
        }
    };
    Fanned {
        fan,
        variables,
        carry: carried,
    }
}

/// The first value of what is carried. Where the type for later rounds is known, that is its type: a
/// path or an empty text alone does not say what it is.
fn first_value(
    check: &mut Check<'_>,
    outside: &Scope<'_>,
    id: StageId,
    first: &Given,
    later: Option<Type>,
) -> (Template, Type) {
    check.part(id, format!("carry.{}", first.name), first.value.span);
    match (later, &first.value.what) {
        (Some(ty), Form::Literal(_) | Form::List(_) | Form::Map(_)) => {
            let template = given(
                check,
                outside,
                &first.value,
                &ty,
                Strings::PathsIfThere,
                &first.name,
            );
            (template, ty)
        }
        (later, _) => {
            let (template, ty) = inferred(check, outside, &first.value, Strings::PathsIfThere);
            let wider = later.filter(|later| ty.fits(later) && *later != Type::Any);
            (template, wider.unwrap_or(ty))
        }
    }
}

/// `carry` and `next` name the same values.
fn pairs(check: &mut Check<'_>, at: Span, carry: &[Given], next: &[Given]) {
    for first in carry {
        if !next.iter().any(|given| given.name == first.name) {
            let message = format!(
                "`next:` does not say what `{}` is in the next round",
                first.name
            );
            let issue = Issue::error("repeat::next", first.at, "no next value", message);
            check
                .report
                .add(issue.help(format!("add `{}: …` under `next:`", first.name)));
        }
    }
    for given in next {
        if !carry.iter().any(|first| first.name == given.name) {
            let message = format!("`{}` is not carried", given.name);
            let issue = Issue::error("repeat::next", given.at, "no first value", message);
            let help = format!("add `{}: …` under `carry:`", given.name);
            check.report.add(issue.also(at, "this repeat").help(help));
        }
    }
}

fn address(check: &mut Check<'_>, scope: &Scope<'_>, key: &Written) -> Template {
    let (template, ty) = inferred(check, scope, key, Strings::Values);
    if !matches!(ty, Type::Str | Type::Int | Type::Any) {
        let message = format!("`key:` is a text or a whole number, this is {ty}");
        check.error("foreach::key", key.span, &ty.to_string(), message);
    } else if key.plain().is_some() {
        let issue = Issue::error(
            "foreach::key",
            key.span,
            "always the same",
            "`key:` must differ for each member",
        );
        check.report.add(issue.help("as in `key: ${idea.name}`"));
    }
    template
}

/// A list to run over, and the type of its members.
fn members(
    check: &mut Check<'_>,
    scope: &Scope<'_>,
    value: &Written,
    name: &str,
) -> (Expression, Type) {
    match &value.what {
        Form::Broken => broken(),
        Form::Expr(expr) => {
            let (expression, ty) = resolve(check, scope, expr);
            (expression, member(check, value.span, ty, name))
        }
        Form::List(_) => match value.plain() {
            Some(list) => {
                let item = member(check, value.span, type_of(&list), name);
                (Expression::Literal(list), item)
            }
            None => {
                let message = format!("`{name}` takes one ${{ … }}, or a list without references");
                check.error("foreach::list", value.span, "references inside", message);
                broken()
            }
        },
        _ => {
            let (_, ty) = inferred(check, scope, value, Strings::Values);
            member(check, value.span, ty, name);
            broken()
        }
    }
}

fn member(check: &mut Check<'_>, span: Span, ty: Type, name: &str) -> Type {
    match ty {
        Type::List(item) | Type::Grid(item, _) => *item,
        Type::Any => Type::Any,
        ty => {
            let message = format!("`{name}` runs over a list, this is {ty}");
            let issue = Issue::error("type::mismatch", span, ty.to_string(), message);
            let help = match ty {
                Type::Json => Some("declare the output as `list<json>`".to_owned()),
                Type::Int => Some("write `${range(n)}`".to_owned()),
                _ => None,
            };
            check.report.add(issue.help(help));
            Type::Any
        }
    }
}

fn matrix(
    check: &mut Check<'_>,
    scope: &Scope<'_>,
    id: StageId,
    axes: &[Given],
    exclude: &[Vec<Given>],
    include: &[Vec<Given>],
    variables: &mut Vec<(String, Type)>,
) -> Fan {
    let mut checked = Vec::new();
    for axis in axes {
        check.part(id, format!("matrix.{}", axis.name), axis.value.span);
        let (values, ty) = match &axis.value.what {
            Form::List(_) => {
                let (_, ty) = inferred(check, scope, &axis.value, Strings::Values);
                let item = member(check, axis.value.span, ty, &axis.name);
                let list = Type::List(Box::new(item.clone()));
                repeated(check, axis);
                // Once more with the type of all members, so that `[1, 0.5]` is two floats.
                (
                    given(
                        check,
                        scope,
                        &axis.value,
                        &list,
                        Strings::Values,
                        &axis.name,
                    ),
                    item,
                )
            }
            _ => {
                let (list, item) = members(check, scope, &axis.value, &axis.name);
                (Template::Expression(list), item)
            }
        };
        variables.push((axis.name.clone(), ty));
        checked.push(Axis {
            name: axis.name.clone(),
            values,
        });
    }
    for cell in exclude {
        excludes_nothing(check, &checked, cell);
    }
    let exclude = exclude.iter().map(|cell| {
        let cell = coordinates(check, scope, variables, cell);
        (!cell.is_empty()).then_some(cell)
    });
    let exclude = exclude.collect::<Vec<_>>().into_iter().flatten().collect();
    let mut whole = Vec::new();
    for cell in include {
        for (axis, _) in variables.iter() {
            if let (false, Some(first)) =
                (cell.iter().any(|given| given.name == *axis), cell.first())
            {
                let message =
                    format!("a cell of `include` says a value for every axis; `{axis}` is missing");
                check.error("matrix::missing_axis", first.at, "not complete", message);
            }
        }
        whole.push(coordinates(check, scope, variables, cell));
    }
    Fan::Matrix {
        axes: checked,
        exclude,
        include: whole,
    }
}

/// Two equal values on one axis would be two cells with one address.
fn repeated(check: &mut Check<'_>, axis: &Given) {
    let Form::List(items) = &axis.value.what else {
        return;
    };
    let mut seen: BTreeMap<String, Span> = BTreeMap::new();
    for item in items {
        let Some(value) = item.plain() else {
            continue;
        };
        let number = value.as_f64().map(Value::from).unwrap_or(value.clone());
        if let Some(first) = seen.insert(number.to_string(), item.span) {
            let message = format!("`{}` has the value {value} twice", axis.name);
            let issue = Issue::error("matrix::twice", item.span, "again", message);
            check.report.add(issue.also(first, "first"));
        }
    }
}

/// A cell of `exclude` with a value that its axis does not have leaves out nothing.
fn excludes_nothing(check: &mut Check<'_>, axes: &[Axis], cell: &[Given]) {
    for given in cell {
        let axis = axes.iter().find(|axis| axis.name == given.name);
        let (Some(Template::Literal(Value::Array(values))), Some(value)) =
            (axis.map(|axis| &axis.values), given.value.plain())
        else {
            continue;
        };
        let same = |known: &Value| {
            *known == value || known.as_f64().is_some_and(|k| value.as_f64() == Some(k))
        };
        // A value of another type was told as such.
        let alike = |known: &Value| discriminant(known) == discriminant(&value);
        if values.iter().all(alike) && !values.iter().any(same) {
            let message = format!(
                "`{}` has no value {value}, so nothing is excluded",
                given.name
            );
            let issue = Issue::warning(
                "matrix::excludes_nothing",
                given.value.span,
                "no such value",
                message,
            );
            check.report.add(issue);
        }
    }
}

fn coordinates(
    check: &mut Check<'_>,
    scope: &Scope<'_>,
    axes: &[(String, Type)],
    cell: &[Given],
) -> BTreeMap<String, Template> {
    let mut at = BTreeMap::new();
    for value in cell {
        let Some((_, ty)) = axes.iter().find(|(axis, _)| *axis == value.name) else {
            let names = axes.iter().map(|(axis, _)| axis.as_str());
            let help = check.report.suggest(&value.name, "axes", names);
            let message = format!("this matrix has no axis `{}`", value.name);
            let issue = Issue::error("matrix::unknown_axis", value.at, "unknown axis", message);
            check.report.add(issue.help(help));
            continue;
        };
        let template = given(check, scope, &value.value, ty, Strings::Values, &value.name);
        at.insert(value.name.clone(), template);
    }
    at
}
