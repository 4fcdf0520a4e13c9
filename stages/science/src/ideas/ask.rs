//! Ideas from a model, one talk each: every talk sees all earlier ideas, so a list that grows pays only for
//! what is new. The model reflects on each; that it is another idea is checked by code.

use std::collections::BTreeMap;

use kyobashi_stage::{Context, Failure, Model, Note};
use minijinja::value::Serde;
use serde_json::{Value, json};

use super::enumerate::snake;
use super::similar::likeness;
use crate::llm::{Ask, Client, Judged, Schema, Turn, converse, last_object, object};
use crate::shapes::Idea;
use crate::template::Template;

const SYSTEM: &str = include_str!("../../../../pipelines/prompts/ideas_system.md");
const PROMPT: &str = include_str!("../../../../pipelines/prompts/ideas.md");
const REFLECT: &str = include_str!("../../../../pipelines/prompts/ideas_reflect.md");

/// From this likeness of title and experiment on, two ideas are the same in other words.
const ALIKE: f64 = 0.9;

/// How often a model is told what was wrong with a reply.
const REASKS: usize = 2;

/// Whoever proposes ideas.
pub(super) struct Proposer<'p> {
    pub(super) client: &'p Client,
    pub(super) model: &'p Model,
    pub(super) settings: BTreeMap<String, Value>,
    pub(super) sample: u64,
    /// Rounds in which an idea is looked at again, at most.
    pub(super) reflections: usize,
    /// Earlier ideas as the prompt shows them; each has a `name`, a `title` and an `experiment`.
    pub(super) archive: Vec<Value>,
}

/// An idea as a model says it.
#[derive(Clone)]
struct Said {
    reply: String,
    idea: Idea,
    done: bool,
}

impl Proposer<'_> {
    /// Asks for `n` ideas; fewer if the model comes to no further one, which is noted.
    ///
    /// # Errors
    /// If the model does not answer or gives no valid first idea, or the run is being stopped.
    pub(super) fn propose(
        &self,
        template: &Template,
        n: usize,
        context: &dyn Context,
    ) -> Result<Vec<Idea>, Failure> {
        let program = std::fs::read_to_string(template.program_of(None)?)?;
        let known = template.known()?;
        let mut ideas: Vec<Idea> = Vec::new();
        while ideas.len() < n {
            if context.cancelled() {
                return Err(Failure::passing("stopped between two ideas"));
            }
            let mut earlier: Vec<Value> = Vec::new();
            for idea in known.iter().chain(&ideas) {
                earlier.push(
                    json!({"name": idea.name, "title": idea.title, "experiment": idea.experiment}),
                );
            }
            earlier.extend(self.archive.iter().cloned());
            match self.one(template, &program, &earlier, context) {
                Ok(idea) => {
                    note(
                        context,
                        format!("idea {} of {n}: {}", ideas.len() + 1, idea.name),
                    );
                    ideas.push(idea);
                }
                // A model that has no further idea repeats itself; what it had before is kept.
                Err(failure) if !ideas.is_empty() && failure.message.contains("earlier idea") => {
                    note(
                        context,
                        format!("{} had no further idea: {}", self.model, failure.message),
                    );
                    break;
                }
                Err(failure) => return Err(failure),
            }
        }
        Ok(ideas)
    }

    fn one(
        &self,
        template: &Template,
        program: &str,
        earlier: &[Value],
        context: &dyn Context,
    ) -> Result<Idea, Failure> {
        let facts = json!({
            "task": template.task.trim(),
            "program": program.trim_end(),
            "config": template.config,
            "metrics": template.metrics,
            "earlier": earlier,
        });
        let mut ask = Ask {
            schema: Some(schema(&template.name, false)),
            settings: self.settings.clone(),
            sample: self.sample,
            ..Ask::new(SYSTEM.trim(), &filled(PROMPT, facts)?)
        };
        let read = |reply: &str| read(reply, earlier);
        let mut said = converse(self.client, self.model, &mut ask, context, REASKS, &read)?;
        ask.schema = Some(schema(&template.name, true));
        for round in 1..=self.reflections {
            let facts = json!({"round": round, "rounds": self.reflections});
            ask.turns.push(Turn::model(&said.reply));
            ask.turns.push(Turn::user(&filled(REFLECT, facts)?));
            said = converse(self.client, self.model, &mut ask, context, REASKS, &read)?;
            if said.done {
                break;
            }
        }
        Ok(said.idea)
    }
}

