//! The template grokking.

use serde_json::json;

use crate::worker::{Trained, Worker, sums, template_of};

fn train(worker: &mut Worker, file: &str, steps: u64) -> Trained {
    let data = worker.write("sums.safetensors", sums(7));
    let config = json!({
        "steps": steps, "batch": 32, "sampling": "replacement", "validation": 0.3, "lr": 0.003,
        "warmup": 5, "beta2": 0.98, "weight_decay": 0.5, "eval_every": 50, "eval_batch": 64,
        "eval_batches": 2, "eval_train_batches": 2, "goal": "train_accuracy", "goal_above": 0.9,
        "log_every": 50, "dim": 32, "heads": 4, "layers": 2, "start_scale": 0.5,
        "embedding_rate": 2.0, "late_rate": 0.5
    });
    worker.train(&template_of("grokking", file), &data, config, 0)
}

#[test]
fn the_full_network_has_the_published_number_of_parameters() {
    let mut worker = Worker::start();
    let data = worker.write("sums.safetensors", sums(97));
    let config = json!({
        "steps": 1, "batch": 4, "eval_batch": 4, "eval_batches": 1, "dim": 128, "heads": 4, "layers": 2
    });
    let trained = worker.train(&template_of("grokking", "program.py"), &data, config, 0);
    assert_eq!(trained.metrics["parameters"], 422_625.0);
}

#[test]
fn it_memorises_a_small_table_and_the_curve_has_its_measures() {
    let mut worker = Worker::start();
    let trained = train(&mut worker, "program.py", 300);
    assert!(
        trained.metrics["train_accuracy"] > 0.9,
        "{:?}",
        trained.metrics
    );
    assert!(trained.metrics["goal_step"] <= 300.0);
    let mut rows = trained.curves.lines();
    assert_eq!(
        rows.next(),
        Some("step,loss,accuracy,eval_loss,train_accuracy,train_loss")
    );
    assert_eq!(rows.count(), 6);
}

#[test]
fn every_variant_of_the_template_trains() {
    let mut worker = Worker::start();
    let plain = train(&mut worker, "program.py", 20);
    for file in ["program_start.py", "program_rates.py"] {
        let trained = train(&mut worker, file, 20);
        assert_ne!(
            trained.metrics["eval_loss"], plain.metrics["eval_loss"],
            "{file}"
        );
    }
}
