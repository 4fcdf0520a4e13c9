//! Several seeds of one training, trained as one computation: every tensor of the program has a dimension
//! more below it, and a step costs its launches once. `stack: 8` of the config makes the seeds 0 to 7 one
//! stack, 8 to 15 the next, whichever of them are asked for; so what a seed becomes depends on the seed and
//! the config alone. The call that asks for one of them trains all, and the others wait here for their calls.
//!
//! stack → [`Lanes::join`] → step by step → per seed: evaluation, curve, samples, as [`Training`] does them,
//! on views of the common tensors. What the program cannot do for several seeds at once → `None`, and the
//! seed is trained alone.

use std::collections::{BTreeMap, VecDeque};

use kyobashi_stage::{Failure, Retry};
use tch::{Device, Tensor};

use super::average::Average;
use super::optimise::{Network, is_trained, networks};
use super::schedule::learning_rate;
use super::settings::Settings;
use super::train::Training;
use super::{Job, Outcome, Ready, Surroundings, message, ours, ready};
use crate::program::{Program, Slot};
use crate::torch::{List, Stack, Value};

/// What stacks left for calls to come.
#[derive(Default)]
pub(crate) struct Kept(VecDeque<Left>);

/// Stacks whose seeds are kept: calls may alternate between a few, as between the variants of a study.
const MOST: usize = 4;

/// What one stack left.
struct Left {
    /// What was trained, but for data and seeds, and the data.
    of: (String, String),
    outcomes: BTreeMap<i64, Result<Outcome, Failure>>,
    /// Why it was not trained as one.
    refused: Option<String>,
}

impl Kept {
    /// What a stack left; nothing yet if it is new.
    fn of(&mut self, of: (String, String)) -> &mut Left {
        let known = self.0.iter().position(|left| left.of == of);
        let left = known.and_then(|at| self.0.remove(at)).unwrap_or(Left {
            of,
            outcomes: BTreeMap::new(),
            refused: None,
        });
        self.0.truncate(MOST - 1);
        self.0.push_front(left);
        &mut self.0[0]
    }

    /// The outcome of the job's seed, trained with the others of its stack now or before; none if it must
    /// be trained alone.
    pub(super) fn run(
        &mut self,
        job: &Job,
        program: &Program,
        settings: &Settings,
        surroundings: &dyn Surroundings,
    ) -> Option<Result<Outcome, Failure>> {
        let count = i64::try_from(settings.stack).unwrap_or(i64::MAX);
        let first = job.seed.div_euclid(count).saturating_mul(count);
        let seeds = first..=first.saturating_add(count - 1);
        let say = |text: String| surroundings.note(message(&text));
        let of = (job.identity_of(first), job.data_digest.to_owned());
        let own_data = |left: &Left| left.of.0 == of.0 && left.of.1 != of.1;
        if self.0.iter().any(own_data) {
            say(
                "seeds with data of their own train a whole stack each: leave `stack` out"
                    .to_owned(),
            );
        }
        let left = self.of(of);
        if let Some(outcome) = left.outcomes.remove(&job.seed) {
            say(format!(
                "was trained together with the seeds {first} to {}",
                seeds.end()
            ));
            return Some(outcome);
        }
        if left.refused.is_none() {
            match train(job, program, settings, seeds.clone(), surroundings) {
                Ok(mut outcomes) => {
                    let own = outcomes.remove(&job.seed);
                    // What passes, as a cancellation does, is no answer to another call.
                    outcomes.retain(|_, outcome| {
                        outcome
                            .as_ref()
                            .err()
                            .is_none_or(|failure| failure.retry == Retry::Never)
                    });
                    left.outcomes = outcomes;
                    return own;
                }
                Err(Stop::Ended(failure)) => {
                    // Out of time is out of time for all of them.
                    if failure.retry == Retry::Never {
                        let others = seeds.filter(|seed| *seed != job.seed);
                        left.outcomes = others.map(|seed| (seed, Err(failure.clone()))).collect();
                    }
                    return Some(Err(failure));
                }
                Err(Stop::Cannot(why)) => left.refused = Some(why),
            }
        }
        let why = left.refused.as_deref().unwrap_or_default();
        say(format!(
            "cannot be stacked, so seeds are trained one by one: {why}"
        ));
        None
    }
}

/// Why a stack was not trained to its end.
enum Stop {
    /// The surroundings ended it.
    Ended(Failure),
    /// Seed by seed it may go.
    Cannot(String),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        let what = failure.message.lines().next().unwrap_or_default();
        Self::Cannot(what.to_owned())
    }
}

