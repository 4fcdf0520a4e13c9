//! `llm/compare`: which of two papers a model prefers, as they stand in one order.
//!
//! The other order is another call, because judges prefer what stands first or last. Without a model nobody
//! prefers anything: checks cannot weigh papers against each other.

use std::path::Path;

use kyobashi_stage::{
    BASELINE, Call, Context, Datum, Failure, Output, Outputs, Port, Signature, Stage,
};
use minijinja::value::Serde;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Answer;
use crate::llm::{
    Ask, Client, Judged, Schema, converse, enclosed, last_object, object, set, settings,
};
use crate::shapes::Idea;

const SYSTEM: &str = include_str!("../../../../../pipelines/prompts/compare_system.md");
const PROMPT: &str = include_str!("../../../../../pipelines/prompts/compare.md");

/// How often a model is told that its reply cannot be read.
const REASKS: usize = 2;

pub(crate) struct Compare(pub(crate) Client);

impl Stage for Compare {
    fn signature(&self) -> Signature {
        Signature {
            ins: vec![
                Port::new(
                    "papers",
                    "list<text>",
                    "the papers as their reviewer would read them",
                ),
                Port::new("ideas", "list<Idea>", "their ideas, in the same order"),
            ],
            with: settings(vec![
                Port::new(
                    "first",
                    "str",
                    "the name of the idea whose paper stands first",
                ),
                Port::new("second", "str", "and of the other one"),
                Port::new(
                    "instructions",
                    "text?",
                    "standing instructions to the model, in place of the built-in ones",
                ),
            ]),
            outs: vec![Port::new(
                "compared",
                "json",
                "{first, second, better, reason, judge, provenance}",
            )],
            model: true,
            ..Signature::new(
                "llm/compare",
                1,
                "Let a model say which of two papers is better",
            )
        }
    }

    fn run(&self, call: &Call, context: &dyn Context) -> Result<Outputs, Failure> {
        let [first, second]: [String; 2] = [call.get("first")?, call.get("second")?];
        let mut answer = Answer {
            first: first.clone(),
            second: second.clone(),
            better: None,
            reason: String::new(),
            judge: BASELINE.to_owned(),
            provenance: BASELINE.to_owned(),
        };
        if let Some(model) = call.model.as_ref().filter(|model| !model.is_baseline()) {
            let system = if call.has("instructions") {
                call.text("instructions")?
            } else {
                SYSTEM.to_owned()
            };
            let facts = json!({
                "first": enclosed(&paper(call, &first)?),
                "second": enclosed(&paper(call, &second)?),
            });
            let prompt = minijinja::Environment::new()
                .render_str(PROMPT, Serde(facts))
                .map_err(|error| {
                    Failure::bug(format!("the prompt of the comparison: {error:#}"))
                })?;
            let mut ask = Ask {
                schema: Some(schema()),
                settings: set(call, model)?,
                sample: call.get("sample")?,
                ..Ask::new(system.trim(), prompt.trim())
            };
            let said = converse(&self.0, model, &mut ask, context, REASKS, &read)?;
            answer.better = Some(if said.better == "first" {
                first
            } else {
                second
            });
            answer.reason = said.reason;
            answer.judge = model.to_string();
            answer.provenance = self.0.provenance(model).to_owned();
        }
        let value =
            serde_json::to_value(answer).map_err(|error| Failure::bug(error.to_string()))?;
        Ok(Outputs::from([(
            "compared".to_owned(),
            Output::value(value),
        )]))
    }
}

/// What a model says.
#[derive(Deserialize)]
struct Said {
    #[serde(default)]
    reason: String,
    better: String,
}

fn read(reply: &str) -> Judged<Said> {
    let said = |value: &Value| -> Result<Said, String> {
        let said: Said =
            serde_json::from_value(value.clone()).map_err(|error| error.to_string())?;
        match said.better.as_str() {
            "first" | "second" => Ok(said),
            other => Err(format!(
                "`better` is `{other}`, and it has to be `first` or `second`"
            )),
        }
    };
    let found = last_object(reply, |value| said(value).map(|_| ()))?;
    Ok((said(&found.value)?, found.repaired))
}

fn schema() -> Schema {
    Schema {
        name: "comparison".to_owned(),
        schema: object(vec![
            ("reason".to_owned(), json!({"type": "string"})),
            (
                "better".to_owned(),
                json!({"type": "string", "enum": ["first", "second"]}),
            ),
        ]),
    }
}

/// The paper of the idea with this name.
fn paper(call: &Call, name: &str) -> Result<String, Failure> {
    let ideas: Vec<Idea> = call.get("ideas")?;
    let papers = call.datum("papers")?.members();
    if ideas.len() != papers.len() {
        return Err(Failure::new(format!(
            "{} ideas, but {} papers",
            ideas.len(),
            papers.len()
        ))
        .help("take the lists from one `foreach`, so that they have the same members"));
    }
    let place = ideas.iter().position(|idea| idea.name == name);
    let place =
        place.ok_or_else(|| Failure::new(format!("there is no paper of `{name}` to compare")))?;
    let text = |path: &Path| {
        std::fs::read_to_string(path)
            .map_err(|error| Failure::new(format!("cannot read {}: {error}", path.display())))
    };
    match papers[place] {
        Datum::File { path, .. } => text(path),
        Datum::Value {
            value: Value::String(text),
        } => Ok(text.clone()),
        _ => Err(Failure::bug("a paper to compare is no text")),
    }
}
