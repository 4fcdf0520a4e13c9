//! `ideas/archive`: what was proposed in a round of an open-ended study and what came of it, after all that
//! came before, so that whoever has the next ideas knows it.

use std::collections::BTreeMap;

use kyobashi_stage::{Call, Context, Failure, Output, Outputs, Port, Signature, Stage};
use serde_json::{Value, json};

use crate::shapes::Idea;
use crate::stats::{Comparison, verdict};

pub(crate) struct Archive;

/// The longest part of a failure's message that is kept, in characters.
const LONGEST: usize = 200;

impl Stage for Archive {
    fn signature(&self) -> Signature {
        Signature {
            ins: vec![
                Port::new("archive", "json?", "what was known before this round"),
                Port::new("proposed", "list<Idea>", "the ideas of this round"),
                Port::new("judged", "list<json>", "their verdicts, by `ideas/novelty`"),
                Port::new(
                    "ideas",
                    "list<Idea>",
                    "those whose paper was made, in the order of the other lists",
                ),
                Port::new(
                    "comparisons",
                    "list<json>",
                    "what they came to, by `stats/compare`",
                ),
                Port::new(
                    "reviews",
                    "list<json>",
                    "the summaries of the reviews of their papers",
                ),
                Port::new(
                    "failed",
                    "list<json>?",
                    "the `failed` of the studies: {address, failed, message}",
                ),
            ],
            with: vec![Port::or(
                "round",
                "int",
                1,
                "the number of the round, kept with its ideas",
            )],
            outs: vec![Port::new(
                "archive",
                "list<json>",
                "every idea so far: {name, title, experiment, outcome, round}",
            )],
            ..Signature::new(
                "ideas/archive",
                1,
                "Keep what was proposed with what came of it",
            )
        }
    }

    fn run(&self, call: &Call, _: &dyn Context) -> Result<Outputs, Failure> {
        let mut archive: Vec<Value> = if call.has("archive") {
            call.get("archive")?
        } else {
            Vec::new()
        };
        let proposed: Vec<Idea> = call.get("proposed")?;
        let studied: Vec<Idea> = call.get("ideas")?;
        let comparisons: Vec<Comparison> = call.get("comparisons")?;
        let reviews: Vec<Value> = call.get("reviews")?;
        for (name, count) in [
            ("comparisons", comparisons.len()),
            ("reviews", reviews.len()),
        ] {
            if count != studied.len() {
                return Err(Failure::new(format!(
                    "{} ideas, but {count} members of `{name}`",
                    studied.len()
                ))
                .help("take the lists from one `foreach`, so that they have the same members"));
            }
        }
        let judged: Vec<Value> = call.get("judged")?;
        let failed: Vec<Value> = if call.has("failed") {
            call.get("failed")?
        } else {
            Vec::new()
        };
        let papers = studied.iter().zip(comparisons.iter().zip(&reviews));
        let papers: BTreeMap<&str, String> = papers
            .map(|(idea, (comparison, review))| (idea.name.as_str(), came(comparison, review)))
            .collect();
        let round: u64 = call.get("round")?;
        for idea in &proposed {
            let outcome = papers.get(idea.name.as_str()).cloned();
            let outcome = outcome.unwrap_or_else(|| unstudied(&idea.name, &judged, &failed));
            archive.push(json!({
                "name": idea.name,
                "title": idea.title,
                "experiment": idea.experiment,
                "outcome": outcome,
                "round": round,
            }));
        }
        Ok(Outputs::from([(
            "archive".to_owned(),
            Output::value(archive),
        )]))
    }
}

/// What a study came to, in a sentence with its score.
fn came(comparison: &Comparison, review: &Value) -> String {
    let counts = &comparison.counts;
    let open = counts.inconclusive + counts.too_few;
    let measured = format!(
        "of {} comparisons with the baseline {} better, {} worse, {open} not to be told apart",
        counts.total, counts.better, counts.worse
    );
    match verdict(review).as_str() {
        "" => format!("{measured}."),
        said => format!("{measured}; its paper: {said}."),
    }
}

/// Why there is no paper on an idea.
fn unstudied(name: &str, judged: &[Value], failed: &[Value]) -> String {
    let own = |value: &&Value| value["name"] == name;
    if let Some(judged) = judged.iter().find(own)
        && judged["verdict"] == "known"
    {
        let reason = judged["reason"].as_str().unwrap_or_default();
        return format!("not studied, as it is known: {}", start(reason));
    }
    let mark = format!("[{name}]");
    let mine = failed.iter().find(|failed| {
        failed["address"]
            .as_str()
            .is_some_and(|at| at.ends_with(&mark))
    });
    match mine.and_then(|failed| failed["message"].as_str()) {
        Some(message) => format!("given up: {}", start(message)),
        None => "not studied.".to_owned(),
    }
}

/// The beginning of a message, on one line.
fn start(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let mut start: String = line.chars().take(LONGEST).collect();
    if line.chars().count() > LONGEST {
        start.push('…');
    }
    start
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_idea_without_a_paper_says_why() {
        let judged = [
            json!({"name": "old", "verdict": "known", "reason": "It is idea `wide`."}),
            json!({"name": "hard", "verdict": "novel", "reason": ""}),
        ];
        let failed =
            [json!({"address": "rounds[1].study[hard]", "message": "no run worked: NaN\nmore"})];
        let of = |name: &str| unstudied(name, &judged, &failed);
        assert_eq!(of("old"), "not studied, as it is known: It is idea `wide`.");
        assert_eq!(of("hard"), "given up: no run worked: NaN");
        assert_eq!(of("else"), "not studied.");
    }
}
