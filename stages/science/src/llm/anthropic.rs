//! The dialect `anthropic`: `POST /messages`, in the API versions 2023-06-01 and 2026-10-21.
//!
//! The later version refuses every sampling setting, even at its default value.

use serde_json::{Map, Value, json};

use super::ask::{Answer, Ask, Finish, Usage, Who, count, word};
use super::dialect::Wire;
use super::provider::Provider;

pub(super) struct Messages;

/// The first version, whose authorization header is `x-api-key`.
pub(super) const FIRST_VERSION: &str = "2023-06-01";

const SETTINGS: &[&str] = &[
    "max_tokens",
    "stop",
    "thinking",
    "service_tier",
    "extra_body",
];
const SAMPLING: &[&str] = &[
    "max_tokens",
    "stop",
    "thinking",
    "service_tier",
    "extra_body",
    "temperature",
    "top_p",
    "top_k",
];

/// The API asks for a limit; this is what is sent where the user set none.
pub(super) const LIMIT: u64 = 4096;

impl Wire for Messages {
    fn settings(&self, provider: &Provider) -> &'static [&'static str] {
        match provider.api_version.as_deref() {
            Some(FIRST_VERSION) => SAMPLING,
            _ => SETTINGS,
        }
    }

    fn path(&self, _: &str) -> String {
        "messages".to_owned()
    }

    fn body(&self, model: &str, ask: &Ask, provider: &Provider) -> Map<String, Value> {
        let messages: Vec<Value> = ask
            .turns
            .iter()
            .map(|turn| match turn.who {
                Who::User => json!({"role": "user", "content": turn.content(
                    |text| json!({"type": "text", "text": text}),
                    |image| json!({"type": "image", "source": {
                        "type": "base64", "media_type": image.mime, "data": image.data,
                    }}),
                )}),
                Who::Model => json!({"role": "assistant", "content": turn.text}),
            })
            .collect();
        let mut body = Map::new();
        body.insert("model".to_owned(), model.into());
        body.insert("messages".to_owned(), messages.into());
        body.insert("max_tokens".to_owned(), LIMIT.into());
        if !ask.system.is_empty() {
            body.insert("system".to_owned(), ask.system.clone().into());
        }
        let same = [
            ("max_tokens", "max_tokens"),
            ("temperature", "temperature"),
            ("top_p", "top_p"),
            ("top_k", "top_k"),
            ("thinking", "thinking"),
            ("service_tier", "service_tier"),
        ];
        ask.copy_settings(&same, &mut body);
        if let Some(stop) = ask.settings.get("stop") {
            let list = if stop.is_array() {
                stop.clone()
            } else {
                json!([stop])
            };
            body.insert("stop_sequences".to_owned(), list);
        }
        if let Some(schema) = ask.schema.as_ref().filter(|_| provider.schema) {
            let format = json!({"type": "json_schema", "schema": schema.schema});
            body.insert("output_config".to_owned(), json!({"format": format}));
        }
        ask.extend(&mut body);
        body
    }

    fn answer(&self, reply: &Value) -> Result<Answer, String> {
        let content = reply
            .get("content")
            .and_then(Value::as_array)
            .ok_or("it has no `content`")?;
        let text: String = content
            .iter()
            .filter(|part| part["type"] == "text")
            .filter_map(|part| part["text"].as_str())
            .collect();
        let finish = match reply["stop_reason"].as_str() {
            Some("end_turn" | "stop_sequence") => Finish::Stop,
            Some("max_tokens" | "model_context_window_exceeded") => Finish::Length,
            Some("refusal") => Finish::Refusal,
            _ => Finish::Other,
        };
        if text.is_empty() && finish == Finish::Stop {
            return Err("its content has no text".to_owned());
        }
        let (read, write) = (
            count(reply, "/usage/cache_read_input_tokens"),
            count(reply, "/usage/cache_creation_input_tokens"),
        );
        Ok(Answer {
            text,
            finish,
            usage: Usage {
                // Here `input_tokens` leaves out what was read from or written to the cache.
                input: count(reply, "/usage/input_tokens") + read + write,
                cached: read,
                cache_write: write,
                output: count(reply, "/usage/output_tokens"),
                reasoning: 0,
            },
            model_returned: word(reply, "/model"),
            id: word(reply, "/id"),
        })
    }
}
