//! `experiment/outcome`: whether the trainings of a try came to their end, and what they said if not.

use kyobashi_stage::{Call, Context, Datum, Failure, Output, Outputs, Port, Signature, Stage};
use serde_json::Value;

use super::history::{Try, carried};
use crate::gathered::cells;

/// The end of what a training said that is handed on, in characters.
const LONGEST: usize = 1500;

/// Different messages that are handed on.
const MOST: usize = 3;

pub(crate) struct Outcome;

impl Stage for Outcome {
    fn signature(&self) -> Signature {
        Signature {
            ins: vec![
                Port::new("ok", "list<bool>?", "whether each training came to its end"),
                Port::new("said", "list<text>?", "what each said when it failed"),
                Port::new(
                    "smoke_ok",
                    "bool?",
                    "whether the short run before them came to its end, if there was one",
                ),
                Port::new("smoke_said", "text?", "what it said when it failed"),
                Port::new("program", "file(.py)", "the program that was trained"),
                Port::new("tries", "json?", "the tries before this one"),
            ],
            with: vec![
                Port::new("what", "str", "what was tried"),
                Port::new("config", "json", "every setting of it"),
            ],
            outs: vec![
                Port::new("ok", "bool", "whether every training came to its end"),
                Port::new(
                    "tries",
                    "list<json>",
                    "the failed tries, this one at the end if it failed",
                ),
            ],
            ..Signature::new("experiment/outcome", 2, "Tell whether a try worked")
        }
    }

    fn run(&self, call: &Call, _: &dyn Context) -> Result<Outputs, Failure> {
        let said = if call.has("smoke_ok") && !call.get::<bool>("smoke_ok")? {
            let said = text(call.datum("smoke_said")?)?;
            Some(format!(
                "the short run before the trainings failed, so none of them was begun: {said}"
            ))
        } else {
            trained(call)?
        };
        let ok = said.is_none();
        let mut tries: Vec<Try> = carried(call, "tries")?;
        if let Some(said) = said {
            tries.push(Try {
                what: call.get("what")?,
                program: call.text("program")?,
                config: call.get("config")?,
                said,
            });
        }
        let tries: Value =
            serde_json::to_value(tries).map_err(|error| Failure::bug(error.to_string()))?;
        Ok(Outputs::from([
            ("ok".to_owned(), Output::value(ok)),
            ("tries".to_owned(), Output::value(tries)),
        ]))
    }
}

/// What the trainings said, each message once; none if all came to their end.
fn trained(call: &Call) -> Result<Option<String>, Failure> {
    let good = cells(call, "ok")?
        .iter()
        .map(|cell| cell.datum == Datum::value(true))
        .collect::<Vec<_>>();
    if good.is_empty() {
        return Err(
            Failure::new("nothing was trained").help("give at least one data set and one seed")
        );
    }
    if good.iter().all(|good| *good) {
        return Ok(None);
    }
    let mut said: Vec<(String, usize)> = Vec::new();
    for (cell, good) in cells(call, "said")?.iter().zip(&good) {
        let message = text(&cell.datum)?;
        match said.iter_mut().find(|(known, _)| *known == message) {
            _ if *good => {}
            Some((_, times)) => *times += 1,
            None => said.push((message, 1)),
        }
    }
    let all = good.len();
    let said: Vec<String> = said
        .into_iter()
        .take(MOST)
        .map(|(message, times)| format!("{times} of {all} trainings: {message}"))
        .collect();
    Ok(Some(said.join("\n")))
}

/// The end of a text, which came as a file or as a string.
fn text(datum: &Datum) -> Result<String, Failure> {
    let whole = match datum {
        Datum::File { path, .. } => std::fs::read_to_string(path)
            .map_err(|error| Failure::new(format!("cannot read {}: {error}", path.display())))?,
        Datum::Value {
            value: Value::String(text),
        } => text.clone(),
        _ => String::new(),
    };
    let whole = whole.trim();
    let skip = whole.chars().count().saturating_sub(LONGEST);
    Ok(whole.chars().skip(skip).collect())
}
