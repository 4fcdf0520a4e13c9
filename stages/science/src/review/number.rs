//! Numbers in prose that lead to no result: the check that nobody typed what nobody measured.

use std::collections::BTreeSet;

use serde_json::Value;

use super::finding::{Finding, Severity, Spot};
use crate::paper::draft::{Draft, Kind};
use crate::paper::reference::{blank, find, references};
use crate::paper::sentences;
use crate::trace::token::{Number, Share, numbers};
use crate::trace::words::part;

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
    // The number of a list item is no claim.
    let item = text.trim_start().split_once(". ").filter(|(number, _)| {
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    });
    let from = item.map_or(0, |(_, rest)| text.len() - rest.len());
    numbers(&text)
        .into_iter()
        .filter(|number| number.at.start >= from && !explained(number, &text, results))
        .map(|number| text[number.at].split_whitespace().collect())
        .collect()
}

fn explained(number: &Number, text: &str, results: &Value) -> bool {
    let (before, after) = (&text[..number.at.start], &text[number.at.end..]);
    if number.name || number.version || part(before).is_some() {
        return true;
    }
    let next: String = after.chars().take(24).collect::<String>().to_lowercase();
    let level = ["interval", "confidence", "ci", "level"]
        .iter()
        .any(|word| next.contains(word));
    if number.share != Share::None {
        return number.share == Share::Percent && level;
    }
    let size = number.value.abs();
    (number.whole && (size <= SMALL || (1900.0..=2100.0).contains(&size)))
        || setting(results, number.value)
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
