//! `experiment/edit`: the program and the settings of the next run, by the baseline's resolution of an
//! idea, or by a model that sees the runs so far and what the last try said when it failed.

use std::collections::{BTreeMap, BTreeSet};

use kyobashi_stage::{Call, Context, Failure, Model, Output, Outputs, Port, Signature, Stage};
use minijinja::value::Serde;
use serde_json::{Map, Value, json};

use super::history::{Run, Try, carried};
use super::reply::{Edited, Ground};
use super::variant::resolve;
use crate::llm::{Ask, Client, converse, longest, set, settings};
use crate::shapes::Idea;
use crate::template::Template;

const SYSTEM: &str = include_str!("../../../../pipelines/prompts/experiment_system.md");
const PROMPT: &str = include_str!("../../../../pipelines/prompts/experiment.md");

/// How often a model is told what was wrong with a reply.
const REASKS: usize = 2;

/// Points that a short run draws, at most.
const SMOKE_SAMPLES: u64 = 100;

pub(crate) struct Edit(pub(crate) Client);

impl Stage for Edit {
    fn signature(&self) -> Signature {
        let own = vec![
            Port::or(
                "overrides",
                "json",
                json!({}),
                "settings that win over the template's, for baseline and idea alike; no edit may change them",
            ),
            Port::or(
                "max_runs",
                "int",
                5,
                "runs at most, which the model is told",
            ),
            Port::or(
                "max_tries",
                "int",
                4,
                "tries of a run at most, which the model is told",
            ),
            Port::or(
                "smoke_steps",
                "int",
                20,
                "optimiser steps of the short run that an edit of a model has to pass first; 0: none",
            ),
        ];
        Signature {
            ins: vec![
                Port::new("idea", "Idea", "the idea"),
                Port::new("template", "dir", "the template folder"),
                Port::new("history", "json?", "the runs so far, by `experiment/note`"),
                Port::new(
                    "tries",
                    "json?",
                    "the failed tries of this run, by `experiment/outcome`",
                ),
            ],
            with: longest(settings(own), 12_000),
            outs: vec![
                Port::new("program", "file(.py)", "the program text"),
                Port::new("config", "json", "every setting of the run"),
                Port::new("what", "str", "what the run does, in a sentence"),
                Port::new("short", "json", "every setting of the short run before it"),
                Port::new(
                    "untried",
                    "bool",
                    "whether a short run is worth it: a model's edit, and the whole run is longer",
                ),
            ],
            model: true,
            ..Signature::new(
                "experiment/edit",
                2,
                "Edit a program and its settings for the next run",
            )
        }
    }

    fn run(&self, call: &Call, context: &dyn Context) -> Result<Outputs, Failure> {
        let template = Template::read(call.path("template")?)?;
        let idea: Idea = call.get("idea")?;
        let overrides: Map<String, Value> = call.get("overrides")?;
        let tries: Vec<Try> = carried(call, "tries")?;
        let path = context.scratch().join("program.py");
        let by_model = call.model.as_ref().filter(|model| !model.is_baseline());
        let edited = match by_model {
            Some(model) => {
                let history: Vec<Run> = carried(call, "history")?;
                self.by_model(
                    call, model, &template, &idea, &overrides, &history, &tries, context,
                )?
            }
            None => {
                if let Some(failed) = tries.last() {
                    return Err(Failure::new(failed.said.clone()).help(format!(
                        "mend the program or the settings of `{}`",
                        idea.name
                    )));
                }
                let (program, config) = resolve(&template, Some(&idea), overrides)?;
                Edited {
                    what: idea.title.clone(),
                    program: std::fs::read_to_string(program)?,
                    config,
                }
            }
        };
        std::fs::write(&path, &edited.program)?;
        let smoke_steps: u64 = call.get("smoke_steps")?;
        let steps = edited.config.get("steps").and_then(Value::as_u64);
        let longer = steps.is_none_or(|steps| steps > smoke_steps);
        Ok(BTreeMap::from([
            ("program".to_owned(), Output::File { path }),
            (
                "short".to_owned(),
                Output::value(short(&edited.config, smoke_steps)),
            ),
            (
                "untried".to_owned(),
                Output::value(by_model.is_some() && smoke_steps > 0 && longer),
            ),
            ("config".to_owned(), Output::value(edited.config)),
            ("what".to_owned(), Output::value(edited.what)),
        ]))
    }
}

/// The settings of a short run: the same program on the same data, looked at after every step, and with no
/// more points drawn than it takes to see that points can be drawn.
fn short(config: &Map<String, Value>, steps: u64) -> Map<String, Value> {
    let mut short = config.clone();
    let mut lower = |key: &str, most: u64| {
        let less = short.get(key).and_then(Value::as_u64);
        let less = less.map_or(most, |own| own.min(most));
        short.insert(key.to_owned(), less.into());
    };
    lower("steps", steps.max(1));
    lower("samples", SMOKE_SAMPLES);
    lower("log_every", 1);
    short
}

impl Edit {
    #[expect(
        clippy::too_many_arguments,
        reason = "each is one thing that the prompt shows"
    )]
    fn by_model(
        &self,
        call: &Call,
        model: &Model,
        template: &Template,
        idea: &Idea,
        overrides: &Map<String, Value>,
        history: &[Run],
        tries: &[Try],
        context: &dyn Context,
    ) -> Result<Edited, Failure> {
        let baseline = std::fs::read_to_string(template.program_of(None)?)?;
        let program = match (tries.last(), history.iter().rev().find(|run| run.ok)) {
            (Some(last), _) => last.program.clone(),
            (None, Some(run)) => run.program.clone(),
            (None, None) => baseline.clone(),
        };
        let (_, config) = resolve(template, None, overrides.clone())?;
        let mut fixed: BTreeSet<String> = template.fixed.iter().cloned().collect();
        fixed.extend(overrides.keys().cloned());
        let shown: Vec<Value> = history
            .iter()
            .map(|run| {
                json!({"number": run.number, "what": run.what, "rows": run.rows(), "notes": run.notes, "next": run.next})
            })
            .collect();
        let facts = json!({
            "task": template.task.trim(),
            "idea": idea,
            "metrics": template.metrics,
            "config": config,
            "fixed": fixed,
            "history": shown,
            "tries": tries,
            "program": program.trim_end(),
            "number": history.len() + 1,
            "max_runs": call.get::<usize>("max_runs")?,
            "max_tries": call.get::<usize>("max_tries")?,
        });
        let prompt = minijinja::Environment::new()
            .render_str(PROMPT, Serde(facts))
            .map_err(|error| Failure::bug(format!("the prompt for an experiment: {error:#}")))?;
        let mut ask = Ask {
            settings: set(call, model)?,
            sample: call.get("sample")?,
            ..Ask::new(SYSTEM.trim(), &prompt)
        };
        let ground = Ground {
            template,
            baseline: &baseline,
            program: &program,
            config: &config,
            fixed: &fixed,
            history,
            tries,
        };
        converse(&self.0, model, &mut ask, context, REASKS, &|reply| {
            ground.read(reply)
        })
    }
}
