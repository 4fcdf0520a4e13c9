//! The reviews of one version of a paper as the page shows them. It reads summaries of `review/aggregate`
//! and `review/meta`, also those of earlier versions, which lack some of their fields.

use serde::Serialize;
use serde_json::Value;

/// The reviews of one version of a paper.
#[derive(Debug, Serialize)]
pub(super) struct Reviewed {
    pub(super) version: &'static str,
    pub(super) scores: Vec<(String, String)>,
    pub(super) decision: Option<String>,
    /// What a calibration says of the overall score; nothing where none was given.
    pub(super) calibrated: Option<String>,
    pub(super) passed: usize,
    pub(super) total: usize,
    pub(super) failed: Vec<Failed>,
    pub(super) weaknesses: Vec<String>,
    pub(super) strengths: Vec<String>,
    /// Who reviewed, and how many reviews there are.
    pub(super) panel: String,
    /// Reviews that could not be had.
    pub(super) missing: Vec<String>,
    /// What the area chair wrote, with who it is; nothing if there was none.
    pub(super) chair: Option<String>,
    pub(super) points: Vec<Weighed>,
    /// What speaks to the reviewer in the paper.
    pub(super) screened: Vec<Spoken>,
    /// Who screened the paper; nothing where nobody did.
    pub(super) screening: Option<String>,
    /// Quotes of the paper in the reviews; none where reviewers were not asked for them.
    pub(super) quotes: Option<u64>,
    /// Those that are not in the paper, each with who wrote it.
    pub(super) unverified: Vec<Unverified>,
}

/// One point of a meta-review.
#[derive(Debug, Serialize)]
pub(super) struct Weighed {
    pub(super) kind: String,
    pub(super) text: String,
    pub(super) reviews: String,
}

/// A place that speaks to the reviewer.
#[derive(Debug, Serialize)]
pub(super) struct Spoken {
    pub(super) why: String,
    /// Where it stands, and who found it.
    pub(super) place: String,
    pub(super) quote: String,
}

/// A quote that is not in the paper.
#[derive(Debug, Serialize)]
pub(super) struct Unverified {
    pub(super) text: String,
    pub(super) reviewer: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Failed {
    pub(super) check: String,
    pub(super) severity: String,
    pub(super) message: String,
    pub(super) place: String,
}

/// A summary of `review/aggregate` in words.
pub(super) fn reviewed(version: &'static str, summary: &Value) -> Reviewed {
    let scores = summary["scores"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, spread)| {
            let number = |key: &str| spread[key].as_f64();
            let value = number("value").or(number("mean")).unwrap_or(0.0);
            let spread = match (number("min"), number("max"), spread["n"].as_u64()) {
                (Some(least), Some(most), Some(n)) if n > 1 => {
                    format!(" ({least} to {most}, n = {n})")
                }
                _ => String::new(),
            };
            (name.replace('_', " "), format!("{value:.1}{spread}"))
        });
    let decision = summary["accept"].as_bool().map(|accept| {
        let capped = summary["capped_by"]
            .as_array()
            .is_some_and(|list| !list.is_empty());
        match (accept, capped) {
            (true, _) => "accept".to_owned(),
            (false, true) => "reject: an integrity check failed".to_owned(),
            (false, false) => "reject".to_owned(),
        }
    });
    let failed = summary["checks"]["failed"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|finding| {
            let word = |key: &str| finding[key].as_str().unwrap_or_default().to_owned();
            let place = match (
                finding["place"]["section"].as_str(),
                finding["place"]["line"].as_u64(),
            ) {
                (Some(section), Some(line)) => format!("{section}, line {line}"),
                _ => String::new(),
            };
            Failed {
                check: word("check").replace('_', " "),
                severity: word("severity"),
                message: word("message"),
                place,
            }
        });
    let points = |key: &str| {
        let list = summary[key].as_array().into_iter().flatten();
        list.filter_map(|point| point["text"].as_str().map(str::to_owned))
            .collect()
    };
    Reviewed {
        version,
        scores: scores.collect(),
        decision,
        calibrated: calibrated(&summary["calibrated"]),
        passed: usize::try_from(summary["checks"]["passed"].as_u64().unwrap_or(0)).unwrap_or(0),
        total: usize::try_from(summary["checks"]["total"].as_u64().unwrap_or(0)).unwrap_or(0),
        failed: failed.collect(),
        weaknesses: points("weaknesses"),
        strengths: points("strengths"),
        panel: panel(summary),
        missing: texts(&summary["missing"], |one| one["message"].as_str()),
        chair: summary["meta"]["points"]
            .as_array()
            .filter(|points| !points.is_empty())
            .and_then(|_| summary["meta"]["chair"].as_str().map(str::to_owned)),
        points: weighed(summary),
        screened: spoken(&summary["screening"]["places"]),
        screening: screening(&summary["screening"]),
        quotes: summary["evidence"]["quotes"].as_u64(),
        unverified: unverified(summary),
    }
}

