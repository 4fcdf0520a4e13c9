//! Semantic Scholar's Graph API: `paper/search` (api.semanticscholar.org/api-docs/graph).

use serde_json::Value;

use super::library::{Access, Library, Paper, Question, json, names, text};

pub(crate) struct SemanticScholar;

/// What is asked of each paper.
const FIELDS: &str = "title,authors,venue,year,abstract,citationCount,externalIds,url";

impl Library for SemanticScholar {
    fn name(&self) -> &'static str {
        "semantic_scholar"
    }

    fn base_url(&self) -> &'static str {
        "https://api.semanticscholar.org/graph/v1"
    }

    fn access(&self) -> Access {
        Access::Header {
            secret: "S2_API_KEY",
            header: "x-api-key",
        }
    }

    fn question(&self, words: &str, most: usize) -> Question {
        Question {
            path: "/paper/search",
            query: vec![
                // The service reads a hyphen as an operator and then finds nothing.
                ("query", words.replace('-', " ")),
                ("limit", most.to_string()),
                ("fields", FIELDS.to_owned()),
            ],
        }
    }

    fn read(&self, body: &str) -> Result<Vec<Paper>, String> {
        let answer = json(body)?;
        let total = answer.get("total").and_then(Value::as_u64);
        let papers = match (answer.get("data").and_then(Value::as_array), total) {
            (Some(papers), _) => papers.as_slice(),
            // Nothing found is told without `data`.
            (None, Some(0)) => &[],
            (None, _) => return Err("it has no `data`".to_owned()),
        };
        Ok(papers.iter().filter_map(paper).collect())
    }
}

fn paper(value: &Value) -> Option<Paper> {
    let ids = [
        ("/externalIds/DOI", ""),
        ("/externalIds/ArXiv", "arXiv:"),
        ("/paperId", ""),
    ];
    Some(Paper {
        title: text(value, "/title")?,
        authors: names(value.get("authors"), "/name"),
        venue: text(value, "/venue"),
        year: value.get("year").and_then(Value::as_i64),
        citations: value.get("citationCount").and_then(Value::as_u64),
        summary: text(value, "/abstract"),
        id: ids
            .iter()
            .find_map(|(at, prefix)| Some(format!("{prefix}{}", text(value, at)?))),
        url: text(value, "/url"),
        source: "semantic_scholar".to_owned(),
    })
}
