//! The leaderboard and the page of a study.

#![allow(clippy::unwrap_used, reason = "a test that breaks is a failed test")]

mod support;

use kyobashi_stage::Datum;
use serde_json::{Value, json};
use support::{Bench, runs, text, value};

fn comparison(bench: &Bench, shift: &[(&str, &str, f64)]) -> Value {
    let summary = |runs: Datum| {
        let over = Datum::value(json!(["seed"]));
        value(
            &bench
                .run(
                    "stats/aggregate",
                    None,
                    vec![("runs", runs), ("over", over)],
                )
                .unwrap(),
            "summary",
        )
    };
    let given = vec![
        ("baseline", Datum::value(summary(runs(5, &[])))),
        ("trial", Datum::value(summary(runs(5, shift)))),
        (
            "directions",
            Datum::value(json!({"eval_loss": "lower", "kl": "lower"})),
        ),
    ];
    value(
        &bench.run("stats/compare", None, given).unwrap(),
        "comparison",
    )
}

fn idea(name: &str) -> Value {
    json!({"name": name, "title": format!("Title of <{name}>"), "experiment": "Do it.", "config": {"lr": 0.001}})
}

fn board(bench: &Bench, comparisons: Vec<Value>) -> (Value, String) {
    let given = vec![
        (
            "ideas",
            Datum::value(json!([idea("worse"), idea("good"), idea("open")])),
        ),
        ("comparisons", Datum::value(json!(comparisons))),
        (
            "reviews",
            Datum::value(
                json!([{"checks": {"passed": 17, "total": 18}}, {"scores": {"overall": {"mean": 6.5}}}, {}]),
            ),
        ),
        ("sort", Datum::value("kl")),
        (
            "directions",
            Datum::value(json!({"eval_loss": "lower", "kl": "lower"})),
        ),
    ];
    let outputs = bench.run("stats/leaderboard", None, given).unwrap();
    (value(&outputs, "board"), text(&outputs, "markdown"))
}

fn comparisons(bench: &Bench) -> Vec<Value> {
    vec![
        comparison(bench, &[("dino", "kl", 0.3)]),
        comparison(bench, &[("circle", "kl", -0.1), ("dino", "kl", -0.2)]),
        comparison(bench, &[("line", "kl", 0.001)]),
    ]
}

