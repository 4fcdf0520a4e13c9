//! `stats/aggregate`: the runs of a grid, averaged over the axes that repeat an experiment.

use std::collections::{BTreeMap, BTreeSet};

use kyobashi_stage::{
    Call, Cell, Context, Datum, Failure, Names, Output, Outputs, Port, Signature, Stage,
};
use serde_json::Value;

use super::document::{Place, place_key, plain};
use super::table::{csv, number};
use super::{Estimate, Summary, SummaryRow};

pub(crate) struct Aggregate;

impl Stage for Aggregate {
    fn signature(&self) -> Signature {
        Signature {
            ins: vec![Port::new(
                "runs",
                "list<json>",
                "the metrics of every run; those of a matrix keep their coordinates",
            )],
            with: vec![
                Port::new(
                    "over",
                    "list<str>",
                    "axes to average over, as a rule `[seed]`",
                )
                .naming(Names::AxesOf("runs".to_owned())),
                Port::or(
                    "metrics",
                    "list<str>",
                    Value::Array(Vec::new()),
                    "metrics to summarise; all if empty",
                )
                .naming(Names::FieldsOf("runs".to_owned())),
                Port::or("ci", "float", 0.95, "confidence level of the intervals"),
            ],
            outs: vec![
                Port::new(
                    "summary",
                    "json",
                    "mean, standard error, interval and n of each metric at each place",
                ),
                Port::new(
                    "table",
                    "table",
                    "the same as rows: axes, metric, n, mean, stderr, low, high, level",
                ),
            ],
            ..Signature::new(
                "stats/aggregate",
                2,
                "Average runs over seeds, with t intervals",
            )
        }
    }

    fn run(&self, call: &Call, _: &dyn Context) -> Result<Outputs, Failure> {
        let over: Vec<String> = call.get("over")?;
        let metrics: Vec<String> = call.get("metrics")?;
        let level = level(call)?;
        let runs = call.datum("runs")?;
        let summary = summarise(runs, &over, &metrics, level)?;
        let table = table(&summary)?;
        let value =
            serde_json::to_value(&summary).map_err(|error| Failure::bug(error.to_string()))?;
        Ok(Outputs::from([
            ("summary".to_owned(), Output::value(value)),
            ("table".to_owned(), table),
        ]))
    }
}

/// The confidence level that a call asks for.
pub(super) fn level(call: &Call) -> Result<f64, Failure> {
    let level: f64 = call.get("ci")?;
    if level > 0.0 && level < 1.0 {
        return Ok(level);
    }
    Err(
        Failure::new(format!("`ci` is {level}; it must lie between 0 and 1"))
            .help("write 0.95 for 95 % intervals"),
    )
}

/// Groups the cells of `runs` by the axes that are not in `over` and summarises each metric.
///
/// # Errors
/// If an axis is unknown, or there are no runs.
pub(crate) fn summarise(
    runs: &Datum,
    over: &[String],
    metrics: &[String],
    level: f64,
) -> Result<Summary, Failure> {
    let cells = crate::gathered::apart(runs);
    let axes = axes(runs, &cells);
    if let Some(unknown) = over
        .iter()
        .find(|axis| !axes.contains(axis) && !axes.is_empty())
    {
        return Err(Failure::new(format!(
            "`over` names `{unknown}`, but the runs vary along {}",
            axes.join(", ")
        )));
    }
    let kept: Vec<String> = axes
        .into_iter()
        .filter(|axis| !over.contains(axis))
        .collect();
    let mut groups: Vec<(Place, Vec<&Cell>)> = Vec::new();
    for cell in &cells {
        let at: Place = kept
            .iter()
            .filter_map(|axis| Some((axis.clone(), cell.at.get(axis)?.clone())))
            .collect();
        match groups.iter_mut().find(|(known, _)| *known == at) {
            Some((_, members)) => members.push(cell),
            None => groups.push((at, vec![cell])),
        }
    }
    if groups.is_empty() {
        return Err(Failure::new("there are no runs to aggregate"));
    }
    let mut rows = Vec::new();
    let mut by = BTreeMap::new();
    for (at, members) in groups {
        let estimates = estimates(&members, metrics, level)?;
        by.insert(place_key(&at, &kept), estimates.clone());
        rows.push(SummaryRow {
            at,
            n: members.len(),
            metrics: estimates,
        });
    }
    Ok(Summary {
        over: over.to_vec(),
        axes: kept,
        rows,
        by,
    })
}

fn axes(runs: &Datum, cells: &[Cell]) -> Vec<String> {
    match runs {
        Datum::Grid { axes, .. } => axes.clone(),
        _ => {
            let names: BTreeSet<&String> = cells.iter().flat_map(|cell| cell.at.keys()).collect();
            names.into_iter().cloned().collect()
        }
    }
}

