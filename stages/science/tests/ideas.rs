//! Ideas, their novelty, and the variants that they come to.

#![allow(clippy::unwrap_used, reason = "a test that breaks is a failed test")]

mod support;

use kyobashi_stage::{Datum, Output};
use serde_json::{Value, json};
use support::{Bench, baseline, dir, pipelines, value};

fn idea(bench: &Bench, place: usize) -> Value {
    let outputs = bench
        .run(
            "ideas/propose",
            baseline(),
            vec![
                ("template", dir(pipelines("templates/2d_diffusion"))),
                ("n", Datum::value(6)),
            ],
        )
        .unwrap();
    value(&outputs, "ideas")[place].clone()
}

#[test]
fn novelty_finds_the_idea_that_the_template_already_knows() {
    let bench = Bench::new();
    let ideas: Vec<Value> = (0..6).map(|place| idea(&bench, place)).collect();
    let outputs = bench
        .run(
            "ideas/novelty",
            baseline(),
            vec![
                ("ideas", Datum::value(json!(ideas))),
                ("template", dir(pipelines("templates/2d_diffusion"))),
            ],
        )
        .unwrap();
    let judged = value(&outputs, "judged");
    let known: Vec<&Value> = judged
        .as_array()
        .unwrap()
        .iter()
        .filter(|idea| idea["verdict"] == "known")
        .collect();
    assert_eq!(known.len(), 1, "{judged:#}");
    assert_eq!(known[0]["name"], "schedule_constant");
    assert_eq!(value(&outputs, "novel").as_array().unwrap().len(), 5);
}

#[test]
fn a_variant_is_the_template_s_settings_patched_by_the_idea_and_overridden_for_both() {
    let bench = Bench::new();
    let run = |overrides: Value| {
        bench.run(
            "experiment/variant",
            None,
            vec![
                ("template", dir(pipelines("templates/2d_diffusion"))),
                ("idea", Datum::value(idea(&bench, 4))),
                ("overrides", Datum::value(overrides)),
            ],
        )
    };
    let outputs = run(json!({"steps": 500})).unwrap();
    let config = value(&outputs, "config");
    assert_eq!(
        (&config["steps"], &config["lr"], &config["hidden"]),
        (&json!(500), &json!(0.001), &json!(256))
    );
    assert!(matches!(&outputs["program"], Output::File { path } if path.extension().is_some()));
    let typo = run(json!({"stesp": 500})).unwrap_err();
    assert_eq!(typo.help.as_deref(), Some("did you mean `steps`?"));
    assert!(
        run(json!({"lr": 0.5}))
            .unwrap_err()
            .message
            .contains("what the idea changes")
    );
}
