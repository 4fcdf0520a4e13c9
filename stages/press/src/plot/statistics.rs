//! The statistics of figures: means with Student's t interval, quantiles, box plots.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// A mean over runs with its interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Estimate {
    pub(crate) mean: f64,
    /// Bounds of the band; none where one run alone says nothing of spread.
    pub(crate) band: Option<(f64, f64)>,
    pub(crate) n: usize,
}

/// What a band shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Extent {
    /// mean ± t(n−1) · s/√n at this level.
    Interval(f64),
    /// mean ± s/√n.
    StandardError,
    /// mean ± s, s the sample standard deviation.
    Deviation,
    None,
}

/// The mean of `values` with its band; `values` is not empty.
pub(crate) fn estimate(values: &[f64], extent: Extent) -> Estimate {
    let n = values.len();
    let mean = values.iter().sum::<f64>() / n as f64;
    let half = (n > 1).then(|| {
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let deviation = (squares / (n - 1) as f64).sqrt();
        let error = deviation / (n as f64).sqrt();
        match extent {
            Extent::Interval(level) => quantile_t(n - 1, level) * error,
            Extent::StandardError => error,
            Extent::Deviation => deviation,
            Extent::None => 0.0,
        }
    });
    Estimate {
        mean,
        band: half
            .filter(|_| extent != Extent::None)
            .map(|half| (mean - half, mean + half)),
        n,
    }
}

/// The two-sided quantile of Student's t.
fn quantile_t(freedom: usize, level: f64) -> f64 {
    StudentsT::new(0.0, 1.0, freedom as f64).map_or(f64::NAN, |t| t.inverse_cdf(0.5 + level / 2.0))
}

/// The quantile of sorted values, linear between them (type 7 of Hyndman and Fan, numpy's default).
pub(crate) fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let low = place.floor() as usize;
    let high = (low + 1).min(sorted.len() - 1);
    sorted[low] + (place - low as f64) * (sorted[high] - sorted[low])
}

/// A box plot after Tukey: whiskers end at the last value within 1.5 interquartile ranges of the box.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Boxed {
    pub(crate) n: usize,
    pub(crate) low: f64,
    pub(crate) q1: f64,
    pub(crate) median: f64,
    pub(crate) q3: f64,
    pub(crate) high: f64,
    pub(crate) outliers: Vec<f64>,
    pub(crate) sorted: Vec<f64>,
}

/// The box plot of `values`, which are not empty.
pub(crate) fn boxed(values: &[f64]) -> Boxed {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (q1, q3) = (quantile(&sorted, 0.25), quantile(&sorted, 0.75));
    let reach = 1.5 * (q3 - q1);
    let inside = |value: &f64| (q1 - reach..=q3 + reach).contains(value);
    let low = sorted.iter().copied().find(inside).unwrap_or(q1);
    let high = sorted.iter().rev().copied().find(inside).unwrap_or(q3);
    Boxed {
        n: sorted.len(),
        low,
        q1,
        median: quantile(&sorted, 0.5),
        q3,
        high,
        outliers: sorted
            .iter()
            .copied()
            .filter(|value| !inside(value))
            .collect(),
        sorted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_that_of_a_table_of_students_t() {
        // t(2) at 97.5 % is 4.302653; the values have s = 1 and so a standard error of 1/√3.
        let estimate = estimate(&[1.0, 2.0, 3.0], Extent::Interval(0.95));
        let (low, high) = estimate.band.unwrap();
        assert!(
            (low - (2.0 - 4.302_653 / 3f64.sqrt())).abs() < 1e-5,
            "{low}"
        );
        assert!(
            (high - (2.0 + 4.302_653 / 3f64.sqrt())).abs() < 1e-5,
            "{high}"
        );
    }

    #[test]
    fn one_run_has_no_band() {
        assert_eq!(estimate(&[5.0], Extent::Interval(0.95)).band, None);
    }

    #[test]
    fn quantiles_and_outliers_are_those_of_numpy_and_tukey() {
        let boxed = boxed(&[1.0, 2.0, 3.0, 4.0, 100.0]);
        assert_eq!((boxed.q1, boxed.median, boxed.q3), (2.0, 3.0, 4.0));
        assert_eq!((boxed.low, boxed.high), (1.0, 4.0));
        assert_eq!(boxed.outliers, [100.0]);
        assert_eq!(quantile(&[1.0, 2.0, 3.0, 4.0], 0.25), 1.75);
    }
}
