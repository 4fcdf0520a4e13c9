//! The limits of a running call: cancellation and wall-clock time. The training looks here between
//! steps; a program that never comes back from a step is ended from here, together with the process.
//!
//! idle → `begin` → running → (`cancel` | deadline) → stopping → `end` → idle,
//! or stopping for longer than [`GRACE`] → the failure is said and the process leaves.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use kyobashi_stage::{Failure, FromWorker, Note};

use super::EXIT_STUCK;
use super::mouth::{Mouth, leave};
use crate::harness::Surroundings;

/// How long a call may take to notice that it should stop: the end of its step, if that is short. One that
/// takes longer costs the process, which is started anew in less.
const GRACE: Duration = Duration::from_millis(500);

/// The limits of the call that runs now.
pub(crate) struct Watch {
    mouth: Arc<Mouth>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// When the running call began.
    since: Option<Instant>,
    cancelled: Option<Instant>,
    limit: Option<f64>,
    deadline: Option<Instant>,
    step: u64,
}

impl State {
    /// Why the call should stop, and since when.
    fn stop(&self) -> Option<(Failure, Instant)> {
        self.since?;
        if let Some(at) = self.cancelled {
            return Some((Failure::passing("cancelled"), at));
        }
        let deadline = self
            .deadline
            .filter(|deadline| *deadline <= Instant::now())?;
        let limit = self.limit.unwrap_or_default();
        let failure = Failure::new(format!(
            "reached the limit of {limit} s at step {}",
            self.step
        ))
        .help("`max_seconds` of `config` sets the limit; fewer `steps` need less time");
        Some((failure, deadline))
    }
}

impl Watch {
    pub(crate) fn new(mouth: Arc<Mouth>) -> Self {
        Self {
            mouth,
            state: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    pub(crate) fn mouth(&self) -> &Mouth {
        &self.mouth
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A call begins; a cancellation that came before it is not about it.
    pub(crate) fn begin(&self) {
        *self.state() = State {
            since: Some(Instant::now()),
            ..State::default()
        };
        self.changed.notify_all();
    }

    /// A call ends with this answer. Answer and end are one, so that a call is answered once.
    pub(crate) fn end(&self, said: &FromWorker) {
        let mut state = self.state();
        *state = State::default();
        self.mouth.say(said);
        drop(state);
        self.changed.notify_all();
    }

    /// Asks the running call to stop.
    pub(crate) fn cancel(&self) {
        self.state().cancelled.get_or_insert_with(Instant::now);
        self.changed.notify_all();
    }

    /// Watches for ever; leaves the process when a call that should stop does not.
    pub(crate) fn keep(&self) {
        let mut state = self.state();
        loop {
            let now = Instant::now();
            let wait = match (state.stop(), state.deadline) {
                (Some((failure, since)), _) if now >= since + GRACE => {
                    let failure = failure.help(format!(
                        "the program did not come back from step {}: does a loop of it never end, or \
                         is a step this long?",
                        state.step
                    ));
                    self.mouth.say(&FromWorker::Failed { failure });
                    return leave(EXIT_STUCK);
                }
                (Some((_, since)), _) => (since + GRACE).saturating_duration_since(now),
                (None, Some(deadline)) => deadline.saturating_duration_since(now),
                (None, None) => Duration::from_secs(3600),
            };
            state = self
                .changed
                .wait_timeout(state, wait)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }
}

impl Surroundings for Watch {
    fn go_on(&self, step: u64) -> Result<(), Failure> {
        let mut state = self.state();
        state.step = step;
        match state.stop() {
            Some((failure, _)) => Err(failure),
            None => Ok(()),
        }
    }

    fn limit(&self, seconds: f64) {
        let mut state = self.state();
        state.limit = Some(seconds);
        state.deadline = state
            .since
            .and_then(|since| since.checked_add(Duration::try_from_secs_f64(seconds).ok()?));
        drop(state);
        self.changed.notify_all();
    }

    fn note(&self, note: Note) {
        self.mouth.note(note);
    }

    fn seconds(&self) -> f64 {
        self.state()
            .since
            .map_or(0.0, |since| since.elapsed().as_secs_f64())
    }
}
