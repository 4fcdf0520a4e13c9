//! Starts an attempt on a blocking thread, with everything that it needs.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use super::drive::{Driver, Message, RunError, Settings};
use super::event::Event;
use super::memory::Memory;
use super::settle::uses;
use super::slots::log_name;
use super::work::{Attempt, attempt};
use super::{generation, provenance};
use crate::exec::{Notes, prepare};
use crate::plan::NodeId;
use crate::plan::key::Resolved;
use crate::spec::Spec;

impl Driver<'_> {
    /// Starts an attempt at a node.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) fn start(&mut self, id: NodeId) -> Result<(), RunError> {
        if !self.claimed(id)? {
            return Ok(());
        }
        let stage = self.schedule.stage(id).clone();
        let address = self.address(id);
        let resolved = generation::resolved(&self.schedule, id, &self.settings.machine);
        let Some(active) = self.active.get_mut(&id) else {
            return Ok(());
        };
        active.tries += 1;
        let (tries, key) = (active.tries, active.key);
        let Some(held) = &mut active.attempt else {
            return Ok(());
        };
        // One that ran out of its time may be tried again.
        held.cancel = Arc::default();
        let (claim, cancel) = (held.claim.clone(), held.cancel.clone());
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
            shared: self.shared.clone(),
            address: address.clone(),
            cancel: cancel.clone(),
            tell: {
                let sender = sender.clone();
                Box::new(move |told| {
                    let _ = sender.send(Message::Called(id, told));
                })
            },
            sums: Mutex::default(),
            refused: AtomicBool::new(false),
        };
        let taken = self.schedule.taken(id);
        let cpus = taken.amounts.get("cpu").copied().unwrap_or(1.0);
        let secrets = secrets(self.settings, &stage.policy.secrets, self.spec, &resolved);
        let job = Attempt {
            store: self.store.clone(),
            executors: self.executors.clone(),
            shapes: self.shapes.clone(),
            resolved,
            note: serde_json::json!({
                "run": self.settings.run,
                "address": address,
                "machine": self.settings.machine,
                "provenance": self.provenance.get(id).and_then(provenance::word),
            }),
            slots: self.slots.clone(),
            log: self
                .settings
                .logs
                .join(log_name(&address, id.index(), tries)),
            threads: (cpus.max(1.0)) as u32,
            things: taken.things.clone(),
            cancel,
            secrets,
            notes,
            memory: Arc::new(memory),
            started_at_ms: (self.settings.now_ms)(),
            claim,
            checkpoints: self.store.dir().join("checkpoints").join(key.to_string()),
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
        let things = taken.things;
        self.tell(&Event::NodeStarted {
            address,
            uses,
            things,
        });
        tokio::task::spawn_blocking(move || {
            // The run may be over.
            attempt(&job, move |worked| {
                drop(sender.send(Message::Ended(id, worked)));
            });
        });
        Ok(())
    }
}

/// The secrets that a stage listed, and the key of its model's provider, by environment variable.
fn secrets(
    settings: &Settings,
    listed: &[String],
    spec: &Spec,
    resolved: &Resolved,
) -> BTreeMap<String, String> {
    let provider = prepare::model(resolved)
        .ok()
        .flatten()
        .map(|model| model.provider);
    let listed = listed
        .iter()
        .filter_map(|name| Some(spec.secrets.get(name)?.env.clone()));
    let key = provider.and_then(|name| settings.provider_keys.get(&name).cloned());
    listed
        .chain(key)
        .filter_map(|name| Some((name.clone(), settings.secrets.get(&name)?.clone())))
        .collect()
}
