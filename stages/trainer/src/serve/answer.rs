//! One call: from its inputs to its outputs. What training means is the harness's.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use kyobashi_stage::{Call, Checkpoints, Datum, Failure, Output, Outputs};

use crate::harness::{self, Columns, Job, Kept, Outcome, Point, Source, Surroundings, Table};
use crate::signatures::{TRAIN_PROGRAM, TRAIN_TABLE};

/// Does what a call asks; `threads` is how many libtorch may compute with.
///
/// # Errors
/// Any failure of the training; a panic is a failure too, and ours.
pub(crate) fn answer(
    call: &Call,
    scratch: &Path,
    threads: u32,
    checkpoints: Option<&Checkpoints>,
    kept: &mut Kept,
    surroundings: &dyn Surroundings,
) -> Result<Outputs, Failure> {
    let data = source(call)?;
    tch::set_num_threads(i32::try_from(threads.max(1)).unwrap_or(1));
    let program = call.text("program")?;
    let config = call.value("config")?;
    let job = Job {
        program: &program,
        data,
        config: &config,
        seed: call.get("seed")?,
        data_digest: &digest(call),
        checkpoints,
    };
    let run = AssertUnwindSafe(|| harness::run(&job, kept, surroundings));
    let outcome = catch_unwind(run).unwrap_or_else(|panic| {
        let text = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("without a message");
        Err(Failure::bug(format!("the trainer panicked: {text}")))
    })?;
    // The columns that the signature promises, whatever was evaluated.
    let promised = match call.uses.as_str() {
        TRAIN_TABLE => &["eval_loss"][..],
        _ => &[],
    };
    outputs(outcome, promised, scratch)
}

/// The data that a call reads, by their content: equal ones lie in different places.
fn digest(call: &Call) -> String {
    let data = call.ins.iter().filter(|(name, _)| *name != "program");
    let files = data.map(|(name, datum)| match datum {
        Datum::File { path, digest } if digest.is_empty() => format!("{name}: {}", path.display()),
        Datum::File { digest, .. } => format!("{name}: {digest}"),
        _ => String::new(),
    });
    files.collect::<Vec<_>>().join("\n")
}

/// Where the rows of a call come from.
fn source(call: &Call) -> Result<Source<'_>, Failure> {
    match call.uses.as_str() {
        TRAIN_PROGRAM => Ok(Source::Tensors(call.path("data")?)),
        TRAIN_TABLE => Ok(Source::Table(Table {
            train: call.path("train")?,
            valid: call.has("valid").then(|| call.path("valid")).transpose()?,
            columns: Columns {
                features: call.get("features")?,
                target: call.get("target")?,
                label: call.get("label")?,
            },
            standardize: call.get("standardize")?,
        })),
        other => Err(Failure::bug(format!("the trainer has no stage `{other}`"))),
    }
}

fn outputs(outcome: Outcome, promised: &[&str], scratch: &Path) -> Result<Outputs, Failure> {
    let curves = curves(&outcome.curve, promised);
    let mut samples = "x,y\n".to_owned();
    for [x, y] in &outcome.samples {
        let _ = writeln!(samples, "{},{}", *x as f32, *y as f32);
    }
    let weights = scratch.join("weights.safetensors");
    harness::save(&outcome.weights, None, &weights)?;
    let drawn = scratch.join("drawn.safetensors");
    harness::save(&[("drawn".to_owned(), outcome.drawn)], None, &drawn)?;
    let metrics: serde_json::Map<String, serde_json::Value> = outcome
        .metrics
        .into_iter()
        .map(|(name, value)| (name, number(value)))
        .collect();
    Ok(Outputs::from([
        ("metrics".to_owned(), Output::value(metrics)),
        ("curves".to_owned(), Output::bytes(curves)),
        ("samples".to_owned(), Output::bytes(samples)),
        ("drawn".to_owned(), Output::File { path: drawn }),
        ("weights".to_owned(), Output::File { path: weights }),
    ]))
}

/// `step,loss` and a column for each measure; empty before its first evaluation.
fn curves(points: &[Point], promised: &[&str]) -> String {
    let measured = points.iter().flat_map(|point| point.measured.keys());
    let measures: BTreeSet<&str> = measured
        .map(String::as_str)
        .chain(promised.iter().copied())
        .collect();
    let mut text = "step,loss".to_owned();
    for measure in &measures {
        let _ = write!(text, ",{measure}");
    }
    text.push('\n');
    for point in points {
        // Rust's shortest text reads back as the same number.
        let _ = write!(text, "{},{}", point.step, point.loss);
        for measure in &measures {
            text.push(',');
            if let Some(value) = point.measured.get(*measure) {
                let _ = write!(text, "{value}");
            }
        }
        text.push('\n');
    }
    text
}

/// A whole number is written as one: `296450`, not `296450.0`.
fn number(value: f64) -> serde_json::Value {
    if value.fract() == 0.0 && value.abs() < 9e15 {
        serde_json::Value::from(value as i64)
    } else {
        serde_json::Value::from(value)
    }
}
