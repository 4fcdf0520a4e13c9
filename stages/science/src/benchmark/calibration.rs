//! What a score of a reviewer means: how often papers with such a score were accepted. The map from score to
//! chance is isotonic (a higher score never means a lower chance), fitted by pooling neighbours.
//!
//! How good it is, is measured on papers that it was not fitted to: ten parts, each judged by the other nine.

use serde::{Deserialize, Serialize};

use super::bootstrap::Bootstrap;
use super::document::Figure;
use super::judged::Judged;

/// Parts of the papers, each judged by a map that was fitted to the others.
const PARTS: usize = 10;
/// Papers of each kind that a calibration needs at least: two for each part.
pub(super) const ENOUGH: usize = 20;

/// The calibration of a reviewer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Calibration {
    /// Fitted to all papers; between two scores it is linear, beyond them constant.
    pub(crate) map: Vec<Step>,
    /// Mean squared distance of the chance from what happened, on papers left out; 0 is best.
    pub(crate) brier: Figure,
    /// The same for somebody who gives every paper the share of accepted ones.
    pub(crate) brier_of_base_rate: f64,
    /// The threshold with the best balanced accuracy on all papers.
    pub(crate) threshold: f64,
    /// The balanced accuracy of a threshold chosen so, on papers left out of the choice.
    pub(crate) balanced_accuracy: Figure,
}

/// A score and the chance that a paper with it is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    pub(crate) score: f64,
    pub(crate) chance: f64,
    /// Papers with this score.
    pub(crate) papers: usize,
}

/// Calibrates a reviewer; none with fewer than [`ENOUGH`] papers of either kind.
pub(crate) fn calibration(papers: &[Judged], bootstrap: &Bootstrap) -> Option<Calibration> {
    let all: Vec<(f64, bool)> = papers
        .iter()
        .map(|paper| (paper.score, paper.accepted))
        .collect();
    let strata = [true, false].map(|kind| {
        let own = |place: &usize| all[*place].1 == kind;
        (0..all.len()).filter(own).collect::<Vec<usize>>()
    });
    if strata.iter().any(|own| own.len() < ENOUGH) {
        return None;
    }
    let mut chances = vec![0.0; all.len()];
    let mut taken = vec![false; all.len()];
    for part in 0..PARTS {
        let own = |rank: usize| rank % PARTS == part;
        let pick = |inside: bool| -> Vec<usize> {
            let ranked = strata.iter().flat_map(|places| places.iter().enumerate());
            ranked
                .filter(|(rank, _)| own(*rank) == inside)
                .map(|(_, place)| *place)
                .collect()
        };
        let others: Vec<(f64, bool)> = pick(false).into_iter().map(|place| all[place]).collect();
        let (map, threshold) = (isotonic(&others), threshold(&others));
        for place in pick(true) {
            chances[place] = chance(&map, all[place].0);
            taken[place] = all[place].0 >= threshold;
        }
    }
    let base = strata[0].len() as f64 / all.len() as f64;
    let outcome = |place: usize| f64::from(u8::from(all[place].1));
    let brier = |drawn: &[usize]| {
        let squares = drawn
            .iter()
            .map(|place| (chances[*place] - outcome(*place)).powi(2));
        squares.sum::<f64>() / drawn.len() as f64
    };
    let balanced = |drawn: &[usize]| {
        let share = |kind: bool| {
            let own: Vec<&usize> = drawn
                .iter()
                .filter(|place| all[**place].1 == kind)
                .collect();
            own.iter().filter(|place| taken[***place] == kind).count() as f64 / own.len() as f64
        };
        f64::midpoint(share(true), share(false))
    };
    let places: Vec<usize> = (0..all.len()).collect();
    let [of_brier, of_balanced] =
        bootstrap.intervals(&strata, |drawn| [brier(drawn), balanced(drawn)]);
    Some(Calibration {
        map: isotonic(&all),
        brier: Figure::new(brier(&places), of_brier),
        brier_of_base_rate: base * (1.0 - base),
        threshold: threshold(&all),
        balanced_accuracy: Figure::new(balanced(&places), of_balanced),
    })
}

