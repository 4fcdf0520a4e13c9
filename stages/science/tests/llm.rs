//! Reviews by a model, against a strict server in this process.

#![allow(clippy::unwrap_used, reason = "a test that breaks is a failed test")]

mod support;

use kyobashi_science::Dialect;
use kyobashi_stage::Retry;
use serde_json::json;
use support::reviewing::{CANARY, bench, filled, good, model, provider, review};
use support::server::{Act, Server};
use support::{Bench, baseline};

#[test]
fn a_model_fills_in_the_form_and_only_what_was_set_is_sent() {
    let server = Server::start(vec![good()]);
    let bench = bench(provider(Dialect::OpenaiChat, &server.url));
    let review = review(&bench, model(json!({})), 0, None).unwrap();
    assert_eq!(
        (&review["overall"], &review["form"], &review["provenance"]),
        (&json!(6), &json!("neurips"), &json!("local"))
    );
    assert_eq!(review["passed"], json!(["numbers_traced"]));
    assert_eq!(review["failed"][0]["check"], "claims_supported");
    let seen = server.seen();
    assert_eq!(seen[0].path, "/v1/chat/completions");
    assert_eq!(seen[0].headers["authorization"], format!("Bearer {CANARY}"));
    let fields: Vec<&String> = seen[0].body.as_object().unwrap().keys().collect();
    assert_eq!(
        fields,
        ["max_tokens", "messages", "model", "response_format"]
    );
    assert_eq!(
        seen[0].body["response_format"]["json_schema"]["strict"],
        true
    );
    let prompt = seen[0].body["messages"][1]["content"].as_str().unwrap();
    assert_eq!(
        prompt.matches("</paper>").count(),
        1,
        "the paper cannot close its delimiter"
    );
    assert!(
        prompt.contains("claims_supported says so")
            && prompt.contains("a whole number from 1 to 10")
    );
}

#[test]
fn equal_calls_are_paid_once_and_another_sample_is_another_call() {
    let server = Server::start(vec![good(), good(), good()]);
    let bench = bench(provider(Dialect::OpenaiChat, &server.url));
    let settings = || model(json!({"temperature": 0.75, "seed": 3}));
    let first = review(&bench, settings(), 0, None).unwrap();
    assert_eq!(review(&bench, settings(), 0, None).unwrap(), first);
    assert_eq!(server.seen().len(), 1);
    review(&bench, settings(), 1, None).unwrap();
    assert_eq!(server.seen().len(), 2);
    let mut bodies = [server.seen()[0].body.clone(), server.seen()[1].body.clone()];
    assert_eq!(
        (&bodies[0]["seed"], &bodies[1]["seed"]),
        (&json!(3), &json!(4))
    );
    bodies[1]["seed"] = json!(3);
    assert_eq!(
        bodies[0], bodies[1],
        "but for the seed, the sample is in the key and not in the body"
    );
    // The stage's temperature wins over the model's.
    review(&bench, settings(), 1, Some(0.1)).unwrap();
    assert_eq!(server.seen()[2].body["temperature"], 0.1);
    let requests = bench.requests.lock().unwrap();
    let document = &requests[0].0.document;
    assert_eq!(
        (&document["dialect"], &document["sample"], &document["v"]),
        (&json!("openai-chat"), &json!(0), &json!(1))
    );
    assert_eq!(document["identity"], server.url);
}

#[test]
fn an_invalid_form_is_asked_for_again_with_what_is_wrong() {
    let server = Server::start(vec![Act::Say(filled("6/10".into())), good()]);
    let bench = bench(provider(Dialect::OpenaiChat, &server.url));
    assert_eq!(
        review(&bench, model(json!({})), 0, None).unwrap()["overall"],
        6
    );
    let messages = server.seen()[1].body["messages"].clone();
    assert_eq!(messages.as_array().unwrap().len(), 4);
    assert!(
        messages[3]["content"]
            .as_str()
            .unwrap()
            .contains("`overall` is \"6/10\", but must be a whole number from 1 to 10")
    );
}

#[test]
fn a_form_that_stays_invalid_fails_after_two_more_tries() {
    let server = Server::start(vec![
        Act::Say("no".into()),
        Act::Say("no".into()),
        Act::Say("no".into()),
        good(),
    ]);
    let bench = bench(provider(Dialect::OpenaiChat, &server.url));
    let failure = review(&bench, model(json!({})), 0, None).unwrap_err();
    assert!(
        failure.message.contains("after 3 tries") && failure.message.contains("no JSON object"),
        "{failure}"
    );
    assert_eq!(server.seen().len(), 3);
}

#[test]
fn a_reply_that_was_cut_off_by_the_limit_is_refused_and_not_paid_twice() {
    let cut = json!({"choices": [{"finish_reason": "length", "message": {"role": "assistant", "content": filled(6.into())}}],
        "usage": {"prompt_tokens": 5, "completion_tokens": 4096}, "model": "m", "id": "c"});
    let server = Server::start(vec![Act::Raw(200, vec![], cut.to_string())]);
    let bench = bench(provider(Dialect::OpenaiChat, &server.url));
    for _ in 0..2 {
        let failure = review(&bench, model(json!({})), 0, None).unwrap_err();
        assert!(
            failure.message.contains("cut off after 4096 tokens"),
            "{failure}"
        );
        assert!(failure.help.unwrap().contains("max_tokens"));
    }
    assert_eq!(server.seen().len(), 1);
}

