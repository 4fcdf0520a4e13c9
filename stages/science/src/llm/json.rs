//! Finds the JSON object that a reply means: the last one that its reader accepts.
//!
//! Models think aloud, fence, quote, and write LaTeX into strings; strict reading comes first, and a
//! repaired reading says so.

use serde_json::Value;

/// An accepted object.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Found {
    pub(crate) value: Value,
    /// Whether syntax had to be mended: trailing commas, single quotes, comments, bare keys.
    pub(crate) repaired: bool,
}

/// The last object of `reply` that `accept` takes.
///
/// # Errors
/// What `accept` said of the last object, or that there is none.
pub(crate) fn last_object(
    reply: &str,
    accept: impl Fn(&Value) -> Result<(), String>,
) -> Result<Found, String> {
    let mut complaint = None;
    for text in objects(reply).into_iter().rev() {
        let Some(found) = parse(text) else { continue };
        match accept(&found.value) {
            Ok(()) => return Ok(found),
            Err(why) => {
                complaint.get_or_insert(why);
            }
        }
    }
    Err(complaint.unwrap_or_else(|| "there is no JSON object in the reply".to_owned()))
}

/// The outermost brace pairs of a text, in order, braces inside strings left aside.
fn objects(text: &str) -> Vec<&str> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == b'{'
            && let Some(end) = close(bytes, at)
        {
            found.push(&text[at..end]);
            at = end;
        } else {
            at += 1;
        }
    }
    found
}

/// One past the brace that closes the one at `open`.
fn close(bytes: &[u8], open: usize) -> Option<usize> {
    let (mut depth, mut string, mut escaped) = (0usize, false, false);
    for (at, byte) in bytes.iter().enumerate().skip(open) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if string => escaped = true,
            b'"' => string = !string,
            b'{' if !string => depth += 1,
            b'}' if !string => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
    }
    None
}

fn parse(text: &str) -> Option<Found> {
    let mended = mend_strings(text);
    if let Ok(value) = serde_json::from_str(&mended) {
        return Some(Found {
            value,
            repaired: false,
        });
    }
    let value = json5::from_str(&words(&mended)).ok()?;
    Some(Found {
        value,
        repaired: true,
    })
}

/// Commands whose first letter makes a valid JSON escape, so that a parser would eat it silently.
const COMMANDS: [&str; 38] = [
    "bar",
    "beta",
    "begin",
    "bf",
    "big",
    "binom",
    "bm",
    "boldsymbol",
    "bullet",
    "bot",
    "frac",
    "forall",
    "footnote",
    "nabla",
    "ne",
    "neg",
    "neq",
    "ni",
    "nonumber",
    "not",
    "notin",
    "nu",
    "rangle",
    "ref",
    "rho",
    "right",
    "rightarrow",
    "rm",
    "tau",
    "tau_",
    "text",
    "textbf",
    "textit",
    "tfrac",
    "theta",
    "tilde",
    "times",
    "to",
];

/// Inside strings: doubles the backslash of LaTeX commands and of escapes that JSON does not have, and
/// escapes raw line ends.
fn mend_strings(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut string = false;
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => {
                string = !string;
                out.push(letter);
            }
            '\n' if string => out.push_str("\\n"),
            '\r' if string => out.push_str("\\r"),
            '\t' if string => out.push_str("\\t"),
            '\\' if string => {
                let rest = &text[at + 1..];
                let next = rest.chars().next().unwrap_or('\\');
                let valid = match next {
                    '"' | '\\' | '/' => true,
                    'u' => {
                        rest.len() > 4 && rest.as_bytes()[1..5].iter().all(u8::is_ascii_hexdigit)
                    }
                    'b' | 'f' | 'n' | 'r' | 't' => !command(rest),
                    _ => false,
                };
                out.push('\\');
                if valid {
                    out.push(next);
                    letters.next();
                } else {
                    out.push('\\');
                }
            }
            _ => out.push(letter),
        }
    }
    out
}

fn command(rest: &str) -> bool {
    let end = rest
        .find(|c: char| !c.is_ascii_alphabetic())
        .unwrap_or(rest.len());
    COMMANDS.contains(&&rest[..end])
}

/// Python's words outside strings become JSON's.
fn words(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut quote, mut escaped) = (None, false);
    let mut word = String::new();
    for letter in text.chars() {
        if quote.is_none() && (letter.is_alphanumeric() || letter == '_') {
            word.push(letter);
            continue;
        }
        if !word.is_empty() {
            out.push_str(match word.as_str() {
                "True" => "true",
                "False" => "false",
                "None" => "null",
                other => other,
            });
            word.clear();
        }
        match (quote, letter) {
            _ if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), close) if open == close => quote = None,
            (None, '"' | '\'') => quote = Some(letter),
            _ => {}
        }
        out.push(letter);
    }
    out + &word
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(reply: &str) -> Result<Found, String> {
        last_object(reply, |value| {
            if value.get("a").is_some() {
                Ok(())
            } else {
                Err("`a` is missing".to_owned())
            }
        })
    }

    fn value(reply: &str) -> Value {
        object(reply).unwrap().value
    }

    #[test]
    fn the_last_object_that_is_accepted_counts() {
        assert_eq!(
            value(r#"<think>{"a": 0}</think> So: ```json {"a": 1} ``` Done."#),
            json!({"a": 1})
        );
        assert_eq!(value(r#"{"a": 1} and then {"b": 2}"#), json!({"a": 1}));
        assert_eq!(
            value(r#"Text {not json} {"a": "```{\"x\": 1}```"}"#),
            json!({"a": "```{\"x\": 1}```"})
        );
    }

    #[test]
    fn latex_survives_whether_its_escape_is_valid_json_or_not() {
        assert_eq!(
            value(r#"{"a": "\alpha \ref{x} \% \_"}"#),
            json!({"a": r"\alpha \ref{x} \% \_"})
        );
        assert_eq!(
            value(r#"{"a": "\beta \frac{1}{2} \nabla \rho \theta"}"#),
            json!({"a": r"\beta \frac{1}{2} \nabla \rho \theta"})
        );
        assert_eq!(
            value(r#"{"a": "one\nThen\ttwo \\beta \u00e4"}"#),
            json!({"a": "one\nThen\ttwo \\beta ä"})
        );
        assert_eq!(value("{\"a\": \"raw\nline\"}"), json!({"a": "raw\nline"}));
    }

    #[test]
    fn slips_of_syntax_are_mended_and_said_so() {
        for reply in [
            r#"{"a": 1,}"#,
            "{'a': 1}",
            "{a: 1 /* one */}",
            r#"{"a": 1, "b": [True, None,],}"#,
        ] {
            let found = object(reply).unwrap();
            assert!(found.repaired && found.value["a"] == 1, "{reply}");
        }
        assert!(!object(r#"{"a": 1}"#).unwrap().repaired);
    }

    #[test]
    fn a_cut_off_object_and_plain_prose_are_not_taken() {
        assert_eq!(
            object(r#"{"a": [1, 2"#),
            Err("there is no JSON object in the reply".to_owned())
        );
        assert!(object("I cannot review this paper.").is_err());
        assert_eq!(object(r#"{"b": 1}"#), Err("`a` is missing".to_owned()));
    }
}
