//! `review/aggregate`: several reviews of one paper, brought together by code.
//!
//! Scores are taken together by a rule, never argued about: no model may change them afterwards. A paper
//! that fails an integrity check is not accepted, whatever its scores.

use std::collections::{BTreeMap, BTreeSet};

use kyobashi_stage::{BASELINE, Call, Context, Failure, Output, Outputs, Port, Signature, Stage};
use serde::Serialize;
use serde_json::{Map, Value};

use super::quoted::{Evidence, Point};
use super::statistic::Statistic;
use crate::benchmark::{Calibrated, Meaning};
use crate::stats::Estimate;

pub(crate) struct Aggregate;

/// What `review/aggregate` makes.
#[derive(Debug, Serialize)]
struct Summary {
    /// `checks` if no model reviewed, else the name of the models' form.
    form: String,
    /// Reviews brought together.
    n: usize,
    /// Reviews by models, which alone have scores.
    scored: usize,
    reviewers: BTreeSet<String>,
    /// The worst of the reviews' provenances.
    provenance: String,
    /// Reviewers of the panel whose review is missing, with what went wrong.
    missing: Vec<Value>,
    /// Reviews that were there twice, because two roles of the panel are played by one model.
    repeated: usize,
    scores: BTreeMap<String, Spread>,
    /// Which of a score's figures is its `value`: `mean`, `median` or `rounded_mean`.
    statistic: &'static str,
    threshold: i64,
    /// Whether the overall score reaches the threshold and no integrity check failed; none
    /// without scores.
    accept: Option<bool>,
    /// The integrity checks that failed and so forbid acceptance.
    capped_by: Vec<String>,
    /// What the overall score means by a calibration, if one was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    calibrated: Option<Meaning>,
    checks: Option<Tally>,
    /// What the screening found in the paper, if it was screened.
    screening: Option<Value>,
    /// What the reviewers quote of the paper, where they were asked to.
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence: Option<Evidence>,
    strengths: Vec<Point>,
    weaknesses: Vec<Point>,
    questions: Vec<Point>,
    limitations: Vec<Point>,
}

/// One score over the reviewers.
#[derive(Debug, PartialEq, Serialize)]
struct Spread {
    /// The score that counts, by the chosen statistic.
    value: f64,
    mean: f64,
    /// 95 % interval of the mean after Student, where there are several reviews.
    ci: Option<[f64; 2]>,
    median: f64,
    /// Sample standard deviation; none for one reviewer.
    sd: Option<f64>,
    min: f64,
    max: f64,
    n: usize,
}

#[derive(Debug, Serialize)]
struct Tally {
    total: usize,
    passed: usize,
    failed: Vec<Value>,
}

impl Stage for Aggregate {
    fn signature(&self) -> Signature {
        Signature {
            ins: vec![
                Port::new("reviews", "list<Review>", "the reviews of one paper"),
                Port::new(
                    "missing",
                    "list<json>?",
                    "the `failed` of the panel: reviews that could not be had",
                ),
                Port::new(
                    "calibration",
                    "json?",
                    "what a score of these reviewers means, by `review/calibration`",
                ),
            ],
            with: vec![
                Port::or(
                    "threshold",
                    "int",
                    6,
                    "the overall score from which a paper is accepted",
                ),
                Port::or(
                    "statistic",
                    "str",
                    "mean",
                    "how scores become one: mean, median, rounded_mean",
                ),
            ],
            outs: vec![Port::new(
                "summary",
                "json",
                "mean, median and spread of each score; the remarks; the decision",
            )],
            ..Signature::new("review/aggregate", 3, "Bring reviews together")
        }
    }

    fn run(&self, call: &Call, _: &dyn Context) -> Result<Outputs, Failure> {
        let reviews: Vec<Map<String, Value>> = call.get("reviews")?;
        if reviews.is_empty() {
            return Err(Failure::new("there are no reviews to bring together"));
        }
        let statistic = Statistic::read(&call.get::<String>("statistic")?)?;
        let mut summary = summarise(&reviews, call.get("threshold")?, statistic);
        if call.has("missing") {
            summary.missing = call.get("missing")?;
        }
        if call.has("calibration") {
            let calibration = Calibrated::read(&call.value("calibration")?)?;
            summary.calibrated = calibrated(&calibration, &summary, statistic)?;
        }
        let value =
            serde_json::to_value(summary).map_err(|error| Failure::bug(error.to_string()))?;
        Ok(Outputs::from([(
            "summary".to_owned(),
            Output::value(value),
        )]))
    }
}

