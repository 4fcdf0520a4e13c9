//! A model as the scientist, up to the notes: ideas that are not repeated, edits that can be run, failures
//! that go back to it, and the run that the paper is about.

#![allow(clippy::unwrap_used, reason = "a test that breaks is a failed test")]

mod support;

use std::collections::BTreeMap;

use kyobashi_science::Dialect;
use kyobashi_stage::{Cell, Datum, Failure, Outputs};
use serde_json::{Value, json};
use support::reviewing::{bench, model, provider};
use support::server::{Act, Server};
use support::{Bench, baseline, dir, pipelines, runs, text, value};

fn template() -> Datum {
    dir(pipelines("templates/2d_diffusion"))
}

fn program() -> String {
    std::fs::read_to_string(pipelines("templates/2d_diffusion/program.py")).unwrap()
}

fn idea() -> Value {
    json!({"name": "wide_start", "title": "A wider first layer", "experiment": "Double the width of the first layer."})
}

fn say(value: Value) -> Act {
    Act::Say(format!("I have thought about it.\n{value}"))
}

fn said_idea(name: &str, experiment: &str, done: bool) -> Act {
    say(
        json!({"name": name, "title": format!("On {name}"), "experiment": experiment,
        "interestingness": 6, "feasibility": 9, "novelty": 3, "done": done}),
    )
}

