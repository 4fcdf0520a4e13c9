//! The template 2d_diffusion.

use serde_json::json;

use crate::worker::{Worker, circle, small_diffusion, template};

#[test]
fn the_full_network_has_the_published_number_of_parameters() {
    let mut worker = Worker::start();
    let data = worker.write("x.safetensors", circle(300));
    let mut config = small_diffusion();
    config["steps"] = json!(2);
    config["hidden"] = json!(256);
    config["blocks"] = json!(3);
    config["embedding"] = json!(128);
    let trained = worker.train(&template("program.py"), &data, config, 0);
    assert_eq!(trained.metrics["parameters"], 296_450.0);
    assert!(trained.metrics.keys().map(String::as_str).eq([
        "eval_loss",
        "kl",
        "parameters",
        "train_loss"
    ]));
}

#[test]
fn training_brings_loss_and_divergence_down() {
    let mut worker = Worker::start();
    let data = worker.write("x.safetensors", circle(2000));
    let mut config = small_diffusion();
    config["samples"] = json!(1000);
    config["steps"] = json!(1);
    let untrained = worker.train(&template("program.py"), &data, config.clone(), 0);
    config["steps"] = json!(800);
    config["lr"] = json!(0.003);
    let trained = worker.train(&template("program.py"), &data, config, 0);
    let (before, after) = (&untrained.metrics, &trained.metrics);
    assert!(
        after["eval_loss"] < 0.7 * before["eval_loss"],
        "{before:?} {after:?}"
    );
    assert!(after["kl"] < 0.7 * before["kl"], "{before:?} {after:?}");
    assert_eq!(trained.samples.lines().count(), 1001);
    assert_eq!(trained.curves.lines().count(), 81);
}

#[test]
fn every_variant_of_the_template_trains() {
    let mut worker = Worker::start();
    let data = worker.write("x.safetensors", circle(300));
    let mut config = small_diffusion();
    for key in ["coarse_cells", "fine_cells", "grid_weight"] {
        config[key] = json!(4);
    }
    for file in ["program_gate.py", "program_grid.py"] {
        let trained = worker.train(&template(file), &data, config.clone(), 0);
        assert!(trained.metrics["kl"].is_finite(), "{file}");
    }
}