fn calibrated(found: &Value) -> Option<String> {
    let words = crate::stats::calibrated(found)?;
    let words = words.trim_start_matches("; calibrated");
    let differs = texts(&found["differs"], Value::as_str);
    let differs = differs.iter().map(|one| format!("; {one}"));
    Some(format!(
        "Calibrated{words}; made on {}{}",
        found["source"].as_str().unwrap_or_default(),
        differs.collect::<String>()
    ))
}

fn spoken(places: &Value) -> Vec<Spoken> {
    let place = |place: &Value| {
        let line = place["line"].as_u64().map(|line| format!(", line {line}"));
        let layers = texts(&place["layers"], Value::as_str).join(" and ");
        let by = if layers.is_empty() { "" } else { ", found by " };
        Spoken {
            why: place["why"].as_str().unwrap_or_default().to_owned(),
            place: format!(
                "{}{}{by}{layers}",
                place["source"].as_str().unwrap_or_default(),
                line.unwrap_or_default()
            ),
            quote: place["quote"].as_str().unwrap_or_default().to_owned(),
        }
    };
    places.as_array().into_iter().flatten().map(place).collect()
}

/// `by code and by openai/m`, with what speaks against relying on the model.
fn screening(screening: &Value) -> Option<String> {
    screening.as_object()?;
    let model = &screening["model"];
    let Some(name) = model["screener"].as_str() else {
        return Some("by code".to_owned());
    };
    if name == kyobashi_stage::BASELINE {
        return Some("by code; no model was asked".to_owned());
    }
    let mut words = format!("by code and by {name}");
    if model["probe_named"] == false {
        words += ", which overlooked the sentence that was planted to see whether it looks";
    }
    let dropped = model["dropped"].as_object().into_iter().flatten();
    let dropped: u64 = dropped.filter_map(|(_, n)| n.as_u64()).sum();
    if dropped > 0 {
        words += &format!("; {dropped} of the passages it named could not be used");
    }
    Some(words)
}

fn texts<'v>(list: &'v Value, text: impl Fn(&'v Value) -> Option<&'v str>) -> Vec<String> {
    let items = list.as_array().into_iter().flatten();
    items.filter_map(text).map(str::to_owned).collect()
}

/// `3 reviews by a/b and c/d; each score is their median`.
fn panel(summary: &Value) -> String {
    let scored = summary["scored"].as_u64().unwrap_or(0);
    if scored == 0 {
        return String::new();
    }
    let who = texts(&summary["reviewers"], Value::as_str).join(" and ");
    let plural = if scored == 1 { "" } else { "s" };
    let statistic = match (scored, summary["statistic"].as_str()) {
        (1, _) | (_, None) => String::new(),
        (_, Some(word)) => format!("; each score is their {}", word.replace('_', " ")),
    };
    format!("{scored} review{plural} by {who}{statistic}")
}

fn weighed(summary: &Value) -> Vec<Weighed> {
    let points = summary["meta"]["points"].as_array().into_iter().flatten();
    let point = |point: &Value| Weighed {
        kind: point["kind"].as_str().unwrap_or_default().to_owned(),
        text: point["text"].as_str().unwrap_or_default().to_owned(),
        reviews: point["reviews"]
            .as_array()
            .into_iter()
            .flatten()
            .map(Value::to_string)
            .collect::<Vec<_>>()
            .join(", "),
    };
    points.map(point).collect()
}

fn unverified(summary: &Value) -> Vec<Unverified> {
    let quotes = summary["evidence"]["unverified"].as_array();
    let quote = |quote: &Value| Unverified {
        text: quote["text"].as_str().unwrap_or_default().to_owned(),
        reviewer: quote["reviewer"].as_str().unwrap_or_default().to_owned(),
    };
    quotes.into_iter().flatten().map(quote).collect()
}
