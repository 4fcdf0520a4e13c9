//! `stats/compare`: a variant against the baseline, metric by metric, with Welch intervals.

use std::collections::BTreeMap;

use kyobashi_stage::{Call, Context, Failure, Output, Outputs, Port, Signature, Stage};

use super::aggregate::level;
use super::document::{ENOUGH, place_key, plain};
use super::table::{csv, markdown, number};
use super::{Comparison, Counts, Direction, Estimate, Row, Summary, Verdict, welch};

pub(crate) struct Compare;

impl Stage for Compare {
    fn signature(&self) -> Signature {
        Signature {
            ins: vec![
                Port::new("baseline", "json", "summary of the baseline's runs"),
                Port::new("trial", "json", "summary of the variant's runs"),
            ],
            with: vec![
                Port::new(
                    "directions",
                    "json",
                    "which way each metric improves: `{eval_loss: lower}`",
                ),
                Port::or("ci", "float", 0.95, "confidence level of the intervals"),
            ],
            outs: vec![
                Port::new(
                    "comparison",
                    "json",
                    "difference, Welch interval and verdict of each metric at each place",
                ),
                Port::new("table", "table", "the same as rows"),
                Port::new("markdown", "text", "the same for people"),
            ],
            ..Signature::new(
                "stats/compare",
                1,
                "Compare a variant with the baseline, with Welch intervals",
            )
        }
    }

    fn run(&self, call: &Call, _: &dyn Context) -> Result<Outputs, Failure> {
        let baseline: Summary = call.get("baseline")?;
        let trial: Summary = call.get("trial")?;
        let directions: BTreeMap<String, Direction> = call.get("directions")?;
        let comparison = compare(&baseline, &trial, &directions, level(call)?)?;
        let table = table(&comparison, &trial.axes)?;
        let text = for_people(&comparison, &trial.axes);
        let value =
            serde_json::to_value(&comparison).map_err(|error| Failure::bug(error.to_string()))?;
        Ok(Outputs::from([
            ("comparison".to_owned(), Output::value(value)),
            ("table".to_owned(), table),
            ("markdown".to_owned(), Output::bytes(text)),
        ]))
    }
}

/// Joins two summaries on their places and compares the metrics that have a direction.
///
/// # Errors
/// If a place or metric of the trial is missing in the baseline, or nothing is left to compare.
pub(crate) fn compare(
    baseline: &Summary,
    trial: &Summary,
    directions: &BTreeMap<String, Direction>,
    level: f64,
) -> Result<Comparison, Failure> {
    let mut comparison = Comparison {
        rows: Vec::new(),
        by: BTreeMap::new(),
        counts: Counts::default(),
        counts_by_metric: BTreeMap::new(),
    };
    for row in &trial.rows {
        let key = place_key(&row.at, &trial.axes);
        let base = baseline
            .rows
            .iter()
            .find(|base| base.at == row.at)
            .ok_or_else(|| {
                Failure::new(format!("the baseline has no runs at {key}"))
                    .help("run baseline and variant over the same matrix")
            })?;
        for (metric, direction) in directions {
            let find = |metrics: &BTreeMap<String, Estimate>, who: &str| {
                metrics.get(metric).cloned().ok_or_else(|| {
                    let known: Vec<&str> = metrics.keys().map(String::as_str).collect();
                    Failure::new(format!("the {who} at {key} has no metric `{metric}`"))
                        .help(format!("it has {}", known.join(", ")))
                })
            };
            let base = find(&base.metrics, "baseline")?;
            let made = find(&row.metrics, "variant")?;
            let row = Row {
                at: row.at.clone(),
                metric: metric.clone(),
                direction: *direction,
                difference: made.mean - base.mean,
                ci: welch(&base, &made, level),
                level,
                relative: (base.mean != 0.0).then(|| (made.mean - base.mean) / base.mean.abs()),
                verdict: verdict(&base, &made, *direction, level),
                baseline: base.brief(),
                trial: made.brief(),
            };
            comparison.counts.add(row.verdict);
            comparison
                .counts_by_metric
                .entry(metric.clone())
                .or_default()
                .add(row.verdict);
            comparison
                .by
                .entry(key.clone())
                .or_default()
                .insert(metric.clone(), row.clone());
            comparison.rows.push(row);
        }
    }
    if comparison.rows.is_empty() {
        return Err(Failure::new(
            "there is nothing to compare: no places or no directions",
        ));
    }
    Ok(comparison)
}

fn verdict(baseline: &Estimate, trial: &Estimate, direction: Direction, level: f64) -> Verdict {
    let enough = baseline.n >= ENOUGH && trial.n >= ENOUGH;
    let Some([low, high]) = welch(baseline, trial, level).filter(|_| enough) else {
        return Verdict::TooFew;
    };
    let (falls, rises) = (high < 0.0, low > 0.0);
    match direction {
        Direction::Lower if falls => Verdict::Better,
        Direction::Higher if rises => Verdict::Better,
        _ if falls || rises => Verdict::Worse,
        _ => Verdict::Inconclusive,
    }
}

