//! Blobs: files named by the blake3 digest of their bytes, read-only, whole or absent.
//!
//! A blob is written under a temporary name in the store and then renamed, so that no process
//! ever sees half of one. Knows nothing of records; trees are made of these in `tree.rs`.

use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::error::io as named;
use crate::hash::{copy_hashed, hash_file};
use crate::place::{LINK_FROM, reflink};
use crate::store::{Inner, size_of};
use crate::{Digest, Store, StoreError};

/// What happens to the file that is put into the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// It is given to the store and gone from its place. A rename where both are on one file
    /// system. The caller vouches that nothing writes to it any more.
    Move,
    /// It stays.
    Copy,
}

/// What was put into the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its digest; of a tree, the digest of its manifest.
    pub digest: Digest,
    /// Bytes of all files.
    pub size: u64,
}

/// Mode of a blob.
const READ_ONLY: u32 = 0o444;

/// A blob that was stored before is marked as fresh when it is put again after this long, so that
/// `gc` (which spares what is younger than twice this) cannot take it from under a run.
const FRESHEN_NS: i64 = 30 * 60 * 1_000_000_000;

impl Store {
    /// Stores bytes in memory.
    pub fn put_bytes(&self, bytes: &[u8]) -> Result<Digest, StoreError> {
        let digest = Digest::of(bytes);
        let path = self.path_of(&digest);
        put_bytes(&self.inner, bytes, &digest, &path)?;
        Ok(digest)
    }

    /// Stores a regular file. What is there already is not written again. The mode is not kept
    /// (that of a file in a tree is).
    ///
    /// # Errors
    /// [`StoreError::Refused`] for anything but a regular file, [`StoreError::Changed`] for one
    /// that was written to meanwhile, [`StoreError::Full`] where there is no room; the store is
    /// then as it was.
    pub fn put_file(&self, path: &Path, how: How) -> Result<Stored, StoreError> {
        let before = regular(path)?;
        let (digest, size) = hash_file(path)?;
        put_hashed(&self.inner, path, &before, digest, size, how)?;
        Ok(Stored { digest, size })
    }

    /// Stores a copy of a regular file whose digest and size (bytes) are known; it is read once.
    ///
    /// # Errors
    /// [`StoreError::Changed`] where its bytes are others by now, else those of
    /// [`Store::put_file`].
    pub fn put_copy(&self, path: &Path, digest: &Digest, size: u64) -> Result<(), StoreError> {
        let inner = &*self.inner;
        inner.writable()?;
        let changed = || StoreError::Changed {
            path: path.to_path_buf(),
        };
        if regular(path)?.len() != size {
            return Err(changed());
        }
        let blob = inner.folders.blob(digest);
        if stored(inner, &blob, digest, size)? {
            return Ok(());
        }
        let temp = inner.temp_path()?;
        let shared = size >= LINK_FROM && reflink(path, &temp, READ_ONLY)?;
        let copied = if shared {
            hash_file(&temp).map(|(digest, _)| digest)
        } else {
            copy_hashed(path, &temp, READ_ONLY)
        };
        let same = copied.and_then(|copied| (copied == *digest).then_some(()).ok_or_else(changed));
        settle(same.and_then(|()| publish(inner, &temp, &blob)), &temp)?;
        inner.leave(&blob, size);
        Ok(())
    }

    /// Where a file with this digest is, or would be. The manifest of a tree is elsewhere: see
    /// [`Store::tree_path`].
    pub fn path_of(&self, digest: &Digest) -> PathBuf {
        self.inner.folders.blob(digest)
    }

    /// Where a file with this digest is, for readers that take its path.
    ///
    /// # Errors
    /// [`StoreError::Missing`]; [`StoreError::Damaged`] where its bytes are others: it is dropped then.
    pub fn path_checked(&self, digest: &Digest, size: u64) -> Result<PathBuf, StoreError> {
        let path = self.path_of(digest);
        if size_of(&path).is_none() {
            return Err(StoreError::Missing {
                digest: *digest,
                path,
            });
        }
        match self.inner.whole(&path, digest, size)? {
            true => Ok(path),
            false => Err(drop_damaged(&self.inner, &path, digest)),
        }
    }

