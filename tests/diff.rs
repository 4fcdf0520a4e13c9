//! `kyo diff` and `kyo show`: what differs between two runs and nothing else, in units that the
//! pipeline declares; and all that is known of one run and of one stage run.

use serde_json::{Value, json};

use crate::space::Space;

const STUDY: &str = r#"
kyobashi: 1
name: study
params:
  template: {type: dir, default: template}
  steps: 100
  seeds: [0, 1]
  word: same
stages:
  train:
    matrix: {lr: [1, 2], seed: "${params.seeds}"}
    in: {template: "${params.template}", data: data.txt}
    with: {lr: "${lr}", seed: "${seed}", steps: "${params.steps}"}
    run: |
      echo "{\"kl\": $((1000 / lr / steps + seed)), \"size\": 7}" > "$metrics"
      for step in 1 2 3; do echo "$step of $steps"; done > "$curve"
    out: {metrics: Metrics, curve: text}
  summary:
    uses: stats/aggregate
    in: {runs: "${train.metrics}"}
    with: {over: [seed]}
  words:
    with: {word: "${params.word}"}
    run: printf '%s' "$word" | wc -c > "$n"
    out: {n: int}
  after:
    in: {n: "${words.n}"}
    run: echo "$n letters" > "$said"
    out: {said: text}
outputs: {summary: "${summary.summary}", said: "${after.said}"}
"#;

fn study() -> Space {
    let space = Space::new();
    space.copy("pipelines/templates/2d_diffusion", "template");
    space.write("study.yaml", STUDY).write("data.txt", "one\n");
    space.run("study.yaml", &[]);
    space
}

fn diff(space: &Space, words: &[&str]) -> Value {
    let done = space.kyo(&[&["diff", "--json"], words].concat());
    assert_eq!(done.code, 0, "{}", done.stderr);
    serde_json::from_str(&done.stdout).unwrap()
}

fn stage<'d>(document: &'d Value, address: &str) -> &'d Value {
    let mut stages = document["stages"].as_array().unwrap().iter();
    stages
        .find(|stage| stage["address"] == address)
        .unwrap_or_else(|| panic!("{address} is not in {document}"))
}

fn leaf<'s>(stage: &'s Value, path: &str) -> &'s Value {
    let outputs = stage["outputs"].as_array().unwrap().iter();
    outputs
        .flat_map(|made| {
            let leaves = made["differs"].as_array().unwrap().iter();
            leaves.map(|leaf| (made["name"].as_str().unwrap(), leaf))
        })
        .find(|(name, leaf)| format!("{name}.{}", leaf["path"].as_str().unwrap()) == path)
        .unwrap_or_else(|| panic!("{path} is not in {stage}"))
        .1
}

#[test]
fn a_run_does_not_differ_from_itself_nor_from_its_repetition() {
    let space = study();
    space.run("study.yaml", &[]);
    for words in [["1", "1"], ["1", "2"]] {
        let found = diff(&space, &words);
        for part in ["asked", "files", "settings", "data", "stages", "outputs"] {
            assert_eq!(found[part], json!([]), "{part}");
        }
        assert_eq!(found["unchanged"]["stages"], 7);
    }
}

