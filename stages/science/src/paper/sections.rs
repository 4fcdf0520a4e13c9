//! The order in which a paper is written, and in which it is read.

use std::collections::{BTreeMap, BTreeSet};

use kyobashi_stage::{Failure, Note};
use serde_json::{Value, json};

use super::author::{Author, draft, settings, shown, shown_figures};
use super::cite::cite;
use super::facts::Facts;
use super::works::{Work, bibtex};
use crate::literature::Desk;

/// The sections as they are read, with their labels.
const READ: [(&str, &str); 9] = [
    (ABSTRACT, ""),
    ("Introduction", "sec:introduction"),
    (RELATED, "sec:related"),
    ("Background", "sec:background"),
    ("Method", "sec:method"),
    ("Experimental set-up", "sec:setup"),
    ("Results", "sec:results"),
    ("Limitations", "sec:limitations"),
    ("Conclusion", "sec:conclusion"),
];

/// The sections as they are written: what others rest on comes first.
const WRITTEN: [&str; 9] = [
    "Background",
    "Method",
    "Experimental set-up",
    "Results",
    "Limitations",
    "Introduction",
    "Conclusion",
    RELATED,
    ABSTRACT,
];

const ABSTRACT: &str = "Abstract";
const RELATED: &str = "Related work";

/// How much work goes into a draft.
pub(super) struct Effort {
    /// Rounds in which a section is read again when it is written.
    pub(super) refine: usize,
    /// Rounds in which every section is written again once all are there.
    pub(super) polish: usize,
    /// Questions to the literature for works to cite.
    pub(super) cite: usize,
}

/// What a paper is written from, beside its results.
pub(super) struct Material<'m> {
    pub(super) facts: &'m Facts,
    pub(super) comparison: &'m crate::stats::Comparison,
    pub(super) runs: Value,
    pub(super) program: String,
    pub(super) works: Vec<Work>,
}

/// Writes a paper: the draft and the BibTeX of its works.
///
/// # Errors
/// If the model does not answer or gives no valid section, or the run is being stopped.
pub(super) fn write(
    author: &Author<'_>,
    material: Material<'_>,
    desk: &Desk,
    effort: &Effort,
) -> Result<(String, String), Failure> {
    let Material {
        facts,
        comparison,
        runs,
        program,
        mut works,
    } = material;
    let front = front(author, facts);
    let figures: BTreeSet<String> = facts
        .figures
        .iter()
        .map(|figure| figure.name.clone())
        .collect();
    let mut texts: BTreeMap<&str, String> = BTreeMap::new();
    for round in 0..=effort.polish {
        for name in WRITTEN {
            if name == RELATED && round == 0 {
                cite(author, desk, effort.cite, &body(&texts), &mut works)?;
            }
            author.context.note(Note {
                step: Some((round * WRITTEN.len() + texts.len()) as u64),
                message: Some(format!("writing: {name}")),
                ..Note::default()
            });
            let keys: BTreeSet<String> = works.iter().map(|work| work.key.clone()).collect();
            let check = |text: &str| {
                let one = BTreeMap::from([(name, headless(text))]);
                let part = assembled(&front, &one);
                shown_figures(&part, &figures)?;
                author.faults_of_part(&part, &keys)
            };
            let material = json!({
                "facts": serde_json::to_value(facts).map_err(|error| Failure::bug(error.to_string()))?,
                "runs": runs,
                "program": program.trim_end(),
                "results": shown(facts, comparison),
                "counts": comparison.counts,
                "settings": settings(author.results),
                "works": works,
                "before": body(&texts),
                "section": name,
            });
            let text = author.section(material, effort.refine, &check)?;
            texts.insert(name, headless(&text));
        }
    }
    let whole = assembled(&front, &texts);
    let keys: BTreeSet<String> = works.iter().map(|work| work.key.clone()).collect();
    let whole = match crate::review::faults(&whole, author.results, &keys) {
        Ok(()) => whole,
        // What only the whole shows: a label that no section carries.
        Err(why) => {
            let fault = crate::review::Finding::fail(
                "draft",
                crate::review::Severity::Error,
                why,
                "mend it and leave the rest as it is",
            );
            author.improve(&whole, &[fault], &Value::Null, &keys)?
        }
    };
    Ok((whole, bibtex(&works)))
}

/// The front matter, which is ours: a model changes neither the title nor who wrote.
fn front(author: &Author<'_>, facts: &Facts) -> String {
    format!(
        "title: {}\nauthors: [{}]\nprovenance: {}",
        json!(facts.title),
        json!(author.model.to_string()),
        author.client.provenance(author.model)
    )
}

/// A section without the heading that models like to repeat.
fn headless(text: &str) -> String {
    let text = text.trim();
    match text.strip_prefix("# ") {
        Some(rest) => rest
            .split_once('\n')
            .map_or("", |(_, rest)| rest)
            .trim()
            .to_owned(),
        None => text.to_owned(),
    }
}

fn body(texts: &BTreeMap<&str, String>) -> String {
    let sections = READ
        .iter()
        .filter(|(name, _)| *name != ABSTRACT)
        .filter_map(|(name, label)| {
            let text = texts.get(name)?;
            Some(format!("# {name} {{#{label}}}\n\n{text}\n\n"))
        });
    sections.collect::<String>().trim().to_owned()
}

fn assembled(front: &str, texts: &BTreeMap<&str, String>) -> String {
    draft(
        front,
        texts.get(ABSTRACT).map_or("", String::as_str),
        &body(texts),
    )
}
