//! Settings that name axes, fields or columns of an input: `over: [seed]`, `y: val_loss`. A name that
//! the given input does not have is told before anything runs.

use kyobashi_stage::{Names, Port, Signature, Type};

use super::super::report::Issue;
use super::super::written::{Form, Written};
use super::draft::Draft;
use super::expression::{bare, resolve};
use super::scope::Scope;
use super::state::Check;

/// Checks the settings of a stage that are names.
pub(super) fn named(
    check: &mut Check<'_>,
    scope: &Scope<'_>,
    draft: &Draft,
    signature: &Signature,
) {
    for port in &signature.with {
        let given = draft.with.iter().find(|given| given.name == port.name);
        if let (Some(names), Some(given)) = (&port.names, given) {
            let (what, input) = match names {
                Names::AxesOf(input) => ("axis", input),
                Names::FieldsOf(input) => ("field", input),
                Names::ColumnsOf(input) | Names::ColumnsOr(input, _) => ("column", input),
            };
            let Some(ty) = given_type(check, scope, draft, input) else {
                continue;
            };
            if let Some(known) = known(check, names, &ty) {
                each(check, port, &given.value, what, input, &known);
            }
        }
    }
}

/// The type of what stands under `in:`, which says more than the type that the port asks for.
fn given_type(
    check: &mut Check<'_>,
    scope: &Scope<'_>,
    draft: &Draft,
    input: &str,
) -> Option<Type> {
    let given = draft.ins.iter().find(|given| given.name == input)?;
    match &given.value.what {
        Form::Expr(expr) => Some(resolve(check, scope, expr).1),
        _ => None,
    }
}

/// The names that there are; none where they are not known.
fn known(check: &Check<'_>, names: &Names, ty: &Type) -> Option<Vec<String>> {
    let (member, axes) = match bare(ty) {
        Type::Grid(member, axes) => (&**member, Some(axes.clone())),
        Type::List(member) => (&**member, None),
        other => (other, None),
    };
    match (names, member) {
        (Names::AxesOf(_), _) => axes,
        (Names::FieldsOf(_), Type::Named(shape)) => {
            let shape = check.shapes.get(shape).filter(|shape| !shape.open)?;
            Some(shape.fields.keys().cloned().collect())
        }
        (Names::ColumnsOf(_) | Names::ColumnsOr(..), Type::Table(columns))
            if !columns.is_empty() =>
        {
            let own = match names {
                Names::ColumnsOr(_, own) => own.clone(),
                _ => Vec::new(),
            };
            let axes = axes.unwrap_or_default();
            Some(columns.iter().cloned().chain(axes).chain(own).collect())
        }
        _ => None,
    }
}

fn each(
    check: &mut Check<'_>,
    port: &Port,
    value: &Written,
    what: &str,
    input: &str,
    known: &[String],
) {
    if let Form::List(items) = &value.what {
        return items
            .iter()
            .for_each(|item| each(check, port, item, what, input, known));
    }
    let Some(name) = value.string() else {
        return;
    };
    if known.iter().any(|known| known == name) {
        return;
    }
    let plural = if what == "axis" {
        "axes".to_owned()
    } else {
        format!("{what}s")
    };
    let help = check
        .report
        .suggest(name, &plural, known.iter().map(String::as_str));
    let message = format!("`{input}` has no {what} `{name}`");
    let label = format!("`{}` names {plural} of `{input}`", port.name);
    let issue = Issue::error("port::unknown_name", value.span, label, message);
    check.report.add(issue.help(help));
}
