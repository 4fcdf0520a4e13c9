//! How a call is carried out: in this process ([`native`]), in a worker process ([`worker`]), or as a
//! shell command ([`shell`]). In reading order: [`Job`] and [`Executors`] here, then `prepare` (inputs
//! from the store to paths) and `publish` (outputs from the scratch folder into the store).
//!
//! An executor knows nothing of the graph, of keys, or of what else is running.

pub mod keeper;
pub mod native;
mod plain;
pub mod prepare;
mod program;
pub mod publish;
pub mod renamed;
pub mod shell;
mod things;
pub mod tree;
pub mod untouched;
pub mod worker;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kyobashi_stage::{Call, Failure, Note, Outputs, Retry, Stage};

/// One attempt at a call.
pub struct Job {
    pub call: Call,
    /// For `run:` stages: what the shell is given.
    pub script: Option<Script>,
    /// An empty folder of this attempt alone.
    pub scratch: PathBuf,
    /// Where what it says goes, open for reading and appending.
    pub log: std::fs::File,
    pub threads: u32,
    /// What this attempt alone has of indexed pools: `gpu` → `GPU-5d2a…`.
    pub things: BTreeMap<String, Vec<String>>,
    /// Where a worker may save how far it is; the same folder for the next attempt at the same call.
    pub checkpoints: Option<PathBuf>,
    pub cancel: Arc<Cancel>,
    /// Names of secrets that the stage may read.
    pub secrets: BTreeMap<String, String>,
    /// Which generation of its model's replies it takes.
    pub generation: u64,
}

/// A `run:` stage.
pub struct Script {
    pub text: String,
    pub shell: Vec<String>,
    /// Declared environment.
    pub env: BTreeMap<String, String>,
    pub may_fail: bool,
}

/// Who carries out what.
pub struct Executors {
    /// Stage types that run in this process, by name.
    pub stages: BTreeMap<String, Arc<dyn Stage>>,
    /// Stage types that run in a worker process.
    pub workers: BTreeMap<String, Arc<worker::Pool>>,
    /// What a shell command sees of the surroundings: `PATH`, `HOME`, …
    pub environment: BTreeMap<String, String>,
    /// Ends what scripts left running when this process is killed.
    pub keeper: keeper::Keeper,
}

/// Reports progress.
pub type Notes = Arc<dyn Fn(Note) + Send + Sync>;

/// Stops a running job, whatever carries it out.
#[derive(Default)]
pub struct Cancel {
    asked: AtomicBool,
    /// The process group to be killed, or 0.
    group: AtomicI32,
    reason: Mutex<Option<String>>,
}

impl Cancel {
    /// Whether the job should give up.
    pub fn asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// Why, in words for the failure.
    pub fn reason(&self) -> Option<String> {
        self.reason.lock().ok().and_then(|reason| reason.clone())
    }

    /// Asks the job to give up and kills its processes.
    pub fn cancel(&self, reason: &str) {
        if let Ok(mut own) = self.reason.lock() {
            own.get_or_insert_with(|| reason.to_owned());
        }
        self.asked.store(true, Ordering::SeqCst);
        tree::kill_all(self.group.load(Ordering::SeqCst));
    }

    /// Names the process group that carries the job out; kills it at once if that was asked already.
    pub(crate) fn watch(&self, group: i32) {
        self.group.store(group, Ordering::SeqCst);
        if self.asked.load(Ordering::SeqCst) {
            tree::kill_all(group);
        }
    }

    /// The process group has ended.
    pub(crate) fn unwatch(&self) {
        self.group.store(0, Ordering::SeqCst);
    }
}

impl Executors {
    /// Starts what scripts need before the first of them is there, meanwhile.
    pub fn prepare(self: &Arc<Self>) {
        let own = Arc::clone(self);
        std::thread::spawn(move || own.keeper.begin());
    }

    /// Carries out a job, blocking.
    ///
    /// # Errors
    /// The stage's failure; a panic of an in-process stage becomes one too.
    pub fn run(
        &self,
        job: &Job,
        notes: &Notes,
        calls: Arc<dyn native::Calls>,
    ) -> Result<Outputs, Failure> {
        let answer = if let Some(script) = &job.script {
            self.keeper.begin();
            shell::run(job, script, &self.environment)
        } else if let Some(pool) = self.workers.get(&job.call.uses) {
            pool.run(job, notes)
        } else if let Some(stage) = self.stages.get(&job.call.uses) {
            native::run(stage.as_ref(), job, notes, calls)
        } else {
            Err(Failure::bug(format!(
                "nothing here carries out `{}`",
                job.call.uses
            )))
        };
        match (answer, job.cancel.reason()) {
            (Err(failure), Some(reason)) => Err(Failure {
                // What the stage said until then stays: it tells where it hung.
                message: match failure.message.split_once('\n') {
                    Some((_, said)) => format!("{reason}\n{said}"),
                    None => reason,
                },
                // More time, or none to share it with, may help; a user who stops the run is asked elsewhere.
                retry: Retry::Possible,
                ..failure
            }),
            (answer, _) => answer,
        }
    }
}

/// How long a killed worker or command is waited for.
pub(crate) const GRACE: Duration = Duration::from_secs(5);
