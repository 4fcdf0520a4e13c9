//! A fresh reply of a model is asked for without losing the old one: `kyo resample`.

use serde_json::Value;

use crate::model_server::{KEY, ModelServer, Said};
use crate::space::Space;

const JURY: &str = r#"
kyobashi: 1
name: jury
providers: {openai: {identity: "https://api.openai.com/v1"}}
models: {juror: openai/gpt-4o-mini}
stages:
  ask:
    uses: llm/chat
    matrix: {juror: [0, 1, 2, 3]}
    model: ${models.juror}
    with: {prompt: ask.md, sample: "${juror}", max_tokens: 100}
    out: {line: str}
  join:
    in: {lines: "${ask.line}"}
    run: cp "$lines" "$all"
    out: {all: json}
outputs: {all: "${join.all}"}
"#;

fn space(server: &ModelServer) -> Space {
    let mut space = Space::new();
    space
        .write("jury.yaml", JURY)
        .write("ask.md", "Say something.");
    space
        .set("OPENAI_BASE_URL", &server.url())
        .set("OPENAI_API_KEY", KEY);
    space
}

/// A server that never says the same twice.
fn server() -> ModelServer {
    ModelServer::with(|_, number| Said::Text(format!("Answer {number}.")))
}

/// Runs the jury, and gives what it made and how many stage runs were no reuse.
fn run(space: &Space) -> (String, usize) {
    let done = space.run("jury.yaml", &["--out", "out"]);
    (space.read("out/all.json"), done.ended("ran").len())
}

fn resample(space: &Space, more: &[&str]) -> Value {
    let done = space.kyo(&[&["resample", "jury.yaml", "--json"], more].concat());
    assert_eq!(done.code, 0, "{}", done.stderr);
    serde_json::from_str(&done.stdout).unwrap()
}

#[test]
fn a_fresh_sample_is_one_call_more_and_going_back_pays_nothing() {
    let server = server();
    let space = space(&server);
    let (first, _) = run(&space);
    assert_eq!(server.bodies().len(), 4);

    let told = resample(&space, &["ask", "--sample", "2"]);
    assert_eq!(
        (&told["before"], &told["now"]["generation"]),
        (&0.into(), &1.into())
    );
    assert_eq!(server.bodies().len(), 4, "a wish asks nobody");
    let plan = space.kyo(&["plan", "jury.yaml"]).stdout;
    assert!(plan.contains("known and not stored: 1 call,"), "{plan}");
    let (second, ran) = run(&space);
    assert_eq!(server.bodies().len(), 5, "exactly one call more");
    assert_eq!(ran, 2, "the sample and what gathers them");
    assert_ne!(first, second);
    let why = space.kyo(&["why", "jury.yaml", "ask[juror=2]"]).stdout;
    assert!(why.contains("generation"), "{why}");

    resample(&space, &["ask", "--sample", "2", "--to", "0"]);
    assert_eq!(run(&space), (first.clone(), 0));
    resample(&space, &["ask", "--sample", "2", "--to", "1"]);
    assert_eq!(run(&space), (second, 0));
    assert_eq!(server.bodies().len(), 5, "old replies are all there");

    // A wish for all is newer than every single one: nobody gets a reply that was there before.
    let told = resample(&space, &["ask"]);
    assert_eq!(told["now"]["generation"], 2);
    run(&space);
    assert_eq!(server.bodies().len(), 9);
    std::fs::remove_file(space.path("jury.resample.yaml")).unwrap();
    assert_eq!(
        run(&space),
        (first, 0),
        "without the file it is as at first"
    );
}

#[test]
fn a_wish_is_seen_in_a_run_that_would_else_be_told_without_being_gone_through() {
    let server = server();
    let space = space(&server);
    let many: Vec<String> = (0..80).map(|juror| juror.to_string()).collect();
    let many = format!("[{}]", many.join(", "));
    space.write("jury.yaml", &JURY.replace("[0, 1, 2, 3]", &many));
    for _ in 0..3 {
        space.run("jury.yaml", &[]);
    }
    assert_eq!(server.bodies().len(), 80);
    resample(&space, &["ask", "--sample", "2"]);
    assert_eq!(space.run("jury.yaml", &[]).ended("ran").len(), 2);
    assert_eq!(server.bodies().len(), 81);
}

#[test]
fn an_instance_is_meant_by_its_address_and_the_list_says_what_is_in_force() {
    let server = server();
    let space = space(&server);
    run(&space);
    resample(&space, &["ask[juror=3]"]);
    assert_eq!(run(&space).1, 2);
    assert_eq!(server.bodies().len(), 5);
    let list = space.kyo(&["resample", "jury.yaml"]).stdout;
    assert_eq!(list, "ask[juror=3]  generation 1 of 0 to 1\n");
}

#[test]
fn a_baseline_has_nothing_else_to_say() {
    let space = Space::new();
    space.copy("pipelines/templates/2d_diffusion", "template").write(
        "ideas.yaml",
        "kyobashi: 1\nname: ideas\nmodels: {scientist: baseline}\nstages:\n  ideas:\n    uses: ideas/propose\n    model: ${models.scientist}\n    in: {template: template}\n    with: {n: 1}\noutputs: {ideas: \"${ideas.ideas}\"}\n",
    );
    space.run("ideas.yaml", &[]);
    let done = space.kyo(&["resample", "ideas.yaml", "ideas"]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert_eq!(space.run("ideas.yaml", &[]).ended("ran"), [""; 0]);
}

#[test]
fn a_wish_that_means_nothing_is_refused_with_its_remedy() {
    let server = server();
    let space = space(&server);
    for (arguments, parts) in [
        (
            &["asj"][..],
            ["`asj` means no stage", "did you mean `ask`?"],
        ),
        (&["join"], ["`join` asks no model", "these stages do: ask"]),
        (
            &["ask", "--to", "3"],
            [
                "`ask` has no generation 3: the newest is 0",
                "without `--to` a fresh one is asked for",
            ],
        ),
    ] {
        let done = space.kyo(&[&["resample", "jury.yaml"], arguments].concat());
        assert_eq!(done.code, 2, "{}", done.stderr);
        for part in parts {
            assert!(done.stderr.contains(part), "{part}\n{}", done.stderr);
        }
    }
    for (text, part) in [
        ("resampled: 3\n", "jury.resample.yaml: "),
        (
            "resampled:\n- {stage: ask, generation: 2, newest: 1}\n",
            "the newest is 1",
        ),
        (
            "resampled:\n- {stage: asks, generation: 1, newest: 1}\n",
            "jury.resample.yaml: `asks` means no stage",
        ),
    ] {
        space.write("jury.resample.yaml", text);
        for command in ["run", "plan", "check"] {
            let done = space.kyo(&[command, "jury.yaml"]);
            assert_eq!(done.code, 2, "{command}: {}", done.stderr);
            assert!(done.stderr.contains(part), "{part}\n{}", done.stderr);
        }
    }
    assert!(server.bodies().is_empty());
}
