//! Sends one request until it is answered, refused, or not worth sending again.
//!
//! It knows no dialect. A credential goes into one header, marked as sensitive, and is taken out of
//! every text that leaves this file.

use std::error::Error as _;
use std::sync::{OnceLock, mpsc};
use std::time::{Duration, Instant};

use kyobashi_stage::{Context, Failure, Note, Outbox};
use reqwest::blocking::{Client, Response};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use super::lane::{Lanes, tokens};
use super::provider::{Auth, Provider};
use super::retry::{Headers, Next, Outcome, next};
use super::secret::Secret;

/// The longest part of a server's error that is shown.
const SHOWN: usize = 600;

/// How often somebody who waits looks whether the run is being stopped.
const SLICE: Duration = Duration::from_millis(200);

/// What came back.
#[derive(Clone, Debug)]
pub(super) struct Received {
    /// The body as it came.
    pub(super) raw: String,
    pub(super) value: Value,
    /// The server's id of the request, for support.
    pub(super) request_id: Option<String>,
    /// Requests sent, and seconds waited between them.
    pub(super) attempts: u32,
    pub(super) waited: f64,
    /// Milliseconds from the last request to its whole answer.
    pub(super) latency_ms: u64,
}

/// What is sent, and what of a minute's tokens it takes.
pub(super) struct Letter<'l> {
    /// Below the base URL.
    pub(super) path: &'l str,
    pub(super) body: &'l Value,
    /// Tokens of the reply at most, where there is a limit.
    pub(super) longest: u64,
    /// The tokens that a reply says it took, prompt and all.
    pub(super) took: &'l dyn Fn(&Value) -> Option<u64>,
}

/// The connections of a run, and whose turn it is.
#[derive(Debug, Default)]
pub(super) struct Http {
    client: OnceLock<Client>,
    lanes: Lanes,
}

/// An answer, or none.
struct Try {
    status: Option<u16>,
    headers: HeaderMap,
    body: String,
    /// What went wrong on the way, if there is no whole answer.
    trouble: Option<String>,
    /// Whether there was no connection, so that nothing arrived.
    unheard: bool,
}

impl Try {
    fn without_answer(trouble: String) -> Self {
        Self {
            status: None,
            headers: HeaderMap::new(),
            body: String::new(),
            trouble: Some(trouble),
            unheard: false,
        }
    }
}

impl Http {
    /// Posts a JSON body to a server.
    ///
    /// # Errors
    /// In the words of the server, without the credential; passing if another run may fare better.
    pub(super) fn post(
        &self,
        server: &Provider,
        letter: &Letter<'_>,
        secret: Option<&Secret>,
        context: &dyn Context,
        outbox: &dyn Outbox,
    ) -> Result<Received, Failure> {
        let text = letter.body.to_string();
        let prompt = tokens(text.len());
        if secret.is_some_and(|secret| secret.is_in(&text)) {
            return Err(
                Failure::new("the request holds the provider's key; it was not sent")
                    .help("look for the key in the prompt, the paper or the settings"),
            );
        }
        let scrub =
            |text: &str| secret.map_or_else(|| text.to_owned(), |secret| secret.scrub(text));
        let (mut tried, mut waited) = (0, 0.0);
        loop {
            tried += 1;
            let most = prompt.saturating_add(letter.longest);
            let turn = self.lanes.turn(server, most, context)?;
            waited += turn.waited;
            outbox.leaves()?;
            let start = Instant::now();
            let sent = self
                .attempt(server, letter.path, &text, secret, context)
                .inspect_err(|_| outbox.came_back())?;
            let whole = sent.status.filter(|_| sent.trouble.is_none());
            let answered = whole.is_some_and(|status| (200..300).contains(&status));
            if answered {
                let reply = serde_json::from_str(&sent.body).ok();
                turn.took(
                    reply
                        .and_then(|reply| (letter.took)(&reply))
                        .unwrap_or(most),
                );
            } else if whole.is_some() {
                // What was refused has no reply.
                turn.took(prompt);
            }
            drop(turn);
            let latency_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
            if answered {
                let (raw, value) = json(&sent, server, &scrub)?;
                let request_id =
                    header(&sent.headers, "x-request-id").or(header(&sent.headers, "request-id"));
                let request_id = request_id.map(scrub);
                return Ok(Received {
                    raw,
                    value,
                    request_id,
                    attempts: tried,
                    waited,
                    latency_ms,
                });
            }
            if sent.unheard || whole.is_some() {
                outbox.came_back();
            }
            let outcome = Outcome {
                status: whole,
                headers: Headers {
                    retry_after_ms: header(&sent.headers, "retry-after-ms"),
                    retry_after: header(&sent.headers, "retry-after"),
                    should_retry: header(&sent.headers, "x-should-retry"),
                    date: header(&sent.headers, "date"),
                },
                body: &sent.body,
            };
            match next(&outcome, tried, &server.limits, jitter()) {
                Next::Again { wait, asked } => {
                    let why = scrub(&trouble(&sent, server));
                    context.note(Note {
                        message: Some(format!(
                            "{why}; try {} in {:.1} s",
                            tried + 1,
                            wait.as_secs_f64()
                        )),
                        ..Note::default()
                    });
                    if asked {
                        self.lanes.hold(server, wait);
                    } else {
                        waited += pause(wait, context)?;
                    }
                }
                Next::Refused => return Err(refused(&sent, server, &scrub)),
                Next::GiveUp(how) => {
                    let why = scrub(&trouble(&sent, server));
                    let often = match tried {
                        1 => "once".to_owned(),
                        _ => format!("{tried} times"),
                    };
                    return Err(Failure::passing(format!("{why}; asked {often}, {how}"))
                        .help("run again later: what is done is kept"));
                }
            }
        }
    }

