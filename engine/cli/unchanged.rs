//! A run before which nothing has changed, told without being gone through again.
//!
//! After a run in which everything was reused, its events are kept beside all that they depended on: the
//! basis of the check, and the standing of the files, of the results and of the index. The next run that
//! is asked for in the same words looks at these alone; where all of it stands, the events happen again.
//! Where anything differs, or cannot be told by a look, the run is made as always.

use std::collections::HashSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use kyobashi_cache::{Digest, Key, Standing, Store};
use kyobashi_engine::artifact::Artifact;
use kyobashi_engine::plan::Sources;
use kyobashi_engine::run::{
    Asked, Ended, Event, FinalState, JOURNAL_VERSION, MadeFrom, Observer, Totals,
};
use serde::{Deserialize, Serialize};

use crate::arguments::{Calls, Global, Run};
use crate::compiled::{self, Basis, Compiled, Request};
use crate::exit::Stopped;
use crate::journal::Journal;
use crate::lines::Lines;
use crate::surroundings;

/// Fewer stage runs than this are gone through in less than a millisecond.
const MANY: u64 = 64;

/// A run that can be told again.
pub(crate) struct Unchanged {
    said: Said,
    standing: Standing,
    /// Its events between what it was made from and its outputs, as lines.
    lines: Vec<u8>,
}

/// What is read of it before anything is looked at.
#[derive(Serialize, Deserialize)]
struct Said {
    basis: Basis,
    pipeline: String,
    file: String,
    /// Stage runs that were known when it began, and at its end.
    known: (u64, u64),
    made_from: MadeFrom,
    outputs: Vec<(String, Artifact)>,
    outputs_made: Event,
    totals: Totals,
}

/// Whether the run is asked for plainly: nothing anew, no delivery.
pub(crate) fn is_plain(arguments: &Run) -> bool {
    arguments.refresh.is_empty() && arguments.out.is_none() && arguments.calls == Calls::default()
}

fn path(request: &Request<'_>) -> PathBuf {
    request.store.join("unchanged").join(&request.name)
}

impl Unchanged {
    /// The run that was asked for in the same words, if its check would come to the same.
    pub(crate) fn read(request: &Request<'_>) -> Option<Self> {
        let bytes = compiled::whole(&path(request))?;
        let (said, rest) = compiled::apart::<Said>(&bytes)?;
        let (standing, lines) = compiled::apart::<usize>(rest)
            .and_then(|(length, rest)| rest.split_at_checked(length))?;
        let machine = surroundings::machine();
        let holds = said.made_from.machine == machine && said.basis.holds(request);
        let standing = holds.then(|| Standing::from_bytes(standing)).flatten()?;
        Some(Self {
            said,
            standing,
            lines: lines.to_vec(),
        })
    }

    /// Whether everything that it depended on stands. If not, it is forgotten.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub(crate) fn stands(&self, request: &Request<'_>, store: &Store) -> Result<bool, Stopped> {
        let stands = store.stands(&self.standing)?;
        if !stands {
            // It only takes room: what is there is not believed.
            let _ = std::fs::remove_file(path(request));
        }
        Ok(stands)
    }

    /// Lets its events happen again, as those of a run of this number.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub(crate) fn tell(
        self,
        global: &Global,
        run: u64,
        asked: Asked,
        mut journal: Journal,
    ) -> Result<Ended, Stopped> {
        let begin = Instant::now();
        let mut tell = |event: &Event| {
            journal.see(event);
            if global.json {
                Lines.see(event);
            }
        };
        tell(&Event::RunStarted {
            version: JOURNAL_VERSION,
            run,
            pipeline: self.said.pipeline,
            file: self.said.file,
            asked,
            at_ms: surroundings::now_ms(),
            known: self.said.known.0,
        });
        tell(&Event::MadeFrom(self.said.made_from));
        journal.again(&self.lines);
        if global.json {
            std::io::stdout().lock().write_all(&self.lines)?;
        }
        let totals = Totals {
            seconds: begin.elapsed().as_secs_f64(),
            ..self.said.totals
        };
        for event in [self.said.outputs_made, Event::RunFinished(totals.clone())] {
            journal.see(&event);
            if global.json {
                Lines.see(&event);
            }
        }
        let outputs = self.said.outputs.into_iter();
        Ok(Ended {
            totals,
            failures: Vec::new(),
            cut: Default::default(),
            known: self.said.known.1,
            outputs: outputs.map(|(name, value)| (name, Ok(value))).collect(),
        })
    }
}

