//! What a reviewer is shown and how often it looks again, and what an area chair may say, against a strict
//! server in this process.

#![allow(clippy::unwrap_used, reason = "a test that breaks is a failed test")]

mod support;

use kyobashi_science::Dialect;
use kyobashi_stage::{Datum, Failure};
use serde_json::{Value, json};
use support::reviewing::{bench, filled, findings, model, provider};
use support::server::{Act, Server};
use support::{Bench, pipelines, value};

fn review(bench: &Bench, more: Vec<(&str, Datum)>) -> Result<Value, Failure> {
    let form = std::fs::read(pipelines("forms/neurips.json")).unwrap();
    let given = vec![
        ("text", bench.file("paper.txt", "A paper.")),
        ("findings", Datum::value(findings())),
        ("form", bench.file("form.json", form)),
    ];
    let outputs = bench.run("llm/review", model(json!({})), [given, more].concat())?;
    Ok(value(&outputs, "review"))
}

fn examples() -> Datum {
    Datum::Dir {
        path: pipelines("review_examples"),
        digest: String::new(),
    }
}

fn said(overall: i64, done: bool) -> Act {
    let form = filled(overall.into());
    Act::Say(form.replace("\"summary\"", &format!("\"done\": {done}, \"summary\"")))
}

#[test]
fn a_reviewer_looks_again_until_it_is_done() {
    let server = Server::start(vec![
        Act::Say(filled(6.into())),
        said(4, false),
        said(4, true),
    ]);
    let bench = bench(provider(Dialect::OpenaiChat, &server.url));
    let review = review(&bench, vec![("reflections", Datum::value(5))]).unwrap();
    assert_eq!(review["overall"], 4, "the last review counts");
    assert_eq!(
        review["effort"],
        json!({"examples": [], "reflections": 2, "of": 5, "done": true})
    );
    assert!(review.get("done").is_none());
    let seen = server.seen();
    assert_eq!(seen.len(), 3, "three rounds were not needed");
    let last = seen[2].body["messages"].as_array().unwrap();
    assert!(
        last[5]["content"]
            .as_str()
            .unwrap()
            .contains("round 2 of 5")
    );
    let required = &seen[2].body["response_format"]["json_schema"]["schema"]["required"];
    assert!(required.as_array().unwrap().contains(&json!("done")));
    assert!(!seen[0].body.to_string().contains("\"done\""));
}

#[test]
fn saying_so_in_words_or_writing_the_same_again_is_being_done_as_well() {
    let words = format!("I am done.\n{}", filled(5.into()));
    for (acts, asked) in [
        (vec![Act::Say(filled(6.into())), Act::Say(words)], 2),
        (vec![Act::Say(filled(6.into())), said(6, false)], 2),
    ] {
        let server = Server::start(acts);
        let bench = bench(provider(Dialect::OpenaiChat, &server.url));
        review(&bench, vec![("reflections", Datum::value(4))]).unwrap();
        assert_eq!(server.seen().len(), asked);
    }
}

#[test]
fn a_look_that_spoils_the_form_leaves_the_review_before_it() {
    let bad = || Act::Say(filled(11.into()));
    let server = Server::start(vec![Act::Say(filled(6.into())), bad(), bad(), bad()]);
    let bench = bench(provider(Dialect::OpenaiChat, &server.url));
    let review = review(&bench, vec![("reflections", Datum::value(4))]).unwrap();
    assert_eq!((&review["overall"], server.seen().len()), (&json!(6), 4));
}

#[test]
fn examples_stand_before_the_paper_and_fit_the_form() {
    let server = Server::start(vec![Act::Say(filled(6.into()))]);
    let bench = bench(provider(Dialect::OpenaiChat, &server.url));
    let given = |n: u64| {
        vec![
            ("examples", Datum::value(n)),
            ("example_folder", examples()),
        ]
    };
    let review_of = review(&bench, given(3)).unwrap();
    assert_eq!(
        review_of["effort"]["examples"],
        json!(["1_gated_denoiser", "2_tuned_dropout", "3_order_of_batches"])
    );
    let seen = server.seen();
    let prompt = seen[0].body["messages"][1]["content"].as_str().unwrap();
    assert_eq!(prompt.matches("</example>").count(), 3);
    assert!(prompt.rfind("</example>") < prompt.find("<paper>"));
    let failure = review(&bench, given(4)).unwrap_err();
    assert!(failure.message.contains("the folder holds 3"), "{failure}");
}

