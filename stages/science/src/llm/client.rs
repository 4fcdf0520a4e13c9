//! Asks a model: one keyed call to the world, whose reply the engine stores before it is used.

use std::sync::Arc;

use kyobashi_stage::{
    Context, Failure, MODEL_CALL, Model, Note, Outbox, Price, Reply, Request, Tokens,
};
use serde_json::{Value, json};

use super::ask::{Answer, Ask, Finish};
use super::http::{Http, Letter};
use super::image::TOKENS;
use super::price::{between, usd};
use super::provider::{Provider, Providers, check_settings};
use super::secret::Secret;

/// Whoever asks models. Clones share their connections.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    providers: Arc<Providers>,
    http: Arc<Http>,
}

impl Client {
    pub(crate) fn new(providers: Providers) -> Self {
        Self {
            providers: Arc::new(providers),
            http: Arc::default(),
        }
    }

    /// Where a model stands on the scale of provenance: `local` for a server of this machine,
    /// `scripted` for replies that were written beforehand, else `live`.
    pub(crate) fn provenance(&self, model: &Model) -> &'static str {
        let scripted = ["mock", "replay", "scripted"].contains(&model.provider.as_str());
        let url = self
            .providers
            .server(model)
            .map(|server| server.base_url)
            .unwrap_or_default();
        let local = ["://127.", "://localhost", "://[::1]", "://0.0.0.0"]
            .iter()
            .any(|host| url.contains(host));
        match (scripted, local) {
            (true, _) => "scripted",
            (_, true) => "local",
            _ => "live",
        }
    }

    /// Asks once. The reply may have ended for any reason; see [`complete`].
    ///
    /// # Errors
    /// If the model's settings are not those of its dialect, the key is missing, or the server does
    /// not answer.
    pub(crate) fn ask(
        &self,
        model: &Model,
        ask: &Ask,
        context: &dyn Context,
    ) -> Result<Answer, Failure> {
        let server = self.providers.server(model)?;
        check_settings(&server, ask.settings.keys().map(String::as_str))?;
        let wire = server.dialect.wire();
        let ask = &seeded(ask);
        let body = Value::Object(wire.body(&model.id, ask, &server));
        let named = Value::Object(wire.body(&model.id, &ask.named(), &server));
        let request = Request {
            kind: MODEL_CALL.to_owned(),
            document: document(&server, model, &named, ask.sample, context.generation()),
            who: model.to_string(),
            price: self.price(model, &server, &named, ask),
        };
        let path = wire.path(&model.id);
        let took = |reply: &Value| {
            let usage = wire.answer(reply).ok()?.usage;
            Some(usage.input + usage.output).filter(|tokens| *tokens > 0)
        };
        let letter = Letter {
            path: &path,
            body: &body,
            longest: longest(&server, ask).unwrap_or(0),
            took: &took,
        };
        let mut perform = |outbox: &dyn Outbox| {
            let secret = key(&server, context)?;
            let received = self
                .http
                .post(&server, &letter, secret.as_ref(), context, outbox)?;
            let answer = wire.answer(&received.value).map_err(|lack| {
                Failure::new(format!(
                    "the reply of {} cannot be read: {lack}",
                    server.identity()
                ))
            })?;
            let price = usd(model, &server, &answer.usage);
            if price.is_none() && self.provenance(model) == "live" {
                context.note(Note {
                    message: Some(format!(
                        "no price is known for {model}; its calls count as 0 USD"
                    )),
                    ..Note::default()
                });
            }
            let mut record =
                serde_json::to_value(&answer).map_err(|error| Failure::bug(error.to_string()))?;
            if let Value::Object(fields) = &mut record {
                fields.extend([
                    ("raw".to_owned(), json!(received.raw)),
                    ("request_id".to_owned(), json!(received.request_id)),
                    ("attempts".to_owned(), json!(received.attempts)),
                    ("waited_s".to_owned(), json!(received.waited)),
                    ("latency_ms".to_owned(), json!(received.latency_ms)),
                    ("priced".to_owned(), json!(price.is_some())),
                ]);
            }
            Ok(Reply {
                document: record,
                usd: price.unwrap_or(0.0),
                tokens: Some(Tokens {
                    input: answer.usage.input,
                    output: answer.usage.output,
                }),
            })
        };
        let reply = context.call(&request, &mut perform)?;
        read(&reply.document)
    }

    /// What a call can cost. A server of this machine asks for nothing, unless it stands for one that does.
    fn price(&self, model: &Model, server: &Provider, body: &Value, ask: &Ask) -> Price {
        let limit = longest(server, ask);
        let bytes = body.to_string().len() as u64;
        match between(model, server, bytes, TOKENS * ask.pictures(), limit) {
            Some(price) => price,
            None if self.provenance(model) == "live" => Price::Unknown,
            None => Price::Free,
        }
    }
}

