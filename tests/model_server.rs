//! A model server on loopback that speaks the `openai-chat` dialect and is as strict as the real one:
//! unknown fields, wrong types and a missing key are refused, and every request is remembered.

use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use serde_json::{Value, json};
use tiny_http::{Header, Method, Request, Response, Server};

/// Whether a value is right for its field.
type Judge = fn(&Value) -> bool;

/// What is accepted in a request body, and of which kind.
const FIELDS: &[(&str, Judge)] = &[
    ("model", Value::is_string),
    ("messages", Value::is_array),
    ("temperature", |value| {
        value
            .as_f64()
            .is_some_and(|number| (0.0..=2.0).contains(&number))
    }),
    ("top_p", Value::is_number),
    ("max_tokens", Value::is_u64),
    ("max_completion_tokens", Value::is_u64),
    ("seed", Value::is_i64),
    ("response_format", Value::is_object),
];

/// What is answered to a right request, by its body and its number from 0.
type Answer = Box<dyn Fn(&Value, usize) -> Said + Send>;

/// An answer.
pub(crate) enum Said {
    /// The assistant's message.
    Text(String),
    /// A message that was cut off by the limit of tokens.
    Cut(String),
}

/// The server; it ends when dropped.
pub(crate) struct ModelServer {
    server: Arc<Server>,
    thread: Option<JoinHandle<()>>,
    bodies: Arc<Mutex<Vec<Value>>>,
}

impl ModelServer {
    /// A server that answers every request with this text as the assistant's message.
    pub(crate) fn start(reply: &'static str) -> Self {
        Self::with(move |_, _| Said::Text(reply.to_owned()))
    }

    /// A server that answers according to the request.
    pub(crate) fn with(answer: impl Fn(&Value, usize) -> Said + Send + 'static) -> Self {
        let server = Arc::new(Server::http("127.0.0.1:0").unwrap());
        let bodies = Arc::new(Mutex::new(Vec::new()));
        let thread = {
            let (server, bodies) = (server.clone(), bodies.clone());
            let think: Answer = Box::new(answer);
            std::thread::spawn(move || {
                for request in server.incoming_requests() {
                    reply(request, &think, &bodies);
                }
            })
        };
        Self {
            server,
            thread: Some(thread),
            bodies,
        }
    }

    /// The base URL, as `OPENAI_BASE_URL` wants it.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/v1", self.server.server_addr())
    }

    /// The bodies of the requests that were right.
    pub(crate) fn bodies(&self) -> Vec<Value> {
        self.bodies.lock().unwrap().clone()
    }
}

impl Drop for ModelServer {
    fn drop(&mut self) {
        self.server.unblock();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

fn reply(mut request: Request, think: &Answer, bodies: &Mutex<Vec<Value>>) {
    let document = |body: &Value, text: &str, finish: &str| {
        json!({
            "id": "chatcmpl-test",
            "object": "chat.completion",
            "created": 1_700_000_000,
            "model": body["model"],
            "choices": [{
                "index": 0,
                "message": {"role": "assistant", "content": text},
                "finish_reason": finish
            }],
            "usage": {"prompt_tokens": 1000, "completion_tokens": 200, "total_tokens": 1200}
        })
    };
    let (status, body) = match judged(&mut request) {
        Ok(body) => {
            let number = {
                let mut bodies = bodies.lock().unwrap();
                bodies.push(body.clone());
                bodies.len() - 1
            };
            match think(&body, number) {
                Said::Text(text) => (200, document(&body, &text, "stop")),
                Said::Cut(text) => (200, document(&body, &text, "length")),
            }
        }
        Err((status, message)) => (
            status,
            json!({"error": {"message": message, "type": "invalid"}}),
        ),
    };
    let json = Header::from_bytes("content-type", "application/json").unwrap();
    let response = Response::from_string(body.to_string())
        .with_status_code(status)
        .with_header(json);
    // The client may have been killed by its test.
    let _ = request.respond(response);
}

fn judged(request: &mut Request) -> Result<Value, (u16, String)> {
    let header = |name: &'static str| {
        let found = request
            .headers()
            .iter()
            .find(|header| header.field.equiv(name));
        found
            .map(|header| header.value.as_str().to_owned())
            .unwrap_or_default()
    };
    if *request.method() != Method::Post || request.url() != "/v1/chat/completions" {
        return Err((404, format!("no {} {}", request.method(), request.url())));
    }
    if !header("content-type").contains("json") {
        return Err((415, "content-type must be application/json".to_owned()));
    }
    if header("authorization") != "Bearer test-key" {
        return Err((401, "no such key".to_owned()));
    }
    let body: Value = serde_json::from_reader(request.as_reader())
        .map_err(|error| (400, format!("not JSON: {error}")))?;
    for (name, value) in body.as_object().ok_or((400, "not an object".to_owned()))? {
        match FIELDS.iter().find(|(field, _)| field == name) {
            None => return Err((400, format!("unknown field {name}"))),
            Some((_, right)) if !right(value) => {
                return Err((400, format!("wrong type of {name}")));
            }
            Some(_) => {}
        }
    }
    for message in body["messages"]
        .as_array()
        .ok_or((400, "no messages".to_owned()))?
    {
        let role = message["role"].as_str().unwrap_or_default();
        if !["system", "developer", "user", "assistant"].contains(&role) {
            return Err((400, format!("unknown role `{role}`")));
        }
    }
    Ok(body)
}
