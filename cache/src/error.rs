//! What can go wrong with a store. Each error names the path; [`StoreError::help`] has the remedy.
//!
//! Knows nothing of how errors are shown.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::Digest;

/// An error of the store. Messages are fragments that fit after "failed: ".
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The operating system refused.
    #[error("could not {doing} {path}: {source}")]
    Io {
        /// A verb: what was tried.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: Arc<io::Error>,
    },
    /// The disk, the quota or the allowed file size is used up. The store itself is intact.
    #[error("no room left to write {path}")]
    Full {
        /// What could not be written.
        path: PathBuf,
    },
    /// A write to a store that was opened (or can only be opened) for reading.
    #[error("the store {path} is read-only")]
    ReadOnly {
        /// The store's folder.
        path: PathBuf,
    },
    /// The folder was made by another version of the store, or is not a store.
    #[error("{}{path} says \"{found}\", this program reads \"{expected}\"", if *newer { "the store was written by a newer kyo: " } else { "" })]
    Version {
        /// The version file, or the index.
        path: PathBuf,
        /// Its content, or the version of its tables.
        found: String,
        /// What this program writes.
        expected: &'static str,
        /// Whether it is a later version of the same.
        newer: bool,
    },
    /// The index could not be read or written.
    #[error("the index {path} failed: {source}")]
    Index {
        /// The database file.
        path: PathBuf,
        /// What SQLite said.
        source: Arc<rusqlite::Error>,
    },
    /// The index holds a row that no version of this program writes.
    #[error("the index {path} holds a row that cannot be read: {what}")]
    Row {
        /// The database file.
        path: PathBuf,
        /// Which part.
        what: String,
    },
    /// Byte-range locks do not work on this file system.
    #[error("could not lock {path}: {source}")]
    Lock {
        /// The lock file.
        path: PathBuf,
        /// Why not.
        source: Arc<io::Error>,
    },
    /// Something that was asked for by digest is not in the store.
    #[error("{digest} is not in the store (expected at {path})")]
    Missing {
        /// Its digest.
        digest: Digest,
        /// Where it would be.
        path: PathBuf,
    },
    /// A stored file did not have its content; it has been dropped, so that it is made again.
    #[error("{path} was damaged and has been dropped")]
    Damaged {
        /// The digest that it should have had.
        digest: Digest,
        /// Where it was.
        path: PathBuf,
    },
    /// A symbolic link, a device, a socket, or a name that is not UTF-8.
    #[error("{path} cannot be stored: it is {what}")]
    Refused {
        /// Which entry.
        path: PathBuf,
        /// What it is, with an article.
        what: &'static str,
    },
    /// A file was written to while it was being read.
    #[error("{path} changed while it was being read")]
    Changed {
        /// Which file.
        path: PathBuf,
    },
    /// Another process is collecting; two at once would count the same bytes twice.
    #[error("another process is collecting in {path}")]
    Collecting {
        /// The store's folder.
        path: PathBuf,
    },
    /// The store's own thread is gone, which only a panic in a caller's function can do.
    #[error("the thread that writes the index has stopped")]
    Stopped,
    /// The text is not 64 lower-case hexadecimal digits.
    #[error("\"{text}\" is not a digest of 64 hexadecimal digits")]
    NotADigest {
        /// The text, at most 80 characters of it.
        text: String,
    },
}

impl StoreError {
    /// What the reader can do about it; absent where nothing general can be said.
    pub fn help(&self) -> Option<&'static str> {
        Some(match self {
            StoreError::Full { .. } => {
                "free space there (kyo gc --dry-run says what the store could give back), or choose \
                 another disk with --store; what was stored before is intact"
            }
            StoreError::ReadOnly { .. } => {
                "choose a store that can be written with --store DIR, or make this one writable; \
                 what is in it can be reused as it is"
            }
            StoreError::Version { newer: true, .. } => {
                "update kyo, or choose another folder with --store; the store was not touched"
            }
            StoreError::Version { .. } => {
                "choose another folder with --store, or move this one away: everything in it can \
                 be made again"
            }
            StoreError::Index { .. } | StoreError::Row { .. } => {
                "run kyo verify; if the index cannot be opened at all, move it away: the blobs stay"
            }
            StoreError::Lock { .. } => {
                "put the store on a file system with byte-range locks (a local disk) with --store"
            }
            StoreError::Missing { .. } | StoreError::Damaged { .. } => {
                "run the same command again: what is missing is made again"
            }
            StoreError::Refused { what, .. } => match *what {
                "a symbolic link" => "store the file it points to, or leave it out",
                "a name that is not UTF-8" => "give it another name, or leave it out",
                "a folder" => "where a folder is meant, the type is `dir`",
                _ => "only files and folders can be stored: leave it out",
            },
            StoreError::Collecting { .. } => "wait for it, then run again",
            StoreError::Changed { .. } => "wait until nothing writes to it, then run again",
            StoreError::Io { .. } | StoreError::NotADigest { .. } | StoreError::Stopped => {
                return None;
            }
        })
    }

    /// An error of the index, told apart by what can be done about it.
    pub(crate) fn index(path: &Path, source: rusqlite::Error) -> StoreError {
        use rusqlite::ErrorCode::{DiskFull, ReadOnly};
        let path = path.to_path_buf();
        match source.sqlite_error_code() {
            Some(DiskFull) => StoreError::Full { path },
            Some(ReadOnly) => StoreError::ReadOnly { path },
            _ => StoreError::Index {
                path,
                source: Arc::new(source),
            },
        }
    }
}

/// Names the path and the deed in an error of the operating system:
/// `File::open(path).map_err(io("open", path))`.
pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    move |source| {
        let path = path.to_path_buf();
        match source.kind() {
            io::ErrorKind::StorageFull
            | io::ErrorKind::QuotaExceeded
            | io::ErrorKind::FileTooLarge => StoreError::Full { path },
            io::ErrorKind::ReadOnlyFilesystem => StoreError::ReadOnly { path },
            _ => StoreError::Io {
                doing,
                path,
                source: Arc::new(source),
            },
        }
    }
}
