//! Several seeds of one training, trained as one computation: every tensor of the program has a dimension
//! more below it, and a step costs its launches once. `stack: 8` of the config makes the seeds 0 to 7 one
//! stack, 8 to 15 the next, whichever of them are asked for; so what a seed becomes depends on the seed and
//! the config alone. The call that asks for one of them trains all, and the others wait here for their calls.
//!
//! stack → [`Lanes::join`] → step by step → per seed: evaluation, curve, samples, as [`Training`] does them,
//! on views of the common tensors. What the program cannot do for several seeds at once → `None`, and the
//! seed is trained alone.

mod lanes;

use std::collections::{BTreeMap, VecDeque};

use kyobashi_stage::{Failure, Retry};

use lanes::Lanes;

use super::settings::Settings;
use super::train::Training;
use super::{Job, Outcome, Ready, Surroundings, message, ours, ready};
use crate::program::Program;
use crate::torch::Stack;

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
    let mut all: Vec<Ready> = Vec::new();
    for seed in seeds.clone() {
        // Where no seed sets rows aside, the rows are the same for all.
        let is_common = |one: &Ready| one.settings.validation == 0.0;
        if !all.first().is_some_and(is_common) {
            let (ready, said) = ready(job, settings.clone(), seed)?;
            for line in said.iter().filter(|_| all.is_empty()) {
                surroundings.note(message(line));
            }
            all.push(ready);
        }
    }
    let generators = Stack::new();
    let mut trainings = Vec::new();
    for (place, seed) in seeds.enumerate() {
        let ready = &all[place.min(all.len() - 1)];
        let training = Training::start(program, &ready.settings, &ready.data, seed, ready.device)?;
        generators.add(ready.device).map_err(ours)?;
        trainings.push(training);
    }
    let mut lanes = Lanes::join(trainings, generators)?;
    lanes.run(job.seed, surroundings)?;
    Ok(lanes.finish(surroundings))
}
