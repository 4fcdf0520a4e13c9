//! What a run may pay, and what is left to pay when it could not pay all.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use kyobashi_cache::Store;
use kyobashi_engine::plan::Sources;
use kyobashi_engine::run::estimate::{Estimate, Estimator};
use kyobashi_engine::run::{Ended, Mode, ledger, preview};
use kyobashi_engine::spec::{Budget, Spec};
use kyobashi_stage::Stage;

use crate::arguments::{Calls, Global, Run};
use crate::exit::Stopped;
use crate::{summary, surroundings, talk};

/// The budget of the file, with that of the command line over it.
///
/// # Errors
/// If the command line's is no amount of money.
pub(super) fn of(spec: &Spec, arguments: &Run) -> Result<Budget, Stopped> {
    let mut budget = spec.budget.clone();
    if let Some(usd) = arguments.budget {
        if !usd.is_finite() || usd < 0.0 {
            return Err(
                Stopped::wrong(format!("--budget {usd}: not an amount of money"))
                    .help("write US dollars: `--budget 2.50`"),
            );
        }
        budget.usd = Some(usd);
    }
    Ok(budget)
}

pub(super) fn mode(calls: Calls) -> Mode {
    match calls {
        Calls::Live => Mode::Live,
        Calls::Replay => Mode::Replay,
        Calls::Refresh => Mode::Refresh,
        Calls::Off => Mode::Off,
    }
}

/// The model calls that are known and not stored.
///
/// # Errors
/// When the store cannot be read.
pub(super) fn left(
    spec: &Spec,
    sources: &Sources,
    store: &Store,
    stages: &BTreeMap<String, Arc<dyn Stage>>,
    scratch: &Path,
) -> Result<Estimate, Stopped> {
    let estimator = Estimator::new(store, stages, &spec.shapes, scratch);
    let planned = preview::preview(
        spec,
        sources,
        store,
        &surroundings::machine(),
        &Default::default(),
        &preview::Detail {
            address: None,
            estimator: Some(&estimator),
        },
    )?;
    Ok(sum(&planned))
}

/// The calls of all stage runs of a plan.
pub(super) fn sum(planned: &[preview::Planned]) -> Estimate {
    let mut sum = Estimate::default();
    for calls in planned.iter().filter_map(|node| node.calls.as_ref()) {
        sum.add(calls);
    }
    sum
}

/// An estimate in words: `3 calls, $0.0011 to $0.0234`.
pub(super) fn said(estimate: &Estimate) -> String {
    let mut text = talk::plural(estimate.calls, "call");
    // Less than what the money's digits show is nothing that anybody plans with.
    let (least, most) = (
        talk::money(estimate.least_usd),
        talk::money(estimate.most_usd),
    );
    if estimate.least_usd >= 0.0001 {
        text.push_str(&format!(", {least} to {most}"));
    } else if estimate.most_usd > 0.0 {
        text.push_str(&format!(", at most {most}"));
    }
    if estimate.unpriced > 0 {
        text.push_str(&format!(
            ", {} of them without a known price",
            estimate.unpriced
        ));
    }
    text
}

/// Says which calls of runs that died are perhaps billed.
pub(super) fn left_over(global: &Global, store: &Store) -> Result<(), Stopped> {
    let left = ledger::sweep(store.dir()).map_err(|error| {
        Stopped::fault(format!("cannot read the intents of the store: {error}"))
    })?;
    if !left.is_empty() {
        let most: f64 = left.iter().filter_map(|intent| intent.most_usd).sum();
        talk::say(
            global,
            &format!(
                "{} without an answer from a run that was killed: perhaps billed, at most {}",
                talk::plural(left.len() as u64, "call"),
                talk::money(most)
            ),
        );
    }
    Ok(())
}

/// Says that the budget is used up, what is left to pay, and how to go on.
pub(super) fn say(global: &Global, budget: &Budget, left: &Estimate, ended: &Ended) {
    let heard = Global {
        quiet: false,
        ..global.clone()
    };
    let parts = [
        budget.usd.map(|usd| format!("${usd}")),
        budget.calls.map(|calls| talk::plural(calls, "call")),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    talk::say(
        &heard,
        &format!("The budget of a run ({}) is used up.", parts.join(", ")),
    );
    if left.calls > 0 {
        talk::say(
            &heard,
            &format!("Left to pay: {}, and what follows from them.", said(left)),
        );
    }
    let dollars = budget.usd.map(|_| enough(left.most_usd));
    talk::say(
        &heard,
        &summary::resume(&ended.totals, ended.known, dollars),
    );
}

/// The least amount of two digits that is surely enough.
fn enough(usd: f64) -> f64 {
    let digits = 10f64.powi(1 - usd.max(0.001).log10().floor() as i32);
    (usd.max(0.01) * digits).ceil() / digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_budget_is_enough_and_has_two_digits() {
        assert_eq!(enough(0.0234), 0.024);
        assert_eq!(enough(1.01), 1.1);
        assert_eq!(enough(12.3), 13.0);
        assert_eq!(enough(0.0), 0.01);
    }
}
