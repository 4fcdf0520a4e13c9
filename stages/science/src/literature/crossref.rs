//! Crossref: `works?query=` (api.crossref.org). Abstracts come as JATS, and for a part of the works only.

use serde_json::Value;

use super::library::{Access, Library, Paper, Question, json, one_line, text};

pub(crate) struct Crossref;

/// What is asked of each work.
const FIELDS: &str = "DOI,title,author,container-title,issued,is-referenced-by-count,abstract,URL";

impl Library for Crossref {
    fn name(&self) -> &'static str {
        "crossref"
    }

    fn base_url(&self) -> &'static str {
        "https://api.crossref.org"
    }

    fn access(&self) -> Access {
        Access::Open
    }

    fn polite(&self) -> bool {
        true
    }

    fn question(&self, words: &str, most: usize) -> Question {
        Question {
            path: "/works",
            query: vec![
                ("query", words.to_owned()),
                ("rows", most.to_string()),
                ("select", FIELDS.to_owned()),
            ],
        }
    }

    fn read(&self, body: &str) -> Result<Vec<Paper>, String> {
        let answer = json(body)?;
        let works = answer.pointer("/message/items").and_then(Value::as_array);
        Ok(works
            .ok_or("it has no `message.items`")?
            .iter()
            .filter_map(paper)
            .collect())
    }
}

fn paper(value: &Value) -> Option<Paper> {
    let authors = value.get("author").and_then(Value::as_array);
    let name = |author: &Value| {
        let parts: Vec<String> = ["/given", "/family", "/name"]
            .iter()
            .filter_map(|at| text(author, at))
            .collect();
        (!parts.is_empty()).then(|| parts.join(" "))
    };
    Some(Paper {
        title: text(value, "/title/0")?,
        authors: authors.into_iter().flatten().filter_map(name).collect(),
        venue: text(value, "/container-title/0"),
        year: value
            .pointer("/issued/date-parts/0/0")
            .and_then(Value::as_i64),
        citations: value.get("is-referenced-by-count").and_then(Value::as_u64),
        summary: text(value, "/abstract").map(|jats| bare(&jats)),
        id: text(value, "/DOI"),
        url: text(value, "/URL"),
        source: "crossref".to_owned(),
    })
}

/// A text without its tags.
fn bare(jats: &str) -> String {
    let mut text = String::new();
    let mut inside = false;
    for sign in jats.chars() {
        match sign {
            '<' => inside = true,
            '>' if inside => {
                inside = false;
                text.push(' ');
            }
            _ if !inside => text.push(sign),
            _ => {}
        }
    }
    let text = text
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&");
    one_line(&text)
}
