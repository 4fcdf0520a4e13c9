//! What a trained program is worth: its loss and its own measures over rows, and the divergence of
//! the points that it draws. Programs are given copies of the weights, so that evaluating cannot train.

use std::collections::BTreeMap;

use kyobashi_stage::Failure;
use rand::Rng;
use tch::{Device, Kind, Tensor};

use super::data::Rows;
use super::random::{Purpose, stream};
use super::settings::Settings;
use super::{kl, ours};
use crate::program::{Hook, Program, Slot};
use crate::torch::Value;

/// A program with the settings it is evaluated under.
pub(crate) struct Evaluation<'e> {
    pub(crate) program: &'e Program,
    pub(crate) settings: &'e Settings,
    pub(crate) config: &'e Value,
    pub(crate) state: &'e Value,
    pub(crate) seed: i64,
    pub(crate) device: Device,
}

/// Copies of tensors as a dictionary that a program may change without effect.
pub(crate) fn copies(named: &[(String, Tensor)]) -> Result<Value, Failure> {
    let mut copied = Vec::with_capacity(named.len());
    for (name, tensor) in named {
        let copy = tensor.f_detach_copy().map_err(ours)?;
        copied.push((name.as_str(), copy));
    }
    Value::tensors(copied.iter().map(|(name, tensor)| (*name, tensor))).map_err(ours)
}

impl Evaluation<'_> {
    /// `eval_loss` and what the hook `evaluate` measures, as means over rows: so many batches drawn with
    /// replacement, or, for zero, one pass in order.
    ///
    /// # Errors
    /// What the program raised, or a measure that is no number.
    pub(crate) fn measure(
        &self,
        named: &[(String, Tensor)],
        rows: &Rows,
        batches: u64,
        step: u64,
    ) -> Result<BTreeMap<String, f64>, Failure> {
        let p = copies(named)?;
        let (step_value, training) = (Value::integer(step as i64), Value::flag(false));
        let mut sums: BTreeMap<String, Tensor> = BTreeMap::new();
        let mut total = 0;
        for batch in self.batches(rows, batches, step)? {
            let count = batch.first().map_or(0, |(_, tensor)| tensor.size()[0]);
            total += count;
            let batch =
                Value::tensors(batch.iter().map(|(name, t)| (name.as_str(), t))).map_err(ours)?;
            let offer = [
                (Slot::Parameters, &p),
                (Slot::Batch, &batch),
                (Slot::Step, &step_value),
                (Slot::Training, &training),
                (Slot::State, self.state),
                (Slot::Config, self.config),
            ];
            for (name, value) in self.values(&offer)? {
                let weighted = value
                    .f_to_kind(Kind::Double)
                    .and_then(|value| value.f_mean(None))
                    .and_then(|value| value.f_mul_scalar(count as f64))
                    .map_err(ours)?;
                let sum = match sums.remove(&name) {
                    Some(sum) => sum.f_add(&weighted).map_err(ours)?,
                    None => weighted,
                };
                sums.insert(name, sum);
            }
        }
        let mut means = BTreeMap::new();
        for (name, sum) in sums {
            let mean = sum.f_double_value(&[]).map_err(ours)? / total as f64;
            if !mean.is_finite() {
                return Err(Failure::new(format!(
                    "diverged: `{name}` is {mean} after {step} steps"
                )));
            }
            means.insert(name, mean);
        }
        self.has_goal(&means)?;
        Ok(means)
    }

    /// Whether the measure that `goal` names is among those that are measured: a misspelt one would seem
    /// never to be reached.
    fn has_goal(&self, means: &BTreeMap<String, f64>) -> Result<(), Failure> {
        let goal = self.settings.goal.as_str();
        let of_training = (self.settings.eval_train_batches > 0)
            .then(|| goal.strip_prefix("train_"))
            .flatten()
            .is_some_and(|name| {
                means.contains_key(name) || means.contains_key(&format!("eval_{name}"))
            });
        if goal.is_empty() || of_training || means.contains_key(goal) {
            return Ok(());
        }
        let measured: Vec<&str> = means.keys().map(String::as_str).collect();
        Err(Failure::new(format!(
            "`goal` of `config` names `{goal}`, which is not measured"
        ))
        .help(format!("measured are {}", measured.join(", "))))
    }

    fn values(&self, offer: &[(Slot, &Value)]) -> Result<Vec<(String, Tensor)>, Failure> {
        let mut values = match self.program.hook("evaluate") {
            Some(hook) => self.program.call(hook, offer)?.to_tensors().map_err(ours)?,
            None => Vec::new(),
        };
        for (name, _) in &values {
            measures(name)?;
        }
        if !values.iter().any(|(name, _)| name == "eval_loss") {
            let loss = self
                .program
                .hook("loss")
                .ok_or_else(|| Failure::bug("a program without `loss` was let in"))?;
            let loss = self.program.call(loss, offer)?.to_tensor().map_err(ours)?;
            values.push(("eval_loss".to_owned(), loss));
        }
        Ok(values)
    }

    fn batches(
        &self,
        rows: &Rows,
        count: u64,
        step: u64,
    ) -> Result<Vec<Vec<(String, Tensor)>>, Failure> {
        let size = self.settings.eval_batch as i64;
        let mut batches = Vec::new();
        if count == 0 {
            let mut start = 0;
            while start < rows.count {
                let length = size.min(rows.count - start);
                batches.push(rows.range(start, length).map_err(ours)?);
                start += length;
            }
            return Ok(batches);
        }
        let mut generator = stream(self.seed, Purpose::Evaluation);
        // Each evaluation draws rows of its own, whatever was drawn before it.
        generator.set_word_pos(u128::from(step) << 40);
        for _ in 0..count {
            let order: Vec<i64> = (0..size)
                .map(|_| generator.random_range(0..rows.count))
                .collect();
            let index = Tensor::f_from_slice(&order)
                .and_then(|index| index.f_to_device(self.device))
                .map_err(ours)?;
            batches.push(rows.take(&index).map_err(ours)?);
        }
        Ok(batches)
    }

    /// Draws with the hook `sample`: [samples, d], on the CPU, of whatever kind the program returned.
    ///
    /// # Errors
    /// What the program raised, or another shape.
    pub(crate) fn draw(&self, hook: &Hook, named: &[(String, Tensor)]) -> Result<Tensor, Failure> {
        let p = copies(named)?;
        let count = self.settings.samples as i64;
        let n = Value::integer(count);
        let offer = [
            (Slot::Parameters, &p),
            (Slot::Count, &n),
            (Slot::State, self.state),
            (Slot::Config, self.config),
        ];
        let drawn = self.program.call(hook, &offer)?.to_tensor().map_err(ours)?;
        let size = drawn.size();
        if size.len() != 2 || size[0] != count {
            return Err(Failure::new(format!(
                "`sample` returned the shape {size:?} for n = {count}; it returns [n, coordinates]"
            )));
        }
        drawn
            .f_to_device(Device::Cpu)
            .and_then(|drawn| drawn.f_contiguous())
            .map_err(ours)
    }

    /// The divergence of drawn points from the tensor `x` of the data, in bits; none if the data hold
    /// no points of as many coordinates (1 to 3).
    ///
    /// # Errors
    /// If there are too few points.
    pub(crate) fn divergence(&self, rows: &Rows, drawn: &Tensor) -> Result<Option<f64>, Failure> {
        let Some(data) = rows.tensor("x").filter(|x| {
            let size = x.size();
            size.len() == 2 && size[1] == drawn.size()[1] && (1..=3).contains(&size[1])
        }) else {
            return Ok(None);
        };
        let data = data
            .f_to_device(Device::Cpu)
            .and_then(|data| data.f_contiguous())
            .map_err(ours)?;
        let k = self.settings.kl_neighbours as usize;
        Ok(Some(match drawn.size()[1] {
            1 => kl::divergence::<1>(&points(&data)?, &points(drawn)?, k)?,
            2 => kl::divergence::<2>(&points(&data)?, &points(drawn)?, k)?,
            _ => kl::divergence::<3>(&points(&data)?, &points(drawn)?, k)?,
        }))
    }
}

