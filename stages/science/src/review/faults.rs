//! What keeps a draft from being set, or makes its numbers untraceable: what a model as author is told at
//! once, before any review.

use std::collections::BTreeSet;

use serde_json::Value;

use super::finding::Finding;
use super::{number, structure};
use crate::paper::draft::Draft;

/// Faults that one message names at most.
const MOST: usize = 12;

/// The faults of a whole draft, in words that its author can act on.
///
/// # Errors
/// The faults, if there are any.
pub(crate) fn faults(draft: &str, results: &Value, works: &BTreeSet<String>) -> Result<(), String> {
    let draft = Draft::read(draft);
    let mut findings = local(&draft, results);
    findings.extend(structure::refers(&draft));
    findings.extend(structure::sections(&draft));
    findings.extend(structure::labels(&draft));
    told(&findings, cited(&draft, works))
}

/// The same of a section alone: what it lacks may stand in another.
///
/// # Errors
/// The faults, if there are any.
pub(crate) fn faults_of_part(
    draft: &str,
    results: &Value,
    works: &BTreeSet<String>,
) -> Result<(), String> {
    let draft = Draft::read(draft);
    told(&local(&draft, results), cited(&draft, works))
}

fn local(draft: &Draft, results: &Value) -> Vec<Finding> {
    [
        number::traced(draft, results),
        number::resolved(draft, results, &Value::Null),
        structure::placeholders(draft, ""),
    ]
    .concat()
}

/// Works that are cited and not there.
fn cited(draft: &Draft, works: &BTreeSet<String>) -> Vec<String> {
    let mut unknown = BTreeSet::new();
    for (at, _) in draft.text.match_indices("[@") {
        let rest = &draft.text[at + 2..];
        let inside = &rest[..rest.find(']').unwrap_or(0)];
        for key in inside.split(';') {
            let key = key.trim().trim_start_matches('@');
            let key = key.split(',').next().unwrap_or_default().trim();
            let internal = ["fig:", "tab:", "sec:", "eq:"];
            if !internal.iter().any(|mark| key.starts_with(mark)) && !works.contains(key) {
                unknown.insert(key.to_owned());
            }
        }
    }
    let known: Vec<&str> = works.iter().map(String::as_str).collect();
    unknown
        .into_iter()
        .map(|key| {
            format!(
                "no work has the key `{key}`; there are {}",
                known.join(", ")
            )
        })
        .collect()
}

fn told(findings: &[Finding], more: Vec<String>) -> Result<(), String> {
    let failed = findings.iter().filter(|finding| !finding.passed).map(said);
    let all: Vec<String> = failed.chain(more).collect();
    if all.is_empty() {
        return Ok(());
    }
    let left = all.len().saturating_sub(MOST);
    let mut text = all[..all.len() - left].join("; ");
    if left > 0 {
        text += &format!("; and {left} more of the kind");
    }
    Err(text)
}

fn said(finding: &Finding) -> String {
    let place = finding
        .place
        .as_ref()
        .filter(|place| !place.section.is_empty())
        .map(|place| format!(" under \"{}\"", place.section))
        .unwrap_or_default();
    let quote = finding
        .quote
        .as_deref()
        .map(|quote| format!(" (\"{}\")", quote.trim()))
        .unwrap_or_default();
    let remedy = finding
        .remedy
        .as_deref()
        .map(|remedy| format!(": {remedy}"))
        .unwrap_or_default();
    format!("{}{place}{quote}{remedy}", finding.message)
}
