//! `report/final_info`: runs as the file `final_info.json` that templates of the AI Scientist write and
//! its other parts read. The standard errors are s/√n; the published templates divide the population's
//! deviation by n, which is 2.1 to 2.5 times too small for 3 to 5 seeds.

use std::collections::{BTreeMap, BTreeSet};

use kyobashi_stage::{
    Call, Context, Datum, Failure, Names, Output, Outputs, Port, Signature, Stage,
};
use serde_json::{Map, Value, json};

use crate::gathered;
use crate::stats::{Estimate, plain};

pub(crate) struct FinalInfo;

/// The values of one metric, run by run.
type Values = Vec<f64>;

impl Stage for FinalInfo {
    fn signature(&self) -> Signature {
        Signature {
            ins: vec![Port::new(
                "runs",
                "list<json>",
                "the metrics of every run, as a matrix gives them",
            )],
            with: vec![
                Port::new("by", "str", "the axis of the data sets")
                    .naming(Names::AxesOf("runs".to_owned())),
                Port::or(
                    "names",
                    "json",
                    json!({}),
                    "what a metric is called in the file: `{step_val_acc_99: goal_step}`; all, under \
                     their own names, if empty",
                ),
                Port::or(
                    "suffixes",
                    "bool",
                    true,
                    "whether means end in `_mean` and standard errors in `_stderr`",
                ),
            ],
            outs: vec![Port::new(
                "info",
                "json",
                "{dataset: {means, stderrs, final_info_dict: {metric: [run by run]}}}",
            )],
            ..Signature::new(
                "report/final_info",
                1,
                "Write runs as the AI Scientist's final_info.json",
            )
        }
    }

    fn run(&self, call: &Call, _: &dyn Context) -> Result<Outputs, Failure> {
        let by: String = call.get("by")?;
        let names: BTreeMap<String, String> = call.get("names")?;
        let suffixes: bool = call.get("suffixes")?;
        let mut sets: Vec<(String, Vec<Map<String, Value>>)> = Vec::new();
        for cell in gathered::cells(call, "runs")? {
            let at = cell.at.get(&by).map(plain).ok_or_else(|| {
                let known: Vec<&str> = cell.at.keys().map(String::as_str).collect();
                Failure::new(format!(
                    "`by` names `{by}`, but the runs vary along {}",
                    known.join(", ")
                ))
            })?;
            let Datum::Value {
                value: Value::Object(metrics),
            } = cell.datum
            else {
                return Err(Failure::new(format!("a run at {at} has no metrics")));
            };
            match sets.iter_mut().find(|(known, _)| *known == at) {
                Some((_, runs)) => runs.push(metrics),
                None => sets.push((at, vec![metrics])),
            }
        }
        if sets.is_empty() {
            return Err(Failure::new("there are no runs"));
        }
        let mut info = Map::new();
        for (at, runs) in sets {
            info.insert(at.clone(), entry(&at, &runs, &names, suffixes)?);
        }
        Ok(Outputs::from([("info".to_owned(), Output::value(info))]))
    }
}

fn entry(
    at: &str,
    runs: &[Map<String, Value>],
    names: &BTreeMap<String, String>,
    suffixes: bool,
) -> Result<Value, Failure> {
    let (mut means, mut stderrs, mut all) = (Map::new(), Map::new(), Map::new());
    for (name, values) in values(at, runs, names)? {
        let estimate = Estimate::of(&values, 0.95)
            .map_err(|error| Failure::bug(format!("{at}, {name}: {error}")))?;
        let called = |suffix: &str| {
            if suffixes {
                format!("{name}{suffix}")
            } else {
                name.clone()
            }
        };
        means.insert(called("_mean"), json!(estimate.mean));
        // One run says nothing of the error: no entry, which no reader can take for a zero.
        if let Some(stderr) = estimate.stderr {
            stderrs.insert(called("_stderr"), json!(stderr));
        }
        all.insert(name, json!(values));
    }
    Ok(json!({"means": means, "stderrs": stderrs, "final_info_dict": all}))
}

/// The values of every metric under the name that it has in the file.
fn values(
    at: &str,
    runs: &[Map<String, Value>],
    names: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, Values>, Failure> {
    let known: BTreeSet<&str> = runs
        .iter()
        .flat_map(|run| run.iter().filter(|(_, value)| value.is_number()))
        .map(|(name, _)| name.as_str())
        .collect();
    let wanted: Vec<(&str, &str)> = if names.is_empty() {
        known.iter().map(|name| (*name, *name)).collect()
    } else {
        let pairs = names.iter();
        pairs.map(|(a, b)| (a.as_str(), b.as_str())).collect()
    };
    let mut found = BTreeMap::new();
    for (name, metric) in wanted {
        let mut values = Values::new();
        for run in runs {
            values.push(run.get(metric).and_then(Value::as_f64).ok_or_else(|| {
                let known: Vec<&str> = known.iter().copied().collect();
                Failure::new(format!("a run at {at} has no number `{metric}`"))
                    .help(format!("there are {}", known.join(", ")))
            })?);
        }
        found.insert(name.to_owned(), values);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(values: &[f64]) -> Vec<Map<String, Value>> {
        let run = |value: &f64| json!({"goal_step": value, "note": "text"});
        let maps = values.iter().map(run);
        maps.map(|run| run.as_object().unwrap().clone()).collect()
    }

    #[test]
    fn standard_errors_are_the_sample_deviation_over_the_root_of_n() {
        // The published baseline of x_div_y: its file says 76.35, the population's deviation over n.
        let names = BTreeMap::from([("step_val_acc_99".to_owned(), "goal_step".to_owned())]);
        let info = entry("x_div_y", &runs(&[3910.0, 4220.0, 4470.0]), &names, true).unwrap();
        assert_eq!(info["means"], json!({"step_val_acc_99_mean": 4200.0}));
        let stderr = info["stderrs"]["step_val_acc_99_stderr"].as_f64().unwrap();
        assert!((stderr - 161.967).abs() < 1e-3, "{stderr}");
        let each = &info["final_info_dict"]["step_val_acc_99"];
        assert_eq!(*each, json!([3910.0, 4220.0, 4470.0]));
    }

    #[test]
    fn one_run_has_no_standard_error_and_all_metrics_keep_their_names() {
        let info = entry("circle", &runs(&[7.0]), &BTreeMap::new(), false).unwrap();
        assert_eq!(info["means"], json!({"goal_step": 7.0}));
        assert_eq!(info["stderrs"], json!({}));
    }

    #[test]
    fn a_metric_that_is_not_there_is_named_with_those_that_are() {
        let names = BTreeMap::from([("kl".to_owned(), "kl".to_owned())]);
        let failure = entry("circle", &runs(&[7.0]), &names, false).unwrap_err();
        assert!(failure.message.contains("`kl`"), "{failure}");
        assert!(failure.help.unwrap().contains("goal_step"));
    }
}