/// What the harness says of a training itself, and the first columns of the curves.
const OURS: [&str; 7] = [
    "best_eval_loss",
    "goal_step",
    "kl",
    "loss",
    "parameters",
    "step",
    "train_loss",
];

/// Refuses a measure of a program under a name of the harness, or one that is no name of a column.
fn measures(name: &str) -> Result<(), Failure> {
    if OURS.contains(&name) {
        return Err(Failure::new(format!(
            "`evaluate` returned `{name}`, which the harness measures itself"
        ))
        .help("give it another name"));
    }
    let bad = |c: char| c.is_control() || c == ',' || c == '"';
    if name.trim() != name || name.is_empty() || name.contains(bad) {
        return Err(Failure::new(format!(
            "`evaluate` returned a measure named {name:?}, which is no name of a column"
        )));
    }
    Ok(())
}

/// The rows of a contiguous tensor [n, D] on the CPU.
pub(crate) fn points<const D: usize>(tensor: &Tensor) -> Result<Vec<[f64; D]>, Failure> {
    let tensor = tensor.f_to_kind(Kind::Double).map_err(ours)?;
    let mut flat = vec![0.0_f64; tensor.numel()];
    tensor
        .f_copy_data(&mut flat, tensor.numel())
        .map_err(ours)?;
    let (points, _) = flat.as_chunks::<D>();
    Ok(points.to_vec())
}
