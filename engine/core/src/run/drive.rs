//! The only loop that touches the world: it obeys the schedule's effects, starts attempts on blocking
//! threads, and tells the observers. It does not decide what is ready.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use kyobashi_cache::{Claim, Key, Kind, Lookup, Store};
use kyobashi_stage::{Failure, Model, Note, Retry};
use tokio::sync::{mpsc, watch};

use super::event::{CallState, Event, FinalState, Finished, JOURNAL_VERSION, Observer, Totals};
use super::look::{self, Wanted};
use super::memory::Memory;
use super::provenance;
use super::work::{Attempt, Worked, attempt};
use super::{Amounts, Effect, Input, Schedule};
use crate::artifact::{Artifact, Artifacts};
use crate::exec::{Cancel, Executors, Notes};
use crate::plan::key::{Machine, Resolved};
use crate::plan::{Blocked, NodeId, Sources};
use crate::spec::{CachePolicy, Spec, Work};

/// How a run is to be made.
pub struct Settings {
    pub run: u64,
    /// What the machine has: `cpus`, `gpus`, `mem`, and pools of the user's own.
    pub resources: Amounts,
    /// Facts of the machine for stage types that depend on it.
    pub machine: Machine,
    /// Stages (by name or path) that are run although a result is there.
    pub refresh: Vec<String>,
    /// Values of secrets by the environment variable that holds them.
    pub secrets: BTreeMap<String, String>,
    /// The variable with the key of each provider.
    pub provider_keys: BTreeMap<String, String>,
    /// An empty folder on the store's file system, for the scratch folders of the attempts.
    pub scratch: PathBuf,
    /// Milliseconds since 1970; for records and events only.
    pub now_ms: fn() -> u64,
}

/// How far the run may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    No,
    /// Finish what runs, start nothing more.
    Soon,
    /// Kill what runs.
    Now,
}

/// What a run came to.
pub struct Ended {
    pub totals: Totals,
    pub failures: Vec<Finished>,
    /// The pipeline's outputs by name; those that were not reached say why.
    pub outputs: Vec<(String, Result<Artifact, Blocked>)>,
}

/// What stops a run as a whole.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error("{0}")]
    Store(#[from] kyobashi_cache::StoreError),
    #[error("{0}")]
    Unsatisfiable(String),
}

pub(super) enum Message {
    Noted(NodeId, Note),
    Called {
        node: NodeId,
        kind: String,
        key: Key,
        state: CallState,
        usd: f64,
    },
    Ended(NodeId, Worked),
    /// The claim that somebody else held is free.
    LookAgain(NodeId),
    Retry(NodeId),
    TimedOut(NodeId, u32),
}

struct Driver<'a> {
    spec: &'a Spec,
    store: Store,
    executors: Arc<Executors>,
    shapes: Arc<BTreeMap<String, kyobashi_stage::Shape>>,
    settings: &'a Settings,
    schedule: Schedule<'a>,
    observers: &'a mut [Box<dyn Observer>],
    sender: mpsc::UnboundedSender<Message>,
    /// Looked up and missed, until they settle.
    active: HashMap<NodeId, Active>,
    /// Single flight: who makes a key now, and who waits for it.
    making: HashMap<Key, Vec<NodeId>>,
    /// The worst provenance of each node and its inputs, see [`provenance`].
    provenance: HashMap<NodeId, u8>,
    totals: Totals,
    failures: Vec<Finished>,
}

struct Active {
    wanted: Arc<Wanted>,
    claim: Arc<Mutex<Option<Claim>>>,
    cancel: Arc<Cancel>,
    tries: u32,
    usd: f64,
}

