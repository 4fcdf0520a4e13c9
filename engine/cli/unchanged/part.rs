//! A run before which some files have changed: what follows from them is gone through, all else is told.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ffi::OsStr;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use kyobashi_cache::{Digest, Key, Kind, Standing, Stat, Store};
use kyobashi_engine::exec::publish;
use kyobashi_engine::plan::{Sources, Touched, touched};
use kyobashi_engine::run::{
    Already, Ended, Event, FinalState, Finished, Known, MadeFrom, Totals, read_paths,
};
use kyobashi_engine::spec::{Spec, StageId};

use super::{Keeping, Notes, Said, Unchanged, path};
use crate::compiled::{self, Request};
use crate::exit::Stopped;
use crate::journal::lines_of;
use crate::made_from;

/// After so many runs in a row of which only a part was gone through, all is gone through again: what is
/// kept still names the results that were replaced meanwhile.
const IN_A_ROW: u32 = 100;

/// A part of a run.
pub(crate) struct Part {
    pub(crate) spec: Spec,
    /// Of the part alone.
    pub(crate) sources: Sources,
    /// Of the whole.
    pub(crate) made_from: MadeFrom,
    pub(crate) already: Already,
    pub(crate) kept: Kept,
}

/// What is to be kept again after the part was gone through.
pub(crate) struct Kept {
    said: Said,
    standing: Standing,
    changed: Vec<(PathBuf, Stat)>,
    /// The text of the sources goes into the store while the part is gone through.
    writing: JoinHandle<()>,
}

impl Part {
    /// What is to be gone through after these files have changed; none where going through everything
    /// is as well.
    ///
    /// # Errors
    /// When a file or the store cannot be read.
    pub(crate) fn of(
        mut before: Unchanged,
        changed: Vec<PathBuf>,
        request: &Request<'_>,
        store: &Store,
    ) -> Result<Option<Self>, Stopped> {
        let Some(stats) = as_files(changed) else {
            return Ok(None);
        };
        let files: HashSet<&OsStr> = before.standing.files().map(Path::as_os_str).collect();
        if stats.len() * 4 > files.len() {
            return Ok(None);
        }
        let Some(mut spec) = compiled::on(request, &before.said.basis, &files) else {
            return Ok(None);
        };
        let names: HashSet<&OsStr> = stats.iter().map(|(path, _)| path.as_os_str()).collect();
        let Some(touched) = touched(&spec, &|path| names.contains(path.as_os_str())) else {
            return Ok(None);
        };
        let Some((lines, known, totals)) = standing_lines(&spec, &touched, &mut before) else {
            return Ok(None);
        };
        let Some(results) = results(&spec, &touched, &lines, store)? else {
            return Ok(None);
        };
        let sources = read_paths(&touched.paths, store, &Stat::of)?;
        let Some(text) = sources_now(&before.said, &names, &sources, store) else {
            return Ok(None);
        };
        let made_from = MadeFrom {
            sources: Some(Digest::of(text.as_bytes())),
            ..before.said.made_from.clone()
        };
        let own = store.clone();
        let writing = std::thread::spawn(move || {
            // Without it the run is not kept for the next time, which looks whether it is there.
            drop(own.put_bytes(text.as_bytes()));
            own.prepare();
        });
        let outputs = before.said.outputs.iter().zip(&touched.outputs);
        let outputs = outputs.filter(|(_, again)| !**again);
        let mut needed = touched.stages.clone();
        touched.read.iter().for_each(|id| needed[id.index()] = true);
        let already = Already {
            results,
            outputs: outputs.map(|(output, _)| output.clone()).collect(),
            known,
            totals,
            lines,
            stages: touched.stages.iter().map(|again| !again).collect(),
        };
        // What nobody asks for need not even be planted.
        spec.top.retain(|id| needed[id.index()]);
        Ok(Some(Self {
            sources,
            made_from,
            already,
            kept: Kept {
                said: before.said,
                standing: before.standing,
                changed: stats,
                writing,
            },
            spec,
        }))
    }
}

impl Kept {
    /// Keeps the run for the next time, if all of it would be reused then.
    pub(crate) fn keep(self, request: &Request<'_>, store: &Store, notes: Notes, ended: &Ended) {
        match self.after(store, notes, ended) {
            Ok(Some(after)) => {
                if let Err(error) = after.keep(request) {
                    tracing::debug!("the run is not kept for the next: {error}");
                }
            }
            // What is kept may still hold: the next run looks.
            Ok(None) if ended.totals.failed > 0 || ended.totals.stopped => {}
            Ok(None) => drop(std::fs::remove_file(path(request))),
            Err(error) => tracing::debug!("the run is not kept for the next: {}", error.message),
        }
    }

    fn after(self, store: &Store, notes: Notes, ended: &Ended) -> Result<Option<Keeping>, Stopped> {
        let Self { said, standing, .. } = self;
        // It only writes, and does not panic.
        let _ = self.writing.join();
        let parts = said.parts + 1;
        let Some(told) = notes.again(ended).filter(|_| parts < IN_A_ROW) else {
            return Ok(None);
        };
        let changed = self.changed.iter();
        let changed = changed
            .map(|(path, stat)| (path.as_path(), *stat))
            .collect();
        let blobs = told.blobs();
        let standing = store.standing_since(standing, &changed, &told.keys, &blobs)?;
        Ok(standing.map(|standing| Keeping {
            said: Said {
                known: told.known,
                made_from: told.made_from,
                outputs: told.outputs,
                outputs_made: told.outputs_made,
                totals: told.totals,
                parts,
                ..said
            },
            standing,
            lines: told.lines,
        }))
    }
}