fn summarise(all: &[Map<String, Value>], threshold: i64, statistic: Statistic) -> Summary {
    let mut reviews: Vec<Map<String, Value>> = Vec::new();
    for review in all {
        // One reviewer's one sample is one opinion, however often the panel names it.
        let known = |other: &Map<String, Value>| {
            ["reviewer", "sample", "form"]
                .iter()
                .all(|key| other.get(*key) == review.get(*key))
        };
        if !reviews.iter().any(known) {
            reviews.push(review.clone());
        }
    }
    let repeated = all.len() - reviews.len();
    let reviews = reviews.as_slice();
    let text = |review: &Map<String, Value>, key: &str| {
        review
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let model: Vec<&Map<String, Value>> = reviews
        .iter()
        .filter(|review| text(review, "form") != "checks")
        .collect();
    let mut scores: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for review in &model {
        for (key, value) in review.iter().filter(|(key, _)| *key != "sample") {
            if let Some(score) = value.as_f64() {
                scores.entry(key.clone()).or_default().push(score);
            }
        }
    }
    let scores: BTreeMap<String, Spread> = scores
        .into_iter()
        .map(|(key, values)| (key, spread(values, statistic)))
        .collect();
    let checks = tally(reviews);
    let capped_by: Vec<String> = checks
        .iter()
        .flat_map(|tally| &tally.failed)
        .filter(|finding| finding["severity"] == "error")
        .filter_map(|finding| finding["check"].as_str().map(str::to_owned))
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    let accept = scores
        .get("overall")
        .map(|overall| overall.value >= threshold as f64 && capped_by.is_empty());
    let points = |key: &str| points(&model, key);
    Summary {
        form: model
            .first()
            .map_or_else(|| "checks".to_owned(), |review| text(review, "form")),
        n: reviews.len(),
        scored: model.len(),
        reviewers: reviews
            .iter()
            .map(|review| text(review, "reviewer"))
            .collect(),
        provenance: worst(reviews.iter().flat_map(|review| {
            [Some(text(review, "provenance")), screener(review)]
                .into_iter()
                .flatten()
        })),
        missing: Vec::new(),
        repeated,
        scores,
        statistic: statistic.word(),
        threshold,
        accept,
        capped_by,
        calibrated: None,
        checks,
        screening: reviews
            .iter()
            .find_map(|review| review.get("screening").cloned()),
        evidence: Evidence::of(&model),
        strengths: points("strengths"),
        weaknesses: points("weaknesses"),
        questions: points("questions"),
        limitations: points("limitations"),
    }
}

fn calibrated(
    calibration: &Calibrated,
    summary: &Summary,
    statistic: Statistic,
) -> Result<Option<Meaning>, Failure> {
    let score = |name: &str| {
        let spread = summary.scores.get(name)?;
        Some((spread.value, spread.n))
    };
    // Checks give no score, so they are no reviewers of the calibration's kind.
    let mut reviewers = summary.reviewers.clone();
    reviewers.remove(BASELINE);
    let capped = !summary.capped_by.is_empty();
    calibration.meaning(&score, &reviewers, &summary.form, statistic, capped)
}

fn spread(mut values: Vec<f64>, statistic: Statistic) -> Spread {
    values.sort_by(f64::total_cmp);
    let n = values.len();
    let mean = values.iter().sum::<f64>() / n as f64;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    Spread {
        value: statistic.of(&values),
        mean,
        ci: Estimate::of(&values, 0.95).ok().and_then(|found| found.ci),
        median: Statistic::Median.of(&values),
        sd: (n > 1).then(|| (squares / (n as f64 - 1.0)).sqrt()),
        min: values[0],
        max: values[n - 1],
        n,
    }
}

/// The checks of the first review that carries any: all reviews of a paper have the same.
fn tally(reviews: &[Map<String, Value>]) -> Option<Tally> {
    let list =
        |review: &Map<String, Value>, key: &str| review.get(key).and_then(Value::as_array).cloned();
    reviews.iter().find_map(|review| {
        let (passed, failed) = (list(review, "passed")?, list(review, "failed")?);
        let names: BTreeSet<String> = failed
            .iter()
            .filter_map(|finding| finding["check"].as_str().map(str::to_owned))
            .collect();
        Some(Tally {
            total: passed.len() + names.len(),
            passed: passed.len(),
            failed,
        })
    })
}

fn points(reviews: &[&Map<String, Value>], key: &str) -> Vec<Point> {
    let mut found = Vec::new();
    for review in reviews {
        for text in review
            .get(key)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
        {
            found.push(Point::of(review, text));
        }
    }
    found
}

/// The provenance of the model that screened the paper; none where no model was asked.
fn screener(review: &Map<String, Value>) -> Option<String> {
    let model = review.get("screening")?.get("model")?;
    let word = |key: &str| model.get(key).and_then(Value::as_str);
    let asked = word("screener").is_some_and(|name| name != BASELINE);
    word("provenance").filter(|_| asked).map(str::to_owned)
}

/// The worst of several provenances: live < local < scripted < baseline.
pub(super) fn worst(words: impl Iterator<Item = String>) -> String {
    const ORDER: [&str; 4] = ["live", "local", "scripted", "baseline"];
    let rank = words
        .filter_map(|word| ORDER.iter().position(|known| *known == word))
        .max();
    ORDER[rank.unwrap_or(0)].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn review(overall: i64, failed: Value) -> Map<String, Value> {
        let value = json!({
            "form": "neurips", "reviewer": "openai/m", "provenance": "live", "sample": overall, "overall": overall,
            "weaknesses": ["few seeds"], "decision": "Reject", "passed": ["a"], "failed": failed,
        });
        value.as_object().unwrap().clone()
    }

    #[test]
    fn the_decision_follows_the_scores_and_not_the_decision_field() {
        let summary = summarise(
            &[
                review(5, json!([])),
                review(8, json!([])),
                review(6, json!([])),
            ],
            6,
            Statistic::Mean,
        );
        assert_eq!(summary.accept, Some(true));
        let overall = &summary.scores["overall"];
        assert_eq!(
            (overall.median, overall.min, overall.max, overall.n),
            (6.0, 5.0, 8.0, 3)
        );
        assert!((overall.mean - 19.0 / 3.0).abs() < 1e-12);
        assert!(!summary.scores.contains_key("sample"));
        assert_eq!(summary.weaknesses.len(), 3);
    }

    #[test]
    fn the_statistic_decides_and_one_opinion_counts_once() {
        let reviews = [2, 6, 6, 6, 2].map(|overall| review(overall, json!([])));
        let mut panel: Vec<Map<String, Value>> = reviews.to_vec();
        for (place, review) in panel.iter_mut().enumerate() {
            review.insert("sample".to_owned(), place.into());
        }
        let of = |statistic| summarise(&panel, 6, statistic);
        let [mean, median, rounded] = [Statistic::Mean, Statistic::Median, Statistic::RoundedMean]
            .map(|statistic| of(statistic).scores["overall"].value);
        assert_eq!((mean, median, rounded), (4.4, 6.0, 4.0));
        assert_eq!(of(Statistic::Mean).accept, Some(false));
        assert_eq!(of(Statistic::Median).accept, Some(true));
        // 2.191 · t(4) / √5 = 2.72 around 4.4.
        let [low, high] = of(Statistic::Mean).scores["overall"].ci.unwrap();
        assert!(
            (low - 1.68).abs() < 0.01 && (high - 7.12).abs() < 0.01,
            "{low} {high}"
        );
        let twice = summarise(&[panel.clone(), panel].concat(), 6, Statistic::Mean);
        assert_eq!((twice.n, twice.repeated), (5, 5));
        assert!(Statistic::read("modus").is_err());
    }

    #[test]
    fn a_failed_integrity_check_forbids_acceptance() {
        let failed = json!([{"check": "claims_supported", "severity": "error"}]);
        let summary = summarise(&[review(9, failed)], 6, Statistic::Mean);
        assert_eq!(summary.accept, Some(false));
        assert_eq!(summary.capped_by, ["claims_supported"]);
    }

    #[test]
    fn reviews_by_checks_alone_have_no_score_and_no_decision() {
        let checks = json!({"form": "checks", "reviewer": "baseline", "provenance": "baseline", "sample": 0,
            "passed": ["a", "b"], "failed": [{"check": "c", "severity": "warning"}]});
        let summary = summarise(&[checks.as_object().unwrap().clone()], 6, Statistic::Mean);
        assert_eq!(
            (summary.accept, summary.form.as_str(), summary.scored),
            (None, "checks", 0)
        );
        assert!(summary.scores.is_empty());
        let tally = summary.checks.unwrap();
        assert_eq!((tally.total, tally.passed), (3, 2));
    }
}
