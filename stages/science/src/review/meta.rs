//! `review/meta`: what the reviews of a panel say together, in the words of an area chair.
//!
//! The chair writes prose and nothing else: scores and decision are those of `review/aggregate`. Every
//! point names the reviews that it rests on, and holds no number that stands in none of them.

use std::collections::BTreeSet;

use kyobashi_stage::{Call, Context, Failure, Model, Output, Outputs, Port, Signature, Stage};
use minijinja::value::Serde;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::aggregate::worst;
use crate::llm::{Ask, Client, Judged, Schema, converse, last_object, object, set, settings};

const SYSTEM: &str = include_str!("../../../../pipelines/prompts/meta_review_system.md");
const PROMPT: &str = include_str!("../../../../pipelines/prompts/meta_review.md");

/// How often a chair is told what is wrong with its meta-review.
const REASKS: usize = 2;

/// The kinds of points, in the order in which they are read.
const KINDS: [&str; 4] = ["agreement", "disagreement", "decisive", "advice"];

/// Remarks that are as alike as this say the same thing.
const ALIKE: f64 = 0.6;

pub(crate) struct Meta(pub(crate) Client);

/// One point of a meta-review.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Point {
    /// One of [`KINDS`].
    kind: String,
    text: String,
    /// The reviews that it rests on, from 1 in the order of the panel.
    reviews: Vec<usize>,
}

impl Stage for Meta {
    fn signature(&self) -> Signature {
        Signature {
            ins: vec![
                Port::new("reviews", "list<Review>", "the reviews of one paper"),
                Port::new("summary", "json", "what `review/aggregate` made of them"),
            ],
            with: settings(vec![Port::new(
                "instructions",
                "text?",
                "standing instructions to the chair, in place of the built-in ones",
            )]),
            outs: vec![Port::new(
                "summary",
                "json",
                "the same summary with `meta`: {chair, provenance, points: [{kind, text, reviews}]}",
            )],
            model: true,
            ..Signature::new("review/meta", 1, "Write a meta-review")
        }
    }

    fn run(&self, call: &Call, context: &dyn Context) -> Result<Outputs, Failure> {
        let all: Vec<Map<String, Value>> = call.get("reviews")?;
        let mut summary: Map<String, Value> = call.get("summary")?;
        let reviews: Vec<&Map<String, Value>> = all
            .iter()
            .filter(|review| review.get("form").and_then(Value::as_str) != Some("checks"))
            .collect();
        let model = call.model.as_ref().filter(|model| !model.is_baseline());
        // Without a reviewer there is nothing to weigh, so no chair is asked.
        let model = model.filter(|_| !reviews.is_empty());
        let points = match model {
            Some(model) => self.by_model(call, model, &reviews, &summary, context)?,
            None => shared(&reviews),
        };
        let provenance = model.map_or("baseline", |model| self.0.provenance(model));
        let chair = model.map_or("baseline".to_owned(), Model::to_string);
        let meta = json!({"chair": chair, "provenance": provenance, "points": points});
        summary.insert("meta".to_owned(), meta);
        let known = summary.get("provenance").and_then(Value::as_str);
        if !points.is_empty() {
            let both = [known.unwrap_or_default(), provenance].map(str::to_owned);
            summary.insert("provenance".to_owned(), worst(both.into_iter()).into());
        }
        Ok(Outputs::from([(
            "summary".to_owned(),
            Output::value(Value::Object(summary)),
        )]))
    }
}

