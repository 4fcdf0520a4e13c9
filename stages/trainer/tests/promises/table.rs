//! `train/table`: the same rows train the same program, whatever kind of file they come in.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::Path;

use kyobashi_stage::Failure;
use npyz::WriterBuilder;
use npyz::npz::NpzWriter;
use safetensors::SafeTensors;
use serde_json::{Value, json};

use crate::worker::{Trained, Worker, tensors, trained};

/// A linear model of `y`, a number.
const LINE: &str = r#"
def init(cfg: Dict[str, float]) -> Dict[str, Tensor]:
    return {"w": torch.zeros([int(cfg["x.columns"])])}


def loss(p: Dict[str, Tensor], batch: Dict[str, Tensor]) -> Tensor:
    return F.mse_loss(batch["x"] @ p["w"], batch["y"])
"#;

/// A model of classes without features: it learns how frequent they are.
const FREQUENCIES: &str = r#"
def init(cfg: Dict[str, float]) -> Dict[str, Tensor]:
    return {"w": torch.zeros([int(cfg["y.max"]) + 1])}


def loss(p: Dict[str, Tensor], batch: Dict[str, Tensor]) -> Tensor:
    return F.cross_entropy(p["w"].expand([batch["y"].size(0), -1]), batch["y"])
"#;

const ROWS: usize = 40;

fn x(row: usize) -> [f32; 2] {
    [row as f32 * 0.25 - 4.0, ((row * 7) % 11) as f32]
}

fn y(row: usize) -> f32 {
    2.0 * x(row)[0] - x(row)[1]
}

fn csv() -> String {
    let rows = (0..ROWS).map(|row| format!("{},{},{}\n", x(row)[0], y(row), x(row)[1]));
    format!("a,y,b\n{}", rows.collect::<String>())
}

fn config() -> Value {
    json!({"steps": 20, "batch": 8, "lr": 0.05, "validation": 0.25, "log_every": 5})
}

fn ask(
    worker: &mut Worker,
    program: &str,
    files: &[(&str, &Path)],
    with: Value,
) -> Result<Trained, Failure> {
    let defaults = json!({
        "config": config(), "seed": 3, "features": [], "target": null, "label": null,
        "standardize": []
    });
    let mut settings: BTreeMap<String, Value> = serde_json::from_value(defaults).unwrap();
    settings.extend(serde_json::from_value::<BTreeMap<String, Value>>(with).unwrap());
    worker.ask_of("train/table", program, files, settings);
    worker.answer().0.map(trained)
}

fn refused(worker: &mut Worker, program: &str, file: &Path, with: Value) -> Failure {
    match ask(worker, program, &[("train", file)], with) {
        Ok(trained) => panic!("it trained: {trained:?}"),
        Err(failure) => failure,
    }
}

/// An npy array, in the order of Fortran if `turned`.
fn npy<T: npyz::AutoSerialize + Copy>(shape: &[u64], numbers: &[T], turned: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    let order = if turned {
        npyz::Order::Fortran
    } else {
        npyz::Order::C
    };
    let mut writer = npyz::WriteOptions::new()
        .default_dtype()
        .shape(shape)
        .order(order)
        .writer(&mut bytes)
        .begin_nd()
        .unwrap();
    writer.extend(numbers.iter().copied()).unwrap();
    writer.finish().unwrap();
    bytes
}

