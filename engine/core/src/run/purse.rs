//! The money of a run: what may still be paid. A call reserves the most that it can cost before it is sent,
//! and settles with what it did cost, so that calls side by side never pay more than was granted.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kyobashi_stage::{Failure, MODEL_CALL, Price, Request};

use crate::spec::{Budget, OnUnpriced};

/// How often somebody who waits for money looks whether the run is being stopped.
const LOOK: Duration = Duration::from_millis(200);

/// What a run may pay, and what it paid.
#[derive(Debug, Default)]
pub(super) struct Purse {
    budget: Budget,
    state: Mutex<State>,
    settled: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// US dollars: paid, or perhaps billed.
    paid: f64,
    /// US dollars reserved by calls that are being made.
    held: f64,
    /// Calls made, and being made.
    calls: u64,
    in_flight: u64,
}

/// What a call reserved; to be given back to [`Purse::settle`].
#[derive(Debug)]
#[must_use]
pub(super) struct Held {
    usd: f64,
    counted: bool,
}

/// What became of a call.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Settled {
    /// US dollars, if it was answered.
    pub(super) paid: Option<f64>,
    /// Requests of it that left and of which nothing was heard: nobody knows whether they are billed, so
    /// each counts as if it were, at its most.
    pub(super) lost: u32,
}

impl Purse {
    pub(super) fn new(budget: Budget) -> Self {
        Self {
            budget,
            ..Self::default()
        }
    }

    /// Reserves the most that a call can cost. Where calls that are being made hold money that they may
    /// not need, it waits for them.
    ///
    /// # Errors
    /// If the call does not fit into the budget, or has no price where one is needed.
    pub(super) fn reserve(
        &self,
        request: &Request,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Held, Failure> {
        let counted = request.kind == MODEL_CALL;
        let usd = match (request.price, self.budget.usd) {
            (Price::Between { most, .. }, _) => most,
            (Price::Unknown, Some(_)) if self.budget.on_unpriced == OnUnpriced::Refuse => {
                return Err(Failure::new(format!(
                    "the price of {} is not known, and the budget is in US dollars",
                    request.who
                ))
                .help("limit the calls instead (`budget: {calls: 200}`), or allow it: `budget: {on_unpriced: allow}`"));
            }
            _ => 0.0,
        };
        let mut state = self.state();
        if counted && self.budget.calls.is_some_and(|calls| state.calls >= calls) {
            return Err(Failure::new(format!(
                "the budget of {} model calls is used up",
                self.budget.calls.unwrap_or_default()
            )));
        }
        if let Some(cap) = self.budget.usd.filter(|_| usd > 0.0) {
            while state.paid + state.held + usd > cap + 1e-12 {
                if state.paid + usd > cap + 1e-12 || state.in_flight == 0 {
                    return Err(Failure::new(format!(
                        "the budget of ${cap} does not hold this call: ${:.4} are paid, and it costs up to ${usd:.4}",
                        state.paid
                    )));
                }
                if cancelled() {
                    return Err(Failure::passing("stopped while waiting for money"));
                }
                state = self
                    .settled
                    .wait_timeout(state, LOOK)
                    .map_or_else(|poisoned| poisoned.into_inner().0, |(state, _)| state);
            }
        }
        state.held += usd;
        state.calls += u64::from(counted);
        state.in_flight += 1;
        Ok(Held { usd, counted })
    }

    /// Replaces what was reserved by what it came to.
    pub(super) fn settle(&self, held: Held, settled: Settled) {
        let mut state = self.state();
        state.held -= held.usd;
        state.in_flight -= 1;
        state.paid += settled.paid.unwrap_or(0.0) + f64::from(settled.lost) * held.usd;
        if settled == Settled::default() {
            state.calls -= u64::from(held.counted);
        }
        self.settled.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn purse(usd: Option<f64>, calls: Option<u64>) -> Purse {
        Purse::new(Budget {
            usd,
            calls,
            on_unpriced: OnUnpriced::Refuse,
        })
    }

    fn request(most: f64) -> Request {
        Request {
            kind: MODEL_CALL.to_owned(),
            price: Price::Between { least: 0.0, most },
            ..Request::default()
        }
    }

    fn answered(usd: f64) -> Settled {
        Settled {
            paid: Some(usd),
            lost: 0,
        }
    }

    /// Fifty at once, each of which may cost 1 and costs `real`; how many were made.
    fn fifty(purse: Purse, real: f64) -> usize {
        let purse = Arc::new(purse);
        let threads: Vec<_> = (0..50)
            .map(|_| {
                let purse = purse.clone();
                std::thread::spawn(move || {
                    let Ok(held) = purse.reserve(&request(1.0), &|| false) else {
                        return false;
                    };
                    purse.settle(held, answered(real));
                    true
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| usize::from(thread.join().unwrap()))
            .sum()
    }

    #[test]
    fn fifty_at_once_with_room_for_ten_make_exactly_ten() {
        assert_eq!(fifty(purse(None, Some(10)), 1.0), 10);
        assert_eq!(fifty(purse(Some(10.0), None), 1.0), 10);
    }

    #[test]
    fn money_that_was_reserved_and_not_needed_is_spent_on_others() {
        // 19 cheap calls leave 0.5: the next could cost 1.
        assert_eq!(fifty(purse(Some(10.0), None), 0.5), 19);
    }

    #[test]
    fn what_is_perhaps_billed_stays_paid_and_what_was_refused_does_not() {
        let purse = purse(Some(2.0), Some(2));
        let held = purse.reserve(&request(1.0), &|| false).unwrap();
        purse.settle(held, Settled::default());
        let held = purse.reserve(&request(1.0), &|| false).unwrap();
        let lost = Settled {
            paid: None,
            lost: 1,
        };
        purse.settle(held, lost);
        let held = purse.reserve(&request(1.0), &|| false).unwrap();
        assert!(purse.reserve(&request(1.0), &|| false).is_err());
        purse.settle(held, answered(1.0));
    }

    #[test]
    fn a_call_without_a_price_is_refused_where_dollars_count() {
        let unknown = Request {
            price: Price::Unknown,
            ..request(0.0)
        };
        assert!(purse(Some(1.0), None).reserve(&unknown, &|| false).is_err());
        assert!(purse(None, Some(1)).reserve(&unknown, &|| false).is_ok());
    }
}
