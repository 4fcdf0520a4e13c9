//! What comparing papers two at a time came to, as the leaderboard shows it. It knows nothing of how papers are
//! compared.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// What `review/rank` makes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ranking {
    /// The most preferred first; empty where no model compared anything.
    pub(crate) papers: Vec<Preferred>,
    /// Pairs that a model was asked about.
    pub(crate) pairs: usize,
    /// Those in which the same paper won in both orders.
    pub(crate) decided: usize,
    /// How often the paper that stood first won; none where nobody was asked.
    pub(crate) first: Option<Share>,
    /// Answers that could not be had.
    pub(crate) missing: usize,
    pub(crate) judges: BTreeSet<String>,
    pub(crate) provenance: String,
}

/// How a paper stands to the others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Preferred {
    pub(crate) name: String,
    pub(crate) rank: usize,
    /// The chance to be preferred over a paper in the middle of these, with its 95 % interval.
    pub(crate) chance: f64,
    pub(crate) ci: [f64; 2],
    /// Pairs won and lost in both orders, and those that were neither.
    pub(crate) wins: usize,
    pub(crate) losses: usize,
    pub(crate) undecided: usize,
}

/// A share of answers with its 95 % interval after Wilson (1927).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Share {
    pub(crate) n: usize,
    pub(crate) share: f64,
    pub(crate) ci: [f64; 2],
}

impl Share {
    /// The share of `k` in `n`; none of nothing.
    pub(crate) fn of(k: usize, n: usize) -> Option<Self> {
        const Z: f64 = 1.959_963_984_540_054;
        if n == 0 {
            return None;
        }
        let (count, share) = (n as f64, k as f64 / n as f64);
        let whole = 1.0 + Z * Z / count;
        let middle = (share + Z * Z / (2.0 * count)) / whole;
        let half =
            Z / whole * (share * (1.0 - share) / count + Z * Z / (4.0 * count * count)).sqrt();
        Some(Self {
            n,
            share,
            ci: [(middle - half).max(0.0), (middle + half).min(1.0)],
        })
    }
}

/// `0.63 [0.21, 0.92], won 1, lost 0, undecided 1`
pub(crate) fn preferred(found: &Preferred) -> String {
    let [low, high] = found.ci;
    format!(
        "{:.2} [{low:.2}, {high:.2}], won {}, lost {}, undecided {}",
        found.chance, found.wins, found.losses, found.undecided
    )
}

/// What the column means, and how far the judge can be relied on.
pub(crate) fn told(ranking: &Ranking) -> String {
    let judges: Vec<&str> = ranking.judges.iter().map(String::as_str).collect();
    let mut text = format!(
        "\nPreferred: the chance to be preferred over a paper in the middle of these (Bradley and Terry, 95 % interval), from {} pair{} that {} compared in both orders. Won in both: {}; a pair that turns with the order counts for neither.",
        ranking.pairs,
        if ranking.pairs == 1 { "" } else { "s" },
        judges.join(" and "),
        ranking.decided,
    );
    if let Some(first) = ranking.first {
        text += &format!(
            " The paper that stood first was preferred in {:.2} [{:.2}, {:.2}] of {} answers.",
            first.share, first.ci[0], first.ci[1], first.n
        );
    }
    if ranking.missing > 0 {
        text += &format!(" {} answers could not be had.", ranking.missing);
    }
    text + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_of_a_share_is_wilson_s() {
        // 8 of 10: 0.4902 to 0.9433 (Brown, Cai and DasGupta 2001, formula 4).
        let found = Share::of(8, 10).unwrap();
        assert!(
            (found.ci[0] - 0.4902).abs() < 1e-4 && (found.ci[1] - 0.9433).abs() < 1e-4,
            "{found:?}"
        );
        assert_eq!(Share::of(0, 0), None);
        let none = Share::of(0, 4).unwrap();
        assert!(none.ci[0].abs() < 1e-12 && none.ci[1] > 0.4);
    }
}
