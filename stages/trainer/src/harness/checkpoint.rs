//! How far a training is, on disk: everything that the next step depends on. A training that is killed
//! and goes on from here ends with the same bits as one that was not.
//!
//! Tensors: `p.*` parameters and constants, `ema.*`, `state.*`, `optimiser.*`, `generator.*`, `order`
//! (rows of the epoch), `curve.*`, `losses` (those that no point of the curve holds yet), `metrics`,
//! `measured`. Text: [`Counters`].

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use kyobashi_stage::{Checkpoints, Failure};
use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor};

use super::tensors::Saved;
use super::train::Training;
use super::{Point, ours, tensors};
use crate::torch::{self, Value};

/// What is not a tensor.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Counters {
    /// What is trained: a checkpoint of anything else is of no use.
    identity: String,
    step: u64,
    batches_at: i64,
    /// Position in the stream of the batches, as text: it has 68 bits.
    batches_word: String,
    goal_step: Option<u64>,
    best: Option<f64>,
    metrics: Vec<String>,
    /// The names of the latest evaluation.
    measured: Vec<String>,
    /// The measures of the curve, in the order of their columns.
    measures: Vec<String>,
}

/// When the next save is due. Saves may take one part in [`SHARE`] of the time, so a small training is
/// saved every second and a large one when that has paid for it.
pub(crate) struct Pace {
    /// Seconds of the training's clock at the last save, or at the start.
    since: f64,
    /// Seconds from there to the next.
    wait: f64,
    least: f64,
}

/// Of so much time of training one part may go into saving it.
const SHARE: f64 = 100.0;

/// Bytes a second that a first save is expected to write, before one was measured.
const EXPECTED: f64 = 5e8;

impl Pace {
    /// A training that goes on at `now` seconds.
    pub(crate) fn start(training: &Training, to: &Checkpoints, now: f64) -> Self {
        let bytes: usize = training
            .lasting()
            .iter()
            .map(|(_, tensor)| tensor.numel() * tensor.kind().elt_size_in_bytes())
            .sum();
        let mut pace = Self {
            since: now,
            wait: 0.0,
            least: to.every,
        };
        pace.saved(now, bytes as f64 / EXPECTED);
        pace
    }

    pub(crate) fn is_due(&self, now: f64) -> bool {
        now - self.since >= self.wait
    }

    /// A save ended at `now` and took `seconds`.
    pub(crate) fn saved(&mut self, now: f64, seconds: f64) {
        self.since = now;
        self.wait = if self.least > 0.0 {
            self.least.max(seconds * SHARE)
        } else {
            0.0
        };
    }
}

/// The file of a folder.
pub(crate) fn file(dir: &Path) -> PathBuf {
    dir.join("checkpoint.safetensors")
}

/// Saves a training after `step` steps; a kill leaves the one before or this one, never half of it.
///
/// # Errors
/// If the folder cannot be written to.
pub(crate) fn save(
    training: &Training,
    step: u64,
    identity: &str,
    dir: &Path,
) -> Result<(), Failure> {
    let mut all = Vec::new();
    for (name, tensor) in training.lasting() {
        all.push((name, tensor.shallow_clone()));
    }
    for (name, tensor) in training.state.to_tensors().map_err(ours)? {
        all.push((format!("state.{name}"), tensor));
    }
    for (name, device) in generators(training.device) {
        all.push((name, torch::generator_state(device).map_err(ours)?));
    }
    let (order, batches_at, word) = training.batches.position();
    all.push(("order".to_owned(), order.shallow_clone()));
    let steps: Vec<i64> = training
        .curve
        .iter()
        .map(|point| point.step as i64)
        .collect();
    let losses: Vec<f64> = training.curve.iter().map(|point| point.loss).collect();
    let measures: BTreeSet<String> = training
        .curve
        .iter()
        .flat_map(|point| point.measured.keys().cloned())
        .collect();
    // A measure is always finite; where a point has none, NaN stands.
    for (index, measure) in measures.iter().enumerate() {
        let column = training
            .curve
            .iter()
            .map(|point| point.measured.get(measure));
        let column: Vec<f64> = column
            .map(|value| value.copied().unwrap_or(f64::NAN))
            .collect();
        let column = Tensor::f_from_slice(&column).map_err(ours)?;
        all.push((format!("curve.measure{index}"), column));
    }
    let metrics: Vec<f64> = training.metrics.values().copied().collect();
    let measured: Vec<f64> = training.measured.values().copied().collect();
    let steps = Tensor::f_from_slice(&steps).map_err(ours)?;
    all.push(("curve.step".to_owned(), steps));
    for (name, numbers) in [
        ("curve.loss", losses),
        ("metrics", metrics),
        ("measured", measured),
    ] {
        let tensor = Tensor::f_from_slice(&numbers).map_err(ours)?;
        all.push((name.to_owned(), tensor));
    }
    if !training.losses.is_empty() {
        let pending = Tensor::f_stack(&training.losses, 0).map_err(ours)?;
        all.push(("losses".to_owned(), pending));
    }
    let counters = Counters {
        identity: identity.to_owned(),
        step,
        batches_at,
        batches_word: word.to_string(),
        goal_step: training.goal_step,
        best: training.best,
        metrics: training.metrics.keys().cloned().collect(),
        measured: training.measured.keys().cloned().collect(),
        measures: measures.into_iter().collect(),
    };
    let text = serde_json::to_string(&counters).map_err(|error| Failure::bug(error.to_string()))?;
    let fresh = dir.join("checkpoint.part");
    tensors::save(&all, Some(text), &fresh)?;
    std::fs::rename(&fresh, file(dir))
        .map_err(|error| Failure::passing(format!("cannot rename {}: {error}", fresh.display())))
}

