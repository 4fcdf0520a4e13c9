//! Digests of files that need not be read again, because their stat has not changed.
//!
//! An entry is `(device, inode) -> size, mtime, ctime, digest, when it was read`. It holds only if
//! all of size, mtime and ctime are the same, and only if the file was already older than the
//! clock's step when it was read: a file that is written twice within one step keeps its times
//! (git's racy rule). The times are compared for equality, never for order, so a clock that jumps
//! makes a file be read again but never lets a changed one pass.
//!
//! Knows nothing of the store. The cache is one workspace's own; it may be deleted at any time.

use std::collections::HashMap;
use std::fs::{self, File, Metadata};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::error::io as named;
use crate::hash::hash_file;
use crate::objects::mtime_ns;
use crate::store::locked;
use crate::{Clock, Digest, Store, StoreError};

/// First bytes of the file; a change of the format changes them.
const MAGIC: &[u8; 8] = b"kyostat1";
/// Bytes of one entry.
const ENTRY: usize = 6 * 8 + 32;
/// More entries than this are not kept; the oldest go.
const MOST: usize = 1_000_000;
/// Above the kernel's timer step of 1 to 10 ms, which times of files are rounded to.
const STEP_NS: i64 = 20_000_000;
/// Where a file system keeps whole seconds only (or two, as FAT does), all times end in zeros.
const COARSE_STEP_NS: i64 = 2_000_000_000;

/// What the disk says of a path: little enough to be kept of each of thousands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    pub(crate) look: Look,
    shape: Option<Shape>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    File,
    Dir,
}

/// All that a file is known by: its id, its size (bytes), and the times (ns since 1970).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Look {
    id: Id,
    size: u64,
    mtime_ns: i64,
    ctime_ns: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Id {
    device: u64,
    inode: u64,
}

#[derive(Clone, Copy, PartialEq)]
struct Seen {
    size: u64,
    mtime_ns: i64,
    ctime_ns: i64,
    read_at_ns: i64,
    digest: Digest,
}

/// The cache of one workspace; the file is read at the first question.
pub(crate) struct StatCache {
    path: PathBuf,
    clock: Clock,
    entries: Mutex<Option<Entries>>,
}

#[derive(Default)]
struct Entries {
    map: HashMap<Id, Seen>,
    changed: bool,
}

impl Store {
    /// The digest of a file, links followed; a file whose stat is unchanged is not read.
    pub fn digest_file(&self, path: &Path) -> Result<Digest, StoreError> {
        self.inner.stats.digest(path).map(|(digest, _)| digest)
    }

    /// Digest and size (bytes) of a file whose stat was asked a moment ago. It is asked again only
    /// where the file has to be read.
    pub fn digest_seen(&self, path: &Path, stat: &Stat) -> Result<(Digest, u64), StoreError> {
        match self.inner.stats.known(&stat.look) {
            Some(digest) => Ok((digest, stat.look.size)),
            None => self.inner.stats.digest(path),
        }
    }
}

impl StatCache {
    pub(crate) fn new(path: PathBuf, clock: Clock) -> StatCache {
        StatCache {
            path,
            clock,
            entries: Mutex::new(None),
        }
    }

    /// Digest and size of a file.
    pub(crate) fn digest(&self, path: &Path) -> Result<(Digest, u64), StoreError> {
        // A file that is written to all the time is given up on.
        for _ in 0..3 {
            let found = fs::metadata(path).map_err(named("look at", path))?;
            let look = Look::of(&found);
            if let Some(digest) = self.known(&look) {
                return Ok((digest, look.size));
            }
            if !found.is_file() {
                let what = crate::objects::what_else(found.file_type()).unwrap_or("no file");
                return Err(StoreError::Refused {
                    path: path.to_path_buf(),
                    what,
                });
            }
            // Before the file is read: what is written from now on has a later time, or the same.
            let read_at_ns = self.clock.now_ns();
            let (digest, size) = hash_file(path)?;
            let after = fs::metadata(path).map_err(named("look at", path))?;
            if look == Look::of(&after) && size == look.size {
                self.learn(&look, digest, read_at_ns);
                return Ok((digest, size));
            }
        }
        Err(StoreError::Changed {
            path: path.to_path_buf(),
        })
    }

    /// The digest of a file that was read when it was as it is, and old enough.
    pub(crate) fn known(&self, found: &Look) -> Option<Digest> {
        let mut entries = locked(&self.entries);
        let entries = entries.get_or_insert_with(|| load(&self.path).unwrap_or_default());
        let seen = entries.map.get(&found.id)?;
        let times = (seen.size, seen.mtime_ns, seen.ctime_ns);
        (times == (found.size, found.mtime_ns, found.ctime_ns)).then_some(seen.digest)
    }

    fn learn(&self, found: &Look, digest: Digest, read_at_ns: i64) {
        if is_racy(found.mtime_ns, found.ctime_ns, read_at_ns) {
            return;
        }
        let seen = Seen {
            size: found.size,
            mtime_ns: found.mtime_ns,
            ctime_ns: found.ctime_ns,
            read_at_ns,
            digest,
        };
        let mut entries = locked(&self.entries);
        let entries = entries.get_or_insert_with(|| load(&self.path).unwrap_or_default());
        entries.map.insert(found.id, seen);
        entries.changed = true;
    }