#[test]
fn passing_faults_are_survived() {
    let error = |status, headers| {
        Act::Raw(
            status,
            headers,
            r#"{"error": {"message": "busy"}}"#.to_owned(),
        )
    };
    let faults = [
        error(429, vec![("retry-after", "0".into())]),
        error(429, vec![("retry-after-ms", "1".into())]),
        error(408, vec![]),
        error(409, vec![]),
        error(500, vec![]),
        error(503, vec![]),
        error(529, vec![]),
        error(400, vec![("x-should-retry", "true".into())]),
        Act::Drop,
        Act::Cut,
        Act::Hang,
    ];
    for fault in faults {
        let server = Server::start(vec![fault.clone(), good()]);
        let bench = bench(provider(Dialect::OpenaiChat, &server.url));
        let review = review(&bench, model(json!({})), 0, None);
        assert_eq!(
            review.map(|review| review["overall"].clone()),
            Ok(json!(6)),
            "{fault:?}"
        );
        assert_eq!(server.seen().len(), 2, "{fault:?}");
        assert!(bench.notes.lock().unwrap().iter().any(|note| {
            note.message
                .as_deref()
                .is_some_and(|said| said.contains("try 2"))
        }));
    }
}

#[test]
fn lasting_faults_are_told_at_once() {
    let error = |status, body: &str| Act::Raw(status, vec![], body.to_owned());
    let html = Act::Raw(
        200,
        vec![("content-type", "text/html".into())],
        "<html>hello</html>".into(),
    );
    let faults = [
        (
            error(400, r#"{"error": {"message": "unknown field"}}"#),
            "unknown field",
        ),
        (
            error(401, r#"{"error": {"message": "bad key"}}"#),
            "bad key",
        ),
        (error(404, "gone"), "404: gone"),
        (
            error(
                429,
                r#"{"error": {"message": "no credit", "code": "insufficient_quota"}}"#,
            ),
            "no credit",
        ),
        (
            Act::Raw(
                500,
                vec![("x-should-retry", "false".into())],
                "broken".into(),
            ),
            "500: broken",
        ),
        (
            Act::Raw(
                302,
                vec![("location", "http://127.0.0.1:9/v1".into())],
                String::new(),
            ),
            "302",
        ),
        (html, "text/html"),
        (error(200, r#"{"choices": []}"#), "it has no `choices`"),
    ];
    for (fault, said) in faults {
        let server = Server::start(vec![fault.clone(), good()]);
        let bench = bench(provider(Dialect::OpenaiChat, &server.url));
        let failure = review(&bench, model(json!({})), 0, None).unwrap_err();
        assert!(failure.message.contains(said), "{fault:?}: {failure}");
        assert_eq!(failure.retry, Retry::Never);
        assert_eq!(server.seen().len(), 1, "{fault:?}");
    }
}

#[test]
fn a_server_that_stays_busy_is_given_up_after_six_tries() {
    let busy = Act::Raw(500, vec![], "busy".into());
    let server = Server::start(vec![busy; 9]);
    let bench = bench(provider(Dialect::OpenaiChat, &server.url));
    let failure = review(&bench, model(json!({})), 0, None).unwrap_err();
    assert_eq!((server.seen().len(), failure.retry), (6, Retry::Possible));
}

#[test]
fn the_key_is_found_nowhere_but_in_its_header() {
    let echo = format!(r#"{{"error": {{"message": "Incorrect API key provided: {CANARY}"}}}}"#);
    let leaky = filled(6.into()).replace("few seeds", &format!("key {CANARY} seen"));
    let server = Server::start(vec![
        Act::Raw(500, vec![], echo.clone()),
        Act::Say(leaky),
        Act::Raw(401, vec![("x-request-id", CANARY.into())], echo),
    ]);
    let bench = bench(provider(Dialect::OpenaiChat, &server.url));
    let mut written = review(&bench, model(json!({})), 0, None)
        .unwrap()
        .to_string();
    written += &format!(
        "{:?}",
        review(&bench, model(json!({})), 1, None).unwrap_err()
    );
    written += &format!("{:?}", bench.requests.lock().unwrap());
    written += &format!("{:?}", bench.notes.lock().unwrap());
    written += &format!("{:?}", bench.replies());
    assert!(
        written.contains("[secret]") && !written.contains("canary"),
        "{written}"
    );
    // A paper that holds the key is not sent.
    let sent = server.seen().len();
    let mut settings = model(json!({"extra_body": {"user": CANARY}}));
    let failure = review(&bench, settings.take(), 2, None).unwrap_err();
    assert!(failure.message.contains("was not sent") && !format!("{failure:?}").contains("canary"));
    assert_eq!(server.seen().len(), sent);
}

#[test]
fn a_missing_key_is_told_before_anything_is_sent() {
    let mut bench = bench(provider(Dialect::OpenaiChat, "https://models.invalid/v1"));
    bench.secrets.clear();
    let failure = review(&bench, model(json!({})), 0, None).unwrap_err();
    assert!(
        failure.message.contains("TEST_API_KEY is not set"),
        "{failure}"
    );
}

#[test]
fn without_a_model_the_checks_speak_and_give_no_score() {
    let bench = Bench::new();
    let review = review(&bench, baseline(), 0, None).unwrap();
    let fields: Vec<&String> = review.as_object().unwrap().keys().collect();
    assert_eq!(
        fields,
        [
            "failed",
            "form",
            "passed",
            "provenance",
            "reviewer",
            "sample"
        ]
    );
    assert_eq!(
        (&review["form"], &review["provenance"]),
        (&json!("checks"), &json!("baseline"))
    );
    assert!(bench.requests.lock().unwrap().is_empty());
}
