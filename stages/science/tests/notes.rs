//! Notes on a paper: every sentence rests on a passage that was shown.

#![allow(clippy::unwrap_used, reason = "a test that breaks is a failed test")]

mod support;

use kyobashi_science::Dialect;
use kyobashi_stage::Datum;
use serde_json::json;
use support::reviewing::{bench, model, provider};
use support::server::{Act, Server};
use support::{Bench, baseline, text, value};

const PAPER: &str = "# Abstract\n\nWe study whether a gate between two denoisers lowers the loss of a diffusion model.\n\n# Method\n\nThe gate looks at the diffusion step and mixes the predictions of both denoisers.\n\nFigure 1: The loss falls over the optimiser steps for both variants.\n\n# Results\n\nThe loss falls from 0.9 to 0.8 on the circle, over five seeds.\n";

fn say(passage: usize) -> Act {
    Act::Say(json!({"sentences": [{"text": "門は二つを混ぜる。", "passage": passage}]}).to_string())
}

#[test]
fn the_baseline_quotes_the_passages_it_found_and_says_so() {
    let bench = Bench::new();
    let given = vec![("paper", bench.file("paper.md", PAPER))];
    let outputs = bench.run("notes/read", baseline(), given).unwrap();
    let notes = value(&outputs, "notes");
    let results = &notes["parts"][4];
    assert_eq!(results["title"], "Results");
    assert_eq!(
        results["sentences"][0],
        json!({"text": "“The loss falls from 0.9 to 0.8 on the circle, over five seeds.”", "passage": 4})
    );
    assert_eq!(
        notes["parts"][6]["sentences"][0]["passage"], 3,
        "the figure"
    );
    assert!(text(&outputs, "markdown").starts_with("> Made WITHOUT a language model"));
}

#[test]
fn a_model_writes_in_the_language_asked_for_and_only_from_passages_it_was_shown() {
    let mut acts = vec![say(99)];
    acts.extend((0..6).map(|_| say(1)));
    acts.push(say(3));
    let server = Server::start(acts);
    let bench = bench(provider(Dialect::OpenaiChat, &server.url));
    let given = vec![
        ("paper", bench.file("paper.md", PAPER)),
        ("language", Datum::value("Japanese")),
    ];
    let outputs = bench.run("notes/read", model(json!({})), given);
    let seen = server.seen();
    assert!(seen[0].body.to_string().contains("written in Japanese"));
    assert!(
        seen[1]
            .body
            .to_string()
            .contains("passage 99, which was not shown"),
        "{}",
        seen[1].body
    );
    let notes = value(&outputs.unwrap(), "notes");
    assert_eq!(notes["parts"].as_array().unwrap().len(), 7);
    assert_eq!((seen.len(), &notes["language"]), (8, &json!("Japanese")));
}

#[test]
fn a_paper_without_text_is_told() {
    let bench = Bench::new();
    let given = vec![("paper", bench.file("paper.md", "# Title\n\nToo short.\n"))];
    let failure = bench.run("notes/read", baseline(), given).unwrap_err();
    assert!(failure.help.unwrap().contains("pdftotext"));
}