    fn attempt(
        &self,
        server: &Provider,
        path: &str,
        body: &str,
        secret: Option<&Secret>,
        context: &dyn Context,
    ) -> Result<Try, Failure> {
        let url = format!("{}/{path}", server.base_url.trim_end_matches('/'));
        let request = self
            .client(server)?
            .post(&url)
            .headers(headers(server, secret)?)
            .timeout(Duration::from_secs_f64(
                server.limits.timeout.clamp(0.001, 86_400.0),
            ))
            .body(body.to_owned());
        // An answer can take minutes; who is stopped meanwhile does not wait for it.
        let (sender, answer) = mpsc::channel();
        std::thread::spawn(move || {
            let tried = match request.send() {
                Ok(response) => whole(response),
                Err(error) => Try {
                    unheard: error.is_connect(),
                    ..Try::without_answer(told(error))
                },
            };
            // Whoever stopped waiting hears nothing.
            let _ = sender.send(tried);
        });
        loop {
            match answer.recv_timeout(SLICE) {
                Ok(tried) => return Ok(tried),
                Err(mpsc::RecvTimeoutError::Timeout) if !context.cancelled() => {}
                Err(_) => return Ok(Try::without_answer("stopped before the answer".to_owned())),
            }
        }
    }

    fn client(&self, server: &Provider) -> Result<&Client, Failure> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        // Another provider may already be installed by whoever links this crate; either will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let local = ["://127.", "://localhost", "://[::1]"]
            .iter()
            .any(|host| server.base_url.contains(host));
        let builder = Client::builder()
            .user_agent(concat!("kyobashi/", env!("CARGO_PKG_VERSION")))
            // On a redirect to another host a key in a header of its own would go along.
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(30));
        let builder = if local { builder.no_proxy() } else { builder };
        let client = builder.build().map_err(|error| {
            Failure::new(format!("cannot start the HTTP client: {}", told(error)))
        })?;
        Ok(self.client.get_or_init(|| client))
    }
}

fn headers(server: &Provider, secret: Option<&Secret>) -> Result<HeaderMap, Failure> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(secret) = secret {
        let (name, value) = match &server.auth {
            Auth::Bearer => (AUTHORIZATION, format!("Bearer {}", secret.reveal())),
            Auth::Header(name) => {
                let name =
                    HeaderName::from_bytes(name.to_lowercase().as_bytes()).map_err(|_| {
                        Failure::new(format!("`{name}` is not a name of an HTTP header"))
                    })?;
                (name, secret.reveal().to_owned())
            }
        };
        let mut value = HeaderValue::from_str(&value).map_err(|_| {
            Failure::new("the provider's key holds signs that no HTTP header can hold")
        })?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    if let Some(version) = &server.api_version {
        let value = HeaderValue::from_str(version)
            .map_err(|_| Failure::new(format!("`{version}` cannot be sent as an API version")))?;
        headers.insert(HeaderName::from_static("anthropic-version"), value);
    }
    Ok(headers)
}

