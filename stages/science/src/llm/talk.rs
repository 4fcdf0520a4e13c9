//! `llm/chat`: one question to a model, from a prompt file, answered in the outputs that the pipeline
//! declares.

use std::collections::BTreeMap;

use kyobashi_stage::{Call, Context, Failure, Model, Note, Outputs, Port, Signature, Stage};
use serde_json::Value;

use super::ask::{Ask, Turn};
use super::client::{Client, complete};
use super::image::images;
use super::prompt::{fill, names};
use super::wanted::Wanted;

/// How often a model is told what was wrong with its reply.
const REASKS: usize = 1;

pub(crate) struct Chat(pub(crate) Client);

impl Stage for Chat {
    fn signature(&self) -> Signature {
        Signature {
            ins: vec![Port::new(
                "images",
                "list<file>?",
                "pictures that the model sees after the prompt: PNG, JPEG, GIF or WebP",
            )],
            with: settings(vec![
                Port::new("prompt", "text", "the prompt, a MiniJinja file"),
                Port::new("system", "text?", "standing instructions, a MiniJinja file"),
            ]),
            model: true,
            open_ins: true,
            open_outs: true,
            ..Signature::new("llm/chat", 1, "Ask a model, from a prompt file")
        }
    }

    fn run(&self, call: &Call, context: &dyn Context) -> Result<Outputs, Failure> {
        let wanted = Wanted::new(call)?;
        let model = model(call)?;
        let names = names(call)?;
        let system = if call.has("system") {
            fill(call, "system", &names)?
        } else {
            String::new()
        };
        let mut prompt = fill(call, "prompt", &names)?;
        let form = wanted.described();
        if !form.is_empty() {
            prompt = format!("{prompt}\n\n{form}");
        }
        let mut ask = Ask {
            schema: wanted.schema(),
            settings: set(call, model)?,
            sample: call.get("sample")?,
            ..Ask::new(&system, &prompt)
        };
        for turn in &mut ask.turns {
            turn.images = images(call)?;
        }
        let read = |reply: &str| wanted.read(reply);
        converse(&self.0, model, &mut ask, context, REASKS, &read)
    }
}

/// The settings of every stage type that asks a model freely, after its own.
pub(crate) fn settings(mut own: Vec<Port>) -> Vec<Port> {
    own.extend([
        Port::or("sample", "int", 0, "which of several replies this is"),
        Port::new(
            "temperature",
            "float?",
            "as sent to the model; not sent if absent",
        ),
        Port::or(
            "max_tokens",
            "int",
            4096,
            "the longest reply; the model's own setting wins",
        ),
    ]);
    own
}

/// The same settings with room for a longer reply.
pub(crate) fn longest(mut settings: Vec<Port>, max_tokens: u32) -> Vec<Port> {
    for port in settings.iter_mut().filter(|port| port.name == "max_tokens") {
        port.default = Some(max_tokens.into());
    }
    settings
}

/// The model of a call.
///
/// # Errors
/// If the role is played by the baseline, which cannot answer free questions.
pub(crate) fn model(call: &Call) -> Result<&Model, Failure> {
    let model = call
        .model
        .as_ref()
        .ok_or_else(|| Failure::bug(format!("`{}` was called without a model", call.uses)))?;
    if model.is_baseline() {
        return Err(Failure::new(format!(
            "`{}` asks a model, and its role is played by `baseline`",
            call.uses
        ))
        .help("name a model under `models:`, or with `--set models.ROLE=provider/id`"));
    }
    Ok(model)
}

/// The model's settings, with those of the stage over them.
pub(crate) fn set(call: &Call, model: &Model) -> Result<BTreeMap<String, Value>, Failure> {
    let mut settings = model.settings.clone();
    if call.has("temperature") {
        settings.insert("temperature".to_owned(), call.value("temperature")?);
    }
    let limited = ["max_tokens", "max_completion_tokens"]
        .iter()
        .any(|name| settings.contains_key(*name));
    if !limited {
        settings.insert("max_tokens".to_owned(), call.value("max_tokens")?);
    }
    Ok(settings)
}

/// What a reply holds and whether its syntax had to be mended, or what is wrong with it in words that its
/// writer can act on.
pub(crate) type Judged<T> = Result<(T, bool), String>;

/// Asks until the reply can be read, telling the model each time what was wrong.
///
/// # Errors
/// If a reply did not come to its end, or the last one cannot be read either.
pub(crate) fn converse<T>(
    client: &Client,
    model: &Model,
    ask: &mut Ask,
    context: &dyn Context,
    reasks: usize,
    read: &dyn Fn(&str) -> Judged<T>,
) -> Result<T, Failure> {
    let mut complaint = String::new();
    for _ in 0..=reasks {
        let reply = complete(client.ask(model, ask, context)?)?;
        match read(&reply) {
            Ok((found, repaired)) => {
                if repaired {
                    note(
                        context,
                        "the JSON of the reply had slips of syntax, which were mended",
                    );
                }
                return Ok(found);
            }
            Err(why) => {
                note(context, &format!("the reply is not valid: {why}"));
                ask.turns.push(Turn::model(&reply));
                ask.turns.push(Turn::user(&format!(
                    "That reply is not valid: {why}. Give the whole corrected reply."
                )));
                complaint = why;
            }
        }
    }
    Err(Failure::new(format!(
        "{model} gave no valid reply in {} tries: {complaint}",
        reasks + 1
    ))
    .help("say the wanted form in the prompt, try another `sample`, or a model that can hold its reply to a schema"))
}

fn note(context: &dyn Context, message: &str) {
    context.note(Note {
        message: Some(message.to_owned()),
        ..Note::default()
    });
}