#[test]
fn ideas_are_reflected_on_and_one_that_was_there_is_sent_back() {
    let server = Server::start(vec![
        said_idea(
            "gate",
            "Mix two denoisers by a gate that sees the step.",
            false,
        ),
        said_idea(
            "sharp_gate",
            "Mix two denoisers by a sharp gate that sees the step.",
            true,
        ),
        said_idea("learning rate schedule", "Anything at all.", false),
        said_idea(
            "warm_noise",
            "Let the noise rise slowly over the first tenth of training.",
            false,
        ),
        said_idea(
            "warm_noise",
            "Let the noise rise slowly over the first tenth of training.",
            true,
        ),
    ]);
    let bench = bench(provider(Dialect::OpenaiChat, &server.url));
    let propose = |n: usize| {
        let given = vec![("template", template()), ("n", Datum::value(n))];
        bench.run("ideas/propose", model(json!({})), given).unwrap()
    };
    let outputs = propose(2);
    let ideas = value(&outputs, "ideas");
    let names: Vec<&str> = ideas
        .as_array()
        .unwrap()
        .iter()
        .map(|idea| idea["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        ["sharp_gate", "warm_noise"],
        "the reflected version counts"
    );
    let bodies = server.seen();
    assert_eq!(bodies.len(), 5);
    assert!(
        bodies[2].body.to_string().contains("sharp_gate"),
        "the second talk sees the first idea"
    );
    let told = bodies[3].body.to_string();
    assert!(
        told.contains("earlier idea `learning_rate_schedule`"),
        "{told}"
    );

    let before = bench.requests.lock().unwrap().len();
    let one = value(&propose(1), "ideas");
    assert_eq!(one[0], ideas[0]);
    assert!(
        bench.requests.lock().unwrap()[before..]
            .iter()
            .all(|(_, known)| *known),
        "nothing is paid again for a shorter list"
    );
}

fn edit(bench: &Bench, history: Value, tries: Value) -> Result<Outputs, Failure> {
    let given = vec![
        ("idea", Datum::value(idea())),
        ("template", template()),
        ("history", Datum::value(history)),
        ("tries", Datum::value(tries)),
        ("overrides", Datum::value(json!({"steps": 30}))),
    ];
    bench.run("experiment/edit", model(json!({})), given)
}

fn reply(program: Option<&str>, changes: Value) -> Act {
    let block = program
        .map(|text| format!("````python program.py\n{text}````\n"))
        .unwrap_or_default();
    Act::Say(format!(
        "I widen it.\n{block}{}",
        json!({"what": "Widens the first layer.", "changes": changes})
    ))
}

#[test]
fn an_edit_is_taken_whole_or_sent_back_with_what_is_wrong() {
    let wide = program().replace(
        "hidden = int(cfg[\"hidden\"])",
        "hidden = 2 * int(cfg[\"hidden\"])",
    );
    let cut = "def init(cfg: Dict[str, float]) -> Dict[str, Tensor]:\n    # ... rest unchanged\n\ndef loss(p: Dict[str, Tensor]) -> Tensor:\n    return p[\"w\"]\n";
    let server = Server::start(vec![
        reply(Some(cut), json!([])),
        reply(None, json!([{"key": "steps", "value": 60}])),
        reply(Some(&wide), json!([{"key": "lr", "value": 0.001}])),
    ]);
    let bench = bench(provider(Dialect::OpenaiChat, &server.url));
    let outputs = edit(&bench, json!([]), json!([])).unwrap();
    assert_eq!(text(&outputs, "program"), wide);
    let config = value(&outputs, "config");
    assert_eq!(
        (&config["lr"], &config["steps"]),
        (&json!(0.001), &json!(30))
    );
    let seen = server.seen();
    assert!(seen[0].body.to_string().contains("try 1 of 4"));
    assert!(seen[1].body.to_string().contains("leaves something out"));
    assert!(
        seen[2]
            .body
            .to_string()
            .contains("`steps` may not be changed")
    );
}

#[test]
fn an_edit_that_changes_nothing_or_repeats_what_failed_is_sent_back() {
    let server = Server::start(vec![
        reply(None, json!([])),
        reply(None, json!([{"key": "lr", "value": 0.001}])),
        reply(None, json!([{"key": "lr", "value": 0.002}])),
    ]);
    let bench = bench(provider(Dialect::OpenaiChat, &server.url));
    let mut config: Value = serde_yaml_config();
    config["steps"] = json!(30);
    config["lr"] = json!(0.001);
    let tries = json!([{"what": "Raises the rate.", "program": program(), "config": config, "said": "6 of 6 trainings: program.py:4:2: no such size"}]);
    let outputs = edit(&bench, json!([]), tries).unwrap();
    assert_eq!(value(&outputs, "config")["lr"], 0.002);
    let seen = server.seen();
    assert!(
        seen[0]
            .body
            .to_string()
            .contains("program.py:4:2: no such size"),
        "the failure is shown"
    );
    assert!(
        seen[1]
            .body
            .to_string()
            .contains("changes neither the program nor a setting")
    );
    assert!(seen[2].body.to_string().contains("try 1 again"));
}

/// The settings of the baseline, by the stage that resolves them.
fn serde_yaml_config() -> Value {
    let outputs = Bench::new()
        .run("experiment/variant", None, vec![("template", template())])
        .unwrap();
    value(&outputs, "config")
}

fn cell(seed: u64, datum: Datum) -> Cell {
    Cell {
        at: BTreeMap::from([("seed".to_owned(), seed.into())]),
        datum,
    }
}

#[test]
fn a_try_that_failed_is_kept_with_what_it_said_once() {
    let bench = Bench::new();
    let grid = |cells: Vec<Datum>| Datum::Grid {
        axes: vec!["seed".to_owned()],
        cells: cells
            .into_iter()
            .zip(0..)
            .map(|(datum, seed)| cell(seed, datum))
            .collect(),
    };
    let given = |ok: Vec<bool>| {
        vec![
            ("ok", grid(ok.into_iter().map(Datum::value).collect())),
            (
                "said",
                grid(vec![
                    bench.file("a.txt", ""),
                    bench.file("b.txt", "loss is not finite"),
                    bench.file("c.txt", "loss is not finite"),
                ]),
            ),
            ("program", bench.file("program.py", "text")),
            ("what", Datum::value("Widens it.")),
            ("config", Datum::value(json!({"lr": 1}))),
        ]
    };
    let failed = bench
        .run("experiment/outcome", None, given(vec![true, false, false]))
        .unwrap();
    assert_eq!(value(&failed, "ok"), false);
    assert_eq!(
        value(&failed, "tries")[0]["said"],
        "2 of 3 trainings: loss is not finite"
    );
    let mut smoked = given(vec![]);
    smoked.retain(|(name, _)| !["ok", "said"].contains(name));
    smoked.push(("smoke_ok", Datum::value(false)));
    smoked.push(("smoke_said", bench.file("d.txt", "loss is not finite")));
    let smoked = bench.run("experiment/outcome", None, smoked).unwrap();
    assert_eq!(value(&smoked, "ok"), false);
    assert_eq!(
        value(&smoked, "tries")[0]["said"],
        "the short run before the trainings failed, so none of them was begun: loss is not finite"
    );
    let good = bench
        .run("experiment/outcome", None, given(vec![true, true, true]))
        .unwrap();
    assert_eq!(
        (value(&good, "ok"), value(&good, "tries")),
        (json!(true), json!([]))
    );
}

fn noted(
    bench: &Bench,
    by: Option<kyobashi_stage::Model>,
    ok: bool,
    history: Value,
) -> Result<Outputs, Failure> {
    let summary = bench
        .run(
            "stats/aggregate",
            None,
            vec![
                ("runs", runs(3, &[])),
                ("over", Datum::value(json!(["seed"]))),
            ],
        )
        .unwrap();
    let given = vec![
        ("idea", Datum::value(idea())),
        ("program", bench.file("program.py", "text")),
        ("metrics", runs(3, &[("circle", "kl", -0.2)])),
        ("baseline", Datum::value(value(&summary, "summary"))),
        ("history", Datum::value(history)),
        ("what", Datum::value("Widens it.")),
        ("config", Datum::value(json!({"lr": 1}))),
        ("ok", Datum::value(ok)),
        (
            "directions",
            Datum::value(json!({"eval_loss": "lower", "kl": "lower"})),
        ),
    ];
    bench.run("experiment/note", by, given)
}

#[test]
fn the_author_decides_when_to_stop_and_which_run_the_paper_is_about() {
    let server = Server::start(vec![
        say(
            json!({"notes": "It helps on circle.", "main": 1, "next": "Half the width.", "done": false}),
        ),
        say(json!({"notes": "Less helps less.", "main": 7, "next": "", "done": true})),
        say(json!({"notes": "Less helps less.", "main": 1, "next": "", "done": true})),
    ]);
    let bench = bench(provider(Dialect::OpenaiChat, &server.url));
    let first = noted(&bench, model(json!({})), true, json!([])).unwrap();
    assert_eq!(value(&first, "done"), false);
    let shown = server.seen()[0].body.to_string();
    assert!(
        shown.contains("better than the baseline") && shown.contains("cannot be told"),
        "{shown}"
    );
    let second = noted(&bench, model(json!({})), true, value(&first, "history")).unwrap();
    assert!(server.seen()[2].body.to_string().contains("from 1 to 2"));
    // A third run that was given up keeps the two before it.
    let third = noted(&bench, model(json!({})), false, value(&second, "history")).unwrap();
    assert_eq!(
        (value(&third, "done"), server.seen().len()),
        (json!(true), 3),
        "nothing is asked about it"
    );
    let chosen = bench
        .run(
            "experiment/chosen",
            None,
            vec![("history", Datum::value(value(&third, "history")))],
        )
        .unwrap();
    let made = value(&chosen, "runs");
    assert_eq!(
        (made.as_array().unwrap().len(), &made[0]["main"]),
        (2, &json!(true))
    );
    assert!(text(&chosen, "notes").contains("Less helps less."));
}

#[test]
fn where_no_run_worked_the_failure_says_why() {
    let bench = Bench::new();
    let failed = noted(&bench, baseline(), false, json!([])).unwrap();
    let mut history = value(&failed, "history");
    history[0]["tries"] = json!([{"what": "x", "program": "y", "config": {}, "said": "program.py:1:1: no such name"}]);
    let failure = bench
        .run(
            "experiment/chosen",
            None,
            vec![("history", Datum::value(history))],
        )
        .unwrap_err();
    assert!(
        failure.message.contains("program.py:1:1: no such name"),
        "{failure}"
    );
}
