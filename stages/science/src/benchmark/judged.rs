//! Papers that have both a known decision and a usable review, and how the reviewer decided on each.

use std::collections::BTreeMap;

use kyobashi_stage::Failure;

use super::ratings::Ratings;
use super::reviews::{Reviewed, Reviews};
use crate::review::Statistic;

/// How a review becomes a decision.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Rule {
    /// Accept from this score on.
    Threshold(f64),
    /// Accept where most of the reviews' decision fields say so.
    Decision,
}

/// One paper.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Judged {
    pub(crate) paper: String,
    /// What people decided.
    pub(crate) accepted: bool,
    /// What people scored.
    pub(crate) humans: Vec<f64>,
    /// The scores of its reviews taken together, the mean unless said.
    pub(crate) score: f64,
    /// The single scores, one a review.
    pub(crate) samples: Vec<f64>,
    /// The same apart for each reviewer.
    pub(crate) groups: Vec<Vec<f64>>,
    /// Whether a failed check forbids acceptance.
    pub(crate) capped: bool,
    /// What the reviewer decided.
    pub(crate) predicted: bool,
}

/// Everything that could be matched, and what could not.
#[derive(Debug)]
pub(crate) struct Matched {
    pub(crate) papers: Vec<Judged>,
    /// Rated papers without a usable review.
    pub(crate) unreviewed: Vec<String>,
    /// Reviewed papers without a usable rating.
    pub(crate) unrated: Vec<String>,
}

/// Matches reviews with ratings by paper, in the order of the ids.
///
/// # Errors
/// If no paper is in both, or all matched papers were decided alike.
pub(crate) fn matched(
    ratings: &Ratings,
    reviews: &Reviews,
    score: &str,
    rule: &Rule,
    statistic: Statistic,
) -> Result<Matched, Failure> {
    let mut papers = Vec::new();
    let mut unreviewed = Vec::new();
    for (paper, rated) in &ratings.papers {
        let own = reviews.papers.get(paper).map_or(&[][..], Vec::as_slice);
        match judged(own, score, rule, statistic) {
            Some((samples, predicted)) => papers.push(Judged {
                paper: paper.clone(),
                accepted: rated.accepted,
                humans: rated.scores.clone(),
                score: statistic.of(&samples),
                samples,
                groups: groups(own, score),
                capped: capped(own),
                predicted,
            }),
            None => unreviewed.push(paper.clone()),
        }
    }
    let unrated: Vec<String> = reviews
        .papers
        .keys()
        .filter(|paper| !ratings.papers.contains_key(*paper))
        .cloned()
        .collect();
    if papers.is_empty() {
        let first = |ids: Option<&String>| ids.map_or("none", String::as_str).to_owned();
        return Err(Failure::new("no paper has both a rating and a usable review").help(format!(
            "`paper_id` has to be the same in both: the ratings begin with `{}`, the reviews with `{}`",
            first(ratings.papers.keys().next()),
            first(reviews.papers.keys().next()),
        )));
    }
    let accepted = papers.iter().filter(|paper| paper.accepted).count();
    if accepted == 0 || accepted == papers.len() {
        let word = if accepted == 0 {
            "rejected"
        } else {
            "accepted"
        };
        return Err(Failure::new(format!(
            "all {} papers that have a rating and a review were {word}",
            papers.len()
        ))
        .help("a reviewer is scored on papers of both kinds: add some of the other"));
    }
    Ok(Matched {
        papers,
        unreviewed,
        unrated,
    })
}

/// The scores of one paper's reviews and the decision that follows; none without a usable review.
fn judged(
    reviews: &[Reviewed],
    score: &str,
    rule: &Rule,
    statistic: Statistic,
) -> Option<(Vec<f64>, bool)> {
    let samples: Vec<f64> = reviews
        .iter()
        .filter_map(|review| review.scores.get(score).copied())
        .collect();
    if samples.is_empty() {
        return None;
    }
    let predicted = match rule {
        Rule::Threshold(least) => statistic.of(&samples) >= *least,
        Rule::Decision => majority(reviews)?,
    };
    Some((samples, predicted && !capped(reviews)))
}

fn capped(reviews: &[Reviewed]) -> bool {
    reviews.iter().any(|review| review.capped)
}

/// The scores of each reviewer of a paper.
fn groups(reviews: &[Reviewed], score: &str) -> Vec<Vec<f64>> {
    let mut groups: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for review in reviews {
        if let Some(value) = review.scores.get(score) {
            groups.entry(&review.reviewer).or_default().push(*value);
        }
    }
    groups.into_values().collect()
}

/// Whether more than half of the decision fields say Accept; none where no field says anything.
pub(crate) fn majority(reviews: &[Reviewed]) -> Option<bool> {
    let votes: Vec<bool> = reviews
        .iter()
        .filter_map(|review| review.decision)
        .collect();
    let yes = votes.iter().filter(|vote| **vote).count();
    (!votes.is_empty()).then_some(yes * 2 > votes.len())
}

pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}