    /// Whether a file or a tree with this digest is in the store. Of a tree only the manifest is
    /// looked at. What is there is marked as fresh, so that `gc` spares it.
    pub fn has(&self, digest: &Digest) -> bool {
        let folders = &self.inner.folders;
        [folders.blob(digest), folders.manifest(digest)]
            .iter()
            .any(|path| {
                let found = fs::symlink_metadata(path).ok().filter(Metadata::is_file);
                found
                    .inspect(|found| freshen(&self.inner, path, found))
                    .is_some()
            })
    }

    /// The bytes of a stored file, checked against the digest.
    ///
    /// # Errors
    /// [`StoreError::Missing`]; [`StoreError::Damaged`] where the bytes are others: they are
    /// dropped then.
    pub fn read(&self, digest: &Digest) -> Result<Vec<u8>, StoreError> {
        let path = self.path_of(digest);
        read_checked(&self.inner, &path, digest)
    }
}

/// The bytes of a blob or manifest, if they have their digest; otherwise it is dropped.
pub(crate) fn read_checked(
    inner: &Inner,
    path: &Path,
    digest: &Digest,
) -> Result<Vec<u8>, StoreError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(StoreError::Missing {
                digest: *digest,
                path: path.to_path_buf(),
            });
        }
        Err(error) => return Err(named("read", path)(error)),
    };
    if Digest::of(&bytes) == *digest {
        return Ok(bytes);
    }
    Err(drop_damaged(inner, path, digest))
}

/// Removes a blob that has not its content, and gives the error that says so.
pub(crate) fn drop_damaged(inner: &Inner, path: &Path, digest: &Digest) -> StoreError {
    if inner.writable().is_ok() {
        // Where it cannot be removed it stays damaged, and is found damaged again.
        let _ = fs::remove_file(path);
    }
    StoreError::Damaged {
        digest: *digest,
        path: path.to_path_buf(),
    }
}

/// Stores bytes under the name that belongs to them.
pub(crate) fn put_bytes(
    inner: &Inner,
    bytes: &[u8],
    digest: &Digest,
    path: &Path,
) -> Result<(), StoreError> {
    inner.writable()?;
    if stored(inner, path, digest, bytes.len() as u64)? {
        return Ok(());
    }
    let (temp, mut file) = inner.temp_file(READ_ONLY)?;
    let written = file.write_all(bytes).map_err(named("write", &temp));
    settle(written.and_then(|()| publish(inner, &temp, path)), &temp)
}

/// Stores a file whose digest is known. `before` is what its metadata was before it was hashed.
pub(crate) fn put_hashed(
    inner: &Inner,
    source: &Path,
    before: &Metadata,
    digest: Digest,
    size: u64,
    how: How,
) -> Result<(), StoreError> {
    inner.writable()?;
    let path = inner.folders.blob(&digest);
    if before.len() != size {
        return Err(StoreError::Changed {
            path: source.to_path_buf(),
        });
    }
    if stored(inner, &path, &digest, size)? {
        return match how {
            How::Move => fs::remove_file(source).map_err(named("remove", source)),
            How::Copy => Ok(()),
        };
    }
    // A file with a second name could be written to through that name, so it is copied.
    if how == How::Move && before.nlink() == 1 && rename_in(inner, source, before, &path)? {
        inner.leave(&path, size);
        return Ok(());
    }
    let temp = copy_in(inner, source)?;
    let same = fs::metadata(source)
        .map_err(named("look at", source))
        .and_then(|after| unchanged(source, before, &after));
    settle(same.and_then(|()| publish(inner, &temp, &path)), &temp)?;
    match how {
        How::Move => fs::remove_file(source).map_err(named("remove", source)),
        How::Copy => Ok(()),
    }
}

/// Whether the blob is there with its bytes. One with others is dropped, so that it is written anew.
fn stored(inner: &Inner, path: &Path, digest: &Digest, size: u64) -> Result<bool, StoreError> {
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(named("look at", path)(error)),
    };
    if !found.is_file() || !inner.whole(path, digest, size)? {
        fs::remove_file(path).map_err(named("remove the damaged", path))?;
        return Ok(false);
    }
    freshen(inner, path, &found);
    Ok(true)
}

