//! One attempt at one node, on a blocking thread: inputs to paths, run, outputs to the store, record.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use kyobashi_cache::{Claim, Record, Store};
use kyobashi_stage::{Failure, Shape};
use serde_json::json;

use super::look::Wanted;
use super::memory::{Memory, Sums};
use super::slots::{Slot, Slots};
use crate::artifact::Artifacts;
use crate::exec::{Cancel, Executors, Job, Notes, Script, prepare, publish};
use crate::spec::{Stage, Work};

/// Everything that an attempt needs, owned.
pub(super) struct Attempt {
    pub(super) store: Store,
    pub(super) executors: Arc<Executors>,
    pub(super) shapes: Arc<BTreeMap<String, Shape>>,
    pub(super) stage: Stage,
    pub(super) wanted: Arc<Wanted>,
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

/// Makes the attempt. Nothing is left in the scratch folder afterwards.
pub(super) fn attempt(attempt: &Attempt) -> Worked {
    let begin = Instant::now();
    let slot = attempt.slots.take();
    let mut outcome = match &slot {
        Ok(slot) => run(attempt, slot),
        Err(failure) => Err(failure.clone()),
    };
    let seconds = begin.elapsed().as_secs_f64();
    let mut lost = false;
    let sums = attempt.memory.sums.lock();
    let sums = sums.map(|sums| sums.clone()).unwrap_or_default();
    let refused = attempt.memory.refused.load(Ordering::Relaxed);
    if refused && outcome.is_ok() {
        // What a stage makes of fewer calls than it asked for is not its result.
        outcome = Err(Failure::new("a call did not fit into the budget"));
    }
    if let Ok(artifacts) = &outcome
        && let Err(failure) = save(attempt, artifacts, seconds, &sums)
    {
        outcome = Err(failure);
        lost = true;
    }
    if outcome.is_ok() && attempt.checkpoints.exists() {
        // What stays behind is never read: the result is there now.
        let _ = std::fs::remove_dir_all(&attempt.checkpoints);
    }
    let log = slot.ok();
    let log = log.and_then(|slot| attempt.slots.give_back(slot, &attempt.log));
    Worked {
        outcome,
        seconds,
        usd: sums.usd,
        worth: sums.worth,
        refused,
        log,
        lost,
    }
}

fn run(attempt: &Attempt, slot: &Slot) -> Result<Arc<Artifacts>, Failure> {
    let stage = &attempt.stage;
    let call = prepare::call(
        &attempt.store,
        &attempt.shapes,
        stage,
        &attempt.wanted.resolved,
        &slot.scratch,
    )?;
    let script = match &stage.work {
        Work::Run {
            script, shell, env, ..
        } => {
            let mut declared = BTreeMap::new();
            for binding in env {
                let value = attempt
                    .wanted
                    .resolved
                    .get(&format!("env.{}", binding.name));
                let text = match value.and_then(crate::artifact::Artifact::plain) {
                    Some(serde_json::Value::String(text)) => text,
                    Some(value) => value.to_string(),
                    None => return Err(Failure::new(format!("`env.{}` is a file", binding.name))),
                };
                declared.insert(binding.name.clone(), text);
            }
            Some(Script {
                text: script.clone(),
                shell: shell.clone(),
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
    };
    let answer = attempt
        .executors
        .run(&job, &attempt.notes, attempt.memory.clone());
    let outputs = if stage.policy.may_fail && job.script.is_none() {
        publish::as_data(answer)?
    } else {
        answer?
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

/// Saves the record: from here on the result is there for every later run.
fn save(
    attempt: &Attempt,
    artifacts: &Artifacts,
    seconds: f64,
    sums: &Sums,
) -> Result<(), Failure> {
    let claim = attempt.claim.lock().ok().and_then(|mut claim| claim.take());
    let Some(claim) = claim else { return Ok(()) };
    let short = publish::for_record(&attempt.store, artifacts)?;
    let mut blobs = Vec::new();
    short
        .values()
        .for_each(|artifact| artifact.blobs(&mut blobs));
    let mut note = attempt.note.clone();
    if !sums.keys.is_empty() {
        note["calls"] = json!(sums.keys);
    }
    let record = Record {
        outputs: text(&short),
        blobs,
        recipe: text(&attempt.wanted.recipe),
        usd: sums.worth,
        seconds,
        started_at_ms: attempt.started_at_ms,
        note: note.to_string(),
    };
    claim.save(record).map_err(prepare::wrong)
}

/// JSON text of artifacts and recipes, which cannot fail.
fn text(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("artifacts and recipes are JSON")
}