#[test]
fn csv_npz_and_safetensors_of_the_same_rows_give_the_same_bits() {
    let mut worker = Worker::start();
    let flat: Vec<f32> = (0..ROWS).flat_map(x).collect();
    let answers: Vec<f32> = (0..ROWS).map(y).collect();
    let plain = worker.write(
        "plain",
        tensors(&[
            ("x", vec![ROWS, 2], flat.clone()),
            ("y", vec![ROWS], answers.clone()),
        ]),
    );
    let mut packed = Cursor::new(Vec::new());
    let mut archive = NpzWriter::new(&mut packed);
    let turned: Vec<f64> = (0..2)
        .flat_map(|column| (0..ROWS).map(move |row| f64::from(x(row)[column])))
        .collect();
    for (name, bytes) in [
        ("y", npy(&[ROWS as u64], &answers, false)),
        ("x", npy(&[ROWS as u64, 2], &turned, true)),
    ] {
        use std::io::Write;
        let zip = archive.zip_writer();
        zip.start_file(format!("{name}.npy"), Default::default())
            .unwrap();
        zip.write_all(&bytes).unwrap();
    }
    drop(archive);
    let packed = packed.into_inner();
    let mut damaged = packed.clone();
    damaged[200] ^= 1;
    let damaged = worker.write("damaged", damaged);
    let packed = worker.write("packed", packed);
    let sheet = worker.write("sheet", csv());
    let one = ask(&mut worker, LINE, &[("train", &plain)], json!({})).unwrap();
    let two = ask(&mut worker, LINE, &[("train", &packed)], json!({})).unwrap();
    let failure = refused(&mut worker, LINE, &damaged, json!({}));
    assert!(failure.message.contains("checksum"), "{failure}");
    let three = ask(
        &mut worker,
        LINE,
        &[("train", &sheet)],
        json!({"target": "y"}),
    )
    .unwrap();
    assert_eq!(one, two);
    assert_eq!(one, three);
    assert!(
        one.curves.starts_with("step,loss,eval_loss\n5,"),
        "{}",
        one.curves
    );
    assert_eq!(one.curves.lines().count(), 5);
}

#[test]
fn rows_for_evaluation_may_come_in_a_file_of_their_own() {
    let mut worker = Worker::start();
    let sheet = worker.write("train.csv", csv());
    let held_out = worker.write("valid.csv", "b,y,a\n1,1,1\n2,2,2\n");
    let files: [(&str, &Path); 2] = [("train", &sheet), ("valid", &held_out)];
    let settings = json!({"steps": 20, "batch": 8, "lr": 0.05});
    let with = json!({"target": "y", "features": ["a", "b"], "config": settings});
    let trained = ask(&mut worker, LINE, &files, with).unwrap();
    let w = trained.weight("w");
    let expected = (1..=2)
        .map(|k: i32| f64::from(k as f32 * (w[0] + w[1] - 1.0)).powi(2))
        .sum::<f64>()
        / 2.0;
    assert!((trained.metrics["eval_loss"] - expected).abs() < 1e-4 * expected.max(1.0));
    let both = json!({"target": "y", "config": config()});
    let failure = ask(&mut worker, LINE, &files, both).unwrap_err();
    assert!(
        failure.message.contains("`valid` gives rows as well"),
        "{failure}"
    );
}

#[test]
fn words_become_classes_in_the_order_of_the_training_rows_alone() {
    let mut worker = Worker::start();
    let train = worker.write("t.csv", "c,k\n1,10\n1,9\n1,10\n1,10\n");
    let valid = worker.write("v.csv", "c,k\n1,10\n");
    let files: [(&str, &Path); 2] = [("train", &train), ("valid", &valid)];
    let config = json!({"steps": 200, "batch": 4, "lr": 0.05, "weight_decay": 0});
    let with = json!({"label": "k", "config": config});
    let trained = ask(&mut worker, FREQUENCIES, &files, with.clone()).unwrap();
    let w = trained.weight("w");
    // 9 is class 0 and 10 is class 1: numbers are ordered by size, and 10 is three times as frequent.
    assert!((w[1] - w[0] - 3f32.ln()).abs() < 0.05, "{w:?}");
    let strange = worker.write("v2.csv", "c,k\n1,9\n1,11\n");
    let files: [(&str, &Path); 2] = [("train", &train), ("valid", &strange)];
    let failure = ask(&mut worker, FREQUENCIES, &files, with).unwrap_err();
    assert!(
        failure
            .message
            .contains("line 3, column `k`: the class `11` is not among the training"),
        "{failure}"
    );
}