fn train(
    job: &Job,
    program: &Program,
    settings: &Settings,
    seeds: std::ops::RangeInclusive<i64>,
    surroundings: &dyn Surroundings,
) -> Result<BTreeMap<i64, Result<Outcome, Failure>>, Stop> {
    let hooks = ["state", "augment", "lr_scale"];
    if let Some(hook) = hooks.iter().find(|hook| program.hook(hook).is_some()) {
        return Err(Stop::Cannot(format!("the program defines `{hook}`")));
    }
    if let Some((name, _)) = program.networks().next() {
        return Err(Stop::Cannot(format!("the program defines `loss_{name}`")));
    }
    let mut all: Vec<(i64, Ready)> = Vec::new();
    for seed in seeds {
        let (ready, said) = ready(job, settings.clone(), seed)?;
        for line in said.iter().filter(|_| seed == job.seed) {
            surroundings.note(message(line));
        }
        all.push((seed, ready));
    }
    let generators = Stack::new();
    let mut trainings = Vec::new();
    for (seed, ready) in &all {
        let training = Training::start(program, &ready.settings, &ready.data, *seed, ready.device)?;
        generators.add(ready.device).map_err(ours)?;
        trainings.push(training);
    }
    let mut lanes = Lanes::join(trainings, generators)?;
    lanes.run(job.seed, surroundings)?;
    Ok(lanes.finish(surroundings))
}

/// The seeds of a stack between their first and their last step.
struct Lanes<'t> {
    trainings: Vec<Training<'t>>,
    /// Seeds that came to no end, by their place.
    failed: BTreeMap<usize, Failure>,
    generators: Stack,
    /// All of `p`, [seeds, …], and what of it is the same for all seeds, as it is for one.
    p: Value,
    shared: List,
    network: Network,
    average: Option<Average>,
    /// The losses since the last look, [seeds] each.
    losses: Vec<Tensor>,
}

impl<'t> Lanes<'t> {
    /// Joins the tensors of trainings that have just started; each training keeps views of them.
    fn join(mut trainings: Vec<Training<'t>>, generators: Stack) -> Result<Self, Failure> {
        let first = trainings
            .first()
            .ok_or_else(|| Failure::bug("a stack of no seeds"))?;
        let (program, settings) = (first.program, first.settings);
        let config = Value::numbers(settings.numbers.iter().map(|(key, n)| (key.as_str(), *n)))
            .map_err(ours)?;
        let names: Vec<String> = first.named.iter().map(|(name, _)| name.clone()).collect();
        let (mut named, mut shared) = (Vec::new(), Vec::new());
        for (place, name) in names.into_iter().enumerate() {
            let mut own = Vec::with_capacity(trainings.len());
            for training in &trainings {
                match training.named.get(place) {
                    Some((same, tensor)) if *same == name => {
                        own.push(tensor.f_detach().map_err(ours)?);
                    }
                    _ => return Err(Failure::new(format!("not every seed has `{name}`"))),
                }
            }
            if !is_trained(&name) && own.iter().all(|other| *other == own[0]) {
                shared.push(own[0].shallow_clone());
                named.push((name, own[0].shallow_clone()));
                continue;
            }
            let joint = Tensor::f_stack(&own, 0).map_err(ours)?;
            for (lane, training) in trainings.iter_mut().enumerate() {
                training.named[place].1 = joint.f_select(0, lane as i64).map_err(ours)?;
            }
            let _ = joint.f_set_requires_grad(is_trained(&name)).map_err(ours)?;
            named.push((name, joint));
        }
        let trained: Vec<(String, Tensor)> = named
            .iter()
            .filter(|(name, _)| is_trained(name))
            .map(|(name, tensor)| (name.clone(), tensor.shallow_clone()))
            .collect();
        let average = Average::new(settings, &trained)?;
        for (lane, training) in trainings.iter_mut().enumerate() {
            let own = training
                .average
                .iter_mut()
                .flat_map(|average| &mut average.named);
            let joint = average.iter().flat_map(|average| &average.named);
            for ((_, own), (_, joint)) in own.zip(joint) {
                *own = joint.f_select(0, lane as i64).map_err(ours)?;
            }
        }
        let mut parts = networks(program, settings, &config, &named)?;
        let mut network = parts.remove(0);
        network.stacked = true;
        Ok(Self {
            trainings,
            failed: BTreeMap::new(),
            generators,
            p: Value::tensors(named.iter().map(|(name, t)| (name.as_str(), t))).map_err(ours)?,
            shared: List::new(&shared),
            network,
            average,
            losses: Vec::new(),
        })
    }

