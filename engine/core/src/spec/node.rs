//! A YAML document as a tree in which everything remembers where it is written, and the values that
//! plain words stand for (YAML 1.2 core schema). It does not know the pipeline language.

use std::borrow::Cow;

use serde_json::{Map, Number, Value};

use super::source::Span;

/// A value with its place.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub span: Span,
    pub what: What,
}

/// What a [`Node`] is.
#[derive(Clone, Debug)]
pub(super) enum What {
    Scalar(Scalar),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A word, text or number.
#[derive(Clone, Debug)]
pub(super) struct Scalar {
    /// After folding and escapes.
    pub text: String,
    pub style: Style,
}

/// How a scalar is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// Without quotes, so it may be a number, a truth value or null.
    Plain,
    /// In quotes.
    Quoted,
    /// After `|` or `>`.
    Block,
}

/// One line of a map.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub key: String,
    /// Where the key stands.
    pub at: Span,
    pub node: Node,
}

impl Node {
    /// The text of a scalar, however it is written.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.what {
            What::Scalar(scalar) => Some(&scalar.text),
            _ => None,
        }
    }

    /// The text of a scalar that is a string and neither number, truth value nor null.
    pub(super) fn string(&self) -> Option<&str> {
        match &self.what {
            What::Scalar(scalar) if matches!(scalar.value(), Some(Value::String(_))) => {
                Some(&scalar.text)
            }
            _ => None,
        }
    }

    /// The entries of a map.
    pub(super) fn map(&self) -> Option<&[Entry]> {
        match &self.what {
            What::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// The members of a list.
    pub(super) fn list(&self) -> Option<&[Node]> {
        match &self.what {
            What::List(items) => Some(items),
            _ => None,
        }
    }

    /// The entry of a map by its key.
    pub(super) fn get(&self, key: &str) -> Option<&Entry> {
        self.map()?.iter().find(|entry| entry.key == key)
    }

    /// Whether nothing stands here.
    pub(super) fn is_null(&self) -> bool {
        matches!(&self.what, What::Scalar(scalar) if scalar.value() == Some(Value::Null))
    }

    /// What it is, for messages: `a list`.
    pub(super) fn kind(&self) -> Cow<'static, str> {
        let kind = match &self.what {
            What::List(_) => "a list",
            What::Map(_) => "a map",
            What::Scalar(scalar) => match scalar.value() {
                Some(Value::Null) => "nothing",
                Some(Value::Bool(_)) => "a truth value",
                Some(Value::Number(_)) => return Cow::Owned(scalar.text.clone()),
                _ => "a string",
            },
        };
        Cow::Borrowed(kind)
    }

    /// As plain data. A number that no JSON value holds is its text; reading has told it as a problem.
    pub(super) fn value(&self) -> Value {
        match &self.what {
            What::Scalar(scalar) => scalar
                .value()
                .unwrap_or_else(|| Value::String(scalar.text.clone())),
            What::List(items) => Value::Array(items.iter().map(Self::value).collect()),
            What::Map(entries) => {
                let pairs = entries
                    .iter()
                    .map(|entry| (entry.key.clone(), entry.node.value()));
                Value::Object(pairs.collect::<Map<_, _>>())
            }
        }
    }
}

impl Scalar {
    /// What the scalar stands for; none if it is a number that no JSON value can hold (`.inf`, `1e999`).
    pub(super) fn value(&self) -> Option<Value> {
        match self.style {
            Style::Plain => resolve(&self.text),
            Style::Quoted | Style::Block => Some(Value::String(self.text.clone())),
        }
    }
}

/// The value of a plain scalar. Words that older YAML took for booleans, octals, base 60 or grouped
/// digits (`no`, `on`, `010`, `1:30`, `1_000`) are strings.
pub(super) fn resolve(text: &str) -> Option<Value> {
    Some(match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ if text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.')) => {
            return number(text);
        }
        _ => Value::String(text.to_owned()),
    })
}

fn number(text: &str) -> Option<Value> {
    let string = || Some(Value::String(text.to_owned()));
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    for (prefix, radix) in [("0o", 8), ("0x", 16)] {
        if let Some(digits) = text.strip_prefix(prefix) {
            if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
                return string();
            }
            return u64::from_str_radix(digits, radix).ok().map(Value::from);
        }
    }
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return None;
    }
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let exponent_fits = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        !exponent.is_empty() && digits(exponent)
    });
    let leading_zero = whole.len() > 1 && whole.starts_with('0');
    let any_digit = !whole.is_empty() || fraction.is_some_and(|fraction| !fraction.is_empty());
    let mantissa_fits = digits(whole) && fraction.is_none_or(digits) && any_digit && !leading_zero;
    if !mantissa_fits || !exponent_fits {
        return string();
    }
    if fraction.is_none() && exponent.is_none() {
        let plain = text.strip_prefix('+').unwrap_or(text);
        return plain
            .parse::<i64>()
            .map(Value::from)
            .or_else(|_| plain.parse::<u64>().map(Value::from))
            .ok();
    }
    let float: f64 = text.parse().ok()?;
    Number::from_f64(float).map(Value::Number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn words_that_older_yaml_misread_are_strings() {
        for text in [
            "no", "on", "yes", "off", "010", "1_000", "1:30", "0b11", "-", "+", ".", "1.2.3", "1e",
            "0x",
        ] {
            assert_eq!(resolve(text), Some(json!(text)), "{text}");
        }
    }

    #[test]
    fn numbers_of_the_core_schema_are_numbers() {
        for (text, value) in [
            ("1e-3", json!(1e-3)),
            ("0o10", json!(8)),
            ("0x1F", json!(31)),
            ("-7", json!(-7)),
            ("+7", json!(7)),
            (".5", json!(0.5)),
            ("2.", json!(2.0)),
            ("18446744073709551615", json!(u64::MAX)),
        ] {
            assert_eq!(resolve(text), Some(value), "{text}");
        }
    }

    #[test]
    fn numbers_that_json_cannot_hold_have_no_value() {
        for text in [".inf", "-.INF", ".nan", "1e999", "99999999999999999999999"] {
            assert_eq!(resolve(text), None, "{text}");
        }
    }
}
