//! A calibration as a file, from the benchmark that made it to the flow that uses it: whose scores it is of,
//! on which papers it was made, and what a score means. A calibration of other reviewers, another form or
//! another rule says nothing about a score, so it is refused.

use std::collections::BTreeSet;

use kyobashi_stage::Failure;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::calibration::{ENOUGH, Step, chance};
use super::document::{Document, Figure};
use crate::review::Statistic;

/// The version of the file's form.
const VERSION: u32 = 1;

/// How a calibration is made.
const REMEDY: &str =
    "a calibration is the `calibration.json` that `pipelines/reviewer-benchmark.yaml` puts out";

/// `calibration.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Calibrated {
    version: u32,
    /// Which papers it was made on, in words.
    pub(crate) source: String,
    /// The review form, the score of it, and how several reviews became one.
    form: String,
    score: String,
    statistic: String,
    /// The models of the panel, as they are called in reviews.
    reviewers: BTreeSet<String>,
    provenances: BTreeSet<String>,
    /// Fewest and most reviews of a paper.
    reviews_a_paper: [usize; 2],
    pub(crate) papers: usize,
    pub(crate) accepted: usize,
    pub(crate) threshold: f64,
    map: Vec<Step>,
    brier: Figure,
    brier_of_base_rate: f64,
    balanced_accuracy: Figure,
}

/// What a calibration says of one score, for the summary of a paper's reviews.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Meaning {
    /// The share of accepted papers among those with such a score.
    chance: f64,
    /// Accept from this score on.
    threshold: f64,
    accept: bool,
    /// Papers that it was made on, and how many of them were accepted.
    papers: usize,
    accepted: usize,
    source: String,
    /// Of the threshold, on papers left out of its choice.
    balanced_accuracy: Figure,
    /// In what these reviews differ from those of the calibration.
    differs: Vec<String>,
}

impl Calibrated {
    /// The calibration of a benchmark as a file, which says so where there were too few papers for one.
    pub(crate) fn of(
        document: &Document,
        form: &str,
        score: &str,
        source: &str,
        reviews_a_paper: [usize; 2],
    ) -> Result<Value, Failure> {
        let counts = &document.counts;
        let Some(found) = &document.calibration else {
            let why = format!(
                "it takes {ENOUGH} accepted and {ENOUGH} rejected papers, and these are {} and {}",
                counts.accepted, counts.rejected
            );
            return Ok(json!({"version": VERSION, "uncalibrated": why}));
        };
        let made = Self {
            version: VERSION,
            source: source.to_owned(),
            form: form.to_owned(),
            score: score.to_owned(),
            statistic: document.statistic.to_owned(),
            reviewers: document.reviewers.clone(),
            provenances: document.provenances.clone(),
            reviews_a_paper,
            papers: counts.papers,
            accepted: counts.accepted,
            threshold: found.threshold,
            map: found.map.clone(),
            brier: found.brier.clone(),
            brier_of_base_rate: found.brier_of_base_rate,
            balanced_accuracy: found.balanced_accuracy.clone(),
        };
        serde_json::to_value(made).map_err(|error| Failure::bug(error.to_string()))
    }

    /// Reads a calibration.
    ///
    /// # Errors
    /// If it is none, or its map is none: scores that rise, chances between 0 and 1 that do not fall.
    pub(crate) fn read(value: &Value) -> Result<Self, Failure> {
        if let Some(why) = value["uncalibrated"].as_str() {
            return Err(
                Failure::new(format!("the benchmark made no calibration: {why}"))
                    .help("give it more papers whose decisions are known"),
            );
        }
        let found: Self = serde_json::from_value(value.clone()).map_err(|error| {
            Failure::new(format!("the calibration cannot be read: {error}")).help(REMEDY)
        })?;
        if found.version != VERSION {
            return Err(Failure::new(format!(
                "the calibration is of version {}, and this reads version {VERSION}",
                found.version
            ))
            .help("make it anew with this version's benchmark"));
        }
        let rises = found
            .map
            .windows(2)
            .all(|pair| pair[0].score < pair[1].score && pair[0].chance <= pair[1].chance);
        let chances = found
            .map
            .iter()
            .all(|step| (0.0..=1.0).contains(&step.chance));
        let counted = found.accepted <= found.papers;
        if found.map.is_empty() || !rises || !chances || !counted {
            return Err(Failure::new("the map of the calibration is none: scores have to rise, and chances between 0 and 1 must not fall").help(REMEDY));
        }
        Ok(found)
    }

    /// Whether it was made of these reviewers, this form and this rule.
    ///
    /// # Errors
    /// What differs, with both sides.
    pub(super) fn fits(
        &self,
        reviewers: &BTreeSet<String>,
        form: &str,
        statistic: Statistic,
    ) -> Result<(), Failure> {
        let listed = |names: &BTreeSet<String>| {
            names
                .iter()
                .map(String::as_str)
                .collect::<Vec<_>>()
                .join(" and ")
        };
        if self.reviewers.is_empty() {
            return Err(Failure::new("the calibration does not say whose reviews it was made of")
                .help("let the benchmark's own panel review the papers, or give it reviews with a `reviewer` each"));
        }
        if self.reviewers != *reviewers {
            return Err(Failure::new(format!(
                "the calibration was made of reviews by {}, and these are by {}",
                listed(&self.reviewers),
                listed(reviewers)
            ))
            .help("what a score means differs from model to model: make a calibration of these reviewers, or leave it out"));
        }
        if self.form != form {
            return Err(Failure::new(format!(
                "the calibration is of the form `{}`, and these reviews fill in `{form}`",
                self.form
            ))
            .help("make a calibration with this form"));
        }
        // One review is its own mean and its own median.
        if self.statistic != statistic.word() && self.reviews_a_paper[1] > 1 {
            return Err(Failure::new(format!(
                "the calibration is of `statistic: {}`, and these scores are taken together by `{}`",
                self.statistic,
                statistic.word()
            ))
            .help(format!(
                "set `params.statistic={}`, or make a calibration with the other one",
                self.statistic
            )));
        }
        Ok(())
    }