#[test]
fn standardised_columns_have_the_moments_of_the_training_rows_and_keep_their_scale() {
    let mut worker = Worker::start();
    let sheet = worker.write("s.csv", "a,b,y\n10,5,1\n30,5,1\n10,5,1\n30,5,1\n");
    let valid = worker.write("v.csv", "a,b,y\n20,5,0\n");
    let files: [(&str, &Path); 2] = [("train", &sheet), ("valid", &valid)];
    let config = json!({"steps": 1});
    let with = json!({"target": "y", "standardize": ["x"], "config": config});
    let trained = ask(&mut worker, LINE, &files, with).unwrap();
    assert_eq!(trained.weight("_mean.x"), [20.0, 5.0]);
    assert_eq!(trained.weight("_deviation.x"), [10.0, 1.0]);
    // The row in the middle is the origin, where a linear model is exact.
    assert_eq!(trained.metrics["eval_loss"], 0.0);
    let file = SafeTensors::deserialize(&trained.weights).unwrap();
    assert!(file.names().contains(&"w"));
}

#[test]
fn data_that_cannot_be_read_are_named_with_their_place() {
    let mut worker = Worker::start();
    let mut short = npy(&[4, 2], &[0.5_f32; 8], false);
    short.truncate(short.len() - 4);
    let array = npy(&[4, 2], &[0.5_f32; 8], false);
    // A header that claims more than there is.
    let mut claim = array.clone();
    let shape = claim.iter().position(|byte| *byte == b'(').unwrap();
    let two = claim[shape..]
        .iter()
        .position(|byte| *byte == b'2')
        .unwrap();
    claim[shape + two] = b'9';
    let cases: [(&str, Vec<u8>, Value, &str); 12] = [
        (
            "a",
            b"a,b\n1,x\n".to_vec(),
            json!({}),
            "line 2, column `b`: `x` is no finite number",
        ),
        (
            "b",
            b"a,b\n1,\n".to_vec(),
            json!({}),
            "line 2, column `b`: the cell is empty",
        ),
        ("c", b"a,b\n1,2,3\n".to_vec(), json!({}), "it is no CSV"),
        (
            "c2",
            b"a;b\n0,5;1\n".to_vec(),
            json!({}),
            "separated by semicolons, not by commas",
        ),
        (
            "d",
            b"1,2\n3,4\n".to_vec(),
            json!({}),
            "row of numbers, not the names",
        ),
        (
            "e",
            b"a,a\n3,4\n".to_vec(),
            json!({}),
            "two columns are named `a`",
        ),
        (
            "f",
            b"a,b\n3,4\n".to_vec(),
            json!({"target": "c"}),
            "`target` names `c`",
        ),
        (
            "g",
            vec![0xff, 0xfe, 0, 1],
            json!({}),
            "neither safetensors, npz, npy nor CSV",
        ),
        ("h", short, json!({}), "cannot read"),
        ("k", claim, json!({}), "cannot read"),
        (
            "i",
            array,
            json!({"label": "k"}),
            "it is no CSV, so it has no columns",
        ),
        (
            "j",
            b"PK\x03\x04 and no more".to_vec(),
            json!({}),
            "cannot read",
        ),
    ];
    for (name, bytes, with, part) in cases {
        let file = worker.write(name, bytes);
        let failure = refused(&mut worker, LINE, &file, with);
        assert!(failure.message.contains(part), "{name}: {failure}");
        assert!(!failure.bug, "{name}: {failure}");
    }
    // The process is whole: the next training runs.
    let sheet = worker.write("sheet", csv());
    ask(
        &mut worker,
        LINE,
        &[("train", &sheet)],
        json!({"target": "y"}),
    )
    .unwrap();
}
