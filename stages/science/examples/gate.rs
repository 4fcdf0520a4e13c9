//! Drives every dialect through a strict gate: `cargo run -p kyobashi-science --example gate -- http://127.0.0.1:4011`.
//!
//! The gate validates each request against the official SDKs' own types and plays faults. The program
//! prints one line a case, and ends with 1 if one of them did not do what it should.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a program for people, run by hand"
)]

#[path = "../tests/support/mod.rs"]
mod support;

use kyobashi_science::{Auth, Dialect, Limits, Provider, Providers};
use kyobashi_stage::{Datum, Model};
use serde_json::{Value, json};
use support::{Bench, pipelines, value};

fn post(gate: &str, path: &str, body: &Value) {
    let client = reqwest::blocking::Client::new();
    client
        .post(format!("{gate}{path}"))
        .body(body.to_string())
        .send()
        .unwrap();
}

fn journal(gate: &str) -> Vec<Value> {
    let text = reqwest::blocking::get(format!("{gate}/__gate/journal"))
        .unwrap()
        .text()
        .unwrap();
    serde_json::from_str(&text).unwrap()
}

fn form(overall: Value) -> String {
    json!({"summary": "s", "strengths": ["a"], "weaknesses": ["b"], "originality": 2, "quality": 3, "clarity": 4,
        "significance": 1, "questions": [], "limitations": [], "ethical_concerns": false, "soundness": 3,
        "presentation": 3, "contribution": 2, "overall": overall, "confidence": 4, "decision": "Reject"})
    .to_string()
}

fn reply(dialect: Dialect, text: &str) -> Value {
    let body = match dialect {
        Dialect::OpenaiChat => {
            json!({"id": "c", "model": "m", "choices": [{"index": 0, "finish_reason": "stop",
            "message": {"role": "assistant", "content": text}}], "usage": {"prompt_tokens": 9, "completion_tokens": 3}})
        }
        Dialect::OpenaiResponses => {
            json!({"id": "r", "model": "m", "status": "completed", "output": [{"type": "message",
            "role": "assistant", "content": [{"type": "output_text", "text": text}]}], "usage": {"input_tokens": 9, "output_tokens": 3}})
        }
        Dialect::Anthropic => {
            json!({"id": "a", "model": "m", "stop_reason": "end_turn", "content": [{"type": "text", "text": text}],
            "usage": {"input_tokens": 9, "output_tokens": 3}})
        }
        Dialect::Gemini => {
            json!({"responseId": "g", "modelVersion": "m", "candidates": [{"finishReason": "STOP",
            "content": {"role": "model", "parts": [{"text": text}]}}], "usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": 3}})
        }
    };
    json!({"status": 200, "body": body})
}

