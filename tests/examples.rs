//! Every file under `examples/` does what it says it shows.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::model_server::ModelServer;
use crate::space::{Done, Space, home};

/// A folder with the examples.
fn space() -> Space {
    let space = Space::new();
    space.copy("examples", "examples");
    space
}

/// The values that `--out out` put down.
fn outputs(space: &Space) -> Value {
    serde_json::from_str(&space.read("out/outputs.json")).unwrap()
}

fn replace(space: &Space, file: &str, old: &str, new: &str) {
    let text = space.read(file);
    assert!(text.contains(old), "{file} has no `{old}`");
    space.write(file, &text.replace(old, new));
}

fn ran(done: &Done) -> Vec<String> {
    done.ended("ran")
}

#[test]
fn hello_runs_once() {
    let space = space();
    let first = space.run("examples/hello.yaml", &["--out", "out"]);
    assert_eq!(ran(&first), ["count", "greet", "shout"]);
    assert_eq!(space.read("out/loud"), "HELLO, WORLD\n");
    assert_eq!(outputs(&space)["bytes"], 13);
    assert_eq!(ran(&space.run("examples/hello.yaml", &[])), [""; 0]);
    replace(&space, "examples/hello.yaml", "wc -c", "wc  -c");
    let edited = space.run("examples/hello.yaml", &[]);
    assert_eq!(ran(&edited), ["count"], "the script is part of the key");
}

#[test]
fn a_seed_more_in_a_search_trains_only_that_seed() {
    let space = space();
    let smoke = ["--profile", "smoke", "--out", "out"];
    let first = space.run("examples/search.yaml", &smoke);
    assert_eq!(first.count("ran")["run"], 6, "three rates, two seeds");
    assert!(
        space
            .read("out/summary.csv")
            .starts_with("rate,metric,n,mean,stderr,low,high,level\n0.03,accuracy,2,")
    );
    assert!(
        std::fs::read(space.path("out/curves.png"))
            .unwrap()
            .starts_with(b"\x89PNG")
    );
    let more = space.run(
        "examples/search.yaml",
        &["--profile", "smoke", "--set", "params.seeds=[0, 1, 2]"],
    );
    assert_eq!(
        ran(&more),
        [
            "figure",
            "summary",
            "train[rate=0.03,seed=2]",
            "train[rate=0.1,seed=2]",
            "train[rate=0.3,seed=2]"
        ]
    );
}

#[test]
fn a_part_left_out_is_told_from_one_that_does_nothing() {
    let space = space();
    let first = space.run("examples/parts.yaml", &["--out", "out"]);
    assert_eq!(first.count("ran")["run"], 20, "four variants, five seeds");
    let table = space.read("out/table.md");
    let row = |part: &str| {
        let start = format!("| {part} |");
        let found = table.lines().find(|line| line.starts_with(&start));
        found
            .unwrap_or_else(|| panic!("no {part} in {table}"))
            .to_owned()
    };
    let marked = |part: &str| row(part).contains("**") || row(part).contains('_');
    assert!(marked("nothing") && marked("averaging"), "{table}");
    assert!(!marked("scaling") && !marked("momentum"), "{table}");
    let seeds = ["--set", "params.seeds=[0, 1, 2, 3, 4, 5]"];
    let more = space.run("examples/parts.yaml", &seeds);
    assert_eq!(more.count("ran")["run"], 4, "the sixth seed of each");
}

#[test]
fn a_file_of_values_sets_what_the_command_line_could() {
    let space = space();
    let values = [
        "--profile",
        "smoke",
        "--values",
        "examples/values/fine.yaml",
    ];
    let done = space.run("examples/search.yaml", &values);
    let trained = done.count("ran")["run"];
    assert_eq!(
        trained, 8,
        "four rates of the file, two seeds of the profile"
    );
}

#[test]
fn a_comment_in_the_script_trains_again_and_stops_there() {
    let space = space();
    let smoke = ["--profile", "smoke"];
    space.run("examples/search.yaml", &smoke);
    let script = space.read("examples/scripts/train.py");
    space.write(
        "examples/scripts/train.py",
        &format!("{script}# a comment\n"),
    );
    let again = space.run("examples/search.yaml", &smoke);
    assert_eq!(again.count("ran")["run"], 6);
    assert_eq!(again.ended("reused"), ["figure", "summary"]);
}

#[test]
fn the_gate_opens_only_for_a_bad_score() {
    let space = space();
    let long = space.run("examples/gate.yaml", &["--out", "out"]);
    assert_eq!(ran(&long), ["long", "short"]);
    let reached = outputs(&space)["accuracy"].as_f64().unwrap();
    let short = space.run(
        "examples/gate.yaml",
        &["--set", "params.target=0.5", "--out", "out"],
    );
    assert_eq!(short.ended("skipped"), ["long"]);
    assert!(outputs(&space)["accuracy"].as_f64().unwrap() <= reached);
}

#[test]
fn sections_are_found_when_the_text_is_read() {
    let space = space();
    let done = space.run("examples/sections.yaml", &["--out", "out"]);
    assert_eq!(outputs(&space)["sections"], 3);
    assert_eq!(outputs(&space)["counts"], json!([23, 14, 7]));
    assert_eq!(
        outputs(&space)["words"],
        json!(["Travellers", "renewed", ""])
    );
    assert_eq!(done.ended("skipped"), ["section[today].longest"]);
    // A new section: the old ones keep their addresses and their results.
    replace(
        &space,
        "examples/texts/bridge.md",
        "## Construction",
        "## Name\n\nOf the capital.\n\n## Construction",
    );
    let more = space.run("examples/sections.yaml", &[]);
    assert_eq!(ran(&more), ["section[name].words", "split"]);
}

