//! `experiment/note`: a run is compared with the baseline and written down; its author says whether another
//! one would tell more.

use std::collections::BTreeMap;

use kyobashi_stage::{Call, Context, Failure, Output, Outputs, Port, Signature, Stage};
use minijinja::value::Serde;
use serde_json::{Map, Value, json};

use super::history::{Run, Try, carried, rows};
use crate::llm::{Ask, Client, Judged, Schema, converse, last_object, object, set, settings};
use crate::shapes::Idea;
use crate::stats::{Comparison, Direction, Summary, compare, summarise};

const PROMPT: &str = include_str!("../../../../pipelines/prompts/note.md");

/// How often a model is told what was wrong with a reply.
const REASKS: usize = 2;

/// The level of the intervals.
const LEVEL: f64 = 0.95;

pub(crate) struct Noting(pub(crate) Client);

/// What an author says of a run.
struct Said {
    notes: String,
    next: String,
    main: usize,
    done: bool,
}

impl Stage for Noting {
    fn signature(&self) -> Signature {
        let own = vec![
            Port::new("what", "str", "what the run does"),
            Port::new("config", "json", "every setting of it"),
            Port::new("ok", "bool", "whether it worked"),
            Port::new(
                "directions",
                "json",
                "which way each metric is better: `{kl: lower}`",
            ),
            Port::or(
                "over",
                "list<str>",
                json!(["seed"]),
                "the axes averaged over",
            ),
            Port::or(
                "max_runs",
                "int",
                5,
                "runs at most, which the model is told",
            ),
        ];
        Signature {
            ins: vec![
                Port::new("idea", "Idea", "the idea"),
                Port::new("program", "file(.py)", "the program that was trained"),
                Port::new(
                    "metrics",
                    "list<json>?",
                    "what each training measured; none where it did not come to that",
                ),
                Port::new("baseline", "json", "the summary of the baseline's runs"),
                Port::new("tries", "json?", "the failed tries of this run"),
                Port::new("history", "json?", "the runs before it"),
            ],
            with: settings(own),
            outs: vec![
                Port::new(
                    "history",
                    "list<json>",
                    "every run: {number, what, ok, program, config, summary, comparison, notes, next, main, tries}",
                ),
                Port::new("done", "bool", "whether no further run is wanted"),
            ],
            model: true,
            ..Signature::new(
                "experiment/note",
                1,
                "Compare a run with the baseline and note it down",
            )
        }
    }

    fn run(&self, call: &Call, context: &dyn Context) -> Result<Outputs, Failure> {
        let mut history: Vec<Run> = carried(call, "history")?;
        let number = history.len() + 1;
        let tries: Vec<Try> = carried(call, "tries")?;
        let ok: bool = call.get("ok")?;
        let compared = if ok { Some(compared(call)?) } else { None };
        let said = match (
            &compared,
            call.model.as_ref().filter(|model| !model.is_baseline()),
        ) {
            (Some((_, comparison)), Some(_)) => self.asked(call, &history, comparison, context)?,
            (Some(_), None) => Said {
                notes: String::new(),
                next: String::new(),
                main: number,
                done: true,
            },
            // A run that was given up ends the experiments; those before it are kept.
            (None, _) => Said {
                notes: "It was given up: no try worked.".to_owned(),
                next: String::new(),
                main: history.last().map_or(number, |run| run.main),
                done: true,
            },
        };
        let (summary, comparison) = compared.unzip();
        let summary = summary
            .map(serde_json::to_value)
            .transpose()
            .map_err(|error| Failure::bug(error.to_string()))?;
        history.push(Run {
            number,
            what: call.get("what")?,
            ok,
            program: call.text("program")?,
            config: call.get::<Map<String, Value>>("config")?,
            summary,
            comparison,
            notes: said.notes,
            next: said.next,
            main: said.main,
            tries,
        });
        let history =
            serde_json::to_value(history).map_err(|error| Failure::bug(error.to_string()))?;
        Ok(Outputs::from([
            ("history".to_owned(), Output::value(history)),
            ("done".to_owned(), Output::value(said.done)),
        ]))
    }
}

fn compared(call: &Call) -> Result<(Summary, Comparison), Failure> {
    let over: Vec<String> = call.get("over")?;
    let baseline: Summary = call.get("baseline")?;
    let directions: BTreeMap<String, Direction> = call.get("directions")?;
    let summary = summarise(call.datum("metrics")?, &over, &[], LEVEL)?;
    let comparison = compare(&baseline, &summary, &directions, LEVEL)?;
    Ok((summary, comparison))
}

impl Noting {
    fn asked(
        &self,
        call: &Call,
        history: &[Run],
        comparison: &Comparison,
        context: &dyn Context,
    ) -> Result<Said, Failure> {
        let model = crate::llm::model(call)?;
        let number = history.len() + 1;
        let idea: Idea = call.get("idea")?;
        let earlier: Vec<Value> = history
            .iter()
            .map(|run| json!({"number": run.number, "what": run.what, "notes": run.notes}))
            .collect();
        let facts = json!({
            "idea": idea,
            "number": number,
            "max_runs": call.get::<usize>("max_runs")?,
            "what": call.get::<String>("what")?,
            "rows": rows(comparison),
            "history": earlier,
        });
        let prompt = minijinja::Environment::new()
            .render_str(PROMPT, Serde(facts))
            .map_err(|error| Failure::bug(format!("the prompt for notes: {error:#}")))?;
        let text = || json!({"type": "string"});
        let schema = object(vec![
            ("notes".to_owned(), text()),
            ("main".to_owned(), json!({"type": "integer"})),
            ("next".to_owned(), text()),
            ("done".to_owned(), json!({"type": "boolean"})),
        ]);
        let mut ask = Ask {
            schema: Some(Schema {
                name: "notes".to_owned(),
                schema,
            }),
            settings: set(call, model)?,
            sample: call.get("sample")?,
            ..Ask::new("", &prompt)
        };
        converse(&self.0, model, &mut ask, context, REASKS, &|reply| {
            read(reply, number)
        })
    }
}

fn read(reply: &str, number: usize) -> Judged<Said> {
    let said = |value: &Value| -> Result<Said, String> {
        let text = |key: &str| match value[key].as_str() {
            Some(text) => Ok(text.trim().to_owned()),
            None => Err(format!("`{key}` must be a string")),
        };
        let main = value["main"].as_u64().unwrap_or(0) as usize;
        if !(1..=number).contains(&main) {
            return Err(format!("`main` must be a run's number, from 1 to {number}"));
        }
        Ok(Said {
            notes: text("notes")?,
            next: text("next")?,
            main,
            done: value["done"]
                .as_bool()
                .ok_or("`done` must be true or false")?,
        })
    };
    let found = last_object(reply, |value| said(value).map(|_| ()))?;
    Ok((said(&found.value)?, found.repaired))
}
