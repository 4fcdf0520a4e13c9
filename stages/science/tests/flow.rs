//! The baseline author's flow, through the front door of every stage: draft, checks, improvement,
//! checks again.

#![allow(clippy::unwrap_used, reason = "a test that breaks is a failed test")]

mod support;

use kyobashi_stage::Datum;
use serde_json::{Value, json};
use support::{Bench, baseline, dir, pipelines, runs, text, value};

/// The results of an idea: KL better on circle, worse on dino, the rest open.
fn results(bench: &Bench, seeds: usize) -> Value {
    let summary = |runs: Datum| {
        let outputs = bench
            .run(
                "stats/aggregate",
                None,
                vec![("runs", runs), ("over", Datum::value(json!(["seed"])))],
            )
            .unwrap();
        value(&outputs, "summary")
    };
    let base = summary(runs(seeds, &[]));
    let trial = summary(runs(
        seeds,
        &[
            ("circle", "kl", -0.1),
            ("dino", "kl", 0.2),
            ("line", "eval_loss", -0.002),
            ("moons", "kl", 0.003),
        ],
    ));
    let comparison = bench
        .run(
            "stats/compare",
            None,
            vec![
                ("baseline", Datum::value(base.clone())),
                ("trial", Datum::value(trial.clone())),
                (
                    "directions",
                    Datum::value(json!({"eval_loss": "lower", "kl": "lower"})),
                ),
            ],
        )
        .unwrap();
    json!({
        "baseline": base,
        "trial": trial,
        "comparison": value(&comparison, "comparison"),
        "config": {"steps": 10000, "batch": 256, "lr": 0.0003, "blocks": 3, "hidden": 256, "timesteps": 100, "samples": 10000},
        "trial_config": {"steps": 10000, "batch": 256, "lr": 0.001, "blocks": 3, "hidden": 256, "timesteps": 100, "samples": 10000},
    })
}

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

fn draft(bench: &Bench, results: &Value) -> String {
    let outputs = bench
        .run(
            "paper/write",
            baseline(),
            vec![
                ("idea", Datum::value(idea(bench, 4))),
                ("template", dir(pipelines("templates/2d_diffusion"))),
                ("results", Datum::value(results.clone())),
                (
                    "figures",
                    Datum::value(
                        json!({"loss": "Training loss of both variants. Bands are intervals."}),
                    ),
                ),
            ],
        )
        .unwrap();
    text(&outputs, "draft")
}

fn check(bench: &Bench, draft: &str, results: &Value) -> Vec<Value> {
    let outputs = bench
        .run(
            "review/checks",
            None,
            vec![
                ("draft", bench.file("draft.md", draft)),
                ("text", bench.file("text.txt", "typeset")),
                ("numbers", Datum::value(Value::Null)),
                ("results", Datum::value(results.clone())),
            ],
        )
        .unwrap();
    value(&outputs, "findings").as_array().unwrap().clone()
}

fn failed(findings: &[Value]) -> Vec<&str> {
    let mut names: Vec<&str> = findings
        .iter()
        .filter(|finding| finding["passed"] == false)
        .map(|finding| finding["check"].as_str().unwrap())
        .collect();
    names.dedup();
    names
}

fn improve(
    bench: &Bench,
    draft: &str,
    findings: &[Value],
    review: Value,
    results: &Value,
) -> String {
    let outputs = bench
        .run(
            "paper/improve",
            baseline(),
            vec![
                ("draft", bench.file("first.md", draft)),
                ("findings", Datum::value(Value::from(findings.to_vec()))),
                ("review", Datum::value(review)),
                ("results", Datum::value(results.clone())),
            ],
        )
        .unwrap();
    text(&outputs, "draft")
}

#[test]
fn checks_find_what_a_quick_draft_gets_wrong_and_improving_mends_exactly_that() {
    let bench = Bench::new();
    let results = results(&bench, 5);
    let first = draft(&bench, &results);
    let findings = check(&bench, &first, &results);
    assert_eq!(
        failed(&findings),
        [
            "claims_supported",
            "intervals_reported",
            "seeds_and_n_named",
            "abstract_states_result",
            "limitations_present",
            "figures_referenced"
        ],
        "{findings:#?}"
    );
    let second = improve(
        &bench,
        &first,
        &findings,
        json!({"form": "checks"}),
        &results,
    );
    let again = check(&bench, &second, &results);
    assert_eq!(failed(&again), Vec::<&str>::new(), "{second}\n{again:#?}");
    // What the first draft said truly is still there.
    assert!(
        second.contains("On circle the variant improves the KL divergence"),
        "{second}"
    );
    assert!(
        second.contains("On dino the variant worsens the KL divergence"),
        "{second}"
    );
    assert!(!second.contains("Points raised in review"));
}

