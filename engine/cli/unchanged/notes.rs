//! What a run says, noted as it would be said if everything in it was reused.

use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use kyobashi_cache::{Digest, Key};
use kyobashi_engine::artifact::Artifact;
use kyobashi_engine::run::{Ended, Event, FinalState, Finished, MadeFrom, Observer, Totals};
use tempfile::SpooledTempFile;

/// Lines beyond so many bytes wait on the disk for the end of the run.
const IN_MEMORY: usize = 1 << 16;

/// Lines that were heard.
pub(super) type Heard = BufWriter<SpooledTempFile>;

/// Listens to a run.
#[derive(Clone)]
pub(crate) struct Ear(Arc<Mutex<Notes>>);

/// What was heard.
pub(crate) struct Notes {
    lines: Heard,
    keys: Vec<Key>,
    known: u64,
    made_from: MadeFrom,
    outputs_made: Option<Event>,
    totals: Totals,
    /// Something would not happen in the same way again.
    passing: bool,
}

/// A run that would be told in this way the next time.
pub(super) struct Told {
    /// From their beginning.
    pub(super) lines: SpooledTempFile,
    /// Of the stage runs whose results it rests on; without those that were told and not gone through.
    pub(super) keys: Vec<Key>,
    /// Stage runs that were known when it began, and at its end.
    pub(super) known: (u64, u64),
    pub(super) made_from: MadeFrom,
    pub(super) outputs: Vec<(String, Artifact)>,
    pub(super) outputs_made: Event,
    pub(super) totals: Totals,
}

impl Ear {
    /// An ear that may use files in this folder.
    pub(crate) fn new(scratch: &Path) -> Self {
        let lines = SpooledTempFile::new_in(IN_MEMORY, scratch);
        Self(Arc::new(Mutex::new(Notes {
            lines: BufWriter::new(lines),
            keys: Vec::new(),
            known: 0,
            made_from: MadeFrom::default(),
            outputs_made: None,
            totals: Totals::default(),
            passing: false,
        })))
    }

    /// What was heard, once nobody listens any more.
    pub(crate) fn notes(self) -> Option<Notes> {
        let notes = Arc::into_inner(self.0)?;
        Some(notes.into_inner().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Observer for Ear {
    fn see(&mut self, event: &Event) {
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        notes.see(event);
    }

    fn again(&mut self, lines: &[u8], totals: &Totals) {
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let written = notes.lines.write_all(lines);
        notes.wrote(written);
        notes.totals = totals.clone();
    }
}

impl Notes {
    fn see(&mut self, event: &Event) {
        if self.passing {
            return;
        }
        match event {
            Event::RunStarted { known, .. } => self.known = *known,
            Event::MadeFrom(made_from) => self.made_from = made_from.clone(),
            Event::Grown { .. } => self.add(event),
            Event::NodeFinished(finished) => match as_reused(finished) {
                Some(again) => {
                    self.keys.extend(again.key);
                    self.totals.count(&again);
                    self.add(&Event::NodeFinished(again));
                }
                None => self.pass(),
            },
            Event::OutputsMade { .. } => self.outputs_made = Some(event.clone()),
            Event::NodeStarted { .. } | Event::NodeNoted { .. } | Event::RunFinished(_) => {}
            // A call that was made is worth something that only its record knows.
            Event::Called { .. } | Event::NodeRetried { .. } | Event::BudgetReached { .. } => {
                self.pass();
            }
        }
    }

    fn add(&mut self, event: &Event) {
        let written = serde_json::to_writer(&mut self.lines, event);
        let written = written.map_err(std::io::Error::from);
        let written = written.and_then(|()| self.lines.write_all(b"\n"));
        self.wrote(written);
    }

    /// What cannot be noted is not kept.
    fn wrote(&mut self, written: std::io::Result<()>) {
        if let Err(error) = written {
            tracing::debug!("the run is not kept for the next: {error}");
            self.pass();
        }
    }

    fn pass(&mut self) {
        self.passing = true;
    }

    /// How it would be told; none where something would not happen in the same way.
    pub(super) fn again(self, ended: &Ended) -> Option<Told> {
        let outputs = ended.outputs.iter();
        let outputs =
            outputs.map(|(name, value)| Some((name.clone(), value.as_ref().ok()?.clone())));
        if self.passing || ended.totals.stopped {
            return None;
        }
        let mut lines = self.lines.into_inner().ok()?;
        lines.seek(SeekFrom::Start(0)).ok()?;
        Some(Told {
            lines,
            keys: self.keys,
            known: (self.known, ended.known),
            made_from: self.made_from,
            outputs: outputs.collect::<Option<_>>()?,
            outputs_made: self.outputs_made?,
            totals: self.totals,
        })
    }
}

impl Told {
    /// The blobs that are named, beside those of the results.
    pub(super) fn blobs(&self) -> Vec<Digest> {
        let mut blobs: Vec<Digest> = self.made_from.files.values().copied().collect();
        blobs.extend(self.made_from.sources);
        if let Event::OutputsMade { content, .. } = &self.outputs_made {
            blobs.extend(*content);
        }
        blobs
    }
}

/// The end of a stage run if it were reused the next time; none where it would not be.
fn as_reused(finished: &Finished) -> Option<Finished> {
    let by_when = finished.because.as_deref() == Some("when");
    match finished.state {
        FinalState::Reused => Some(finished.clone()),
        FinalState::Skipped if by_when => Some(finished.clone()),
        FinalState::Ran if finished.key.is_some() => Some(Finished {
            state: FinalState::Reused,
            saved_seconds: finished.seconds,
            seconds: 0.0,
            log: None,
            ..finished.clone()
        }),
        _ => None,
    }
}
