//! Money: what a run may pay, what it would pay, and what it paid.

use serde_json::Value;

use crate::model_server::{ModelServer, Said};
use crate::space::Space;

/// A priced model whose server is the test's own: `identity` stands for the official one.
fn pipeline(n: usize, more: &str) -> String {
    format!(
        r#"
kyobashi: 1
name: samples
providers: {{openai: {{identity: "https://api.openai.com/v1"}}}}
models: {{judge: openai/gpt-4o-mini}}
params: {{n: {n}}}
{more}
stages:
  ask:
    uses: llm/chat
    matrix: {{sample: "${{range(params.n)}}"}}
    model: ${{models.judge}}
    with: {{prompt: ask.md, sample: "${{sample}}", max_tokens: 500}}
    out: {{line: str}}
  join:
    in: {{lines: "${{ask.line}}"}}
    run: cp "$lines" "$all"
    out: {{all: json}}
outputs: {{all: "${{join.all}}"}}
"#
    )
}

/// What one call of the test's server costs: 1000 tokens in, 200 out, at $0.15 and $0.60 a million.
const CALL: f64 = 0.00027;

fn space(server: &ModelServer, yaml: &str) -> Space {
    let mut space = Space::new();
    space
        .write("samples.yaml", yaml)
        .write("ask.md", "Say something.");
    space
        .set("OPENAI_BASE_URL", &server.url())
        .set("OPENAI_API_KEY", crate::model_server::KEY);
    space
}

fn server() -> ModelServer {
    ModelServer::with(|_, number| Said::Text(format!("Answer {number}.")))
}

#[test]
fn fifty_calls_side_by_side_with_room_for_ten_make_ten_and_the_rest_is_for_the_next_run() {
    let server = server();
    let space = space(&server, &pipeline(50, "budget: {calls: 10}"));
    let done = space.kyo(&["run", "samples.yaml", "--pool", "model=50"]);
    assert_eq!(done.code, 3, "{}", done.stderr);
    assert_eq!(server.bodies().len(), 10);
    for part in [
        "Left to pay: 40 calls",
        "resume   kyo run samples.yaml --pool model=50  (kept: 10 of 51 stage runs)",
    ] {
        assert!(done.stderr.contains(part), "{part}\n{}", done.stderr);
    }
    let rest = space
        .write("samples.yaml", &pipeline(50, ""))
        .run("samples.yaml", &[]);
    assert_eq!(server.bodies().len(), 50, "none was asked twice");
    assert_eq!(rest.count("reused")["llm/chat"], 10);
}

#[test]
fn dollars_are_reserved_before_they_are_spent_and_the_line_that_goes_on_is_named() {
    let server = server();
    let space = space(&server, &pipeline(8, ""));
    let done = space.kyo(&["run", "samples.yaml", "--budget", "0.001"]);
    assert_eq!(done.code, 3, "{}", done.stderr);
    let made = server.bodies().len();
    assert!(
        (1..=3).contains(&made),
        "$0.001 holds at most 3 calls: {made}"
    );
    let line = done
        .stderr
        .lines()
        .find(|line| line.starts_with("resume   "))
        .unwrap();
    let words = line["resume   kyo ".len()..].split_once("  (").unwrap().0;
    let words: Vec<&str> = words.split(' ').collect();
    assert_eq!(words[..3], ["run", "samples.yaml", "--budget"], "{line}");
    let done = space.kyo(&words);
    assert_eq!(done.code, 0, "{line}\n{}", done.stderr);
    assert_eq!(server.bodies().len(), 8, "only what was left is paid");
}

