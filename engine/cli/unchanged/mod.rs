//! A run before which nothing, or little, has changed, told without being gone through again.
//!
//! After a run in which all went well, its events are kept as they would be if everything was reused,
//! beside all that they depended on: the basis of the check, and the standing of the files, of the
//! results and of the index. The next run that is asked for in the same words looks at these alone. Where
//! all of it stands, the events happen again; where some files have changed, so do those of the stages
//! that do not follow from them, and the rest is gone through ([`part`]). Where anything else differs, or
//! cannot be told by a look, the run is made as always.

mod notes;
mod part;

use std::collections::HashSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Instant;

use kyobashi_cache::{Standing, Stat, Store};
use kyobashi_engine::artifact::Artifact;
use kyobashi_engine::run::{Asked, Ended, Event, JOURNAL_VERSION, MadeFrom, Observer, Totals};
use kyobashi_engine::spec::{CachePolicy, Spec, Stage};
use kyobashi_stage::Type;
use serde::{Deserialize, Serialize};
use tempfile::SpooledTempFile;

use crate::arguments::{Calls, Global, Run};
use crate::compiled::{Basis, Request};
use crate::exit::Stopped;
use crate::journal::Journal;
use crate::lines::Lines;
use crate::{kept, surroundings};

pub(crate) use notes::{Ear, Notes};
pub(crate) use part::{Kept, Part};

/// Fewer stage runs than this are gone through in less than a millisecond.
const MANY: u64 = 64;

/// A run that can be told again.
pub(crate) struct Unchanged {
    said: Said,
    standing: Standing,
    /// What was kept, which ends with its lines.
    bytes: Vec<u8>,
    /// Where its events between what it was made from and its outputs begin, as lines.
    lines_at: usize,
}

/// What is kept of a run, beside its standing and its lines.
#[derive(Clone, Serialize, Deserialize)]
struct Said {
    basis: Basis,
    pipeline: String,
    file: String,
    /// Stage runs that were known when it began, and at its end.
    known: (u64, u64),
    made_from: MadeFrom,
    outputs: Vec<(String, Artifact)>,
    /// What each output is declared to be.
    types: Vec<(String, Type)>,
    outputs_made: Event,
    totals: Totals,
    /// How many runs in a row were gone through in part only.
    parts: u32,
}

/// Whether the run is asked for plainly: nothing anew.
pub(crate) fn is_plain(arguments: &Run) -> bool {
    arguments.refresh.is_empty() && arguments.calls == Calls::default()
}

fn types(spec: &Spec) -> Vec<(String, Type)> {
    let outputs = spec.outputs.iter();
    outputs
        .map(|output| (output.name.clone(), output.ty.clone()))
        .collect()
}

fn path(request: &Request<'_>) -> PathBuf {
    request.store.join("unchanged").join(&request.name)
}

impl Unchanged {
    /// The run that was asked for in the same words, if its check would come to the same.
    pub(crate) fn read(request: &Request<'_>) -> Option<Self> {
        let bytes = kept::whole(&path(request))?;
        let (said, mut rest) = kept::apart::<Said>(&bytes)?;
        if said.made_from.machine != surroundings::machine() || !said.basis.holds(request) {
            return None;
        }
        let standing = Standing::read(&mut rest)?;
        Some(Self {
            said,
            standing,
            lines_at: bytes.len() - rest.len(),
            bytes,
        })
    }

    /// The files that are not what they were, if all else on which it depended stands. If not, it is
    /// forgotten.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub(crate) fn changed(
        &self,
        request: &Request<'_>,
        store: &Store,
    ) -> Result<Option<Vec<PathBuf>>, Stopped> {
        let changed = store.changed(&self.standing)?;
        if changed.is_none() {
            // It only takes room: what is there is not believed.
            let _ = std::fs::remove_file(path(request));
        }
        Ok(changed.map(|paths| paths.into_iter().map(Path::to_owned).collect()))
    }

    /// Lets its events happen again, as those of a run of this number; with the type of each output.
    pub(crate) fn tell(
        self,
        global: &Global,
        run: u64,
        asked: Asked,
        journal: Journal,
    ) -> (Ended, Vec<(String, Type)>) {
        let begin = Instant::now();
        let mut observers: Vec<Box<dyn Observer>> = vec![Box::new(journal)];
        if global.json {
            observers.push(Box::new(Lines::default()));
        }
        let mut all = |tell: &dyn Fn(&mut dyn Observer)| {
            observers.iter_mut().for_each(|own| tell(own.as_mut()));
        };
        let started = Event::RunStarted {
            version: JOURNAL_VERSION,
            run,
            pipeline: self.said.pipeline,
            file: self.said.file,
            asked,
            at_ms: surroundings::now_ms(),
            known: self.said.known.0,
        };
        all(&|own| own.see(&started));
        let made_from = Event::MadeFrom(self.said.made_from);
        all(&|own| own.see(&made_from));
        let mut totals = self.said.totals;
        let lines = self.bytes.get(self.lines_at..).unwrap_or_default();
        all(&|own| own.again(lines, &totals));
        totals.seconds = begin.elapsed().as_secs_f64();
        all(&|own| own.see(&self.said.outputs_made));
        let finished = Event::RunFinished(totals.clone());
        all(&|own| own.see(&finished));
        let outputs = self.said.outputs.into_iter();
        let ended = Ended {
            totals,
            failures: Vec::new(),
            cut: Default::default(),
            known: self.said.known.1,
            outputs: outputs.map(|(name, value)| (name, Ok(value))).collect(),
        };
        (ended, self.said.types)
    }
}

/// What is to be kept of a run.
struct Keeping {
    said: Said,
    standing: Standing,
    lines: SpooledTempFile,
}

impl Keeping {
    /// Keeps it for the next time.
    fn keep(mut self, request: &Request<'_>) -> std::io::Result<()> {
        kept::keep(&path(request), |to| {
            kept::put(to, &self.said)?;
            self.standing.write(to)?;
            std::io::copy(&mut self.lines, to).map(drop)
        })
    }
}

/// Keeps a run that was gone through as a whole, if all of it would be reused the next time, which can be
/// told by a look. `looks` is what the disk said of each source.
pub(crate) fn keep<'s>(
    request: &Request<'_>,
    spec: &Spec,
    basis: Basis,
    looks: impl Iterator<Item = (&'s Path, Option<Stat>)>,
    store: &Store,
    notes: Notes,
    ended: &Ended,
) {
    let never = |stage: &Stage| stage.policy.cache == CachePolicy::Never;
    if ended.known < MANY || spec.stages.iter().any(never) {
        return;
    }
    let Some(told) = notes.again(ended) else {
        return;
    };
    let kept = match store.standing(looks, &told.keys, &told.blobs()) {
        Ok(None) => Ok(()),
        Ok(Some(standing)) => {
            let paths: HashSet<&OsStr> = standing.files().map(Path::as_os_str).collect();
            let said = Said {
                basis: basis.beside(&paths),
                pipeline: spec.name.clone(),
                file: spec.file.display().to_string(),
                known: told.known,
                made_from: told.made_from,
                outputs: told.outputs,
                types: types(spec),
                outputs_made: told.outputs_made,
                totals: told.totals,
                parts: 0,
            };
            let keeping = Keeping {
                said,
                standing,
                lines: told.lines,
            };
            keeping.keep(request).map_err(Stopped::fault)
        }
        Err(error) => Err(error.into()),
    };
    if let Err(error) = kept {
        tracing::debug!("the run is not kept for the next: {}", error.message);
    }
}
