//! Keyed calls to the world, remembered in the store: a model's reply is paid for once.

use std::sync::Mutex;

use kyobashi_cache::{Key, Kind, Lookup, Record, Store};
use kyobashi_stage::{Failure, Reply, Request};
use serde_json::json;

use super::event::CallState;
use crate::artifact::canonical;
use crate::exec::native::Calls;
use crate::exec::prepare::wrong;
use crate::exec::shell::full;

/// Told of a call, its key, whether it was made now, and what it cost (US dollars).
pub(super) type Tell = Box<dyn Fn(&Request, Key, CallState, f64) + Send + Sync>;

/// The calls of one stage run.
pub(super) struct Memory {
    pub(super) store: Store,
    /// Told of every call.
    pub(super) tell: Tell,
    /// Paid by this stage run, US dollars.
    pub(super) usd: Mutex<f64>,
}

/// The key of a request: everything in it.
pub(super) fn key(request: &Request) -> Key {
    let document = json!({ "kind": request.kind, "document": request.document });
    Key::of(format!("kyobashi call 1\n{}", canonical(&document)).as_bytes())
}

impl Calls for Memory {
    fn call(
        &self,
        request: &Request,
        perform: &mut dyn FnMut() -> Result<Reply, Failure>,
    ) -> Result<Reply, Failure> {
        let key = key(request);
        let claim = loop {
            match self.store.look(Kind::Call, &key).map_err(wrong)? {
                Lookup::Hit(record) => {
                    let reply = serde_json::from_str(&record.outputs)
                        .map_err(|error| Failure::bug(format!("a reply is broken: {error}")))?;
                    (self.tell)(request, key, CallState::Reused, 0.0);
                    return Ok(reply);
                }
                Lookup::Miss(claim) => break claim,
                // Somebody asks the same just now: that reply is ours too.
                Lookup::Busy(waiter) => waiter.wait().map_err(wrong)?,
            }
        };
        if full(self.store.dir()) {
            // A reply that cannot be kept would be paid for again.
            return Err(Failure::passing(format!(
                "nothing was asked: the disk of {} is full",
                self.store.dir().display()
            ))
            .help("free some space, or choose another place with `--store`"));
        }
        let reply = perform()?;
        if let Ok(mut usd) = self.usd.lock() {
            *usd += reply.usd;
        }
        let outputs = serde_json::to_string(&reply)
            .map_err(|error| Failure::bug(format!("a reply is not JSON: {error}")))?;
        let record = Record {
            outputs,
            recipe: canonical(&json!({ "kind": request.kind, "document": request.document })),
            usd: reply.usd,
            ..Record::default()
        };
        claim.save_durably(record).map_err(wrong)?;
        (self.tell)(request, key, CallState::Made, reply.usd);
        Ok(reply)
    }
}
