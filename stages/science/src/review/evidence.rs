//! Checks of what a paper says about its results: claims, intervals, runs, completeness, losses.

use std::collections::BTreeSet;

use super::claim::{all, bears, claimed, counts_only, rows_of, rows_referred};
use super::finding::{Finding, RowName, Severity, Spot};
use crate::paper::draft::{ABSTRACT, Draft, Kind, Sentence, paths};
use crate::paper::reference::references;
use crate::stats::{Comparison, ENOUGH, Verdict};

/// Every claim of a direction is borne by at least three runs a side and an interval without zero.
pub(super) fn claims(draft: &Draft, comparison: &Comparison) -> Vec<Finding> {
    let mut failures = Vec::new();
    let mut held = 0;
    for sentence in draft.sentences() {
        let Some((way, word)) = claimed(sentence.text) else {
            continue;
        };
        if counts_only(&sentence, comparison) || !about_results(&sentence) {
            continue;
        }
        let rows = rows_of(sentence.text, comparison);
        let unborne: Vec<RowName> = if rows.is_empty() {
            all(comparison).collect()
        } else {
            rows.iter()
                .filter(|row| !bears(&comparison.by[&row.place][&row.metric], way, &word))
                .cloned()
                .collect()
        };
        if unborne.is_empty() {
            held += 1;
            continue;
        }
        let names = names(&unborne);
        let (message, remedy) = if rows.is_empty() {
            (
                format!("`{word}` claims a direction without saying of which result"),
                "name the point set and the metric, and refer to the comparison",
            )
        } else {
            (
                format!("`{word}` is not borne by the interval of the difference on {names}"),
                "say that the difference cannot be told from zero, with its interval and n",
            )
        };
        failures.push(Finding {
            place: Some(spot(draft, &sentence)),
            quote: Some(sentence.text.to_owned()),
            rows: if rows.is_empty() {
                Vec::new()
            } else {
                rows.into_iter().collect()
            },
            ..Finding::fail("claims_supported", Severity::Error, message, remedy)
        });
    }
    Finding::or_pass(
        "claims_supported",
        failures,
        format!("{held} claims of a direction, each borne by its interval"),
    )
}

/// Claims are looked for where results are told, and wherever a result is referred to.
fn about_results(sentence: &Sentence<'_>) -> bool {
    let section = sentence.section.to_lowercase();
    let telling = [
        "abstract",
        "result",
        "conclusion",
        "discussion",
        "analysis",
        "summary",
    ];
    let refers = references(sentence.text)
        .iter()
        .any(|reference| reference.is_result());
    refers || (sentence.kind != Kind::Title && telling.iter().any(|word| section.contains(word)))
}

fn spot(draft: &Draft, sentence: &Sentence<'_>) -> Spot {
    Spot {
        section: sentence.section.to_owned(),
        line: draft.line(sentence.at.start),
    }
}

fn names(rows: &[RowName]) -> String {
    const SHOWN: usize = 4;
    let mut words: Vec<String> = rows
        .iter()
        .take(SHOWN)
        .map(|row| format!("{} ({})", row.place, row.metric))
        .collect();
    if rows.len() > SHOWN {
        words.push(format!("{} more", rows.len() - SHOWN));
    }
    words.join(", ")
}

/// Every compared result is shown with its interval and n somewhere.
pub(super) fn intervals(draft: &Draft, comparison: &Comparison) -> Vec<Finding> {
    let paths: BTreeSet<String> = paths(&draft.text).into_iter().collect();
    let missing: Vec<RowName> = all(comparison)
        .filter(|row| {
            let shown = |document: &str| {
                paths.contains(&format!("{document}.by.{}.{}", row.place, row.metric))
            };
            !(shown("comparison") || (shown("baseline") && shown("trial")))
        })
        .collect();
    failed_rows(
        "intervals_reported",
        missing,
        |names| format!("means without interval and n: {names}"),
        "refer to the whole estimate, so that its interval and n are shown",
        "every compared mean is shown with its interval and n",
    )
}

/// No compared result is left out.
pub(super) fn complete(draft: &Draft, comparison: &Comparison) -> Vec<Finding> {
    let shown = rows_referred(&draft.text, comparison);
    let missing: Vec<RowName> = all(comparison).filter(|row| !shown.contains(row)).collect();
    failed_rows(
        "results_complete",
        missing,
        |names| format!("measured but not reported: {names}"),
        "report every point set and metric that was compared",
        "every compared result is reported",
    )
}

