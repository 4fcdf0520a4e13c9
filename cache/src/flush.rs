//! When what was written is on the disk, and what is in doubt after a power loss.
//!
//! Rows and blobs are written without waiting for the disk. About once a second the file system
//! is told to write everything, and the number of the last row from before that is noted as
//! *flushed*. A process that writes has a *session* in the index, with the boot of the machine it
//! runs under; it is taken out when all is flushed. A session of an earlier boot therefore means:
//! the machine went down before all was on the disk. Then every blob that only unflushed rows (or
//! no rows) name is read and checked before anything is used. No clock is asked.
//!
//! A `kill -9` needs none of this: what a process wrote stays in the system's cache.

use std::collections::HashSet;
use std::fs::{self, File};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rayon::prelude::*;

use crate::claim::Claims;
use crate::error::io as named;
use crate::folders::Folders;
use crate::index::Index;
use crate::objects::hash_file;
use crate::store::locked;
use crate::{Digest, StoreError, tree, walk};

/// A process that writes, and its own folder for files that are not whole yet.
pub(crate) struct Session {
    id: i64,
    pub(crate) folder: PathBuf,
    /// Sessions of this boot that ended without saying so.
    dead: Vec<i64>,
}

impl Session {
    pub(crate) fn begin(
        folders: &Folders,
        index: &Index,
        claims: &Claims,
    ) -> Result<Session, StoreError> {
        // The lock comes before the row, so that a row without a lock is always a dead one.
        let id = loop {
            let id = (RandomState::new().build_hasher().finish() >> 3).cast_signed();
            if claims.lock_session(id)? {
                break id;
            }
        };
        let boot = boot();
        let others: Vec<i64> = index.with(|connection| {
            let change = connection.transaction()?;
            change.execute(
                "INSERT INTO session (id, boot) VALUES (?1, ?2)",
                (id, &boot),
            )?;
            let others = change
                .prepare("SELECT id FROM session WHERE id <> ?1")?
                .query_map([id], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?;
            change.commit()?;
            Ok(others)
        })?;
        let mut dead = Vec::new();
        for other in others {
            if !claims.session_lives(other)? {
                remove_all(&session_folder(folders, other))?;
                dead.push(other);
            }
        }
        let folder = session_folder(folders, id);
        fs::create_dir_all(&folder).map_err(named("make the folder", &folder))?;
        Ok(Session { id, folder, dead })
    }

    /// Takes the session out of the index: everything it wrote is on the disk.
    pub(crate) fn end(self, index: &Index) {
        // What fails here is done by the next session.
        let _ = index
            .with(|connection| connection.execute("DELETE FROM session WHERE id = ?1", [self.id]));
        let _ = fs::remove_dir_all(&self.folder);
    }
}

pub(crate) fn session_folder(folders: &Folders, id: i64) -> PathBuf {
    folders.tmp().join(format!("{id:016x}"))
}

/// Removes a file or folder that may be gone already.
pub(crate) fn remove_all(path: &Path) -> Result<(), StoreError> {
    let removed = match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(named("remove", path)(error)),
        _ => Ok(()),
    }
}

/// Which boot of the machine this is. Where the kernel does not say, every start counts as one
/// after a power loss.
fn boot() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .unwrap_or_default()
        .trim()
        .to_owned()
}

/// The machine went down before everything was on the disk.
pub(crate) struct Doubt {
    /// Up to this row everything is on the disk.
    pub(crate) flushed: i64,
    sessions: Vec<i64>,
}

/// Looks for sessions of an earlier boot. `claims` tells those of other machines that live.
pub(crate) fn doubt(index: &Index, claims: Option<&Claims>) -> Result<Option<Doubt>, StoreError> {
    let sessions: Vec<(i64, String)> = index.with(|connection| {
        connection
            .prepare("SELECT id, boot FROM session")?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect()
    })?;
    if sessions.is_empty() {
        return Ok(None);
    }
    let here = boot();
    let mut lost = Vec::new();
    for (id, boot) in sessions {
        let lives = claims.map_or(Ok(false), |claims| claims.session_lives(id))?;
        if !lives && (boot != here || here.is_empty()) {
            lost.push(id);
        }
    }
    if lost.is_empty() {
        return Ok(None);
    }
    let flushed = index
        .with(|connection| connection.query_row("SELECT row FROM flushed", [], |row| row.get(0)))?;
    Ok(Some(Doubt {
        flushed,
        sessions: lost,
    }))
}

