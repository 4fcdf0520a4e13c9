//! The type that a carried value will have after the first round, found from declarations alone: the
//! inside of a `repeat` cannot be checked before the types of what it carries are known. What is
//! wrong is told later, when the inside is checked.

use kyobashi_stage::Type;

use super::super::Step;
use super::super::syntax::{Expr, Syntax};
use super::super::written::{Form, Written};
use super::draft::{Draft, Fan, Kind};
use super::file::open;
use super::form::Given;
use super::stages::{Level, failure_outs};
use super::state::Check;

/// Groups that are looked into.
const MOST_LEVELS: usize = 16;

/// The type of a value of `next:`, if declarations say it. `inner` are the stages of the group.
pub(super) fn early(
    check: &mut Check<'_>,
    level: &Level<'_>,
    inner: &[Draft],
    value: &Written,
) -> Option<Type> {
    of_value(check, level, inner, value, 0)
}

fn of_value(
    check: &mut Check<'_>,
    level: &Level<'_>,
    inner: &[Draft],
    value: &Written,
    depth: usize,
) -> Option<Type> {
    match &value.what {
        Form::Expr(expr) if depth < MOST_LEVELS => of_expression(check, level, inner, expr, depth),
        _ => None,
    }
}

fn of_expression(
    check: &mut Check<'_>,
    level: &Level<'_>,
    inner: &[Draft],
    expr: &Expr,
    depth: usize,
) -> Option<Type> {
    match &expr.what {
        Syntax::Path(path) => {
            let [(Step::Field(output), _)] = &path.steps[..] else {
                return None;
            };
            let stage = inner.iter().find(|stage| stage.name == path.head)?;
            of_output(check, level, stage, output, depth)
        }
        Syntax::Call { name, args, .. } if name == "default" => args
            .iter()
            .find_map(|arg| of_expression(check, level, inner, arg, depth)),
        _ => None,
    }
}

fn of_output(
    check: &mut Check<'_>,
    level: &Level<'_>,
    stage: &Draft,
    output: &str,
    depth: usize,
) -> Option<Type> {
    if !matches!(stage.fan(), Fan::Once | Fan::Repeat { .. }) {
        return None;
    }
    if stage.may_fail
        && let Some((_, ty)) = failure_outs().into_iter().find(|(name, _)| name == output)
    {
        return Some(ty);
    }
    let named = |givens: &[Given]| givens.iter().find(|given| given.name == output).cloned();
    match &stage.kind {
        Kind::Run { .. } => declared(&named(&stage.out)?),
        Kind::Uses { name, .. } => {
            if let Some(signature) = check.signatures.get(name) {
                let port = signature.outs.iter().find(|port| port.name == output);
                return match port {
                    Some(port) => Some(port.ty.clone()),
                    None => declared(&named(&stage.out)?),
                };
            }
            let import = level
                .file
                .imports
                .iter()
                .find(|import| import.name == *name)?;
            let path = check.beside(level.file.id, &import.path);
            check.look(&path)?;
            let file = open(check, &path, Some(import.span))?;
            let value = named(&file.outputs)?;
            let inside = Level {
                file: &file,
                ..*level
            };
            of_value(check, &inside, &file.stages, &value.value, depth + 1)
        }
        Kind::Group { stages } => {
            let value = named(&stage.out)?;
            of_value(check, level, stages, &value.value, depth + 1)
        }
        Kind::Broken => None,
    }
}

fn declared(out: &Given) -> Option<Type> {
    let text = out.value.string().filter(|text| text.len() <= 200)?;
    Type::parse(text).ok()
}
