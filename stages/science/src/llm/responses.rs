//! The dialect `openai-responses`: `POST /responses`.

use serde_json::{Map, Value, json};

use super::ask::{Answer, Ask, Finish, Usage, Who, count, word};
use super::dialect::Wire;
use super::provider::Provider;

pub(super) struct Responses;

/// There is no `seed` here, and no `stop`.
const SETTINGS: &[&str] = &[
    "temperature",
    "top_p",
    "max_tokens",
    "reasoning_effort",
    "service_tier",
    "extra_body",
];

impl Wire for Responses {
    fn settings(&self, _: &Provider) -> &'static [&'static str] {
        SETTINGS
    }

    fn path(&self, _: &str) -> String {
        "responses".to_owned()
    }

    fn body(&self, model: &str, ask: &Ask, provider: &Provider) -> Map<String, Value> {
        let input: Vec<Value> = ask
            .turns
            .iter()
            .map(|turn| match turn.who {
                Who::User => json!({"role": "user", "content": turn.content(
                    |text| json!({"type": "input_text", "text": text}),
                    |image| json!({"type": "input_image", "image_url": image.url(), "detail": "auto"}),
                )}),
                Who::Model => json!({"role": "assistant", "content": turn.text}),
            })
            .collect();
        let mut body = Map::new();
        body.insert("model".to_owned(), model.into());
        body.insert("input".to_owned(), input.into());
        // The server keeps replies for others to fetch unless it is told not to.
        body.insert("store".to_owned(), false.into());
        if !ask.system.is_empty() {
            body.insert("instructions".to_owned(), ask.system.clone().into());
        }
        let same = [
            ("temperature", "temperature"),
            ("top_p", "top_p"),
            ("max_tokens", "max_output_tokens"),
            ("service_tier", "service_tier"),
        ];
        ask.copy_settings(&same, &mut body);
        if let Some(effort) = ask.settings.get("reasoning_effort") {
            body.insert("reasoning".to_owned(), json!({"effort": effort}));
        }
        if let Some(schema) = ask.schema.as_ref().filter(|_| provider.schema) {
            let format = json!({"type": "json_schema", "name": schema.name, "schema": schema.schema, "strict": true});
            body.insert("text".to_owned(), json!({"format": format}));
        }
        ask.extend(&mut body);
        body
    }

    fn answer(&self, reply: &Value) -> Result<Answer, String> {
        let output = reply
            .get("output")
            .and_then(Value::as_array)
            .ok_or("it has no `output`")?;
        let parts = || {
            let messages = output.iter().filter(|item| item["type"] == "message");
            messages.flat_map(|item| item["content"].as_array().into_iter().flatten())
        };
        let text: String = parts().filter_map(|part| part["text"].as_str()).collect();
        let refused: String = parts()
            .filter_map(|part| part["refusal"].as_str())
            .collect();
        let finish = match (
            reply["status"].as_str(),
            word(reply, "/incomplete_details/reason").as_deref(),
        ) {
            _ if !refused.is_empty() => Finish::Refusal,
            (Some("completed"), _) => Finish::Stop,
            (_, Some("max_output_tokens")) => Finish::Length,
            (_, Some("content_filter")) => Finish::Refusal,
            _ => Finish::Other,
        };
        if text.is_empty() && finish == Finish::Stop {
            return Err("its output has no text".to_owned());
        }
        Ok(Answer {
            text: if text.is_empty() { refused } else { text },
            finish,
            usage: Usage {
                input: count(reply, "/usage/input_tokens"),
                cached: count(reply, "/usage/input_tokens_details/cached_tokens"),
                cache_write: 0,
                output: count(reply, "/usage/output_tokens"),
                reasoning: count(reply, "/usage/output_tokens_details/reasoning_tokens"),
            },
            model_returned: word(reply, "/model"),
            id: word(reply, "/id"),
        })
    }
}
