//! The built-in shapes of the pipeline language: `Idea`, `Review`, `Paper`, `Metrics`.

use std::collections::BTreeMap;

use kyobashi_stage::{Field, Shape};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A research idea.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Idea {
    /// Lower snake case; unique within a study.
    pub name: String,
    pub title: String,
    /// What is done and what is measured, in a few sentences.
    pub experiment: String,
    /// The author's own ratings, 1 to 10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interestingness: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feasibility: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub novelty: Option<i64>,
    /// A patch of the template's configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<Map<String, Value>>,
    /// A program file of the template, if not the baseline's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<String>,
}

/// The shapes that this crate's stages hand on, by name.
#[must_use]
pub fn shapes() -> BTreeMap<String, Shape> {
    let shape = |fields: Vec<(&str, Field)>, open: bool| Shape {
        fields: fields
            .into_iter()
            .map(|(name, field)| (name.to_owned(), field))
            .collect(),
        open,
    };
    let idea = shape(
        vec![
            ("name", Field::new("str")),
            ("title", Field::new("str")),
            ("experiment", Field::new("str")),
            ("interestingness", Field::range("int?", 1.0, 10.0)),
            ("feasibility", Field::range("int?", 1.0, 10.0)),
            ("novelty", Field::range("int?", 1.0, 10.0)),
            ("config", Field::new("json?")),
            ("program", Field::new("str?")),
        ],
        false,
    );
    // A model fills in the form it was given, whose fields are the form's own; so only what every
    // review has is fixed here.
    let review = shape(
        vec![
            ("form", Field::new("str")),
            ("reviewer", Field::new("str")),
            (
                "provenance",
                Field::one_of(&["live", "local", "scripted", "baseline"]),
            ),
            ("sample", Field::range("int", 0.0, f64::from(u32::MAX))),
            ("overall", Field::range("int?", 1.0, 10.0)),
        ],
        true,
    );
    let paper = shape(
        vec![("paper_id", Field::new("str")), ("file", Field::new("str"))],
        true,
    );
    BTreeMap::from([
        ("Idea".to_owned(), idea),
        ("Paper".to_owned(), paper),
        ("Review".to_owned(), review),
        ("Metrics".to_owned(), shape(Vec::new(), true)),
    ])
}
