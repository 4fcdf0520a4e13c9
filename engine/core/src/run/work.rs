//! One attempt at one node, on a blocking thread: inputs to paths, run, outputs to the store, record.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use kyobashi_cache::{Claim, Record, Store, StoreError};
use kyobashi_stage::{Failure, Shape};
use serde_json::json;

use super::memory::{Memory, Sums};
use super::settle::uses;
use super::slots::{Slot, Slots};
use crate::artifact::Artifacts;
use crate::exec::renamed::renamed;
use crate::exec::{Cancel, Executors, Job, Notes, Script, prepare, publish, untouched};
use crate::plan::key::Resolved;
use crate::spec::{Stage, Work};

/// Everything that an attempt needs, owned.
pub(super) struct Attempt {
    pub(super) store: Store,
    pub(super) executors: Arc<Executors>,
    pub(super) shapes: Arc<BTreeMap<String, Shape>>,
    pub(super) stage: Stage,
    pub(super) resolved: Resolved,
    /// What goes into the record beside the outputs: provenance, machine, address.
    pub(super) note: serde_json::Value,
    pub(super) slots: Arc<Slots>,
    /// Where the log is kept, if anything is written to it.
    pub(super) log: PathBuf,
    pub(super) threads: u32,
    pub(super) things: BTreeMap<String, Vec<String>>,
    pub(super) cancel: Arc<Cancel>,
    pub(super) secrets: BTreeMap<String, String>,
    pub(super) notes: Notes,
    pub(super) memory: Arc<Memory>,
    pub(super) started_at_ms: u64,
    /// None where nothing is to be written (`cache: never`).
    pub(super) claim: Arc<Mutex<Option<Claim>>>,
    /// A folder of this key alone, which outlives a killed attempt.
    pub(super) checkpoints: PathBuf,
}

/// What an attempt came to.
pub(super) struct Worked {
    pub(super) outcome: Result<Arc<Artifacts>, Failure>,
    pub(super) seconds: f64,
    /// Paid, US dollars, also when it failed.
    pub(super) usd: f64,
    /// Where the log is, if there is one.
    pub(super) log: Option<PathBuf>,
    /// Whether there is a result that the store could not keep.
    pub(super) lost: bool,
    /// What its calls cost, whenever they were paid, US dollars.
    pub(super) worth: f64,
    /// Whether a call did not fit into the budget.
    pub(super) refused: bool,
}

/// Makes the attempt. Nothing is left in the scratch folder afterwards. `end` is called when its result
/// is committed, on a thread of the store, or when it has failed.
pub(super) fn attempt(attempt: &Attempt, end: impl FnOnce(Worked) + Send + 'static) {
    let begin = Instant::now();
    let slot = attempt.slots.take();
    let outcome = match &slot {
        Ok(slot) => run(attempt, slot),
        Err(failure) => Err(failure.clone()),
    };
    let seconds = begin.elapsed().as_secs_f64();
    let sums = attempt.memory.sums.lock();
    let sums = sums.map(|sums| sums.clone()).unwrap_or_default();
    let refused = attempt.memory.refused.load(Ordering::Relaxed);
    let outcome = match outcome {
        // What a stage makes of fewer calls than it asked for is not its result.
        Ok(_) if refused => Err(Failure::new("a call did not fit into the budget")),
        outcome => outcome,
    };
    let log = slot.ok();
    let log = log.and_then(|slot| attempt.slots.give_back(slot, &attempt.log));
    let worked = Worked {
        outcome,
        seconds,
        usd: sums.usd,
        worth: sums.worth,
        refused,
        log,
        lost: false,
    };
    let prepared = match &worked.outcome {
        Ok(artifacts) => record(attempt, artifacts, seconds, &sums),
        Err(_) => Ok(None),
    };
    let (claim, record) = match prepared {
        Ok(Some(prepared)) => prepared,
        Ok(None) => return end(worked),
        Err(failure) => return end(worked.failed(failure)),
    };
    let done = attempt
        .executors
        .workers
        .contains_key(&uses(&attempt.stage.work))
        .then(|| attempt.checkpoints.clone());
    let end = Arc::new(Mutex::new(Some((worked, end))));
    let told = end.clone();
    let tell = move |saved: Result<(), StoreError>| {
        let Some((worked, end)) = taken(&told) else {
            return;
        };
        if let (Ok(()), Some(checkpoints)) = (&saved, done) {
            // What stays behind is never read: the result is there now.
            let _ = std::fs::remove_dir_all(checkpoints);
        }
        match saved {
            Ok(()) => end(worked),
            Err(error) => end(worked.failed(prepare::wrong(error))),
        }
    };
    if let Err(error) = claim.save_now_then(record, tell)
        && let Some((worked, end)) = taken(&end)
    {
        end(worked.failed(prepare::wrong(error)));
    }
}

