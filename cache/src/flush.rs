//! When what was written is on the disk.
//!
//! Rows and blobs are written without waiting for the disk. About once a second the file system
//! is told to write everything, and the number of the last row from before that is noted as
//! *flushed*: up to it, nothing needs to be checked after a power loss (`session.rs`).

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::error::io as named;
use crate::folders::Folders;
use crate::index::Index;
use crate::store::locked;
use crate::{Clock, Digest, Record, StoreError, tree};

/// Forces one file or tree of the store to the disk, with the folders that name it.
pub(crate) fn sync_blob(folders: &Folders, digest: &Digest) -> Result<(), StoreError> {
    let blob = folders.blob(digest);
    if blob.exists() {
        return sync_file(&blob);
    }
    for (digest, _) in tree::manifest(folders, digest)?.blobs() {
        sync_file(&folders.blob(&digest))?;
    }
    sync_file(&folders.manifest(digest))
}

fn sync_file(path: &Path) -> Result<(), StoreError> {
    let folder = path.parent().unwrap_or(path);
    for path in [path, folder, folder.parent().unwrap_or(folder)] {
        let file = File::open(path).map_err(named("open", path))?;
        file.sync_all().map_err(named("write to the disk", path))?;
    }
    Ok(())
}

/// Work of this much (or any money) is worth the wait for a flush at the end: tens of milliseconds
/// on a quiet disk, seconds on a busy one. Less than this is left to the system, which writes by
/// itself within half a minute, and is made again if the power goes before.
const WORTH_MS: u64 = 5_000;

/// Flushes about once a second while something is written. Dropping it stops the thread; it does
/// not flush.
pub(crate) struct Flusher {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
    every: Option<Duration>,
}

struct Shared {
    dir: PathBuf,
    index: Arc<Index>,
    clock: Clock,
    /// Something is written that may not be on the disk.
    dirty: AtomicBool,
    /// Rows were used whose day in the index is an earlier one.
    unmarked: AtomicBool,
    used: Mutex<BTreeSet<i64>>,
    /// How long the making of what is not yet flushed took, in milliseconds.
    stake_ms: AtomicU64,
    stop: Mutex<bool>,
    woken: Condvar,
    flushing: Mutex<()>,
}

impl Flusher {
    pub(crate) fn new(
        dir: &Path,
        index: Arc<Index>,
        clock: Clock,
        every: Option<Duration>,
    ) -> Flusher {
        let shared = Shared {
            dir: dir.to_path_buf(),
            index,
            clock,
            dirty: AtomicBool::new(false),
            unmarked: AtomicBool::new(false),
            used: Mutex::default(),
            stake_ms: AtomicU64::new(0),
            stop: Mutex::new(false),
            woken: Condvar::new(),
            flushing: Mutex::default(),
        };
        Flusher {
            shared: Arc::new(shared),
            thread: Mutex::new(None),
            every,
        }
    }

    /// Notes that something is written, and sees to it that it is flushed.
    pub(crate) fn mark_dirty(&self) {
        if !self.shared.dirty.swap(true, Ordering::AcqRel) {
            self.wake();
        }
    }

    /// Notes what would have to be made again if the power went now.
    pub(crate) fn stake(&self, record: &Record) {
        let ms = if record.usd > 0.0 {
            WORTH_MS
        } else {
            (record.seconds * 1000.0) as u64
        };
        self.shared.stake_ms.fetch_add(ms, Ordering::AcqRel);
    }

    /// Notes that a row was used, and sees to it that the index learns of it.
    pub(crate) fn see_used(&self, row: i64) {
        locked(&self.shared.used).insert(row);
        if !self.shared.unmarked.swap(true, Ordering::AcqRel) {
            self.wake();
        }
    }

    fn wake(&self) {
        let Some(every) = self.every else { return };
        let mut thread = locked(&self.thread);
        if thread.is_none() {
            let shared = Arc::clone(&self.shared);
            // Without the thread, the flush at the end is the only one.
            *thread = thread::Builder::new()
                .name("store-flusher".to_owned())
                .spawn(move || shared.work(every))
                .ok();
        }
        drop(locked(&self.shared.stop));
        self.shared.woken.notify_all();
    }

    /// Forces everything to the disk.
    pub(crate) fn flush(&self) -> Result<(), StoreError> {
        self.shared.flush()
    }

    /// The last thing: flushes, if what could be lost is worth waiting for. Says whether all is on
    /// the disk.
    pub(crate) fn finish(&self) -> bool {
        let stake_ms = self.shared.stake_ms.load(Ordering::Acquire);
        if self.every.is_some() && stake_ms >= WORTH_MS {
            return self.flush().is_ok();
        }
        self.shared.mark_used().is_ok() && !self.shared.dirty.load(Ordering::Acquire)
    }
}

impl Drop for Flusher {
    fn drop(&mut self) {
        *locked(&self.shared.stop) = true;
        self.shared.woken.notify_all();
        // It is not waited for: a flush that is under way may take as long as a slow disk takes,
        // and what it does is safe to break off.
        drop(locked(&self.thread).take());
    }
}

impl Shared {
    fn work(&self, every: Duration) {
        loop {
            let stop = locked(&self.stop);
            let idle = |stop: &mut bool| {
                !*stop
                    && !self.dirty.load(Ordering::Acquire)
                    && !self.unmarked.load(Ordering::Acquire)
            };
            let Ok(stop) = self.woken.wait_while(stop, idle) else {
                return;
            };
            let Ok((stop, _)) = self.woken.wait_timeout_while(stop, every, |stop| !*stop) else {
                return;
            };
            if *stop {
                return;
            }
            drop(stop);
            // What fails stays to be done, and whoever flushes at the end is told.
            let _ = self.flush();
        }
    }

    fn flush(&self) -> Result<(), StoreError> {
        self.mark_used()?;
        let _one = locked(&self.flushing);
        if !self.dirty.swap(false, Ordering::AcqRel) {
            return Ok(());
        }
        let stake_ms = self.stake_ms.swap(0, Ordering::AcqRel);
        let flushed = self.sync();
        if flushed.is_err() {
            self.stake_ms.fetch_add(stake_ms, Ordering::AcqRel);
            self.dirty.store(true, Ordering::Release);
        }
        flushed
    }

    fn sync(&self) -> Result<(), StoreError> {
        let row: i64 = self.index.with(|connection| {
            connection.query_row("SELECT coalesce(max(id), 0) FROM record", [], |row| {
                row.get(0)
            })
        })?;
        let folder = File::open(&self.dir).map_err(named("open", &self.dir))?;
        nix::unistd::syncfs(&folder)
            .map_err(|errno| named("write to the disk", &self.dir)(errno.into()))?;
        self.index.with(|connection| {
            connection.execute("UPDATE flushed SET row = max(row, ?1)", [row])?;
            Ok(())
        })
    }

    /// Writes down which rows were used today, for `gc`; once a row and day.
    fn mark_used(&self) -> Result<(), StoreError> {
        if !self.unmarked.swap(false, Ordering::AcqRel) {
            return Ok(());
        }
        let ids = std::mem::take(&mut *locked(&self.used));
        let today = self.clock.today();
        self.index.with(|connection| {
            let change = connection.transaction()?;
            {
                let mut statement =
                    change.prepare("UPDATE record SET used_day = ?1 WHERE id = ?2")?;
                for id in &ids {
                    statement.execute([today, *id])?;
                }
            }
            change.commit()
        })
    }
}