/// Remembers the events of a run as long as everything in it is reused.
#[derive(Clone, Default)]
pub(crate) struct Memory(Arc<Mutex<Remembered>>);

#[derive(Default)]
struct Remembered {
    /// Something was not reused.
    spoiled: bool,
    lines: Vec<u8>,
    keys: Vec<Key>,
    known: u64,
    made_from: MadeFrom,
    outputs_made: Option<Event>,
    totals: Totals,
}

impl Memory {
    fn lock(&self) -> MutexGuard<'_, Remembered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the run for the next time, if everything in it was reused and can be told by a look.
    pub(crate) fn keep(
        &self,
        request: &Request<'_>,
        compiled: &Compiled,
        sources: &Sources,
        store: &Store,
        ended: &Ended,
    ) {
        if ended.known < MANY {
            return;
        }
        let own = std::mem::take(&mut *self.lock());
        if let Err(error) = own.keep(request, compiled, sources, store, ended) {
            tracing::debug!("the run is not kept for the next: {}", error.message);
        }
    }
}

impl Remembered {
    fn keep(
        self,
        request: &Request<'_>,
        compiled: &Compiled,
        sources: &Sources,
        store: &Store,
        ended: &Ended,
    ) -> Result<(), Stopped> {
        let (Some(basis), Some(outputs_made), false) =
            (&compiled.basis, self.outputs_made, self.spoiled)
        else {
            return Ok(());
        };
        let outputs = ended.outputs.iter();
        let outputs =
            outputs.map(|(name, value)| Some((name.clone(), value.as_ref().ok()?.clone())));
        let Some(outputs) = outputs.collect::<Option<Vec<_>>>() else {
            return Ok(());
        };
        let looks: Vec<_> = sources
            .keys()
            .map(|path| (Path::new(path), compiled.files.stat(Path::new(path))))
            .collect();
        let looks = looks.iter().map(|(path, stat)| (*path, stat.as_ref()));
        let others = others(&self.made_from, &outputs_made);
        let Some(standing) = store.standing(looks, &self.keys, &others)? else {
            return Ok(());
        };
        let paths: HashSet<&Path> = standing.files().collect();
        let said = Said {
            basis: basis.clone().beside(&paths),
            pipeline: compiled.spec.name.clone(),
            file: compiled.spec.file.display().to_string(),
            known: (self.known, ended.known),
            made_from: self.made_from,
            outputs,
            outputs_made,
            totals: self.totals,
        };
        let mut bytes = standing.to_bytes();
        let length = bytes.len();
        bytes.extend_from_slice(&self.lines);
        let bytes = compiled::parts(&said, &compiled::parts(&length, &bytes));
        compiled::keep(&path(request), &bytes).map_err(Stopped::fault)
    }
}

/// The blobs that the journal names, beside those of the results.
fn others(made_from: &MadeFrom, outputs_made: &Event) -> Vec<Digest> {
    let mut blobs: Vec<Digest> = made_from.files.values().copied().collect();
    blobs.extend(made_from.sources);
    if let Event::OutputsMade { content, .. } = outputs_made {
        blobs.extend(*content);
    }
    blobs
}

impl Observer for Memory {
    fn see(&mut self, event: &Event) {
        let mut own = self.lock();
        if own.spoiled {
            return;
        }
        let again = match event {
            Event::RunStarted { known, .. } => {
                own.known = *known;
                return;
            }
            Event::MadeFrom(made_from) => {
                own.made_from = made_from.clone();
                return;
            }
            Event::OutputsMade { .. } => {
                own.outputs_made = Some(event.clone());
                return;
            }
            Event::RunFinished(totals) => {
                own.totals = totals.clone();
                return;
            }
            Event::NodeFinished(finished) => {
                own.keys.extend(finished.key);
                finished.state == FinalState::Reused
                    || (finished.state == FinalState::Skipped
                        && finished.because.as_deref() == Some("when"))
            }
            Event::Grown { .. } => true,
            _ => false,
        };
        if again {
            serde_json::to_writer(&mut own.lines, event).expect("events are JSON");
            own.lines.push(b'\n');
        } else {
            *own = Remembered {
                spoiled: true,
                ..Remembered::default()
            };
        }
    }
}
