//! The only loop that touches the world: it obeys the schedule's effects, starts attempts on blocking
//! threads, and tells the observers. It does not decide what is ready.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use kyobashi_cache::{Claim, Key, Store};
use kyobashi_stage::{Failure, Note};
use tokio::sync::{mpsc, watch};

use super::already::Already;
use super::event::{
    Asked, Event, FinalState, Finished, JOURNAL_VERSION, MadeFrom, Observer, Totals,
};
use super::ledger::Ledger;
use super::memory::{Mode, Shared, Told};
use super::order::{Durations, Order};
use super::provenance::{self, Ranks};
use super::purse::Purse;
use super::slots::Slots;
use super::work::Worked;
use super::{Effect, Input, Schedule};
use crate::artifact::Artifact;
use crate::exec::{Cancel, Executors};
use crate::plan::key::Machine;
use crate::plan::{Blocked, NodeId, Sources};
use crate::spec::{Budget, Spec};

/// How a run is to be made.
pub struct Settings {
    pub run: u64,
    /// For the journal.
    pub asked: Asked,
    /// For the journal.
    pub made_from: MadeFrom,
    /// Facts of the machine for stage types that depend on it.
    pub machine: Machine,
    /// Patterns of the stage runs that are made although a result is there, see [`super::refresh`].
    pub refresh: Vec<String>,
    /// What may be paid.
    pub budget: Budget,
    /// How calls use the store.
    pub calls: Mode,
    /// Values of secrets by the environment variable that holds them.
    pub secrets: BTreeMap<String, String>,
    /// The variable with the key of each provider.
    pub provider_keys: BTreeMap<String, String>,
    /// What stage runs took the last time; asked when several of them wait.
    pub durations: Box<dyn Fn() -> Durations + Send + Sync>,
    /// An empty folder on the store's file system, for the scratch folders of the attempts.
    pub scratch: PathBuf,
    /// The folder for what stages wrote to their output; made when there is something.
    pub logs: PathBuf,
    /// Whether the first failure stops the run: what runs is finished, nothing more starts.
    pub fail_fast: bool,
    /// Milliseconds since 1970; for records and events only.
    pub now_ms: fn() -> u64,
    /// What is told and not gone through.
    pub already: Option<Already>,
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
    /// What was skipped because of a failure, by the address that failed.
    pub cut: BTreeMap<String, Vec<String>>,
    /// Stage runs that are known.
    pub known: u64,
    /// The pipeline's outputs by name; those that were not reached say why.
    pub outputs: Vec<(String, Result<Artifact, Blocked>)>,
}

/// What stops a run as a whole.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error("{0}")]
    Store(#[from] kyobashi_cache::StoreError),
}

pub(super) enum Message {
    Noted(NodeId, Note),
    Called(NodeId, Told),
    Ended(NodeId, Worked),
    /// It waits again: after a failure, or because whoever made the same is done.
    Retry(NodeId),
    TimedOut(NodeId, u32),
}

pub(super) struct Driver<'a> {
    pub(super) spec: &'a Spec,
    pub(super) store: Store,
    pub(super) executors: Arc<Executors>,
    pub(super) shapes: Arc<BTreeMap<String, kyobashi_stage::Shape>>,
    pub(super) settings: &'a Settings,
    pub(super) schedule: Schedule<'a>,
    pub(super) observers: &'a mut [Box<dyn Observer>],
    pub(super) sender: mpsc::UnboundedSender<Message>,
    /// Looked up and missed, until they settle, which gives their memory to the results.
    pub(super) active: BTreeMap<NodeId, Active>,
    /// Single flight: who makes a key now, and who waits for it.
    pub(super) making: BTreeMap<Key, Vec<NodeId>>,
    /// The worst provenance of each node and its inputs, see [`provenance`].
    pub(super) provenance: Ranks,
    pub(super) slots: Arc<Slots>,
    pub(super) totals: Totals,
    /// Nothing more is to start.
    pub(super) halted: bool,
    /// What was skipped because of a failure, by the address that failed.
    pub(super) cut: BTreeMap<String, Vec<String>>,
    pub(super) failures: Vec<Finished>,
    /// What the calls of all stages share.
    pub(super) shared: Arc<Shared>,
}

/// A node that was looked up and missed. Thousands may wait, so that what only an attempt needs is
/// made for it, and made again for the next.
pub(super) struct Active {
    pub(super) key: Key,
    pub(super) attempt: Option<Held>,
    pub(super) tries: u32,
    pub(super) usd: f64,
}

/// What a node has from its claim to its end.
pub(super) struct Held {
    pub(super) claim: Arc<Mutex<Option<Claim>>>,
    pub(super) cancel: Arc<Cancel>,
}

