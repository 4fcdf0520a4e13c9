//! The templates as pipelines: one command from the data to `final_info.json`.

use serde_json::Value;

use crate::flow::set_up;
use crate::space::Space;

fn space() -> Space {
    set_up();
    let space = Space::new();
    space.copy("pipelines", "pipelines");
    space
}

fn info(space: &Space) -> Value {
    serde_json::from_str(&space.read("out/final_info.json")).unwrap()
}

#[test]
fn diffusion_leaves_the_result_file_of_the_ai_scientist_and_takes_another_program() {
    let space = space();
    let file = "pipelines/templates/2d_diffusion.yaml";
    let small = [
        "--set",
        "params.datasets=[circle, dino]",
        "--set",
        "params.steps=20",
        "--set",
        "params.points=500",
        "--set",
        "params.samples=100",
        "--out",
        "out",
    ];
    space.run(file, &small);
    let means = &info(&space)["circle"]["means"];
    assert!(means["eval_loss"].as_f64().unwrap() > 0.0, "{means}");
    assert!(means["kl_divergence"].is_number(), "{means}");
    assert!(info(&space)["dino"]["means"].is_object());

    let other = "params.program=pipelines/templates/2d_diffusion/program_gate.py";
    let done = space.run(file, &[&small[..], &["--set", other]].concat());
    assert_eq!(done.count("ran")["train/program"], 2);
    assert!(!done.count("ran").contains_key("data/set"));
    assert_ne!(info(&space)["circle"]["means"], *means);
}

#[test]
fn grokking_runs_every_operation_and_reports_true_standard_errors() {
    let space = space();
    let file = "pipelines/templates/grokking.yaml";
    let done = space.run(
        file,
        &[
            "--set",
            "params.operations=[x_plus_y, x_minus_y, x_div_y]",
            "--set",
            "params.seeds=[0, 1]",
            "--set",
            "params.steps=20",
            "--set",
            "params.modulus=7",
            "--set",
            "params.overrides={batch: 16, eval_batch: 16, dim: 32}",
            "--out",
            "out",
        ],
    );
    assert_eq!(done.count("ran")["train/program"], 6);
    let info = info(&space);
    for operation in ["x_plus_y", "x_minus_y", "x_div_y"] {
        let entry = &info[operation];
        let all = &entry["final_info_dict"]["final_val_loss"];
        let (a, b) = (all[0].as_f64().unwrap(), all[1].as_f64().unwrap());
        // Of two values, s/√n is half of their distance.
        let stderr = entry["stderrs"]["final_val_loss_stderr"].as_f64().unwrap();
        assert!((stderr - (a - b).abs() / 2.0).abs() < 1e-9, "{entry}");
        assert_eq!(entry["means"]["step_val_acc_99_mean"], 20.0);
        assert!(entry["means"]["final_train_acc_mean"].is_number());
    }
    assert!(space.read("out/table.md").contains("x_div_y"));
}

#[test]
fn a_data_set_that_is_not_there_is_named_with_those_that_are() {
    let space = space();
    let done = space.kyo(&[
        "run",
        "pipelines/templates/grokking.yaml",
        "--set",
        "params.operations=[x_times_y]",
    ]);
    assert_eq!(done.code, 1);
    assert!(done.stderr.contains("x_times_y"), "{}", done.stderr);
    assert!(done.stderr.contains("x_minus_y"), "{}", done.stderr);
}

#[test]
fn a_text_of_ones_own_is_learned_character_by_character() {
    let space = space();
    // Each word follows from the one before: there is something to learn.
    space.write(
        "corpus.txt",
        &"the bridge is old. a road is long.\n".repeat(40),
    );
    let small = "params.overrides={dim: 32, heads: 2, layers: 1, window: 16, batch: 16, lr: 0.01, \
                 dropout: 0, eval_every: 20, eval_batch: 16, eval_batches: 2, log_every: 20}";
    space.run(
        "pipelines/templates/char_lm.yaml",
        &[
            "--set",
            "params.corpus=corpus.txt",
            "--set",
            "params.seeds=[0]",
            "--set",
            "params.steps=100",
            "--set",
            small,
            "--out",
            "out",
        ],
    );
    let best = info(&space)["text"]["means"]["best_val_loss_mean"]
        .as_f64()
        .unwrap();
    let characters = 15.0_f64;
    assert!(
        best < characters.ln() / 2.0,
        "{best}: chance is the logarithm of the number of characters"
    );
    // What it wrote are characters of the corpus alone, four passages of so many.
    let passages = std::fs::read_to_string(space.path("out/passages/0")).unwrap();
    assert_eq!(passages.matches("--- ").count(), 4, "{passages}");
    let events = "out/tensorboard/dataset=text,seed=0/events.out.tfevents.0.curves";
    let events = std::fs::read(space.path(events)).unwrap();
    assert!(events.windows(9).any(|part| part == b"eval_loss"));
}