fn taken<T>(slot: &Mutex<Option<T>>) -> Option<T> {
    slot.lock().ok().and_then(|mut slot| slot.take())
}

impl Worked {
    /// There is a result, and the store could not keep it.
    fn failed(self, failure: Failure) -> Self {
        Self {
            outcome: Err(failure),
            lost: true,
            ..self
        }
    }
}

fn run(attempt: &Attempt, slot: &Slot) -> Result<Arc<Artifacts>, Failure> {
    let stage = &attempt.stage;
    let call = prepare::call(
        &attempt.store,
        &attempt.shapes,
        stage,
        &attempt.resolved,
        &slot.scratch,
    )?;
    let script = match &stage.work {
        Work::Run {
            script, shell, env, ..
        } => {
            let mut declared = BTreeMap::new();
            for binding in env {
                let value = attempt.resolved.get(&format!("env.{}", binding.name));
                let text = match value.and_then(crate::artifact::Artifact::plain) {
                    Some(serde_json::Value::String(text)) => text,
                    Some(value) => value.to_string(),
                    None => return Err(Failure::new(format!("`env.{}` is a file", binding.name))),
                };
                declared.insert(binding.name.clone(), text);
            }
            Some(Script {
                text: script.clone(),
                shell: shell.to_vec(),
                env: declared,
                may_fail: stage.policy.may_fail,
            })
        }
        _ => None,
    };
    let ports = call.outs.clone();
    let checkpoints = attempt.executors.workers.contains_key(&call.uses);
    if checkpoints {
        std::fs::create_dir_all(&attempt.checkpoints).map_err(|error| {
            Failure::passing(format!(
                "cannot make {}: {error}",
                attempt.checkpoints.display()
            ))
        })?;
    }
    let job = Job {
        checkpoints: checkpoints.then(|| attempt.checkpoints.clone()),
        call,
        script,
        scratch: slot.scratch.clone(),
        log: slot.log()?,
        threads: attempt.threads,
        things: attempt.things.clone(),
        cancel: attempt.cancel.clone(),
        secrets: attempt.secrets.clone(),
        generation: attempt.resolved.generation(),
    };
    let looks = match job.script {
        Some(_) => untouched::looks(&attempt.store, &job.call),
        None => Vec::new(),
    };
    let answer = attempt
        .executors
        .run(&job, &attempt.notes, attempt.memory.clone());
    untouched::check(&attempt.store, &looks)?;
    let outputs = if stage.policy.may_fail && job.script.is_none() {
        publish::as_data(answer)?
    } else {
        answer.map_err(|failure| renamed(failure, &job.call, &attempt.resolved))?
    };
    let published = publish::publish(
        &attempt.store,
        &attempt.shapes,
        &ports,
        outputs,
        stage.policy.may_fail,
    );
    published.map(Arc::new)
}

/// The record, with the right to save it: from then on the result is there for every later run. None
/// where nothing is to be kept.
fn record(
    attempt: &Attempt,
    artifacts: &Artifacts,
    seconds: f64,
    sums: &Sums,
) -> Result<Option<(Claim, Record)>, Failure> {
    let Some(claim) = taken(&attempt.claim) else {
        return Ok(None);
    };
    let short = publish::for_record(&attempt.store, artifacts)?;
    let mut blobs = Vec::new();
    short
        .values()
        .for_each(|artifact| artifact.blobs(&mut blobs));
    let mut note = attempt.note.clone();
    if !sums.keys.is_empty() {
        note["calls"] = json!(sums.keys);
    }
    let recipe = attempt.resolved.recipe();
    let record = Record {
        outputs: text(&short),
        blobs,
        recipe: text(&recipe.map_err(|_| Failure::bug("a key without its fields"))?),
        usd: sums.worth,
        seconds,
        started_at_ms: attempt.started_at_ms,
        note: note.to_string(),
    };
    Ok(Some((claim, record)))
}

/// JSON text of artifacts and recipes, which cannot fail.
fn text(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("artifacts and recipes are JSON")
}
