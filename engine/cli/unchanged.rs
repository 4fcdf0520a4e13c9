//! A run before which nothing has changed, told without being gone through again.
//!
//! After a run in which everything was reused, its events are kept beside all that they depended on: the
//! basis of the check, and the standing of the files, of the results and of the index. The next run that
//! is asked for in the same words looks at these alone; where all of it stands, the events happen again.
//! Where anything differs, or cannot be told by a look, the run is made as always.

use std::collections::HashSet;
use std::io::Write;
use std::path::{Path, PathBuf};
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
use crate::journal::{self, Journal};
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
        let tell = |journal: &mut Journal, event: &Event| {
            journal.see(event);
            if global.json {
                Lines.see(event);
            }
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
        tell(&mut journal, &started);
        tell(&mut journal, &Event::MadeFrom(self.said.made_from));
        journal.again(&self.lines);
        if global.json {
            std::io::stdout().lock().write_all(&self.lines)?;
        }
        let totals = Totals {
            seconds: begin.elapsed().as_secs_f64(),
            ..self.said.totals
        };
        tell(&mut journal, &self.said.outputs_made);
        tell(&mut journal, &Event::RunFinished(totals.clone()));
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

/// What a journal says of a run in which everything was reused.
#[derive(Default)]
struct Journaled {
    lines: Vec<u8>,
    keys: Vec<Key>,
    known: u64,
    made_from: MadeFrom,
    outputs_made: Option<Event>,
    totals: Totals,
}

/// Keeps a run of this number for the next time, if everything in it was reused and can be told by a
/// look.
pub(crate) fn keep(
    request: &Request<'_>,
    compiled: &Compiled,
    sources: &Sources,
    store: &Store,
    run: u64,
    ended: &Ended,
) {
    let totals = &ended.totals;
    if ended.known < MANY || totals.ran + totals.failed > 0 || totals.stopped {
        return;
    }
    let Some(journaled) = Journaled::read(&store.runs().events(run)) else {
        return;
    };
    if let Err(error) = journaled.keep(request, compiled, sources, store, ended) {
        tracing::debug!("the run is not kept for the next: {}", error.message);
    }
}

impl Journaled {
    /// What the journal says; none where something did not end as it would end again.
    fn read(journal: &Path) -> Option<Self> {
        let mut own = Self::default();
        for line in journal::lines(journal) {
            match serde_json::from_str(&line).ok()? {
                Event::RunStarted { known, .. } => own.known = known,
                Event::MadeFrom(made_from) => own.made_from = made_from,
                Event::RunFinished(totals) => own.totals = totals,
                event @ Event::OutputsMade { .. } => own.outputs_made = Some(event),
                Event::Grown { .. } => own.add(&line)?,
                Event::NodeFinished(finished) => {
                    let by_when = finished.because.as_deref() == Some("when");
                    match finished.state {
                        FinalState::Reused => own.keys.extend(finished.key),
                        FinalState::Skipped if by_when => {}
                        _ => return None,
                    }
                    own.add(&line)?;
                }
                _ => return None,
            }
        }
        Some(own)
    }

    /// A line without its `t`.
    fn add(&mut self, line: &str) -> Option<()> {
        let (_, event) = line.split_once(',')?;
        self.lines.push(b'{');
        self.lines.extend_from_slice(event.as_bytes());
        self.lines.push(b'\n');
        Some(())
    }

    fn keep(
        self,
        request: &Request<'_>,
        compiled: &Compiled,
        sources: &Sources,
        store: &Store,
        ended: &Ended,
    ) -> Result<(), Stopped> {
        let (Some(basis), Some(outputs_made)) = (&compiled.basis, self.outputs_made) else {
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
