//! Checks of a paper's parts: sections, figures, labels, limitations, and words that should not be there.

use super::finding::{Finding, Severity, Spot};
use crate::paper::draft::{ABSTRACT, Draft, Kind, Part};
use crate::paper::reference::references;
use crate::paper::sentences;
use crate::stats::Comparison;

/// What a paper is made of, each with the words that its heading may have.
const SECTIONS: [(&str, &[&str]); 5] = [
    ("introduction", &["introduction"]),
    ("method", &["method", "approach", "model"]),
    ("experimental set-up", &["set-up", "setup", "experiment"]),
    ("results", &["result", "evaluation"]),
    ("conclusion", &["conclusion", "discussion"]),
];

/// Marks of text that was left to be filled in.
const PLACEHOLDERS: [&str; 14] = [
    "todo",
    "tbd",
    "fixme",
    "xxx",
    "lorem ipsum",
    "[insert",
    "<insert",
    "[placeholder",
    "[your ",
    "[citation needed",
    "x.xx",
    "???",
    "{{",
    "[tbd",
];

/// Title, abstract and the usual sections are there.
pub(super) fn sections(draft: &Draft) -> Vec<Finding> {
    let headings: Vec<String> = draft
        .headings()
        .iter()
        .map(|(_, title)| title.to_lowercase())
        .collect();
    let mut missing: Vec<&str> = SECTIONS
        .iter()
        .filter(|(_, words)| {
            !headings
                .iter()
                .any(|title| words.iter().any(|word| title.contains(word)))
        })
        .map(|(name, _)| *name)
        .collect();
    if draft.of(Kind::Title).next().is_none() {
        missing.push("title");
    }
    if draft.section(ABSTRACT).next().is_none() {
        missing.push("abstract");
    }
    if missing.is_empty() {
        return vec![Finding::pass(
            "sections_present",
            "title, abstract and all sections are there",
        )];
    }
    let missing = missing.join(", ");
    vec![Finding {
        subject: Some(missing.clone()),
        ..Finding::fail(
            "sections_present",
            Severity::Warning,
            format!("missing: {missing}"),
            "write them",
        )
    }]
}

/// Every figure is shown once, has a caption, and is spoken of in the text.
pub(super) fn figures(draft: &Draft) -> Vec<Finding> {
    let figures = draft.figures();
    let mut failures = Vec::new();
    for (part, name, caption) in &figures {
        let mut fail = |message: String, remedy: &str| {
            failures.push(Finding {
                place: Some(spot(draft, part)),
                subject: Some((*name).to_owned()),
                ..Finding::fail("figures_referenced", Severity::Warning, message, remedy)
            });
        };
        if caption.trim().is_empty() {
            fail(
                format!("figure `{name}` has no caption"),
                "say in its caption what it shows",
            );
        }
        if figures.iter().filter(|(_, other, _)| other == name).count() > 1 {
            fail(
                format!("figure `{name}` is shown more than once"),
                "show it once",
            );
        }
        if !draft.text.contains(&format!("@fig:{name}")) {
            fail(
                format!("the text does not speak of figure `{name}`"),
                "refer to it where its result is told",
            );
        }
    }
    let passed = match figures.len() {
        0 => "there are no figures".to_owned(),
        n => format!("{n} figures, each shown once, captioned and spoken of"),
    };
    Finding::or_pass("figures_referenced", failures, passed)
}

fn spot(draft: &Draft, part: &Part) -> Spot {
    Spot {
        section: part.section.clone(),
        line: draft.line(part.at.start),
    }
}

/// Every cross reference leads to a label of the draft.
pub(super) fn labels(draft: &Draft) -> Vec<Finding> {
    let figures: Vec<String> = draft
        .figures()
        .iter()
        .map(|(_, name, _)| format!("fig:{name}"))
        .collect();
    let mut failures = Vec::new();
    for (at, _) in draft.text.match_indices("[@") {
        let Some(end) = draft.text[at..].find(']') else {
            continue;
        };
        for key in draft.text[at + 2..at + end].split(';') {
            let key = key
                .trim()
                .trim_start_matches('@')
                .split(',')
                .next()
                .unwrap_or_default()
                .trim();
            let internal = ["fig:", "tab:", "sec:", "eq:"]
                .iter()
                .any(|mark| key.starts_with(mark));
            let known = draft.text.contains(&format!("{{#{key}}}"))
                || figures.iter().any(|label| label == key);
            if internal && !known {
                failures.push(Finding {
                    place: Some(Spot {
                        section: String::new(),
                        line: draft.line(at),
                    }),
                    subject: Some(key.to_owned()),
                    ..Finding::fail(
                        "labels_resolve",
                        Severity::Error,
                        format!("nothing is labelled `{key}`"),
                        "label what is meant, or take the reference out",
                    )
                });
            }
        }
    }
    Finding::or_pass(
        "labels_resolve",
        failures,
        "every cross reference leads to its part",
    )
}