fn note(context: &dyn Context, message: String) {
    context.note(Note {
        message: Some(message),
        ..Note::default()
    });
}

fn filled(prompt: &str, facts: Value) -> Result<String, Failure> {
    minijinja::Environment::new()
        .render_str(prompt, Serde(facts))
        .map_err(|error| Failure::bug(format!("the prompt for ideas: {error:#}")))
}

fn schema(template: &str, reflecting: bool) -> Schema {
    let text = || json!({"type": "string"});
    let rating = || json!({"type": "integer", "enum": (1..=10).collect::<Vec<_>>()});
    let mut fields = vec![
        ("name".to_owned(), text()),
        ("title".to_owned(), text()),
        ("experiment".to_owned(), text()),
        ("interestingness".to_owned(), rating()),
        ("feasibility".to_owned(), rating()),
        ("novelty".to_owned(), rating()),
    ];
    if reflecting {
        fields.push(("done".to_owned(), json!({"type": "boolean"})));
    }
    Schema {
        name: format!("{}_idea", snake(template)),
        schema: object(fields),
    }
}

/// Reads one idea, or says what is wrong with it.
fn read(reply: &str, earlier: &[Value]) -> Judged<Said> {
    let found = last_object(reply, |value| idea(value, earlier).map(|_| ()))?;
    let said = Said {
        reply: reply.to_owned(),
        idea: idea(&found.value, earlier)?,
        done: found.value["done"].as_bool().unwrap_or(false),
    };
    Ok((said, found.repaired))
}

fn idea(value: &Value, earlier: &[Value]) -> Result<Idea, String> {
    let text = |key: &str| match value[key].as_str().map(str::trim) {
        Some(text) if !text.is_empty() => Ok(text.to_owned()),
        _ => Err(format!("`{key}` must be a string that is not empty")),
    };
    let rating = |key: &str| match value[key].as_i64() {
        Some(rating @ 1..=10) => Ok(Some(rating)),
        _ => Err(format!("`{key}` must be a whole number from 1 to 10")),
    };
    let idea = Idea {
        name: snake(&text("name")?),
        title: text("title")?,
        experiment: text("experiment")?,
        interestingness: rating("interestingness")?,
        feasibility: rating("feasibility")?,
        novelty: rating("novelty")?,
        config: None,
        program: None,
    };
    if idea.name.is_empty() {
        return Err("`name` must hold letters or digits".to_owned());
    }
    for other in earlier {
        let word = |key: &str| other[key].as_str().unwrap_or_default().to_owned();
        let twin = Idea {
            name: word("name"),
            title: word("title"),
            experiment: word("experiment"),
            ..idea.clone()
        };
        if twin.name == idea.name || likeness(&twin, &idea) >= ALIKE {
            return Err(format!(
                "it is the earlier idea `{}` again; propose another one",
                twin.name
            ));
        }
    }
    Ok(idea)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(name: &str, experiment: &str) -> String {
        json!({"name": name, "title": "A gate", "experiment": experiment, "interestingness": 5, "feasibility": 9, "novelty": 3}).to_string()
    }

    #[test]
    fn an_idea_that_was_there_before_is_told_by_name_and_by_its_words() {
        let earlier = [
            json!({"name": "gate", "title": "A gate", "experiment": "Mix two denoisers by a learned gate."}),
        ];
        let names = read(
            &said("Gate", "Something else entirely, with no word in common."),
            &earlier,
        );
        assert!(names.is_err_and(|why| why.contains("earlier idea `gate`")));
        let words = read(
            &said("mix", "Mix two denoisers by a learned gate."),
            &earlier,
        );
        assert!(words.is_err_and(|why| why.contains("earlier idea `gate`")));
        let other = read(
            &said(
                "slow start",
                "Warm the learning rate up over the first tenth.",
            ),
            &earlier,
        );
        assert_eq!(
            other.map(|(said, _)| said.idea.name),
            Ok("slow_start".to_owned())
        );
    }
}