/// Runs a pipeline to its end.
///
/// # Errors
/// When the store fails as a whole, or a stage asks for more than the machine has; failures of stages
/// are in [`Ended`].
#[expect(
    clippy::too_many_arguments,
    reason = "the surroundings of a run, each named once"
)]
pub async fn drive(
    spec: &Spec,
    sources: &Sources,
    store: &Store,
    executors: Arc<Executors>,
    settings: &Settings,
    observers: &mut [Box<dyn Observer>],
    mut stop: watch::Receiver<Stop>,
) -> Result<Ended, RunError> {
    satisfiable(spec, &settings.resources)?;
    let begin = Instant::now();
    let (sender, mut messages) = mpsc::unbounded_channel();
    let urgency =
        Box::new(|_: &crate::plan::Graph, id: NodeId| u64::from(u32::MAX) - id.index() as u64);
    let mut driver = Driver {
        spec,
        store: store.clone(),
        executors,
        shapes: Arc::new(spec.shapes.clone()),
        settings,
        schedule: Schedule::new(spec, sources, settings.resources.clone(), urgency),
        observers,
        sender,
        active: HashMap::new(),
        making: HashMap::new(),
        provenance: HashMap::new(),
        totals: Totals::default(),
        failures: Vec::new(),
    };
    driver.tell(&Event::RunStarted {
        version: JOURNAL_VERSION,
        run: settings.run,
        pipeline: spec.name.clone(),
        file: spec.file.display().to_string(),
        at_ms: (settings.now_ms)(),
        known: driver.schedule.known(),
    });
    loop {
        while let Some(effect) = driver.schedule.next() {
            driver.obey(effect)?;
        }
        if driver.schedule.finished() || (driver.totals.stopped && driver.schedule.running() == 0) {
            break;
        }
        tokio::select! {
            message = messages.recv() => match message {
                Some(message) => driver.hear(message)?,
                None => break,
            },
            changed = stop.changed(), if !matches!(*stop.borrow(), Stop::Now) => {
                if changed.is_ok() {
                    let how = *stop.borrow();
                    driver.stop(how);
                }
            }
        }
    }
    driver.totals.seconds = begin.elapsed().as_secs_f64();
    let totals = driver.totals.clone();
    driver.tell(&Event::RunFinished(totals.clone()));
    let top = driver.schedule.top();
    let outputs = spec
        .outputs
        .iter()
        .map(|output| (output.name.clone(), top.binding(output)));
    let outputs = outputs.collect();
    Ok(Ended {
        totals,
        failures: driver.failures,
        outputs,
    })
}

fn satisfiable(spec: &Spec, have: &Amounts) -> Result<(), RunError> {
    for stage in &spec.stages {
        for (name, wanted) in &stage.policy.resources.0 {
            let own = have.get(name).copied().unwrap_or(0.0);
            if *wanted > own + 1e-9 {
                return Err(RunError::Unsatisfiable(format!(
                    "stage `{}` asks for {wanted} {name}, and there are {own} here",
                    stage.path
                )));
            }
        }
    }
    Ok(())
}

