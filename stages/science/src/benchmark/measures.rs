//! The measures of a reviewer, from counts alone.

/// The names of the measures, in the order of [`Tally::measures`].
pub(crate) const NAMES: [&str; 7] = [
    "balanced_accuracy",
    "accuracy",
    "f1",
    "auc_decision",
    "auc_score",
    "fpr",
    "fnr",
];

/// One value for each of [`NAMES`], each between 0 and 1.
pub(crate) type Measures = [f64; NAMES.len()];

/// One paper as the counts see it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    pub(crate) accepted: bool,
    pub(crate) predicted: bool,
    /// The place of its score among the distinct scores, from the least.
    pub(crate) rank: usize,
}

/// Counts of papers, by decision and by score.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) true_accepts: u32,
    pub(crate) false_accepts: u32,
    pub(crate) true_rejects: u32,
    pub(crate) false_rejects: u32,
    /// Accepted and rejected papers of each rank.
    ranks: Vec<[u32; 2]>,
}

impl Tally {
    /// Counts cases whose ranks are less than `ranks`.
    pub(crate) fn of(cases: impl Iterator<Item = Case>, ranks: usize) -> Self {
        let mut tally = Self {
            ranks: vec![[0, 0]; ranks],
            ..Self::default()
        };
        for case in cases {
            match (case.accepted, case.predicted) {
                (true, true) => tally.true_accepts += 1,
                (false, true) => tally.false_accepts += 1,
                (false, false) => tally.true_rejects += 1,
                (true, false) => tally.false_rejects += 1,
            }
            tally.ranks[case.rank][usize::from(!case.accepted)] += 1;
        }
        tally
    }

    /// The measures; both kinds of papers are there.
    pub(crate) fn measures(&self) -> Measures {
        let [tp, fp, tn, fnn] = [
            self.true_accepts,
            self.false_accepts,
            self.true_rejects,
            self.false_rejects,
        ]
        .map(f64::from);
        let (fpr, fnr) = (fp / (fp + tn), fnn / (fnn + tp));
        let balanced = 1.0 - f64::midpoint(fpr, fnr);
        // A decision has one threshold, so the area under its curve is that of two straight lines.
        let decided = area([[fnn, tn], [tp, fp]].into_iter());
        let scored = area(self.ranks.iter().map(|rank| rank.map(f64::from)));
        [
            balanced,
            (tp + tn) / (tp + tn + fp + fnn),
            2.0 * tp / (2.0 * tp + fp + fnn),
            decided,
            scored,
            fpr,
            fnr,
        ]
    }
}

/// The chance that an accepted paper stands above a rejected one, a tie counting half: the area under
/// the ROC curve. Takes accepted and rejected papers of each score, from the least score.
fn area(ranks: impl Iterator<Item = [f64; 2]>) -> f64 {
    let (mut above, mut accepted, mut below) = (0.0, 0.0, 0.0);
    for [yes, no] in ranks {
        above += yes * (below + no / 2.0);
        accepted += yes;
        below += no;
    }
    above / (accepted * below)
}

/// The distinct scores in order, and the rank of each score.
pub(crate) fn ranked(scores: &[f64]) -> (Vec<f64>, Vec<usize>) {
    let mut distinct = scores.to_vec();
    distinct.sort_by(f64::total_cmp);
    distinct.dedup();
    let rank = |score: &f64| distinct.partition_point(|other| other < score);
    let ranks = scores.iter().map(rank).collect();
    (distinct, ranks)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-12, "{a} is not {b}");
    }

    #[test]
    fn the_measures_are_the_hand_computed_ones() {
        // Accepted papers scored 7, 6, 4; rejected ones 6, 5, 5, 3; accept from 6 on.
        // Right: 7, 6 and 5, 5, 3; wrong: 4 (missed) and 6 (let in).
        // Pairs won by the accepted: 7 beats 4, 6 beats 3 and ties one, 4 beats 1: 8.5 of 12.
        let papers = [
            (7, true),
            (6, true),
            (4, true),
            (6, false),
            (5, false),
            (5, false),
            (3, false),
        ];
        let scores: Vec<f64> = papers.iter().map(|(score, _)| f64::from(*score)).collect();
        let (distinct, ranks) = ranked(&scores);
        assert_eq!(distinct, [3.0, 4.0, 5.0, 6.0, 7.0]);
        let cases = papers
            .iter()
            .zip(ranks)
            .map(|((score, accepted), rank)| Case {
                accepted: *accepted,
                predicted: *score >= 6,
                rank,
            });
        let found = Tally::of(cases, distinct.len()).measures();
        near(found[0], f64::midpoint(2.0 / 3.0, 3.0 / 4.0));
        near(found[1], 5.0 / 7.0);
        near(found[2], 4.0 / 6.0);
        near(found[3], found[0]);
        near(found[4], 8.5 / 12.0);
        near(found[5], 1.0 / 4.0);
        near(found[6], 1.0 / 3.0);
    }
}
