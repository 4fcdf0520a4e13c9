//! The dialect `gemini`: `POST /models/<model>:generateContent`.

use serde_json::{Map, Value, json};

use super::ask::{Answer, Ask, Finish, Usage, Who, count, word};
use super::dialect::Wire;
use super::provider::Provider;

pub(super) struct Gemini;

/// Settings with the names that the API gives them.
const NAMES: &[(&str, &str)] = &[
    ("temperature", "temperature"),
    ("top_p", "topP"),
    ("top_k", "topK"),
    ("max_tokens", "maxOutputTokens"),
    ("seed", "seed"),
    ("frequency_penalty", "frequencyPenalty"),
    ("presence_penalty", "presencePenalty"),
    ("thinking_config", "thinkingConfig"),
];

const SETTINGS: &[&str] = &[
    "temperature",
    "top_p",
    "top_k",
    "max_tokens",
    "seed",
    "frequency_penalty",
    "presence_penalty",
    "thinking_config",
    "stop",
    "extra_body",
];

impl Wire for Gemini {
    fn settings(&self, _: &Provider) -> &'static [&'static str] {
        SETTINGS
    }

    fn path(&self, model: &str) -> String {
        format!("models/{model}:generateContent")
    }

    fn body(&self, _: &str, ask: &Ask, provider: &Provider) -> Map<String, Value> {
        let contents: Vec<Value> = ask
            .turns
            .iter()
            .map(|turn| {
                let role = match turn.who {
                    Who::User => "user",
                    Who::Model => "model",
                };
                let mut parts = vec![json!({"text": turn.text})];
                parts.extend(turn.images.iter().map(
                    |image| json!({"inlineData": {"mimeType": image.mime, "data": image.data}}),
                ));
                json!({"role": role, "parts": parts})
            })
            .collect();
        let mut body = Map::new();
        body.insert("contents".to_owned(), contents.into());
        if !ask.system.is_empty() {
            body.insert(
                "systemInstruction".to_owned(),
                json!({"role": "user", "parts": [{"text": ask.system}]}),
            );
        }
        let mut config = Map::new();
        ask.copy_settings(NAMES, &mut config);
        if let Some(stop) = ask.settings.get("stop") {
            let list = if stop.is_array() {
                stop.clone()
            } else {
                json!([stop])
            };
            config.insert("stopSequences".to_owned(), list);
        }
        if let Some(schema) = ask.schema.as_ref().filter(|_| provider.schema) {
            config.insert("responseMimeType".to_owned(), "application/json".into());
            config.insert("responseJsonSchema".to_owned(), schema.schema.clone());
        }
        if !config.is_empty() {
            body.insert("generationConfig".to_owned(), config.into());
        }
        ask.extend(&mut body);
        body
    }

    fn answer(&self, reply: &Value) -> Result<Answer, String> {
        let usage = Usage {
            input: count(reply, "/usageMetadata/promptTokenCount"),
            cached: count(reply, "/usageMetadata/cachedContentTokenCount"),
            cache_write: 0,
            // Here thoughts are counted beside the candidates.
            output: count(reply, "/usageMetadata/candidatesTokenCount")
                + count(reply, "/usageMetadata/thoughtsTokenCount"),
            reasoning: count(reply, "/usageMetadata/thoughtsTokenCount"),
        };
        let model_returned = word(reply, "/modelVersion");
        let id = word(reply, "/responseId");
        let Some(candidate) = reply.pointer("/candidates/0") else {
            let reason =
                word(reply, "/promptFeedback/blockReason").ok_or("it has no `candidates`")?;
            return Ok(Answer {
                text: reason,
                finish: Finish::Refusal,
                usage,
                model_returned,
                id,
            });
        };
        let parts = candidate
            .pointer("/content/parts")
            .and_then(Value::as_array);
        let text: String = parts
            .into_iter()
            .flatten()
            .filter(|part| part["thought"] != true)
            .filter_map(|part| part["text"].as_str())
            .collect();
        let finish = match candidate["finishReason"].as_str() {
            Some("STOP") => Finish::Stop,
            Some("MAX_TOKENS") => Finish::Length,
            Some("SAFETY" | "RECITATION" | "BLOCKLIST" | "PROHIBITED_CONTENT" | "SPII") => {
                Finish::Refusal
            }
            _ => Finish::Other,
        };
        if text.is_empty() && finish == Finish::Stop {
            return Err("its candidate has no text".to_owned());
        }
        Ok(Answer {
            text,
            finish,
            usage,
            model_returned,
            id,
        })
    }
}
