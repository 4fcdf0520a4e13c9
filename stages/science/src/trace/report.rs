//! The report of a paper's numbers: one document for programs, one text for people.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::entry::{Entry, Severity, Verdict};

fn word<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_value(value)
        .ok()
        .and_then(|value| value.as_str().map(str::to_owned))
        .unwrap_or_default()
}

/// The document: a summary, then every number.
pub(super) fn document(
    entries: &[Entry],
    results: usize,
    settings: usize,
    warnings: &[String],
) -> Value {
    let mut verdicts: BTreeMap<String, usize> = BTreeMap::new();
    let mut classes: BTreeMap<String, usize> = BTreeMap::new();
    for entry in entries {
        *verdicts.entry(word(&entry.verdict)).or_default() += 1;
        *classes.entry(word(&entry.class)).or_default() += 1;
    }
    json!({
        "summary": {
            "numbers": entries.len(),
            "flagged": entries.iter().filter(|entry| flagged(entry)).count(),
            "errors": entries.iter().filter(|entry| entry.severity == Severity::Error).count(),
            "warnings": entries.iter().filter(|entry| entry.severity == Severity::Warning).count(),
            "verdicts": verdicts,
            "classes": classes,
            "result_values": results,
            "setting_values": settings,
        },
        "warnings": warnings,
        "numbers": entries,
    })
}

fn flagged(entry: &Entry) -> bool {
    matches!(entry.verdict, Verdict::Untraced | Verdict::WrongDirection)
}

fn cell(text: &str) -> String {
    const LONGEST: usize = 160;
    let one: String = text
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .replace('|', "\\|");
    match one.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &one[..at]),
        None => one,
    }
}

/// The text for people: what is wrong first.
pub(super) fn markdown(entries: &[Entry], document: &Value) -> String {
    let mut out = String::from("# Where the numbers of this paper lead\n\n");
    let count = |name: &str| document["summary"]["verdicts"][name].as_u64().unwrap_or(0);
    let _ = writeln!(
        out,
        "{} numbers: {} traced to a result, {} derived from results or settings, {} of a kind that needs no origin or settings, **{} untraced**, **{} in the wrong direction**. Checked against {} values of results and {} of settings.\n",
        entries.len(),
        count("traced"),
        count("derived"),
        count("literal"),
        count("untraced"),
        count("wrong_direction"),
        document["summary"]["result_values"],
        document["summary"]["setting_values"],
    );
    for warning in document["warnings"].as_array().into_iter().flatten() {
        let _ = writeln!(out, "- {}", warning.as_str().unwrap_or_default());
    }
    let mut part = |title: &str, wanted: &dyn Fn(&Entry) -> bool| {
        let list: Vec<&Entry> = entries.iter().filter(|entry| wanted(entry)).collect();
        if list.is_empty() {
            return;
        }
        let _ = writeln!(
            out,
            "\n## {title}\n\n| line | number | what | why | where |\n| ---: | ---: | --- | --- | --- |"
        );
        for entry in list {
            let source = entry
                .source
                .as_ref()
                .map(|source| format!(" (`{}`)", cell(source)))
                .unwrap_or_default();
            let _ = writeln!(
                out,
                "| {}:{} | {} | {}, {} | {}{source} | {} |",
                entry.line,
                entry.col,
                cell(&entry.text),
                word(&entry.class),
                word(&entry.verdict).replace('_', " "),
                cell(&entry.why),
                cell(&entry.context)
            );
        }
    };
    part("Flagged", &flagged);
    part("To look at", &|entry| {
        !flagged(entry) && entry.severity == Severity::Warning
    });
    part("Traced and derived", &|entry| {
        entry.severity == Severity::Pass
            && matches!(entry.verdict, Verdict::Traced | Verdict::Derived)
    });
    part("Settings", &|entry| {
        entry.severity == Severity::Pass
            && entry.verdict == Verdict::Literal
            && entry.class == super::entry::Class::Configuration
    });
    out
}
