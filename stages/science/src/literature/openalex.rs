//! OpenAlex: `works?search=` (developers.openalex.org). Abstracts come as an inverted index.

use std::collections::BTreeMap;

use serde_json::Value;

use super::library::{Access, Library, Paper, Question, json, names, text};

pub(crate) struct OpenAlex;

/// What is asked of each work.
const FIELDS: &str = "id,doi,display_name,publication_year,cited_by_count,authorships,primary_location,abstract_inverted_index";

impl Library for OpenAlex {
    fn name(&self) -> &'static str {
        "openalex"
    }

    fn base_url(&self) -> &'static str {
        "https://api.openalex.org"
    }

    fn access(&self) -> Access {
        Access::Query {
            secret: "OPENALEX_API_KEY",
            name: "api_key",
        }
    }

    fn question(&self, words: &str, most: usize) -> Question {
        Question {
            path: "/works",
            query: vec![
                ("search", words.to_owned()),
                ("per-page", most.to_string()),
                ("select", FIELDS.to_owned()),
            ],
        }
    }

    fn read(&self, body: &str) -> Result<Vec<Paper>, String> {
        let answer = json(body)?;
        let works = answer.get("results").and_then(Value::as_array);
        Ok(works
            .ok_or("it has no `results`")?
            .iter()
            .filter_map(paper)
            .collect())
    }
}

fn paper(value: &Value) -> Option<Paper> {
    let doi = text(value, "/doi");
    Some(Paper {
        title: text(value, "/display_name")?,
        authors: names(value.get("authorships"), "/author/display_name"),
        venue: text(value, "/primary_location/source/display_name"),
        year: value.get("publication_year").and_then(Value::as_i64),
        citations: value.get("cited_by_count").and_then(Value::as_u64),
        summary: value.get("abstract_inverted_index").and_then(unfolded),
        id: doi
            .as_deref()
            .map(|doi| doi.trim_start_matches("https://doi.org/").to_owned()),
        url: doi.or_else(|| text(value, "/id")),
        source: "openalex".to_owned(),
    })
}

/// The text of an inverted index: each word with the places where it stands.
fn unfolded(index: &Value) -> Option<String> {
    let mut places = BTreeMap::new();
    for (word, at) in index.as_object()? {
        for place in at.as_array()?.iter().filter_map(Value::as_u64) {
            places.insert(place, word.as_str());
        }
    }
    let words: Vec<&str> = places.into_values().collect();
    (!words.is_empty()).then(|| words.join(" "))
}
