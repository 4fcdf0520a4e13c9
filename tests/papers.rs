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

const STUDY: &str = r#"kyobashi: 1
name: study
params:
  draft: {type: text, default: draft.md}
  scale: {type: float, default: 2}
stages:
  train:
    matrix: {seed: [2, 10, 1]}
    run: echo "{\"loss\":0.5$seed}" > "$metrics"
    in: {seed: "${seed}"}
    out: {metrics: json}
  summary:
    uses: stats/aggregate
    in: {runs: "${train.metrics}"}
    with: {over: [seed]}
  paper:
    uses: paper/set
    in: {draft: "${params.draft}"}
    with: {results: {trial: "${summary.summary}"}}
outputs: {paper.pdf: "${paper.pdf}"}
"#;

/// A study in a space of its own that has run, and the data of its report.
fn reported() -> (Space, Value, String) {
    let space = Space::new();
    let draft = "---\ntitle: A & B \\</script>\nprovenance: baseline\n---\n\nThe loss is \\val{trial.by.all.loss.mean}{.3}.\n";
    space.write("study.yaml", STUDY).write("draft.md", draft);
    space.run("study.yaml", &[]);
    let (data, page) = report(&space);
    assert_eq!(data["papers"][0]["numbers"].as_array().unwrap().len(), 1);
    (space, data, page)
}

/// The data of a report of the last run, and the page.
fn report(space: &Space) -> (Value, String) {
    let done = space.kyo(&["report", "--json", "--out", "made/page.html"]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    let said: Value = serde_json::from_str(&done.stdout).unwrap();
    let page = space.read("made/page.html");
    assert_eq!(said["bytes"], page.len());
    let (_, rest) = page.split_once("id=\"data\">").unwrap();
    let (data, _) = rest.split_once("</script>").unwrap();
    let data: Value = serde_json::from_str(&data.replace("<\\/", "</")).unwrap();
    assert_eq!(said["papers"], data["papers"].as_array().unwrap().len());
    (data, page)
}

#[test]
fn a_report_leads_from_a_number_to_its_stage_its_inputs_and_the_command() {
    let (_space, data, page) = reported();
    let number = &data["papers"][0]["numbers"][0];
    let area = &data["papers"][0]["areas"][0];
    assert_eq!((&area["row"], &area["page"]), (&number["row"], &json!(1)));
    let maker = &data["lineage"]["makers"][number["digest"].as_str().unwrap()];
    assert_eq!(maker, "summary.summary");
    let stage = &data["lineage"]["stages"]["summary"];
    assert_eq!(stage["uses"], "stats/aggregate");
    // What the matrix gathered, in its order, although its cells end in any.
    let from = [
        "train[seed=2].metrics",
        "train[seed=10].metrics",
        "train[seed=1].metrics",
    ];
    assert_eq!(stage["inputs"][0]["from"], json!(from));
    assert!(data["lineage"]["stages"]["train[seed=10]"]["settings"]["run"].is_string());
    assert_eq!(data["run"]["command"], "kyo run study.yaml");
    assert!(
        !page.contains("src=\"http") && !page.contains("href=\"http"),
        "the page loads something"
    );
}

#[test]
fn a_report_shows_what_a_run_delivered_and_leads_to_who_made_it() {
    let space = Space::new();
    let text = r#"kyobashi: 1
name: study
stages:
  draw:
    matrix: {seed: [3, 4]}
    in: {seed: "${seed}"}
    run: echo "</script> of $seed" > "$text"
    out: {text: text}
  picture:
    run: |
      echo '<svg xmlns="http://www.w3.org/2000/svg"/>' > "$drawn"
      printf '\377' > "$bytes"
    out: {drawn: file, bytes: file}
outputs: {texts: "${draw.text}", a.svg: "${picture.drawn}", b: "${picture.bytes}", c: 7}
"#;
    space.write("study.yaml", text);
    space.run("study.yaml", &[]);
    let (data, page) = report(&space);
    let shown = data["results"]["shown"].as_array().unwrap();
    let of = |name: &'static str| shown.iter().filter(move |one| one["name"] == name);
    let texts: Vec<_> = of("texts").map(|one| (&one["at"], &one["text"])).collect();
    assert_eq!(
        texts,
        [
            (&json!("seed=3"), &json!("</script> of 3\n")),
            (&json!("seed=4"), &json!("</script> of 4\n"))
        ]
    );
    let image = of("a.svg").next().unwrap()["image"].as_str().unwrap();
    assert!(image.starts_with("data:image/svg+xml;base64,"), "{image}");
    let bytes = of("b").next().unwrap();
    assert_eq!(
        (&bytes["size"], &bytes["text"]),
        (&json!("1 B"), &Value::Null)
    );
    assert_eq!(of("c").next().unwrap()["text"], "7");
    let digest = of("texts").nth(1).unwrap()["digest"].as_str().unwrap();
    assert_eq!(data["lineage"]["makers"][digest], "draw[seed=4].text");
    assert!(data["lineage"]["stages"]["draw[seed=4]"].is_object());
    assert_eq!(page.matches("</script>").count(), 2, "a text ends a script");
}

#[test]
fn a_report_replaces_a_report_and_nothing_else() {
    let (space, ..) = reported();
    assert_eq!(space.kyo(&["report", "--out", "made/page.html"]).code, 0);
    let refused = space.kyo(&["report", "--out", "draft.md"]);
    assert_eq!(refused.code, 2);
    assert!(
        refused
            .stderr
            .contains("draft.md is no page of `kyo report`"),
        "{}",
        refused.stderr
    );
    assert!(space.read("draft.md").starts_with("---\ntitle"));
}

#[test]
fn the_digest_that_a_paper_prints_leads_to_the_stage_that_made_it() {
    let (space, data, _) = reported();
    let digest = data["papers"][0]["numbers"][0]["digest"].as_str().unwrap();
    let shown = space.kyo(&["show", "--json", &digest[..10]]);
    assert_eq!(shown.code, 0, "{}", shown.stderr);
    let shown: Value = serde_json::from_str(&shown.stdout).unwrap();
    assert_eq!(shown["address"], "summary");
    let unknown = space.kyo(&["show", "0123456789abcdef"]);
    assert_eq!(unknown.code, 2);
}
