//! The wire, the config and the data: what is wrong is said, and nothing takes the process down.

use kyobashi_stage::{Description, FromWorker, WIRE_VERSION};
use serde_json::json;

use crate::worker::{SQUARES, Worker, circle, program, tensors};

#[test]
fn the_first_line_says_what_the_process_is() {
    let worker = Worker::start();
    let FromWorker::Ready {
        wire,
        libtorch,
        device,
    } = &worker.ready
    else {
        panic!("{:?}", worker.ready)
    };
    assert_eq!((*wire, libtorch.as_str()), (WIRE_VERSION, "2.11.0"));
    assert!(device.contains("cpu "), "{device}");
}

#[test]
fn describe_json_is_what_the_trainer_says() {
    let said = std::process::Command::new(env!("CARGO_BIN_EXE_kyobashi-trainer"))
        .arg("--describe")
        .output()
        .unwrap();
    let said: Description = serde_json::from_slice(&said.stdout).unwrap();
    let kept: Description = serde_json::from_str(include_str!("../../describe.json")).unwrap();
    assert_eq!(
        said, kept,
        "write `kyobashi-trainer --describe` to describe.json"
    );
}

#[test]
fn a_line_that_is_no_message_is_answered_and_the_next_call_runs() {
    let mut worker = Worker::start();
    let data = worker.write("x.safetensors", circle(100));
    worker.send_line("{\"do\": \"dance\"}");
    let failure = worker.answer().0.unwrap_err();
    assert!(
        failure.bug && failure.message.contains("dance"),
        "{failure}"
    );
    worker.train(&program(SQUARES, ""), &data, json!({"steps": 1}), 0);
}

#[test]
fn a_setting_that_cannot_be_is_named_with_what_it_may_be() {
    let mut worker = Worker::start();
    let data = worker.write("x.safetensors", circle(100));
    for (config, message) in [
        (
            json!({"steps": "many"}),
            "`steps` of `config` is a whole number of at least 1, not `\"many\"`",
        ),
        (
            json!({"steps": 0}),
            "`steps` of `config` is a whole number of at least 1, not `0`",
        ),
        (
            json!({"lr": -1}),
            "`lr` of `config` is a number of at least 0, not `-1`",
        ),
        (
            json!({"optimizer": "adamax"}),
            "`optimizer` of `config` is one of adamw, adam, sgd, not `adamax`",
        ),
        (
            json!({"validation": 1.0}),
            "`validation` of `config` is a number between 0 and 0.99, not `1.0`",
        ),
        (
            json!({"device": "tpu"}),
            "`device` of `config` is one of auto, cpu, cuda, not `tpu`",
        ),
        (
            json!({"stack": 1e12}),
            "`stack` of `config` is at most 1024 seeds, not 1000000000000",
        ),
        (json!([1]), "`config` is an object, not `[1]`"),
        (
            json!({"optimiser": "sgd"}),
            "`config` has no setting `optimiser`",
        ),
        (
            json!({"kl_neighbors": 3}),
            "`config` has no setting `kl_neighbors`",
        ),
        (json!({"shape": [1]}), "`config` has no setting `shape`"),
        (
            json!({"steps": 1, "goal": "acuracy"}),
            "`goal` of `config` names `acuracy`, which is not measured",
        ),
    ] {
        let failure = worker.refuse(&program(SQUARES, ""), &data, config);
        assert_eq!(failure.message, message);
    }
}

#[test]
fn a_program_cannot_measure_under_a_name_of_the_harness() {
    let mut worker = Worker::start();
    let data = worker.write("x.safetensors", circle(100));
    for (name, message) in [
        (
            "kl",
            "`evaluate` returned `kl`, which the harness measures itself",
        ),
        (
            "train_loss",
            "`evaluate` returned `train_loss`, which the harness measures itself",
        ),
        (
            "step",
            "`evaluate` returned `step`, which the harness measures itself",
        ),
        (
            "a,b",
            "`evaluate` returned a measure named \"a,b\", which is no name of a column",
        ),
    ] {
        let hook = format!(
            "def evaluate(p: Dict[str, Tensor]) -> Dict[str, Tensor]:\n    \
             return {{\"{name}\": torch.tensor(0.0)}}\n"
        );
        let failure = worker.refuse(&program(SQUARES, &hook), &data, json!({"steps": 1}));
        assert_eq!(failure.message, message);
    }
}

#[test]
fn a_key_that_nothing_reads_is_mentioned() {
    let mut worker = Worker::start();
    let data = worker.write("x.safetensors", circle(100));
    worker.ask(
        &program(SQUARES, ""),
        &data,
        json!({"steps": 1, "stepz": 3}),
        0,
    );
    let (answer, notes) = worker.answer();
    answer.unwrap();
    let messages: Vec<_> = notes
        .iter()
        .filter_map(|note| note.message.as_deref())
        .collect();
    assert!(
        messages.contains(&"nothing reads `stepz` of `config`"),
        "{messages:?}"
    );
}

#[test]
fn data_that_cannot_be_used_are_a_failure_that_names_the_file() {
    let mut worker = Worker::start();
    let whole = circle(100);
    for (name, bytes, part) in [
        (
            "short.safetensors",
            whole[..whole.len() - 7].to_vec(),
            "short.safetensors",
        ),
        ("none.safetensors", Vec::new(), "none.safetensors"),
        (
            "text.safetensors",
            b"x,y\n1,2\n".to_vec(),
            "text.safetensors",
        ),
        (
            "empty.safetensors",
            tensors(&[("x", vec![0, 2], vec![])]),
            "there are no rows",
        ),
        (
            "uneven.safetensors",
            tensors(&[("x", vec![2, 1], vec![1.0, 2.0]), ("y", vec![1], vec![1.0])]),
            "`y` has 1 rows",
        ),
    ] {
        let data = worker.write(name, bytes);
        let failure = worker.refuse(&program(SQUARES, ""), &data, json!({"steps": 1}));
        assert!(failure.message.contains(part), "{name}: {failure}");
    }
    let missing = worker.dir.path().join("missing.safetensors");
    let failure = worker.refuse(&program(SQUARES, ""), &missing, json!({"steps": 1}));
    assert!(failure.message.contains("missing.safetensors"), "{failure}");
}

#[test]
fn a_gpu_that_was_asked_for_and_is_not_there_is_a_failure() {
    let mut worker = Worker::start();
    if matches!(&worker.ready, FromWorker::Ready { device, .. } if device.contains("cuda")) {
        return;
    }
    let data = worker.write("x.safetensors", circle(100));
    let failure = worker.refuse(&program(SQUARES, ""), &data, json!({"device": "cuda"}));
    assert!(
        failure.message.contains("libtorch finds no GPU"),
        "{failure}"
    );
}
