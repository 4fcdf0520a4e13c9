//! A model server on loopback that speaks the `openai-chat` dialect and is as strict as the real one:
//! unknown fields, wrong types and a missing key are refused, and every request is remembered. Each
//! connection has a thread of its own and ends with its answer, so that none waits for another.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use serde_json::{Value, json};

/// A key that it takes, and that stands nowhere else; it takes all that begin like it.
pub(crate) const KEY: &str = "test-key-7Qx0canary";

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
type Answer = Box<dyn Fn(&Value, usize) -> Said + Send + Sync>;

/// An answer.
pub(crate) enum Said {
    /// The assistant's message.
    Text(String),
    /// A message that was cut off by the limit of tokens.
    Cut(String),
    /// A status, one header and a body as they are.
    Raw(u16, (&'static str, &'static str), String),
    /// The connection ends without an answer.
    Dropped,
}

/// The server; it ends when dropped.
pub(crate) struct ModelServer {
    address: SocketAddr,
    ending: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    bodies: Arc<Mutex<Vec<Value>>>,
    headers: Arc<Mutex<Vec<Headers>>>,
}

/// Of one request: names, in small letters, and values.
pub(crate) type Headers = Vec<(String, String)>;

/// What came in.
struct Request {
    line: String,
    headers: Headers,
    body: Vec<u8>,
}

impl ModelServer {
    /// A server that answers every request with this text as the assistant's message.
    pub(crate) fn start(reply: &'static str) -> Self {
        Self::with(move |_, _| Said::Text(reply.to_owned()))
    }

    /// A server that answers according to the request.
    pub(crate) fn with(answer: impl Fn(&Value, usize) -> Said + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let bodies = Arc::new(Mutex::new(Vec::new()));
        let headers = Arc::new(Mutex::new(Vec::new()));
        let ending = Arc::new(AtomicBool::new(false));
        let think: Arc<Answer> = Arc::new(Box::new(answer));
        let thread = {
            let (bodies, headers, ending) = (bodies.clone(), headers.clone(), ending.clone());
            std::thread::spawn(move || {
                for stream in listener.incoming() {
                    if ending.load(Ordering::Relaxed) {
                        return;
                    }
                    let (think, bodies, headers) = (think.clone(), bodies.clone(), headers.clone());
                    std::thread::spawn(move || {
                        // The client may have been killed by its test.
                        let _ = stream.and_then(|stream| reply(stream, &think, &bodies, &headers));
                    });
                }
            })
        };
        Self {
            address,
            ending,
            thread: Some(thread),
            bodies,
            headers,
        }
    }

    /// The base URL, as `OPENAI_BASE_URL` wants it.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// The bodies of the requests that were right.
    pub(crate) fn bodies(&self) -> Vec<Value> {
        self.bodies.lock().unwrap().clone()
    }
}

impl ModelServer {
    /// The headers of every request for an answer, also of those that were wrong.
    pub(crate) fn headers(&self) -> Vec<Headers> {
        self.headers.lock().unwrap().clone()
    }
}

impl Drop for ModelServer {
    fn drop(&mut self) {
        self.ending.store(true, Ordering::Relaxed);
        // One connection more wakes the one who waits for connections.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

fn read(stream: &TcpStream) -> std::io::Result<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut headers = Vec::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        let Some((name, value)) = header.split_once(':') else {
            break;
        };
        headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.map_or(0, |(_, value)| value.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Request {
        line: line.trim_end().to_owned(),
        headers,
        body,
    })
}

fn reply(
    mut stream: TcpStream,
    think: &Answer,
    bodies: &Mutex<Vec<Value>>,
    headers: &Mutex<Vec<Headers>>,
) -> std::io::Result<()> {
    let request = read(&stream)?;
    if request.line == "GET /v1/models HTTP/1.1" {
        let list = json!({"object": "list", "data": [{"id": "tiny-7b"}, {"id": "tiny-70b"}]});
        let list = list.to_string();
        return write!(
            stream,
            "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{list}",
            list.len()
        );
    }
    headers.lock().unwrap().push(request.headers.clone());
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
    let json = ("content-type", "application/json");
    let (status, (name, value), body) = match judged(&request) {
        Ok(body) => {
            let number = {
                let mut bodies = bodies.lock().unwrap();
                bodies.push(body.clone());
                bodies.len() - 1
            };
            match think(&body, number) {
                Said::Text(text) => (200, json, document(&body, &text, "stop").to_string()),
                Said::Cut(text) => (200, json, document(&body, &text, "length").to_string()),
                Said::Raw(status, header, body) => (status, header, body),
                Said::Dropped => return Ok(()),
            }
        }
        Err((status, message)) => (
            status,
            json,
            json!({"error": {"message": message, "type": "invalid"}}).to_string(),
        ),
    };
    write!(
        stream,
        "HTTP/1.1 {status} Said\r\n{name}: {value}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

fn judged(request: &Request) -> Result<Value, (u16, String)> {
    let header = |wanted: &str| {
        let found = request.headers.iter().find(|(name, _)| name == wanted);
        found.map_or("", |(_, value)| value)
    };
    if request.line != "POST /v1/chat/completions HTTP/1.1" {
        return Err((404, format!("no {}", request.line)));
    }
    if !header("content-type").contains("json") {
        return Err((415, "content-type must be application/json".to_owned()));
    }
    if !header("authorization").starts_with("Bearer test-key") {
        return Err((401, "no such key".to_owned()));
    }
    let body: Value = serde_json::from_slice(&request.body)
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
