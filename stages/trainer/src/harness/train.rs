//! The loop. Per step: rows → `augment` → `loss` (+ `penalty`) → gradient → clip → update → average;
//! every `log_every` steps the losses are read back from the device, looked at and reported.

use std::collections::BTreeMap;

use kyobashi_stage::{Failure, Note};
use tch::{Device, Kind, Tensor};

use super::average::Average;
use super::batches::Batches;
use super::checkpoint::{self, Pace};
use super::data::Data;
use super::evaluate::Evaluation;
use super::optimise::{Network, is_trained, networks};
use super::random::{Purpose, stream, torch_seed};
use super::schedule::learning_rate;
use super::settings::Settings;
use super::{Job, Outcome, Point, Surroundings, diverged, message, ours};
use crate::program::{Program, Slot};
use crate::torch::{self, Value};

/// A training between its first and its last step.
pub(crate) struct Training<'t> {
    pub(super) program: &'t Program,
    pub(super) settings: &'t Settings,
    pub(super) data: &'t Data,
    pub(super) seed: i64,
    pub(super) device: Device,
    pub(super) config: Value,
    /// All of `p`: what is trained and what is constant, in the program's order.
    pub(super) named: Vec<(String, Tensor)>,
    p: Value,
    pub(super) state: Value,
    networks: Vec<Network>,
    pub(super) average: Option<Average>,
    pub(super) batches: Batches,
    /// The latest values, for `lr_scale`.
    pub(super) metrics: BTreeMap<String, f64>,
    /// The losses since the last look, still on the device.
    pub(super) losses: Vec<Tensor>,
    pub(super) curve: Vec<Point>,
    /// The latest evaluation.
    pub(super) measured: BTreeMap<String, f64>,
    pub(super) goal_step: Option<u64>,
    /// The least `eval_loss` of all evaluations.
    pub(super) best: Option<f64>,
    /// Steps that an earlier attempt did.
    done: u64,
}

impl<'t> Training<'t> {
    /// Calls `init` and `state` and prepares the optimiser.
    ///
    /// # Errors
    /// What the program raised, or parameters that cannot be trained.
    pub(crate) fn start(
        program: &'t Program,
        settings: &'t Settings,
        data: &'t Data,
        seed: i64,
        device: Device,
    ) -> Result<Self, Failure> {
        let numbers = settings
            .numbers
            .iter()
            .map(|(key, number)| (key.as_str(), *number));
        let config = Value::numbers(numbers).map_err(ours)?;
        torch::seed(torch_seed(seed, Purpose::Init)).map_err(ours)?;
        let named = initial(program, &config, device)?;
        let p = Value::tensors(named.iter().map(|(name, t)| (name.as_str(), t))).map_err(ours)?;
        let state = match program.hook("state") {
            Some(hook) => program.call(hook, &[(Slot::Config, &config), (Slot::Parameters, &p)])?,
            None => Value::tensors(std::iter::empty()).map_err(ours)?,
        };
        let trained: Vec<(String, Tensor)> = named
            .iter()
            .filter(|(name, _)| is_trained(name))
            .map(|(name, tensor)| (name.clone(), tensor.shallow_clone()))
            .collect();
        let batches = Batches::new(
            stream(seed, Purpose::Batches),
            settings.sampling,
            data.training.count,
            settings.batch as i64,
            device,
        );
        torch::seed(torch_seed(seed, Purpose::Training)).map_err(ours)?;
        Ok(Self {
            networks: networks(program, settings, &config, &named)?,
            average: Average::new(settings, &trained)?,
            program,
            settings,
            data,
            seed,
            device,
            config,
            named,
            p,
            state,
            batches,
            metrics: BTreeMap::new(),
            losses: Vec::new(),
            curve: Vec::new(),
            measured: BTreeMap::new(),
            goal_step: None,
            best: None,
            done: 0,
        })
    }

    /// Every tensor that changes while training and keeps its place in memory, by its checkpoint name.
    pub(super) fn lasting(&self) -> Vec<(String, &Tensor)> {
        let weights = self.named.iter().map(|(name, t)| (format!("p.{name}"), t));
        let averages = self.average.iter().flat_map(|average| &average.named);
        let averages = averages.map(|(name, t)| (format!("ema.{name}"), t));
        let memory = self.networks.iter().flat_map(Network::memory);
        let memory = memory.map(|(name, t)| (format!("optimiser.{name}"), t));
        weights.chain(averages).chain(memory).collect()
    }

    /// Goes on from the checkpoint of an earlier attempt, if there is one that can be used.
    pub(crate) fn resume(&mut self, job: &Job, surroundings: &dyn Surroundings) {
        let Some(checkpoints) = job.checkpoints else {
            return;
        };
        match checkpoint::load(self, &job.identity(), &checkpoints.dir) {
            Ok(0) => {}
            Ok(done) => {
                self.done = done;
                surroundings.note(message(&format!("going on after step {done}")));
            }
            Err(failure) => {
                surroundings.note(message(&format!("{failure}; training from the start")));
            }
        }
    }

