//! What the reviewers of one paper quote of it, counted over the reviews: how many quotes, and which of
//! them are not in the paper. It reads the marks that `llm/review` left and looks nothing up itself.

use serde::Serialize;
use serde_json::{Map, Value};

/// The quotes of all reviews of one paper.
#[derive(Debug, Serialize)]
pub(super) struct Evidence {
    /// Quotes in all reviews that were asked for them.
    quotes: usize,
    /// Those that are not in the paper, with who wrote them.
    unverified: Vec<Point>,
}

/// A remark or a quote, with who made it.
#[derive(Debug, Serialize)]
pub(super) struct Point {
    text: String,
    reviewer: String,
    sample: i64,
}

impl Point {
    /// A text of a review.
    pub(super) fn of(review: &Map<String, Value>, text: &str) -> Self {
        let reviewer = review.get("reviewer").and_then(Value::as_str);
        Self {
            text: text.to_owned(),
            reviewer: reviewer.unwrap_or_default().to_owned(),
            sample: review.get("sample").and_then(Value::as_i64).unwrap_or(0),
        }
    }
}

impl Evidence {
    /// Nothing if no review was asked for evidence.
    pub(super) fn of(reviews: &[&Map<String, Value>]) -> Option<Evidence> {
        let mut all: Option<Evidence> = None;
        for review in reviews {
            let Some(list) = review
                .get("evidence")
                .and_then(|evidence| evidence.get("quotes"))
                .and_then(Value::as_array)
            else {
                continue;
            };
            let all = all.get_or_insert(Evidence {
                quotes: 0,
                unverified: Vec::new(),
            });
            all.quotes += list.len();
            let lost = list.iter().filter(|quote| quote["status"] == "unverified");
            let texts = lost.map(|quote| quote["text"].as_str().unwrap_or_default());
            all.unverified
                .extend(texts.map(|text| Point::of(review, text)));
        }
        all
    }
}
