//! The seeds of a stack side by side, from the first step to their outcomes. Which seeds belong together and
//! who asked for them is not known here.

use std::collections::BTreeMap;

use kyobashi_stage::Failure;
use tch::{Device, Tensor};

use super::Stop;
use crate::harness::average::Average;
use crate::harness::optimise::{Network, is_trained, networks};
use crate::harness::schedule::learning_rate;
use crate::harness::train::Training;
use crate::harness::{Outcome, Surroundings, ours};
use crate::program::Slot;
use crate::torch::{List, Stack, Value};

/// The seeds of a stack between their first and their last step.
pub(super) struct Lanes<'t> {
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
    pub(super) fn join(
        mut trainings: Vec<Training<'t>>,
        generators: Stack,
    ) -> Result<Self, Failure> {
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

    pub(super) fn run(&mut self, asked: i64, surroundings: &dyn Surroundings) -> Result<(), Stop> {
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
        let batch = self.batch()?;
        let batch = batch.iter().map(|(name, tensor)| (name.as_str(), tensor));
        let batch = Value::tensors(batch).map_err(ours)?;
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

    /// The next rows of every seed, [seeds, rows, …].
    fn batch(&mut self) -> Result<Vec<(String, Tensor)>, Failure> {
        let seeds = self.trainings.len() as i64;
        let mut chosen = Vec::with_capacity(self.trainings.len());
        for training in &mut self.trainings {
            chosen.push(training.batches.next().map_err(ours)?);
        }
        let data = self.trainings[0].data;
        if self
            .trainings
            .iter()
            .all(|other| std::ptr::eq(other.data, data))
        {
            let index = Tensor::f_cat(&chosen, 0).map_err(ours)?;
            let mut rows = data.training.take(&index).map_err(ours)?;
            for (_, tensor) in &mut rows {
                let mut shape = tensor.size();
                shape.splice(..1, [seeds, -1]);
                *tensor = tensor.f_reshape(shape).map_err(ours)?;
            }
            return Ok(rows);
        }
        let mut own = Vec::with_capacity(self.trainings.len());
        for (training, index) in self.trainings.iter().zip(&chosen) {
            own.push(training.data.training.take(index).map_err(ours)?);
        }
        let names = own[0].iter().enumerate();
        let joint = names.map(|(place, (name, _))| {
            let parts: Vec<&Tensor> = own.iter().map(|rows| &rows[place].1).collect();
            Ok((name.clone(), Tensor::f_stack(&parts, 0).map_err(ours)?))
        });
        joint.collect()
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

    pub(super) fn finish(
        self,
        surroundings: &dyn Surroundings,
    ) -> BTreeMap<i64, Result<Outcome, Failure>> {
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
