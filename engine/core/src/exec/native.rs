//! Runs a stage inside this process, with a [`Context`] over the store.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use kyobashi_stage::{Context, Failure, Note, Outbox, Outputs, Reply, Request, Stage};

use super::{Cancel, Job, Notes};

/// Keyed calls to the world, remembered.
pub trait Calls: Send + Sync {
    /// The remembered reply, or that of `perform`, which is then remembered durably.
    ///
    /// # Errors
    /// What `perform` returned, or that the store could not be read or written.
    fn call(
        &self,
        request: &Request,
        perform: &mut dyn FnMut(&dyn Outbox) -> Result<Reply, Failure>,
    ) -> Result<Reply, Failure>;
}

struct Inside<'a> {
    scratch: &'a Path,
    notes: &'a Notes,
    cancel: &'a Cancel,
    secrets: &'a BTreeMap<String, String>,
    calls: Arc<dyn Calls>,
    generation: u64,
}

impl Context for Inside<'_> {
    fn call(
        &self,
        request: &Request,
        perform: &mut dyn FnMut(&dyn Outbox) -> Result<Reply, Failure>,
    ) -> Result<Reply, Failure> {
        self.calls.call(request, perform)
    }

    fn note(&self, note: Note) {
        (self.notes)(note);
    }

    fn scratch(&self) -> &Path {
        self.scratch
    }

    fn cancelled(&self) -> bool {
        self.cancel.asked()
    }

    fn secret(&self, name: &str) -> Option<String> {
        self.secrets.get(name).cloned()
    }

    fn generation(&self) -> u64 {
        self.generation
    }
}

/// Runs one job; a panic is a failure that says so.
pub(crate) fn run(
    stage: &dyn Stage,
    job: &Job,
    notes: &Notes,
    calls: Arc<dyn Calls>,
) -> Result<Outputs, Failure> {
    let inside = Inside {
        scratch: &job.scratch,
        notes,
        cancel: &job.cancel,
        secrets: &job.secrets,
        calls,
        generation: job.generation,
    };
    catch_unwind(AssertUnwindSafe(|| stage.run(&job.call, &inside))).unwrap_or_else(|panic| {
        let text = panic
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_default();
        Err(Failure::bug(format!(
            "`{}` panicked: {text}",
            job.call.uses
        )))
    })
}