#[test]
fn a_false_claim_is_caught_with_its_line_and_mended() {
    let bench = Bench::new();
    let results = results(&bench, 5);
    let good = improve(
        &bench,
        &draft(&bench, &results),
        &check(&bench, &draft(&bench, &results), &results),
        json!({}),
        &results,
    );
    let lie = "On dino the variant improves the KL divergence.";
    let line = good
        .lines()
        .position(|line| line.starts_with("# Conclusion"))
        .unwrap()
        + 3;
    let bad = good.replacen(
        "{#sec:conclusion}\n\n",
        &format!("{{#sec:conclusion}}\n\n{lie} "),
        1,
    );
    let findings = check(&bench, &bad, &results);
    assert_eq!(failed(&findings), ["claims_supported"]);
    let finding = findings
        .iter()
        .find(|finding| finding["passed"] == false)
        .unwrap();
    assert_eq!(
        finding["place"],
        json!({"section": "Conclusion", "line": line})
    );
    assert_eq!(finding["quote"], lie);
    let mended = improve(&bench, &bad, &findings, json!({}), &results);
    assert!(
        !mended.contains(lie) && mended.contains("On dino the variant is worse in KL divergence"),
        "{mended}"
    );
    assert_eq!(
        failed(&check(&bench, &mended, &results)),
        Vec::<&str>::new()
    );
}

#[test]
fn with_two_seeds_no_direction_is_claimed_and_the_check_on_runs_stays_failed() {
    let bench = Bench::new();
    let results = results(&bench, 2);
    let first = draft(&bench, &results);
    let second = improve(
        &bench,
        &first,
        &check(&bench, &first, &results),
        json!({}),
        &results,
    );
    assert_eq!(
        failed(&check(&bench, &second, &results)),
        ["runs_enough"],
        "{second}"
    );
    assert!(!second.contains("improves the KL"), "{second}");
}

#[test]
fn a_typed_number_and_a_gap_are_taken_out() {
    let bench = Bench::new();
    let results = results(&bench, 5);
    let first = draft(&bench, &results);
    let bad = first.replacen(
        "# Method",
        "The loss fell by 41.6 % in our hands. TODO: more.\n\n# Method",
        1,
    );
    let findings = check(&bench, &bad, &results);
    let names = failed(&findings);
    assert!(
        names.contains(&"numbers_traced") && names.contains(&"no_placeholders"),
        "{names:?}"
    );
    let second = improve(&bench, &bad, &findings, json!({}), &results);
    assert!(
        !second.contains("41.6") && !second.contains("TODO"),
        "{second}"
    );
}

#[test]
fn weaknesses_of_model_reviewers_are_quoted_and_answered() {
    let bench = Bench::new();
    let results = results(&bench, 5);
    let first = draft(&bench, &results);
    let review = json!({"form": "neurips", "weaknesses": [
        {"text": "Only 5 seeds; \\textbf{no} [error] bars.", "reviewer": "m", "sample": 0},
        {"text": "Purple prose.", "reviewer": "m", "sample": 0},
    ]});
    let second = improve(
        &bench,
        &first,
        &check(&bench, &first, &results),
        review,
        &results,
    );
    let section = second
        .split("# Points raised in review")
        .nth(1)
        .expect("the section is there");
    assert!(
        section.contains("> Only 5 seeds; textbf no error bars."),
        "{section}"
    );
    assert!(
        section.contains("Nothing was changed on this point"),
        "{section}"
    );
    assert_eq!(
        failed(&check(&bench, &second, &results)),
        Vec::<&str>::new()
    );
}

#[test]
fn one_set_of_settings_is_never_shown_as_the_other_side_s() {
    let bench = Bench::new();
    let mut results = results(&bench, 5);
    let variant = results
        .as_object_mut()
        .unwrap()
        .remove("trial_config")
        .unwrap();
    results["config"] = variant;
    let first = draft(&bench, &results);
    assert!(
        first.contains("| lr | `0.0003` | \\cfg{config.lr} |"),
        "{first}"
    );
    assert!(
        !first.contains("peak learning rate")
            && first.contains("| optimiser steps | \\cfg{config.steps} |")
    );
}

#[test]
fn references_into_documents_that_the_checks_lack_are_vouched_for_by_the_press() {
    let bench = Bench::new();
    let results = results(&bench, 5);
    let first = draft(&bench, &results);
    let alone = json!({"comparison": results["comparison"]});
    assert!(failed(&check(&bench, &first, &alone)).contains(&"references_resolve"));
    let paths: std::collections::BTreeSet<&str> = first
        .split('{')
        .filter_map(|part| part.split_once('}').map(|(path, _)| path))
        .filter(|path| path.contains('.'))
        .collect();
    let numbers: Vec<Value> = paths
        .iter()
        .map(|path| json!({"reference": path}))
        .collect();
    let outputs = bench
        .run(
            "review/checks",
            None,
            vec![
                ("draft", bench.file("draft.md", &first)),
                ("text", bench.file("text.txt", "typeset")),
                ("numbers", Datum::value(json!({"numbers": numbers}))),
                ("results", Datum::value(alone)),
            ],
        )
        .unwrap();
    let findings = value(&outputs, "findings").as_array().unwrap().clone();
    assert!(
        !failed(&findings).contains(&"references_resolve"),
        "{findings:#?}"
    );
}