impl Meta {
    fn by_model(
        &self,
        call: &Call,
        model: &Model,
        reviews: &[&Map<String, Value>],
        summary: &Map<String, Value>,
        context: &dyn Context,
    ) -> Result<Vec<Point>, Failure> {
        let system = if call.has("instructions") {
            call.text("instructions")?
        } else {
            SYSTEM.to_owned()
        };
        let shown: Vec<String> = reviews.iter().map(|review| written(review)).collect();
        let scores = scores(summary);
        let decision = match summary.get("accept").and_then(Value::as_bool) {
            Some(true) => "accept",
            Some(false) => "reject",
            None => "none",
        };
        let statistic = summary.get("statistic").and_then(Value::as_str);
        let facts = json!({
            "reviews": shown,
            "scores": scores,
            "statistic": statistic.unwrap_or("mean").replace('_', " "),
            "decision": decision,
        });
        let prompt = minijinja::Environment::new()
            .render_str(PROMPT, Serde(facts))
            .map_err(|error| Failure::bug(format!("the prompt of the meta-review: {error:#}")))?;
        let point = object(vec![
            ("kind".to_owned(), json!({"type": "string", "enum": KINDS})),
            ("text".to_owned(), json!({"type": "string"})),
            (
                "reviews".to_owned(),
                json!({"type": "array", "items": {"type": "integer"}}),
            ),
        ]);
        let mut ask = Ask {
            schema: Some(Schema {
                name: "meta_review".to_owned(),
                schema: object(vec![(
                    "points".to_owned(),
                    json!({"type": "array", "items": point}),
                )]),
            }),
            settings: set(call, model)?,
            sample: call.get("sample")?,
            ..Ask::new(system.trim(), prompt.trim())
        };
        let known = numbers(&[shown.join("\n"), scores.join("\n")].join("\n"));
        let read = |reply: &str| read(reply, reviews.len(), &known);
        converse(&self.0, model, &mut ask, context, REASKS, &read)
    }
}

