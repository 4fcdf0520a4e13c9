//! Operators and the pure functions of the language, on artifacts.

use serde_json::Value;

use super::evaluate::Blocked;
use crate::artifact::{Artifact, canonical};
use crate::spec::{Binary, Function};

type Answer = Result<Artifact, Blocked>;

/// The longest list that `range` makes.
const LONGEST_RANGE: i64 = 1_000_000;

fn problem(text: impl Into<String>) -> Blocked {
    Blocked::Problem(text.into())
}

fn plain(artifact: &Artifact) -> Result<Value, Blocked> {
    artifact
        .plain()
        .ok_or_else(|| problem("a file cannot be computed with"))
}

fn number(artifact: &Artifact) -> Result<f64, Blocked> {
    plain(artifact)?
        .as_f64()
        .ok_or_else(|| problem("not a number"))
}

fn text(artifact: &Artifact) -> Result<String, Blocked> {
    plain(artifact)?
        .as_str()
        .map(str::to_owned)
        .ok_or_else(|| problem("not a text"))
}

fn real(number: f64) -> Answer {
    if number.is_finite() {
        Ok(Artifact::value(number))
    } else {
        Err(problem("the result is not a finite number"))
    }
}

pub(super) fn negate(operand: &Artifact) -> Answer {
    match plain(operand)?.as_i64() {
        Some(whole) => whole
            .checked_neg()
            .map(Artifact::value)
            .ok_or_else(|| problem("number too large")),
        None => real(-number(operand)?),
    }
}

pub(super) fn binary(operator: Binary, left: &Artifact, right: &Artifact) -> Answer {
    match operator {
        Binary::Equal => Ok(Artifact::value(equal(left, right)?)),
        Binary::NotEqual => Ok(Artifact::value(!equal(left, right)?)),
        Binary::In => {
            let members = right
                .members()
                .ok_or_else(|| problem("`in` wants a list on its right"))?;
            for member in &members {
                if equal(left, member)? {
                    return Ok(Artifact::value(true));
                }
            }
            Ok(Artifact::value(false))
        }
        Binary::Less | Binary::LessOrEqual | Binary::Greater | Binary::GreaterOrEqual => {
            let (left, right) = (number(left)?, number(right)?);
            Ok(Artifact::value(match operator {
                Binary::Less => left < right,
                Binary::LessOrEqual => left <= right,
                Binary::Greater => left > right,
                _ => left >= right,
            }))
        }
        Binary::And | Binary::Or => Err(problem("conditions are evaluated in order")),
        Binary::Add | Binary::Subtract | Binary::Multiply | Binary::Divide => {
            if let (Some(a), Some(b)) = (plain(left)?.as_i64(), plain(right)?.as_i64()) {
                let whole = match operator {
                    Binary::Add => a.checked_add(b),
                    Binary::Subtract => a.checked_sub(b),
                    Binary::Multiply => a.checked_mul(b),
                    _ => None,
                };
                if operator != Binary::Divide {
                    return whole
                        .map(Artifact::value)
                        .ok_or_else(|| problem("number too large"));
                }
            }
            let (left, right) = (number(left)?, number(right)?);
            match operator {
                Binary::Add => real(left + right),
                Binary::Subtract => real(left - right),
                Binary::Multiply => real(left * right),
                _ if right == 0.0 => Err(problem("division by zero")),
                _ => real(left / right),
            }
        }
    }
}

fn equal(left: &Artifact, right: &Artifact) -> Result<bool, Blocked> {
    let (left, right) = (plain(left)?, plain(right)?);
    Ok(match (left.as_f64(), right.as_f64()) {
        (Some(a), Some(b)) => a == b,
        _ => canonical(&left) == canonical(&right),
    })
}

