//! The report of a paper's numbers: one document for programs, one text for people.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::entry::{Class, Entry, Severity, Verdict};

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

/// What stands around a number, with the number in bold.
fn place(entry: &Entry) -> String {
    const BEFORE: usize = 90;
    const AFTER: usize = 70;
    let (context, text) = (entry.context.as_str(), entry.text.as_str());
    let own = context.match_indices(text).find(|(at, _)| {
        let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit() || c == '.');
        let after = context[at + text.len()..].chars().next();
        !text.is_empty()
            && !digit(context[..*at].chars().next_back())
            && !after.is_some_and(|c| c.is_ascii_digit())
    });
    let Some((at, _)) = own else {
        return cell(context);
    };
    let (before, after) = (&context[..at], &context[at + text.len()..]);
    let from = before
        .char_indices()
        .rev()
        .nth(BEFORE)
        .map_or(0, |(at, _)| at);
    let from = before[from..]
        .find(' ')
        .filter(|_| from > 0)
        .map_or(from, |space| from + space + 1);
    let to = after
        .char_indices()
        .nth(AFTER)
        .map_or(after.len(), |(at, _)| at);
    let end = after[..to]
        .rfind(' ')
        .filter(|_| to < after.len())
        .unwrap_or(to);
    let mark = |cut: bool| if cut { "…" } else { "" };
    let told = [
        mark(from > 0),
        &before[from..],
        "**",
        text,
        "**",
        &after[..end],
        mark(end < after.len()),
    ];
    told.concat().replace('|', "\\|")
}

/// The kinds of what is flagged, the worst first: a title, what to do, and what belongs there.
type Kind = (&'static str, &'static str, fn(&Entry) -> bool);

const FLAGGED: [Kind; 4] = [
    (
        "The results say the opposite",
        "The size is right, the word is not: turn the sentence round, and what it concludes.",
        |entry| entry.verdict == Verdict::WrongDirection,
    ),
    (
        "Results that no file holds",
        "Put in the value that the results have for what the sentence or the row names, or add the missing results.",
        |entry| entry.verdict == Verdict::Untraced && entry.class == Class::Result,
    ),
    (
        "Changes that do not follow",
        "Compute the change anew from the two values, and name both where it is not clear which are meant.",
        |entry| entry.verdict == Verdict::Untraced && entry.class == Class::Derived,
    ),
    (
        "Settings and counts that are others",
        "Correct the number, or add the setting to the file of settings if it is missing there.",
        |entry| {
            entry.verdict == Verdict::Untraced
                && !matches!(entry.class, Class::Result | Class::Derived)
        },
    ),
];

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
    let mut part = |title: &str, todo: &str, wanted: &dyn Fn(&Entry) -> bool| {
        let mut list: Vec<&Entry> = entries.iter().filter(|entry| wanted(entry)).collect();
        if list.is_empty() {
            return;
        }
        list.sort_by_key(|entry| std::cmp::Reverse(entry.severity));
        let todo = if todo.is_empty() {
            String::new()
        } else {
            format!("{todo}\n\n")
        };
        let _ = writeln!(
            out,
            "\n## {title}\n\n{todo}| line | number | what | why | where |\n| ---: | ---: | --- | --- | --- |"
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
                place(entry)
            );
        }
    };
    for (title, todo, wanted) in FLAGGED {
        part(title, todo, &wanted);
    }
    part("To look at", "", &|entry| {
        !flagged(entry) && entry.severity == Severity::Warning
    });
    part("Traced and derived", "", &|entry| {
        entry.severity == Severity::Pass
            && matches!(entry.verdict, Verdict::Traced | Verdict::Derived)
    });
    part("Settings", "", &|entry| {
        entry.severity == Severity::Pass
            && entry.verdict == Verdict::Literal
            && entry.class == super::entry::Class::Configuration
    });
    out
}