    /// What it says of the scores of one paper; none where it is of another score, or there is none.
    ///
    /// # Errors
    /// If it was made of other reviewers, another form or another rule.
    pub(crate) fn meaning(
        &self,
        scores: &dyn Fn(&str) -> Option<(f64, usize)>,
        reviewers: &BTreeSet<String>,
        form: &str,
        statistic: Statistic,
        capped: bool,
    ) -> Result<Option<Meaning>, Failure> {
        let Some((score, n)) = scores(&self.score) else {
            return Ok(None);
        };
        let mut differs = Vec::new();
        // A reviewer of the panel whose review could not be had leaves the others' score.
        if reviewers.is_subset(&self.reviewers) && *reviewers != self.reviewers {
            let lost: Vec<&str> = self
                .reviewers
                .difference(reviewers)
                .map(String::as_str)
                .collect();
            differs.push(format!("made with {} in the panel", lost.join(" and ")));
        } else {
            self.fits(reviewers, form, statistic)?;
        }
        let [least, most] = self.reviews_a_paper;
        if !(least..=most).contains(&n) {
            let range = if least == most {
                least.to_string()
            } else {
                format!("{least} to {most}")
            };
            differs.push(format!(
                "made with {range} review{} of a paper, here {n}",
                if most == 1 { "" } else { "s" }
            ));
        }
        Ok(Some(Meaning {
            chance: chance(&self.map, score),
            threshold: self.threshold,
            accept: score >= self.threshold && !capped,
            papers: self.papers,
            accepted: self.accepted,
            source: self.source.clone(),
            balanced_accuracy: self.balanced_accuracy.clone(),
            differs,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(change: impl Fn(&mut Value)) -> Value {
        let step =
            |score: f64, chance: f64| json!({"score": score, "chance": chance, "papers": 20});
        let mut value = json!({
            "version": 1, "source": "made up", "form": "neurips", "score": "overall", "statistic": "median",
            "reviewers": ["a/b", "c/d"], "provenances": ["live"], "reviews_a_paper": [2, 2], "papers": 40,
            "accepted": 20, "threshold": 5.0, "map": [step(3.0, 0.1), step(5.0, 0.5), step(7.0, 0.9)],
            "brier": {"value": 0.2, "ci95": 0.01}, "brier_of_base_rate": 0.25,
            "balanced_accuracy": {"value": 0.7, "ci95": 0.05},
        });
        change(&mut value);
        value
    }

    fn meaning(
        calibration: &Value,
        score: f64,
        reviewers: &[&str],
        statistic: Statistic,
    ) -> Result<Option<Meaning>, Failure> {
        let reviewers = reviewers.iter().map(|name| (*name).to_owned()).collect();
        let scores = |name: &str| (name == "overall").then_some((score, 2));
        Calibrated::read(calibration)?.meaning(&scores, &reviewers, "neurips", statistic, false)
    }

    #[test]
    fn a_score_between_two_is_read_between_them_and_decides_by_the_calibrated_threshold() {
        let found = meaning(&given(|_| ()), 4.0, &["a/b", "c/d"], Statistic::Median)
            .unwrap()
            .unwrap();
        assert!((found.chance - 0.3).abs() < 1e-12);
        assert_eq!((found.accept, found.differs.len()), (false, 0));
        let found = meaning(&given(|_| ()), 9.0, &["a/b", "c/d"], Statistic::Median)
            .unwrap()
            .unwrap();
        assert!((found.chance - 0.9).abs() < 1e-12 && found.accept);
        // One of the panel did not answer: it is told, not refused.
        let found = meaning(&given(|_| ()), 4.0, &["a/b"], Statistic::Median)
            .unwrap()
            .unwrap();
        assert_eq!(found.differs, ["made with c/d in the panel"]);
    }

    #[test]
    fn what_does_not_fit_or_is_no_calibration_is_refused() {
        let refused = |value: Value, reviewers: &[&str], statistic| {
            meaning(&value, 4.0, reviewers, statistic)
                .unwrap_err()
                .message
        };
        let panel = ["a/b", "c/d"];
        assert!(
            refused(given(|_| ()), &["e/f"], Statistic::Median)
                .contains("by a/b and c/d, and these are by e/f")
        );
        assert!(refused(given(|_| ()), &panel, Statistic::Mean).contains("`statistic: median`"));
        assert!(
            refused(
                given(|one| one["form"] = json!("other")),
                &panel,
                Statistic::Median
            )
            .contains("the form `other`")
        );
        assert!(
            refused(
                given(|one| one["reviewers"] = json!([])),
                &panel,
                Statistic::Median
            )
            .contains("whose reviews")
        );
        assert!(
            refused(
                json!({"version": 1, "uncalibrated": "too few papers"}),
                &panel,
                Statistic::Median
            )
            .contains("too few papers")
        );
        assert!(
            refused(
                given(|one| one["map"][1]["chance"] = json!(0.95)),
                &panel,
                Statistic::Median
            )
            .contains("must not fall")
        );
        assert!(
            refused(
                given(|one| one["version"] = json!(2)),
                &panel,
                Statistic::Median
            )
            .contains("version 2")
        );
        assert!(refused(json!({"map": []}), &panel, Statistic::Median).contains("missing field"));
    }
}