    /// Writes the cache, if it has changed, together with what other processes wrote meanwhile.
    pub(crate) fn save(&self) -> Result<(), StoreError> {
        let mut entries = locked(&self.entries);
        let Some(entries) = entries.as_mut().filter(|entries| entries.changed) else {
            return Ok(());
        };
        let mut merged = load(&self.path).unwrap_or_default().map;
        merged.extend(entries.map.iter().map(|(id, seen)| (*id, *seen)));
        let mut kept: Vec<(Id, Seen)> = merged.into_iter().collect();
        if kept.len() > MOST {
            kept.sort_by_key(|(_, seen)| std::cmp::Reverse(seen.read_at_ns));
            kept.truncate(MOST);
        }
        kept.sort_by_key(|(id, _)| *id);
        write(&self.path, &kept)?;
        entries.changed = false;
        Ok(())
    }
}

/// Whether the file could be written to after it was read without a change of its times.
fn is_racy(mtime_ns: i64, ctime_ns: i64, read_at_ns: i64) -> bool {
    let coarse = mtime_ns % 1_000_000_000 == 0 && ctime_ns % 1_000_000_000 == 0;
    let step = if coarse { COARSE_STEP_NS } else { STEP_NS };
    mtime_ns.max(ctime_ns).saturating_add(step) >= read_at_ns
}

impl Stat {
    /// What the disk says of a path, links followed; none where nothing is there.
    #[must_use]
    pub fn of(path: &Path) -> Option<Stat> {
        fs::metadata(path).ok().as_ref().map(Stat::from)
    }

    /// Whether it is a folder.
    #[must_use]
    pub fn is_dir(&self) -> bool {
        self.shape == Some(Shape::Dir)
    }

    /// Whether it is a file.
    #[must_use]
    pub fn is_file(&self) -> bool {
        self.shape == Some(Shape::File)
    }
}

impl From<&Metadata> for Stat {
    fn from(found: &Metadata) -> Self {
        let shape = match () {
            () if found.is_file() => Some(Shape::File),
            () if found.is_dir() => Some(Shape::Dir),
            () => None,
        };
        Self {
            look: Look::of(found),
            shape,
        }
    }
}

impl Look {
    /// The look of a file that cannot be told by one yet: no file has it.
    pub(crate) const NONE: Look = Look {
        id: Id {
            device: 0,
            inode: 0,
        },
        size: 0,
        mtime_ns: 0,
        ctime_ns: 0,
    };

    pub(crate) fn of(found: &Metadata) -> Self {
        let ctime_ns = found
            .ctime()
            .saturating_mul(1_000_000_000)
            .saturating_add(found.ctime_nsec());
        Self {
            id: Id {
                device: found.dev(),
                inode: found.ino(),
            },
            size: found.len(),
            mtime_ns: mtime_ns(found),
            ctime_ns,
        }
    }

    /// As numbers, for [`Look::from_numbers`].
    pub(crate) fn numbers(&self) -> [u64; 5] {
        [
            self.id.device,
            self.id.inode,
            self.size,
            self.mtime_ns.cast_unsigned(),
            self.ctime_ns.cast_unsigned(),
        ]
    }

    pub(crate) fn from_numbers([device, inode, size, mtime, ctime]: [u64; 5]) -> Self {
        Self {
            id: Id { device, inode },
            size,
            mtime_ns: mtime.cast_signed(),
            ctime_ns: ctime.cast_signed(),
        }
    }
}

/// `None` where there is no file, or one that is not whole.
fn load(path: &Path) -> Option<Entries> {
    let bytes = fs::read(path).ok()?;
    let (body, sum) = bytes.split_at_checked(bytes.len().checked_sub(32)?)?;
    if blake3::hash(body).as_bytes() != sum {
        return None;
    }
    let rows = body.strip_prefix(MAGIC)?;
    let map = rows
        .chunks_exact(ENTRY)
        .map(|row| {
            let number = |at: usize| {
                let mut word = [0; 8];
                word.copy_from_slice(&row[at * 8..at * 8 + 8]);
                u64::from_le_bytes(word)
            };
            let mut digest = [0; 32];
            digest.copy_from_slice(&row[48..]);
            let seen = Seen {
                size: number(2),
                mtime_ns: number(3).cast_signed(),
                ctime_ns: number(4).cast_signed(),
                read_at_ns: number(5).cast_signed(),
                digest: Digest::from_bytes(digest),
            };
            (
                Id {
                    device: number(0),
                    inode: number(1),
                },
                seen,
            )
        })
        .collect();
    Some(Entries {
        map,
        changed: false,
    })
}

fn write(path: &Path, entries: &[(Id, Seen)]) -> Result<(), StoreError> {
    let mut bytes = Vec::with_capacity(MAGIC.len() + entries.len() * ENTRY + 32);
    bytes.extend_from_slice(MAGIC);
    for (id, seen) in entries {
        for number in [
            id.device,
            id.inode,
            seen.size,
            seen.mtime_ns.cast_unsigned(),
            seen.ctime_ns.cast_unsigned(),
            seen.read_at_ns.cast_unsigned(),
        ] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend_from_slice(seen.digest.as_bytes());
    }
    let sum = blake3::hash(&bytes);
    bytes.extend_from_slice(sum.as_bytes());
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(named("make the folder", folder))?;
    }
    let temp = path.with_extension(std::process::id().to_string());
    let written = File::create(&temp)
        .and_then(|mut file| file.write_all(&bytes))
        .map_err(named("write", &temp))
        .and_then(|()| fs::rename(&temp, path).map_err(named("write", path)));
    crate::objects::settle(written, &temp)
}
