//! Puts what is stored where it can be seen: a shared copy of the blocks (reflink) where the file
//! system can, else a hard link, else a copy.
//!
//! A link is made only of what is large, read-only and not to be edited: through a link, an edit
//! would reach the store. What is placed appears whole under its name or not at all.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use nix::fcntl::{RenameFlags, renameat2};
use rayon::prelude::*;

use crate::error::io as named;

use crate::hash::copy_hashed;
use crate::objects::{drop_damaged, freshen};
use crate::session::remove_all;
use crate::store::{Inner, locked, size_of};
use crate::tree::{Mode, Tree, manifest};
use crate::{Access, Digest, Store, StoreError};

/// From this size on, a new name for a file is worth more than a file of one's own.
pub(crate) const LINK_FROM: u64 = 1 << 20;

/// Whether what is placed may be written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Editable {
    /// It is a file of its own.
    Yes,
    /// It may share its bytes with the store, and is read-only then.
    No,
}

impl Store {
    /// Places a file or a tree at `target`, replacing what is there (but no folder by a file);
    /// makes the folders above it.
    ///
    /// # Errors
    /// [`StoreError::Missing`]; [`StoreError::Damaged`] where the copied bytes have another
    /// digest: they are dropped then, and `target` is as it was.
    pub fn place(
        &self,
        digest: &Digest,
        target: &Path,
        editable: Editable,
    ) -> Result<(), StoreError> {
        let inner = &*self.inner;
        let blob = inner.folders.blob(digest);
        let folder = match target.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let Some(size) = size_of(&blob) else {
            let tree = manifest(&inner.folders, digest).map_err(|error| match error {
                StoreError::Missing { digest, .. } => StoreError::Missing { digest, path: blob },
                error => error,
            })?;
            fs::create_dir_all(folder).map_err(named("make the folder", folder))?;
            let temp = temp_beside(inner, folder)?;
            let made = grow(inner, &tree, &temp, |from, to, program| {
                copy_or_link(inner, from, to, program, editable)
            });
            return finish(made.and_then(|()| replace_folder(&temp, target)), &temp);
        };
        fs::create_dir_all(folder).map_err(named("make the folder", folder))?;
        if editable == Editable::No && same_file(&blob, target) {
            return Ok(());
        }
        let temp = temp_beside(inner, folder)?;
        let made = copy_or_link(inner, (digest, size), &temp, false, editable);
        let placed = made.and_then(|()| fs::rename(&temp, target).map_err(named("write", target)));
        finish(placed, &temp)
    }

    /// The folder of a stored tree, made once and kept in the store, for readers in this process.
    /// Everything in it is read-only. One that was changed all the same is laid out anew.
    ///
    /// # Errors
    /// [`StoreError::Missing`]; [`StoreError::Damaged`] where a file of it has other bytes: it is
    /// dropped then.
    pub fn tree_path(&self, digest: &Digest) -> Result<PathBuf, StoreError> {
        let inner = &*self.inner;
        let path = inner.folders.trees().join(digest.hex());
        let tree = manifest(&inner.folders, digest)?;
        if let Ok(found) = fs::symlink_metadata(&path) {
            if inner.tree_stands(&path, &tree) {
                freshen(inner, &path, &found);
                return Ok(path);
            }
            inner.writable()?;
            // Whoever came first has laid it out anew by now, and its readers are at work.
            let _one = locked(&inner.laying);
            if inner.tree_stands(&path, &tree) {
                return Ok(path);
            }
            let aside = inner.temp_path()?;
            // A folder without the right to write cannot be moved by its owner either.
            fs::set_permissions(&path, Permissions::from_mode(0o755))
                .map_err(named("unprotect", &path))?;
            fs::rename(&path, &aside).map_err(named("move", &path))?;
            remove_all(&aside)?;
            return lay_out(inner, &tree, path);
        }
        inner.writable()?;
        lay_out(inner, &tree, path)
    }
}

/// Lays a tree out at `path`, unless another process was quicker.
fn lay_out(inner: &Inner, tree: &Tree, path: PathBuf) -> Result<PathBuf, StoreError> {
    let temp = inner.temp_path()?;
    let made = grow(inner, tree, &temp, |from, to, program| {
        let blob = inner.folders.blob(from.0);
        if !inner.whole(&blob, from.0, from.1)? {
            return Err(drop_damaged(inner, &blob, from.0));
        }
        if program || fs::hard_link(&blob, to).is_err() {
            copy_checked(inner, from.0, to, if program { 0o555 } else { 0o444 })?;
        }
        Ok(())
    });
    let named_now = made.and_then(|()| match fs::rename(&temp, &path) {
        Err(_) if path.is_dir() => remove_all(&temp),
        result => result.map_err(named("write", &path)),
    });
    finish(named_now, &temp)?;
    protect_folders(&path)?;
    Ok(path)
}

