//! Every dialect, against a strict server in this process.

#![allow(clippy::unwrap_used, reason = "a test that breaks is a failed test")]

mod support;

use kyobashi_science::{Auth, Dialect, Provider, Providers};
use serde_json::json;
use support::reviewing::{CANARY, bench, filled, good, model, provider, review};
use support::server::{Act, Server};

#[test]
fn every_dialect_asks_and_is_read() {
    let header = |name: &str| Auth::Header(name.to_owned());
    let dialects = [
        (
            Dialect::OpenaiResponses,
            Auth::Bearer,
            None,
            "/v1/responses",
            "authorization",
        ),
        (
            Dialect::Anthropic,
            header("x-api-key"),
            Some("2023-06-01"),
            "/v1/messages",
            "x-api-key",
        ),
        (
            Dialect::Anthropic,
            Auth::Bearer,
            Some("2026-10-21"),
            "/v1/messages",
            "authorization",
        ),
        (
            Dialect::Gemini,
            header("x-goog-api-key"),
            None,
            "/v1/models/test-model:generateContent",
            "x-goog-api-key",
        ),
    ];
    for (dialect, auth, version, path, carrier) in dialects {
        let server = Server::start(vec![Act::Say(filled("6/10".into())), good()]);
        let provider = Provider {
            auth,
            api_version: version.map(str::to_owned),
            ..provider(dialect, &server.url)
        };
        let bench = bench(provider);
        let review = review(&bench, model(json!({})), 0, None).unwrap();
        assert_eq!(review["overall"], 6, "{dialect:?}");
        let seen = server.seen();
        assert_eq!((seen.len(), seen[0].path.as_str()), (2, path));
        assert!(seen[0].headers[carrier].ends_with(CANARY));
        assert_eq!(
            seen[0].headers.get("anthropic-version").map(String::as_str),
            version
        );
        let reply = bench.replies()[0].1.document.clone();
        assert_eq!(reply["usage"]["input"], 100, "{dialect:?}");
        assert_eq!(
            (&reply["usage"]["cached"], &reply["usage"]["output"]),
            (&json!(40), &json!(20))
        );
        assert_eq!(reply["model_returned"], "test-model-2026");
    }
}

#[test]
fn a_setting_that_the_dialect_does_not_have_is_refused_before_it_is_sent() {
    let server = Server::start(vec![]);
    let cases = [
        (
            Dialect::Anthropic,
            Some("2026-10-21"),
            json!({"temperature": 0.5}),
            "`temperature`",
        ),
        (Dialect::OpenaiResponses, None, json!({"seed": 1}), "`seed`"),
        (Dialect::OpenaiChat, None, json!({"top_k": 5}), "`top_k`"),
    ];
    for (dialect, version, settings, named) in cases {
        let provider = Provider {
            api_version: version.map(str::to_owned),
            ..provider(dialect, &server.url)
        };
        let mut providers = Providers::default();
        providers.add("test", provider.clone());
        let asked = model(settings).unwrap();
        assert!(providers.check(&asked).unwrap_err().message.contains(named));
        assert!(
            review(&bench(provider), Some(asked), 0, None)
                .unwrap_err()
                .message
                .contains(named)
        );
    }
    assert!(server.seen().is_empty());
}
