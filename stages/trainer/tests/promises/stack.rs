//! Several seeds as one computation: each is what it is alone but for last bits, whoever asks first.

use kyobashi_stage::Note;
use serde_json::{Value, json};
use std::path::Path;

use crate::worker::{
    SQUARES, Trained, Worker, circle, program, small_diffusion, template, trained,
};

fn with(mut config: Value, key: &str, value: Value) -> Value {
    config[key] = value;
    config
}

/// A training and what the worker said of it.
fn train(
    worker: &mut Worker,
    program: &str,
    data: &Path,
    config: Value,
    seed: i64,
) -> (Trained, String) {
    worker.ask(program, data, config, seed);
    let (answer, notes) = worker.answer();
    let outcome = trained(answer.unwrap_or_else(|failure| panic!("{failure}")));
    (outcome, said(notes))
}

fn said(notes: Vec<Note>) -> String {
    let lines: Vec<String> = notes.into_iter().filter_map(|note| note.message).collect();
    lines.join("\n")
}

fn off(one: &[f32], other: &[f32]) -> f32 {
    assert_eq!(one.len(), other.len());
    one.iter()
        .zip(other)
        .map(|(one, other)| (one - other).abs())
        .fold(0.0, f32::max)
}

/// A step of plain descent at the rate 1 moves weights by their gradient.
#[test]
fn the_gradients_of_stacked_seeds_are_those_of_separate_trainings() {
    let mut worker = Worker::start();
    let data = worker.write("x.safetensors", circle(100));
    let step = json!({
        "steps": 1, "optimizer": "sgd", "lr": 1.0, "weight_decay": 0.0, "schedule": "constant",
        "ema_decay": 0.0, "clip": 0.0
    });
    let mut config = small_diffusion();
    for (key, value) in step.as_object().unwrap() {
        config[key] = value.clone();
    }
    for clip in [0.0, 0.01] {
        let alone = with(config.clone(), "clip", json!(clip));
        let stacked = with(alone.clone(), "stack", json!(3));
        for seed in [3, 4, 5] {
            let one = worker.train(&template("program.py"), &data, alone.clone(), seed);
            let (other, _) = train(
                &mut worker,
                &template("program.py"),
                &data,
                stacked.clone(),
                seed,
            );
            for name in [
                "enter.weight",
                "block0.weight",
                "block1.bias",
                "leave.weight",
            ] {
                let far = off(&one.weight(name), &other.weight(name));
                assert!(
                    far <= 3e-7,
                    "seed {seed}, clip {clip}: {name} is off by {far}"
                );
            }
        }
    }
}

#[test]
fn stacked_seeds_are_trained_once_and_are_the_same_whoever_is_asked_for_first() {
    // Rows that are the same for all seeds, and rows that each seed splits for itself.
    for validation in [0.0, 0.2] {
        trained_once(validation);
    }
}

fn trained_once(validation: f64) {
    let mut worker = Worker::start();
    let data = worker.write("x.safetensors", circle(200));
    let text = template("program.py");
    let alone = with(small_diffusion(), "validation", json!(validation));
    let stacked = with(alone.clone(), "stack", json!(4));
    let (zero, first) = train(&mut worker, &text, &data, stacked.clone(), 0);
    assert!(!first.contains("was trained together"), "{first}");
    let (two, second) = train(&mut worker, &text, &data, stacked.clone(), 2);
    assert!(
        second.contains("was trained together with the seeds 0 to 3"),
        "{second}"
    );
    assert!(
        !second.contains("evaluating") && !second.contains("drawing samples"),
        "{second}"
    );
    let mut other = Worker::start();
    assert_eq!(train(&mut other, &text, &data, stacked.clone(), 2).0, two);
    assert_eq!(train(&mut other, &text, &data, stacked, 0).0, zero);

    let one = worker.train(&text, &data, alone, 2);
    for name in ["eval_loss", "train_loss", "parameters"] {
        let (alone, stacked) = (one.metrics[name], two.metrics[name]);
        assert!((alone - stacked).abs() < 1e-4, "{name}: {alone} {stacked}");
    }
    assert_eq!(one.losses().len(), two.losses().len());
    assert!(
        off(
            &one.weight("ema.enter.weight"),
            &two.weight("ema.enter.weight")
        ) < 1e-4
    );
    assert_ne!(zero.weight("enter.weight"), two.weight("enter.weight"));
}

