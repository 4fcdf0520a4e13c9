//! A model server in this process: it refuses what a strict server refuses, plays a list of faults,
//! and keeps a journal.

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

/// What the server does with one request.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Answers in its dialect with this text.
    Say(String),
    /// Answers with a status, headers and a body as they are.
    Raw(u16, Vec<(&'static str, String)>, String),
    /// Closes the connection without an answer.
    Drop,
    /// Sends half an answer.
    Cut,
    /// Never answers.
    Hang,
}

/// One request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) path: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Value,
}

pub(crate) struct Server {
    pub(crate) url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    /// Starts a server that plays `acts` in order, and answers 410 after them.
    pub(crate) fn start(acts: Vec<Act>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let journal = seen.clone();
        std::thread::spawn(move || {
            let mut acts = VecDeque::from(acts);
            let mut hanging = Vec::new();
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let Some(request) = read(&mut stream) else {
                    continue;
                };
                let act = acts.pop_front().unwrap_or(Act::Raw(
                    410,
                    vec![],
                    r#"{"error":{"message":"no more acts"}}"#.into(),
                ));
                let wrong = strict(&request);
                journal.lock().unwrap().push(request.clone());
                match (wrong, act) {
                    (Some(wrong), _) => answer(
                        &mut stream,
                        400,
                        &[],
                        &json!({"error": {"message": wrong}}).to_string(),
                    ),
                    (None, Act::Say(text)) => answer(
                        &mut stream,
                        200,
                        &[("x-request-id", "req-7".into())],
                        &said(&request, &text).to_string(),
                    ),
                    (None, Act::Raw(status, headers, body)) => {
                        answer(&mut stream, status, &headers, &body)
                    }
                    (None, Act::Cut) => {
                        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 999\r\n\r\n{\"cho");
                    }
                    (None, Act::Hang) => hanging.push(stream),
                    (None, Act::Drop) => {}
                }
            }
        });
        Self { url, seen }
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

fn read(stream: &mut TcpStream) -> Option<Seen> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let path = line.split_whitespace().nth(1)?.to_owned();
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    Some(Seen {
        path,
        headers,
        body: serde_json::from_slice(&body).ok()?,
    })
}

fn answer(stream: &mut TcpStream, status: u16, headers: &[(&'static str, String)], body: &str) {
    let mut head = format!(
        "HTTP/1.1 {status} Status\r\ncontent-length: {}\r\nconnection: close\r\n",
        body.len()
    );
    if !headers.iter().any(|(name, _)| *name == "content-type") {
        head += "content-type: application/json\r\n";
    }
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    let _ = stream.write_all(format!("{head}\r\n{body}").as_bytes());
}

/// A complete reply in the dialect of the request's path, with usage.
fn said(request: &Seen, text: &str) -> Value {
    match request.path.rsplit('/').next().unwrap_or_default() {
        "completions" => json!({
            "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "test-model-2026",
            "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}],
            "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120,
                "prompt_tokens_details": {"cached_tokens": 40}, "completion_tokens_details": {"reasoning_tokens": 5}},
        }),
        "responses" => json!({
            "id": "resp_1", "status": "completed", "model": "test-model-2026",
            "output": [{"type": "reasoning", "summary": []},
                {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]}],
            "usage": {"input_tokens": 100, "output_tokens": 20, "input_tokens_details": {"cached_tokens": 40},
                "output_tokens_details": {"reasoning_tokens": 5}},
        }),
        "messages" => json!({
            "id": "msg_1", "type": "message", "role": "assistant", "model": "test-model-2026", "stop_reason": "end_turn",
            "content": [{"type": "text", "text": text}],
            "usage": {"input_tokens": 60, "cache_read_input_tokens": 40, "cache_creation_input_tokens": 0, "output_tokens": 20},
        }),
        _ => json!({
            "responseId": "g1", "modelVersion": "test-model-2026",
            "candidates": [{"finishReason": "STOP", "content": {"role": "model", "parts": [
                {"text": "thinking", "thought": true}, {"text": text}]}}],
            "usageMetadata": {"promptTokenCount": 100, "candidatesTokenCount": 15, "thoughtsTokenCount": 5, "cachedContentTokenCount": 40},
        }),
    }
}

/// What a strict server says of a request, if anything is wrong with it.
fn strict(request: &Seen) -> Option<String> {
    let body = request.body.as_object()?;
    let (needed, allowed): (&[&str], &[&str]) =
        match request.path.rsplit('/').next().unwrap_or_default() {
            "completions" => (
                &["model", "messages"],
                &[
                    "model",
                    "messages",
                    "temperature",
                    "top_p",
                    "max_tokens",
                    "max_completion_tokens",
                    "seed",
                    "stop",
                    "response_format",
                ],
            ),
            "responses" => (
                &["model", "input"],
                &[
                    "model",
                    "input",
                    "store",
                    "instructions",
                    "temperature",
                    "max_output_tokens",
                    "text",
                    "reasoning",
                ],
            ),
            "messages"
                if request
                    .headers
                    .get("anthropic-version")
                    .is_some_and(|version| version == "2023-06-01") =>
            {
                (
                    &["model", "messages", "max_tokens"],
                    &[
                        "model",
                        "messages",
                        "max_tokens",
                        "system",
                        "temperature",
                        "top_p",
                        "top_k",
                        "stop_sequences",
                        "output_config",
                    ],
                )
            }
            "messages" => (
                &["model", "messages", "max_tokens"],
                &[
                    "model",
                    "messages",
                    "max_tokens",
                    "system",
                    "stop_sequences",
                    "output_config",
                ],
            ),
            _ => (
                &["contents"],
                &["contents", "systemInstruction", "generationConfig"],
            ),
        };
    if let Some(missing) = needed.iter().find(|name| !body.contains_key(**name)) {
        return Some(format!("`{missing}` is missing"));
    }
    if let Some(unknown) = body.keys().find(|name| !allowed.contains(&name.as_str())) {
        return Some(format!("unknown field `{unknown}`"));
    }
    let numbers = [
        "temperature",
        "top_p",
        "max_tokens",
        "max_completion_tokens",
        "seed",
    ];
    if let Some(wrong) = numbers
        .iter()
        .find(|name| body.get(**name).is_some_and(|value| !value.is_number()))
    {
        return Some(format!("`{wrong}` is not a number"));
    }
    for message in body
        .get("messages")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let role = message["role"].as_str().unwrap_or_default();
        if !["system", "user", "assistant"].contains(&role) || !message["content"].is_string() {
            return Some(format!("a message of role `{role}` is not valid"));
        }
    }
    let schema = body
        .get("response_format")
        .map(|format| &format["json_schema"]);
    if schema.is_some_and(|schema| {
        !schema["name"].is_string() || schema["schema"]["additionalProperties"] != false
    }) {
        return Some("`response_format` is not a strict schema".to_owned());
    }
    None
}
