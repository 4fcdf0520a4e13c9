//! The thread that commits records: those that arrive together share one commit.
//!
//! ```text
//! save ------.                                         .-> known in memory
//! save_then --+--> queue --> one transaction --> commit -+-> claim released
//! durably ----'    (waits for more only while            '-> caller told
//!                   nobody waits for it)
//! ```
//!
//! Knows nothing of blobs: they are in the store before their record is queued.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rusqlite::{Connection, TransactionBehavior};

use crate::claim::Held;
use crate::error::io as named;
use crate::index::insert;
use crate::record::{Mark, Part};
use crate::store::{Inner, Known};
use crate::{Record, StoreError};

/// At most so many records share a commit, so that none waits long for the others.
const BATCH: usize = 512;

/// How soon a record is to be committed, and how firmly.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Saving {
    Later,
    Now,
    /// Now, and on the disk.
    Durably,
}

struct Save {
    held: Held,
    record: Record,
    parts: Vec<Part>,
    how: Saving,
    today: i64,
    then: Box<dyn FnOnce(Result<(), StoreError>) + Send>,
}

/// The queue to the thread. Dropping it commits what is queued.
pub(crate) struct Writer {
    queue: Option<Sender<Save>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(crate) fn start(inner: &Inner) -> Result<Writer, StoreError> {
        let (queue, saves) = channel();
        let path = inner.index.path().to_path_buf();
        let mut worker = Worker {
            connection: inner.index.another()?,
            failed: Box::new(move |error| StoreError::index(&path, error)),
            known: Arc::clone(&inner.known),
            linger: inner.linger,
        };
        let thread = thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || worker.work(&saves))
            .map_err(named("start a thread for", inner.index.path()))?;
        Ok(Writer {
            queue: Some(queue),
            thread: Some(thread),
        })
    }

    pub(crate) fn save(
        &self,
        held: Held,
        (record, parts): (Record, Vec<Part>),
        how: Saving,
        today: i64,
        then: Box<dyn FnOnce(Result<(), StoreError>) + Send>,
    ) -> Result<(), StoreError> {
        let save = Save {
            held,
            record,
            parts,
            how,
            today,
            then,
        };
        let queue = self.queue.as_ref().ok_or(StoreError::Stopped)?;
        queue.send(save).map_err(|_| StoreError::Stopped)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take()
            // The last clone of the store may go away in a caller's function on this very thread.
            && thread.thread().id() != thread::current().id()
        {
            // A panic there was reported there.
            let _ = thread.join();
        }
    }
}

struct Worker {
    connection: Connection,
    failed: Box<dyn Fn(rusqlite::Error) -> StoreError + Send>,
    known: Arc<Known>,
    linger: Duration,
}

impl Worker {
    fn work(&mut self, saves: &Receiver<Save>) {
        while let Ok(first) = saves.recv() {
            let batch = gather(first, saves, self.linger);
            match self.commit(&batch) {
                Ok(ids) => self.release(batch, &ids),
                Err(error) => {
                    for save in batch {
                        drop(save.held);
                        (save.then)(Err(error.clone()));
                    }
                }
            }
        }
    }

    fn commit(&mut self, batch: &[Save]) -> Result<Vec<i64>, StoreError> {
        let durably = batch.iter().any(|save| save.how == Saving::Durably);
        let mut commit = || -> rusqlite::Result<Vec<i64>> {
            if durably {
                self.connection.execute_batch("PRAGMA synchronous = FULL")?;
            }
            let change = self
                .connection
                .transaction_with_behavior(TransactionBehavior::Immediate)?;
            let ids = batch
                .iter()
                .map(|save| {
                    let (kind, key) = save.held.at();
                    insert(&change, (kind, &key), &save.record, &save.parts, save.today)
                })
                .collect::<rusqlite::Result<Vec<i64>>>()?;
            change.commit()?;
            Ok(ids)
        };
        let result = commit();
        if durably {
            // Where this fails, later commits are firmer than they need to be.
            let _ = self.connection.execute_batch("PRAGMA synchronous = NORMAL");
        }
        result.map_err(&self.failed)
    }

    fn release(&self, batch: Vec<Save>, ids: &[i64]) {
        let mut told = Vec::with_capacity(batch.len());
        {
            let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
            for (save, id) in batch.into_iter().zip(ids) {
                let Save {
                    held,
                    parts,
                    today,
                    then,
                    ..
                } = save;
                let mark = Mark {
                    id: *id,
                    parts: parts.into(),
                    used_day: today,
                    record: None,
                };
                known.insert(held.at(), Arc::new(mark));
                told.push((held, then));
            }
        }
        for (held, then) in told {
            drop(held);
            then(Ok(()));
        }
    }
}

/// The records of the next commit: all that are queued, and, while nobody waits for any of them,
/// those that arrive before `linger` is over.
fn gather(first: Save, saves: &Receiver<Save>, linger: Duration) -> Vec<Save> {
    let end = Instant::now() + linger;
    let mut waited_for = first.how != Saving::Later;
    let mut batch = vec![first];
    while batch.len() < BATCH {
        let next = if waited_for {
            saves.try_recv().ok()
        } else {
            saves
                .recv_timeout(end.saturating_duration_since(Instant::now()))
                .ok()
        };
        let Some(save) = next else { break };
        waited_for |= save.how != Saving::Later;
        batch.push(save);
    }
    batch
}
