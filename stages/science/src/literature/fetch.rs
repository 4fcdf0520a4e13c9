//! Gets one answer from a library before a deadline, or says why there is none. Nothing here waits
//! longer than it may: a library that asks for more patience than is left is given up at once.

use std::io::Read;
use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime};

use kyobashi_stage::{Context, Failure, Note};
use reqwest::blocking::{Client, Response};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

/// Requests sent for one question at most.
const TRIES: u32 = 3;

/// Seconds before the second request if the library names no time; doubled once.
const FIRST_WAIT: f64 = 1.0;

/// A library that does not begin to answer within this time is not worth more of it.
const SLOWEST: Duration = Duration::from_secs(30);

/// Ten papers with abstracts take some 50 kB; more than this is no answer to a search.
const MOST_BYTES: u64 = 16 << 20;

/// The longest part of an error's body that is shown.
const SHOWN: usize = 200;

/// One request.
pub(super) struct Get {
    pub(super) url: reqwest::Url,
    /// Name and value of the header that carries a key.
    pub(super) header: Option<(&'static str, String)>,
    /// The key, which no message may show.
    pub(super) secret: Option<String>,
}

/// The connections of a stage.
#[derive(Default)]
pub(super) struct Line(OnceLock<Client>);

/// What came of one try.
enum Try {
    Answer(String),
    /// Not worth another try.
    Refused(String),
    /// Worth another try, after the wait that the library asked for.
    Busy {
        why: String,
        wait: Option<Duration>,
    },
}

impl Line {
    /// The body of the answer.
    ///
    /// # Errors
    /// Why there is none, as a fragment; or that the run is being stopped.
    pub(super) fn get(
        &self,
        get: &Get,
        until: Instant,
        context: &dyn Context,
    ) -> Result<String, Failure> {
        let scrub = |text: &str| match &get.secret {
            Some(secret) => text.replace(secret.as_str(), "[secret]"),
            None => text.to_owned(),
        };
        let mut pause = Duration::from_secs_f64(FIRST_WAIT);
        for tried in 1.. {
            let (why, wait) = match self.attempt(get, until)? {
                Try::Answer(body) => return Ok(body),
                Try::Refused(why) => return Err(Failure::new(scrub(&why))),
                Try::Busy { why, wait } => (scrub(&why), wait.unwrap_or(pause)),
            };
            if tried >= TRIES {
                return Err(Failure::passing(format!("{why}, {tried} times")));
            }
            let left = until.saturating_duration_since(Instant::now());
            if wait >= left {
                return Err(Failure::passing(format!(
                    "{why}, and waiting {:.0} s more is over the deadline",
                    wait.as_secs_f64()
                )));
            }
            context.note(Note {
                message: Some(format!(
                    "{why}; asking again in {:.1} s",
                    wait.as_secs_f64()
                )),
                ..Note::default()
            });
            rest(wait, context)?;
            pause *= 2;
        }
        Err(Failure::bug("a library was not asked"))
    }

    fn attempt(&self, get: &Get, until: Instant) -> Result<Try, Failure> {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(Try::Refused("no time was left to ask".to_owned()));
        }
        let mut headers = HeaderMap::new();
        if let Some((name, value)) = &get.header {
            let mut value = HeaderValue::from_str(value).map_err(|_| {
                Failure::new(format!(
                    "the key for `{name}` holds signs that no header can hold"
                ))
            })?;
            value.set_sensitive(true);
            headers.insert(HeaderName::from_static(name), value);
        }
        let sent = self
            .client(&get.url)?
            .get(get.url.clone())
            .headers(headers)
            .timeout(left.min(SLOWEST))
            .send();
        Ok(match sent {
            Ok(response) => answer(response),
            Err(error) => Try::Busy {
                why: told(error),
                wait: None,
            },
        })
    }

    fn client(&self, url: &reqwest::Url) -> Result<&Client, Failure> {
        if let Some(client) = self.0.get() {
            return Ok(client);
        }
        // Another provider may already be installed by whoever links this crate; either will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = Client::builder()
            .user_agent(concat!("kyobashi/", env!("CARGO_PKG_VERSION")))
            // A redirect would carry a key to another host.
            .redirect(reqwest::redirect::Policy::none());
        // A proxy cannot reach this machine's own servers.
        if matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]")) {
            builder = builder.no_proxy();
        }
        let client = builder
            .build()
            .map_err(|error| Failure::bug(format!("no HTTP client: {error}")))?;
        Ok(self.0.get_or_init(|| client))
    }
}

fn answer(response: Response) -> Try {
    let status = response.status();
    let wait = response
        .headers()
        .get("retry-after")
        .and_then(|value| asked(value.to_str().ok()?));
    let mut body = Vec::new();
    if let Err(error) = response.take(MOST_BYTES).read_to_end(&mut body) {
        return Try::Busy {
            why: format!("the answer was cut: {error}"),
            wait,
        };
    }
    let body = String::from_utf8_lossy(&body).into_owned();
    if status.is_success() {
        return Try::Answer(body);
    }
    let line: String = body.split_whitespace().collect::<Vec<_>>().join(" ");
    let said: String = line.chars().take(SHOWN).collect();
    let why = format!("answered {} {said}", status.as_u16())
        .trim()
        .to_owned();
    if status.as_u16() == 429 || status.as_u16() == 408 || status.is_server_error() {
        Try::Busy { why, wait }
    } else {
        Try::Refused(why)
    }
}

/// The wait of a `Retry-After` header: seconds, or a date.
fn asked(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let until = httpdate::parse_http_date(text).ok()?;
    Some(until.duration_since(SystemTime::now()).unwrap_or_default())
}

/// An error in words, without its URL, which may hold a key.
fn told(error: reqwest::Error) -> String {
    if error.is_timeout() {
        return "gave no answer in time".to_owned();
    }
    let error = error.without_url();
    let mut words = format!("cannot be reached: {error}");
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        words = format!("{words}: {inner}");
        cause = inner.source();
    }
    words
}

/// Waits, looking now and then whether the run is being stopped.
pub(super) fn rest(wait: Duration, context: &dyn Context) -> Result<(), Failure> {
    const SLICE: Duration = Duration::from_millis(200);
    let mut left = wait;
    while !left.is_zero() {
        if context.cancelled() {
            return Err(Failure::passing("stopped while waiting for a library"));
        }
        let slice = left.min(SLICE);
        std::thread::sleep(slice);
        left -= slice;
    }
    Ok(())
}