/// Builds a tree at `root`, which must not exist; `put` makes each file.
fn grow(
    inner: &Inner,
    tree: &Tree,
    root: &Path,
    put: impl Fn((&Digest, u64), &Path, bool) -> Result<(), StoreError> + Sync,
) -> Result<(), StoreError> {
    fs::create_dir_all(root).map_err(named("make the folder", root))?;
    for entry in &tree.entries {
        let at = root.join(&entry.path);
        let folder = if entry.mode == Mode::Folder {
            Some(at.as_path())
        } else {
            at.parent()
        };
        if let Some(folder) = folder {
            fs::create_dir_all(folder).map_err(named("make the folder", folder))?;
        }
    }
    tree.entries.par_iter().try_for_each(|entry| {
        let Some(digest) = &entry.digest else {
            return Ok(());
        };
        let blob = inner.folders.blob(digest);
        if size_of(&blob) != Some(entry.size) {
            return Err(StoreError::Missing {
                digest: *digest,
                path: blob,
            });
        }
        put(
            (digest, entry.size),
            &root.join(&entry.path),
            entry.mode == Mode::Program,
        )
    })
}

fn copy_or_link(
    inner: &Inner,
    (digest, size): (&Digest, u64),
    to: &Path,
    program: bool,
    editable: Editable,
) -> Result<(), StoreError> {
    let mode = if program { 0o755 } else { 0o644 };
    if size >= LINK_FROM {
        let blob = inner.folders.blob(digest);
        if reflink(&blob, to, mode)? {
            return Ok(());
        }
        // A link shares the mode too, so a program is copied.
        if editable == Editable::No && !program && fs::hard_link(&blob, to).is_ok() {
            return Ok(());
        }
    }
    copy_checked(inner, digest, to, mode)
}

fn copy_checked(inner: &Inner, digest: &Digest, to: &Path, mode: u32) -> Result<(), StoreError> {
    let blob = inner.folders.blob(digest);
    if copy_hashed(&blob, to, mode)? == *digest {
        return Ok(());
    }
    Err(drop_damaged(inner, &blob, digest))
}

/// Shares the blocks of `from` with a new file. `false` where the file system cannot.
pub(crate) fn reflink(from: &Path, to: &Path, mode: u32) -> Result<bool, StoreError> {
    let source = File::open(from).map_err(named("open", from))?;
    let target = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(to)
        .map_err(named("make", to))?;
    if rustix::fs::ioctl_ficlone(&target, &source).is_ok() {
        return Ok(true);
    }
    drop(target);
    fs::remove_file(to).map_err(named("remove", to))?;
    Ok(false)
}

/// A name that nothing has, on the file system of `folder`: in the store where that is the same,
/// so that a `kill -9` leaves nothing in the workspace.
fn temp_beside(inner: &Inner, folder: &Path) -> Result<PathBuf, StoreError> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let device = |path: &Path| fs::metadata(path).map(|found| found.dev()).ok();
    if inner.access() == Access::Write && device(folder) == device(&inner.folders.dir) {
        return inner.temp_path();
    }
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    Ok(folder.join(format!(".kyo-{}-{number}", std::process::id())))
}

/// Gives a folder its name; a folder that has it already is removed.
fn replace_folder(temp: &Path, target: &Path) -> Result<(), StoreError> {
    if fs::symlink_metadata(target).is_err() {
        return fs::rename(temp, target).map_err(named("write", target));
    }
    let here = nix::fcntl::AT_FDCWD;
    match renameat2(here, temp, here, target, RenameFlags::RENAME_EXCHANGE) {
        Ok(()) => remove_all(temp),
        Err(nix::errno::Errno::EINVAL | nix::errno::Errno::ENOSYS) => {
            // Some network file systems cannot exchange two names.
            remove_all(target)?;
            fs::rename(temp, target).map_err(named("write", target))
        }
        Err(errno) => Err(named("write", target)(io::Error::from(errno))),
    }
}

/// Removes the temporary name where the placing failed.
fn finish(result: Result<(), StoreError>, temp: &Path) -> Result<(), StoreError> {
    if result.is_err() {
        // What cannot be removed now is removed by verify.
        let _ = remove_all(temp);
    }
    result
}

/// Whether both names are of one file.
pub(crate) fn same_file(a: &Path, b: &Path) -> bool {
    let id = |path| {
        fs::symlink_metadata(path)
            .map(|found| (found.dev(), found.ino()))
            .ok()
    };
    id(a).is_some() && id(a) == id(b)
}

/// Takes the right to write from a folder and the folders in it.
fn protect_folders(root: &Path) -> Result<(), StoreError> {
    let mut open = vec![root.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).map_err(named("list", &folder))? {
            let entry = entry.map_err(named("list", &folder))?;
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                open.push(entry.path());
            }
        }
        let read_only = Permissions::from_mode(0o555);
        fs::set_permissions(&folder, read_only).map_err(named("protect", &folder))?;
    }
    Ok(())
}
