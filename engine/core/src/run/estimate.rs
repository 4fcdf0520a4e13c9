//! What the calls of a stage would cost, without making them: the stage itself runs as far as stored replies
//! carry it, and says at the first that is missing what it would ask. So the estimate knows the very request.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use kyobashi_cache::{Key, Kind, Store};
use kyobashi_stage::{Failure, MODEL_CALL, Outbox, Price, Reply, Request, Shape, Stage};
use serde::Serialize;

use super::memory::call_key;
use crate::exec::native::{self, Calls};
use crate::exec::prepare::{self, wrong};
use crate::exec::{Cancel, Job, Notes};
use crate::plan::key::Resolved;
use crate::spec::{self, Work};

/// Model calls that are known and not stored.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Estimate {
    pub calls: u64,
    /// The prompts alone, US dollars.
    pub least_usd: f64,
    /// Every reply at its limit, US dollars.
    pub most_usd: f64,
    /// Calls without a known price.
    #[serde(skip_serializing_if = "is_zero")]
    pub unpriced: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Estimate {
    /// Adds what another stage run would ask.
    pub fn add(&mut self, other: &Self) {
        self.calls += other.calls;
        self.least_usd += other.least_usd;
        self.most_usd += other.most_usd;
        self.unpriced += other.unpriced;
    }
}

/// Estimates stage runs; a request that several would make counts once.
pub struct Estimator<'a> {
    store: &'a Store,
    stages: &'a BTreeMap<String, Arc<dyn Stage>>,
    shapes: &'a BTreeMap<String, Shape>,
    /// A folder of its own for files that stages would read.
    scratch: &'a Path,
    counted: Arc<Mutex<BTreeSet<Key>>>,
    next: AtomicU64,
}

impl<'a> Estimator<'a> {
    /// An estimator that has counted nothing.
    #[must_use]
    pub fn new(
        store: &'a Store,
        stages: &'a BTreeMap<String, Arc<dyn Stage>>,
        shapes: &'a BTreeMap<String, Shape>,
        scratch: &'a Path,
    ) -> Self {
        Self {
            store,
            stages,
            shapes,
            scratch,
            counted: Arc::default(),
            next: AtomicU64::new(0),
        }
    }

    /// What a stage run would ask next; none if it asks no model, or everything is stored.
    #[must_use]
    pub fn estimate(&self, stage: &spec::Stage, resolved: &Resolved) -> Option<Estimate> {
        let Work::Uses { signature, .. } = &stage.work else {
            return None;
        };
        let model = prepare::model(resolved).ok().flatten()?;
        if !signature.model || model.is_baseline() {
            return None;
        }
        let own = self.stages.get(&signature.name)?;
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let scratch: PathBuf = self.scratch.join(format!("estimate-{number}"));
        std::fs::create_dir_all(&scratch).ok()?;
        let log = std::fs::File::create(scratch.with_extension("log")).ok()?;
        let calls = Arc::new(Dry {
            store: self.store.clone(),
            counted: self.counted.clone(),
            found: Mutex::default(),
        });
        let call = prepare::call(self.store, self.shapes, stage, resolved, &scratch).ok()?;
        let job = Job {
            call,
            script: None,
            scratch: scratch.clone(),
            log,
            threads: 1,
            things: BTreeMap::new(),
            checkpoints: None,
            cancel: Arc::new(Cancel::default()),
            secrets: BTreeMap::new(),
            generation: resolved.generation(),
        };
        let notes: Notes = Arc::new(|_| {});
        // It ends at the first call that is not stored; what it says then is for nobody.
        let _ = native::run(own.as_ref(), &job, &notes, calls.clone());
        // A leftover goes with the folder of the process.
        let _ = std::fs::remove_dir_all(&scratch);
        let found = calls.found.lock().ok()?.clone();
        (found.calls > 0).then_some(found)
    }
}

/// Calls that are looked up and never made.
struct Dry {
    store: Store,
    counted: Arc<Mutex<BTreeSet<Key>>>,
    found: Mutex<Estimate>,
}

impl Calls for Dry {
    fn call(
        &self,
        request: &Request,
        _: &mut dyn FnMut(&dyn Outbox) -> Result<Reply, Failure>,
    ) -> Result<Reply, Failure> {
        let key = call_key(request);
        if let Some(record) = self.store.peek(Kind::Call, &key).map_err(wrong)? {
            return serde_json::from_str(&record.outputs)
                .map_err(|error| Failure::bug(error.to_string()));
        }
        let new = self
            .counted
            .lock()
            .is_ok_and(|mut counted| counted.insert(key));
        if let Ok(mut found) = self.found.lock()
            && new
            && request.kind == MODEL_CALL
        {
            found.calls += 1;
            match request.price {
                Price::Free => {}
                Price::Unknown => found.unpriced += 1,
                Price::Between { least, most } => {
                    found.least_usd += least;
                    found.most_usd += most;
                }
            }
        }
        Err(Failure::new(
            "this call is not stored, and plans ask nobody",
        ))
    }
}
