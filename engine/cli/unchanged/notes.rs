//! What a run says, noted as it would be said if everything in it was reused.

use std::sync::{Arc, Mutex, PoisonError};

use kyobashi_cache::{Digest, Key};
use kyobashi_engine::artifact::Artifact;
use kyobashi_engine::run::{Ended, Event, FinalState, Finished, MadeFrom, Observer, Totals};

/// Listens to a run.
#[derive(Clone, Default)]
pub(crate) struct Ear(Arc<Mutex<Notes>>);

/// What was heard.
#[derive(Default)]
pub(crate) struct Notes {
    lines: Vec<u8>,
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
    pub(super) lines: Vec<u8>,
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
    /// What was heard; nothing after the first time.
    pub(crate) fn notes(&self) -> Notes {
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *notes)
    }
}

impl Observer for Ear {
    fn see(&mut self, event: &Event) {
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        notes.see(event);
    }

    fn again(&mut self, lines: &[u8], totals: &Totals) {
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        notes.lines.extend_from_slice(lines);
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
        serde_json::to_writer(&mut self.lines, event).expect("events are JSON");
        self.lines.push(b'\n');
    }

    fn pass(&mut self) {
        self.passing = true;
        self.lines = Vec::new();
    }

    /// How it would be told; none where something would not happen in the same way.
    pub(super) fn again(self, ended: &Ended) -> Option<Told> {
        let outputs = ended.outputs.iter();
        let outputs =
            outputs.map(|(name, value)| Some((name.clone(), value.as_ref().ok()?.clone())));
        if self.passing || ended.totals.stopped {
            return None;
        }
        Some(Told {
            lines: self.lines,
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