/// Results that got worse are told in prose, not only in a table.
pub(super) fn losses(draft: &Draft, comparison: &Comparison) -> Vec<Finding> {
    let told: BTreeSet<RowName> = draft
        .sentences()
        .iter()
        .filter(|sentence| sentence.kind == Kind::Prose)
        .flat_map(|sentence| rows_referred(sentence.text, comparison))
        .collect();
    let missing: Vec<RowName> = all(comparison)
        .filter(|row| {
            comparison.by[&row.place][&row.metric].verdict == Verdict::Worse && !told.contains(row)
        })
        .collect();
    failed_rows(
        "losses_stated",
        missing,
        |names| format!("worse than the baseline, but not told in the text: {names}"),
        "say in the results where the variant is worse",
        "every result that is worse than the baseline is told",
    )
}

fn failed_rows(
    check: &str,
    rows: Vec<RowName>,
    message: impl Fn(&str) -> String,
    remedy: &str,
    pass: &str,
) -> Vec<Finding> {
    if rows.is_empty() {
        return vec![Finding::pass(check, pass)];
    }
    vec![Finding {
        rows: rows.clone(),
        ..Finding::fail(check, Severity::Warning, message(&names(&rows)), remedy)
    }]
}

/// Every comparison rests on at least three runs a side. No edit of the text can mend this.
pub(super) fn runs(comparison: &Comparison) -> Vec<Finding> {
    let few: Vec<RowName> = all(comparison)
        .filter(|row| {
            let row = &comparison.by[&row.place][&row.metric];
            row.baseline.n < ENOUGH || row.trial.n < ENOUGH
        })
        .collect();
    let n = comparison
        .rows
        .iter()
        .map(|row| row.baseline.n.min(row.trial.n))
        .min()
        .unwrap_or(0);
    failed_rows(
        "runs_enough",
        few,
        |names| format!("fewer than {ENOUGH} runs a side: {names}"),
        "run more seeds",
        &format!("every comparison rests on at least {n} runs a side"),
    )
}

/// The text says what a run is repeated over, and how often.
pub(super) fn seeds(draft: &Draft) -> Vec<Finding> {
    let body = draft.text.to_lowercase();
    let counted = paths(&draft.text).iter().any(|path| path.ends_with(".n"));
    if body.contains("seed") && counted {
        return vec![Finding::pass(
            "seeds_and_n_named",
            "the text names the seeds and the number of runs",
        )];
    }
    vec![Finding::fail(
        "seeds_and_n_named",
        Severity::Warning,
        "the text does not say over which seeds, and how many, a mean is taken",
        "name n in the set-up, by reference, and what differs between runs",
    )]
}

/// The unchanged baseline is shown beside the variant.
pub(super) fn baseline(draft: &Draft) -> Vec<Finding> {
    let shown = paths(&draft.text)
        .iter()
        .any(|path| path.starts_with("baseline.") || path.contains(".baseline"));
    if shown && draft.text.to_lowercase().contains("baseline") {
        return vec![Finding::pass(
            "baseline_present",
            "the baseline is shown beside the variant",
        )];
    }
    vec![Finding::fail(
        "baseline_present",
        Severity::Error,
        "no result of the baseline is shown",
        "show the baseline's results beside the variant's",
    )]
}

/// The abstract tells the whole outcome, not its most favourable part.
pub(super) fn summary(draft: &Draft, comparison: &Comparison) -> Vec<Finding> {
    let text: String = draft
        .section(ABSTRACT)
        .map(|part| draft.part(part))
        .collect::<Vec<_>>()
        .join(" ");
    let told = rows_referred(&text, comparison);
    let counted = paths(&text)
        .iter()
        .any(|path| path.starts_with("comparison.counts"));
    let one_metric = comparison.counts_by_metric.iter().any(|(metric, counts)| {
        told.iter().filter(|row| row.metric == *metric).count() == counts.total
    });
    if counted || one_metric {
        return vec![Finding::pass(
            "abstract_states_result",
            "the abstract states the whole outcome",
        )];
    }
    let place = draft.section(ABSTRACT).next().map(|part| Spot {
        section: ABSTRACT.to_owned(),
        line: draft.line(part.at.start),
    });
    let total = comparison.counts.total;
    vec![Finding {
        place,
        ..Finding::fail(
            "abstract_states_result",
            Severity::Warning,
            format!(
                "the abstract tells {} of {total} compared results",
                told.len()
            ),
            "say how many comparisons came out better, worse and open",
        )
    }]
}
