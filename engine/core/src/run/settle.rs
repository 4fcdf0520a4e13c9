//! How a call ends: it ran, was reused, was skipped or failed. The driver's totals and the schedule
//! are told here and nowhere else.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use kyobashi_cache::Key;
use kyobashi_stage::{Failure, Retry};

use super::Input;
use super::drive::{Driver, Message};
use super::event::{Event, FinalState, Finished};
use super::provenance;
use super::work::Worked;
use crate::artifact::Artifacts;
use crate::exec::shell::full;
use crate::plan::NodeId;
use crate::spec::{OnError, Work};

impl Driver<'_> {
    pub(super) fn finished(&self, id: NodeId, state: FinalState) -> Finished {
        let stage = self.schedule.stage(id);
        let place = self.spec.places.stages.get(stage.id.index());
        let known = state == FinalState::Ran || state == FinalState::Reused;
        let word = self
            .provenance
            .get(id)
            .filter(|_| known)
            .and_then(provenance::word);
        Finished {
            address: self.address(id),
            uses: uses(&stage.work),
            state,
            key: self.active.get(&id).map(|active| active.key),
            seconds: 0.0,
            usd: 0.0,
            saved_seconds: 0.0,
            saved_usd: 0.0,
            outputs: BTreeMap::new(),
            failure: None,
            tries: 0,
            log: None,
            because: None,
            place: place.map(|place| format!("{}:{}:{}", place.file, place.line, place.col)),
            detail: word.map_or(
                serde_json::Value::Null,
                |word| serde_json::json!({ "provenance": word }),
            ),
        }
    }
    /// The one place where a call ends.
    pub(super) fn end(&mut self, finished: Finished) {
        self.totals.count(&finished);
        let event = Event::NodeFinished(finished);
        self.tell(&event);
        if let Event::NodeFinished(finished) = event
            && finished.state == FinalState::Failed
        {
            self.failures.push(finished);
        }
    }
    pub(super) fn ended(&mut self, id: NodeId, worked: Worked) {
        let Some(active) = self.active.get_mut(&id) else {
            return;
        };
        active.usd += worked.usd;
        let (tries, usd) = (active.tries, active.usd);
        match worked.outcome {
            Ok(outputs) => {
                let key = active.key;
                let finished = Finished {
                    seconds: worked.seconds,
                    usd,
                    outputs: digests(&outputs),
                    log: worked.log,
                    ..self.finished(id, FinalState::Ran)
                };
                self.active.remove(&id);
                self.end(finished);
                self.schedule.feed(Input::Done(id, outputs.clone()));
                for follower in self.making.remove(&key).unwrap_or_default() {
                    self.reuse(follower, key, outputs.clone(), worked.seconds, worked.worth);
                }
            }
            Err(failure) if worked.refused => self.run_out(id, failure),
            Err(failure) => {
                if worked.lost || full(self.store.dir()) {
                    // What would run now could not be kept either.
                    self.halt();
                }
                let retries = self.schedule.stage(id).policy.retries;
                if failure.retry == Retry::Possible && tries <= retries && !self.halted {
                    let address = self.address(id);
                    self.tell(&Event::NodeRetried {
                        address,
                        failure,
                        attempt: tries,
                    });
                    self.schedule.put_back(id);
                    let sender = self.sender.clone();
                    let pause = pause(tries);
                    tokio::spawn(async move {
                        tokio::time::sleep(pause).await;
                        let _ = sender.send(Message::Retry(id));
                    });
                } else {
                    self.fail(id, failure, worked.seconds, usd, worked.log);
                }
            }
        }
    }

    /// A call did not fit into the budget: the stage run waits for the next run, and nothing more is
    /// started in this one. What is paid so far counts.
    fn run_out(&mut self, id: NodeId, failure: Failure) {
        let address = self.address(id);
        self.totals.usd += self.active.remove(&id).map_or(0.0, |active| active.usd);
        self.tell(&Event::BudgetReached { address, failure });
        self.totals.stopped = true;
        self.totals.out_of_budget = true;
        self.schedule.put_back(id);
        self.halt();
    }

    /// A result that is there already.
    pub(super) fn reuse(
        &mut self,
        id: NodeId,
        key: Key,
        outputs: Arc<Artifacts>,
        seconds: f64,
        usd: f64,
    ) {
        let finished = Finished {
            key: Some(key),
            saved_seconds: seconds,
            saved_usd: usd,
            outputs: digests(&outputs),
            ..self.finished(id, FinalState::Reused)
        };
        self.active.remove(&id);
        self.end(finished);
        self.schedule.feed(Input::Done(id, outputs));
    }

    /// Whether the pipeline goes on without this stage run: it, or what it is in, says
    /// `on_error: continue`.
    fn tolerated(&self, id: NodeId) -> bool {
        let own = &self.schedule.stage(id).path;
        let around = |path: &str| {
            let rest = own.strip_prefix(path);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let mut stages = self.spec.stages.iter();
        stages.any(|stage| stage.policy.on_error == OnError::Continue && around(&stage.path))
    }

    pub(super) fn fail(
        &mut self,
        id: NodeId,
        failure: Failure,
        seconds: f64,
        usd: f64,
        log: Option<PathBuf>,
    ) {
        let message = failure.message.clone();
        let finished = Finished {
            seconds,
            usd,
            failure: Some(failure.clone()),
            tries: self.active.get(&id).map_or(0, |active| active.tries),
            log,
            ..self.finished(id, FinalState::Failed)
        };
        let key = self.active.remove(&id).map(|active| active.key);
        self.end(finished);
        if self.settings.fail_fast && !self.tolerated(id) {
            self.halt();
        }
        self.schedule.feed(Input::Failed(id, message));
        // Who waited for the same key would fail in the same way.
        for follower in key
            .and_then(|key| self.making.remove(&key))
            .unwrap_or_default()
        {
            self.fail(follower, failure.clone(), 0.0, 0.0, None);
        }
    }
}

/// The pause after a number of tries: 1 s, 2 s, 4 s, … at most 32 s.
fn pause(tries: u32) -> Duration {
    Duration::from_millis(500 << tries.clamp(1, 6))
}

/// `run`, or the stage type.
pub(super) fn uses(work: &Work) -> String {
    match work {
        Work::Run { .. } => "run".to_owned(),
        Work::Uses { signature, .. } => signature.name.clone(),
        Work::Group { .. } => "group".to_owned(),
    }
}
fn digests(outputs: &Artifacts) -> BTreeMap<String, kyobashi_cache::Digest> {
    outputs
        .iter()
        .map(|(name, artifact)| (name.clone(), artifact.digest()))
        .collect()
}
