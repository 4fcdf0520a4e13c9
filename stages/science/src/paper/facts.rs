//! What a prose template may use: the idea, the template's facts, and the compared results as paths.
//!
//! A result is handed on as its path, never as its value, so a template cannot type a number.

use std::collections::BTreeMap;

use kyobashi_stage::Failure;
use serde::Serialize;
use serde_json::Value;

use crate::shapes::Idea;
use crate::stats::{Comparison, Row, Verdict};
use crate::template::{Metric, Reference, Template};

/// The whole context of a prose template.
#[derive(Debug, Serialize)]
pub(super) struct Facts {
    pub(super) title: String,
    pub(super) idea: IdeaFacts,
    pub(super) task: String,
    pub(super) setting: String,
    pub(super) background: Vec<String>,
    pub(super) method: Vec<String>,
    pub(super) works: Vec<Reference>,
    pub(super) metrics: Vec<MetricFacts>,
    /// The names of the data sets, or of whatever else the comparison runs over.
    pub(super) places: Vec<String>,
    pub(super) rows: Vec<RowFacts>,
    /// The row with the largest relative change for the better, by its mean.
    pub(super) best: RowFacts,
    pub(super) figures: Vec<FigureFacts>,
    /// References to the settings that both variants share, by key.
    pub(super) shared: BTreeMap<String, String>,
}

#[derive(Debug, Serialize)]
pub(super) struct IdeaFacts {
    pub(super) name: String,
    pub(super) title: String,
    /// The title as it stands inside a sentence.
    pub(super) phrase: String,
    pub(super) experiment: String,
    pub(super) program: bool,
    /// The settings that the idea changes, by key in words, with references to both values.
    pub(super) changes: Vec<Change>,
}

#[derive(Debug, Serialize)]
pub(super) struct Change {
    pub(super) label: String,
    /// None where the baseline has no such setting.
    pub(super) from: Option<String>,
    pub(super) to: String,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct MetricFacts {
    pub(super) key: String,
    pub(super) label: String,
    pub(super) unit: String,
    pub(super) doc: String,
    pub(super) better: &'static str,
}

/// One compared place and metric. `baseline`, `trial` and `comparison` are paths.
#[derive(Clone, Debug, Serialize)]
pub(super) struct RowFacts {
    pub(super) place: String,
    pub(super) metric: String,
    pub(super) label: String,
    pub(super) baseline: String,
    pub(super) trial: String,
    pub(super) comparison: String,
    /// Whether the mean of the trial is the better one; none if both are equal.
    pub(super) improves: Option<bool>,
    pub(super) verdict: Verdict,
    /// How many digits its interval is worth: `.3`.
    pub(super) format: String,
}

#[derive(Debug, Serialize)]
pub(super) struct FigureFacts {
    pub(super) name: String,
    pub(super) caption: String,
}

/// Collects the facts of one paper.
///
/// # Errors
/// If the results lack a comparison, or it compares nothing.
pub(super) fn facts(
    idea: &Idea,
    template: &Template,
    results: &Value,
    figures: &Value,
) -> Result<Facts, Failure> {
    let comparison = comparison(results)?;
    let rows: Vec<RowFacts> = comparison
        .by
        .iter()
        .flat_map(|(place, metrics)| {
            metrics
                .iter()
                .map(move |(metric, row)| (place, metric, row))
        })
        .map(|(place, metric, row)| row_facts(place, metric, row, &template.metrics))
        .collect();
    let best = best(&comparison, &rows).ok_or_else(|| {
        Failure::new("`results.comparison` compares nothing, so there is nothing to write about")
    })?;
    let mut metrics: Vec<MetricFacts> = Vec::new();
    for row in &rows {
        if !metrics.iter().any(|known| known.key == row.metric) {
            metrics.push(metric_facts(&row.metric, template.metrics.get(&row.metric)));
        }
    }
    Ok(Facts {
        title: idea.title.clone(),
        idea: idea_facts(idea, template, results),
        task: template.task.trim().to_owned(),
        setting: template.title.clone(),
        background: template.background.clone(),
        method: template.method.clone(),
        works: template.references.clone(),
        metrics,
        places: comparison.by.keys().cloned().collect(),
        rows,
        best,
        figures: figure_facts(figures),
        shared: shared(idea, results),
    })
}

/// The comparison among the results.
pub(crate) fn comparison(results: &Value) -> Result<Comparison, Failure> {
    let document = results.get("comparison").ok_or_else(|| {
        Failure::new("`results` has no document `comparison`")
            .help("give it as `comparison: ${compare.comparison}`")
    })?;
    serde_json::from_value(document.clone())
        .map_err(|error| Failure::new(format!("`results.comparison`: {error}")))
}

/// Whether `results.config` holds the settings of the variant, not those of the baseline.
fn of_variant(idea: &Idea, results: &Value) -> bool {
    let mut patch = idea.config.iter().flatten().peekable();
    patch.peek().is_some() && patch.all(|(key, value)| results["config"].get(key) == Some(value))
}

/// References to settings that the idea does not change; either side's document has them.
fn shared(idea: &Idea, results: &Value) -> BTreeMap<String, String> {
    let changed = |key: &str| {
        idea.config
            .as_ref()
            .is_some_and(|patch| patch.contains_key(key))
    };
    let settings = results["config"].as_object().into_iter().flatten();
    settings
        .filter(|(key, _)| !changed(key))
        .map(|(key, _)| (key.clone(), format!("\\cfg{{config.{key}}}")))
        .collect()
}

fn idea_facts(idea: &Idea, template: &Template, results: &Value) -> IdeaFacts {
    let (base, trial) = if of_variant(idea, results) {
        (None, "config")
    } else {
        (Some("config"), "trial_config")
    };
    let mut experiment = idea.experiment.trim().to_owned();
    let mut changes = Vec::new();
    for (key, value) in idea.config.iter().flatten() {
        let reference = |document: &str| {
            let found = results.get(document)?.get(key)?;
            Some((format!("\\cfg{{{document}.{key}}}"), found.clone()))
        };
        let to = reference(trial).filter(|(_, found)| found == value);
        // Without the baseline's settings among the results, the template's word for it stands as code.
        let from = base.and_then(reference).or_else(|| {
            let found = template.config.get(key)?;
            Some((format!("`{}`", crate::stats::plain(found)), found.clone()))
        });
        for (reference, found) in to.iter().chain(&from) {
            experiment = replace_number(&experiment, found, reference);
        }
        changes.push(Change {
            label: key.replace('_', " "),
            from: from.map(|(reference, _)| reference),
            to: to.map_or_else(
                || format!("`{}`", crate::stats::plain(value)),
                |(reference, _)| reference,
            ),
        });
    }
    let mut phrase: String = idea.title.trim_end_matches('.').to_owned();
    if let Some(first) = phrase.chars().next()
        && phrase
            .chars()
            .nth(1)
            .is_some_and(|second| !second.is_uppercase())
    {
        phrase.replace_range(..first.len_utf8(), &first.to_lowercase().to_string());
    }
    IdeaFacts {
        name: idea.name.clone(),
        title: idea.title.clone(),
        phrase,
        experiment,
        program: idea.program.is_some(),
        changes,
    }
}

/// Replaces a setting's value where a text types it, by the reference to the setting.
fn replace_number(text: &str, value: &Value, reference: &str) -> String {
    let Some(number) = value.as_f64() else {
        return text.to_owned();
    };
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let length = rest[start..]
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len() - start);
        let word = rest[start..start + length].trim_end_matches('.');
        let alone = !rest[..start].ends_with(|c: char| c.is_alphanumeric() || "_.\\{".contains(c));
        let end = start + word.len();
        out += &rest[..start];
        match word.parse::<f64>() {
            Ok(found) if alone && found == number => out += reference,
            _ => out += word,
        }
        rest = &rest[end..];
    }
    out + rest
}