fn main() {
    let gate = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "http://127.0.0.1:4011".to_owned());
    let _ = rustls::crypto::ring::default_provider().install_default();
    let header = |name: &str| Auth::Header(name.to_owned());
    let (v1, beta) = (format!("{gate}/v1"), format!("{gate}/v1beta"));
    let dialects = [
        (
            Dialect::OpenaiChat,
            v1.as_str(),
            Auth::Bearer,
            None,
            json!({"temperature": 0.7, "top_p": 0.9, "seed": 1, "stop": ["x"], "reasoning_effort": "low"}),
        ),
        (
            Dialect::OpenaiResponses,
            &v1,
            Auth::Bearer,
            None,
            json!({"temperature": 0.7, "top_p": 0.9, "reasoning_effort": "low"}),
        ),
        (
            Dialect::Anthropic,
            &v1,
            header("x-api-key"),
            Some("2023-06-01"),
            json!({"temperature": 0.7, "top_k": 5, "stop": "x"}),
        ),
        (
            Dialect::Anthropic,
            &v1,
            Auth::Bearer,
            Some("2026-10-21"),
            json!({"stop": ["x"]}),
        ),
        (
            Dialect::Gemini,
            &beta,
            header("x-goog-api-key"),
            None,
            json!({"temperature": 0.7, "top_k": 5, "seed": 1, "stop": ["x"]}),
        ),
    ];
    let mut wrong = 0;
    for (dialect, url, auth, version, settings) in dialects {
        let good = || reply(dialect, &form(6.into()));
        let cases: Vec<(&str, Value, Value, Result<usize, &str>)> = vec![
            ("only what is needed", json!({}), json!([good()]), Ok(1)),
            ("every setting", settings, json!([good()]), Ok(1)),
            (
                "asked again",
                json!({}),
                json!([reply(dialect, &form("6/10".into())), good()]),
                Ok(2),
            ),
            (
                "429, Retry-After",
                json!({}),
                json!([{"status": 429, "headers": {"retry-after": "0.1"}}, good()]),
                Ok(2),
            ),
            ("500", json!({}), json!([{"status": 500}, good()]), Ok(2)),
            ("529", json!({}), json!([{"status": 529}, good()]), Ok(2)),
            ("dropped", json!({}), json!([{"drop": true}, good()]), Ok(2)),
            ("cut", json!({}), json!([{"cut_after": 20}, good()]), Ok(2)),
            (
                "hanging",
                json!({}),
                json!([{"delay": 3, "status": 200, "body": {}}, good()]),
                Ok(2),
            ),
            (
                "all in a row",
                json!({}),
                json!([{"status": 429, "headers": {"retry-after-ms": "10"}}, {"status": 529}, {"drop": true}, good()]),
                Ok(4),
            ),
            (
                "an HTML page",
                json!({}),
                json!([{"body_text": "<html>", "status": 200}]),
                Err("text/html"),
            ),
            (
                "no credit",
                json!({}),
                json!([{"status": 429, "body": {"error": {"message": "none", "code": "insufficient_quota"}}}]),
                Err("none"),
            ),
        ];
        for (name, settings, faults, expected) in cases {
            post(&gate, "/__gate/reset", &json!({}));
            post(&gate, "/__gate/faults", &faults);
            let limits = Limits {
                timeout: 2.0,
                first_wait: 0.01,
                ..Limits::default()
            };
            let provider = Provider {
                auth: auth.clone(),
                api_version: version.map(str::to_owned),
                limits,
                ..Provider::new(dialect, url, Some("GATE_API_KEY"))
            };
            let mut providers = Providers::default();
            providers.add("gate", provider);
            let mut bench = Bench::with(providers);
            bench
                .secrets
                .insert("GATE_API_KEY".to_owned(), "sk-gate".to_owned());
            let model = Model {
                provider: "gate".into(),
                id: "test-model".into(),
                endpoint: String::new(),
                settings: serde_json::from_value(settings).unwrap(),
            };
            let made = bench.run(
                "llm/review",
                Some(model),
                vec![
                    ("text", bench.file("paper.txt", "A paper.")),
                    ("findings", Datum::value(json!([]))),
                    (
                        "form",
                        bench.file(
                            "form.json",
                            std::fs::read(pipelines("forms/neurips.json")).unwrap(),
                        ),
                    ),
                ],
            );
            let seen = journal(&gate);
            let violation = seen.iter().find_map(|entry| entry["violation"].as_str());
            let ended = match &made {
                Ok(outputs) => format!("overall {}", value(outputs, "review")["overall"]),
                Err(failure) => failure
                    .message
                    .lines()
                    .next()
                    .unwrap_or_default()
                    .to_owned(),
            };
            let fine = violation.is_none()
                && match expected {
                    Ok(requests) => made.is_ok() && seen.len() == requests,
                    Err(said) => ended.contains(said) && seen.len() == 1,
                };
            wrong += usize::from(!fine);
            println!(
                "{} {:<17} {:<11} {name:<20} {} requests, {ended}{}",
                if fine { "ok   " } else { "WRONG" },
                dialect.name(),
                version.unwrap_or(""),
                seen.len(),
                violation
                    .map(|why| format!(", violation: {why}"))
                    .unwrap_or_default(),
            );
        }
    }
    std::process::exit(i32::from(wrong > 0));
}