#[test]
fn ideas_are_ranked_by_their_mean_improvement_with_interval_and_counts() {
    let bench = Bench::new();
    let (board, markdown) = board(&bench, comparisons(&bench));
    let names: Vec<&str> = board["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["good", "open", "worse"]);
    let good = &board["rows"][0]["improvements"]["kl"];
    // (0.1/0.35 + 0.2/0.55) / 4 of the four data sets.
    assert!((good["mean"].as_f64().unwrap() - 0.162_338).abs() < 1e-6);
    assert_eq!(
        (
            &good["counts"]["better"],
            &good["counts"]["inconclusive"],
            &good["n"]
        ),
        (&json!(2), &json!(2), &json!(5))
    );
    assert!(markdown.contains("| 1 | `good` | +16.2 % ["), "{markdown}");
    assert!(
        markdown.contains("17 of 18 checks") && markdown.contains("overall 6.5"),
        "{markdown}"
    );
}

#[test]
fn an_idea_whose_study_failed_only_loses_its_own_row() {
    use kyobashi_stage::Cell;
    let bench = Bench::new();
    let all = comparisons(&bench);
    let cells = [("good", &all[1]), ("worse", &all[0])].map(|(name, document)| Cell {
        at: [("idea".to_owned(), json!(name))].into(),
        datum: Datum::value(document.clone()),
    });
    let given = vec![
        (
            "ideas",
            Datum::value(json!([idea("worse"), idea("good"), idea("open")])),
        ),
        (
            "comparisons",
            Datum::Grid {
                axes: vec!["idea".into()],
                cells: cells.to_vec(),
            },
        ),
        ("sort", Datum::value("kl")),
        ("directions", Datum::value(json!({"kl": "lower"}))),
    ];
    let rows = value(
        &bench.run("stats/leaderboard", None, given).unwrap(),
        "board",
    )["rows"]
        .clone();
    assert_eq!(
        (
            &rows[0]["name"],
            &rows[1]["name"],
            rows.as_array().unwrap().len()
        ),
        (&json!("good"), &json!("worse"), 2)
    );
}

#[test]
fn the_leading_paper_is_picked() {
    let bench = Bench::new();
    let (board, _) = board(&bench, comparisons(&bench));
    let papers = ["worse", "good", "open"]
        .map(|name| bench.file(&format!("{name}.pdf"), format!("%PDF {name}")));
    let given = vec![
        (
            "papers",
            Datum::List {
                items: papers.to_vec(),
            },
        ),
        ("board", Datum::value(board)),
    ];
    assert_eq!(
        text(&bench.run("paper/best", None, given).unwrap(), "pdf"),
        "%PDF good"
    );
}

#[test]
fn the_report_holds_everything_and_loads_nothing() {
    let bench = Bench::new();
    let all = comparisons(&bench);
    let (board, _) = board(&bench, all.clone());
    let files = |kind: &str| Datum::List {
        items: ["worse", "good", "open"]
            .map(|name| bench.file(&format!("{name}.{kind}"), format!("{kind} of {name}")))
            .to_vec(),
    };
    let summary = json!({"form": "checks", "provenance": "baseline", "scores": {}, "accept": null, "checks": {"total": 18, "passed": 17,
        "failed": [{"check": "runs_enough", "severity": "warning", "place": null, "message": "fewer than 3 runs <b>"}]}});
    let given = vec![
        ("board", Datum::value(board)),
        ("papers", files("pdf")),
        (
            "ideas",
            Datum::value(json!([idea("worse"), idea("good"), idea("open")])),
        ),
        ("comparisons", Datum::value(json!(all))),
        ("before", Datum::value(json!([summary, summary, summary]))),
        ("after", Datum::value(json!([summary, summary, summary]))),
        (
            "judged",
            Datum::value(
                json!([{"name": "known_one", "verdict": "known", "reason": "r", "nearest": {"name": "x", "distance": 1.0}}]),
            ),
        ),
        (
            "figures",
            Datum::List {
                items: vec![files("png")],
            },
        ),
        (
            "pages",
            Datum::List {
                items: vec![files("png"), files("png"), files("png")],
            },
        ),
        ("captions", Datum::value(json!(["Training loss"]))),
        ("title", Datum::value("A study")),
    ];
    let html = text(&bench.run("report/html", None, given).unwrap(), "html");
    for part in [
        "WITHOUT a language model",
        "Title of &lt;good&gt;",
        "known_one",
        "data:application&#x2f;pdf;base64,",
        "Training loss",
        "17 of 18 checks passed",
    ] {
        let plain = part.replace("&#x2f;", "/");
        assert!(html.contains(part) || html.contains(&plain), "{part}");
    }
    assert!(
        !html.contains("<b>\u{20}") && !html.contains("runs <b>"),
        "texts are escaped"
    );
    for outside in ["src=\"http", "href=\"http", "url(", "<script", "<link"] {
        assert!(!html.contains(outside), "{outside}");
    }
}

#[test]
fn the_report_says_which_quotes_of_the_reviews_are_not_in_the_paper() {
    let bench = Bench::new();
    let all = comparisons(&bench);
    let (board, _) = board(&bench, all.clone());
    let summary = |unverified: Value, quotes: usize| {
        json!({"form": "neurips", "provenance": "live", "scored": 2, "reviewers": ["a/b"],
        "evidence": {"quotes": quotes, "unverified": unverified}})
    };
    let made_up =
        json!([{"text": "It trains <i>ninety</i> networks.", "reviewer": "a/b", "sample": 1}]);
    let told = summary(made_up, 7);
    let plain = summary(json!([]), 4);
    let paper = |name: &str| bench.file(&format!("{name}.pdf"), format!("pdf of {name}"));
    let papers = ["worse", "good", "open"].map(paper).to_vec();
    let given = vec![
        ("board", Datum::value(board)),
        ("papers", Datum::List { items: papers }),
        (
            "ideas",
            Datum::value(json!([idea("worse"), idea("good"), idea("open")])),
        ),
        ("comparisons", Datum::value(json!(all))),
        ("before", Datum::value(json!([told, told, told]))),
        ("after", Datum::value(json!([plain, plain, plain]))),
    ];
    let html = text(&bench.run("report/html", None, given).unwrap(), "html");
    for part in [
        "1 of 7 quotes that the reviews rest on is not in the paper",
        "“It trains &lt;i&gt;ninety",
        "All 4 quotes that the reviews rest on stand in the paper.",
    ] {
        assert!(html.contains(part), "{part}");
    }
}
