//! The documents that statistics are handed on in: a summary over seeds and a comparison of two.
//!
//! They are plain JSON values between stages; these types are their one description.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Estimate;

/// The coordinates of a row, by axis.
pub type Place = BTreeMap<String, Value>;

/// What `stats/aggregate` makes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// The axes averaged over.
    pub over: Vec<String>,
    /// The axes that remain, in the order of the grid.
    pub axes: Vec<String>,
    pub rows: Vec<SummaryRow>,
    /// The same estimates by coordinates (joined with `/`; `all` without axes) and metric.
    pub by: BTreeMap<String, BTreeMap<String, Estimate>>,
}

/// One group of runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SummaryRow {
    pub at: Place,
    /// Runs in the group.
    pub n: usize,
    pub metrics: BTreeMap<String, Estimate>,
}

/// Which way a metric improves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    Lower,
    Higher,
}

/// What the interval of a difference says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The interval excludes zero on the good side.
    Better,
    /// The interval excludes zero on the bad side.
    Worse,
    /// The interval includes zero.
    Inconclusive,
    /// Fewer than [`ENOUGH`] runs on either side: no verdict.
    TooFew,
}

/// Runs that each side of a comparison needs before a direction may be claimed.
pub const ENOUGH: usize = 3;

/// What `stats/compare` makes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Comparison {
    pub rows: Vec<Row>,
    /// The same rows by coordinates and metric.
    pub by: BTreeMap<String, BTreeMap<String, Row>>,
    pub counts: Counts,
    /// The counts of each metric alone.
    pub counts_by_metric: BTreeMap<String, Counts>,
}

/// One metric at one place, trial against baseline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    pub at: Place,
    pub metric: String,
    pub direction: Direction,
    pub baseline: Estimate,
    pub trial: Estimate,
    /// Mean of the trial minus mean of the baseline.
    pub difference: f64,
    /// Welch interval of `difference`; none where a side has one run.
    pub ci: Option<[f64; 2]>,
    pub level: f64,
    /// `difference` over the size of the baseline's mean; none where that is zero.
    pub relative: Option<f64>,
    pub verdict: Verdict,
}

/// How many rows got which verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    pub total: usize,
    pub better: usize,
    pub worse: usize,
    pub inconclusive: usize,
    pub too_few: usize,
}

impl Counts {
    /// Adds one verdict.
    pub fn add(&mut self, verdict: Verdict) {
        self.total += 1;
        *match verdict {
            Verdict::Better => &mut self.better,
            Verdict::Worse => &mut self.worse,
            Verdict::Inconclusive => &mut self.inconclusive,
            Verdict::TooFew => &mut self.too_few,
        } += 1;
    }
}

/// The key of a place in `by`: its coordinates in the order of `axes`, joined with `/`.
#[must_use]
pub(crate) fn place_key(at: &Place, axes: &[String]) -> String {
    if axes.is_empty() {
        return "all".to_owned();
    }
    let words: Vec<String> = axes
        .iter()
        .map(|axis| at.get(axis).map(plain).unwrap_or_default())
        .collect();
    words.join("/")
}

/// A value as it is written in a table or a path: a string without quotes.
#[must_use]
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