fn estimates(
    members: &[&Cell],
    metrics: &[String],
    level: f64,
) -> Result<BTreeMap<String, Estimate>, Failure> {
    let documents: Vec<(&Cell, &serde_json::Map<String, Value>)> = members
        .iter()
        .map(|cell| match &cell.datum {
            Datum::Value {
                value: Value::Object(fields),
            } => Ok((*cell, fields)),
            _ => Err(Failure::new(format!(
                "the run at {} is not a document of metrics",
                place(cell)
            ))),
        })
        .collect::<Result<_, _>>()?;
    let names: BTreeSet<String> = if metrics.is_empty() {
        documents
            .iter()
            .flat_map(|(_, fields)| fields.iter().filter(|(_, value)| value.is_number()))
            .map(|(name, _)| name.clone())
            .collect()
    } else {
        metrics.iter().cloned().collect()
    };
    let mut estimates = BTreeMap::new();
    for name in names {
        let mut values = Vec::new();
        for (cell, fields) in &documents {
            let value = fields
                .get(&name)
                .and_then(Value::as_f64)
                .filter(|value| value.is_finite());
            values.push(value.ok_or_else(|| {
                let known: Vec<&str> = fields.keys().map(String::as_str).collect();
                Failure::new(format!("the run at {} has no finite `{name}`", place(cell)))
                    .help(format!("it has {}", known.join(", ")))
            })?);
        }
        let estimate = Estimate::of(&values, level)
            .map_err(|error| Failure::new(format!("`{name}`: {error}")))?;
        estimates.insert(name, estimate);
    }
    Ok(estimates)
}

fn place(cell: &Cell) -> String {
    if cell.at.is_empty() {
        return "an unnamed place".to_owned();
    }
    let words: Vec<String> = cell
        .at
        .iter()
        .map(|(axis, value)| format!("{axis}={}", plain(value)))
        .collect();
    words.join(", ")
}

fn table(summary: &Summary) -> Result<Output, Failure> {
    let mut header = summary.axes.clone();
    header.extend(["metric", "n", "mean", "stderr", "low", "high", "level"].map(str::to_owned));
    let mut rows = Vec::new();
    for row in &summary.rows {
        for (metric, estimate) in &row.metrics {
            let mut cells: Vec<String> = summary
                .axes
                .iter()
                .map(|axis| row.at.get(axis).map(plain).unwrap_or_default())
                .collect();
            cells.extend([
                metric.clone(),
                estimate.n.to_string(),
                number(Some(estimate.mean)),
                number(estimate.stderr),
                number(estimate.ci.map(|ci| ci[0])),
                number(estimate.ci.map(|ci| ci[1])),
                number(Some(estimate.level)),
            ]);
            rows.push(cells);
        }
    }
    csv(&header, &rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn grid() -> Datum {
        let mut cells = Vec::new();
        for (dataset, base) in [("circle", 1.0), ("dino", 10.0)] {
            for seed in 0..3 {
                cells.push(Cell {
                    at: Place::from([
                        ("dataset".into(), json!(dataset)),
                        ("seed".into(), json!(seed)),
                    ]),
                    datum: Datum::value(json!({"loss": base + f64::from(seed), "note": "text"})),
                });
            }
        }
        Datum::Grid {
            axes: vec!["dataset".into(), "seed".into()],
            cells,
        }
    }

    #[test]
    fn a_grid_is_averaged_over_seeds_and_keeps_its_other_axes() {
        let summary = summarise(&grid(), &["seed".into()], &[], 0.95).unwrap();
        assert_eq!(summary.axes, ["dataset"]);
        let loss = &summary.by["dino"]["loss"];
        assert_eq!((loss.mean, loss.n), (11.0, 3));
        // s = 1, so stderr = 1/√3, and t(2) = 4.302653.
        assert!((loss.ci.unwrap()[1] - 11.0 - 4.302_653 / 3f64.sqrt()).abs() < 1e-5);
        assert!(!summary.by["dino"].contains_key("note"));
        assert_eq!(summary.rows.len(), 2);
    }

    #[test]
    fn averaging_over_everything_leaves_one_place() {
        let summary = summarise(&grid(), &["seed".into(), "dataset".into()], &[], 0.95).unwrap();
        assert_eq!(summary.by["all"]["loss"].n, 6);
    }

    #[test]
    fn a_wrong_axis_or_metric_is_named_with_the_known_ones() {
        let axis = summarise(&grid(), &["sead".into()], &[], 0.95).unwrap_err();
        assert!(axis.message.contains("`sead`") && axis.message.contains("dataset, seed"));
        let metric = summarise(&grid(), &["seed".into()], &["los".into()], 0.95).unwrap_err();
        assert!(metric.message.contains("`los`") && metric.message.contains("dataset=circle"));
        assert!(metric.help.unwrap().contains("loss"));
    }
}
