//! Whether a failed request is sent again, and when. Pure: it knows neither clock nor network.

use std::time::Duration;

use super::provider::Limits;

/// What a server answered, as far as it matters here.
#[derive(Clone, Debug, Default)]
pub(super) struct Outcome<'r> {
    /// None where no whole answer came: a refused, dropped, cut or hanging connection.
    pub(super) status: Option<u16>,
    pub(super) headers: Headers<'r>,
    pub(super) body: &'r str,
}

/// The headers that say when to come back.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Headers<'r> {
    pub(super) retry_after_ms: Option<&'r str>,
    pub(super) retry_after: Option<&'r str>,
    pub(super) should_retry: Option<&'r str>,
    /// The server's own clock, against which a date in `retry_after` is read.
    pub(super) date: Option<&'r str>,
}

/// What to do after a failed try.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Next {
    /// Send again after the wait; `asked` if the server named it, so that others wait too.
    Again { wait: Duration, asked: bool },
    /// Sending again would not help.
    Refused,
    /// It might help, but not now.
    GiveUp(&'static str),
}

/// Decides after try number `tried`, from 1. `jitter` lies between 0 and 1.
pub(super) fn next(outcome: &Outcome<'_>, tried: u32, limits: &Limits, jitter: f64) -> Next {
    let again = match (outcome.headers.should_retry, outcome.status) {
        (Some("true"), _) | (_, None) => true,
        (Some("false"), _) => false,
        (_, Some(status)) => matches!(status, 408 | 409 | 429) || status >= 500,
    };
    // An empty account answers 429 like a busy server, but waiting does not fill it.
    let empty = [
        "insufficient_quota",
        "billing_hard_limit_reached",
        "credit balance is too low",
    ]
    .iter()
    .any(|word| outcome.body.contains(word));
    if !again || empty {
        return Next::Refused;
    }
    if tried >= limits.tries {
        return Next::GiveUp("as often as it may");
    }
    match asked(&outcome.headers) {
        Some(wait) if wait > limits.patience => {
            Next::GiveUp("until the server asked for a longer wait than it may")
        }
        Some(wait) => Next::Again {
            wait: Duration::from_secs_f64(wait),
            asked: true,
        },
        None => {
            let doubled = limits.first_wait * 2f64.powi(i32::try_from(tried).unwrap_or(30) - 1);
            let wait = doubled.min(limits.longest_wait) * (1.0 - 0.25 * jitter.clamp(0.0, 1.0));
            Next::Again {
                wait: Duration::from_secs_f64(wait),
                asked: false,
            }
        }
    }
}

/// The wait that the server asks for, seconds.
fn asked(headers: &Headers<'_>) -> Option<f64> {
    let number = |text: &str| {
        text.trim()
            .parse::<f64>()
            .ok()
            .filter(|wait| wait.is_finite() && *wait >= 0.0)
    };
    if let Some(wait) = headers.retry_after_ms.and_then(number) {
        return Some(wait / 1000.0);
    }
    let text = headers.retry_after?;
    number(text).or_else(|| {
        let until = httpdate::parse_http_date(text).ok()?;
        let now = httpdate::parse_http_date(headers.date?).ok()?;
        Some(
            until
                .duration_since(now)
                .map_or(0.0, |wait| wait.as_secs_f64()),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decide(status: u16, headers: Headers<'_>, body: &str, tried: u32) -> Next {
        next(
            &Outcome {
                status: Some(status),
                headers,
                body,
            },
            tried,
            &Limits::default(),
            0.0,
        )
    }

    fn after(seconds: f64, asked: bool) -> Next {
        Next::Again {
            wait: Duration::from_secs_f64(seconds),
            asked,
        }
    }

    #[test]
    fn busy_and_broken_servers_are_asked_again_with_doubling_waits() {
        for status in [408, 409, 429, 500, 502, 503, 529] {
            assert_eq!(
                decide(status, Headers::default(), "", 1),
                after(0.5, false),
                "{status}"
            );
        }
        assert_eq!(decide(500, Headers::default(), "", 4), after(4.0, false));
        assert!(matches!(
            decide(500, Headers::default(), "", 6),
            Next::GiveUp(_)
        ));
        assert!(matches!(
            next(&Outcome::default(), 1, &Limits::default(), 1.0),
            Next::Again { .. }
        ));
    }

    #[test]
    fn wrong_requests_and_empty_accounts_are_not() {
        for status in [400, 401, 403, 404, 422] {
            assert_eq!(
                decide(status, Headers::default(), "", 1),
                Next::Refused,
                "{status}"
            );
        }
        assert_eq!(
            decide(
                429,
                Headers::default(),
                r#"{"error":{"code":"insufficient_quota"}}"#,
                1
            ),
            Next::Refused
        );
    }

    #[test]
    fn the_server_s_word_counts_for_more_than_ours() {
        let headers = |retry_after| Headers {
            retry_after: Some(retry_after),
            ..Headers::default()
        };
        assert_eq!(decide(429, headers("2.5"), "", 1), after(2.5, true));
        assert!(matches!(
            decide(429, headers("121"), "", 1),
            Next::GiveUp(_)
        ));
        let milliseconds = Headers {
            retry_after_ms: Some("250"),
            ..headers("9")
        };
        assert_eq!(decide(429, milliseconds, "", 1), after(0.25, true));
        let dated = Headers {
            date: Some("Mon, 23 Nov 2026 10:00:00 GMT"),
            ..headers("Mon, 23 Nov 2026 10:00:07 GMT")
        };
        assert_eq!(decide(503, dated, "", 1), after(7.0, true));
        let no = Headers {
            should_retry: Some("false"),
            ..Headers::default()
        };
        assert_eq!(decide(500, no, "", 1), Next::Refused);
        let yes = Headers {
            should_retry: Some("true"),
            ..Headers::default()
        };
        assert_eq!(decide(400, yes, "", 1), after(0.5, false));
    }
}