#[test]
fn a_plan_knows_the_cost_of_what_is_not_stored() {
    let server = server();
    let space = space(&server, &pipeline(5, ""));
    let plan = |more: &[&str]| -> Vec<Value> {
        let done = space.kyo(&[&["plan", "samples.yaml", "--json"], more].concat());
        assert_eq!(done.code, 0, "{}", done.stderr);
        serde_json::from_str(&done.stdout).unwrap()
    };
    let asked = |nodes: &[Value]| -> u64 {
        nodes
            .iter()
            .filter_map(|node| node["calls"]["calls"].as_u64())
            .sum()
    };
    let before = plan(&[]);
    assert_eq!(asked(&before), 5);
    let bound = &before[0]["calls"];
    let (least, most) = (
        bound["least_usd"].as_f64().unwrap(),
        bound["most_usd"].as_f64().unwrap(),
    );
    assert!(least < CALL && CALL < 2.0 * most, "{bound}");
    assert!(server.bodies().is_empty(), "a plan asks nobody");
    space.run("samples.yaml", &[]);
    assert_eq!(asked(&plan(&[])), 0);
    assert_eq!(asked(&plan(&["--set", "params.n=8"])), 3);
    let text = space
        .kyo(&["plan", "samples.yaml", "--set", "params.n=8"])
        .stdout;
    assert!(
        text.contains("known and not stored: 3 calls, at most $"),
        "{text}"
    );
}

#[test]
fn a_model_of_this_machine_is_free_whatever_the_budget() {
    let server = server();
    let yaml = pipeline(2, "").replace("gpt-4o-mini", "a-model-of-my-own");
    let space = space(&server, &yaml);
    let done = space.kyo(&["run", "samples.yaml", "--budget", "1"]);
    // The server is on this machine, so its calls are free.
    assert_eq!(done.code, 0, "{}", done.stderr);
}

#[test]
fn what_was_paid_is_told_by_stage_and_model_with_what_reuse_saved() {
    let server = server();
    let space = space(&server, &pipeline(4, ""));
    space.run("samples.yaml", &[]);
    let cost = |more: &[&str]| -> Value {
        let done = space.kyo(&[&["cost", "--json"], more].concat());
        assert_eq!(done.code, 0, "{}", done.stderr);
        serde_json::from_str(&done.stdout).unwrap()
    };
    let first = cost(&[]);
    let row = &first["rows"][0];
    assert_eq!(
        (row["stage"].as_str(), row["who"].as_str()),
        (Some("ask"), Some("openai/gpt-4o-mini"))
    );
    assert_eq!(
        (row["calls"].as_u64(), row["input_tokens"].as_u64()),
        (Some(4), Some(4000))
    );
    assert!(
        (first["paid_usd"].as_f64().unwrap() - 4.0 * CALL).abs() < 1e-9,
        "{first}"
    );
    space.run("samples.yaml", &["--set", "params.n=6"]);
    let second = cost(&[]);
    assert!(
        (second["paid_usd"].as_f64().unwrap() - 2.0 * CALL).abs() < 1e-9,
        "{second}"
    );
    assert!(
        (second["saved_usd"].as_f64().unwrap() - 4.0 * CALL).abs() < 1e-9,
        "{second}"
    );
    assert_eq!(cost(&["1"]), first);
    let text = space.kyo(&["cost"]).stdout;
    assert!(text.contains("ask") && text.contains("saved"), "{text}");
}

#[test]
fn a_mistake_in_a_budget_is_told_at_its_place() {
    let server = server();
    let space = space(&server, &pipeline(1, "budget: {usd: much, cals: 3}"));
    let done = space.kyo(&["check", "samples.yaml"]);
    assert_eq!(done.code, 2);
    for part in [
        "samples.yaml:7:15",
        "`usd` must be an amount of US dollars",
        "did you mean `calls`?",
    ] {
        assert!(
            done.stderr.contains(part) || done.stdout.contains(part),
            "{part}\n{}\n{}",
            done.stdout,
            done.stderr
        );
    }
}

#[test]
fn a_run_without_models_cost_nothing_and_says_so_plainly() {
    let space = Space::new();
    space.write("a.yaml", "kyobashi: 1\nstages: {a: {run: 'true'}}\n");
    space.run("a.yaml", &[]);
    let cost = space.kyo(&["cost", "--json"]).stdout;
    assert!(cost.contains(r#""paid_usd":0.0,"saved_usd":0.0"#), "{cost}");
}
