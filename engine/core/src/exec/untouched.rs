//! Whether a script has left its data as they were. What it reads lies in the store for everybody, so one
//! that writes there fails, and what it spoilt is dropped before anybody else reads it. Data that a
//! script has for itself (copies under a name of their own) are no concern of anybody.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use kyobashi_cache::{Digest, Store, StoreError};
use kyobashi_stage::{Call, Datum, Failure};

/// A file of the store as it was before a script ran.
pub struct Look {
    name: String,
    digest: Digest,
    path: PathBuf,
    seen: Seen,
}

/// Inode, size in bytes, and mtime in seconds and nanoseconds.
type Seen = (u64, u64, i64, i64);

/// The files of the store among the data of a call.
pub fn looks(store: &Store, call: &Call) -> Vec<Look> {
    let mut looks = Vec::new();
    for (name, datum) in &call.ins {
        gather(store, name, datum, &mut looks);
    }
    looks
}

/// Drops what a script has written to.
///
/// # Errors
/// Names the first data that are others than before.
pub fn check(store: &Store, looks: &[Look]) -> Result<(), Failure> {
    let mut changed = None;
    for look in looks {
        if fs::symlink_metadata(&look.path).is_ok_and(|found| seen(&found) == look.seen) {
            continue;
        }
        let (_, size, ..) = look.seen;
        if let Err(StoreError::Damaged { .. } | StoreError::Missing { .. }) =
            store.path_checked(&look.digest, size)
        {
            changed.get_or_insert(&look.name);
        }
    }
    match changed {
        Some(name) => Err(
            Failure::new(format!("the script changed its own data, `{name}`")).help(format!(
                "data are only to be read, others read them too: `cp \"${name}\" mine` first. What was \
                 changed is made again by the next run"
            )),
        ),
        None => Ok(()),
    }
}

fn gather(store: &Store, name: &str, datum: &Datum, looks: &mut Vec<Look>) {
    match datum {
        Datum::File { digest, .. } => {
            let Ok(digest) = digest.parse() else { return };
            let path = store.path_of(&digest);
            if let Ok(found) = fs::symlink_metadata(&path) {
                looks.push(Look {
                    name: name.to_owned(),
                    digest,
                    path,
                    seen: seen(&found),
                });
            }
        }
        Datum::List { items } => {
            for item in items {
                gather(store, name, item, looks);
            }
        }
        Datum::Grid { cells, .. } => {
            for cell in cells {
                gather(store, name, &cell.datum, looks);
            }
        }
        Datum::Dir { .. } | Datum::Value { .. } => {}
    }
}

fn seen(found: &Metadata) -> Seen {
    (found.ino(), found.len(), found.mtime(), found.mtime_nsec())
}
