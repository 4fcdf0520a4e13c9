//! The cells of a table: the estimates of one metric by two axes, and which of them are the best.

use std::collections::BTreeMap;

use kyobashi_stage::{Cell, Datum, Failure};
use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::check::nearest;
use crate::plot::Frame;

/// A table as declared.
pub(super) struct Asked {
    pub(super) rows: String,
    pub(super) cols: Option<String>,
    pub(super) metric: String,
    pub(super) best: Option<Best>,
}

/// Which mean is the best.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Best {
    Max,
    Min,
}

/// A mean over runs; the rest is absent for one run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Estimate {
    pub(super) mean: f64,
    pub(super) stderr: Option<f64>,
    pub(super) low: Option<f64>,
    pub(super) high: Option<f64>,
    pub(super) n: f64,
}

/// How a cell stands to the best one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rank {
    Best,
    /// The interval of its difference to the best includes zero.
    Alike,
    Other,
}

/// The cells by row and column; a combination that was not run has none.
pub(super) struct Cells {
    pub(super) rows: Vec<String>,
    /// One empty word if there is no axis of columns.
    pub(super) cols: Vec<String>,
    pub(super) at: BTreeMap<(String, String), Estimate>,
    /// The level of the intervals.
    pub(super) level: f64,
}

/// Columns of the summary that are no axes.
const MEASURES: [&str; 7] = ["metric", "n", "mean", "stderr", "low", "high", "level"];

impl Cells {
    /// # Errors
    /// An axis or a metric that is not there, or an axis that would put two means into one cell.
    pub(super) fn read(summary: &Datum, asked: &Asked) -> Result<Self, Failure> {
        let mut frame = Frame::default();
        let cell = Cell {
            at: BTreeMap::new(),
            datum: summary.clone(),
        };
        frame.add(&[cell], None)?;
        let mut places = BTreeMap::new();
        for name in MEASURES {
            let place = frame.column("summary", name).map_err(|failure| {
                failure.help("`summary` is the output `table` of `stats/aggregate`")
            })?;
            places.insert(name, place);
        }
        let row_place = frame.column("rows", &asked.rows)?;
        let col_place = match &asked.cols {
            Some(name) => Some(frame.column("cols", name)?),
            None => None,
        };
        let metric = places["metric"];
        let metrics = frame.distinct(metric);
        if !metrics.contains(&asked.metric) {
            let near = nearest(&asked.metric, metrics.iter().map(String::as_str));
            let known = metrics.join(", ");
            return Err(
                Failure::new(format!("`cell: {}`: there is no such metric", asked.metric)).help(
                    match near {
                        Some(near) => format!("did you mean `{near}`? the metrics are {known}"),
                        None => format!("the metrics are {known}"),
                    },
                ),
            );
        }
        let (mut at, mut level) = (BTreeMap::new(), None);
        for row in &frame.rows {
            if frame.text(row, metric) != asked.metric {
                continue;
            }
            let number = |name: &str| frame.number(row, places[name]);
            let estimate = Estimate {
                mean: number("mean")?.ok_or_else(|| Failure::new("a row has no `mean`"))?,
                stderr: number("stderr")?,
                low: number("low")?,
                high: number("high")?,
                n: number("n")?.unwrap_or(1.0),
            };
            level = level.or(number("level")?);
            let col = col_place.map_or("", |place| frame.text(row, place));
            let place = (frame.text(row, row_place).to_owned(), col.to_owned());
            if at.insert(place, estimate).is_some() {
                let shown = [Some(&asked.rows), asked.cols.as_ref()];
                let others: Vec<&str> = frame
                    .columns
                    .iter()
                    .map(String::as_str)
                    .filter(|name| !MEASURES.contains(name))
                    .filter(|name| shown.iter().flatten().all(|shown| shown != name))
                    .collect();
                return Err(Failure::new(format!(
                    "the summary also varies along {}, so that a cell would hold several means",
                    others.join(", ")
                ))
                .help("average over it in `over` of `stats/aggregate`, or make it `cols`"));
            }
        }
        // Places that have another metric alone are no part of this table.
        let (mut rows, mut cols) = (frame.distinct(row_place), vec![String::new()]);
        if let Some(place) = col_place {
            cols = frame.distinct(place);
        }
        rows.retain(|row| at.keys().any(|(known, _)| known == row));
        cols.retain(|col| at.keys().any(|(_, known)| known == col));
        Ok(Self {
            rows,
            cols,
            at,
            level: level.unwrap_or(0.95),
        })
    }

    /// A cell.
    pub(super) fn get(&self, row: &str, col: &str) -> Option<&Estimate> {
        self.at.get(&(row.to_owned(), col.to_owned()))
    }

    /// How a cell stands to the best.
    pub(super) fn rank(&self, estimate: &Estimate, best: Option<Best>) -> Rank {
        let Some(best) = best else {
            return Rank::Other;
        };
        let better = |one: &&Estimate, other: &&Estimate| {
            let order = one.mean.total_cmp(&other.mean);
            if best == Best::Max {
                order
            } else {
                order.reverse()
            }
        };
        match self.at.values().max_by(better) {
            Some(top) if top.mean == estimate.mean => Rank::Best,
            Some(top) if alike(top, estimate, self.level) => Rank::Alike,
            _ => Rank::Other,
        }
    }

    /// The smallest and the largest number of runs of a cell.
    pub(super) fn runs(&self) -> (f64, f64) {
        let all = self.at.values().map(|estimate| estimate.n);
        all.fold((f64::INFINITY, 0.0), |(low, high), n| {
            (low.min(n), high.max(n))
        })
    }
}

/// Whether the Welch interval of the difference includes zero; one run alone tells nothing.
fn alike(one: &Estimate, other: &Estimate, level: f64) -> bool {
    let (Some(a), Some(b)) = (one.stderr, other.stderr) else {
        return false;
    };
    let (a, b) = (a * a, b * b);
    if a + b <= 0.0 {
        return false;
    }
    let freedom = (a + b).powi(2) / (a * a / (one.n - 1.0) + b * b / (other.n - 1.0));
    let quantile = StudentsT::new(0.0, 1.0, freedom)
        .map_or(f64::INFINITY, |t| t.inverse_cdf(0.5 + level / 2.0));
    (one.mean - other.mean).abs() <= quantile * (a + b).sqrt()
}
