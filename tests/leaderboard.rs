//! Studies side by side through the front door: what a study leaves, and the table that several make.

use serde_json::{Value, json};

use crate::space::Space;

fn study(scientist: &str, scores: &[(Option<f64>, Option<f64>)]) -> String {
    let papers: Vec<Value> = scores
        .iter()
        .enumerate()
        .map(|(place, (first, improved))| {
            json!({"name": format!("idea_{place}"), "first": first, "improved": improved})
        })
        .collect();
    json!({"template": "2d_diffusion", "scientist": scientist, "reviewers": ["openai/a"], "held_out": ["openai/b"],
        "ideas": 8, "novel": 5, "experiments_passed": 4, "papers": papers})
    .to_string()
}

fn space() -> Space {
    let space = Space::new();
    space.copy("pipelines", "pipelines");
    let scores = [(3.0, 4.0), (4.0, 4.5), (5.0, 6.0)];
    let scores = scores.map(|(first, improved)| (Some(first), Some(improved)));
    space
        .write("one.json", &study("openai/x", &scores))
        .write("two.json", &study("anthropic/y", &[(None, None)]))
        .write("one-cost.json", r#"{"paid_usd": 1.5, "saved_usd": 0.75}"#)
        .write("two-cost.json", r#"{"paid_usd": 0.0, "saved_usd": 0.0}"#);
    space
}

const BOTH: [&str; 4] = [
    "--set",
    "params.studies=[one.json, two.json]",
    "--out",
    "out",
];

#[test]
fn studies_stand_side_by_side_with_both_scores_and_what_they_cost() {
    let space = space();
    let costs = ["--set", "params.costs=[one-cost.json, two-cost.json]"];
    space.run("pipelines/leaderboard.yaml", &[&BOTH[..], &costs].concat());
    let board: Value = serde_json::from_str(&space.read("out/leaderboard.json")).unwrap();
    let row = &board["rows"][0];
    assert_eq!(
        (&row["first"]["mean"], &row["improved"]["max"]),
        (&json!(4.0), &json!(6.0))
    );
    // 3, 4, 5: s = 1, t(2) = 4.303, so 2.484 on each side.
    let low = row["first"]["ci"][0].as_f64().unwrap();
    assert!((low - (4.0 - 2.484)).abs() < 1e-3, "{low}");
    assert_eq!(row["usd"], 2.25, "what was stored had been paid once");
    assert_eq!(board["rows"][1]["first"], Value::Null);
    let table = space.read("out/leaderboard.md");
    assert!(table.contains("4.00 [1.52, 6.48], n = 3"), "{table}");
    let png = std::fs::read(space.path("out/scores.png")).unwrap();
    assert!(png.starts_with(b"\x89PNG"));
}

#[test]
fn without_costs_and_scores_there_is_still_a_table() {
    let space = space();
    let set = ["--set", "params.studies=[two.json]", "--out", "out"];
    let done = space.run("pipelines/leaderboard.yaml", &set);
    assert!(space.read("out/leaderboard.md").contains("not told"));
    assert_eq!(done.ended("skipped"), ["violins"]);
}

#[test]
fn what_is_no_study_and_no_bill_is_told_by_its_name() {
    let space = space();
    let refused = |sets: &[&str]| {
        let sets: Vec<&str> = sets.iter().flat_map(|set| ["--set", set]).collect();
        let done = space.kyo(&[&["run", "pipelines/leaderboard.yaml"][..], &sets].concat());
        assert_eq!(done.code, 1, "{}", done.stderr);
        done.stderr
    };
    let said = refused(&["params.studies=[one-cost.json]"]);
    assert!(
        said.contains("is no study") && said.contains("study.json"),
        "{said}"
    );
    let said = refused(&["params.studies=[one.json]", "params.costs=[two.json]"]);
    assert!(
        said.contains("is no bill") && said.contains("kyo cost --json"),
        "{said}"
    );
    let said = refused(&[
        "params.studies=[one.json, two.json]",
        "params.costs=[one-cost.json]",
    ]);
    assert!(said.contains("2 studies, but 1 costs"), "{said}");
}