fn table(comparison: &Comparison, axes: &[String]) -> Result<Output, Failure> {
    let mut header = axes.to_vec();
    header.extend(
        [
            "metric",
            "baseline",
            "trial",
            "difference",
            "low",
            "high",
            "relative",
            "n_baseline",
            "n_trial",
            "verdict",
        ]
        .map(str::to_owned),
    );
    let rows: Vec<Vec<String>> = comparison
        .rows
        .iter()
        .map(|row| {
            let mut cells: Vec<String> = axes
                .iter()
                .map(|axis| row.at.get(axis).map(plain).unwrap_or_default())
                .collect();
            cells.extend([
                row.metric.clone(),
                number(Some(row.baseline.mean)),
                number(Some(row.trial.mean)),
                number(Some(row.difference)),
                number(row.ci.map(|ci| ci[0])),
                number(row.ci.map(|ci| ci[1])),
                number(row.relative),
                row.baseline.n.to_string(),
                row.trial.n.to_string(),
                word(row.verdict).to_owned(),
            ]);
            cells
        })
        .collect();
    csv(&header, &rows)
}

/// A Markdown table with a line on what its intervals are.
fn for_people(comparison: &Comparison, axes: &[String]) -> String {
    let mut header: Vec<&str> = axes.iter().map(String::as_str).collect();
    header.extend([
        "metric",
        "better",
        "baseline",
        "variant",
        "difference",
        "n",
        "verdict",
    ]);
    let rows: Vec<Vec<String>> = comparison
        .rows
        .iter()
        .map(|row| {
            let places = axes.iter().map(|axis| row.at.get(axis).map(plain));
            let mut cells: Vec<String> = places.map(Option::unwrap_or_default).collect();
            let interval = row.ci.map_or_else(String::new, |[low, high]| {
                format!(" [{}, {}]", short(low), short(high))
            });
            let better = match row.direction {
                Direction::Lower => "lower",
                Direction::Higher => "higher",
            };
            cells.extend([
                row.metric.clone(),
                better.to_owned(),
                short(row.baseline.mean),
                short(row.trial.mean),
                format!("{}{interval}", short(row.difference)),
                format!("{} and {}", row.baseline.n, row.trial.n),
                word(row.verdict).replace('_', " "),
            ]);
            cells
        })
        .collect();
    let level = comparison.rows.first().map_or(0.95, |row| row.level) * 100.0;
    format!(
        "{}\nMeans over n runs; in brackets the {level} % interval of the difference (Welch).\n",
        markdown(&header, &rows)
    )
}

/// Four significant digits; a whole number of more keeps all of them.
fn short(value: f64) -> String {
    let digits = if value == 0.0 {
        0
    } else {
        3 - value.abs().log10().floor() as i32
    };
    format!("{value:.*}", digits.clamp(0, 12) as usize)
}

/// A verdict as it is written in tables.
pub(crate) fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Better => "better",
        Verdict::Worse => "worse",
        Verdict::Inconclusive => "inconclusive",
        Verdict::TooFew => "too_few",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estimate(values: &[f64]) -> Estimate {
        Estimate::of(values, 0.95).unwrap()
    }

    #[test]
    fn the_verdict_follows_the_interval_and_the_direction() {
        let low = estimate(&[1.0, 1.1, 0.9]);
        let high = estimate(&[2.0, 2.1, 1.9]);
        assert_eq!(
            verdict(&high, &low, Direction::Lower, 0.95),
            Verdict::Better
        );
        assert_eq!(
            verdict(&high, &low, Direction::Higher, 0.95),
            Verdict::Worse
        );
        assert_eq!(
            verdict(&low, &high, Direction::Higher, 0.95),
            Verdict::Better
        );
        let wide = estimate(&[0.0, 1.0, 2.2]);
        assert_eq!(
            verdict(&low, &wide, Direction::Lower, 0.95),
            Verdict::Inconclusive
        );
    }

    #[test]
    fn people_read_four_digits_and_the_interval() {
        for (value, text) in [
            (4376.4, "4376"),
            (0.012_345, "0.01235"),
            (-2.0, "-2.000"),
            (0.0, "0"),
        ] {
            assert_eq!(short(value), text);
        }
        let summary = |values: &[f64]| Summary {
            over: vec!["seed".into()],
            axes: Vec::new(),
            rows: vec![crate::stats::SummaryRow {
                at: BTreeMap::new(),
                n: values.len(),
                metrics: BTreeMap::from([("loss".to_owned(), estimate(values))]),
            }],
            by: BTreeMap::new(),
        };
        let (base, trial) = (summary(&[2.0, 2.1, 1.9]), summary(&[1.0, 1.1, 0.9]));
        let directions = BTreeMap::from([("loss".to_owned(), Direction::Lower)]);
        let comparison = compare(&base, &trial, &directions, 0.95).unwrap();
        let text = for_people(&comparison, &[]);
        assert!(
            text.contains("| loss | lower | 2.000 | 1.000 | -1.000 [-1.227, -0.7733] |"),
            "{text}"
        );
        assert!(
            text.contains("3 and 3 | better") && text.contains("95 % interval"),
            "{text}"
        );
    }

    #[test]
    fn two_runs_are_too_few_for_a_verdict_however_far_apart() {
        let low = estimate(&[1.0, 1.0001]);
        let high = estimate(&[9.0, 9.1, 9.2]);
        assert_eq!(
            verdict(&high, &low, Direction::Lower, 0.95),
            Verdict::TooFew
        );
    }
}
