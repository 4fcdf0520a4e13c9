//! `stats/tally`: one study in one line, with the columns of Tables 3 to 5 of *The AI Scientist*: ideas, new
//! ones, experiments that passed, papers, and how the papers were reviewed. What it cost stands in the run
//! record (`kyo cost`), which no stage can read.

use kyobashi_stage::{
    BASELINE, Call, Context, Failure, Model, Output, Outputs, Port, Signature, Stage,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::leaderboard::overall;
use crate::shapes::Idea;
use crate::template::Template;

pub(crate) struct Tally;

/// What `stats/tally` makes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Study {
    pub(crate) template: String,
    /// Who had the ideas: `provider/model`, or `baseline`.
    pub(crate) scientist: String,
    /// Who reviewed the first drafts and the improved ones; empty where only checks did.
    pub(crate) reviewers: Vec<String>,
    pub(crate) held_out: Vec<String>,
    pub(crate) ideas: usize,
    pub(crate) novel: usize,
    pub(crate) experiments_passed: usize,
    pub(crate) papers: Vec<Paper>,
}

/// A paper with its overall scores; none where only checks reviewed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Paper {
    pub(crate) name: String,
    /// Of the first draft, by the panel.
    pub(crate) first: Option<f64>,
    /// Of the improved draft, by the held-out reviewer.
    pub(crate) improved: Option<f64>,
}

impl Stage for Tally {
    fn signature(&self) -> Signature {
        Signature {
            ins: vec![
                Port::new("template", "dir", "what was studied"),
                Port::new(
                    "judged",
                    "list<json>",
                    "every proposed idea with its verdict, by `ideas/novelty`",
                ),
                Port::new("novel", "list<Idea>", "the ideas that were studied"),
                Port::new(
                    "ideas",
                    "list<Idea>",
                    "the ideas whose paper was made, in the order of the other lists",
                ),
                Port::new(
                    "before",
                    "list<json>",
                    "summaries of the reviews of first drafts",
                ),
                Port::new(
                    "after",
                    "list<json>",
                    "summaries of the reviews of improved drafts",
                ),
                Port::new(
                    "failed",
                    "list<json>?",
                    "the `failed` of the studies: {address, failed, message}",
                ),
            ],
            with: vec![Port::or(
                "experiments",
                "str",
                "lab",
                "the stage of a study whose failure means that the experiments did not pass",
            )],
            outs: vec![Port::new(
                "study",
                "json",
                "{template, scientist, reviewers, held_out, ideas, novel, experiments_passed, papers: [{name, first, improved}]}",
            )],
            model: true,
            ..Signature::new("stats/tally", 1, "Count what a study came to")
        }
    }

    fn run(&self, call: &Call, _: &dyn Context) -> Result<Outputs, Failure> {
        let judged: Vec<Value> = call.get("judged")?;
        let novel: Vec<Idea> = call.get("novel")?;
        let ideas: Vec<Idea> = call.get("ideas")?;
        let [before, after]: [Vec<Value>; 2] = [call.get("before")?, call.get("after")?];
        for (name, list) in [("before", &before), ("after", &after)] {
            if list.len() != ideas.len() {
                return Err(Failure::new(format!(
                    "{} ideas, but {} reviews in `{name}`",
                    ideas.len(),
                    list.len()
                ))
                .help("take the lists from one `foreach`, so that they have the same members"));
            }
        }
        let failed: Vec<Value> = if call.has("failed") {
            call.get("failed")?
        } else {
            Vec::new()
        };
        let experiments: String = call.get("experiments")?;
        let later = failed
            .iter()
            .filter(|one| !within(one, &experiments))
            .count();
        let papers = ideas.iter().zip(before.iter().zip(&after));
        let study = Study {
            template: Template::read(call.path("template")?)?.name,
            scientist: call
                .model
                .as_ref()
                .map_or(BASELINE.to_owned(), Model::to_string),
            reviewers: reviewers(&before),
            held_out: reviewers(&after),
            ideas: judged.len(),
            novel: novel.len(),
            experiments_passed: ideas.len() + later,
            papers: papers
                .map(|(idea, (first, improved))| Paper {
                    name: idea.name.clone(),
                    first: overall(first),
                    improved: overall(improved),
                })
                .collect(),
        };
        let value = serde_json::to_value(study).map_err(|error| Failure::bug(error.to_string()))?;
        Ok(Outputs::from([("study".to_owned(), Output::value(value))]))
    }
}

/// Whether a study failed in this stage: `study[gate].lab/runs[0]` in `lab`.
fn within(failure: &Value, stage: &str) -> bool {
    let word = |key: &str| failure[key].as_str().unwrap_or_default();
    let inside = word("failed")
        .strip_prefix(word("address"))
        .unwrap_or_default();
    let inside = inside.trim_start_matches('.');
    inside
        .strip_prefix(stage)
        .is_some_and(|rest| !rest.starts_with(|sign: char| sign.is_alphanumeric() || sign == '_'))
}

/// The models that reviewed, without the checks.
fn reviewers(summaries: &[Value]) -> Vec<String> {
    let scored = summaries
        .iter()
        .filter(|summary| overall(summary).is_some());
    let names = scored.flat_map(|summary| summary["reviewers"].as_array().into_iter().flatten());
    let mut names: Vec<String> = names
        .filter_map(|name| name.as_str().map(str::to_owned))
        .collect();
    names.sort();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_failure_of_the_experiments_is_told_from_one_of_the_paper() {
        let failure = |place: &str| json!({"address": "study[gate]", "failed": format!("study[gate].{place}")});
        assert!(within(&failure("lab/runs[0].attempt[1].edit"), "lab"));
        assert!(!within(&failure("paper"), "lab"));
        assert!(!within(&failure("label"), "lab"));
    }
}