/// What the disk says of these paths, if each is a file.
fn as_files(paths: Vec<PathBuf>) -> Option<Vec<(PathBuf, Stat)>> {
    let stat = |path: PathBuf| {
        let stat = Stat::of(&path).filter(Stat::is_file)?;
        Some((path, stat))
    };
    paths.into_iter().map(stat).collect()
}

/// The lines of the stage runs that need not be gone through, how many those are, and what they come to;
/// none where they are few, or a line cannot be told. What was kept is used up by it.
fn standing_lines(
    spec: &Spec,
    touched: &Touched<'_>,
    before: &mut Unchanged,
) -> Option<(Vec<u8>, u64, Totals)> {
    let again = spec.top.iter().filter(|id| touched.stages[id.index()]);
    let again: HashSet<&[u8]> = again.map(|id| spec.stage(*id).name.as_bytes()).collect();
    let mut totals = before.said.totals.clone();
    let mut known = before.said.known.1;
    // Neighbours that stay are one piece.
    let mut stay: Vec<Range<usize>> = Vec::new();
    let mut end = before.lines_at;
    for line in lines_of(before.bytes.get(before.lines_at..)?) {
        let begin = end;
        end += line.len();
        let Some(name) = stage_of(line) else {
            // How many stage runs are known is told at the beginning.
            if line.starts_with(b"{\"event\":\"grown\"") {
                continue;
            }
            return None;
        };
        if !again.contains(name) {
            match stay.last_mut() {
                Some(last) if last.end == begin => last.end = end,
                _ => stay.push(begin..end),
            }
            continue;
        }
        known -= 1;
        match finished(line)?.state {
            FinalState::Reused => totals.reused -= 1,
            FinalState::Skipped => totals.skipped -= 1,
            FinalState::Ran | FinalState::Failed => return None,
        }
    }
    let mut lines = std::mem::take(&mut before.bytes);
    let mut end = 0;
    for piece in stay {
        // To the front, where nothing is needed any more.
        let length = piece.len();
        lines.copy_within(piece, end);
        end += length;
    }
    lines.truncate(end);
    lines.shrink_to_fit();
    let gone_through = before.said.known.1 - known;
    (gone_through * 4 <= known).then_some((lines, known, totals))
}

/// The name of the stage of the top level that a line is about; none where it is not plain.
fn stage_of(line: &[u8]) -> Option<&[u8]> {
    let rest = line.strip_prefix(b"{\"event\":\"node_finished\",\"address\":\"")?;
    let end = rest.iter().position(|byte| b"\"[/\\".contains(byte))?;
    let (name, rest) = rest.split_at(end);
    (rest.first() != Some(&b'\\')).then_some(name)
}

fn finished(line: &[u8]) -> Option<Finished> {
    match serde_json::from_slice(line).ok()? {
        Event::NodeFinished(finished) => Some(finished),
        _ => None,
    }
}

/// What became of the stages that are read and not gone through; none where that is not known.
fn results(
    spec: &Spec,
    touched: &Touched<'_>,
    lines: &[u8],
    store: &Store,
) -> Result<Option<BTreeMap<StageId, Known>>, Stopped> {
    let mut wanted = HashMap::new();
    for id in &touched.read {
        wanted.insert(spec.stage(*id).name.as_bytes(), *id);
    }
    let mut results = BTreeMap::new();
    if wanted.is_empty() {
        return Ok(Some(results));
    }
    for line in lines_of(lines) {
        let Some(id) = stage_of(line).and_then(|name| wanted.get(name)) else {
            continue;
        };
        let Some(finished) = finished(line) else {
            return Ok(None);
        };
        let outputs = match (finished.state, &finished.key) {
            (FinalState::Skipped, _) => None,
            (_, Some(key)) => match read(store, key)? {
                Some(outputs) => Some(outputs),
                None => return Ok(None),
            },
            _ => return Ok(None),
        };
        let provenance = finished.detail["provenance"].as_str().map(str::to_owned);
        let known = Known {
            outputs,
            provenance,
        };
        results.insert(*id, known);
    }
    let all: BTreeSet<_> = results.keys().copied().collect();
    Ok((all == touched.read).then_some(results))
}

type Outputs = std::sync::Arc<kyobashi_engine::artifact::Artifacts>;

fn read(store: &Store, key: &Key) -> Result<Option<Outputs>, Stopped> {
    let Some(record) = store.peek(Kind::Stage, key)? else {
        return Ok(None);
    };
    let outputs = publish::from_record(store, &record.outputs)?;
    Ok(Some(outputs.into()))
}

/// The text of the sources: as before, but for the files that have changed.
fn sources_now(
    said: &Said,
    changed: &HashSet<&OsStr>,
    sources: &Sources,
    store: &Store,
) -> Option<String> {
    let text = store.read(&said.made_from.sources?).ok()?;
    let changed: Sources = sources
        .iter()
        .filter(|(path, _)| changed.contains(path.as_os_str()))
        .map(|(path, artifact)| (path.clone(), artifact.clone()))
        .collect();
    made_from::sources_with(std::str::from_utf8(&text).ok()?, &changed)
}
