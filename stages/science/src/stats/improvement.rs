//! The mean relative improvement of one metric over all places of a comparison.

use serde::{Deserialize, Serialize};

use super::estimate::half_width;
use super::{Comparison, Counts, Direction};

/// How far a variant improves one metric, averaged over data sets. Positive is good whatever the
/// metric's direction; 0.1 means a tenth of the baseline's mean.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Improvement {
    pub metric: String,
    pub mean: f64,
    /// Interval by the delta method; none where a side of any place has one run.
    pub ci: Option<[f64; 2]>,
    pub level: f64,
    /// Places averaged.
    pub places: usize,
    /// The fewest runs behind any side of any place.
    pub n: usize,
    pub counts: Counts,
}

/// Averages the relative improvement of `metric`; none if it was not compared, or a baseline mean is 0.
///
/// For one place r = ∓(T/B − 1). To first order its variance is (se_T/B)² + (T·se_B/B²)²; the places are
/// independent runs, so variances add, and the degrees of freedom follow Welch and Satterthwaite.
pub(crate) fn improvement(comparison: &Comparison, metric: &str) -> Option<Improvement> {
    let rows: Vec<_> = comparison
        .rows
        .iter()
        .filter(|row| row.metric == metric)
        .collect();
    let first = rows.first()?;
    let places = rows.len() as f64;
    let mut sum = 0.0;
    let mut parts = Vec::new();
    let mut counts = Counts::default();
    let mut certain = true;
    for row in &rows {
        let (base, trial) = (row.baseline.mean, row.trial.mean);
        let sign = match row.direction {
            Direction::Lower => -1.0,
            Direction::Higher => 1.0,
        };
        sum += sign * row.relative?;
        counts.add(row.verdict);
        match (row.baseline.stderr, row.trial.stderr) {
            (Some(se_base), Some(se_trial)) => {
                parts.push(((se_trial / base / places).powi(2), row.trial.n as f64 - 1.0));
                parts.push((
                    (trial * se_base / base.powi(2) / places).powi(2),
                    row.baseline.n as f64 - 1.0,
                ));
            }
            _ => certain = false,
        }
    }
    let mean = sum / places;
    let half = half_width(&parts, first.level);
    Some(Improvement {
        metric: metric.to_owned(),
        mean,
        ci: certain.then_some([mean - half, mean + half]),
        level: first.level,
        places: rows.len(),
        n: rows
            .iter()
            .map(|row| row.baseline.n.min(row.trial.n))
            .min()?,
        counts,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::stats::{Estimate, Row, Summary, SummaryRow, compare::compare};

    fn summary(values: &[(&str, &[f64])]) -> Summary {
        let rows: Vec<SummaryRow> = values
            .iter()
            .map(|(place, values)| SummaryRow {
                at: BTreeMap::from([("dataset".to_owned(), (*place).into())]),
                n: values.len(),
                metrics: BTreeMap::from([("kl".to_owned(), Estimate::of(values, 0.95).unwrap())]),
            })
            .collect();
        Summary {
            over: vec!["seed".into()],
            axes: vec!["dataset".into()],
            rows,
            by: BTreeMap::new(),
        }
    }

    #[test]
    fn improvements_average_over_places_with_the_metric_s_direction() {
        let base = summary(&[("a", &[1.0, 1.1, 0.9]), ("b", &[2.0, 2.1, 1.9])]);
        let trial = summary(&[("a", &[0.5, 0.55, 0.45]), ("b", &[2.0, 2.2, 1.8])]);
        let directions = BTreeMap::from([("kl".to_owned(), Direction::Lower)]);
        let comparison = compare(&base, &trial, &directions, 0.95).unwrap();
        let found = improvement(&comparison, "kl").unwrap();
        assert!((found.mean - 0.25).abs() < 1e-12);
        assert_eq!(
            (found.counts.better, found.counts.inconclusive, found.n),
            (1, 1, 3)
        );
        let [low, high] = found.ci.unwrap();
        assert!(low < 0.25 && high > 0.25 && (low + high - 0.5).abs() < 1e-12);
        assert!(improvement(&comparison, "loss").is_none());
    }

    #[test]
    fn a_single_run_gives_a_mean_without_interval() {
        let directions = BTreeMap::from([("kl".to_owned(), Direction::Higher)]);
        let comparison = compare(
            &summary(&[("a", &[1.0])]),
            &summary(&[("a", &[1.5])]),
            &directions,
            0.95,
        )
        .unwrap();
        let found = improvement(&comparison, "kl").unwrap();
        assert_eq!((found.ci, found.mean), (None, 0.5));
        let row: &Row = &comparison.rows[0];
        assert_eq!(row.ci, None);
    }
}
