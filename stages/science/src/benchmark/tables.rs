//! The tables that figures and people read: bars, violins, the choice of the threshold, every paper.

use kyobashi_stage::{Failure, Output};

use super::contamination;
use super::document::{Document, Figure};
use super::judged::{Judged, mean};
use super::measures::{Case, NAMES, Tally, ranked};
use crate::stats::{csv, markdown, number};

/// The order in which measures are shown, with the words for them. `auc_decision` equals the balanced
/// accuracy by arithmetic, so it is not shown twice.
const SHOWN: [(&str, &str); 6] = [
    ("balanced_accuracy", "balanced accuracy"),
    ("accuracy", "accuracy"),
    ("f1", "F1"),
    ("auc_score", "AUC of the score"),
    ("fpr", "false accepts (FPR)"),
    ("fnr", "false rejects (FNR)"),
];

/// The measures of a document by name.
pub(crate) fn figures(document: &Document) -> [(&'static str, &Figure); NAMES.len()] {
    [
        (NAMES[0], &document.balanced_accuracy),
        (NAMES[1], &document.accuracy),
        (NAMES[2], &document.f1),
        (NAMES[3], &document.auc_decision),
        (NAMES[4], &document.auc_score),
        (NAMES[5], &document.fpr),
        (NAMES[6], &document.fnr),
    ]
}

fn header(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// measure, reviewer, value, low, high: the reviewer, then the published figures of others.
pub(crate) fn bars(document: &Document, name: &str) -> Result<Output, Failure> {
    let figures = figures(document);
    let mut rows = Vec::new();
    for (own, words) in SHOWN {
        let found = figures.iter().find(|(measure, _)| *measure == own);
        let figure = found.map(|(_, figure)| *figure);
        let end = |place: usize| number(figure.and_then(|figure| Some(figure.interval?[place])));
        let value = number(figure.map(|figure| figure.value));
        rows.push(vec![
            words.to_owned(),
            name.to_owned(),
            value,
            end(0),
            end(1),
        ]);
    }
    for (who, own) in &document.published {
        for (measure, words) in SHOWN {
            if let Some(value) = own.measures.get(measure) {
                let cells = [words.to_owned(), who.clone(), value.to_string()];
                rows.push([&cells[..], &[String::new(), String::new()]].concat());
            }
        }
    }
    csv(
        &header(&["measure", "reviewer", "value", "low", "high"]),
        &rows,
    )
}

/// decision, reviewer, score: what the reviewer and the mean person gave papers of each kind.
pub(crate) fn violins(papers: &[Judged], name: &str) -> Result<Output, Failure> {
    let mut rows = Vec::new();
    for (who, people) in [(name, false), ("people (mean)", true)] {
        for accepted in [false, true] {
            for paper in papers.iter().filter(|paper| paper.accepted == accepted) {
                let score = match (people, paper.humans.is_empty()) {
                    (false, _) => paper.score,
                    (true, false) => mean(&paper.humans),
                    (true, true) => continue,
                };
                let decision = if accepted { "accepted" } else { "rejected" };
                rows.push(vec![decision.to_owned(), who.to_owned(), score.to_string()]);
            }
        }
    }
    csv(&header(&["decision", "reviewer", "score"]), &rows)
}

/// threshold, measure, value: what each threshold between two scores would have given.
pub(crate) fn thresholds(papers: &[Judged]) -> Result<Output, Failure> {
    let scores: Vec<f64> = papers.iter().map(|paper| paper.score).collect();
    let (distinct, ranks) = ranked(&scores);
    let mut rows = Vec::new();
    for threshold in &distinct {
        let cases = papers.iter().zip(&ranks).map(|(paper, rank)| Case {
            accepted: paper.accepted,
            predicted: paper.score >= *threshold,
            rank: *rank,
        });
        let found = Tally::of(cases, distinct.len()).measures();
        for (measure, words) in SHOWN {
            let place = NAMES.iter().position(|name| *name == measure);
            // The area under the score's curve does not depend on a threshold.
            if let Some(place) = place.filter(|_| measure != "auc_score") {
                rows.push(vec![
                    threshold.to_string(),
                    words.to_owned(),
                    found[place].to_string(),
                ]);
            }
        }
    }
    csv(&header(&["threshold", "measure", "value"]), &rows)
}

/// Every paper that was scored.
pub(crate) fn papers(papers: &[Judged]) -> Result<Output, Failure> {
    let word = |accepted: bool| if accepted { "accept" } else { "reject" }.to_owned();
    let rows: Vec<Vec<String>> = papers
        .iter()
        .map(|paper| {
            let people = (!paper.humans.is_empty()).then(|| mean(&paper.humans));
            vec![
                paper.paper.clone(),
                word(paper.accepted),
                word(paper.predicted),
                paper.score.to_string(),
                paper.samples.len().to_string(),
                number(people),
            ]
        })
        .collect();
    let names = [
        "paper_id",
        "decided",
        "reviewer",
        "score",
        "reviews",
        "people_mean",
    ];
    csv(&header(&names), &rows)
}

/// The measures for people.
pub(crate) fn summary(document: &Document, name: &str) -> String {
    let mut head = vec!["measure", name];
    head.extend(
        document
            .by_decision_field
            .as_ref()
            .map(|_| "by its decision field"),
    );
    head.extend(document.published.keys().map(String::as_str));
    let rows: Vec<Vec<String>> = figures(document)
        .iter()
        .map(|(measure, figure)| {
            let mut row = vec![(*measure).to_owned(), shown(figure)];
            row.extend(
                document
                    .by_decision_field
                    .as_ref()
                    .map(|own| shown(&own[measure])),
            );
            for own in document.published.values() {
                let value = own.measures.get(*measure);
                row.push(value.map(|value| format!("{value:.2}")).unwrap_or_default());
            }
            row
        })
        .collect();
    let counts = &document.counts;
    let mut text = markdown(&head, &rows);
    text += &format!(
        "\nn = {} papers ({} accepted, {} rejected); {}; ± is half the 95 % interval ({} stratified resamples).\n",
        counts.papers,
        counts.accepted,
        counts.rejected,
        document.rule,
        document.bootstrap.resamples,
    );
    text += &format!(
        "Rejecting every paper would reach an accuracy of {:.3}.\n",
        document.always_reject["accuracy"]
    );
    text += &told(document);
    for (who, own) in &document.published {
        text += &format!("{who}: quoted, not computed here ({}).\n", own.source);
    }
    let missing = [
        (
            &counts.rated_without_review,
            "rated papers have no usable review",
        ),
        (
            &counts.reviewed_without_rating,
            "reviewed papers have no usable rating",
        ),
    ];
    for (ids, words) in missing.iter().filter(|(ids, _)| !ids.is_empty()) {
        text += &format!("\n{} {words}: {}.\n", ids.len(), ids.join(", "));
    }
    if !document.dirty.values.is_empty() {
        text += &format!(
            "\nDirty values, in {} rows, used nowhere:\n\n",
            document.dirty.rows
        );
        for dirty in &document.dirty.values {
            text += &format!("- {}\n", dirty.sentence());
        }
    }
    text
}

/// Calibration, spread and screening in sentences.
fn told(document: &Document) -> String {
    let mut text = match &document.calibration {
        Some(found) => format!(
            "Calibrated on these papers: from a score of {} on, acceptance is balanced best, with a balanced accuracy of {} on papers left out; the chance that follows from a score has a Brier score of {}, {:.2} by the base rate alone.\n",
            found.threshold,
            shown(&found.balanced_accuracy),
            shown(&found.brier),
            found.brier_of_base_rate,
        ),
        None => "Uncalibrated: that takes 20 accepted and 20 rejected papers.\n".to_owned(),
    };
    if let Some(retest) = &document.retest {
        text += &format!(
            "Reviews of one paper by one reviewer lie {:.2} apart (standard deviation within a paper, n = {} papers); on {} of these papers single reviews decide differently.\n",
            retest.sd, retest.papers, retest.undecided,
        );
    }
    text += &contamination::told(&document.contamination);
    if let Some(screening) = &document.screening {
        text += &format!(
            "Screened before the review: {} of {} papers speak to their reviewer{}{}.\n",
            screening.flagged.len(),
            screening.papers,
            if screening.flagged.is_empty() {
                ""
            } else {
                ": "
            },
            screening.flagged.join(", "),
        );
    }
    text
}

fn shown(figure: &Figure) -> String {
    match figure.ci95 {
        Some(half) => format!("{:.2} ± {half:.2}", figure.value),
        None => format!("{:.2}", figure.value),
    }
}
