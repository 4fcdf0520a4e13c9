//! Numbers that change with the step: the learning rate and the decay of the average. Pure functions.

use super::settings::{Schedule, Settings};

/// The learning rate of a step (from 0), before `lr_scale`.
pub(crate) fn learning_rate(settings: &Settings, step: u64) -> f64 {
    if step < settings.warmup {
        return settings.lr * (step + 1) as f64 / settings.warmup as f64;
    }
    match settings.schedule {
        Schedule::Constant => settings.lr,
        Schedule::Cosine => {
            let whole = settings.steps.saturating_sub(settings.warmup).max(1) as f64;
            let done = (step - settings.warmup) as f64 / whole;
            let share = 0.5 * (1.0 + (std::f64::consts::PI * done).cos());
            settings.lr * (settings.lr_floor + (1.0 - settings.lr_floor) * share)
        }
    }
}

/// What the average of the weights does after the update of a step (from 0).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Averaging {
    Nothing,
    /// Take over the weights.
    Copy,
    /// Move towards the weights by this share of the difference.
    Move(f64),
}

/// The inverse-decay schedule of ema_pytorch, as the published 2d_diffusion template uses it: nothing
/// but a copy up to `ema_after`, then a decay of 1 − (1 + age)^−power, at most `ema_decay`.
pub(crate) fn averaging(settings: &Settings, step: u64) -> Averaging {
    if settings.ema_decay == 0.0 || !step.is_multiple_of(settings.ema_every) {
        return Averaging::Nothing;
    }
    let age = step.saturating_sub(settings.ema_after);
    // Its first update after `ema_after` finds the average uninitialised and copies once more.
    if age <= settings.ema_every {
        return Averaging::Copy;
    }
    let decay = 1.0 - (1.0 + age as f64).powf(-settings.ema_power);
    Averaging::Move(1.0 - decay.min(settings.ema_decay))
}
