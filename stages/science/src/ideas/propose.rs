//! `ideas/propose`: ideas for a template, from its declared space or from a model.

use kyobashi_stage::{Call, Context, Failure, Note, Output, Outputs, Port, Signature, Stage};

use serde_json::Value;

use super::ask::Proposer;
use super::enumerate::enumerate;
use crate::llm::{Client, set, settings};
use crate::shapes::Idea;
use crate::template::Template;

pub(crate) struct Propose(pub(crate) Client);

impl Stage for Propose {
    fn signature(&self) -> Signature {
        Signature {
            ins: vec![
                Port::new("template", "dir", "the template folder"),
                Port::new(
                    "archive",
                    "json?",
                    "ideas of earlier studies that must not come again: list of {name, title, experiment, outcome?}",
                ),
            ],
            with: settings(vec![
                Port::new("n", "int", "how many ideas"),
                Port::or(
                    "reflections",
                    "int",
                    2,
                    "how often a model looks at an idea again, at most",
                ),
            ]),
            outs: vec![Port::new(
                "ideas",
                "list<Idea>",
                "ideas, the most promising first",
            )],
            model: true,
            ..Signature::new("ideas/propose", 3, "Propose ideas for a template")
        }
    }

    fn run(&self, call: &Call, context: &dyn Context) -> Result<Outputs, Failure> {
        let template = Template::read(call.path("template")?)?;
        let n: usize = call.get("n")?;
        let model = call.model.as_ref().filter(|model| !model.is_baseline());
        let ideas = match model {
            Some(model) => Proposer {
                client: &self.0,
                model,
                settings: set(call, model)?,
                sample: call.get("sample")?,
                reflections: call.get("reflections")?,
                archive: archive(call)?,
            }
            .propose(&template, n, context)?,
            None => {
                let archive = archive(call)?;
                let known = |idea: &Idea| archive.iter().any(|old| old["name"] == idea.name);
                let mut ideas = enumerate(&template.space()?, n + archive.len());
                ideas.retain(|idea| !known(idea));
                ideas.truncate(n);
                if ideas.is_empty() && !archive.is_empty() {
                    return Err(Failure::new(format!(
                        "every idea that `{}` declares is in the archive",
                        template.name
                    ))
                    .help("fewer rounds, more ideas in its space.yaml, or a model as the author"));
                }
                ideas
            }
        };
        if ideas.is_empty() {
            return Err(
                Failure::new(format!("template `{}` declares no ideas", template.name))
                    .help("list some in its space.yaml, or choose a model as the author"),
            );
        }
        if ideas.len() < n && model.is_none() {
            context.note(Note {
                message: Some(format!(
                    "the declared space holds {} ideas, {n} were asked for",
                    ideas.len()
                )),
                ..Note::default()
            });
        }
        let value = serde_json::to_value(ideas).map_err(|error| Failure::bug(error.to_string()))?;
        Ok(Outputs::from([("ideas".to_owned(), Output::value(value))]))
    }
}

/// The ideas of earlier studies.
fn archive(call: &Call) -> Result<Vec<Value>, Failure> {
    if !call.has("archive") {
        return Ok(Vec::new());
    }
    let archive: Vec<Value> = call.get("archive")?;
    let lacks = |idea: &&Value| {
        !["name", "title", "experiment"]
            .iter()
            .all(|key| idea[*key].is_string())
    };
    match archive.iter().find(lacks) {
        Some(idea) => Err(
            Failure::new(format!("`archive` holds what is no idea: {idea}"))
                .help("each has a `name`, a `title` and an `experiment`, and perhaps an `outcome`"),
        ),
        None => Ok(archive),
    }
}