/// Reads and checks every blob that may not have reached the disk, and drops those that did not.
pub(crate) fn recover(folders: &Folders, index: &Index, doubt: &Doubt) -> Result<(), StoreError> {
    let mut settled = HashSet::new();
    let mut young = HashSet::new();
    index.scan(None, |_, _, row| {
        let named = if row.id <= doubt.flushed {
            &mut settled
        } else {
            &mut young
        };
        named.extend(row.parts.iter().map(|part| (part.digest, part.tree)));
    })?;
    for named in [&mut settled, &mut young] {
        let trees: Vec<Digest> = named.iter().filter(|of| of.1).map(|of| of.0).collect();
        for digest in trees {
            // An unreadable manifest is found by its own digest below.
            if let Ok(manifest) = tree::manifest(folders, &digest) {
                named.extend(manifest.blobs().map(|(digest, _)| (digest, false)));
            }
        }
    }
    walk::objects(folders)?
        .into_par_iter()
        .try_for_each(|object| {
            let known = (object.digest, object.tree);
            if settled.contains(&known) && !young.contains(&known) {
                return Ok(());
            }
            if hash_file(&object.path)?.0 != object.digest {
                remove_all(&object.path)?;
            }
            Ok(())
        })?;
    for (path, digest) in walk::trees(folders)? {
        if !settled.contains(&(digest, true)) {
            remove_all(&path)?;
        }
    }
    for session in &doubt.sessions {
        remove_all(&session_folder(folders, *session))?;
        index.with(|connection| {
            connection.execute("DELETE FROM session WHERE id = ?1", [*session])
        })?;
    }
    Ok(())
}

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
    dirty: AtomicBool,
    stop: Mutex<bool>,
    woken: Condvar,
    /// Held while flushing: dead sessions that can be taken out after the next flush.
    dead: Mutex<Vec<i64>>,
}

impl Flusher {
    pub(crate) fn new(dir: &Path, index: Arc<Index>, every: Option<Duration>) -> Flusher {
        let shared = Shared {
            dir: dir.to_path_buf(),
            index,
            dirty: AtomicBool::new(false),
            stop: Mutex::new(false),
            woken: Condvar::new(),
            dead: Mutex::default(),
        };
        Flusher {
            shared: Arc::new(shared),
            thread: Mutex::new(None),
            every,
        }
    }

    pub(crate) fn flush_every(&self) -> Option<Duration> {
        self.every
    }

    /// Takes over the dead sessions that `session` has found.
    pub(crate) fn owe(&self, session: &Session) {
        locked(&self.shared.dead).extend(&session.dead);
    }

    /// Notes that something is written, and sees to it that it is flushed.
    pub(crate) fn mark_dirty(&self) {
        if self.shared.dirty.swap(true, Ordering::AcqRel) {
            return;
        }
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

    pub(crate) fn flush(&self) -> Result<(), StoreError> {
        self.shared.flush()
    }
}

impl Drop for Flusher {
    fn drop(&mut self) {
        *locked(&self.shared.stop) = true;
        self.shared.woken.notify_all();
        if let Some(thread) = locked(&self.thread).take() {
            // A panic there was reported there.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn work(&self, every: Duration) {
        loop {
            let stop = locked(&self.stop);
            let waiting = |stop: &mut bool| !*stop && !self.dirty.load(Ordering::Acquire);
            let Ok(stop) = self.woken.wait_while(stop, waiting) else {
                return;
            };
            let Ok((stop, _)) = self.woken.wait_timeout_while(stop, every, |stop| !*stop) else {
                return;
            };
            if *stop {
                return;
            }
            drop(stop);
            // It stays dirty where this fails, and whoever flushes at the end is told.
            let _ = self.flush();
        }
    }

    fn flush(&self) -> Result<(), StoreError> {
        let mut dead = locked(&self.dead);
        if !self.dirty.swap(false, Ordering::AcqRel) && dead.is_empty() {
            return Ok(());
        }
        let flushed = self.sync(&dead);
        match &flushed {
            Ok(()) => dead.clear(),
            Err(_) => self.dirty.store(true, Ordering::Release),
        }
        flushed
    }

    fn sync(&self, dead: &[i64]) -> Result<(), StoreError> {
        let row: i64 = self.index.with(|connection| {
            connection.query_row("SELECT coalesce(max(id), 0) FROM record", [], |row| {
                row.get(0)
            })
        })?;
        let folder = File::open(&self.dir).map_err(named("open", &self.dir))?;
        nix::unistd::syncfs(&folder)
            .map_err(|errno| named("write to the disk", &self.dir)(errno.into()))?;
        self.index.with(|connection| {
            let change = connection.transaction()?;
            change.execute("UPDATE flushed SET row = max(row, ?1)", [row])?;
            for session in dead {
                change.execute("DELETE FROM session WHERE id = ?1", [*session])?;
            }
            change.commit()
        })
    }
}
