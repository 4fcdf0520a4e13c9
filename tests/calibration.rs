//! A calibration from the benchmark that makes it to the flow that shows it: raw beside calibrated, with its n
//! and where it comes from, and refused where it is of somebody else. Reviews and study are scripted.

use std::sync::MutexGuard;

use serde_json::{Value, json};

use crate::roles::{STUDY, Study, study};
use crate::space::{Done, Space};

/// 42 papers with two reviews each by the reviewer of the study: of those with 3 and 4 one in three was
/// accepted, of those with 5 and 6 two in three.
fn known(space: &Space, reviewer: &str) {
    let mut ratings = "paper_id,decision\n".to_owned();
    let mut reviews = Vec::new();
    for place in 0..42 {
        let (overall, odds) = if place % 2 == 0 { (3, 1) } else { (5, 2) };
        let accepted = (place / 2) % 3 < odds;
        let decision = if accepted { "Accept" } else { "Reject" };
        ratings += &format!("p{place},{decision}\n");
        for sample in 0..2 {
            reviews.push(json!({"paper_id": format!("p{place}"), "form": "neurips", "reviewer": reviewer,
                "provenance": "scripted", "sample": sample, "overall": overall + sample, "decision": "Reject",
                "passed": [], "failed": []}));
        }
    }
    space
        .write("known/ratings.csv", &ratings)
        .write("known/reviews.json", &Value::Array(reviews).to_string());
}

/// Lets the benchmark calibrate that reviewer.
fn calibrate(space: &Space, reviewer: &str, more: &[&str]) -> Value {
    known(space, reviewer);
    let sets = [
        "params.ratings=known/ratings.csv",
        "params.reviews=known/reviews.json",
        "params.statistic=median",
        "params.source=42 made-up papers",
    ];
    let sets = sets.iter().chain(more).flat_map(|set| ["--set", *set]);
    let all: Vec<&str> = sets.chain(["--out", "known"]).collect();
    space.run("pipelines/reviewer-benchmark.yaml", &all);
    serde_json::from_str(&space.read("known/calibration.json")).unwrap()
}

fn flow(study: &MutexGuard<'_, Study>, more: &[&str]) -> Done {
    let sets = STUDY.iter().chain(more).flat_map(|set| ["--set", set]);
    let all: Vec<&str> = ["run", "pipelines/ai-scientist.yaml", "--json"]
        .into_iter()
        .chain(sets)
        .collect();
    study.space.kyo(&all)
}

const GIVEN: &str = "params.calibration=known/calibration.json";

#[test]
fn a_calibrated_score_stands_beside_the_raw_one_with_its_n_and_its_source_and_nobody_is_asked_again()
 {
    let study = study();
    let made = calibrate(&study.space, "openai/reviews", &[]);
    assert_eq!(
        (&made["papers"], &made["accepted"]),
        (&json!(42), &json!(21))
    );
    assert_eq!(made["reviews_a_paper"], json!([2, 2]));
    let (ran, asked) = study.swapped(&[GIVEN]);
    assert!(asked.is_empty(), "{asked:?}");
    assert_eq!(ran["review/calibration"], 1);
    for kept in ["train/program", "paper/write", "llm/review", "report/plot"] {
        assert!(!ran.contains_key(kept), "{kept} ran again: {ran:?}");
    }
    let before: Value = serde_json::from_str(&study.space.read("out/reviews_before.json")).unwrap();
    let first = &before[0];
    // Raw: overall 5, rejected below 6. Of the papers with 3.5 a third, with 5.5 two thirds were accepted.
    assert_eq!(
        (&first["accept"], &first["threshold"]),
        (&json!(false), &json!(6))
    );
    let calibrated = &first["calibrated"];
    assert_eq!(
        (
            &calibrated["threshold"],
            &calibrated["accept"],
            &calibrated["papers"]
        ),
        (&json!(5.5), &json!(false), &json!(42))
    );
    let chance = calibrated["chance"].as_f64().unwrap();
    assert!((chance - (1.0 / 3.0 + 0.75 / 3.0)).abs() < 1e-9, "{chance}");
    assert_eq!(calibrated["differs"], json!([]));
    let after: Value = serde_json::from_str(&study.space.read("out/reviews_after.json")).unwrap();
    assert!(
        after[0].get("calibrated").is_none(),
        "the held-out reviewer has none"
    );
    let board = study.space.read("out/leaderboard.md");
    for said in [
        "overall 5.0 (5 to 5, n = 2), reject; calibrated (n = 42 papers): reject (threshold 5.5), chance of acceptance 0.58",
        "Calibrated on 42 made-up papers (21 accepted and 21 rejected papers)",
    ] {
        assert!(board.contains(said), "{said}\n{board}");
    }
    let page = study.space.read("out/report.html");
    assert!(page.contains("chance of acceptance 0.58; made on 42 made-up papers"));
    // Without it everything is as it was.
    let (ran, asked) = study.swapped(&[]);
    assert!(ran.is_empty() && asked.is_empty(), "{ran:?}");
    assert!(!study.space.read("out/leaderboard.md").contains("alibrated"));
}

#[test]
fn a_calibration_of_somebody_else_is_refused_before_anybody_is_asked() {
    let study = study();
    calibrate(&study.space, "openai/reviews", &[]);
    let other = study.space.read("known/calibration.json");
    study.space.write(
        "other.json",
        &other.replace("openai/reviews", "openai/somebody"),
    );
    study
        .space
        .write("form.json", &other.replace("\"neurips\"", "\"another\""));
    study.space.write("no.json", "{\"map\": 3}");
    study.space.write(
        "few.json",
        "{\"version\": 1, \"uncalibrated\": \"it takes 20\"}",
    );
    let refused = |sets: &[&str]| {
        // Another scientist, whose ideas would have to be paid for.
        let done = flow(
            &study,
            &[&["models.scientist=openai/not-asked-yet"], sets].concat(),
        );
        assert_eq!(done.code, 1, "{}", done.stderr);
        assert!(
            !done.count("ran").contains_key("ideas/propose"),
            "{}",
            done.stdout
        );
        let failed = done
            .events()
            .into_iter()
            .find(|event| event["state"] == "failed");
        failed.unwrap()["failure"].to_string()
    };
    for (sets, said) in [
        (
            &["params.calibration=other.json"][..],
            "made of reviews by openai/somebody, and these are by openai/reviews",
        ),
        (
            &["params.held_out_calibration=known/calibration.json"],
            "these are by openai/sees-last",
        ),
        (
            &["params.panel=[reviewer, scientist]", GIVEN],
            "these are by openai/not-asked-yet and openai/reviews",
        ),
        (&["params.calibration=form.json"], "of the form `another`"),
        (
            &["params.statistic=mean", GIVEN],
            "`statistic: median`, and these scores are taken together by `mean`",
        ),
        (&["params.calibration=no.json"], "cannot be read"),
        (
            &["params.calibration=few.json"],
            "made no calibration: it takes 20",
        ),
    ] {
        let told = refused(sets);
        assert!(told.contains(said), "{said}\n{told}");
    }
    let sets = [
        "check",
        "pipelines/ai-scientist.yaml",
        "--set",
        "params.calibration=known/calibratoin.json",
    ];
    let done = study.space.kyo(&sets);
    assert_eq!(done.code, 2);
    assert!(
        done.stderr
            .contains("did you mean `known/calibration.json`?"),
        "{}",
        done.stderr
    );
}
