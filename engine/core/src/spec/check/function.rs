//! The 14 functions of the language: how many arguments of which types, and what they give.

use kyobashi_stage::Type;

use super::super::report::Issue;
use super::super::source::Span;
use super::super::syntax::Expr;
use super::super::{Expression, Function};
use super::expression::{Typed, bare, broken, is_number, operand, resolve, unify, wants};
use super::scope::Scope;
use super::state::Check;

/// Name, least and most arguments, how it is written.
const FUNCTIONS: &[(&str, Function, usize, usize, &str)] = &[
    ("len", Function::Len, 1, 1, "len(list or text)"),
    (
        "range",
        Function::Range,
        1,
        2,
        "range(n) or range(from, to)",
    ),
    (
        "min",
        Function::Min,
        1,
        usize::MAX,
        "min(list) or min(a, b, …)",
    ),
    (
        "max",
        Function::Max,
        1,
        usize::MAX,
        "max(list) or max(a, b, …)",
    ),
    ("mean", Function::Mean, 1, 1, "mean(list)"),
    (
        "round",
        Function::Round,
        1,
        2,
        "round(x) or round(x, digits)",
    ),
    (
        "contains",
        Function::Contains,
        2,
        2,
        "contains(text or list, part)",
    ),
    (
        "starts_with",
        Function::StartsWith,
        2,
        2,
        "starts_with(text, start)",
    ),
    (
        "ends_with",
        Function::EndsWith,
        2,
        2,
        "ends_with(text, end)",
    ),
    ("lower", Function::Lower, 1, 1, "lower(text)"),
    ("slug", Function::Slug, 1, 1, "slug(text)"),
    ("if", Function::If, 3, 3, "if(condition, a, b)"),
    ("default", Function::Default, 2, 2, "default(x, y)"),
    ("concat", Function::Concat, 2, usize::MAX, "concat(a, b, …)"),
];

/// Resolves a call.
pub(super) fn call(
    check: &mut Check<'_>,
    scope: &Scope<'_>,
    name: &str,
    at: Span,
    args: &[Expr],
    span: Span,
) -> Typed {
    let args: Vec<(Expression, Type, Span)> = args
        .iter()
        .map(|arg| {
            let (value, ty) = resolve(check, scope, arg);
            (value, ty, arg.span)
        })
        .collect();
    let Some((_, function, least, most, usage)) =
        FUNCTIONS.iter().find(|(known, ..)| *known == name)
    else {
        let names = FUNCTIONS.iter().map(|(known, ..)| *known);
        let help = check.report.nearest(name, names.clone());
        let help = help.map_or_else(
            || format!("functions: `{}`", names.collect::<Vec<_>>().join("`, `")),
            |name| format!("did you mean `{name}`?"),
        );
        let issue = Issue::error(
            "expr::unknown_function",
            at,
            "unknown function",
            format!("no function `{name}`"),
        );
        check.report.add(issue.help(help));
        return broken();
    };
    if args.len() < *least || args.len() > *most {
        let message = format!("`{name}` does not take {} arguments", args.len());
        let issue = Issue::error("expr::arguments", span, "here", message);
        check.report.add(issue.help(format!("write `{usage}`")));
        return broken();
    }
    let types: Vec<(Span, &Type)> = args.iter().map(|(_, ty, span)| (*span, ty)).collect();
    let ty = result(check, *function, usage, &types);
    let values = args.into_iter().map(|(value, ..)| value).collect();
    (Expression::Call(*function, values), ty)
}

/// A function as it is written.
pub(in super::super) fn function_name(function: Function) -> &'static str {
    let known = FUNCTIONS.iter().find(|(_, known, ..)| *known == function);
    known.map_or("?", |(name, ..)| name)
}

