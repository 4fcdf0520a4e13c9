//! Numbers in prose that lead to no result: the check that nobody typed what nobody measured.

use std::collections::BTreeSet;

use serde_json::Value;

use super::finding::{Finding, Severity, Spot};
use crate::paper::draft::{Draft, Kind};
use crate::paper::reference::{blank, find, references};
use crate::paper::sentences;

/// Words before a number that make it a name of a part or of a run.
const STRUCTURE: [&str; 16] = [
    "table",
    "figure",
    "fig",
    "section",
    "sec",
    "equation",
    "eq",
    "appendix",
    "algorithm",
    "step",
    "seed",
    "run",
    "version",
    "chapter",
    "line",
    "page",
];

/// Whole numbers up to this need no origin: they count the things just named.
const SMALL: f64 = 12.0;

/// Every number of the prose is a reference, a setting, or of a kind that needs no origin.
pub(super) fn traced(draft: &Draft, results: &Value) -> Vec<Finding> {
    let mut failures = Vec::new();
    let mut references = 0;
    for part in &draft.parts {
        let wanted = matches!(
            part.kind,
            Kind::Prose | Kind::Caption | Kind::Figure | Kind::Table
        );
        if !wanted || part.section.to_lowercase().contains("references") {
            continue;
        }
        let text = draft.part(part);
        references += crate::paper::reference::references(text).len();
        let whole = if part.kind == Kind::Table {
            std::iter::once(0..text.len()).collect()
        } else {
            sentences(text)
        };
        for range in whole {
            let sentence = &text[range.clone()];
            for word in typed(sentence, results) {
                failures.push(Finding {
                    place: Some(Spot {
                        section: part.section.clone(),
                        line: draft.line(part.at.start + range.start),
                    }),
                    quote: Some(sentence.to_owned()),
                    subject: Some(word.clone()),
                    ..Finding::fail(
                        "numbers_traced",
                        Severity::Error,
                        format!("`{word}` leads to no result and to no setting"),
                        "refer to the result, or take the sentence out",
                    )
                });
            }
        }
    }
    Finding::or_pass(
        "numbers_traced",
        failures,
        format!("all {references} numbers lead to their origin"),
    )
}

/// Every reference of the draft leads to a value. A document that the checks were not given is vouched
/// for by the press, which resolved it: its numbers carry their references.
pub(super) fn resolved(draft: &Draft, results: &Value, numbers: &Value) -> Vec<Finding> {
    let shown = vouched(numbers);
    let mut failures = Vec::new();
    for reference in references(&draft.text) {
        let line = draft.line(reference.at.start);
        let mut fail = |message: String, remedy: &str| {
            failures.push(Finding {
                place: Some(Spot {
                    section: section_at(draft, reference.at.start),
                    line,
                }),
                quote: Some(draft.text[reference.at.clone()].to_owned()),
                ..Finding::fail("references_resolve", Severity::Error, message, remedy)
            });
        };
        if reference.name == "unknown" {
            fail(
                format!("the writer does not know: {}", reference.args[0]),
                "find it out, or leave it out",
            );
            continue;
        }
        for path in reference.paths() {
            let setting = format!("config.{path}");
            let value = find(results, &path)
                .or_else(|| find(results, &setting).filter(|_| reference.name == "cfg"));
            let found = value.is_some_and(|value| !value.is_null());
            if !found && !shown.contains(path.as_str()) && !shown.contains(setting.as_str()) {
                fail(
                    format!("`{path}` is not in the results"),
                    "refer to a value that was measured",
                );
            }
        }
    }
    Finding::or_pass(
        "references_resolve",
        failures,
        "every reference leads to a measured value or a setting",
    )
}

/// The references that the press resolved.
fn vouched(numbers: &Value) -> BTreeSet<&str> {
    let list = numbers
        .get("numbers")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    list.flat_map(|number| {
        let inputs = number
            .get("inputs")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        inputs
            .chain([number])
            .filter_map(|number| number.get("reference")?.as_str())
    })
    .collect()
}

fn section_at(draft: &Draft, at: usize) -> String {
    let part = draft.parts.iter().rev().find(|part| part.at.start <= at);
    part.map(|part| part.section.clone()).unwrap_or_default()
}

