//! Bad input: a clear error with its place and remedy, before anything runs.

use serde_json::Value;

use crate::space::Space;

/// The problems of a pipeline, as `kyo check --format json` prints them.
fn problems(text: &str) -> Vec<Value> {
    let space = Space::new();
    space.write("p.yaml", text);
    let done = space.kyo(&["check", "p.yaml", "--format", "json"]);
    assert_eq!(done.code, 2, "{}", done.stdout);
    let ran = space.kyo(&["run", "p.yaml"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(!space.path(".kyobashi").exists(), "nothing was begun");
    serde_json::from_str(&done.stdout).unwrap()
}

/// Asserts one problem at a place, with a word of its message or help.
fn says(text: &str, line: u64, col: u64, word: &str) {
    let problems = problems(text);
    let found = problems
        .iter()
        .find(|problem| problem["line"] == line && problem["col"] == col);
    let found = found.unwrap_or_else(|| panic!("nothing at {line}:{col}: {problems:#?}"));
    for field in ["code", "file", "line", "col", "message", "help"] {
        assert!(found.get(field).is_some(), "no `{field}` in {found}");
    }
    let said = format!("{} {}", found["message"], found["help"]);
    assert!(said.contains(word), "{said}");
}

#[test]
fn an_unknown_key_is_met_with_the_nearest_one() {
    says(
        "kyobashi: 1\nname: p\nstages:\n  a:\n    run: 'true'\n    retrys: 2\n",
        6,
        5,
        "retries",
    );
}

#[test]
fn an_unknown_reference_is_met_with_the_nearest_one() {
    says(
        "kyobashi: 1\nname: p\nstages:\n  a:\n    run: 'echo 1 > \"$x\"'\n    out: {x: int}\n  b:\n    in:\n      x: ${a.y}\n    run: 'true'\n",
        9,
        14,
        "x",
    );
}

#[test]
fn a_missing_file_is_named() {
    says(
        "kyobashi: 1\nname: p\nstages:\n  a:\n    in: {script: nowhere.py}\n    run: 'true'\n",
        5,
        18,
        "nowhere.py",
    );
}

#[test]
fn a_pipeline_that_is_not_there_is_met_with_the_nearest_one() {
    let space = Space::new();
    space.write("studies/search.yaml", "kyobashi: 1");
    let done = space.kyo(&["run", "studies/serch.yaml"]);
    assert_eq!(done.code, 2);
    let meant = "did you mean `studies/search.yaml`?";
    assert!(done.stderr.contains(meant), "{}", done.stderr);
    let done = space.kyo(&["check", "studies/else.txt"]);
    assert!(done.stderr.contains("kyo init"), "{}", done.stderr);
}

#[test]
fn a_circle_is_named_by_its_stages() {
    let found = problems(
        "kyobashi: 1\nname: p\nstages:\n  a:\n    in: {y: \"${b.y}\"}\n    run: 'true'\n    out: {x: int}\n  b:\n    in: {x: \"${a.x}\"}\n    run: 'true'\n    out: {y: int}\n",
    );
    assert!(
        found
            .iter()
            .any(|problem| problem["code"] == "graph::cycle"),
        "{found:#?}"
    );
}

#[test]
fn a_wrong_type_is_shown_before_anything_runs() {
    let found = problems(
        "kyobashi: 1\nname: p\nparams:\n  n: {type: int, default: many}\nstages:\n  a:\n    run: 'true'\n",
    );
    assert_eq!(found[0]["line"], 4, "{found:#?}");
}

#[test]
fn all_problems_are_shown_at_once() {
    let found = problems(
        "kyobashi: 1\nname: p\nstages:\n  a:\n    run: 'true'\n    retrys: 2\n  b:\n    uses: no/such\n  c:\n    in: {x: \"${zzz.x}\"}\n    run: 'true'\n",
    );
    assert!(found.len() >= 3, "{found:#?}");
    let lines: Vec<_> = found
        .iter()
        .map(|problem| problem["line"].as_u64())
        .collect();
    assert!(lines.is_sorted(), "{lines:?}");
}

#[test]
fn an_unknown_setting_on_the_command_line_is_refused() {
    let space = Space::new();
    space.write("p.yaml", "kyobashi: 1\nname: p\nparams: {steps: 3}\nstages:\n  a:\n    with: {s: \"${params.steps}\"}\n    run: 'true'\n");
    let done = space.kyo(&["run", "p.yaml", "--set", "params.stepz=4"]);
    assert_eq!(done.code, 2);
    assert!(done.stderr.contains("steps"), "{}", done.stderr);
}

#[test]
fn rubbish_is_refused_without_a_panic() {
    for text in [
        "",
        "\u{0}\u{1}",
        "[",
        "- - - -",
        "kyobashi: 2",
        "a: &a [*a, *a]",
        "\"",
        "💥: {",
    ] {
        let space = Space::new();
        space.write("p.yaml", text);
        let done = space.kyo(&["run", "p.yaml"]);
        assert_eq!(done.code, 2, "{text:?}: {}", done.stderr);
        assert!(!done.stderr.contains("panicked"), "{}", done.stderr);
    }
    assert_eq!(Space::new().kyo(&["run", "nowhere.yaml"]).code, 2);
    assert_eq!(Space::new().kyo(&["rnu"]).code, 2);
}

#[test]
fn a_misspelt_axis_or_column_is_told_before_anything_runs() {
    let text = |over: &str, y: &str, color: &str| {
        format!(
            r#"
kyobashi: 1
stages:
  train:
    matrix: {{lr: [0.1, 0.2], seed: [0, 1]}}
    with: {{lr: "${{lr}}"}}
    run: |
      printf 'step,loss\n0,%s\n' "$lr" > "$curves"
      echo '{{"loss": 1}}' > "$metrics"
    out: {{curves: "table(step, loss)", metrics: json}}
  summary:
    uses: stats/aggregate
    in: {{runs: "${{train.metrics}}"}}
    with: {{over: [{over}]}}
  figure:
    uses: report/plot
    in: {{data: "${{train.curves}}"}}
    with: {{mark: line, x: step, y: {y}, color: {color}}}
"#
        )
    };
    for color in ["lr", "series"] {
        let space = Space::new();
        space.write("p.yaml", &text("seed", "loss", color));
        let done = space.kyo(&["check", "p.yaml"]);
        assert_eq!(done.code, 0, "{}", done.stderr);
    }
    says(&text("sead", "loss", "lr"), 14, 19, "did you mean `seed`?");
    says(&text("seed", "los", "lr"), 18, 36, "did you mean `loss`?");
    says(&text("seed", "loss", "ler"), 18, 49, "did you mean `lr`?");
}