#[test]
fn a_seed_that_diverges_leaves_the_others_as_they_are() {
    let mut worker = Worker::start();
    let data = worker.write("x.safetensors", circle(100));
    // Of these first weights one of two is far from the others.
    let text = program(
        "return ((batch[\"x\"] @ p[\"w\"]) ** 2).mean() / (p[\"_good\"] * 2.0 - 1.0).clamp_min(0.0) * p[\"_good\"]",
        "",
    )
    .replace("    return p\n", "    p[\"_good\"] = (torch.rand([1]) > 0.5).float()\n    return p\n");
    let config = json!({"steps": 20, "stack": 8});
    let mut ends = Vec::new();
    for seed in 0..8 {
        worker.ask(&text, &data, config.clone(), seed);
        match worker.answer().0 {
            Ok(outputs) => ends.push(trained(outputs).metrics["eval_loss"].is_finite()),
            Err(failure) => {
                assert!(
                    failure.message.starts_with("diverged at step 1:"),
                    "{failure}"
                );
                ends.push(false);
            }
        }
    }
    assert!(ends.contains(&true) && ends.contains(&false), "{ends:?}");
}

#[test]
fn what_cannot_be_stacked_is_trained_seed_by_seed_and_says_why() {
    let mut worker = Worker::start();
    let data = worker.write("x.safetensors", circle(100));
    let cases = [
        (
            program(
                &format!("if float(p[\"w\"].sum()) > 1e9:\n    return p[\"w\"].sum()\n{SQUARES}"),
                "",
            ),
            "vmap",
        ),
        (
            program(
                SQUARES,
                "def lr_scale(step: int) -> float:\n    return 1.0\n",
            ),
            "the program defines `lr_scale`",
        ),
    ];
    for (text, why) in cases {
        let alone = worker.train(&text, &data, json!({"steps": 5}), 1);
        for _ in 0..2 {
            let stacked = json!({"steps": 5, "stack": 2});
            let (other, notes) = train(&mut worker, &text, &data, stacked, 1);
            assert_eq!(other, alone);
            assert!(
                notes.contains("cannot be stacked") && notes.contains(why),
                "{notes}"
            );
        }
    }
}

#[test]
fn random_numbers_of_every_kind_are_those_of_the_seed_alone() {
    let mut worker = Worker::start();
    let data = worker.write("x.safetensors", circle(100));
    let text = program(
        "x = F.dropout(batch[\"x\"] @ p[\"w\"], 0.3, True)\n\
         y = torch.zeros_like(x)\n\
         y.normal_()\n\
         keep = torch.bernoulli(torch.full([2, 2], 0.5))\n\
         order = torch.randperm(x.size(0))\n\
         return ((x[order] @ keep - y) ** 2).mean() + torch.rand([2]).sum() * p[\"w\"].sum()",
        "",
    );
    let config = json!({"steps": 10, "optimizer": "sgd", "lr": 0.1});
    for seed in [0, 1, 2] {
        let one = worker.train(&text, &data, config.clone(), seed);
        let stacked = with(config.clone(), "stack", json!(3));
        let (other, notes) = train(&mut worker, &text, &data, stacked, seed);
        assert!(!notes.contains("cannot be stacked"), "{notes}");
        let far = off(&one.weight("w"), &other.weight("w"));
        assert!(far < 1e-5, "seed {seed} is off by {far}");
    }
}
