//! A training that is killed goes on from its last checkpoint and ends as if nothing had happened.

use std::time::{Duration, Instant};

use kyobashi_stage::{Checkpoints, FromWorker};
use safetensors::SafeTensors;
use serde_json::{Value, json};

use crate::worker::{Worker, circle, small_diffusion, template};

fn config(steps: u64) -> Value {
    let mut config = small_diffusion();
    config["steps"] = json!(steps);
    config["log_every"] = json!(5);
    config
}

/// Adds a state that the program changes at every step, to what a checkpoint has to hold.
fn stateful() -> String {
    template("program.py")
        + "\n\ndef state(cfg: Dict[str, float]) -> Dict[str, Tensor]:\n    out: Dict[str, Tensor] = {}\n    out[\"steps\"] = torch.zeros([1])\n    return out\n\n\ndef lr_scale(step: int, metrics: Dict[str, float], state: Dict[str, Tensor]) -> float:\n    state[\"steps\"] += 1.0\n    loss = 1.0\n    if \"loss\" in metrics:\n        loss = metrics[\"loss\"]\n    return loss / (1.0 + 0.001 * float(state[\"steps\"].sum()))\n"
}

/// Kills a training after some checkpoints; what is left lies in `dir`.
fn killed(dir: &std::path::Path, config: &Value) {
    let mut worker = Worker::start();
    worker.checkpoints = Some(Checkpoints {
        dir: dir.to_owned(),
        every: 0.0,
    });
    let data = worker.write("x.safetensors", circle(500));
    worker.ask(&stateful(), &data, config.clone(), 5);
    let file = dir.join("checkpoint.safetensors");
    loop {
        match worker.next().unwrap() {
            FromWorker::Note { note }
                if note.step.is_some_and(|step| step >= 10) && file.exists() =>
            {
                break;
            }
            FromWorker::Note { .. } => {}
            other => panic!("it ended before it could be killed: {other:?}"),
        }
    }
    worker.kill();
}

#[test]
fn a_killed_training_ends_with_the_bits_of_an_unkilled_one() {
    let config = config(400);
    let kept = tempfile::tempdir().unwrap();
    killed(kept.path(), &config);

    let mut worker = Worker::start();
    let data = worker.write("x.safetensors", circle(500));
    let whole = worker.train(&stateful(), &data, config.clone(), 5);
    worker.checkpoints = Some(Checkpoints {
        dir: kept.path().to_owned(),
        every: 3600.0,
    });
    worker.ask(&stateful(), &data, config, 5);
    let (answer, notes) = worker.answer();
    let resumed = crate::worker::trained(answer.unwrap());
    assert!(
        notes.iter().any(|note| note
            .message
            .as_deref()
            .is_some_and(|text| text.starts_with("going on after step "))),
        "it began anew: {notes:?}"
    );
    assert_eq!(resumed, whole);
}

#[test]
fn a_training_that_never_came_to_a_point_of_its_curve_goes_on_too() {
    // The only point of the curve is the end, and evaluations fall between checkpoints.
    let mut config = config(3000);
    config["log_every"] = json!(3000);
    config["eval_every"] = json!(7);
    config["eval_batches"] = json!(1);
    let kept = tempfile::tempdir().unwrap();
    let mut worker = Worker::start();
    worker.checkpoints = Some(Checkpoints {
        dir: kept.path().to_owned(),
        every: 0.0,
    });
    let data = worker.write("x.safetensors", circle(500));
    worker.ask(&stateful(), &data, config.clone(), 5);
    let file = kept.path().join("checkpoint.safetensors");
    let began = Instant::now();
    while saved_step(&file) < 10 {
        assert!(
            began.elapsed() < Duration::from_mins(5),
            "nothing was saved"
        );
        std::thread::yield_now();
    }
    worker.kill();
    let killed_after = saved_step(&file);
    assert!(killed_after < 3000, "it ended before it could be killed");

    let mut worker = Worker::start();
    let data = worker.write("x.safetensors", circle(500));
    let whole = worker.train(&stateful(), &data, config.clone(), 5);
    worker.checkpoints = Some(Checkpoints {
        dir: kept.path().to_owned(),
        every: 3600.0,
    });
    worker.ask(&stateful(), &data, config, 5);
    let (answer, notes) = worker.answer();
    let resumed = crate::worker::trained(answer.unwrap());
    let said = format!("going on after step {killed_after}");
    assert!(
        notes
            .iter()
            .any(|note| note.message.as_deref() == Some(said.as_str())),
        "{notes:?}"
    );
    assert_eq!(resumed, whole);
}

/// The step after which the checkpoint was saved; zero if there is none.
fn saved_step(file: &std::path::Path) -> u64 {
    let Ok(bytes) = std::fs::read(file) else {
        return 0;
    };
    let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
    let text = &header.metadata().as_ref().unwrap()["kyobashi"];
    let counters: Value = serde_json::from_str(text).unwrap();
    counters["step"].as_u64().unwrap()
}

#[test]
fn a_damaged_or_foreign_checkpoint_is_named_and_training_starts_anew() {
    let config = config(400);
    let kept = tempfile::tempdir().unwrap();
    killed(kept.path(), &config);
    let file = kept.path().join("checkpoint.safetensors");
    let whole = std::fs::read(&file).unwrap();

    let mut worker = Worker::start();
    let data = worker.write("x.safetensors", circle(500));
    let short = self::config(10);
    let plain = worker.train(&stateful(), &data, short.clone(), 5);
    worker.checkpoints = Some(Checkpoints {
        dir: kept.path().to_owned(),
        every: 3600.0,
    });
    for (bytes, said) in [
        (&whole[..], "is of another training"),
        (&whole[..whole.len() - 100], "cannot read"),
    ] {
        std::fs::write(&file, bytes).unwrap();
        worker.ask(&stateful(), &data, short.clone(), 5);
        let (answer, notes) = worker.answer();
        assert_eq!(crate::worker::trained(answer.unwrap()), plain);
        let messages: Vec<_> = notes
            .iter()
            .filter_map(|note| note.message.as_deref())
            .collect();
        assert!(
            messages.iter().any(|text| text.contains(said)),
            "{messages:?}"
        );
    }
}
