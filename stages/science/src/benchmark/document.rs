//! `metrics.json`, as `docs/guides/reviewer-benchmark.md` describes it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::calibration::Calibration;
use super::contamination::Contamination;
use super::correlation::Agreement;
use super::dirt::Dirty;
use super::reviews::Reviews;

/// A figure with the doubt that chance leaves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Figure {
    pub(crate) value: f64,
    /// Half the distance between the 2.5th and the 97.5th percentile of the bootstrap.
    pub(crate) ci95: Option<f64>,
    /// The two percentiles, which need not lie evenly around the value.
    #[serde(skip)]
    pub(crate) interval: Option<[f64; 2]>,
}

impl Figure {
    pub(crate) fn new(value: f64, interval: Option<[f64; 2]>) -> Self {
        Self {
            value,
            ci95: interval.map(|[low, high]| (high - low) / 2.0),
            interval,
        }
    }
}

/// What `review/score` makes. The seven measures stand at the top.
#[derive(Debug, Serialize)]
pub(crate) struct Document {
    pub(crate) balanced_accuracy: Figure,
    pub(crate) accuracy: Figure,
    pub(crate) f1: Figure,
    pub(crate) auc_decision: Figure,
    pub(crate) auc_score: Figure,
    pub(crate) fpr: Figure,
    pub(crate) fnr: Figure,
    /// In words: `accept if overall ≥ 6`.
    pub(crate) rule: String,
    /// How the scores of several reviews became one.
    pub(crate) statistic: &'static str,
    /// What a score means for the decision; none with too few papers.
    pub(crate) calibration: Option<Calibration>,
    pub(crate) counts: Counts,
    /// What a reviewer would reach who rejects every paper.
    pub(crate) always_reject: BTreeMap<&'static str, f64>,
    /// The measures if the decision field decided instead; none if the reviews have none.
    pub(crate) by_decision_field: Option<BTreeMap<&'static str, Figure>>,
    pub(crate) correlation: Correlation,
    /// Mean of each score over all clean values of all reviews.
    pub(crate) scores: BTreeMap<String, Spread>,
    /// How far reviews of the same paper lie apart; none if each paper has one.
    pub(crate) retest: Option<Retest>,
    /// Whether the reviewer may know the papers from its training.
    pub(crate) contamination: Contamination,
    /// Which papers speak to their reviewer; none if no paper was screened.
    pub(crate) screening: Option<Screening>,
    pub(crate) reviewers: BTreeSet<String>,
    pub(crate) provenances: BTreeSet<String>,
    pub(crate) bootstrap: Drawn,
    pub(crate) dirty: Dirt,
    /// Figures of others, quoted with their source and not computed here.
    pub(crate) published: BTreeMap<String, Published>,
}

/// What somebody else published of a reviewer; measures between 0 and 1.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Published {
    /// Where the figures stand, and of which papers they are.
    pub(crate) source: String,
    pub(crate) measures: BTreeMap<String, f64>,
}

/// How many there were of everything.
#[derive(Debug, Serialize)]
pub(crate) struct Counts {
    /// Papers with both a rating and a usable review: the n of every measure.
    pub(crate) papers: usize,
    pub(crate) accepted: usize,
    pub(crate) rejected: usize,
    pub(crate) true_accepts: u32,
    pub(crate) false_accepts: u32,
    pub(crate) true_rejects: u32,
    pub(crate) false_rejects: u32,
    /// Papers that a failed check keeps from being accepted, whatever their scores.
    pub(crate) capped: Vec<String>,
    pub(crate) rated: usize,
    pub(crate) reviews: usize,
    pub(crate) rated_without_review: Vec<String>,
    pub(crate) reviewed_without_rating: Vec<String>,
    /// Columns of the ratings that hold no scores.
    pub(crate) ignored_columns: Vec<String>,
}

/// Pearson's r and its square, each with its interval and counts; none where there are no pairs.
#[derive(Debug, Serialize)]
pub(crate) struct Correlation {
    pub(crate) reviewer_and_mean_person: Option<Agreement>,
    pub(crate) person_and_other_person: Option<Agreement>,
    pub(crate) person_and_mean_of_others: Option<Agreement>,
    pub(crate) review_and_other_review: Option<Agreement>,
}

/// A score over all reviews.
#[derive(Debug, Serialize)]
pub(crate) struct Spread {
    pub(crate) mean: f64,
    /// Sample standard deviation; none for one value.
    pub(crate) sd: Option<f64>,
    pub(crate) n: usize,
    /// Values left out because the form does not allow them.
    pub(crate) dirty: usize,
}

/// What the screening found. Where the papers are known to be clean, each flagged one is a false alarm.
#[derive(Debug, Serialize)]
pub(crate) struct Screening {
    /// Papers that were screened.
    pub(crate) papers: usize,
    pub(crate) flagged: Vec<String>,
}

impl Screening {
    /// None where no paper was screened.
    pub(super) fn of(reviews: &Reviews) -> Option<Self> {
        let found = |paper: &&String, wanted: Option<bool>| {
            let mut own = reviews.papers[paper.as_str()].iter();
            own.any(|review| {
                review.flagged.is_some()
                    && wanted.is_none_or(|wanted| review.flagged == Some(wanted))
            })
        };
        let papers = reviews
            .papers
            .keys()
            .filter(|paper| found(paper, None))
            .count();
        let flagged = reviews
            .papers
            .keys()
            .filter(|paper| found(paper, Some(true)));
        (papers > 0).then(|| Self {
            papers,
            flagged: flagged.cloned().collect(),
        })
    }
}

/// Several reviews of one paper by the same reviewer.
#[derive(Debug, Serialize)]
pub(crate) struct Retest {
    pub(crate) papers: usize,
    /// The standard deviation within a paper: root of the mean variance.
    pub(crate) sd: f64,
    /// Papers on which single reviews would have decided differently.
    pub(crate) undecided: usize,
}

#[derive(Debug, Serialize)]
pub(crate) struct Drawn {
    pub(crate) resamples: usize,
    pub(crate) seed: u64,
    pub(crate) strata: [&'static str; 2],
}

#[derive(Debug, Serialize)]
pub(crate) struct Dirt {
    /// Rows with at least one dirty value.
    pub(crate) rows: usize,
    pub(crate) values: Vec<Dirty>,
}
