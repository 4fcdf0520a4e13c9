//! Means with Student's t intervals, and the difference of two means after Welch.
//!
//! It does not know where the values come from: one value is one independent run.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

/// A mean over independent runs with its uncertainty.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Estimate {
    pub mean: f64,
    /// s/√n, with s the sample standard deviation (divisor n − 1); none for one run.
    pub stderr: Option<f64>,
    /// mean ± t(n − 1) · stderr; none for one run.
    pub ci: Option<[f64; 2]>,
    /// The confidence level of `ci`, between 0 and 1.
    pub level: f64,
    pub n: usize,
    /// The values in the order of the runs; empty where only the summary is carried.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<f64>,
}

/// There was no value to average.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a mean needs at least one value")]
pub struct TooFew;

impl Estimate {
    /// Summarises `values` at confidence `level` (0.95 for 95 %).
    ///
    /// # Errors
    /// If there are no values.
    pub fn of(values: &[f64], level: f64) -> Result<Self, TooFew> {
        if values.is_empty() {
            return Err(TooFew);
        }
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let stderr = (values.len() > 1).then(|| {
            let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
            (squares / (n - 1.0)).sqrt() / n.sqrt()
        });
        let ci = stderr.map(|stderr| {
            let half = student_quantile(level, n - 1.0) * stderr;
            [mean - half, mean + half]
        });
        Ok(Self {
            mean,
            stderr,
            ci,
            level,
            n: values.len(),
            values: values.to_vec(),
        })
    }

    /// The same estimate without its single values.
    #[must_use]
    pub fn brief(&self) -> Self {
        Self {
            values: Vec::new(),
            ..self.clone()
        }
    }
}

/// The t for which `level` of Student's distribution with `freedom` degrees lies within ±t.
/// With infinite or undefined degrees of freedom it is the normal quantile.
#[must_use]
pub fn student_quantile(level: f64, freedom: f64) -> f64 {
    let half = 0.5 + level.clamp(0.0, 1.0 - 1e-12) / 2.0;
    // From here on the two quantiles agree to six digits, and the search for t's would not end.
    if !freedom.is_finite() || freedom > 1e5 {
        return Normal::standard().inverse_cdf(half);
    }
    StudentsT::new(0.0, 1.0, freedom.max(1e-3))
        .expect("location, scale and freedom are valid by the bounds above")
        .inverse_cdf(half)
}

/// The Welch interval of `trial` − `baseline`, with Welch–Satterthwaite degrees of freedom; none
/// where either side has a single run.
#[must_use]
pub fn welch(baseline: &Estimate, trial: &Estimate, level: f64) -> Option<[f64; 2]> {
    let parts = [
        (baseline.stderr?.powi(2), baseline.n as f64 - 1.0),
        (trial.stderr?.powi(2), trial.n as f64 - 1.0),
    ];
    let difference = trial.mean - baseline.mean;
    let half = half_width(&parts, level);
    Some([difference - half, difference + half])
}

/// Half the width of the interval of a sum of independent estimates, each given as its variance and
/// its degrees of freedom.
pub(crate) fn half_width(parts: &[(f64, f64)], level: f64) -> f64 {
    let variance: f64 = parts.iter().map(|(variance, _)| variance).sum();
    if variance <= 0.0 {
        return 0.0;
    }
    let doubt: f64 = parts
        .iter()
        .map(|(variance, freedom)| variance.powi(2) / freedom)
        .sum();
    student_quantile(level, variance.powi(2) / doubt) * variance.sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: f64, b: f64, within: f64) {
        assert!((a - b).abs() < within, "{a} is not within {within} of {b}");
    }

    #[test]
    fn quantiles_are_those_of_the_printed_tables() {
        for (freedom, t) in [
            (1.0, 12.706),
            (2.0, 4.303),
            (4.0, 2.776),
            (9.0, 2.262),
            (30.0, 2.042),
        ] {
            near(student_quantile(0.95, freedom), t, 6e-4);
        }
        near(student_quantile(0.99, 5.0), 4.032, 6e-4);
        near(student_quantile(0.95, f64::INFINITY), 1.959_964, 1e-5);
    }

    #[test]
    fn the_interval_of_five_values_is_the_hand_computed_one() {
        // Sum of squares 10, s = √2.5, stderr = √0.5, t(4) = 2.776445.
        let estimate = Estimate::of(&[1.0, 2.0, 3.0, 4.0, 5.0], 0.95).unwrap();
        near(estimate.mean, 3.0, 1e-12);
        near(estimate.stderr.unwrap().powi(2), 0.5, 1e-12);
        let [low, high] = estimate.ci.unwrap();
        near(low, 3.0 - 1.963_243, 1e-5);
        near(high, 3.0 + 1.963_243, 1e-5);
    }

    #[test]
    fn one_run_has_no_interval_and_none_is_an_error() {
        let estimate = Estimate::of(&[0.4], 0.95).unwrap();
        assert_eq!((estimate.stderr, estimate.ci, estimate.n), (None, None, 1));
        assert_eq!(Estimate::of(&[], 0.95), Err(TooFew));
    }

    #[test]
    fn welch_agrees_with_a_worked_example() {
        // Means 3 and 5, variances of the means 0.5 and 26/12, n 5 and 4:
        // freedom = (8/3)² / (0.25/4 + (13/6)²/3) = 4.3700.
        let a = Estimate::of(&[1.0, 2.0, 3.0, 4.0, 5.0], 0.95).unwrap();
        let b = Estimate::of(&[2.0, 4.0, 5.0, 9.0], 0.95).unwrap();
        let variance = b.stderr.unwrap().powi(2);
        near(variance, 26.0 / 3.0 / 4.0, 1e-12);
        let freedom = (0.5 + variance).powi(2) / (0.25 / 4.0 + variance.powi(2) / 3.0);
        let [low, high] = welch(&a, &b, 0.95).unwrap();
        near(low + high, 4.0, 1e-12);
        near(
            high - 2.0,
            student_quantile(0.95, freedom) * (0.5 + variance).sqrt(),
            1e-9,
        );
        near(freedom, 4.370, 1e-3);
    }

    #[test]
    fn welch_needs_two_runs_on_each_side_and_bears_equal_values() {
        let one = Estimate::of(&[1.0], 0.95).unwrap();
        let same = Estimate::of(&[2.0, 2.0, 2.0], 0.95).unwrap();
        assert_eq!(welch(&one, &same, 0.95), None);
        assert_eq!(welch(&same, &same, 0.95), Some([0.0, 0.0]));
    }
}
