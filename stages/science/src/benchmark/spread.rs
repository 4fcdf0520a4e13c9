//! How scores spread: over all reviews, and within a paper that was reviewed several times.

use std::collections::BTreeMap;

use super::document::{Retest, Spread};
use super::judged::{Judged, Rule, mean};
use super::reviews::Reviews;
use super::scale::Scales;

/// Mean and spread of each score of the form, over the clean values of all reviews.
pub(crate) fn scores(scales: &Scales, reviews: &Reviews) -> BTreeMap<String, Spread> {
    let spread = |name: &String| {
        let all = reviews.papers.values().flatten();
        let values: Vec<f64> = all
            .filter_map(|review| review.scores.get(name).copied())
            .collect();
        let mean = mean(&values);
        let dirty = reviews
            .dirty
            .iter()
            .filter(|dirty| dirty.column == *name)
            .count();
        Spread {
            mean,
            sd: (values.len() > 1).then(|| variance(&values).sqrt()),
            n: values.len(),
            dirty,
        }
    };
    scales
        .scores
        .iter()
        .map(|(name, _)| (name.clone(), spread(name)))
        .filter(|(_, spread)| spread.n > 0)
        .collect()
}

/// The sample variance of at least two values.
fn variance(values: &[f64]) -> f64 {
    let mean = mean(values);
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    squares / (values.len() as f64 - 1.0)
}

/// How far the reviews of one paper by the same reviewer lie apart; none if no paper has several.
pub(crate) fn retest(papers: &[Judged], rule: &Rule) -> Option<Retest> {
    let several: Vec<&Judged> = papers
        .iter()
        .filter(|paper| paper.groups.iter().any(|group| group.len() > 1))
        .collect();
    if several.is_empty() {
        return None;
    }
    let repeated = several.iter().flat_map(|paper| &paper.groups);
    let variances: Vec<f64> = repeated
        .filter(|group| group.len() > 1)
        .map(|group| variance(group))
        .collect();
    let torn = |paper: &&&Judged| match rule {
        Rule::Threshold(least) => {
            let yes = paper
                .samples
                .iter()
                .filter(|score| **score >= *least)
                .count();
            yes > 0 && yes < paper.samples.len()
        }
        Rule::Decision => false,
    };
    Some(Retest {
        papers: several.len(),
        sd: mean(&variances).sqrt(),
        undecided: several.iter().filter(torn).count(),
    })
}
