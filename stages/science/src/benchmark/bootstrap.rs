//! How far chance could have moved a figure: the bootstrap, the same for the same seed on any machine.
//!
//! Papers are drawn with replacement, as many as there are; accepted and rejected papers apart, so that
//! each draw has as many of both as the data. The interval is that between the 2.5th and 97.5th
//! percentile of the draws.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

/// The share of draws left out at each end of a 95 % interval.
const TAIL: f64 = 0.025;

/// How often and from which seed papers are drawn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bootstrap {
    pub(crate) resamples: usize,
    pub(crate) seed: u64,
}

impl Bootstrap {
    /// The interval of each of `N` figures that `figure` computes from a draw. `strata` holds the places
    /// of the papers that are drawn among themselves. A figure that is not a number in some draw (a
    /// correlation of equal values) is left out of that draw; one that never is, has no interval.
    pub(crate) fn intervals<const N: usize>(
        &self,
        strata: &[Vec<usize>],
        figure: impl Fn(&[usize]) -> [f64; N] + Sync,
    ) -> [Option<[f64; 2]>; N] {
        let draws: Vec<[f64; N]> = (0..self.resamples)
            .into_par_iter()
            .map(|draw| {
                // A stream of its own for each draw: the order in which threads work cannot matter.
                let mut random = ChaCha8Rng::seed_from_u64(self.seed);
                random.set_stream(draw as u64);
                let drawn: Vec<usize> = strata
                    .iter()
                    .filter(|places| !places.is_empty())
                    .flat_map(|places| {
                        let mut one = || places[random.random_range(0..places.len())];
                        (0..places.len()).map(|_| one()).collect::<Vec<_>>()
                    })
                    .collect();
                figure(&drawn)
            })
            .collect();
        std::array::from_fn(|place| {
            let mut values: Vec<f64> = draws.iter().map(|draw| draw[place]).collect();
            values.retain(|value| value.is_finite());
            values.sort_by(f64::total_cmp);
            (!values.is_empty()).then(|| [quantile(&values, TAIL), quantile(&values, 1.0 - TAIL)])
        })
    }
}

/// The quantile of sorted values, linear between them (type 7 of Hyndman and Fan).
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let low = place.floor() as usize;
    let high = (low + 1).min(sorted.len() - 1);
    sorted[low] + (place - low as f64) * (sorted[high] - sorted[low])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn means(bootstrap: &Bootstrap) -> [f64; 2] {
        // 100 papers, half of them 1: the mean of a draw is binomial with standard deviation 0.05.
        let strata = [(0..100).collect::<Vec<usize>>()];
        let mean = |drawn: &[usize]| {
            let ones = drawn.iter().filter(|place| **place < 50).count();
            [ones as f64 / drawn.len() as f64]
        };
        bootstrap.intervals(&strata, mean)[0].unwrap()
    }

    #[test]
    fn the_interval_of_a_share_is_the_binomial_one() {
        let [low, high] = means(&Bootstrap {
            resamples: 10_000,
            seed: 0,
        });
        // 1.96 · 0.05 = 0.098, in steps of 0.01.
        assert!(
            (low - 0.40).abs() < 0.011 && (high - 0.60).abs() < 0.011,
            "{low} {high}"
        );
    }

    #[test]
    fn the_same_seed_gives_the_same_interval_on_any_number_of_threads() {
        let bootstrap = Bootstrap {
            resamples: 500,
            seed: 7,
        };
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            pool.install(|| means(&bootstrap))
        };
        assert_eq!(on(1), on(3));
        let other = Bootstrap {
            seed: 8,
            ..bootstrap
        };
        assert_ne!(on(1), means(&other), "the seed is used");
    }

    #[test]
    fn strata_keep_their_sizes() {
        let strata = [vec![0, 1, 2], vec![3]];
        let bootstrap = Bootstrap {
            resamples: 50,
            seed: 1,
        };
        let counts = |drawn: &[usize]| [drawn.iter().filter(|place| **place == 3).count() as f64];
        assert_eq!(bootstrap.intervals(&strata, counts), [Some([1.0, 1.0])]);
    }
}
