//! The Kullback-Leibler divergence between two point sets, estimated from nearest neighbours (Wang,
//! Kulkarni and Verdú 2009) as NPEET's `kldiv` computes it: maximum norm, bits.

use std::num::NonZero;

use kiddo::{Chebyshev, ImmutableKdTree};
use kyobashi_stage::Failure;

/// Distances of exactly zero (repeated points) would make the estimate infinite; NPEET spreads its
/// points by noise of this size in its other estimators.
const FLOOR: f64 = 1e-10;

/// D(data || samples) in bits, by the distances to the `k`-th neighbour: of each point of the data
/// among the other data and among the samples.
///
/// # Errors
/// If either set has too few points or one that is not finite.
pub(crate) fn divergence<const D: usize>(
    data: &[[f64; D]],
    samples: &[[f64; D]],
    k: usize,
) -> Result<f64, Failure> {
    let finite = |points: &[[f64; D]]| points.iter().flatten().all(|x| x.is_finite());
    if !finite(samples) {
        return Err(Failure::new("the samples hold numbers that are not finite"));
    }
    if !finite(data) {
        return Err(Failure::new("the data hold numbers that are not finite"));
    }
    if data.len() <= k || samples.len() < k {
        return Err(Failure::new(format!(
            "{} points and {} samples are too few for {k} nearest neighbours",
            data.len(),
            samples.len()
        )));
    }
    // A point is its own nearest neighbour among the data.
    let own = mean_log_distance(data, data, k + 1)?;
    let other = mean_log_distance(data, samples, k)?;
    let sizes = (samples.len() as f64).ln() - ((data.len() - 1) as f64).ln();
    Ok((sizes + D as f64 * (other - own)) / std::f64::consts::LN_2)
}

/// The mean logarithm of the distance from each of `from` to its `k`-th nearest of `to`.
fn mean_log_distance<const D: usize>(
    from: &[[f64; D]],
    to: &[[f64; D]],
    k: usize,
) -> Result<f64, Failure> {
    let tree = ImmutableKdTree::new_from_slice(to)
        .map_err(|error| Failure::bug(format!("the k-d tree could not be built: {error:?}")))?;
    let k = NonZero::new(k).ok_or_else(|| Failure::bug("zero neighbours were asked for"))?;
    let mut sum = 0.0;
    for point in from {
        let found = tree.query(point).nearest_n::<Chebyshev<f64>>(k).execute();
        let distance = found.last().map_or(0.0, |last| last.distance);
        sum += distance.max(FLOOR).ln();
    }
    Ok(sum / from.len() as f64)
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};

    use super::*;

    fn brute(from: &[[f64; 2]], to: &[[f64; 2]], k: usize) -> f64 {
        let logs = from.iter().map(|a| {
            let mut all: Vec<f64> = to
                .iter()
                .map(|b| (a[0] - b[0]).abs().max((a[1] - b[1]).abs()))
                .collect();
            all.sort_by(f64::total_cmp);
            all[k - 1].max(FLOOR).ln()
        });
        logs.sum::<f64>() / from.len() as f64
    }

    fn square(seed: u64, n: usize, side: f64) -> Vec<[f64; 2]> {
        let mut generator = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        (0..n)
            .map(|_| {
                [
                    generator.random::<f64>() * side,
                    generator.random::<f64>() * side,
                ]
            })
            .collect()
    }

    #[test]
    fn the_tree_finds_what_a_full_search_finds() {
        let (a, b) = (square(1, 400, 1.0), square(2, 300, 1.0));
        let difference = mean_log_distance(&a, &b, 5).unwrap() - brute(&a, &b, 5);
        assert!(difference.abs() < 1e-12, "{difference}");
    }

    #[test]
    fn a_square_in_one_of_four_times_its_area_is_two_bits_away() {
        let found = divergence(&square(1, 20_000, 1.0), &square(2, 20_000, 2.0), 5).unwrap();
        assert!((found - 2.0).abs() < 0.1, "{found}");
        let same = divergence(&square(1, 20_000, 1.0), &square(2, 20_000, 1.0), 5).unwrap();
        assert!(same.abs() < 0.05, "{same}");
    }

    #[test]
    fn points_that_all_coincide_give_a_finite_number() {
        let found = divergence(&square(1, 2_000, 1.0), &vec![[0.5, 0.5]; 2_000], 5).unwrap();
        assert!(found.is_finite() && found > 5.0, "{found}");
    }
}
