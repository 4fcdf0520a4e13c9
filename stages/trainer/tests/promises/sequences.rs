//! Data that are one long sequence: `window`, and the template char_lm.

use std::collections::BTreeMap;

use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};
use serde_json::{Value, json};

use crate::worker::{Trained, Worker, template_of, trained};

/// `n` numbers that count up and begin anew after 9, as the tensor `x`.
fn counting(n: usize) -> Vec<u8> {
    let numbers: Vec<u8> = (0..n).map(|i| (i % 10) as u8).collect();
    let view = TensorView::new(Dtype::U8, vec![n], &numbers).unwrap();
    safetensors::serialize([("x", view)], None).unwrap()
}

/// The sum over a window, so that what a batch holds shows in the measures.
const SHAPES: &str = r#"
def init(cfg: Dict[str, float]) -> Dict[str, Tensor]:
    p: Dict[str, Tensor] = {}
    p["w"] = torch.ones([1])
    return p


def loss(p: Dict[str, Tensor], batch: Dict[str, Tensor]) -> Tensor:
    x = batch["x"].float()
    return ((x[:, 1:] - x[:, :-1] - p["w"]) ** 2).mean() + 0.0 * x.size(1)


def evaluate(p: Dict[str, Tensor], batch: Dict[str, Tensor]) -> Dict[str, Tensor]:
    return {"columns": torch.tensor(float(batch["x"].size(1))),
            "rows": torch.tensor(float(batch["x"].size(0)))}
"#;

fn ask(worker: &mut Worker, program: &str, config: Value) -> Result<Trained, String> {
    let train = worker.write("train.safetensors", counting(400));
    let valid = worker.write("valid.safetensors", counting(50));
    let with = BTreeMap::from([
        ("config".to_owned(), config),
        ("seed".to_owned(), json!(0)),
        ("features".to_owned(), json!([])),
        ("target".to_owned(), Value::Null),
        ("label".to_owned(), Value::Null),
        ("standardize".to_owned(), json!([])),
    ]);
    let files = [("train", train.as_path()), ("valid", valid.as_path())];
    worker.ask_of("train/table", program, &files, with);
    worker
        .answer()
        .0
        .map(trained)
        .map_err(|failure| failure.message)
}

#[test]
fn every_stretch_of_a_sequence_is_a_row_with_the_number_after_it() {
    let mut worker = Worker::start();
    let config = json!({"steps": 2, "window": 8, "batch": 4, "eval_batch": 1000});
    let measured = ask(&mut worker, SHAPES, config).unwrap().metrics;
    assert_eq!(measured["columns"], 9.0);
    assert_eq!(measured["rows"], 42.0, "of 50 numbers, 50 - 8 windows");
    assert!(measured["best_eval_loss"] <= measured["eval_loss"]);
}

#[test]
fn a_window_that_does_not_fit_is_refused() {
    let mut worker = Worker::start();
    let long = ask(&mut worker, SHAPES, json!({"steps": 1, "window": 50})).unwrap_err();
    assert!(long.contains("[50]") && long.contains("`x`"), "{long}");
}

#[test]
fn the_character_model_learns_to_count() {
    let mut worker = Worker::start();
    let config = json!({
        "steps": 120, "batch": 16, "window": 8, "sampling": "replacement", "lr": 0.01,
        "schedule": "cosine", "lr_floor": 0.1, "warmup": 10, "clip": 1.0, "weight_decay": 0.1,
        "eval_every": 40, "eval_batch": 16, "eval_batches": 2, "log_every": 20, "dim": 32,
        "heads": 2, "layers": 2, "dropout": 0.1, "samples": 3, "sample_length": 20,
        "temperature": 0.5
    });
    let program = template_of("char_lm", "program.py");
    let trained = ask(&mut worker, &program, config).unwrap();
    let chance = 10.0_f64.ln();
    let best = trained.metrics["best_eval_loss"];
    assert!(best < chance / 2.0, "{best}, by chance {chance}");
    // What it writes counts too: most characters are one more than the character before.
    let file = SafeTensors::deserialize(&trained.drawn).unwrap();
    let drawn = file.tensor("drawn").unwrap();
    assert_eq!((drawn.dtype(), drawn.shape()), (Dtype::I64, &[3, 20][..]));
    let (numbers, _) = drawn.data().as_chunks::<8>();
    let numbers: Vec<i64> = numbers.iter().map(|b| i64::from_le_bytes(*b)).collect();
    let follows = |pair: &[i64]| pair[1] == (pair[0] + 1) % 10;
    let right: usize = numbers
        .chunks(20)
        .map(|passage| passage.windows(2).filter(|pair| follows(pair)).count())
        .sum();
    assert!(right > 3 * 19 / 2, "{right} of 57: {numbers:?}");
}

#[test]
fn the_full_character_model_has_the_published_number_of_parameters() {
    let (dim, layers, window, vocabulary) = (384.0, 6.0, 256.0, 65.0);
    let mut worker = Worker::start();
    let config = json!({
        "steps": 1, "batch": 1, "window": 256, "eval_batch": 1, "eval_batches": 1, "dim": 384,
        "heads": 6, "layers": 6, "dropout": 0.2, "samples": 1, "sample_length": 2,
        "temperature": 1.0
    });
    let train = worker.write("long.safetensors", {
        let numbers: Vec<u8> = (0..400).map(|i| (i % 65) as u8).collect();
        let view = TensorView::new(Dtype::U8, vec![400], &numbers).unwrap();
        safetensors::serialize([("x", view)], None).unwrap()
    });
    let trained = worker.train(&template_of("char_lm", "program.py"), &train, config, 0);
    // Published without positions: 10.65 million.
    let positions = window * dim;
    let expected = vocabulary * dim + layers * (12.0 * dim * dim + 2.0 * dim) + dim;
    assert_eq!(trained.metrics["parameters"] - positions, expected);
    assert!((expected - 10.65e6_f64).abs() < 5e3, "{expected}");
}