fn row_facts(place: &str, metric: &str, row: &Row, metrics: &BTreeMap<String, Metric>) -> RowFacts {
    let path = |document: &str| format!("{document}.by.{place}.{metric}");
    let lower = row.direction == crate::stats::Direction::Lower;
    RowFacts {
        place: place.to_owned(),
        metric: metric.to_owned(),
        label: label(metric, metrics.get(metric)),
        baseline: path("baseline"),
        trial: path("trial"),
        comparison: path("comparison"),
        improves: (row.difference != 0.0).then_some((row.difference < 0.0) == lower),
        verdict: row.verdict,
        format: super::wording::format(row),
    }
}

fn metric_facts(key: &str, metric: Option<&Metric>) -> MetricFacts {
    let lower = metric.is_none_or(|metric| metric.direction == crate::stats::Direction::Lower);
    MetricFacts {
        key: key.to_owned(),
        label: label(key, metric),
        unit: metric.map(|metric| metric.unit.clone()).unwrap_or_default(),
        doc: metric.map(|metric| metric.doc.clone()).unwrap_or_default(),
        better: if lower { "lower" } else { "higher" },
    }
}

/// How a metric is called in prose: its label, or its key in words.
pub(crate) fn label(key: &str, metric: Option<&Metric>) -> String {
    match metric.and_then(|metric| metric.label.clone()) {
        Some(label) => label,
        None if key == "kl" => "KL divergence".to_owned(),
        None => key.replace("eval_", "evaluation ").replace('_', " "),
    }
}

fn best(comparison: &Comparison, rows: &[RowFacts]) -> Option<RowFacts> {
    let gain = |row: &&RowFacts| {
        let found = &comparison.by[&row.place][&row.metric];
        let size = found.relative.unwrap_or(0.0).abs();
        if row.improves == Some(true) {
            size
        } else {
            -size
        }
    };
    rows.iter()
        .max_by(|a, b| gain(a).total_cmp(&gain(b)))
        .cloned()
}

fn figure_facts(figures: &Value) -> Vec<FigureFacts> {
    let caption = |name: &str, fact: &Value| match fact {
        Value::String(text) => text.clone(),
        other => other
            .get("caption")
            .or_else(|| other.get("title"))
            .and_then(Value::as_str)
            .map_or_else(|| name.replace('_', " "), str::to_owned),
    };
    figures
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, fact)| FigureFacts {
            name: name.clone(),
            caption: caption(name, fact),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_typed_setting_becomes_a_reference_and_other_numbers_stay() {
        let text = "Use 0.001 in place of 0.0003, not 10.001 or v0.001.";
        let text = replace_number(text, &json!(0.001), "REF");
        assert_eq!(text, "Use REF in place of 0.0003, not 10.001 or v0.001.");
    }
}