fn result(check: &mut Check<'_>, function: Function, usage: &str, args: &[(Span, &Type)]) -> Type {
    let (span, first) = args[0];
    let second = args.get(1).map_or(&Type::Any, |(_, ty)| ty);
    let takes = |what: &str| format!("`{usage}` takes {what}");
    match function {
        Function::Len => {
            if !(matches!(first, Type::Str | Type::Any | Type::Json) || item(first).is_some()) {
                operand(check, &takes("a list or a text"), &args[..1]);
            }
            Type::Int
        }
        Function::Range => {
            for (span, ty) in args {
                wants(check, *span, ty, &Type::Int, &takes("whole numbers"));
            }
            Type::List(Box::new(Type::Int))
        }
        Function::Min | Function::Max if args.len() == 1 => {
            numbers(check, &takes("a list of numbers"), span, first)
        }
        Function::Min | Function::Max => {
            let wrong: Vec<(Span, &Type)> = args
                .iter()
                .copied()
                .filter(|(_, ty)| !is_number(ty))
                .collect();
            if !wrong.is_empty() {
                operand(check, &takes("numbers"), &wrong);
            }
            let whole = args.iter().all(|(_, ty)| **ty == Type::Int);
            if whole { Type::Int } else { Type::Float }
        }
        Function::Mean => {
            numbers(check, &takes("a list of numbers"), span, first);
            Type::Float
        }
        Function::Round => {
            if !is_number(first) {
                operand(check, &takes("a number"), &args[..1]);
            }
            if args.len() == 2 {
                wants(
                    check,
                    args[1].0,
                    second,
                    &Type::Int,
                    &takes("a whole number of digits"),
                );
                return Type::Float;
            }
            Type::Int
        }
        Function::Contains => {
            let fits = match item(first) {
                Some(item) => second.fits(item) || item.fits(second),
                None => first.fits(&Type::Str) && second.fits(&Type::Str) || *first == Type::Json,
            };
            if !fits {
                operand(
                    check,
                    &takes("a text and a part, or a list and a member"),
                    args,
                );
            }
            Type::Bool
        }
        Function::StartsWith | Function::EndsWith => {
            for (span, ty) in args {
                wants(check, *span, ty, &Type::Str, &takes("two texts"));
            }
            Type::Bool
        }
        Function::Lower | Function::Slug => {
            wants(check, span, first, &Type::Str, &takes("a text"));
            Type::Str
        }
        Function::If => {
            wants(
                check,
                span,
                first,
                &Type::Bool,
                &takes("a truth value first"),
            );
            either(check, &takes("two values of one type"), &args[1..])
        }
        Function::Default => {
            let first = bare(first);
            either(
                check,
                &takes("two values of one type"),
                &[(span, first), args[1]],
            )
        }
        Function::Concat => concat(check, &takes("texts, or lists of one type"), args),
    }
}

/// The type of the members of a list.
fn item(ty: &Type) -> Option<&Type> {
    match ty {
        Type::List(item) | Type::Grid(item, _) => Some(item),
        _ => None,
    }
}

fn numbers(check: &mut Check<'_>, message: &str, span: Span, ty: &Type) -> Type {
    match item(ty) {
        Some(Type::Int) => Type::Int,
        Some(Type::Float | Type::Any) => Type::Float,
        _ if *ty == Type::Any => Type::Float,
        _ => {
            operand(check, message, &[(span, ty)]);
            Type::Float
        }
    }
}

fn either(check: &mut Check<'_>, message: &str, both: &[(Span, &Type)]) -> Type {
    match unify(both[0].1, both[1].1) {
        Some(ty) => ty,
        None => {
            operand(check, message, both);
            Type::Any
        }
    }
}

fn concat(check: &mut Check<'_>, message: &str, args: &[(Span, &Type)]) -> Type {
    if args.iter().all(|(_, ty)| ty.fits(&Type::Str)) {
        return Type::Str;
    }
    let mut joined: Option<Type> = None;
    for (_, ty) in args {
        let next = match (item(ty), &joined) {
            (Some(member), None) => Some(member.clone()),
            (Some(member), Some(before)) => unify(before, member),
            (None, _) if **ty == Type::Any => Some(Type::Any),
            (None, _) => None,
        };
        let Some(next) = next else {
            operand(check, message, args);
            return Type::Any;
        };
        joined = Some(next);
    }
    Type::List(Box::new(joined.unwrap_or(Type::Any)))
}
