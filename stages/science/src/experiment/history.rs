//! What was done on one idea so far: runs, and the tries that came before a run worked.

use kyobashi_stage::{Call, Failure};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::paper::format;
use crate::stats::{Comparison, Estimate, Row, Verdict};

/// A program with its settings that was trained, or was to be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Run {
    /// From 1.
    pub(crate) number: usize,
    /// What it does, for readers.
    pub(crate) what: String,
    /// Whether every training came to its end.
    pub(crate) ok: bool,
    pub(crate) program: String,
    /// Every setting.
    pub(crate) config: Map<String, Value>,
    /// By `stats/aggregate` and `stats/compare`; none if it did not work.
    pub(crate) summary: Option<Value>,
    pub(crate) comparison: Option<Comparison>,
    pub(crate) notes: String,
    /// What its author wants to do next.
    pub(crate) next: String,
    /// The number of the run that the paper is about, as its author saw it after this one.
    pub(crate) main: usize,
    /// The tries before it that failed.
    pub(crate) tries: Vec<Try>,
}

/// A try that failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Try {
    pub(crate) what: String,
    pub(crate) program: String,
    pub(crate) config: Map<String, Value>,
    /// What the trainings said, each once.
    pub(crate) said: String,
}

/// A list that a loop carries: nothing at first.
///
/// # Errors
/// If it holds something else.
pub(super) fn carried<T: DeserializeOwned>(call: &Call, name: &str) -> Result<Vec<T>, Failure> {
    if call.has(name) {
        call.get(name)
    } else {
        Ok(Vec::new())
    }
}

impl Run {
    /// Each compared metric in a line for its author.
    pub(crate) fn rows(&self) -> Vec<String> {
        self.comparison.as_ref().map(rows).unwrap_or_default()
    }
}

/// Each compared metric in a line.
pub(super) fn rows(comparison: &Comparison) -> Vec<String> {
    let places = comparison.by.iter();
    places
        .flat_map(|(place, metrics)| {
            metrics
                .iter()
                .map(move |(metric, row)| line(place, metric, row))
        })
        .collect()
}

fn line(place: &str, metric: &str, row: &Row) -> String {
    let digits: usize = format(row).trim_start_matches('.').parse().unwrap_or(3);
    let interval = |ci: Option<[f64; 2]>| match ci {
        Some([low, high]) => format!(" [{low:.digits$}, {high:.digits$}]"),
        None => String::new(),
    };
    let side = |estimate: &Estimate| {
        format!(
            "{:.digits$}{} (n = {})",
            estimate.mean,
            interval(estimate.ci),
            estimate.n
        )
    };
    let verdict = match row.verdict {
        Verdict::Better => "better than the baseline",
        Verdict::Worse => "worse than the baseline",
        Verdict::Inconclusive => "cannot be told from the baseline",
        Verdict::TooFew => "too few runs to name a direction",
    };
    format!(
        "{place}, {metric}: baseline {}, this run {}, difference {:.digits$}{}: {verdict}",
        side(&row.baseline),
        side(&row.trial),
        row.difference,
        interval(row.ci),
    )
}
