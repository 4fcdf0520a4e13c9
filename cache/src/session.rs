//! Who writes, and what is in doubt after a power loss.
//!
//! A process that writes has a *session* in the index, with the boot of the machine it runs under;
//! it is taken out when everything is on the disk (`flush.rs`). A session of an earlier boot
//! therefore means: the machine went down before that. Then every blob that an unflushed row, or
//! no row, names is read and checked before anything is used. No clock is asked. The first session
//! of a boot is on the disk before the first blob is written, or its own loss would hide theirs.
//!
//! A `kill -9` needs none of this: what a process wrote stays in the system's cache.

use std::collections::HashSet;
use std::fs::{self, Permissions};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::claim::Claims;
use crate::error::io as named;
use crate::folders::Folders;
use crate::hash::hash_file;
use crate::index::Index;
use crate::{Clock, Digest, StoreError, tree, walk};

/// A process that writes, and its own folder for files that are not whole yet.
pub(crate) struct Session {
    pub(crate) id: i64,
    pub(crate) folder: PathBuf,
}

impl Session {
    pub(crate) fn begin(
        folders: &Folders,
        index: &Index,
        claims: &Claims,
        clock: &Clock,
    ) -> Result<Session, StoreError> {
        // The lock comes before the row, so that a row without a lock is always a dead one.
        let id = loop {
            let id = (RandomState::new().build_hasher().finish() >> 3).cast_signed();
            if id > 0 && claims.lock_session(id)? {
                break id;
            }
        };
        let boot = boot();
        let others: Vec<i64> = index.with(|connection| {
            let change = connection.transaction()?;
            let others = change
                .prepare("SELECT id FROM session WHERE boot = ?1")?
                .query_map([&boot], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?;
            change.execute(
                "INSERT INTO session (id, boot, began_ns) VALUES (?1, ?2, ?3)",
                (id, &boot, clock.now_ns()),
            )?;
            change.commit()?;
            Ok(others)
        })?;
        if others.is_empty() {
            index.sync()?;
        }
        for other in others {
            if !claims.session_lives(other)? {
                // Whatever the dead one had not flushed, this one now stands for.
                remove_all(&session_folder(folders, other))?;
                take_out(index, other)?;
            }
        }
        let folder = session_folder(folders, id);
        fs::create_dir_all(&folder).map_err(named("make the folder", &folder))?;
        Ok(Session { id, folder })
    }

    /// Ends the session. It is taken out of the index if everything it wrote is on the disk.
    pub(crate) fn end(self, index: &Index, flushed: bool) {
        // What fails here is done by the next session.
        let _ = fs::remove_dir_all(&self.folder);
        if flushed {
            let _ = take_out(index, self.id);
        }
    }
}

fn take_out(index: &Index, session: i64) -> Result<(), StoreError> {
    index.with(|connection| {
        connection.execute("DELETE FROM session WHERE id = ?1", [session])?;
        Ok(())
    })
}

pub(crate) fn session_folder(folders: &Folders, id: i64) -> PathBuf {
    folders.tmp().join(format!("{id:016x}"))
}

/// Removes a file or folder that may be gone already.
pub(crate) fn remove_all(path: &Path) -> Result<(), StoreError> {
    let removed = match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => match fs::remove_dir_all(path) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                open_folders(path).and_then(|()| fs::remove_dir_all(path))
            }
            removed => removed,
        },
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(named("remove", path)(error)),
        _ => Ok(()),
    }
}

/// Gives the right to write to a folder and the folders in it: trees are laid out without it, and who
/// is not root can then remove nothing from them.
fn open_folders(root: &Path) -> io::Result<()> {
    let mut open = vec![root.to_path_buf()];
    while let Some(folder) = open.pop() {
        fs::set_permissions(&folder, Permissions::from_mode(0o755))?;
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                open.push(entry.path());
            }
        }
    }
    Ok(())
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
        take_out(index, *session)?;
    }
    Ok(())
}