/// Marks what is about to be used as fresh, so that `gc` spares it.
pub(crate) fn freshen(inner: &Inner, path: &Path, found: &Metadata) {
    let now = inner.clock.now_ns();
    if inner.writable().is_err() || now.saturating_sub(mtime_ns(found)) <= FRESHEN_NS {
        return;
    }
    let time = |tv_nsec| rustix::fs::Timespec { tv_sec: 0, tv_nsec };
    let times = rustix::fs::Timestamps {
        last_access: time(rustix::fs::UTIME_OMIT),
        last_modification: time(rustix::fs::UTIME_NOW),
    };
    // Where it belongs to another user it cannot be marked, and that user's gc decides.
    let _ = rustix::fs::utimensat(
        rustix::fs::CWD,
        path,
        &times,
        rustix::fs::AtFlags::SYMLINK_NOFOLLOW,
    );
}

/// Renames the source into the store. `false` where it is on another file system.
fn rename_in(
    inner: &Inner,
    source: &Path,
    before: &Metadata,
    path: &Path,
) -> Result<bool, StoreError> {
    inner.mark_dirty()?;
    let mode = before.permissions();
    if mode.mode() & 0o777 != READ_ONLY {
        let read_only = Permissions::from_mode(READ_ONLY);
        fs::set_permissions(source, read_only).map_err(named("protect", source))?;
    }
    match rename_making_folder(source, path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
            fs::set_permissions(source, mode).map_err(named("unprotect", source))?;
            return Ok(false);
        }
        Err(error) => return Err(named("move", source)(error)),
    }
    let after = fs::symlink_metadata(path).map_err(named("look at", path))?;
    if let Err(changed) = unchanged(source, before, &after) {
        fs::remove_file(path).map_err(named("remove", path))?;
        return Err(changed);
    }
    Ok(true)
}

/// Copies the source to a temporary name in the store; the kernel shares the blocks where the
/// file system can.
fn copy_in(inner: &Inner, source: &Path) -> Result<PathBuf, StoreError> {
    let (temp, mut file) = inner.temp_file(READ_ONLY)?;
    let copied = File::open(source)
        .map_err(named("open", source))
        .and_then(|mut from| io::copy(&mut from, &mut file).map_err(named("write", &temp)));
    settle(copied, &temp)?;
    Ok(temp)
}

/// Gives a finished temporary file its name: the moment at which the blob exists.
pub(crate) fn publish(inner: &Inner, temp: &Path, path: &Path) -> Result<(), StoreError> {
    inner.mark_dirty()?;
    rename_making_folder(temp, path).map_err(named("write", path))
}

/// Removes the temporary file where its making failed.
pub(crate) fn settle<T>(result: Result<T, StoreError>, temp: &Path) -> Result<T, StoreError> {
    if result.is_err() {
        // What cannot be removed now is removed by verify.
        let _ = fs::remove_file(temp);
    }
    result
}

fn rename_making_folder(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // The folders ab/ are made as they are needed.
            if let Some(folder) = to.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::rename(from, to)
        }
        result => result,
    }
}

fn unchanged(path: &Path, before: &Metadata, after: &Metadata) -> Result<(), StoreError> {
    if before.len() == after.len() && mtime_ns(before) == mtime_ns(after) {
        return Ok(());
    }
    Err(StoreError::Changed {
        path: path.to_path_buf(),
    })
}

/// The metadata of a regular file; anything else is refused.
pub(crate) fn regular(path: &Path) -> Result<Metadata, StoreError> {
    let found = fs::symlink_metadata(path).map_err(named("look at", path))?;
    match what_else(found.file_type()) {
        None => Ok(found),
        Some(what) => Err(StoreError::Refused {
            path: path.to_path_buf(),
            what,
        }),
    }
}

/// What an entry is, where it is not a regular file.
pub(crate) fn what_else(kind: fs::FileType) -> Option<&'static str> {
    use std::os::unix::fs::FileTypeExt;
    if kind.is_file() {
        None
    } else if kind.is_dir() {
        Some("a folder")
    } else if kind.is_symlink() {
        Some("a symbolic link")
    } else if kind.is_fifo() {
        Some("a named pipe")
    } else if kind.is_socket() {
        Some("a socket")
    } else {
        Some("a device")
    }
}

/// Nanoseconds since 1970.
pub(crate) fn mtime_ns(found: &Metadata) -> i64 {
    found
        .mtime()
        .saturating_mul(1_000_000_000)
        .saturating_add(found.mtime_nsec())
}