/// The typed numbers of a sentence that nothing explains.
fn typed(sentence: &str, results: &Value) -> Vec<String> {
    let text = mask(&blank(sentence));
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    // The number of a list item is no claim.
    if let Some((number, rest)) = text.trim_start().split_once(". ")
        && !number.is_empty()
        && number.bytes().all(|byte| byte.is_ascii_digit())
    {
        at = text.len() - rest.len();
    }
    while at < bytes.len() {
        if !bytes[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let start = at;
        while at < bytes.len()
            && (bytes[at].is_ascii_digit()
                || (matches!(bytes[at], b'.' | b',')
                    && bytes.get(at + 1).is_some_and(u8::is_ascii_digit)))
        {
            at += 1;
        }
        let word = &text[start..at];
        let (before, after) = (&text[..start], &text[at..]);
        if !explained(word, before, after, results) {
            let unit: String = ["%", " %", "×", "x "]
                .iter()
                .find(|unit| after.starts_with(**unit))
                .map(|unit| (*unit).trim().to_owned())
                .unwrap_or_default();
            found.push(format!("{word}{unit}"));
        }
    }
    found
}

fn explained(word: &str, before: &str, after: &str, results: &Value) -> bool {
    let joined = before.ends_with(|c: char| {
        c.is_alphabetic()
            || c == '_'
            || c == '-' && before.trim_end_matches('-').ends_with(char::is_alphabetic)
    });
    let named = after.starts_with(|c: char| c.is_alphabetic() && c != 'x');
    if joined || named {
        return true;
    }
    let last = before
        .trim_end_matches([' ', '~', '.', '\u{a0}'])
        .rsplit(|c: char| !c.is_alphabetic())
        .next();
    if last.is_some_and(|last| STRUCTURE.contains(&last.to_lowercase().trim_end_matches('s'))) {
        return true;
    }
    let Ok(number) = word.replace(',', "").parse::<f64>() else {
        return false;
    };
    let share =
        after.trim_start().starts_with('%') || after.starts_with('×') || after.starts_with("x ");
    let whole = !word.contains('.');
    let confidence = share
        && ["interval", "confidence", "ci", "level"]
            .iter()
            .any(|word| {
                let next: String = after.chars().take(24).collect();
                next.to_lowercase().contains(word)
            });
    confidence
        || (!share && whole && number <= SMALL)
        || (!share && whole && (1900.0..=2100.0).contains(&number))
        || (!share && setting(results, number))
}

/// Whether a number is the value of a setting.
fn setting(results: &Value, number: f64) -> bool {
    ["config", "trial_config"].iter().any(|document| {
        results
            .get(document)
            .and_then(Value::as_object)
            .is_some_and(|settings| {
                settings
                    .values()
                    .any(|value| value.as_f64() == Some(number))
            })
    })
}

/// Blanks maths, code, citations and addresses, keeping offsets.
fn mask(text: &str) -> String {
    let mut out = text.to_owned();
    for (open, close) in [
        ("`", "`"),
        ("$", "$"),
        ("[@", "]"),
        ("](", ")"),
        ("{#", "}"),
    ] {
        let mut from = 0;
        while let Some(start) = out[from..].find(open).map(|start| from + start) {
            let Some(end) = out[start + open.len()..].find(close) else {
                break;
            };
            let end = start + open.len() + end + close.len();
            let width = end - start;
            out.replace_range(start..end, &" ".repeat(width));
            from = end;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn found(text: &str) -> Vec<String> {
        typed(text, &json!({"config": {"lr": 0.0003, "steps": 10000}}))
    }

    #[test]
    fn a_number_that_nobody_measured_is_found() {
        assert_eq!(found("It falls by 41.6 % to 0.35."), ["41.6%", "0.35"]);
        assert_eq!(found("Training is 2× faster, 250 units."), ["2×", "250"]);
        assert_eq!(found("| circle | 0.44 |"), ["0.44"]);
    }

    #[test]
    fn names_parts_settings_and_small_counts_need_no_origin() {
        for text in [
            "In 2D, GPT-4o and top-5 on 4 sets; Figure 14 and Table 22 show it.",
            "The rate is 0.0003 for 10000 steps (Ho et al., 2020).",
            "A 95 % interval, $x_{17} = 0.5$ and `0.25` in code; see [@x2020, p. 33].",
            "3. an item of a list",
        ] {
            assert_eq!(found(text), Vec::<String>::new(), "{text}");
        }
    }
}
