//! Divergence, memory, time, cancellation, the end of the engine: each is an answer, never a hang.

use kyobashi_stage::{FromWorker, Retry, ToWorker};
use serde_json::json;

use crate::worker::{SQUARES, Worker, circle, program};

/// More steps than any test waits for.
const FOR_EVER: u64 = 1_000_000_000;

#[test]
fn divergence_names_the_step_and_the_last_losses() {
    let mut worker = Worker::start();
    let data = worker.write("x.safetensors", circle(100));
    let body = "scale = float(\"nan\") if step == 11 else 1.0\nreturn ((batch[\"x\"] @ p[\"w\"]) ** 2).mean() * scale";
    let failure = worker.refuse(
        &program(body, ""),
        &data,
        json!({"steps": 100, "log_every": 50}),
    );
    assert!(
        failure
            .message
            .starts_with("diverged at step 12: the loss is NaN; the last losses were "),
        "{failure}"
    );
    let runaway = json!({"steps": 200, "optimizer": "sgd", "lr": 1e6});
    let failure = worker.refuse(&program(SQUARES, ""), &data, runaway);
    assert!(
        failure.message.starts_with("diverged at step "),
        "{failure}"
    );
    assert_eq!(failure.retry, Retry::Never);
}

#[test]
fn too_much_memory_is_a_failure_with_the_line_and_the_process_goes_on() {
    let mut worker = Worker::start();
    let data = worker.write("x.safetensors", circle(100));
    let body = "x = torch.ones([1000000, 1000000, 100])\nreturn x.sum() * p[\"w\"].sum()";
    let failure = worker.refuse(&program(body, ""), &data, json!({"steps": 1}));
    assert!(
        failure.message.starts_with("program.py:8:9: out of memory"),
        "{failure}"
    );
    worker.train(&program(SQUARES, ""), &data, json!({"steps": 1}), 0);
}

#[test]
fn a_training_ends_at_its_time_limit_and_the_process_goes_on() {
    let mut worker = Worker::start();
    let data = worker.write("x.safetensors", circle(100));
    let config = json!({"steps": FOR_EVER, "max_seconds": 0.2});
    let failure = worker.refuse(&program(SQUARES, ""), &data, config);
    assert!(
        failure
            .message
            .starts_with("reached the limit of 0.2 s at step "),
        "{failure}"
    );
    worker.train(&program(SQUARES, ""), &data, json!({"steps": 1}), 0);
}

#[test]
fn a_loop_without_end_is_ended_with_its_process_after_an_answer() {
    let mut worker = Worker::start();
    let data = worker.write("x.safetensors", circle(100));
    let body = format!("while True:\n    step = step + 1\n{SQUARES}");
    let began = std::time::Instant::now();
    let failure = worker.refuse(
        &program(&body, ""),
        &data,
        // Long enough that a busy machine has come to the loop.
        json!({"steps": 1, "max_seconds": 2}),
    );
    assert!(
        failure
            .message
            .starts_with("reached the limit of 2 s at step 0"),
        "{failure}"
    );
    assert!(
        failure
            .help
            .unwrap()
            .contains("does a loop of it never end, or")
    );
    assert!(worker.next().is_none());
    assert_eq!(worker.wait().code(), Some(75));
    let seconds = began.elapsed().as_secs_f64();
    assert!(seconds < 6.0, "ended after {seconds} s, not soon after 2 s");
}

#[test]
fn a_cancelled_training_answers_and_the_process_goes_on() {
    let mut worker = Worker::start();
    let data = worker.write("x.safetensors", circle(100));
    worker.send(&ToWorker::Cancel);
    worker.ask(
        &program(SQUARES, ""),
        &data,
        json!({"steps": FOR_EVER, "log_every": 1}),
        0,
    );
    while !matches!(worker.next(), Some(FromWorker::Note { note }) if note.step.is_some()) {}
    worker.send(&ToWorker::Cancel);
    let failure = worker.answer().0.unwrap_err();
    assert_eq!(failure.message, "cancelled");
    worker.train(&program(SQUARES, ""), &data, json!({"steps": 1}), 0);
}

#[test]
fn the_process_never_outlives_its_standard_input() {
    let mut worker = Worker::start();
    let data = worker.write("x.safetensors", circle(100));
    worker.ask(
        &program(SQUARES, ""),
        &data,
        json!({"steps": FOR_EVER, "log_every": 1}),
        0,
    );
    while !matches!(worker.next(), Some(FromWorker::Note { note }) if note.step.is_some()) {}
    assert_eq!(worker.hang_up().code(), Some(0));

    let mut stuck = Worker::start();
    let data = stuck.write("x.safetensors", circle(100));
    let body = format!("while True:\n    step = step + 1\n{SQUARES}");
    stuck.ask(&program(&body, ""), &data, json!({"steps": 1}), 0);
    assert_eq!(stuck.hang_up().code(), Some(0));
}

#[test]
fn notes_tell_step_loss_and_what_is_left_at_most_ten_times_a_second() {
    let mut worker = Worker::start();
    let data = worker.write("x.safetensors", circle(100));
    let began = std::time::Instant::now();
    let config = json!({"steps": 3000, "log_every": 1});
    worker.ask(&program(SQUARES, ""), &data, config, 0);
    let (answer, notes) = worker.answer();
    answer.unwrap();
    let seconds = began.elapsed().as_secs_f64();
    let progress: Vec<_> = notes.iter().filter(|note| note.step.is_some()).collect();
    assert!(
        progress.len() as f64 <= 10.0 * seconds + 3.0,
        "{} in {seconds} s",
        progress.len()
    );
    let last = progress.last().unwrap();
    assert_eq!(
        (last.step, last.total, last.eta),
        (Some(3000), Some(3000), Some(0.0))
    );
    assert!(last.values.contains_key("loss"));
}
