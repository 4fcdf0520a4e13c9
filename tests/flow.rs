//! The AI Scientist with real trainings, in small: what is made, and what an edit re-runs.

use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

use crate::model_server::{ModelServer, Said};
use crate::scientist::answer;
use crate::space::{Space, home};

/// A study of one idea that trains in seconds.
const SMALL: &[&str] = &[
    "--set",
    "params.num_ideas=1",
    "--set",
    "params.datasets=[circle]",
    "--set",
    "params.points=600",
    "--set",
    "params.overrides={steps: 30, batch: 64, samples: 200, eval_batch: 600, log_every: 5}",
];

/// The product's own set-up, once for all tests.
pub(crate) fn set_up() {
    static DONE: OnceLock<()> = OnceLock::new();
    DONE.get_or_init(|| {
        let status = Command::new(env!("CARGO_BIN_EXE_kyo"))
            .arg("setup")
            .status()
            .unwrap();
        assert!(status.success(), "`kyo setup` failed");
    });
}

fn space() -> Space {
    set_up();
    let space = Space::new();
    space.copy("pipelines", "pipelines");
    space
}

fn run(space: &Space, more: &[&str]) -> crate::space::Done {
    space.run("pipelines/ai-scientist.yaml", &[SMALL, more].concat())
}

#[test]
fn a_study_ends_in_a_paper_and_an_edit_reruns_only_what_depends_on_it() {
    let mut space = space();
    let first = run(&space, &["--out", "out"]);
    assert_eq!(
        first.count("ran")["train/program"],
        6,
        "baseline and idea, three seeds each"
    );
    let pdf = std::fs::read(space.path("out/paper.pdf")).unwrap();
    assert!(pdf.starts_with(b"%PDF"));
    assert!(
        space
            .read("out/report.html")
            .contains("WITHOUT a language model")
    );
    let board: Value = serde_json::from_str(&space.read("out/leaderboard.json")).unwrap();
    assert!(board.is_object() || board.is_array());

    // (a) Nothing changed: nothing runs, and the paper is the same to the byte.
    let again = run(&space, &["--out", "out"]);
    assert_eq!(again.ended("ran"), [""; 0]);
    assert_eq!(std::fs::read(space.path("out/paper.pdf")).unwrap(), pdf);

    // (b) A comment.
    let text = space.read("pipelines/ai-scientist.yaml");
    space.write(
        "pipelines/ai-scientist.yaml",
        &format!("# a comment\n{text}"),
    );
    assert_eq!(run(&space, &[]).ended("ran"), [""; 0]);

    // (c) Another reviewer: reviews and what depends on them; no idea, training or first draft.
    let server = ModelServer::with(|body, _| Said::Text(answer(body)));
    space
        .set("OPENAI_BASE_URL", &server.url())
        .set("OPENAI_API_KEY", crate::model_server::KEY);
    let swap = [
        "--set",
        "models.reviewer=openai/gpt-4o-2024-05-13",
        "--out",
        "swapped",
    ];
    let swapped = run(&space, &swap);
    let ran = swapped.count("ran");
    assert_eq!(
        ran["llm/review"], 2,
        "before and after the improvement: {ran:?}"
    );
    for kept in [
        "train/program",
        "ideas/propose",
        "ideas/novelty",
        "paper/write",
        "report/plot",
        "data/set",
    ] {
        assert!(!ran.contains_key(kept), "{kept} ran again: {ran:?}");
    }
    let report = space.read("swapped/report.html");
    assert!(
        report.contains("WITHOUT a language model"),
        "the worst provenance counts"
    );
    assert_eq!(server.bodies().len(), 4, "two reviews, two meta-reviews");
    assert_eq!(server.bodies()[0]["model"], "gpt-4o-2024-05-13");

    // A reply is paid for once, also when the stage has to run again.
    let anew = [
        "--set",
        "models.reviewer=openai/gpt-4o-2024-05-13",
        "--refresh",
        "reviewer",
    ];
    assert_eq!(run(&space, &anew).count("ran")["llm/review"], 2);
    assert_eq!(server.bodies().len(), 4, "no request was sent twice");

    // (d) One seed more: its trainings alone.
    let seeded = run(&space, &["--set", "params.seeds=[0, 1, 2, 3]"]);
    assert_eq!(seeded.count("ran")["train/program"], 2);

    // (e) One character of the program: its trainings run, and equal results stop the wave.
    let program = "pipelines/templates/2d_diffusion/program.py";
    space.write(program, &(space.read(program) + "#"));
    let edited = run(&space, &[]);
    let ran = edited.count("ran");
    assert!(ran["train/program"] >= 3, "{ran:?}");
    assert!(
        !ran.contains_key("data/set") && !ran.contains_key("stats/compare"),
        "{ran:?}"
    );
}

#[test]
fn the_same_seed_gives_the_same_bits() {
    let one = space();
    let two = space();
    let digests = |space: &Space| {
        let done = run(space, &[]);
        assert_eq!(done.count("ran")["train/program"], 6);
        let mut all: Vec<(String, Value)> = done
            .events()
            .into_iter()
            .filter(|event| event["uses"] == "train/program" && event["event"] == "node_finished")
            .map(|event| {
                (
                    event["address"].as_str().unwrap().to_owned(),
                    event["outputs"].clone(),
                )
            })
            .collect();
        all.sort_by(|a, b| a.0.cmp(&b.0));
        all
    };
    let (first, second) = (digests(&one), digests(&two));
    assert_eq!(first.len(), 9, "the trial that is kept is one that was run");
    assert_eq!(first, second);
}

#[test]
fn a_training_that_cannot_go_on_is_a_failure_with_its_place() {
    let space = space();
    let program = "pipelines/templates/2d_diffusion/program.py";
    let text = space.read(program);
    space.write(
        program,
        &format!("{text}\ndef broken(x: Tensor) -> Tensor:\n    return torch.sine(x)\n"),
    );
    let done = space.kyo(&[&["run", "pipelines/ai-scientist.yaml", "--json"], SMALL].concat());
    assert_eq!(done.code, 1);
    assert!(done.stdout.contains("program.py:"), "{}", done.stdout);
    assert!(
        done.count("ran").contains_key("data/set"),
        "the rest went on"
    );
    space.write(program, &text);
    let mended = run(&space, &[]);
    assert!(
        !mended.count("ran").contains_key("data/set"),
        "only what failed is retried"
    );
}

#[test]
fn a_missing_key_is_said_before_anything_runs() {
    let space = Space::new();
    space.copy("pipelines", "pipelines");
    let done = space.kyo(&[
        "run",
        "pipelines/ai-scientist.yaml",
        "--set",
        "models.reviewer=openai/gpt-4o",
    ]);
    assert_eq!(done.code, 2);
    assert!(done.stderr.contains("OPENAI_API_KEY"), "{}", done.stderr);
    assert!(!space.path("pipelines/.kyobashi").exists());
    space.write(".env", "OPENAI_API_KEY=from-a-file\n");
    let file = "pipelines/ai-scientist.yaml";
    let found = space.kyo(&["check", file, "--set", "models.reviewer=openai/gpt-4o"]);
    assert_eq!(found.code, 0, "{}", found.stderr);
}

#[test]
fn the_repository_s_pipelines_are_right() {
    for file in ["pipelines/ai-scientist.yaml", "examples/hello.yaml"] {
        let path = home().join(file);
        let done = Space::new().kyo(&["check", path.to_str().unwrap()]);
        assert_eq!(done.code, 0, "{}", done.stderr);
    }
}