/// Runs a pipeline to its end.
///
/// # Errors
/// When the store fails as a whole; failures of stages are in [`Ended`].
pub async fn drive(
    spec: &Spec,
    sources: &Sources,
    store: &Store,
    executors: Arc<Executors>,
    settings: &Settings,
    observers: &mut [Box<dyn Observer>],
    mut stop: watch::Receiver<Stop>,
) -> Result<Ended, RunError> {
    let begin = Instant::now();
    let (sender, mut messages) = mpsc::unbounded_channel();
    let mut order = None;
    let urgency = Box::new(move |graph: &crate::plan::Graph, id: NodeId| {
        let order = order.get_or_insert_with(|| Order::new((settings.durations)()));
        order.urgency(spec, graph, id)
    });
    let mut driver = Driver {
        spec,
        store: store.clone(),
        executors,
        shapes: Arc::new(spec.shapes.clone()),
        settings,
        schedule: Schedule::new(spec, sources, urgency, settings.already.as_ref()),
        observers,
        sender,
        active: BTreeMap::new(),
        making: BTreeMap::new(),
        provenance: Ranks::default(),
        slots: Arc::new(Slots::new(&settings.scratch)),
        totals: Totals::default(),
        halted: false,
        cut: BTreeMap::new(),
        failures: Vec::new(),
        shared: Arc::new(Shared {
            mode: settings.calls,
            purse: Purse::new(settings.budget.clone()),
            ledger: Ledger::new(store.dir()),
            anew: Mutex::default(),
            run: settings.run,
            now_ms: settings.now_ms,
        }),
    };
    driver.tell(&Event::RunStarted {
        version: JOURNAL_VERSION,
        run: settings.run,
        pipeline: spec.name.clone(),
        file: spec.file.display().to_string(),
        asked: settings.asked.clone(),
        at_ms: (settings.now_ms)(),
        known: driver.schedule.known(),
    });
    driver.tell(&Event::MadeFrom(settings.made_from.clone()));
    if let Some(already) = &settings.already {
        driver.tell_again(already);
    }
    loop {
        while let Some(effect) = driver.schedule.next_effect() {
            driver.obey(effect)?;
        }
        if driver.schedule.finished() || (driver.halted && driver.schedule.running() == 0) {
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
    let top = driver.schedule.top();
    let already = settings.already.as_ref().map(|already| &already.outputs);
    let outputs = spec.outputs.iter().map(|output| {
        let told = already.and_then(|outputs| outputs.get(&output.name));
        let value = told.map_or_else(|| top.binding(output), |told| Ok(told.clone()));
        (output.name.clone(), value)
    });
    let outputs: Vec<_> = outputs.collect();
    driver.tell(&outputs_made(store, &outputs));
    driver.tell(&Event::RunFinished(totals.clone()));
    let known = driver.schedule.known();
    let Driver { cut, failures, .. } = driver;
    Ok(Ended {
        totals,
        cut,
        known,
        failures,
        outputs,
    })
}

/// The outputs that were reached, as an event.
fn outputs_made(store: &Store, outputs: &[(String, Result<Artifact, Blocked>)]) -> Event {
    let reached: BTreeMap<&String, &Artifact> = outputs
        .iter()
        .filter_map(|(name, artifact)| Some((name, artifact.as_ref().ok()?)))
        .collect();
    let text = serde_json::to_vec(&reached).expect("artifacts are JSON");
    Event::OutputsMade {
        outputs: reached
            .iter()
            .map(|(name, artifact)| ((*name).clone(), artifact.digest()))
            .collect(),
        // A journal without it is still a journal: the run itself has its results.
        content: store.put_bytes(&text).ok(),
    }
}

impl Driver<'_> {
    pub(super) fn tell(&mut self, event: &Event) {
        for observer in self.observers.iter_mut() {
            observer.see(event);
        }
    }

    /// Tells what need not be gone through.
    fn tell_again(&mut self, already: &Already) {
        self.totals = already.totals.clone();
        let graph = &self.schedule.graph;
        for (stage, known) in &already.results {
            let rank = provenance::rank_of(known.provenance.as_deref());
            if let Some(node) = graph.face(graph.top(), *stage) {
                self.provenance.insert(node, rank);
            }
        }
        for observer in self.observers.iter_mut() {
            observer.again(&already.lines, &already.totals);
        }
    }

    pub(super) fn address(&self, id: NodeId) -> String {
        self.schedule.graph.address(self.spec, id)
    }

    fn obey(&mut self, effect: Effect) -> Result<(), RunError> {
        match effect {
            Effect::Look(id) => self.look_at_all(id)?,
            Effect::Run(id) => self.start(id)?,
            Effect::Grown => {
                let known = self.schedule.known();
                self.tell(&Event::Grown { known });
            }
            Effect::Skipped(id, cause) => {
                if let Some(cause) = &cause {
                    let address = self.address(id);
                    self.cut.entry(cause.clone()).or_default().push(address);
                }
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
    fn hear(&mut self, message: Message) -> Result<(), RunError> {
        match message {
            Message::Noted(id, note) => {
                let address = self.address(id);
                self.tell(&Event::NodeNoted { address, note });
            }
            Message::Called(id, told) => {
                let address = self.address(id);
                self.tell(&Event::Called {
                    address,
                    kind: told.kind,
                    who: told.who,
                    key: told.key,
                    state: told.state,
                    usd: told.usd,
                    saved_usd: told.saved_usd,
                    tokens: told.tokens,
                });
            }
            Message::Retry(id) => self.schedule.feed(Input::Missed(id)),
            Message::TimedOut(id, tries) => {
                let limit = self.schedule.stage(id).policy.timeout.unwrap_or_default();
                let active = self.active.get(&id).filter(|active| active.tries == tries);
                if let Some(held) = active.and_then(|active| active.attempt.as_ref()) {
                    held.cancel
                        .cancel(&format!("stopped after its time limit of {limit:?}"));
                }
            }
            Message::Ended(id, worked) => self.ended(id, worked),
        }
        Ok(())
    }
    /// Lets nothing more start.
    pub(super) fn halt(&mut self) {
        self.halted = true;
        self.schedule.feed(Input::Stop);
    }

    fn stop(&mut self, how: Stop) {
        if how != Stop::No {
            self.totals.stopped = true;
            self.halt();
        }
        if how == Stop::Now {
            for id in self.schedule.running_nodes() {
                let active = self.active.get(&id);
                if let Some(held) = active.and_then(|active| active.attempt.as_ref()) {
                    held.cancel.cancel("stopped by the user");
                }
            }
        }
    }
}