/// Tokens of the reply at most, where there is a limit.
fn longest(server: &Provider, ask: &Ask) -> Option<u64> {
    let set = ["max_completion_tokens", "max_tokens"]
        .iter()
        .find_map(|name| ask.settings.get(*name)?.as_u64());
    set.or(server.dialect.limit())
}

/// The question with a seed of its own for each sample, where the user set one.
fn seeded(ask: &Ask) -> Ask {
    let mut ask = ask.clone();
    if let Some(seed) = ask.settings.get("seed").and_then(Value::as_u64) {
        let own = seed.saturating_add(ask.sample);
        ask.settings.insert("seed".to_owned(), own.into());
    }
    ask
}

/// What enters the key of a call: everything that is sent, and nothing that is secret or of the moment.
fn document(server: &Provider, model: &Model, body: &Value, sample: u64, generation: u64) -> Value {
    let mut document = json!({
        "v": 1,
        "dialect": server.dialect.name(),
        "identity": server.identity(),
        // In one dialect the model stands in the path.
        "model": model.id,
        "body": body,
        "sample": sample,
        "generation": generation,
    });
    if let Some(version) = &server.api_version {
        document["api_version"] = version.clone().into();
    }
    document
}

fn key(server: &Provider, context: &dyn Context) -> Result<Option<Secret>, Failure> {
    let Some(name) = &server.key else {
        return Ok(None);
    };
    let secret = context.secret(name).and_then(Secret::new);
    // A server of this machine asks for no key as a rule; if it does, it will say so.
    let local = ["://127.", "://localhost", "://[::1]"]
        .iter()
        .any(|host| server.base_url.contains(host));
    if secret.is_none() && !local {
        return Err(Failure::new(format!(
            "{} needs a key, and {name} is not set",
            server.identity()
        ))
        .help(format!(
            "export {name}=…, or choose another model with `--set models.NAME=…`"
        )));
    }
    Ok(secret)
}

fn read(record: &Value) -> Result<Answer, Failure> {
    let part = |name: &str| record.get(name).cloned().unwrap_or(Value::Null);
    let fault =
        |error: serde_json::Error| Failure::bug(format!("a stored reply cannot be read: {error}"));
    Ok(Answer {
        text: serde_json::from_value(part("text")).map_err(fault)?,
        finish: serde_json::from_value(part("finish")).map_err(fault)?,
        usage: serde_json::from_value(part("usage")).map_err(fault)?,
        model_returned: serde_json::from_value(part("model_returned")).map_err(fault)?,
        id: serde_json::from_value(part("id")).map_err(fault)?,
    })
}

/// The text of a reply that came to its end.
///
/// # Errors
/// If it was cut off by the limit of tokens, refused, or ended otherwise.
pub(crate) fn complete(answer: Answer) -> Result<String, Failure> {
    match answer.finish {
        Finish::Stop => Ok(answer.text),
        Finish::Length => Err(Failure::new(format!(
            "the reply was cut off after {} tokens, so nothing of it is used",
            answer.usage.output
        ))
        .help("raise `max_tokens`: the call is then another one, and is made anew")),
        Finish::Refusal => {
            let said: String = answer.text.chars().take(200).collect();
            Err(Failure::new(format!("the model refused: {said}"))
                .help("try another model, or another sample"))
        }
        Finish::Other => Err(
            Failure::new("the reply ended for a reason that is not known")
                .help("try another sample"),
        ),
    }
}
