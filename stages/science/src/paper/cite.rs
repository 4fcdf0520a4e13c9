//! Rounds in which a model looks for works that its paper should cite. A work gets onto the list only if a
//! library told of it, so none can be made up.

use std::collections::BTreeSet;

use kyobashi_stage::Failure;
use serde_json::{Value, json};

use super::author::Author;
use super::works::{Work, work};
use crate::literature::{Desk, Paper};
use crate::llm::{Judged, Schema, Turn, last_object, object};

const ASK: &str = include_str!("../../../../pipelines/prompts/cite.md");
const CHOOSE: &str = include_str!("../../../../pipelines/prompts/cite_choose.md");

/// How often a model is told what was wrong with a reply.
const REASKS: usize = 2;

/// Looks for works in at most `rounds` questions and puts those that were chosen onto the list.
///
/// # Errors
/// If the model does not answer, or the run is being stopped.
pub(super) fn cite(
    author: &Author<'_>,
    desk: &Desk,
    rounds: usize,
    draft: &str,
    works: &mut Vec<Work>,
) -> Result<(), Failure> {
    for round in 0..rounds {
        if !desk.staffed() {
            return Ok(());
        }
        let facts = json!({"draft": draft, "works": &*works, "rounds": rounds - round});
        let mut ask = author.ask(ASK, facts)?;
        ask.schema = Some(schema("question", vec![("query", text()), ("why", text())]));
        let (reply, (query, why)) = author.converse(&mut ask, REASKS, &question)?;
        if query.is_empty() {
            return Ok(());
        }
        let found = desk.search(&query, author.context)?;
        let new: Vec<Paper> = found
            .papers
            .into_iter()
            .filter(|paper| !works.iter().any(|work| same(work, paper)))
            .collect();
        if new.is_empty() {
            continue;
        }
        ask.turns.push(Turn::model(&reply));
        let facts = json!({"found": listed(&new), "why": why});
        ask.turns
            .push(Turn::user(&super::author::filled(CHOOSE, facts)?));
        let numbers = json!({"type": "array", "items": {"type": "integer"}});
        ask.schema = Some(schema("chosen", vec![("papers", numbers)]));
        let count = new.len();
        let read = |reply: &str| chosen(reply, count);
        let numbers = author.converse(&mut ask, REASKS, &read)?;
        for number in numbers {
            let taken: BTreeSet<String> = works.iter().map(|work| work.key.clone()).collect();
            works.push(work(&new[number - 1], &taken));
        }
    }
    Ok(())
}

fn text() -> Value {
    json!({"type": "string"})
}

fn schema(name: &str, fields: Vec<(&str, Value)>) -> Schema {
    let fields = fields
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value));
    Schema {
        name: name.to_owned(),
        schema: object(fields.collect()),
    }
}

fn same(work: &Work, paper: &Paper) -> bool {
    work.title.to_lowercase() == paper.title.to_lowercase()
}

fn listed(papers: &[Paper]) -> String {
    let lines = papers.iter().enumerate().map(|(place, paper)| {
        let year = paper
            .year
            .map(|year| format!(" ({year})"))
            .unwrap_or_default();
        let people: Vec<&str> = paper.authors.iter().take(4).map(String::as_str).collect();
        let summary: String = paper
            .summary
            .iter()
            .flat_map(|text| text.chars().take(400))
            .collect();
        format!(
            "[{}] {}{year}. {}. {summary}",
            place + 1,
            paper.title,
            people.join(", ")
        )
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn question(reply: &str) -> Judged<(String, (String, String))> {
    let read = |value: &Value| match (value["query"].as_str(), value["why"].as_str()) {
        (Some(query), Some(why)) => Ok((query.trim().to_owned(), why.trim().to_owned())),
        _ => Err("`query` and `why` must be strings".to_owned()),
    };
    let found = last_object(reply, |value| read(value).map(|_| ()))?;
    Ok(((reply.to_owned(), read(&found.value)?), found.repaired))
}

fn chosen(reply: &str, count: usize) -> Judged<BTreeSet<usize>> {
    let read = |value: &Value| -> Result<BTreeSet<usize>, String> {
        let papers = value["papers"]
            .as_array()
            .ok_or("`papers` must be a list of numbers")?;
        let numbers = papers.iter().map(|paper| match paper.as_u64() {
            Some(number) if (1..=count as u64).contains(&number) => Ok(number as usize),
            _ => Err(format!(
                "there is no paper {paper}; they are numbered from 1 to {count}"
            )),
        });
        numbers.collect()
    };
    let found = last_object(reply, |value| read(value).map(|_| ()))?;
    Ok((read(&found.value)?, found.repaired))
}
