//! Keyed calls to the world, remembered in the store: a model's reply is paid for once.
//!
//! | mode | reads stored replies | asks | stores |
//! |---|---|---|---|
//! | live | yes | on a miss | yes |
//! | replay | yes | never: a miss is a failure | – |
//! | refresh | those of this run | once for each request | yes |
//! | off | no | always | no |

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use kyobashi_cache::{Claim, Key, Kind, Lookup, Record, Store};
use kyobashi_stage::{Failure, Outbox, Reply, Request, Retry, Tokens};
use serde_json::{Value, json};

use super::event::CallState;
use super::ledger::{Ledger, Open};
use super::nearest::missed;
use super::purse::{Purse, Settled};
use crate::artifact::canonical;
use crate::exec::Cancel;
use crate::exec::native::Calls;
use crate::exec::prepare::wrong;
use crate::exec::shell::full;

/// How calls use the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    #[default]
    Live,
    Replay,
    Refresh,
    Off,
}

impl Mode {
    /// Whether stages that ask models are run although their results are there.
    #[must_use]
    pub fn asks_anew(self) -> bool {
        matches!(self, Self::Refresh | Self::Off)
    }
}

/// What all calls of a run share.
pub(super) struct Shared {
    pub(super) mode: Mode,
    pub(super) purse: Purse,
    pub(super) ledger: Ledger,
    /// Requests that were asked anew in this run.
    pub(super) anew: Mutex<BTreeSet<Key>>,
    pub(super) run: u64,
    pub(super) now_ms: fn() -> u64,
}

/// One call, as the events tell it.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) kind: String,
    pub(super) who: String,
    pub(super) key: Key,
    pub(super) state: CallState,
    /// Paid now, and what a stored reply once cost, US dollars.
    pub(super) usd: f64,
    pub(super) saved_usd: f64,
    pub(super) tokens: Option<Tokens>,
}

/// Told of every call.
pub(super) type Tell = Box<dyn Fn(Told) + Send + Sync>;

/// The calls of one stage run.
pub(super) struct Memory {
    pub(super) store: Store,
    pub(super) shared: Arc<Shared>,
    pub(super) address: String,
    pub(super) cancel: Arc<Cancel>,
    pub(super) tell: Tell,
    pub(super) sums: Mutex<Sums>,
    /// Whether a call did not fit into the budget.
    pub(super) refused: AtomicBool,
}

/// What the calls of a stage run came to.
#[derive(Clone, Debug, Default)]
pub(super) struct Sums {
    /// Paid now, US dollars.
    pub(super) usd: f64,
    /// Paid now or by an earlier run for what is used here, US dollars.
    pub(super) worth: f64,
    /// The calls, in order.
    pub(super) keys: Vec<Key>,
}

/// The key of a request: everything in it but its price.
#[must_use]
pub fn call_key(request: &Request) -> Key {
    Key::of(format!("kyobashi call 1\n{}", canonical(&recipe(request))).as_bytes())
}

/// The readable form of a request.
pub(super) fn recipe(request: &Request) -> Value {
    json!({ "kind": request.kind, "document": request.document })
}

impl Memory {
    /// A stored reply, or the claim to make it; neither where nothing is stored.
    fn look(&self, key: Key) -> Result<Result<Reply, Option<Claim>>, Failure> {
        let anew = match self.shared.mode {
            Mode::Off => return Ok(Err(None)),
            Mode::Refresh => self
                .shared
                .anew
                .lock()
                .is_ok_and(|mut anew| anew.insert(key)),
            Mode::Live | Mode::Replay => false,
        };
        loop {
            let looked = match (anew, self.shared.mode) {
                (true, _) => self.store.claim(Kind::Call, &key),
                (false, Mode::Replay) => {
                    let found = self.store.peek(Kind::Call, &key).map_err(wrong)?;
                    return found.map_or(Ok(Err(None)), |record| reply(&record).map(Ok));
                }
                (false, _) => self.store.look(Kind::Call, &key),
            };
            match looked.map_err(wrong)? {
                Lookup::Hit(record) => return reply(&record).map(Ok),
                Lookup::Miss(claim) => return Ok(Err(Some(claim))),
                // Somebody asks the same just now: that reply is ours too.
                Lookup::Busy(waiter) => waiter.wait().map_err(wrong)?,
            }
        }
    }