#[test]
fn experiments_are_mended_from_what_they_said() {
    let space = space();
    let done = space.run("examples/repair.yaml", &["--out", "out"]);
    let tries = ran(&done);
    assert!(
        tries.contains(&"runs[1].attempt[3].exec".to_owned()),
        "{tries:?}"
    );
    let results = space.read("out/workspace/results.jsonl");
    assert_eq!(results.lines().count(), 3, "{results}");
    let error = |line: &str| {
        serde_json::from_str::<Value>(line).unwrap()["error"]
            .as_f64()
            .unwrap()
    };
    assert!(error(results.lines().last().unwrap()) < 1e-12);
    // Fewer experiments are the first ones again.
    let fewer = space.run("examples/repair.yaml", &["--set", "params.max_runs=2"]);
    assert_eq!(ran(&fewer), [""; 0]);
    // Too few tries: the loop gives up and says so; the tries are kept.
    let given_up = space.kyo(&["run", "examples/repair.yaml", "--set", "params.max_tries=2"]);
    assert_eq!(given_up.code, 1);
    assert!(
        given_up.stderr.contains("runs[1].attempt"),
        "{}",
        given_up.stderr
    );
}

#[test]
fn what_is_frozen_moves_only_when_it_is_asked_to() {
    const FILE: &str = "examples/policies.yaml";
    let mut space = space();
    let server = ModelServer::start(r#"{"decision": "keep", "score": 7}"#);
    space
        .set("OPENAI_BASE_URL", &server.url())
        .set("OPENAI_API_KEY", crate::model_server::KEY);
    let first = space.run(FILE, &["--out", "out"]);
    let judges = [
        "judge/judge[sample=0]",
        "judge/judge[sample=1]",
        "judge/judge[sample=2]",
    ];
    assert_eq!(
        ran(&first),
        [&["corpus"], &judges[..], &["publish"]].concat()
    );
    assert_eq!(outputs(&space)["score"], 7.0);
    let asked = server.bodies()[0].to_string();
    assert!(
        asked.contains("Denoising Diffusion Probabilistic Models (2020)"),
        "{asked}"
    );
    // Samples are calls of their own.
    assert_eq!(server.bodies().len(), 3);
    assert_eq!(
        ran(&space.run(FILE, &["--set", "params.n=4"])),
        ["judge/judge[sample=3]", "publish"]
    );

    // The web moved: nothing happens, and the plan says what is held back.
    replace(&space, "examples/tools/fetch.py", "2020", "2021");
    let plan: Value = serde_json::from_str(&space.kyo(&["plan", FILE, "--json"]).stdout).unwrap();
    let nodes = plan
        .as_array()
        .or_else(|| plan["nodes"].as_array())
        .unwrap();
    let corpus = nodes
        .iter()
        .find(|node| node["address"] == "corpus")
        .unwrap();
    assert_eq!(corpus["state"], "frozen");
    assert_eq!(ran(&space.run(FILE, &[])), [""; 0]);
    let refreshed = space.run(FILE, &["--refresh", "corpus"]);
    assert_eq!(ran(&refreshed), [&["corpus"], &judges[..]].concat());
    assert_eq!(
        refreshed.ended("reused"),
        ["publish"],
        "the verdicts are the same"
    );
    assert!(server.bodies().last().unwrap().to_string().contains("2021"));

    // A version is raised by hand.
    replace(
        &space,
        "examples/lib/review.yaml",
        "version: 2",
        "version: 3",
    );
    assert_eq!(ran(&space.run(FILE, &[])), judges);

    // A bad score is not published.
    let strict = ModelServer::start(r#"{"decision": "drop", "score": 2}"#);
    space.set("OPENAI_BASE_URL", &strict.url());
    let smoke = space.run(FILE, &["--profile", "smoke"]);
    assert_eq!(smoke.ended("skipped"), ["publish"]);
}

/// The pipelines under `examples/`, as paths from the repository; components and values are no pipelines.
fn pipelines() -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from("examples")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(home().join(&folder)).unwrap() {
            let path = folder.join(entry.unwrap().file_name());
            if home().join(&path).is_dir() {
                // The gallery has a list of its own, which is held against the folder.
                if path != Path::new("examples/gallery") {
                    folders.push(path);
                }
                continue;
            }
            let text = std::fs::read_to_string(home().join(&path)).unwrap_or_default();
            let has = |key: &str| text.lines().any(|line| line.starts_with(key));
            if has("kyobashi:") && !has("inputs:") {
                found.push(path.to_str().unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

#[test]
fn no_example_is_forgotten() {
    let mut tests = String::new();
    for entry in std::fs::read_dir(home().join("tests")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            tests += &std::fs::read_to_string(path).unwrap();
        }
    }
    let pipelines = pipelines();
    assert!(pipelines.len() >= 5, "{pipelines:?}");
    for pipeline in pipelines {
        assert!(
            tests.contains(&format!("\"{pipeline}\"")),
            "{pipeline} is run by no test: add one to tests/examples.rs"
        );
    }
}
