//! The dialect `openai-chat`: `POST /chat/completions`.

use serde_json::{Map, Value, json};

use super::ask::{Answer, Ask, Finish, Usage, Who, count, word};
use super::dialect::Wire;
use super::provider::Provider;

pub(super) struct Chat;

const SETTINGS: &[&str] = &[
    "temperature",
    "top_p",
    "max_tokens",
    "max_completion_tokens",
    "seed",
    "stop",
    "frequency_penalty",
    "presence_penalty",
    "reasoning_effort",
    "service_tier",
    "extra_body",
];

impl Wire for Chat {
    fn settings(&self, _: &Provider) -> &'static [&'static str] {
        SETTINGS
    }

    fn path(&self, _: &str) -> String {
        "chat/completions".to_owned()
    }

    fn body(&self, model: &str, ask: &Ask, provider: &Provider) -> Map<String, Value> {
        let mut messages = Vec::new();
        if !ask.system.is_empty() {
            messages.push(json!({"role": "system", "content": ask.system}));
        }
        for turn in &ask.turns {
            let role = match turn.who {
                Who::User => "user",
                Who::Model => "assistant",
            };
            let content = turn.content(
                |text| json!({"type": "text", "text": text}),
                |image| json!({"type": "image_url", "image_url": {"url": image.url()}}),
            );
            messages.push(json!({"role": role, "content": content}));
        }
        let mut body = Map::new();
        body.insert("model".to_owned(), model.into());
        body.insert("messages".to_owned(), messages.into());
        // OpenAI's own models refuse `max_tokens`; most other servers know nothing else.
        let limit = if provider.completion_limit {
            "max_completion_tokens"
        } else {
            "max_tokens"
        };
        ask.copy_settings(&[("max_tokens", limit)], &mut body);
        let same: Vec<(&str, &str)> = SETTINGS
            .iter()
            .filter(|name| !matches!(**name, "max_tokens" | "extra_body"))
            .map(|name| (*name, *name))
            .collect();
        ask.copy_settings(&same, &mut body);
        if let Some(schema) = ask.schema.as_ref().filter(|_| provider.schema) {
            let schema = json!({"name": schema.name, "schema": schema.schema, "strict": true});
            body.insert(
                "response_format".to_owned(),
                json!({"type": "json_schema", "json_schema": schema}),
            );
        }
        ask.extend(&mut body);
        body
    }

    fn answer(&self, reply: &Value) -> Result<Answer, String> {
        let choice = reply.pointer("/choices/0").ok_or("it has no `choices`")?;
        let refusal = word(choice, "/message/refusal").filter(|text| !text.is_empty());
        let finish = match (&refusal, word(choice, "/finish_reason").as_deref()) {
            (Some(_), _) | (_, Some("content_filter")) => Finish::Refusal,
            (_, Some("stop") | None) => Finish::Stop,
            (_, Some("length")) => Finish::Length,
            _ => Finish::Other,
        };
        let text = word(choice, "/message/content").or(refusal);
        if text.is_none() && finish == Finish::Stop {
            return Err("its message has no `content`".to_owned());
        }
        // DeepSeek counts its cache beside OpenAI's field.
        let cached = count(reply, "/usage/prompt_tokens_details/cached_tokens")
            .max(count(reply, "/usage/prompt_cache_hit_tokens"));
        Ok(Answer {
            text: text.unwrap_or_default(),
            finish,
            usage: Usage {
                input: count(reply, "/usage/prompt_tokens"),
                cached,
                cache_write: 0,
                output: count(reply, "/usage/completion_tokens"),
                reasoning: count(reply, "/usage/completion_tokens_details/reasoning_tokens"),
            },
            model_returned: word(reply, "/model"),
            id: word(reply, "/id"),
        })
    }
}