pub(super) fn call(function: Function, arguments: &[Artifact]) -> Answer {
    let argument = |index: usize| {
        arguments
            .get(index)
            .ok_or_else(|| problem(format!("argument {} is missing", index + 1)))
    };
    match function {
        Function::Len => {
            let first = argument(0)?;
            let length = match (first.members(), first.plain()) {
                (Some(members), _) => members.len(),
                (None, Some(Value::String(text))) => text.chars().count(),
                (None, Some(Value::Object(map))) => map.len(),
                _ => return Err(problem("`len` wants a list or a text")),
            };
            Ok(Artifact::value(length as u64))
        }
        Function::Range => {
            let whole = |index: usize| {
                plain(argument(index)?)?
                    .as_i64()
                    .ok_or_else(|| problem("`range` wants whole numbers"))
            };
            let (from, to) = if arguments.len() > 1 {
                (whole(0)?, whole(1)?)
            } else {
                (0, whole(0)?)
            };
            if to.saturating_sub(from) > LONGEST_RANGE {
                return Err(problem(format!(
                    "`range` makes at most {LONGEST_RANGE} members"
                )));
            }
            Ok(Artifact::value((from..to).collect::<Vec<_>>()))
        }
        Function::Min => numbers(arguments)?
            .into_iter()
            .reduce(f64::min)
            .map_or(Err(Blocked::Absent), tidy),
        Function::Max => numbers(arguments)?
            .into_iter()
            .reduce(f64::max)
            .map_or(Err(Blocked::Absent), tidy),
        Function::Mean => {
            let numbers = numbers(arguments)?;
            if numbers.is_empty() {
                return Err(Blocked::Absent);
            }
            real(numbers.iter().sum::<f64>() / numbers.len() as f64)
        }
        Function::Round => {
            let digits = if arguments.len() > 1 {
                number(argument(1)?)?
            } else {
                0.0
            };
            let scale = 10f64.powf(digits.clamp(-15.0, 15.0));
            let rounded = (number(argument(0)?)? * scale).round() / scale;
            if digits > 0.0 {
                real(rounded)
            } else {
                tidy(rounded)
            }
        }
        Function::Contains => match plain(argument(0)?)? {
            Value::String(whole) => Ok(Artifact::value(whole.contains(&text(argument(1)?)?))),
            _ => binary(Binary::In, argument(1)?, argument(0)?),
        },
        Function::StartsWith => Ok(Artifact::value(
            text(argument(0)?)?.starts_with(&text(argument(1)?)?),
        )),
        Function::EndsWith => Ok(Artifact::value(
            text(argument(0)?)?.ends_with(&text(argument(1)?)?),
        )),
        Function::Lower => Ok(Artifact::value(text(argument(0)?)?.to_lowercase())),
        Function::Slug => Ok(Artifact::value(slug(&text(argument(0)?)?))),
        Function::Concat => {
            let texts = arguments.iter().map(|part| text(part).ok());
            if let Some(texts) = texts.collect::<Option<Vec<_>>>() {
                return Ok(Artifact::value(texts.concat()));
            }
            let mut whole = Vec::new();
            for part in arguments {
                whole.extend(
                    part.members()
                        .ok_or_else(|| problem("`concat` wants lists, or texts"))?,
                );
            }
            let list = Artifact::list(whole);
            Ok(list.plain().map_or(list, Artifact::value))
        }
        Function::If | Function::Default => Err(problem("evaluated in order")),
    }
}

/// All numbers of the arguments, lists opened; a whole list may be given as one argument.
fn numbers(arguments: &[Artifact]) -> Result<Vec<f64>, Blocked> {
    let mut all = Vec::new();
    for argument in arguments {
        match argument.members() {
            Some(members) => {
                for member in members.iter().filter(|member| !member.is_absent()) {
                    all.push(number(member)?);
                }
            }
            None => all.push(number(argument)?),
        }
    }
    Ok(all)
}

/// A number that is whole stays whole.
fn tidy(number: f64) -> Answer {
    if number.fract() == 0.0 && number.abs() < 9e15 {
        Ok(Artifact::value(number as i64))
    } else {
        real(number)
    }
}

/// Lower case, words joined by `-`.
fn slug(text: &str) -> String {
    let mut slug = String::new();
    for character in text.chars() {
        if character.is_alphanumeric() {
            slug.extend(character.to_lowercase());
        } else if !slug.ends_with('-') && !slug.is_empty() {
            slug.push('-');
        }
    }
    slug.trim_end_matches('-').to_owned()
}
