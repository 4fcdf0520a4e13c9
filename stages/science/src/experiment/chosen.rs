//! `experiment/chosen`: the run that the paper is about, and what the paper says of the others.

use std::collections::BTreeMap;

use kyobashi_stage::{Call, Context, Failure, Output, Outputs, Port, Signature, Stage};
use serde_json::{Value, json};

use super::history::Run;

pub(crate) struct Chosen;

impl Stage for Chosen {
    fn signature(&self) -> Signature {
        Signature {
            ins: vec![Port::new(
                "history",
                "list<json>",
                "every run, by `experiment/note`",
            )],
            outs: vec![
                Port::new(
                    "program",
                    "file(.py)",
                    "the program of the run that the paper is about",
                ),
                Port::new("config", "json", "every setting of it"),
                Port::new(
                    "runs",
                    "list<json>",
                    "every run that worked: {number, main, what, notes, config, summary, comparison}",
                ),
                Port::new(
                    "notes",
                    "text",
                    "the notes on all runs, the failed tries among them",
                ),
            ],
            ..Signature::new(
                "experiment/chosen",
                1,
                "Take the run that the paper is about",
            )
        }
    }

    fn run(&self, call: &Call, context: &dyn Context) -> Result<Outputs, Failure> {
        let history: Vec<Run> = call.get("history")?;
        let worked: Vec<&Run> = history.iter().filter(|run| run.ok).collect();
        let wanted = history.last().map_or(0, |run| run.main);
        let chosen = worked.iter().find(|run| run.number == wanted);
        let Some(main) = chosen.or(worked.last()) else {
            let said = history
                .last()
                .and_then(|run| run.tries.last())
                .map_or("nothing was run", |failed| failed.said.as_str());
            return Err(Failure::new(format!("no run worked: {said}"))
                .help("another sample, another model or more tries may help"));
        };
        let path = context.scratch().join("program.py");
        std::fs::write(&path, &main.program)?;
        let runs: Vec<Value> = worked
            .iter()
            .map(|run| {
                json!({
                    "number": run.number,
                    "main": run.number == main.number,
                    "what": run.what,
                    "notes": run.notes,
                    "config": run.config,
                    "summary": run.summary,
                    "comparison": run.comparison,
                })
            })
            .collect();
        Ok(BTreeMap::from([
            ("program".to_owned(), Output::File { path }),
            ("config".to_owned(), Output::value(main.config.clone())),
            ("runs".to_owned(), Output::value(runs)),
            (
                "notes".to_owned(),
                Output::bytes(notes(&history, main.number)),
            ),
        ]))
    }
}

fn notes(history: &[Run], main: usize) -> String {
    let mut text = String::new();
    for run in history {
        let mark = if run.number == main {
            " (the paper is about this run)"
        } else {
            ""
        };
        text += &format!("# Run {}{mark}\n\n{}\n", run.number, run.what);
        for (place, failed) in run.tries.iter().enumerate() {
            text += &format!(
                "\nTry {} failed: {}\n\n    {}\n",
                place + 1,
                failed.what,
                failed.said.replace('\n', "\n    ")
            );
        }
        for row in run.rows() {
            text += &format!("\n- {row}");
        }
        text += &format!("\n\n{}\n\n", run.notes);
    }
    format!("{}\n", text.trim_end())
}
