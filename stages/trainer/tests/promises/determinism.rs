//! One seed determines everything.

use serde_json::{Value, json};

use crate::worker::{Worker, circle, program, small_diffusion, template};

#[test]
fn one_seed_gives_the_same_bits_in_any_process_after_any_other_training() {
    let text = template("program.py");
    let mut first = Worker::start();
    let data = first.write("x.safetensors", circle(1000));
    let a = first.train(&text, &data, small_diffusion(), 7);
    let other = first.train(&text, &data, small_diffusion(), 8);
    let again = first.train(&text, &data, small_diffusion(), 7);
    let mut second = Worker::start();
    let elsewhere = second.train(&text, &data, small_diffusion(), 7);
    assert_eq!(a, again);
    assert_eq!(a, elsewhere);
    assert_ne!(a.metrics, other.metrics);
    assert_ne!(a.samples, other.samples);
    assert_ne!(a.weights, other.weights);
}

#[test]
fn evaluating_on_the_way_does_not_change_the_training() {
    let text = template("program.py");
    let mut worker = Worker::start();
    let data = worker.write("x.safetensors", circle(500));
    let plain = worker.train(&text, &data, small_diffusion(), 1);
    let mut config = small_diffusion();
    config["eval_every"] = json!(7);
    let mut watched = worker.train(&text, &data, config, 1);
    let best = watched.metrics.remove("best_eval_loss").unwrap();
    assert!(best <= watched.metrics["eval_loss"]);
    assert_eq!(plain.metrics, watched.metrics);
    assert_eq!(plain.losses(), watched.losses());
    assert!(plain.weights == watched.weights && plain.samples == watched.samples);
}

#[test]
fn random_numbers_that_a_program_draws_do_not_move_the_batches() {
    // The rate is zero, so the curve shows nothing but the batches.
    let quiet = program(
        "return (batch[\"x\"] * p[\"w\"].sum().detach().abs().clamp(1.0, 1.0)).mean() + 0.0 * p[\"w\"].sum()",
        "",
    );
    let noisy = quiet.replace("return (", "unused = torch.randn([100])\n    return (");
    let noisy = noisy.replace("+ 0.0 *", "+ 0.0 * unused.sum() *");
    let mut worker = Worker::start();
    let data = worker.write("x.safetensors", circle(300));
    let config = |sampling: &str| -> Value {
        json!({"steps": 20, "batch": 50, "lr": 0.0, "log_every": 1, "sampling": sampling})
    };
    for sampling in ["epochs", "replacement"] {
        let a = worker.train(&quiet, &data, config(sampling), 3);
        let b = worker.train(&noisy, &data, config(sampling), 3);
        assert_eq!(a.losses(), b.losses(), "{sampling}");
        assert!(a.losses().windows(2).any(|pair| pair[0] != pair[1]));
    }
}