    /// Trains to the end and evaluates.
    ///
    /// # Errors
    /// Divergence, what the program raised, or what the surroundings say.
    pub(crate) fn run(
        mut self,
        job: &Job,
        surroundings: &dyn Surroundings,
    ) -> Result<Outcome, Failure> {
        let settings = self.settings;
        let identity = job.identity();
        let mut pace = job
            .checkpoints
            .map(|to| (to, Pace::start(&self, to, surroundings.seconds())));
        for step in self.done..settings.steps {
            surroundings.go_on(step)?;
            self.step(step)?;
            let done = step + 1;
            let looks = done.is_multiple_of(settings.log_every) || done == settings.steps;
            if looks {
                self.look(done)?;
                surroundings.note(self.progress(done, surroundings.seconds()));
            }
            let evaluates = settings.eval_every > 0 && done.is_multiple_of(settings.eval_every);
            if evaluates && done < settings.steps {
                let measured = self.measure(done)?;
                self.remember(measured, done);
            }
            if let Some((to, pace)) = &mut pace {
                let now = surroundings.seconds();
                if pace.is_due(now) {
                    checkpoint::save(&self, done, &identity, &to.dir)?;
                    let then = surroundings.seconds();
                    pace.saved(then, then - now);
                }
            }
        }
        surroundings.note(message("evaluating"));
        self.finish(surroundings)
    }

    fn step(&mut self, step: u64) -> Result<(), Failure> {
        let program = self.program;
        let index = self.batches.next().map_err(ours)?;
        let rows = self.data.training.take(&index).map_err(ours)?;
        let rows = rows.iter().map(|(name, tensor)| (name.as_str(), tensor));
        let mut batch = Value::tensors(rows).map_err(ours)?;
        let (step_value, training) = (Value::integer(step as i64), Value::flag(true));
        if let Some(hook) = program.hook("augment") {
            let offer = [
                (Slot::Batch, &batch),
                (Slot::Step, &step_value),
                (Slot::State, &self.state),
                (Slot::Config, &self.config),
            ];
            batch = program.call(hook, &offer)?;
        }
        let offer = [
            (Slot::Parameters, &self.p),
            (Slot::Batch, &batch),
            (Slot::Step, &step_value),
            (Slot::Training, &training),
            (Slot::State, &self.state),
            (Slot::Config, &self.config),
        ];
        let lr = learning_rate(self.settings, step) * self.lr_scale(&step_value)?;
        for network in &mut self.networks {
            if !step.is_multiple_of(network.every) {
                continue;
            }
            let name = if network.name.is_empty() {
                "loss".to_owned()
            } else {
                format!("loss_{}", network.name)
            };
            let hook = program
                .hook(&name)
                .ok_or_else(|| Failure::bug(format!("a network without `{name}`")))?;
            let mut loss = scalar(&name, program.call(hook, &offer)?)?;
            if network.name.is_empty() {
                self.losses.push(loss.f_detach().map_err(ours)?);
                if let Some(hook) = program.hook("penalty") {
                    let penalty = scalar("penalty", program.call(hook, &offer)?)?;
                    loss = loss.f_add(&penalty).map_err(ours)?;
                }
            }
            if !loss.requires_grad() {
                return Err(Failure::new(format!(
                    "`{name}` does not depend on any parameter that it trains"
                )));
            }
            network.update(&loss, lr, self.settings).map_err(ours)?;
        }
        match &self.average {
            Some(average) => average.follow(self.settings, step),
            None => Ok(()),
        }
    }

    fn lr_scale(&self, step: &Value) -> Result<f64, Failure> {
        let Some(hook) = self.program.hook("lr_scale") else {
            return Ok(1.0);
        };
        let metrics = self
            .metrics
            .iter()
            .map(|(name, number)| (name.as_str(), *number));
        let metrics = Value::numbers(metrics).map_err(ours)?;
        let offer = [
            (Slot::Step, step),
            (Slot::Metrics, &metrics),
            (Slot::State, &self.state),
            (Slot::Config, &self.config),
        ];
        let scale = self.program.call(hook, &offer)?.to_number().map_err(ours)?;
        if !scale.is_finite() || scale < 0.0 {
            return Err(Failure::new(format!("`lr_scale` returned {scale}")));
        }
        Ok(scale)
    }