/// Nothing was left to be filled in.
pub(super) fn placeholders(draft: &Draft, text: &str) -> Vec<Finding> {
    let mut failures = Vec::new();
    for sentence in draft.sentences() {
        let lower = sentence.text.to_lowercase();
        if let Some(mark) = PLACEHOLDERS.iter().find(|mark| word_in(&lower, mark)) {
            failures.push(Finding {
                place: Some(Spot {
                    section: sentence.section.to_owned(),
                    line: draft.line(sentence.at.start),
                }),
                quote: Some(sentence.text.to_owned()),
                ..Finding::fail(
                    "no_placeholders",
                    Severity::Error,
                    format!("`{mark}` was left to be filled in"),
                    "write it, or take the sentence out",
                )
            });
        }
    }
    if failures.is_empty() && text.contains("[not known:") {
        failures.push(Finding::fail(
            "no_placeholders",
            Severity::Error,
            "the typeset paper says `not known`",
            "find it out, or take the sentence out",
        ));
    }
    Finding::or_pass(
        "no_placeholders",
        failures,
        "nothing was left to be filled in",
    )
}

fn word_in(text: &str, mark: &str) -> bool {
    let letter = |c: char| c.is_alphanumeric() || c == '_';
    let wordy = mark.starts_with(letter);
    text.match_indices(mark).any(|(at, _)| {
        !wordy || (!text[..at].ends_with(letter) && !text[at + mark.len()..].starts_with(letter))
    })
}

/// The limitations have a section of their own, of at least two sentences.
pub(super) fn limitations(draft: &Draft, comparison: &Comparison) -> Vec<Finding> {
    let text: Vec<&str> = draft
        .section("limitation")
        .filter(|part| part.kind == Kind::Prose)
        .map(|part| draft.part(part))
        .collect();
    let count: usize = text.iter().map(|text| sentences(text).len()).sum();
    if count < 2 {
        return vec![Finding::fail(
            "limitations_present",
            Severity::Warning,
            "there is no section on limitations",
            "say what the experiments cannot show",
        )];
    }
    let lower = text.join(" ").to_lowercase();
    let many = comparison.counts.total >= 5;
    if many
        && !["multiple", "many comparisons", "by chance", "correct"]
            .iter()
            .any(|word| lower.contains(word))
    {
        return vec![Finding {
            subject: Some("multiple comparisons".to_owned()),
            ..Finding::fail(
                "limitations_present",
                Severity::Warning,
                format!(
                    "{} comparisons are made, but their number is not named as a limitation",
                    comparison.counts.total
                ),
                "say that some intervals exclude zero by chance",
            )
        }];
    }
    vec![Finding::pass(
        "limitations_present",
        "the limitations are stated",
    )]
}

/// Tables and figures are captioned; tables that show results say what they show.
pub(super) fn tables(draft: &Draft) -> Vec<Finding> {
    let mut tables = 0;
    let mut last_end = usize::MAX;
    for part in draft.of(Kind::Table) {
        // Lines of one table follow each other with nothing but a newline between.
        let joined = last_end < part.at.start
            && draft.text[last_end..part.at.start].trim().is_empty()
            && !draft.text[last_end..part.at.start].contains("\n\n");
        tables += usize::from(!joined);
        last_end = part.at.end;
    }
    let captions = draft.of(Kind::Caption).count();
    if captions < tables {
        return vec![Finding::fail(
            "tables_captioned",
            Severity::Warning,
            format!("{tables} tables, but {captions} captions"),
            "write a paragraph `Table: …` beside each table",
        )];
    }
    vec![Finding::pass(
        "tables_captioned",
        format!("{tables} tables, each with its caption"),
    )]
}

/// Whether a draft refers to results at all, without which the other checks say little.
pub(super) fn refers(draft: &Draft) -> Vec<Finding> {
    let count = references(&draft.text)
        .iter()
        .filter(|reference| reference.is_result())
        .count();
    if count > 0 {
        return vec![Finding::pass(
            "results_referred",
            format!("{count} references to results"),
        )];
    }
    vec![Finding::fail(
        "results_referred",
        Severity::Error,
        "the draft refers to no result",
        "write `\\val{path}{format}` in place of numbers",
    )]
}