#[test]
fn numbers_are_told_with_their_change_in_the_units_that_the_template_declares() {
    let space = study();
    space.run(
        "study.yaml",
        &[
            "--set",
            "params.steps=200",
            "--set",
            "params.seeds=[0, 1, 2]",
        ],
    );
    let found = diff(&space, &["1"]);
    assert_eq!(
        found["new"]["run"], 2,
        "the last run, where no second is named"
    );
    let names = |part: &str| -> Vec<String> {
        let list = found[part].as_array().unwrap().iter();
        list.map(|one| one["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names("settings"), ["params.seeds", "params.steps"]);
    assert_eq!(names("asked"), ["--set"]);
    let train = stage(&found, "train[lr=1,seed=0]");
    assert_eq!(
        train["because"],
        json!([{"name": "with.steps", "old": {"value": 100}, "new": {"value": 200}}])
    );
    let kl = leaf(train, "metrics.kl");
    assert_eq!(
        *kl,
        json!({"path": "kl", "old": 10, "new": 5, "change": -5.0, "relative": -0.5, "unit": "bits", "better": true})
    );
    assert_eq!(leaf(train, "curve.")["lines"], json!([3, 3]));
    let mean = leaf(stage(&found, "summary"), "summary.rows[0].metrics.kl");
    assert_eq!(
        (&mean["old"]["mean"], &mean["new"]["mean"]),
        (&json!(10.5), &json!(6.0))
    );
    assert_eq!(
        (&mean["change"], &mean["unit"]),
        (&json!(-4.5), &json!("bits"))
    );
    assert_eq!(stage(&found, "train[lr=2,seed=2]")["what"], "new");
    // What is equal is left out: `size` of each training, `words` and what reads it.
    assert_eq!(train["outputs"][1]["differs"].as_array().unwrap().len(), 1);
    assert_eq!(found["unchanged"]["stages"], 2);
    let back = diff(&space, &["2", "1"]);
    assert_eq!(stage(&back, "train[lr=2,seed=2]")["what"], "gone");
    assert_eq!(
        leaf(stage(&back, "train[lr=1,seed=0]"), "metrics.kl")["better"],
        false
    );

    let said = space.kyo(&["diff", "1", "2"]).stdout;
    for line in [
        "  params.steps  100    ->  200",
        "  train[lr=1,seed=0]  because of with.steps",
        "10 bits",
        "->  5 bits",
        "-5 bits (-50.0 %), better",
        "(95 %, n = 3) bits",
        "  train[lr=1,seed=2]  run",
        "unchanged: ",
    ] {
        assert!(said.contains(line), "{line}\n{said}");
    }
}

#[test]
fn lines_of_the_pipeline_and_data_are_told_and_equal_results_of_other_calls_are_counted() {
    let space = study();
    space
        .write("study.yaml", &STUDY.replace("letters\"", "letters!\""))
        .write("data.txt", "two\n");
    space.run("study.yaml", &["--set", "params.word=sand"]);
    let found = diff(&space, &["1", "2"]);
    let file = &found["files"][0];
    assert_eq!(
        (&file["name"], &file["added"], &file["removed"]),
        (&json!("study.yaml"), &json!(1), &json!(1))
    );
    assert!(
        file["lines"]
            .as_str()
            .unwrap()
            .contains("\n+    run: echo \"$n letters!\"")
    );
    assert_eq!(
        found["data"][0]["name"],
        space
            .path("data.txt")
            .strip_prefix(space.path(""))
            .unwrap()
            .to_str()
            .unwrap()
    );
    // The trainings read other data and `words` another word, with equal results.
    assert_eq!(found["stages"].as_array().unwrap().len(), 1, "{found}");
    assert_eq!(stage(&found, "after")["because"][0]["name"], "run");
    assert_eq!(found["unchanged"]["cut_off"], 5);
    let said = space.kyo(&["diff", "1"]).stdout;
    assert!(
        said.contains("5 stage runs made from something else with an equal result"),
        "{said}"
    );
}

#[test]
fn what_failed_in_one_of_them_is_told_with_its_reason() {
    let space = study();
    space.write(
        "study.yaml",
        &STUDY.replace("echo \"$n letters\"", "echo 'no ink' >&2; exit 4; echo"),
    );
    assert_eq!(space.kyo(&["run", "study.yaml"]).code, 1);
    let found = diff(&space, &["1", "2"]);
    let after = stage(&found, "after");
    assert_eq!(
        (&after["what"], &after["old"], &after["new"]),
        (&json!("ended"), &json!("ran"), &json!("failed"))
    );
    assert_eq!(after["failure"], "exit code 4");
    assert_eq!(found["outputs"][0]["name"], "said", "it is no longer there");
    let said = space.kyo(&["diff", "1", "2"]).stdout;
    assert!(said.contains("after  ran -> failed: exit code 4"), "{said}");
}

#[test]
fn runs_that_are_not_there_are_wrong_use() {
    let space = study();
    space.kyo(&["pin", "1", "submitted"]);
    for (words, said) in [
        (&["diff", "1", "9"][..], "numbered 1 to 1"),
        (&["diff", "submited"], "did you mean `submitted`?"),
        (&["show", "9"], "numbered 1 to 1"),
        (&["show", "1/summry"], "did you mean `summary`?"),
        (
            &["show", "summary", "--output", "tabel"],
            "outputs: summary, table",
        ),
    ] {
        let done = space.kyo(words);
        assert_eq!(done.code, 2, "{words:?}");
        assert!(done.stderr.contains(said), "{words:?}\n{}", done.stderr);
    }
}

#[test]
fn a_run_is_shown_with_all_that_it_was_made_from_and_came_to() {
    let space = study();
    space.kyo(&["pin", "1", "first"]);
    space.run("study.yaml", &["--set", "params.word=other"]);
    let said = space.kyo(&["show"]).stdout;
    for line in [
        "run 2 of study  done  ",
        "asked   kyo run study.yaml --set 'params.word=other'  in ",
        "params  word = other",
        "stages  reused 5, ran 2, $0\n",
        "  said     file ",
    ] {
        assert!(said.contains(line), "{line}\n{said}");
    }
    let document = |words: &[&str]| -> Value {
        let done = space.kyo(&[&["show", "--json"], words].concat());
        assert_eq!(done.code, 0, "{words:?}\n{}", done.stderr);
        serde_json::from_str(&done.stdout).unwrap()
    };
    let one = document(&["first"]);
    assert_eq!(one, document(&["1"]));
    assert_eq!(
        (
            &one["run"],
            &one["ran"],
            &one["made_from"]["params"]["word"]
        ),
        (&json!(1), &json!(7), &json!("same"))
    );
    assert_eq!(one["stages"].as_array().unwrap().len(), 7);
    // A stage run of either run: its outputs, its recipe, and who made what it read.
    let [old, new] = ["1/after", "after"].map(|what| document(&[what]));
    assert_eq!((&old["run"], &new["run"]), (&json!(1), &json!(2)));
    assert_eq!(old["recipe"]["in.n"]["value"], 4);
    assert_eq!(new["recipe"]["in.n"]["value"], 5);
    let train = document(&["last/train[lr=1,seed=0]"]);
    assert_eq!(train["from"]["in.data"], json!(["data.txt"]));
    assert_eq!(
        (&train["state"], &train["note"]["run"]),
        (&json!("reused"), &json!(1))
    );
    assert_eq!(document(&["--run", "1", "after"]), old);
    let said = space.kyo(&["show", "1/train[lr=1,seed=0]"]).stdout;
    for line in [
        "made by run 1 at ",
        "  in.data      file ",
        "  from data.txt\n",
        "  with.steps   100\n",
    ] {
        assert!(said.contains(line), "{line}\n{said}");
    }
    assert_eq!(
        space.kyo(&["show", "1/after", "--output", "said"]).stdout,
        "4 letters\n"
    );
    assert_eq!(
        space.kyo(&["show", "1", "--output", "said"]).stdout,
        "4 letters\n"
    );
}
