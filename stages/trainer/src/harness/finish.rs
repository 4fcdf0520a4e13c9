//! The end of a training: the last evaluation, the samples and their divergence, the weights.

use kyobashi_stage::Failure;
use tch::{Device, Kind, Tensor};

use super::evaluate::points;
use super::optimise::is_trained;
use super::random::{Purpose, torch_seed};
use super::train::Training;
use super::{Outcome, Surroundings, message, ours};
use crate::torch;

impl Training<'_> {
    /// Evaluates, draws samples and hands out the weights.
    ///
    /// # Errors
    /// What the program raised, or a measure that is no number.
    pub(super) fn finish(mut self, surroundings: &dyn Surroundings) -> Result<Outcome, Failure> {
        let steps = self.settings.steps;
        let measured = self.measure(steps)?;
        self.remember(measured.clone(), steps);
        let mut metrics = measured;
        if let Some(point) = self.curve.last() {
            metrics.entry("train_loss".to_owned()).or_insert(point.loss);
        }
        let trained = self.named.iter().filter(|(name, _)| is_trained(name));
        let parameters: usize = trained.map(|(_, tensor)| tensor.numel()).sum();
        metrics.insert("parameters".to_owned(), parameters as f64);
        if !self.settings.goal.is_empty() {
            let reached = self.goal_step.unwrap_or(steps);
            metrics.insert("goal_step".to_owned(), reached as f64);
        }
        if let Some(best) = self.best.filter(|_| self.settings.eval_every > 0) {
            metrics.insert("best_eval_loss".to_owned(), best);
        }
        let mut samples = Vec::new();
        let mut all_drawn = Tensor::f_zeros([0, 0], (Kind::Float, Device::Cpu)).map_err(ours)?;
        if let Some(hook) = self.program.hook("sample") {
            surroundings.go_on(steps)?;
            surroundings.note(message("drawing samples"));
            let _guard = tch::no_grad_guard();
            torch::seed(torch_seed(self.seed, Purpose::Samples)).map_err(ours)?;
            let drawn = self.evaluation().draw(hook, &self.averaged())?;
            surroundings.go_on(steps)?;
            if let Some(kl) = self.evaluation().divergence(&self.data.training, &drawn)? {
                metrics.insert("kl".to_owned(), kl);
            }
            if drawn.size()[1] == 2 {
                samples = points::<2>(&drawn)?;
            }
            all_drawn = drawn;
        }
        let mut weights = self.named;
        let scaling = self.data.scaling.iter();
        weights.extend(scaling.map(|(name, tensor)| (name.clone(), tensor.shallow_clone())));
        if let Some(average) = self.average {
            let averaged = average.named.into_iter();
            weights.extend(averaged.map(|(name, tensor)| (format!("ema.{name}"), tensor)));
        }
        Ok(Outcome {
            metrics,
            curve: self.curve,
            samples,
            drawn: all_drawn,
            weights,
        })
    }

    /// All of `p` with the averaged weights in place of the last ones, if there is an average.
    fn averaged(&self) -> Vec<(String, Tensor)> {
        let average = self.average.as_ref();
        let value = |name: &str, last: &Tensor| {
            average
                .and_then(|average| average.named.iter().find(|(known, _)| known == name))
                .map_or_else(
                    || last.shallow_clone(),
                    |(_, tensor)| tensor.shallow_clone(),
                )
        };
        self.named
            .iter()
            .map(|(name, last)| (name.clone(), value(name, last)))
            .collect()
    }
}
