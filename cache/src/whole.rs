//! Whether what is handed to a reader has the bytes that its name says.
//!
//! A script can write to what it reads (`sed -i` needs no right to the file, only to its folder), and a
//! disk can err; whoever reads next would make a wrong result under a good key. So a blob is looked
//! at before its path is given away: a small one is read, a large one is known by its stat.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rayon::prelude::*;

use crate::hash::hash_file;
use crate::objects::mtime_ns;
use crate::store::{Inner, locked};
use crate::tree::{Mode, Tree};
use crate::{Digest, StoreError};

/// Bytes from which on reading a file costs more than remembering it (0.15 ms at 7 GB/s).
const LARGE: u64 = 1 << 20;

/// A file as this process left it: device, inode, size (bytes), mtime (ns). A link to it changes its
/// ctime, which therefore says nothing here.
pub(crate) type Left = (u64, u64, u64, i64);

impl Inner {
    /// Whether the file has this digest and size.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(crate) fn whole(
        &self,
        path: &Path,
        digest: &Digest,
        size: u64,
    ) -> Result<bool, StoreError> {
        if size < LARGE {
            return Ok(hash_file(path)? == (*digest, size));
        }
        let Ok(found) = fs::symlink_metadata(path) else {
            return Ok(false);
        };
        if !found.is_file() || found.len() != size {
            return Ok(false);
        }
        if locked(&self.left).contains(&left(&found)) {
            return Ok(true);
        }
        Ok(self.stats.digest(path)? == (*digest, size))
    }

    /// Remembers a large blob that was written a moment ago, so that it is not read again at once.
    pub(crate) fn leave(&self, path: &Path, size: u64) {
        if size < LARGE {
            return;
        }
        if let Ok(found) = fs::symlink_metadata(path) {
            locked(&self.left).insert(left(&found));
        }
    }

    /// Whether a folder holds what its manifest says, and nothing else.
    pub(crate) fn tree_stands(&self, path: &Path, tree: &Tree) -> bool {
        let Ok(listed) = crate::tree::list(path) else {
            return false;
        };
        let there = listed.iter().map(|found| (&found.path, found.mode));
        let wanted = tree.entries.iter().map(|entry| (&entry.path, entry.mode));
        there.eq(wanted)
            && tree.entries.par_iter().all(|entry| {
                let right = |digest| self.whole(&path.join(&entry.path), digest, entry.size);
                entry.mode == Mode::Folder
                    || entry
                        .digest
                        .as_ref()
                        .is_some_and(|digest| right(digest).unwrap_or(false))
            })
    }
}

fn left(found: &fs::Metadata) -> Left {
    (found.dev(), found.ino(), found.len(), mtime_ns(found))
}