    fn note(&self, told: Told) {
        if let Ok(mut sums) = self.sums.lock() {
            sums.usd += told.usd;
            sums.worth += told.usd + told.saved_usd;
            sums.keys.push(told.key);
        }
        (self.tell)(told);
    }
}

/// Writes down what leaves for one call.
struct Out<'m> {
    memory: &'m Memory,
    request: &'m Request,
    started_at_ms: u64,
    /// Of requests that left and did not come back.
    intents: Mutex<Vec<Open>>,
}

impl Outbox for Out<'_> {
    fn leaves(&self) -> Result<(), Failure> {
        let memory = self.memory;
        let (ledger, run) = (&memory.shared.ledger, memory.shared.run);
        let intent = ledger.begin(self.request, &memory.address, run, self.started_at_ms)?;
        if let Ok(mut intents) = self.intents.lock() {
            intents.push(intent);
        }
        Ok(())
    }

    fn came_back(&self) {
        if let Some(intent) = self.intents.lock().ok().and_then(|mut all| all.pop()) {
            intent.end();
        }
    }
}

fn reply(record: &Record) -> Result<Reply, Failure> {
    serde_json::from_str(&record.outputs)
        .map_err(|error| Failure::bug(format!("a stored reply is broken: {error}")))
}

impl Calls for Memory {
    fn call(
        &self,
        request: &Request,
        perform: &mut dyn FnMut(&dyn Outbox) -> Result<Reply, Failure>,
    ) -> Result<Reply, Failure> {
        let key = call_key(request);
        let told = |state, usd, saved_usd, tokens| Told {
            kind: request.kind.clone(),
            who: request.who.clone(),
            key,
            state,
            usd,
            saved_usd,
            tokens,
        };
        let claim = match self.look(key)? {
            Ok(reply) => {
                self.note(told(CallState::Reused, 0.0, reply.usd, reply.tokens));
                return Ok(reply);
            }
            Err(claim) => claim,
        };
        if self.shared.mode == Mode::Replay {
            return Err(missed(&self.store, request).map_err(wrong)?);
        }
        if full(self.store.dir()) {
            // A reply that cannot be kept would be paid for again.
            return Err(Failure::passing(format!(
                "nothing was asked: the disk of {} is full",
                self.store.dir().display()
            ))
            .help("free some space, or choose another place with `--store`"));
        }
        let shared = &self.shared;
        let held = shared
            .purse
            .reserve(request, &|| self.cancel.asked())
            .inspect_err(|failure| {
                if failure.retry == Retry::Never {
                    self.refused.store(true, Ordering::Relaxed);
                }
            })?;
        let started_at_ms = (shared.now_ms)();
        let out = Out {
            memory: self,
            request,
            started_at_ms,
            intents: Mutex::default(),
        };
        let begin = Instant::now();
        let done = perform(&out);
        let intents = out.intents.into_inner().unwrap_or_default();
        let sent = u32::try_from(intents.len()).unwrap_or(u32::MAX);
        let reply = match done {
            Ok(reply) => reply,
            Err(failure) => {
                let lost = Settled {
                    paid: None,
                    lost: sent,
                };
                shared.purse.settle(held, lost);
                return Err(failure);
            }
        };
        // The one that was answered is paid; those before it of which nothing was heard are perhaps billed.
        let lost = sent.saturating_sub(1);
        let paid = Some(reply.usd);
        shared.purse.settle(held, Settled { paid, lost });
        if let Some(claim) = claim {
            let outputs = serde_json::to_string(&reply)
                .map_err(|error| Failure::bug(format!("a reply is not JSON: {error}")))?;
            let record = Record {
                outputs,
                recipe: canonical(&recipe(request)),
                usd: reply.usd,
                seconds: begin.elapsed().as_secs_f64(),
                started_at_ms,
                note: json!({"run": shared.run, "address": self.address, "who": request.who})
                    .to_string(),
                ..Record::default()
            };
            claim.save_durably(record).map_err(wrong)?;
        }
        if let Some(answered) = intents.into_iter().next_back() {
            answered.end();
        }
        self.note(told(CallState::Made, reply.usd, 0.0, reply.tokens));
        Ok(reply)
    }
}