/// Brings a training that has just started to where the checkpoint of `dir` is, and returns the steps
/// done; zero if there is none.
///
/// # Errors
/// If the checkpoint cannot be read or is of another training. The training is untouched then.
pub(crate) fn load(training: &mut Training, identity: &str, dir: &Path) -> Result<u64, Failure> {
    let path = file(dir);
    if !path.exists() {
        return Ok(0);
    }
    let bad = |what: &str| Failure::new(format!("the checkpoint {}: {what}", path.display()));
    let Saved {
        tensors: saved,
        text,
    } = tensors::read(&path, Device::Cpu)?;
    let counters: Counters = text
        .as_deref()
        .ok_or_else(|| bad("does not say what it is of"))
        .and_then(|text| serde_json::from_str(text).map_err(|error| bad(&error.to_string())))?;
    if counters.identity != identity {
        return Err(bad("is of another training"));
    }
    let word = counters
        .batches_word
        .parse()
        .map_err(|_| bad("has no position of the batches"))?;
    let get = |name: &str| {
        saved
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, tensor)| tensor)
            .ok_or_else(|| bad(&format!("lacks `{name}`")))
    };
    // Everything is looked up before anything is changed.
    let mut copies = Vec::new();
    for (name, tensor) in training.lasting() {
        let from = get(&name)?;
        if from.size() != tensor.size() {
            return Err(bad(&format!("has another shape of `{name}`")));
        }
        copies.push((tensor.shallow_clone(), from));
    }
    let steps = numbers::<i64>(get("curve.step")?, Kind::Int64)?;
    let losses = numbers::<f64>(get("curve.loss")?, Kind::Double)?;
    let points = steps.into_iter().zip(losses);
    let mut curve: Vec<Point> = points
        .map(|(step, loss)| Point {
            step: step as u64,
            loss,
            measured: BTreeMap::new(),
        })
        .collect();
    for (index, measure) in counters.measures.iter().enumerate() {
        let column = numbers::<f64>(get(&format!("curve.measure{index}"))?, Kind::Double)?;
        for (point, value) in curve.iter_mut().zip(column) {
            if !value.is_nan() {
                point.measured.insert(measure.clone(), value);
            }
        }
    }
    let metrics = numbers::<f64>(get("metrics")?, Kind::Double)?;
    let measured = numbers::<f64>(get("measured")?, Kind::Double)?;
    let pending = match saved.iter().find(|(name, _)| name == "losses") {
        Some((_, losses)) => {
            let losses = losses.f_to_device(training.device).map_err(ours)?;
            losses.f_unbind(0).map_err(ours)?
        }
        None => Vec::new(),
    };
    let mut states = Vec::new();
    for (name, device) in generators(training.device) {
        states.push((device, get(&name)?));
    }
    let order = get("order")?.f_to_device(training.device).map_err(ours)?;
    let mut state = Vec::new();
    for (name, tensor) in &saved {
        if let Some(name) = name.strip_prefix("state.") {
            state.push((name, tensor.f_to_device(training.device).map_err(ours)?));
        }
    }
    let _guard = tch::no_grad_guard();
    for (mut to, from) in copies {
        to.f_copy_(from).map_err(ours)?;
    }
    training.state =
        Value::tensors(state.iter().map(|(name, tensor)| (*name, tensor))).map_err(ours)?;
    training.batches.go_to(order, counters.batches_at, word);
    training.measured = counters.measured.into_iter().zip(measured).collect();
    training.losses = pending;
    training.curve = curve;
    training.metrics = counters.metrics.into_iter().zip(metrics).collect();
    training.goal_step = counters.goal_step;
    training.best = counters.best;
    for (device, state) in states {
        torch::restore_generator(device, state).map_err(ours)?;
    }
    Ok(counters.step)
}

/// The generators that programs on `device` draw from.
fn generators(device: Device) -> Vec<(String, Device)> {
    let mut all = vec![("generator.cpu".to_owned(), Device::Cpu)];
    if device.is_cuda() {
        all.push(("generator.cuda".to_owned(), device));
    }
    all
}

fn numbers<T: tch::kind::Element + Default + Clone>(
    tensor: &Tensor,
    kind: Kind,
) -> Result<Vec<T>, Failure> {
    let tensor = tensor.f_to_kind(kind).map_err(ours)?;
    let mut numbers = vec![T::default(); tensor.numel()];
    tensor
        .f_copy_data(&mut numbers, tensor.numel())
        .map_err(ours)?;
    Ok(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn saving_takes_a_hundredth_of_the_time_at_most_and_comes_every_second_at_best() {
        let mut pace = Pace {
            since: 0.0,
            wait: 0.0,
            least: 1.0,
        };
        pace.saved(10.0, 0.004);
        assert!(!pace.is_due(10.9) && pace.is_due(11.0));
        pace.saved(11.0, 0.5);
        assert!(!pace.is_due(60.0) && pace.is_due(61.0));
    }
}