    /// Reads the losses back, adds a point to the curve.
    pub(super) fn look(&mut self, done: u64) -> Result<(), Failure> {
        let stacked = Tensor::f_stack(&self.losses, 0)
            .and_then(|all| all.f_to_kind(Kind::Double))
            .and_then(|all| all.f_to_device(Device::Cpu))
            .map_err(ours)?;
        let mut losses = vec![0.0_f64; self.losses.len()];
        stacked
            .f_copy_data(&mut losses, self.losses.len())
            .map_err(ours)?;
        self.losses.clear();
        if let Some(index) = losses.iter().position(|loss| !loss.is_finite()) {
            let first = done - losses.len() as u64;
            return Err(diverged(first + index as u64 + 1, &losses[..=index]));
        }
        let mean = losses.iter().sum::<f64>() / losses.len() as f64;
        self.curve.push(Point {
            step: done,
            loss: mean,
            measured: self.measured.clone(),
        });
        self.metrics.insert("loss".to_owned(), mean);
        Ok(())
    }

    pub(super) fn progress(&self, done: u64, seconds: f64) -> Note {
        Note {
            step: Some(done),
            total: Some(self.settings.steps),
            eta: Some(
                seconds / (done - self.done).max(1) as f64 * (self.settings.steps - done) as f64,
            ),
            values: self.metrics.clone(),
            message: None,
        }
    }

    pub(super) fn evaluation(&self) -> Evaluation<'_> {
        Evaluation {
            program: self.program,
            settings: self.settings,
            config: &self.config,
            state: &self.state,
            seed: self.seed,
            device: self.device,
        }
    }

    /// Evaluates without a trace in the training: the generator goes on as if nothing had been.
    pub(super) fn measure(&self, done: u64) -> Result<BTreeMap<String, f64>, Failure> {
        let _guard = tch::no_grad_guard();
        let before = torch::generator_state(self.device).map_err(ours)?;
        torch::seed(torch_seed(self.seed, Purpose::Evaluation)).map_err(ours)?;
        let measured = self.measure_now(done);
        torch::restore_generator(self.device, &before).map_err(ours)?;
        measured
    }

    fn measure_now(&self, done: u64) -> Result<BTreeMap<String, f64>, Failure> {
        let evaluation = self.evaluation();
        let rows = self.data.validation.as_ref().unwrap_or(&self.data.training);
        let mut measured =
            evaluation.measure(&self.named, rows, self.settings.eval_batches, done)?;
        let on_training = self.settings.eval_train_batches;
        if on_training > 0 {
            let rows = &self.data.training;
            let training = evaluation.measure(&self.named, rows, on_training, done)?;
            let prefixed = |name: String| format!("train_{}", name.trim_start_matches("eval_"));
            measured.extend(
                training
                    .into_iter()
                    .map(|(name, value)| (prefixed(name), value)),
            );
        }
        Ok(measured)
    }

    pub(super) fn remember(&mut self, measured: BTreeMap<String, f64>, done: u64) {
        let goal = measured.get(&self.settings.goal);
        if self.goal_step.is_none() && goal.is_some_and(|value| *value > self.settings.goal_above) {
            self.goal_step = Some(done);
        }
        if let Some(loss) = measured.get("eval_loss") {
            self.best = Some(self.best.map_or(*loss, |best| best.min(*loss)));
        }
        self.metrics.extend(measured.clone());
        // A single evaluation at the end is no curve.
        if self.settings.eval_every > 0 {
            if let Some(point) = self.curve.last_mut().filter(|point| point.step == done) {
                point.measured.clone_from(&measured);
            }
            self.measured = measured;
        }
    }
}

/// What `init` made, on the device, apart from each other in memory, ready to be differentiated.
fn initial(
    program: &Program,
    config: &Value,
    device: Device,
) -> Result<Vec<(String, Tensor)>, Failure> {
    let hook = program
        .hook("init")
        .ok_or_else(|| Failure::bug("a program without `init` was let in"))?;
    let made = program
        .call(hook, &[(Slot::Config, config)])?
        .to_tensors()
        .map_err(ours)?;
    let mut named = Vec::with_capacity(made.len());
    for (name, tensor) in made {
        let tensor = tensor
            .f_detach()
            .and_then(|tensor| tensor.f_to_device(device))
            .and_then(|tensor| tensor.f_contiguous())
            .and_then(|tensor| tensor.f_detach_copy())
            .map_err(ours)?;
        if is_trained(&name) {
            if !matches!(tensor.f_kind().map_err(ours)?, Kind::Float | Kind::Double) {
                return Err(Failure::new(format!(
                    "the parameter `{name}` does not hold floating-point numbers"
                ))
                .help("constants have names that begin with `_`"));
            }
            let _ = tensor.f_set_requires_grad(true).map_err(ours)?;
        }
        named.push((name, tensor));
    }
    Ok(named)
}

fn scalar(name: &str, value: Value) -> Result<Tensor, Failure> {
    let tensor = value.to_tensor().map_err(ours)?;
    if tensor.numel() == 1 {
        return tensor.f_reshape([] as [i64; 0]).map_err(ours);
    }
    Err(Failure::new(format!(
        "`{name}` returned the shape {:?}; it returns one number",
        tensor.size()
    ))
    .help("take the mean: `.mean()`"))
}