/// What a reviewer wrote, field by field, without what the program added.
fn written(review: &Map<String, Value>) -> String {
    const ADDED: [&str; 10] = [
        "screening",
        "form",
        "reviewer",
        "provenance",
        "sample",
        "repaired",
        "effort",
        "passed",
        "failed",
        "paper_id",
    ];
    let own = review
        .iter()
        .filter(|(key, _)| !ADDED.contains(&key.as_str()));
    let lines = own.map(|(key, value)| {
        let text = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        // A review cannot close its own delimiter.
        format!("{key}: {}", text.replace("</review>", "</ review>"))
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn scores(summary: &Map<String, Value>) -> Vec<String> {
    let scores = summary.get("scores").and_then(Value::as_object);
    let line = |(name, spread): (&String, &Value)| {
        let number = |key: &str| spread[key].as_f64().unwrap_or_default();
        format!(
            "{name}: {:.1}, from {} to {}, n = {}",
            number("value"),
            number("min"),
            number("max"),
            spread["n"]
        )
    };
    scores.into_iter().flatten().map(line).collect()
}

/// The numbers of a text, as they are written.
fn numbers(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut number = String::new();
    for sign in text.chars().chain([' ']) {
        if sign.is_ascii_digit() || (sign == '.' && !number.is_empty()) {
            number.push(sign);
        } else if !number.is_empty() {
            let plain = number.trim_end_matches('.');
            found.insert(plain.to_owned());
            // 6.0 in the scores is 6 in prose.
            if let Some(whole) = plain.strip_suffix(".0") {
                found.insert(whole.to_owned());
            }
            number.clear();
        }
    }
    found
}

fn read(reply: &str, n: usize, known: &BTreeSet<String>) -> Judged<Vec<Point>> {
    let found = last_object(reply, |value| points(value, n, known).map(|_| ()))?;
    Ok((points(&found.value, n, known)?, found.repaired))
}

fn points(value: &Value, n: usize, known: &BTreeSet<String>) -> Result<Vec<Point>, String> {
    let list = value.get("points").cloned().unwrap_or_default();
    let points: Vec<Point> =
        serde_json::from_value(list).map_err(|error| format!("`points`: {error}"))?;
    for (place, point) in points.iter().enumerate() {
        let place = place + 1;
        if !KINDS.contains(&point.kind.as_str()) {
            return Err(format!(
                "point {place} is of the kind `{}`; the kinds are {}",
                point.kind,
                KINDS.join(", ")
            ));
        }
        if point.text.trim().is_empty() {
            return Err(format!("point {place} says nothing"));
        }
        if point.reviews.is_empty() {
            return Err(format!("point {place} names no review that it rests on"));
        }
        if let Some(other) = point
            .reviews
            .iter()
            .find(|number| !(1..=n).contains(*number))
        {
            return Err(format!(
                "point {place} rests on review {other}; there are {n}"
            ));
        }
        let plain = numbers(&point.text);
        let own: BTreeSet<String> = (1..=n).map(|number| number.to_string()).collect();
        if let Some(number) = plain
            .difference(known)
            .find(|number| !own.contains(*number))
        {
            return Err(format!(
                "point {place} holds the number {number}, which stands in no review"
            ));
        }
    }
    if !points.iter().any(|point| point.kind == "decisive") {
        return Err("no point is `decisive`".to_owned());
    }
    let rank = |point: &Point| KINDS.iter().position(|kind| *kind == point.kind);
    let mut sorted = points;
    sorted.sort_by_key(rank);
    Ok(sorted)
}

/// Without a chair: the remarks that several reviewers make in nearly the same words, quoted.
fn shared(reviews: &[&Map<String, Value>]) -> Vec<Point> {
    let remarks = |review: &Map<String, Value>| -> Vec<String> {
        let lists = ["weaknesses", "strengths"].iter();
        lists
            .filter_map(|key| review.get(*key)?.as_array())
            .flatten()
            .filter_map(|remark| remark.as_str().map(str::to_owned))
            .collect()
    };
    let mut found: Vec<Point> = Vec::new();
    for (place, review) in reviews.iter().enumerate() {
        for remark in remarks(review) {
            let same = |point: &&mut Point| strsim::sorensen_dice(&point.text, &remark) >= ALIKE;
            match found.iter_mut().find(same) {
                Some(point) if point.reviews.contains(&(place + 1)) => {}
                Some(point) => point.reviews.push(place + 1),
                None => found.push(Point {
                    kind: KINDS[0].to_owned(),
                    text: remark,
                    reviews: vec![place + 1],
                }),
            }
        }
    }
    found.retain(|point| point.reviews.len() > 1);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(text: &str, reviews: &[usize]) -> Result<Vec<Point>, String> {
        let known = numbers("few seeds: 3; overall: 6.0, n = 2");
        let reply = json!({"points": [{"kind": "decisive", "text": text, "reviews": reviews}]});
        read(&reply.to_string(), 2, &known).map(|(points, _)| points)
    }

    #[test]
    fn a_point_rests_on_reviews_that_are_there_and_makes_up_no_number() {
        assert_eq!(
            judged("Both ask for more than 3 seeds; overall 6.", &[1, 2])
                .unwrap()
                .len(),
            1
        );
        assert!(
            judged("Few seeds.", &[])
                .unwrap_err()
                .contains("names no review")
        );
        assert!(
            judged("Few seeds.", &[3])
                .unwrap_err()
                .contains("there are 2")
        );
        assert!(
            judged("A gain of 12.5 percent.", &[1])
                .unwrap_err()
                .contains("12.5")
        );
        let none = read(r#"{"points": []}"#, 2, &BTreeSet::new());
        assert!(none.unwrap_err().contains("decisive"));
    }

    #[test]
    fn without_a_chair_only_what_several_say_is_quoted() {
        let review = |weakness: &str| {
            let value = json!({"weaknesses": [weakness, "Nobody else says this."]});
            value.as_object().unwrap().clone()
        };
        let (one, two) = (
            review("Only three seeds were run."),
            review("Only three seeds are run."),
        );
        let other = json!({"weaknesses": ["No image was tried."]});
        let found = shared(&[&one, &two, other.as_object().unwrap()]);
        let both = found
            .iter()
            .find(|point| point.text.contains("three seeds"))
            .unwrap();
        assert_eq!(both.reviews, [1, 2]);
        assert!(found.iter().all(|point| !point.text.contains("image")));
    }
}
