//! The exponential moving average of the weights, kept beside them.

use kyobashi_stage::Failure;
use tch::Tensor;

use super::ours;
use super::schedule::{Averaging, averaging};
use super::settings::Settings;
use crate::torch::{self, List};

/// Averaged copies of the trained tensors.
pub(crate) struct Average {
    pub(crate) named: Vec<(String, Tensor)>,
    average: List,
    weights: List,
}

impl Average {
    /// Copies of `trained`; none if the settings ask for no average.
    pub(crate) fn new(
        settings: &Settings,
        trained: &[(String, Tensor)],
    ) -> Result<Option<Self>, Failure> {
        if settings.ema_decay == 0.0 {
            return Ok(None);
        }
        let mut named = Vec::with_capacity(trained.len());
        for (name, tensor) in trained {
            named.push((name.clone(), tensor.f_detach_copy().map_err(ours)?));
        }
        Ok(Some(Self {
            average: List::new(named.iter().map(|(_, tensor)| tensor)),
            weights: List::new(trained.iter().map(|(_, tensor)| tensor)),
            named,
        }))
    }

    /// After the update of a step (from 0).
    pub(crate) fn follow(&self, settings: &Settings, step: u64) -> Result<(), Failure> {
        match averaging(settings, step) {
            Averaging::Nothing => Ok(()),
            Averaging::Copy => torch::copy(&self.average, &self.weights).map_err(ours),
            Averaging::Move(weight) => {
                torch::lerp(&self.average, &self.weights, weight).map_err(ours)
            }
        }
    }
}