#[test]
fn a_chair_that_makes_up_a_number_is_told_and_changes_no_score() {
    let point = |text: &str| {
        let points = json!({"points": [{"kind": "decisive", "text": text, "reviews": [1]}]});
        Act::Say(points.to_string())
    };
    let server = Server::start(vec![
        point("The loss fell by 41.6 percent."),
        point("Few seeds were run."),
    ]);
    let bench = bench(provider(Dialect::OpenaiChat, &server.url));
    let reviews = json!([{"form": "neurips", "reviewer": "m", "provenance": "local", "sample": 0,
        "overall": 5, "weaknesses": ["few seeds"]}]);
    let summary = json!({"scores": {"overall": {"value": 5.0, "min": 5, "max": 5, "n": 1}},
        "statistic": "median", "accept": false, "provenance": "local"});
    let given = vec![
        ("reviews", Datum::value(reviews)),
        ("summary", Datum::value(summary.clone())),
    ];
    let outputs = bench.run("review/meta", model(json!({})), given).unwrap();
    let made = value(&outputs, "summary");
    assert_eq!(made["scores"], summary["scores"]);
    assert_eq!(made["meta"]["points"][0]["text"], "Few seeds were run.");
    let seen = server.seen();
    assert!(seen[1].body.to_string().contains("holds the number 41.6"));
}

#[test]
fn a_quote_that_is_not_in_the_paper_is_marked_counted_and_named() {
    let evidence = "[\"“A paper” that trains\\n three networks.\", \"It trains ninety networks.\"]";
    let form = filled(6.into()).replace(
        "\"summary\"",
        &format!("\"evidence\": {evidence}, \"summary\""),
    );
    // The first reply lacks the field that was asked for, and is asked again.
    let server = Server::start(vec![Act::Say(filled(6.into())), Act::Say(form)]);
    let bench = bench(provider(Dialect::OpenaiChat, &server.url));
    let paper = bench.file("quoted.txt", "\"A paper\" that\ntrains three net-\nworks.");
    let quoted = review(
        &bench,
        vec![("evidence", Datum::value(true)), ("text", paper)],
    )
    .unwrap();
    let status: Vec<&str> = quoted["evidence"]["quotes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|quote| quote["status"].as_str().unwrap())
        .collect();
    assert_eq!(status, ["verified", "unverified"]);
    assert_eq!(quoted["evidence"]["unverified"], 1);
    let seen = server.seen();
    assert_eq!(seen.len(), 2);
    let required = &seen[0].body["response_format"]["json_schema"]["schema"]["required"];
    assert!(required.as_array().unwrap().contains(&json!("evidence")));
    let told = bench.run(
        "review/aggregate",
        None,
        vec![("reviews", Datum::value(json!([quoted])))],
    );
    let told = value(&told.unwrap(), "summary");
    assert_eq!(
        told["evidence"],
        json!({"quotes": 2, "unverified": [
            {"text": "It trains ninety networks.", "reviewer": quoted["reviewer"], "sample": 0},
        ]})
    );
}

#[test]
fn who_is_not_asked_for_quotes_is_sent_no_word_of_them() {
    let server = Server::start(vec![Act::Say(filled(6.into()))]);
    let bench = bench(provider(Dialect::OpenaiChat, &server.url));
    let review = review(&bench, Vec::new()).unwrap();
    assert!(review.get("evidence").is_none());
    assert!(!server.seen()[0].body.to_string().contains("\"evidence\\\""));
    assert!(!server.seen()[0].body.to_string().contains("`evidence`"));
}
