//! What is different between a request and the stored request that is most like it: why a replay misses.

use kyobashi_cache::{Kind, Store, StoreError};
use kyobashi_stage::{Failure, Request};
use serde_json::Value;

/// Differences that are shown.
const SHOWN: usize = 8;

/// A failure that says what is different.
///
/// # Errors
/// When the store cannot be read.
pub(super) fn missed(store: &Store, request: &Request) -> Result<Failure, StoreError> {
    let mut nearest: Option<Vec<Difference>> = None;
    store.each(Kind::Call, |_, entry| {
        let Ok(recipe) = serde_json::from_str::<Value>(&entry.record.recipe) else {
            return;
        };
        if recipe["kind"] != request.kind.as_str() {
            return;
        }
        let mut differences = Vec::new();
        compare("", &recipe["document"], &request.document, &mut differences);
        let better = nearest
            .as_ref()
            .is_none_or(|known| weight(&differences) < weight(known));
        if better {
            nearest = Some(differences);
        }
    })?;
    let message = match nearest {
        None => format!("no reply of {} is stored", who(request)),
        Some(differences) => {
            let mut lines = vec![format!(
                "no reply to this request of {} is stored; the nearest stored request differs:",
                who(request)
            )];
            lines.extend(differences.iter().take(SHOWN).map(Difference::line));
            if differences.len() > SHOWN {
                lines.push(format!("  and {} more", differences.len() - SHOWN));
            }
            lines.join("\n")
        }
    };
    Ok(Failure::new(message)
        .help("run without `--calls replay` to ask, or import the cassette that has the reply"))
}

fn who(request: &Request) -> &str {
    if request.who.is_empty() {
        &request.kind
    } else {
        &request.who
    }
}

/// One place at which two documents differ.
struct Difference {
    path: String,
    old: Value,
    new: Value,
    /// How much of the place differs, in bytes.
    bytes: usize,
}

impl Difference {
    fn line(&self) -> String {
        match (&self.old, &self.new) {
            (Value::String(old), Value::String(new)) => {
                let start = same(old.chars(), new.chars());
                format!(
                    "  {}: {} stored, {} asked",
                    self.path,
                    around(old, start),
                    around(new, start)
                )
            }
            (old, new) => format!(
                "  {}: {} stored, {} asked",
                self.path,
                short(old),
                short(new)
            ),
        }
    }
}

fn weight(differences: &[Difference]) -> usize {
    differences.iter().map(|one| one.bytes + 16).sum()
}

fn compare(path: &str, old: &Value, new: &Value, found: &mut Vec<Difference>) {
    match (old, new) {
        (Value::Object(a), Value::Object(b)) => {
            let mut names: Vec<&String> = a.keys().chain(b.keys()).collect();
            names.sort();
            names.dedup();
            for name in names {
                let part = |map: &serde_json::Map<String, Value>| {
                    map.get(name).cloned().unwrap_or(Value::Null)
                };
                compare(&format!("{path}.{name}"), &part(a), &part(b), found);
            }
        }
        (Value::Array(a), Value::Array(b)) => {
            for index in 0..a.len().max(b.len()) {
                let part = |list: &[Value]| list.get(index).cloned().unwrap_or(Value::Null);
                compare(&format!("{path}[{index}]"), &part(a), &part(b), found);
            }
        }
        (old, new) if old == new => {}
        (old, new) => {
            let bytes = match (old, new) {
                (Value::String(old), Value::String(new)) => differing(old, new),
                _ => old.to_string().len().max(new.to_string().len()),
            };
            found.push(Difference {
                path: path.trim_start_matches('.').to_owned(),
                old: old.clone(),
                new: new.clone(),
                bytes,
            });
        }
    }
}

/// Bytes between the equal beginning and the equal end of two texts.
fn differing(old: &str, new: &str) -> usize {
    let start = same(old.bytes(), new.bytes());
    let end = same(old[..].bytes().rev(), new[..].bytes().rev());
    let longest = old.len().max(new.len());
    longest.saturating_sub(start + end).max(1)
}

fn same<T: PartialEq>(a: impl Iterator<Item = T>, b: impl Iterator<Item = T>) -> usize {
    a.zip(b).take_while(|(a, b)| a == b).count()
}

/// The piece of a text around the first letter that differs, quoted.
fn around(text: &str, first: usize) -> String {
    let begin = first.saturating_sub(12);
    let piece: String = text.chars().skip(begin).take(48).collect();
    let before = if begin > 0 { "…" } else { "" };
    let after = if text.chars().count() > begin + 48 {
        "…"
    } else {
        ""
    };
    format!("{before}{piece:?}{after}")
}

fn short(value: &Value) -> String {
    let text = match value {
        Value::Null => return "nothing".to_owned(),
        other => other.to_string(),
    };
    if text.chars().count() <= 60 {
        text
    } else {
        text.chars().take(60).collect::<String>() + "…"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_first_letter_that_differs_is_shown() {
        let mut found = Vec::new();
        compare(
            "",
            &json!({"model": "m", "body": {"messages": [{"content": "Judge this old paper."}]}}),
            &json!({"model": "m", "body": {"messages": [{"content": "Judge this new paper."}], "seed": 1}}),
            &mut found,
        );
        let lines: Vec<String> = found.iter().map(Difference::line).collect();
        assert_eq!(
            lines,
            [
                "  body.messages[0].content: \"Judge this old paper.\" stored, \"Judge this new paper.\" asked",
                "  body.seed: nothing stored, 1 asked",
            ]
        );
    }
}