fn whole(response: Response) -> Try {
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    match response.text() {
        Ok(body) => Try {
            status: Some(status),
            headers,
            body,
            trouble: None,
            unheard: false,
        },
        Err(error) => Try {
            status: Some(status),
            headers,
            body: String::new(),
            trouble: Some(format!("the answer was cut: {}", told(error))),
            unheard: false,
        },
    }
}

/// An error in words, without its URL, which may hold credentials.
fn told(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut words = if error.is_timeout() {
        "no answer in time".to_owned()
    } else {
        error.to_string()
    };
    let mut cause = error.source();
    while let Some(inner) = cause {
        words = format!("{words}: {inner}");
        cause = inner.source();
    }
    words
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// What went wrong, in one line.
fn trouble(sent: &Try, server: &Provider) -> String {
    let server = server.identity();
    match (&sent.trouble, sent.status) {
        (Some(trouble), _) => format!("{server}: {trouble}"),
        (None, Some(status)) => {
            let said = said(&sent.body);
            let gap = if said.is_empty() { "" } else { ": " };
            format!("{server} answered {status}{gap}{said}")
        }
        (None, None) => format!("{server}: no answer"),
    }
}

/// The message of an error body, or its first line.
fn said(body: &str) -> String {
    let value: Option<Value> = serde_json::from_str(body).ok();
    let message = value.as_ref().and_then(|value| {
        ["/error/message", "/message", "/error", "/detail"]
            .iter()
            .find_map(|at| value.pointer(at)?.as_str())
    });
    let line = message.unwrap_or_else(|| body.trim().lines().next().unwrap_or_default());
    line.chars().take(SHOWN).collect()
}

fn refused(sent: &Try, server: &Provider, scrub: &impl Fn(&str) -> String) -> Failure {
    let failure = Failure::new(scrub(&trouble(sent, server)));
    match sent.status {
        Some(401 | 403) => match &server.key {
            Some(key) => failure.help(format!("check the key in {key}")),
            None => failure.help("this server asks for a key: name its variable under `providers:`"),
        },
        Some(404) => failure.help("check the model's id and the provider's base URL"),
        Some(429) => failure.help("the account is empty; add credit, or choose another provider"),
        Some(300..=399) => failure.help("redirects are not followed, as they would carry the key along: give the final base URL"),
        _ => failure,
    }
}

fn json(
    sent: &Try,
    server: &Provider,
    scrub: &impl Fn(&str) -> String,
) -> Result<(String, Value), Failure> {
    let raw = scrub(&sent.body);
    match serde_json::from_str::<Value>(&raw) {
        Ok(value) if value.is_object() => Ok((raw, value)),
        _ => {
            let kind = header(&sent.headers, "content-type").unwrap_or("no content type");
            Err(Failure::new(format!(
                "{} answered with {kind}, not with a JSON object",
                server.identity()
            ))
            .help("is the base URL that of the API, not of a web page?"))
        }
    }
}

/// Waits, looking now and then whether the run is being stopped; seconds waited.
pub(super) fn pause(wait: Duration, context: &dyn Context) -> Result<f64, Failure> {
    let mut left = wait;
    while !left.is_zero() {
        if context.cancelled() {
            return Err(Failure::passing("stopped while waiting for a model server"));
        }
        let slice = left.min(SLICE);
        std::thread::sleep(slice);
        left -= slice;
    }
    Ok(wait.as_secs_f64())
}

/// A number between 0 and 1 that differs between processes and calls, so that many do not return at once.
fn jitter() -> f64 {
    use std::hash::{BuildHasher, RandomState};
    (RandomState::new().hash_one(0u8) >> 11) as f64 / (1u64 << 53) as f64
}
