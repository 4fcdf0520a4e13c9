//! Looking up: sources by their content, calls by their keys.

use std::path::Path;
use std::sync::Arc;

use kyobashi_cache::{Key, Kind, Lookup, Record, Stat, Store};
use kyobashi_stage::Failure;
use rayon::prelude::*;

use super::Input;
use super::drive::{Active, Driver, Held, Message, RunError};
use super::event::{FinalState, Finished};
use super::{generation, provenance, refresh};

use crate::artifact::{Artifact, Artifacts, FileArtifact};
use crate::exec::{prepare, publish};
use crate::plan::NodeId;
use crate::plan::Sources;
use crate::plan::key::{self, Machine, Resolved};
use crate::plan::sources;
use crate::run::Schedule;
use crate::spec::{CachePolicy, Spec};

/// Hashes every file and folder that the spec names. `stat` is what the disk says of a path, or said a
/// moment ago.
///
/// # Errors
/// The path that cannot be read, with the reason.
pub fn read_sources(
    spec: &Spec,
    store: &Store,
    stat: &dyn Fn(&Path) -> Option<Stat>,
) -> Result<Sources, Failure> {
    read_paths(&sources::paths(spec), store, stat)
}

/// As [`read_sources`], for these paths alone, which are in order.
///
/// # Errors
/// As there.
pub fn read_paths(
    paths: &[&Path],
    store: &Store,
    stat: &dyn Fn(&Path) -> Option<Stat>,
) -> Result<Sources, Failure> {
    let mut found = Vec::with_capacity(paths.len());
    for &path in paths {
        let unreadable = |error: &dyn std::fmt::Display| {
            Failure::new(format!("cannot read {}: {error}", path.display()))
        };
        let origin = Some(Arc::new(path.to_owned()));
        let artifact = match stat(path) {
            Some(stat) if !stat.is_dir() => {
                let (digest, size) = store
                    .digest_seen(path, &stat)
                    .map_err(|error| unreadable(&error))?;
                Artifact::File(FileArtifact {
                    digest,
                    size,
                    origin,
                })
            }
            Some(_) => {
                let digest = store
                    .digest_tree(path)
                    .map_err(|error| unreadable(&error))?;
                Artifact::Dir(FileArtifact {
                    digest,
                    size: 0,
                    origin,
                })
            }
            None => return Err(unreadable(&"there is no such file")),
        };
        found.push((path.as_os_str().to_owned(), artifact));
    }
    // They are in order, so the map is made at one go.
    Ok(found.into_iter().collect())
}

/// So many nodes are looked up together at most, so that what is known of them stays in the cache.
const AT_ONCE: usize = 1024;

/// Fewer looks than this are not shared between cores, which begins at some 100 µs; a look takes 3.
const WORTH_SHARING: usize = 128;

/// Looks that one core takes at a time.
const SHARE: usize = 32;

/// A node's call before it is looked up.
struct Call {
    id: NodeId,
    key: Key,
    /// Whether it is made in every run.
    never: bool,
    /// Whether the store is asked.
    asks: bool,
}

/// A result that is there: its record, and its outputs if they can be read.
type Found = (Arc<Record>, Result<Arc<Artifacts>, Failure>);

/// A node's call with its values and its key.
pub(super) struct Wanted {
    pub(super) resolved: Resolved,
    pub(super) key: Key,
}

/// Resolves a node whose inputs are all known.
///
/// # Errors
/// In words, which field cannot be computed, or that an output of a skipped stage is needed (none).
pub(super) fn wanted(
    schedule: &Schedule<'_>,
    id: NodeId,
    machine: &Machine,
) -> Result<Wanted, Option<String>> {
    let resolved = generation::resolved(schedule, id, machine);
    match resolved.key() {
        Ok(key) => Ok(Wanted { resolved, key }),
        Err(crate::plan::Blocked::Absent) => Err(None),
        Err(crate::plan::Blocked::Unknown) => Err(Some("an input is not known".to_owned())),
        Err(crate::plan::Blocked::Problem(text)) => {
            let field = resolved
                .blocked()
                .map(|(path, _)| path.to_owned())
                .unwrap_or_default();
            Err(Some(format!("`{field}`: {text}")))
        }
    }
}

/// What a record holds.
pub(super) fn outputs(store: &Store, record: &Record) -> Result<Artifacts, Failure> {
    publish::from_record(store, &record.outputs)
}