/// The isotonic map by pooling adjacent violators.
fn isotonic(pairs: &[(f64, bool)]) -> Vec<Step> {
    let mut sorted = pairs.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut steps: Vec<Step> = Vec::new();
    for (score, accepted) in sorted {
        let one = f64::from(u8::from(accepted));
        match steps.last_mut() {
            Some(step) if step.score == score => {
                step.chance += (one - step.chance) / (step.papers + 1) as f64;
                step.papers += 1;
            }
            _ => steps.push(Step {
                score,
                chance: one,
                papers: 1,
            }),
        }
    }
    // Blocks of steps with their mean chance and weight.
    let mut blocks: Vec<(usize, f64, f64)> = Vec::new();
    for step in &steps {
        let mut block = (1, step.chance, step.papers as f64);
        while let Some((count, mean, weight)) = blocks
            .last()
            .copied()
            .filter(|(_, mean, _)| *mean >= block.1)
        {
            blocks.pop();
            let sum = weight + block.2;
            block = (
                count + block.0,
                (mean * weight + block.1 * block.2) / sum,
                sum,
            );
        }
        blocks.push(block);
    }
    let pooled = blocks
        .into_iter()
        .flat_map(|(count, mean, _)| std::iter::repeat_n(mean, count));
    for (step, mean) in steps.iter_mut().zip(pooled.collect::<Vec<_>>()) {
        step.chance = mean;
    }
    steps
}

/// The chance of a score under a map.
pub(crate) fn chance(map: &[Step], score: f64) -> f64 {
    let after = map.partition_point(|step| step.score < score);
    match (after.checked_sub(1).map(|place| map[place]), map.get(after)) {
        (None, Some(first)) => first.chance,
        (Some(last), None) => last.chance,
        (Some(low), Some(high)) => {
            let share = (score - low.score) / (high.score - low.score);
            low.chance + share * (high.chance - low.chance)
        }
        (None, None) => f64::NAN,
    }
}

/// The score from which on accepting gives the best balanced accuracy; the least of equals.
fn threshold(pairs: &[(f64, bool)]) -> f64 {
    let mut scores: Vec<f64> = pairs.iter().map(|(score, _)| *score).collect();
    scores.sort_by(f64::total_cmp);
    scores.dedup();
    let kind = |accepted: bool| pairs.iter().filter(move |pair| pair.1 == accepted);
    let balanced = |least: f64| {
        let right = |accepted: bool| {
            let right = kind(accepted)
                .filter(|(score, _)| (*score >= least) == accepted)
                .count();
            right as f64 / kind(accepted).count() as f64
        };
        f64::midpoint(right(true), right(false))
    };
    let mut best = (f64::NAN, f64::NEG_INFINITY);
    for score in scores {
        let found = balanced(score);
        if found > best.1 {
            best = (score, found);
        }
    }
    best.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_that_fall_are_pooled() {
        // Accepted shares 0, 1, 0, 1 of 1, 1, 1, 2 papers: the middle two are pooled to a half.
        let map = isotonic(&[
            (1.0, false),
            (2.0, true),
            (3.0, false),
            (4.0, true),
            (4.0, true),
        ]);
        let chances: Vec<f64> = map.iter().map(|step| step.chance).collect();
        assert_eq!(chances, [0.0, 0.5, 0.5, 1.0]);
        assert_eq!(
            (chance(&map, 0.0), chance(&map, 1.5), chance(&map, 9.0)),
            (0.0, 0.25, 1.0)
        );
        assert_eq!(
            threshold(&[(1.0, false), (3.0, true), (2.0, false), (5.0, true)]),
            3.0
        );
    }

    #[test]
    fn a_score_that_tells_nothing_is_no_better_than_the_base_rate() {
        let paper = |place: usize, score: f64| Judged {
            paper: place.to_string(),
            accepted: place.is_multiple_of(2),
            humans: Vec::new(),
            score,
            samples: vec![score],
            groups: vec![vec![score]],
            capped: false,
            predicted: false,
        };
        let bootstrap = Bootstrap {
            resamples: 200,
            seed: 0,
        };
        let blind: Vec<Judged> = (0..200)
            .map(|place| paper(place, ((place / 2) % 5) as f64))
            .collect();
        let found = calibration(&blind, &bootstrap).unwrap();
        assert!((found.brier_of_base_rate - 0.25).abs() < 1e-12);
        assert!((found.brier.value - 0.25).abs() < 0.02, "{found:?}");
        let sharp: Vec<Judged> = (0..200)
            .map(|place| paper(place, if place.is_multiple_of(2) { 8.0 } else { 3.0 }))
            .collect();
        let found = calibration(&sharp, &bootstrap).unwrap();
        assert_eq!(
            (
                found.brier.value,
                found.balanced_accuracy.value,
                found.threshold
            ),
            (0.0, 1.0, 8.0)
        );
        assert!(calibration(&sharp[..30], &bootstrap).is_none());
    }
}