impl Driver<'_> {
    fn tell(&mut self, event: &Event) {
        for observer in self.observers.iter_mut() {
            observer.see(event);
        }
    }

    fn address(&self, id: NodeId) -> String {
        self.schedule.graph.address(self.spec, id)
    }

    fn obey(&mut self, effect: Effect) -> Result<(), RunError> {
        match effect {
            Effect::Look(id) => self.look(id)?,
            Effect::Run(id) => self.start(id),
            Effect::Grown => {
                let known = self.schedule.known();
                self.tell(&Event::Grown { known });
            }
            Effect::Skipped(id, cause) => {
                let because = cause.unwrap_or_else(|| "when".to_owned());
                let finished = Finished {
                    because: Some(because),
                    ..self.finished(id, FinalState::Skipped)
                };
                self.end(finished);
            }
            Effect::Broken(id, message) => {
                let failure = Some(Failure::new(message));
                let finished = Finished {
                    failure,
                    ..self.finished(id, FinalState::Failed)
                };
                self.end(finished);
            }
        }
        Ok(())
    }

    fn finished(&self, id: NodeId, state: FinalState) -> Finished {
        let stage = self.schedule.stage(id);
        let place = self.spec.places.stages.get(stage.id.index());
        let known = state == FinalState::Ran || state == FinalState::Reused;
        let word = self
            .provenance
            .get(&id)
            .filter(|_| known)
            .and_then(|rank| provenance::word(*rank));
        Finished {
            address: self.address(id),
            uses: uses(&stage.work),
            state,
            key: self.active.get(&id).map(|active| active.wanted.key),
            seconds: 0.0,
            usd: 0.0,
            saved_seconds: 0.0,
            saved_usd: 0.0,
            outputs: BTreeMap::new(),
            failure: None,
            because: None,
            place: place.map(|place| format!("{}:{}:{}", place.file, place.line, place.col)),
            detail: word.map_or(
                serde_json::Value::Null,
                |word| serde_json::json!({ "provenance": word }),
            ),
        }
    }

    /// The one place where a call ends.
    fn end(&mut self, finished: Finished) {
        self.totals.count(&finished);
        self.tell(&Event::NodeFinished(finished.clone()));
        if finished.state == FinalState::Failed {
            self.failures.push(finished);
        }
    }

    fn look(&mut self, id: NodeId) -> Result<(), RunError> {
        let wanted = match look::wanted(&self.schedule, id, &self.settings.machine) {
            Ok(wanted) => wanted,
            Err(None) => {
                self.end(Finished {
                    because: Some("an output that it needs was not made".to_owned()),
                    ..self.finished(id, FinalState::Skipped)
                });
                self.schedule.feed(Input::Skipped(id));
                return Ok(());
            }
            Err(Some(text)) => {
                self.fail(id, Failure::new(text), 0.0, 0.0);
                return Ok(());
            }
        };
        let rank = self.rank(id, &wanted.resolved);
        self.provenance.insert(id, rank);
        let policy = self.schedule.stage(id).policy.cache;
        let refreshed = self.refreshed(id);
        if policy != CachePolicy::Never
            && let Some(waiting) = self.making.get_mut(&wanted.key)
        {
            waiting.push(id);
            self.remember(id, wanted, None);
            return Ok(());
        }
        let key = wanted.key;
        let claim = match policy {
            CachePolicy::Never => None,
            CachePolicy::Auto | CachePolicy::Frozen => {
                let found = if refreshed {
                    self.store.claim(Kind::Stage, &key)?
                } else {
                    self.store.look(Kind::Stage, &key)?
                };
                match found {
                    Lookup::Hit(record) => {
                        self.remember(id, wanted, None);
                        match look::outputs(&self.store, &record) {
                            Ok(outputs) => {
                                self.reuse(id, Arc::new(outputs), record.seconds, record.usd)
                            }
                            Err(failure) => self.fail(id, failure, 0.0, 0.0),
                        }
                        return Ok(());
                    }
                    Lookup::Miss(claim) => Some(claim),
                    Lookup::Busy(waiter) => {
                        let sender = self.sender.clone();
                        tokio::task::spawn_blocking(move || {
                            // A lock that cannot be read is met again by the next look; the run may be over.
                            let _ = waiter.wait();
                            let _ = sender.send(Message::LookAgain(id));
                        });
                        return Ok(());
                    }
                }
            }
        };
        if policy != CachePolicy::Never {
            self.making.insert(key, Vec::new());
        }
        self.remember(id, wanted, claim);
        self.schedule.feed(Input::Missed(id));
        Ok(())
    }

    fn remember(&mut self, id: NodeId, wanted: Wanted, claim: Option<Claim>) {
        self.active.insert(
            id,
            Active {
                wanted: Arc::new(wanted),
                claim: Arc::new(Mutex::new(claim)),
                cancel: Arc::default(),
                tries: 0,
                usd: 0.0,
            },
        );
    }

    fn refreshed(&self, id: NodeId) -> bool {
        let stage = self.schedule.stage(id);
        self.settings
            .refresh
            .iter()
            .any(|name| *name == stage.name || *name == stage.path)
    }

    fn start(&mut self, id: NodeId) {
        let stage = self.schedule.stage(id).clone();
        let address = self.address(id);
        let Some(active) = self.active.get_mut(&id) else {
            return;
        };
        active.tries += 1;
        let tries = active.tries;
        let sender = self.sender.clone();
        let notes: Notes = {
            let sender = sender.clone();
            Arc::new(move |note| {
                // A note after the end of the run reaches nobody.
                let _ = sender.send(Message::Noted(id, note));
            })
        };
        let memory = Memory {
            store: self.store.clone(),
            tell: {
                let sender = sender.clone();
                Box::new(move |request, key, state, usd| {
                    let kind = request.kind.clone();
                    let _ = sender.send(Message::Called {
                        node: id,
                        kind,
                        key,
                        state,
                        usd,
                    });
                })
            },
            usd: Mutex::new(0.0),
        };
        let cpus = stage.policy.resources.0.get("cpus").copied().unwrap_or(1.0);
        let job = Attempt {
            store: self.store.clone(),
            executors: self.executors.clone(),
            shapes: self.shapes.clone(),
            resolved: Arc::new(active.wanted.resolved.clone()),
            recipe: Arc::new(active.wanted.recipe.clone()),
            note: serde_json::json!({
                "run": self.settings.run,
                "address": address,
                "machine": self.settings.machine,
                "provenance": self.provenance.get(&id).and_then(|rank| provenance::word(*rank)),
            }),
            scratch: self
                .settings
                .scratch
                .join(format!("{}-{tries}", id.index())),
            threads: (cpus.max(1.0)) as u32,
            cancel: active.cancel.clone(),
            secrets: secrets(
                self.settings,
                &stage.policy.secrets,
                self.spec,
                &active.wanted.resolved,
            ),
            notes,
            memory: Arc::new(memory),
            started_at_ms: (self.settings.now_ms)(),
            claim: active.claim.clone(),
            stage,
        };
        if let Some(limit) = job.stage.policy.timeout {
            let sender = sender.clone();
            tokio::spawn(async move {
                tokio::time::sleep(limit).await;
                let _ = sender.send(Message::TimedOut(id, tries));
            });
        }
        let uses = uses(&job.stage.work);
        self.tell(&Event::NodeStarted { address, uses });
        tokio::task::spawn_blocking(move || {
            let worked = attempt(&job);
            let _ = sender.send(Message::Ended(id, worked));
        });
    }

    fn hear(&mut self, message: Message) -> Result<(), RunError> {
        match message {
            Message::Noted(id, note) => {
                let address = self.address(id);
                self.tell(&Event::NodeNoted { address, note });
            }
            Message::Called {
                node,
                kind,
                key,
                state,
                usd,
            } => {
                let address = self.address(node);
                self.tell(&Event::Called {
                    address,
                    kind,
                    key,
                    state,
                    usd,
                });
            }
            Message::LookAgain(id) => self.look(id)?,
            Message::Retry(id) => self.schedule.feed(Input::Missed(id)),
            Message::TimedOut(id, tries) => {
                let limit = self.schedule.stage(id).policy.timeout.unwrap_or_default();
                if let Some(active) = self.active.get(&id).filter(|active| active.tries == tries) {
                    active
                        .cancel
                        .cancel(&format!("stopped after its time limit of {limit:?}"));
                }
            }
            Message::Ended(id, worked) => self.ended(id, worked),
        }
        Ok(())
    }

    fn ended(&mut self, id: NodeId, worked: Worked) {
        let Some(active) = self.active.get_mut(&id) else {
            return;
        };
        active.usd += worked.usd;
        let (tries, usd) = (active.tries, active.usd);
        match worked.outcome {
            Ok(outputs) => {
                let key = active.wanted.key;
                let finished = Finished {
                    seconds: worked.seconds,
                    usd,
                    outputs: digests(&outputs),
                    ..self.finished(id, FinalState::Ran)
                };
                self.active.remove(&id);
                self.end(finished);
                self.schedule.feed(Input::Done(id, outputs.clone()));
                for follower in self.making.remove(&key).unwrap_or_default() {
                    self.reuse(follower, outputs.clone(), worked.seconds, usd);
                }
            }
            Err(failure) => {
                let retries = self.schedule.stage(id).policy.retries;
                if failure.retry == Retry::Possible && tries <= retries && !active.cancel.asked() {
                    let address = self.address(id);
                    self.tell(&Event::NodeRetried {
                        address,
                        failure,
                        attempt: tries,
                    });
                    self.schedule.put_back(id);
                    let sender = self.sender.clone();
                    let pause = Duration::from_millis(500 << tries.min(6));
                    tokio::spawn(async move {
                        tokio::time::sleep(pause).await;
                        let _ = sender.send(Message::Retry(id));
                    });
                } else {
                    self.fail(id, failure, worked.seconds, usd);
                }
            }
        }
    }

    /// A result that is there already.
    fn reuse(&mut self, id: NodeId, outputs: Arc<Artifacts>, seconds: f64, usd: f64) {
        let finished = Finished {
            saved_seconds: seconds,
            saved_usd: usd,
            outputs: digests(&outputs),
            ..self.finished(id, FinalState::Reused)
        };
        self.active.remove(&id);
        self.end(finished);
        self.schedule.feed(Input::Done(id, outputs));
    }

    fn fail(&mut self, id: NodeId, failure: Failure, seconds: f64, usd: f64) {
        let message = failure.message.clone();
        let finished = Finished {
            seconds,
            usd,
            failure: Some(failure.clone()),
            ..self.finished(id, FinalState::Failed)
        };
        let key = self.active.remove(&id).map(|active| active.wanted.key);
        self.end(finished);
        self.schedule.feed(Input::Failed(id, message));
        // Who waited for the same key would fail in the same way.
        for follower in key
            .and_then(|key| self.making.remove(&key))
            .unwrap_or_default()
        {
            self.fail(follower, failure.clone(), 0.0, 0.0);
        }
    }

    fn stop(&mut self, how: Stop) {
        if how != Stop::No {
            self.totals.stopped = true;
            self.schedule.feed(Input::Stop);
        }
        if how == Stop::Now {
            for active in self.active.values() {
                active.cancel.cancel("stopped by the user");
            }
        }
    }

    /// The worst provenance of a call: its own model's, and that of everything that it reads.
    fn rank(&mut self, id: NodeId, resolved: &Resolved) -> u8 {
        let own = resolved
            .get("model")
            .and_then(Artifact::plain)
            .and_then(|value| serde_json::from_value::<Model>(value).ok())
            .map_or(0, |model| provenance::rank(&model));
        own.max(provenance::upstream(
            &self.schedule.graph,
            id,
            &mut self.provenance,
        ))
    }
}

/// `run`, or the stage type.
fn uses(work: &Work) -> String {
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

/// The secrets that a stage listed, and the key of its model's provider, by environment variable.
fn secrets(
    settings: &Settings,
    listed: &[String],
    spec: &Spec,
    resolved: &Resolved,
) -> BTreeMap<String, String> {
    let provider = resolved
        .get("model")
        .and_then(Artifact::plain)
        .and_then(|model| {
            model
                .get("provider")
                .and_then(|name| name.as_str())
                .map(str::to_owned)
        });
    let listed = listed
        .iter()
        .filter_map(|name| Some(spec.secrets.get(name)?.env.clone()));
    let key = provider.and_then(|name| settings.provider_keys.get(&name).cloned());
    listed
        .chain(key)
        .filter_map(|name| Some((name.clone(), settings.secrets.get(&name)?.clone())))
        .collect()
}