impl Driver<'_> {
    /// Looks up a node and those that are to be looked up next: reuses their results, lets them wait for
    /// the node that makes the same, or queues them. The store is asked for many at once, on all cores.
    pub(super) fn look_at_all(&mut self, first: NodeId) -> Result<(), RunError> {
        let mut calls = Vec::new();
        calls.extend(self.call(first));
        for id in self.schedule.next_looks(AT_ONCE - 1) {
            calls.extend(self.call(id));
        }
        let store = &self.store;
        let find = |call: &Call| match call.asks {
            true => Ok(store.peek(Kind::Stage, &call.key)?.map(|record| {
                let outputs = outputs(store, &record).map(Arc::new);
                (record, outputs)
            })),
            false => Ok(None),
        };
        let found: Vec<Result<_, RunError>> = if calls.len() < WORTH_SHARING {
            calls.iter().map(find).collect()
        } else {
            calls.par_iter().with_min_len(SHARE).map(find).collect()
        };
        for (call, found) in calls.into_iter().zip(found) {
            self.looked(call, found?);
        }
        Ok(())
    }

    /// The call of a node; none where there is nothing to look up, and it has ended.
    fn call(&mut self, id: NodeId) -> Option<Call> {
        let mut wanted = match wanted(&self.schedule, id, &self.settings.machine) {
            Ok(wanted) => wanted,
            Err(None) => {
                self.end(Finished {
                    because: Some("an output that was not made".to_owned()),
                    ..self.finished(id, FinalState::Skipped)
                });
                self.schedule.feed(Input::Skipped(id));
                return None;
            }
            Err(Some(text)) => {
                self.fail(id, Failure::new(text), 0.0, 0.0, None);
                return None;
            }
        };
        let rank = self.rank(id, &wanted.resolved);
        self.provenance.insert(id, rank);
        let policy = self.schedule.stage(id).policy.cache;
        if policy == CachePolicy::Frozen {
            wanted.key = key::frozen(&self.spec.name, &self.address(id));
        }
        let never = policy == CachePolicy::Never;
        let made_now = self.making.contains_key(&wanted.key);
        Some(Call {
            id,
            key: wanted.key,
            never,
            asks: !never && !made_now && !self.refreshed(id),
        })
    }

    /// Goes on with a node after the look.
    fn looked(&mut self, call: Call, found: Option<Found>) {
        let Call { id, key, never, .. } = call;
        if let Some((record, outputs)) = found {
            self.found(id, key, &record, outputs);
            return;
        }
        self.remember(id, key);
        if !never {
            if let Some(waiting) = self.making.get_mut(&key) {
                waiting.push(id);
                return;
            }
            self.making.insert(key, Vec::new());
        }
        self.schedule.feed(Input::Missed(id));
    }

    /// Takes the claim of a node that is about to start: false where somebody else has its result, or
    /// is making it now. A claim is taken this late so that few are held at once.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) fn claimed(&mut self, id: NodeId) -> Result<bool, RunError> {
        let never = self.schedule.stage(id).policy.cache == CachePolicy::Never;
        let Some(active) = self.active.get_mut(&id) else {
            return Ok(false);
        };
        let attempt = active.attempt.get_or_insert_with(|| Held {
            claim: Arc::default(),
            cancel: Arc::default(),
        });
        let claim = attempt.claim.clone();
        if never || claim.lock().is_ok_and(|claim| claim.is_some()) {
            return Ok(true);
        }
        let key = active.key;
        let looked = if self.refreshed(id) {
            self.store.claim(Kind::Stage, &key)?
        } else {
            self.store.look(Kind::Stage, &key)?
        };
        match looked {
            Lookup::Hit(record) => {
                let outputs = outputs(&self.store, &record).map(Arc::new);
                self.found(id, key, &record, outputs);
                Ok(false)
            }
            Lookup::Miss(taken) => {
                claim.lock().expect("nobody panics with it").replace(taken);
                Ok(true)
            }
            Lookup::Busy(waiter) => {
                self.schedule.put_back(id);
                let sender = self.sender.clone();
                tokio::task::spawn_blocking(move || {
                    // A lock that cannot be read is met again by the next look; the run may be over.
                    let _ = waiter.wait();
                    let _ = sender.send(Message::Retry(id));
                });
                Ok(false)
            }
        }
    }

    /// A node, and all that wait for the same key, have a result in the store.
    fn found(
        &mut self,
        id: NodeId,
        key: Key,
        record: &Record,
        outputs: Result<Arc<Artifacts>, Failure>,
    ) {
        match outputs {
            Ok(outputs) => {
                self.reuse(id, key, outputs.clone(), record.seconds, record.usd);
                for follower in self.making.remove(&key).unwrap_or_default() {
                    self.reuse(follower, key, outputs.clone(), record.seconds, record.usd);
                }
            }
            Err(failure) => self.fail(id, failure, 0.0, 0.0, None),
        }
    }

    fn remember(&mut self, id: NodeId, key: Key) {
        self.active.insert(
            id,
            Active {
                key,
                attempt: None,
                tries: 0,
                usd: 0.0,
            },
        );
    }

    fn refreshed(&self, id: NodeId) -> bool {
        if self.schedule.stage(id).asks() && self.settings.calls.asks_anew() {
            return true;
        }
        refresh::any(&self.settings.refresh, self.spec, &self.schedule.graph, id)
    }

    /// The worst provenance of a call: its own model's, and that of everything that it reads.
    fn rank(&mut self, id: NodeId, resolved: &Resolved) -> u8 {
        let model = prepare::model(resolved).ok().flatten();
        let own = model.map_or(0, |model| provenance::rank(&model));
        own.max(provenance::upstream(
            &self.schedule.graph,
            id,
            &mut self.provenance,
        ))
    }
}
