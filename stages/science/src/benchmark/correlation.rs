//! How well reviewers agree: Pearson's r between pairs of scores of the same papers, and its square.

use serde::Serialize;

use super::bootstrap::Bootstrap;
use super::document::Figure;
use super::judged::{Judged, mean};

/// Agreement of two kinds of scores.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Agreement {
    pub(crate) pearson: Figure,
    /// The share of the variance of one that the other explains.
    pub(crate) r_squared: Figure,
    /// Papers with such a pair.
    pub(crate) papers: usize,
    pub(crate) pairs: usize,
}

/// Sums over weighted pairs, from which r follows; sums of sums are sums of more papers.
#[derive(Clone, Copy, Debug, Default)]
struct Moments {
    weight: f64,
    x: f64,
    y: f64,
    xx: f64,
    yy: f64,
    xy: f64,
}

impl Moments {
    /// The pairs of one paper, which together weigh 1.
    fn of(pairs: &[(f64, f64)]) -> Self {
        let weight = 1.0 / pairs.len().max(1) as f64;
        let mut sums = Self::default();
        for (x, y) in pairs {
            sums.add(&Self {
                weight,
                x: weight * x,
                y: weight * y,
                xx: weight * x * x,
                yy: weight * y * y,
                xy: weight * x * y,
            });
        }
        sums
    }

    fn add(&mut self, more: &Self) {
        self.weight += more.weight;
        self.x += more.x;
        self.y += more.y;
        self.xx += more.xx;
        self.yy += more.yy;
        self.xy += more.xy;
    }

    /// NaN where either side does not vary.
    fn pearson(&self) -> f64 {
        let over = |product: f64, a: f64, b: f64| {
            product / self.weight - (a / self.weight) * (b / self.weight)
        };
        let (xx, yy) = (over(self.xx, self.x, self.x), over(self.yy, self.y, self.y));
        // Rounding leaves a trace of variance where there is none.
        if xx < 1e-12 || yy < 1e-12 {
            return f64::NAN;
        }
        over(self.xy, self.x, self.y) / (xx * yy).sqrt()
    }
}

/// The reviewer's score against the mean of people's scores.
pub(crate) fn with_people(papers: &[Judged], bootstrap: &Bootstrap) -> Option<Agreement> {
    let pairs = |paper: &Judged| match paper.humans.is_empty() {
        true => Vec::new(),
        false => vec![(paper.score, mean(&paper.humans))],
    };
    agreement(papers, pairs, bootstrap)
}

/// Each person against each other of the same paper.
pub(crate) fn among_people(papers: &[Judged], bootstrap: &Bootstrap) -> Option<Agreement> {
    agreement(papers, |paper| couples(&paper.humans), bootstrap)
}

/// Each person against the mean of the others of the same paper.
pub(crate) fn person_and_rest(papers: &[Judged], bootstrap: &Bootstrap) -> Option<Agreement> {
    let pairs = |paper: &Judged| {
        let scores = &paper.humans;
        let total: f64 = scores.iter().sum();
        let rest = scores.len().saturating_sub(1);
        let pair = |own: &f64| (*own, (total - own) / rest as f64);
        match rest {
            0 => Vec::new(),
            _ => scores.iter().map(pair).collect(),
        }
    };
    agreement(papers, pairs, bootstrap)
}

/// Each review against each other of the same paper by the same reviewer: test and retest.
pub(crate) fn among_samples(papers: &[Judged], bootstrap: &Bootstrap) -> Option<Agreement> {
    let own = |paper: &Judged| -> Vec<(f64, f64)> {
        paper
            .groups
            .iter()
            .flat_map(|group| couples(group))
            .collect()
    };
    agreement(papers, own, bootstrap)
}

/// Every ordered pair of two different scores.
fn couples(scores: &[f64]) -> Vec<(f64, f64)> {
    let mut pairs = Vec::new();
    for (i, a) in scores.iter().enumerate() {
        let others = scores.iter().enumerate().filter(|(j, _)| *j != i);
        pairs.extend(others.map(|(_, b)| (*a, *b)));
    }
    pairs
}

/// None without two papers that have a pair, or where a side does not vary.
fn agreement(
    papers: &[Judged],
    pairs: impl Fn(&Judged) -> Vec<(f64, f64)>,
    bootstrap: &Bootstrap,
) -> Option<Agreement> {
    let all: Vec<Vec<(f64, f64)>> = papers
        .iter()
        .map(pairs)
        .filter(|own| !own.is_empty())
        .collect();
    let moments: Vec<Moments> = all.iter().map(|own| Moments::of(own)).collect();
    let r = |places: &mut dyn Iterator<Item = usize>| {
        let mut sums = Moments::default();
        for place in places {
            sums.add(&moments[place]);
        }
        sums.pearson()
    };
    let value = r(&mut (0..moments.len()));
    if moments.len() < 2 || !value.is_finite() {
        return None;
    }
    let strata = [(0..moments.len()).collect::<Vec<usize>>()];
    let [first, second] = bootstrap.intervals(&strata, |drawn| {
        let r = r(&mut drawn.iter().copied());
        [r, r * r]
    });
    Some(Agreement {
        pearson: Figure::new(value, first),
        r_squared: Figure::new(value * value, second),
        papers: moments.len(),
        pairs: all.iter().map(Vec::len).sum(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paper(score: f64, humans: &[f64]) -> Judged {
        Judged {
            paper: String::new(),
            accepted: true,
            humans: humans.to_vec(),
            score,
            samples: vec![score],
            groups: vec![vec![score]],
            capped: false,
            predicted: true,
        }
    }

    #[test]
    fn r_is_the_hand_computed_one_and_each_paper_weighs_the_same() {
        // Means of people 2, 4, 6 against scores 1, 3, 2: covariance 2/3·1 … r = 0.5.
        let papers = [
            paper(1.0, &[2.0]),
            paper(3.0, &[3.0, 5.0]),
            paper(2.0, &[5.0, 6.0, 7.0]),
        ];
        let bootstrap = Bootstrap {
            resamples: 20,
            seed: 0,
        };
        let found = with_people(&papers, &bootstrap).unwrap();
        assert!((found.pearson.value - 0.5).abs() < 1e-12);
        assert!((found.r_squared.value - 0.25).abs() < 1e-12);
        assert_eq!((found.papers, found.pairs), (3, 3));
        let people = among_people(&papers, &bootstrap).unwrap();
        assert_eq!(
            (people.papers, people.pairs),
            (2, 8),
            "one person alone has no pair"
        );
        assert!(among_samples(&papers, &bootstrap).is_none());
    }
}
