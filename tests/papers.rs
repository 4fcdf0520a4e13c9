//! A paper from a draft: what it refuses, where, and with which values.

use serde_json::{Value, json};

use crate::space::{Done, Space};

const PIPELINE: &str = r#"kyobashi: 1
name: paper
params:
  draft: {type: text, default: draft.md}
  results: {type: json, default: {}}
  claims: {type: str, default: refuse}
stages:
  paper:
    uses: paper/set
    in: {draft: "${params.draft}"}
    with: {results: "${params.results}", claims: "${params.claims}"}
outputs: {paper.pdf: "${paper.pdf}", numbers.json: "${paper.numbers}", paper.txt: "${paper.text}"}
"#;

/// Results of which one difference is clear, one is not, and one rests on two runs.
fn results() -> Value {
    let side = |mean: f64, n: u64| json!({"mean": mean, "n": n});
    let row = |a: f64, b: f64, ci: [f64; 2], n: u64| {
        json!({"baseline": side(a, n), "trial": side(b, n), "difference": b - a, "ci": ci,
               "direction": "lower", "n": n})
    };
    json!({"comparison": {"by": {
        "clear": {"loss": row(0.5, 0.25, [-0.375, -0.125], 3)},
        "open": {"loss": row(0.5, 0.375, [-0.5, 0.25], 3)},
        "few": {"loss": row(0.5, 0.25, [-0.375, -0.125], 2)},
    }}})
}

fn set(body: &str, more: &[&str]) -> (Space, Done) {
    let space = Space::new();
    space.write("paper.yaml", PIPELINE).write(
        "draft.md",
        &format!("---\ntitle: A\nprovenance: baseline\n---\n\n{body}\n"),
    );
    let results = format!("params.results={}", results());
    let first = [
        "run",
        "paper.yaml",
        "--json",
        "--out",
        "out",
        "--set",
        &results,
    ];
    let done = space.kyo(&[&first, more].concat());
    (space, done)
}

/// What the run says of the stage that failed.
fn failure(done: &Done) -> Value {
    assert_eq!(done.code, 1, "{}\n{}", done.stdout, done.stderr);
    let events = done.events();
    let failed = events.iter().find(|event| event["state"] == "failed");
    failed.expect("a stage failed")["failure"].clone()
}

fn about(place: &str, word: &str) -> String {
    format!(
        "The variant {word} the loss from \\val{{comparison.by.{place}.loss.baseline.mean}}{{.3}} to \\val{{comparison.by.{place}.loss.trial.mean}}{{.3}}."
    )
}

#[test]
fn a_sentence_that_the_results_do_not_bear_out_is_refused_with_its_values() {
    for (place, word, values) in [
        (
            "open",
            "improves",
            "differs by −0.125 [−0.500, 0.250], n = 3 and 3, lower is better",
        ),
        (
            "few",
            "reduces",
            "differs by −0.250 [−0.375, −0.125], n = 2 and 2, lower is better",
        ),
        (
            "clear",
            "increases",
            "differs by −0.250 [−0.375, −0.125], n = 3 and 3, lower is better",
        ),
    ] {
        let (_space, done) = set(&about(place, word), &[]);
        let failure = failure(&done);
        let refused = &failure["places"][0];
        assert_eq!(
            (&refused["file"], &refused["line"]),
            (&json!("draft.md"), &json!(6))
        );
        assert_eq!(refused["col"], 13, "the word itself: {refused}");
        let message = refused["message"].as_str().unwrap();
        assert!(
            message.starts_with(&format!("`{word}` is not borne out: ")),
            "{message}"
        );
        assert!(message.contains(values), "{message}");
        assert!(
            refused["help"]
                .as_str()
                .unwrap()
                .contains("without the claim")
        );
    }
    let (space, done) = set(&about("clear", "reduces"), &[]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert!(
        space
            .read("out/paper.txt")
            .contains("reduces the loss from 0.500 to 0.250")
    );
}

#[test]
fn an_unborne_sentence_may_be_a_warning_or_pass_where_that_was_asked() {
    let warnings = |claims: &str| -> Vec<Value> {
        let claims = format!("params.claims={claims}");
        let (space, done) = set(&about("open", "improves"), &["--set", &claims]);
        assert_eq!(done.code, 0, "{}", done.stderr);
        let numbers: Value = serde_json::from_str(&space.read("out/numbers.json")).unwrap();
        numbers["warnings"].as_array().unwrap().clone()
    };
    let warned = warnings("warn");
    assert!(
        warned[0]["message"]
            .as_str()
            .unwrap()
            .contains("[−0.500, 0.250]"),
        "{warned:?}"
    );
    assert_eq!(
        (&warned[0]["line"], &warned[0]["col"]),
        (&json!(6), &json!(13))
    );
    assert_eq!(warnings("pass"), [Value::Null; 0]);
    let (_space, done) = set("Text.", &["--set", "params.claims=perhaps"]);
    assert_eq!(failure(&done)["help"], "one of refuse, warn and pass");
}

#[test]
fn what_is_wrong_in_a_draft_is_data_with_line_column_and_remedy() {
    let (_space, done) = set(
        "Text.\n\nThe $\\foo{x}$ and\n\\val{comparison.by.clear.los.n} here.",
        &[],
    );
    let places = failure(&done)["places"].clone();
    let place = |index: usize| (places[index]["line"].clone(), places[index]["col"].clone());
    assert_eq!(
        (place(0), place(1)),
        ((json!(8), json!(5)), (json!(9), json!(1))),
        "{places}"
    );
    assert_eq!(
        places[1]["help"],
        "did you mean `comparison.by.clear.loss.n`?"
    );
}

#[test]
fn the_same_draft_gives_the_same_bytes_in_another_place_and_store() {
    let pdf = |(space, done): (Space, Done)| {
        assert_eq!(done.code, 0, "{}", done.stderr);
        std::fs::read(space.path("out/paper.pdf")).unwrap()
    };
    let (first, second) = (
        set(&about("clear", "reduces"), &[]),
        set(&about("clear", "reduces"), &[]),
    );
    assert!(pdf(first) == pdf(second), "two PDFs of one draft differ");
}
