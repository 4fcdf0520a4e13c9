//! Names and types of expressions: [`Expr`] → [`Expression`] with its type. What is broken was told
//! and has type `any`, so that one mistake is one message.

use kyobashi_stage::Type;
use serde_json::Value;

use super::super::report::Issue;
use super::super::source::Span;
use super::super::syntax::{Expr, Syntax, spelling};
use super::super::{Binary, Expression};
use super::function;
use super::reference::reference;
use super::scope::Scope;
use super::state::Check;

/// A resolved expression and its type.
pub(super) type Typed = (Expression, Type);

/// What stands for an expression that could not be resolved.
pub(super) fn broken() -> Typed {
    (Expression::Literal(Value::Null), Type::Any)
}

/// Resolves an expression.
pub(super) fn resolve(check: &mut Check<'_>, scope: &Scope<'_>, expr: &Expr) -> Typed {
    match &expr.what {
        Syntax::Literal(value) => (Expression::Literal(value.clone()), type_of(value)),
        Syntax::Path(path) => reference(check, scope, path, expr.span),
        Syntax::Not(inner) => {
            let (value, ty) = resolve(check, scope, inner);
            wants(
                check,
                inner.span,
                &ty,
                &Type::Bool,
                "`!` takes a truth value",
            );
            (Expression::Not(Box::new(value)), Type::Bool)
        }
        Syntax::Minus(inner) => {
            let (value, ty) = resolve(check, scope, inner);
            if !is_number(&ty) {
                operand(check, "`-` takes a number", &[(inner.span, &ty)]);
            }
            let ty = if ty == Type::Int {
                Type::Int
            } else {
                Type::Float
            };
            (Expression::Minus(Box::new(value)), ty)
        }
        Syntax::Binary(operator, left, right) => {
            let (a, left_type) = resolve(check, scope, left);
            let (b, right_type) = resolve(check, scope, right);
            let operands = [(left.span, &left_type), (right.span, &right_type)];
            let ty = binary(check, *operator, operands);
            (Expression::Binary(*operator, Box::new(a), Box::new(b)), ty)
        }
        Syntax::Call { name, at, args } => function::call(check, scope, name, *at, args, expr.span),
    }
}

fn binary(check: &mut Check<'_>, operator: Binary, operands: [(Span, &Type); 2]) -> Type {
    let [(_, left), (_, right)] = operands;
    let symbol = spelling(operator);
    match operator {
        Binary::Add | Binary::Subtract | Binary::Multiply | Binary::Divide => {
            if !is_number(left) || !is_number(right) {
                let texts = operator == Binary::Add && [left, right].contains(&&Type::Str);
                let help = texts.then(|| "texts are joined by `concat(a, b)`".to_owned());
                operand_help(
                    check,
                    &format!("`{symbol}` takes two numbers"),
                    &operands,
                    help,
                );
                return Type::Any;
            }
            let whole = *left == Type::Int && *right == Type::Int && operator != Binary::Divide;
            if whole { Type::Int } else { Type::Float }
        }
        Binary::Less | Binary::LessOrEqual | Binary::Greater | Binary::GreaterOrEqual => {
            if !is_number(left) || !is_number(right) {
                operand(
                    check,
                    &format!("`{symbol}` compares two numbers"),
                    &operands,
                );
            }
            Type::Bool
        }
        Binary::Equal | Binary::NotEqual => {
            let null = |ty: &Type| *ty == Type::Optional(Box::new(Type::Any));
            let (a, b) = (bare(left), bare(right));
            if left.is_path() || right.is_path() {
                operand(
                    check,
                    &format!("`{symbol}` compares values, not files"),
                    &operands,
                );
            } else if !(null(left) || null(right) || a.fits(b) || b.fits(a)) {
                operand(
                    check,
                    &format!("`{symbol}` compares two values of one type"),
                    &operands,
                );
            }
            Type::Bool
        }
        Binary::In => {
            let fits = match right {
                Type::List(item) | Type::Grid(item, _) => left.fits(item) || item.fits(left),
                Type::Any | Type::Json => true,
                _ => false,
            };
            if !fits {
                operand(
                    check,
                    "`in` looks for a value in a list of such values",
                    &operands,
                );
            }
            Type::Bool
        }
        Binary::And | Binary::Or => {
            if !left.fits(&Type::Bool) || !right.fits(&Type::Bool) {
                operand(
                    check,
                    &format!("`{symbol}` joins two truth values"),
                    &operands,
                );
            }
            Type::Bool
        }
    }
}

/// A type without its `?`.
pub(super) fn bare(ty: &Type) -> &Type {
    match ty {
        Type::Optional(inner) => inner,
        other => other,
    }
}

/// Whether arithmetic can be done with it. Fields of open data are only known when they are there.
pub(super) fn is_number(ty: &Type) -> bool {
    matches!(ty, Type::Int | Type::Float | Type::Any)
}

/// The type of a value that is written down.
pub(super) fn type_of(value: &Value) -> Type {
    match value {
        Value::Null => Type::Optional(Box::new(Type::Any)),
        Value::Bool(_) => Type::Bool,
        Value::Number(number) if number.is_f64() => Type::Float,
        Value::Number(_) => Type::Int,
        Value::String(_) => Type::Str,
        Value::Array(items) => {
            let item = items
                .iter()
                .map(type_of)
                .reduce(|a, b| unify(&a, &b).unwrap_or(Type::Json));
            Type::List(Box::new(item.unwrap_or(Type::Any)))
        }
        Value::Object(_) => Type::Json,
    }
}

/// The narrowest type that both fit.
pub(super) fn unify(a: &Type, b: &Type) -> Option<Type> {
    if *a == Type::Any || *b == Type::Any {
        return Some(Type::Any);
    }
    if a.fits(b) {
        return Some(b.clone());
    }
    b.fits(a).then(|| a.clone())
}

/// Tells an operand of the wrong type.
pub(super) fn wants(check: &mut Check<'_>, span: Span, have: &Type, want: &Type, message: &str) {
    if !have.fits(want) {
        operand(check, message, &[(span, have)]);
    }
}

/// Tells operands of the wrong type, each marked with the type it has.
pub(super) fn operand(check: &mut Check<'_>, message: &str, operands: &[(Span, &Type)]) {
    operand_help(check, message, operands, None);
}

fn operand_help(
    check: &mut Check<'_>,
    message: &str,
    operands: &[(Span, &Type)],
    help: Option<String>,
) {
    // A value that may be absent is the likelier mistake than a wrong operator.
    let absent = operands
        .iter()
        .any(|(_, ty)| matches!(ty, Type::Optional(_)));
    let help = help.or_else(|| {
        absent.then(|| "say what to take where it is absent: `default(x, y)`".to_owned())
    });
    let mut operands = operands.iter();
    let Some((span, ty)) = operands.next() else {
        return;
    };
    let mut issue = Issue::error("type::operand", *span, ty.to_string(), message);
    for (span, ty) in operands {
        issue = issue.also(*span, ty.to_string());
    }
    check.report.add(issue.help(help));
}