    fn run(&mut self, asked: i64, surroundings: &dyn Surroundings) -> Result<(), Stop> {
        let settings = self.trainings[0].settings;
        for step in 0..settings.steps {
            surroundings.go_on(step).map_err(Stop::Ended)?;
            self.step(step)?;
            let done = step + 1;
            if done.is_multiple_of(settings.log_every) || done == settings.steps {
                self.look(done)?;
                let shown = self
                    .trainings
                    .iter()
                    .find(|training| training.seed == asked);
                if let Some(training) = shown {
                    surroundings.note(training.progress(done, surroundings.seconds()));
                }
            }
            let evaluates = settings.eval_every > 0 && done.is_multiple_of(settings.eval_every);
            if evaluates && done < settings.steps {
                self.each(|training| {
                    let measured = training.measure(done)?;
                    training.remember(measured, done);
                    Ok(())
                });
            }
            if self.failed.len() == self.trainings.len() {
                break;
            }
        }
        Ok(())
    }

    /// Does something for every seed that has not failed.
    fn each(&mut self, mut what: impl FnMut(&mut Training<'t>) -> Result<(), Failure>) {
        for (lane, training) in self.trainings.iter_mut().enumerate() {
            if !self.failed.contains_key(&lane)
                && let Err(failure) = what(training)
            {
                self.failed.insert(lane, failure);
            }
        }
    }

    fn step(&mut self, step: u64) -> Result<(), Failure> {
        let (program, settings) = (self.trainings[0].program, self.trainings[0].settings);
        let mut rows: Vec<(String, Vec<Tensor>)> = Vec::new();
        for training in &mut self.trainings {
            let index = training.batches.next().map_err(ours)?;
            let own = training.data.training.take(&index).map_err(ours)?;
            for (place, (name, tensor)) in own.into_iter().enumerate() {
                match rows.get_mut(place) {
                    Some((_, all)) => all.push(tensor),
                    None => rows.push((name, vec![tensor])),
                }
            }
        }
        let mut batch = Vec::with_capacity(rows.len());
        for (name, all) in &rows {
            batch.push((name.as_str(), Tensor::f_stack(all, 0).map_err(ours)?));
        }
        let batch = Value::tensors(batch.iter().map(|(name, t)| (*name, t))).map_err(ours)?;
        let (step_value, training) = (Value::integer(step as i64), Value::flag(true));
        let offer = [
            (Slot::Parameters, &self.p),
            (Slot::Batch, &batch),
            (Slot::Step, &step_value),
            (Slot::Training, &training),
            (Slot::Config, &self.trainings[0].config),
        ];
        let call = |name: &str| {
            let hook = program.hook(name);
            hook.map(|hook| program.call_stacked(hook, &offer, &self.generators, &self.shared))
                .transpose()
        };
        let mut loss = call("loss")?.ok_or_else(|| Failure::bug("a program without `loss`"))?;
        self.losses.push(loss.f_detach().map_err(ours)?);
        if let Some(penalty) = call("penalty")? {
            loss = loss.f_add(&penalty).map_err(ours)?;
        }
        if !loss.requires_grad() {
            return Err(Failure::new("the loss does not depend on any parameter"));
        }
        // The seeds share nothing, so the gradient of the sum is that of each.
        let sum = loss.f_sum(None).map_err(ours)?;
        let lr = learning_rate(settings, step);
        self.network.update(&sum, lr, settings).map_err(ours)?;
        match &self.average {
            Some(average) => average.follow(settings, step),
            None => Ok(()),
        }
    }

    /// Gives every seed its losses since the last look.
    fn look(&mut self, done: u64) -> Result<(), Failure> {
        let losses = Tensor::f_stack(&self.losses, 1).map_err(ours)?;
        self.losses.clear();
        for (lane, training) in self.trainings.iter_mut().enumerate() {
            let own = losses.f_select(0, lane as i64).map_err(ours)?;
            training.losses = own.f_unbind(0).map_err(ours)?;
        }
        self.each(|training| training.look(done));
        Ok(())
    }

    fn finish(self, surroundings: &dyn Surroundings) -> BTreeMap<i64, Result<Outcome, Failure>> {
        let mut failed = self.failed;
        let finished = self.trainings.into_iter().enumerate();
        finished
            .map(|(lane, training)| {
                let seed = training.seed;
                let outcome = match failed.remove(&lane) {
                    Some(failure) => Err(failure),
                    None => training.finish(surroundings).and_then(off_device),
                };
                (seed, outcome)
            })
            .collect()
    }
}

/// What waits for its call takes no memory of a GPU.
fn off_device(mut outcome: Outcome) -> Result<Outcome, Failure> {
    for (_, tensor) in &mut outcome.weights {
        *tensor = tensor.f_to_device(Device::Cpu).map_err(ours)?;
    }
    outcome.drawn = outcome.drawn.f_to_device(Device::Cpu).map_err(ours)?;
    Ok(outcome)
}
