//! What a run depended on, so that a later one can tell by looks alone that all of it stands as it did.
//!
//! A file stands if device, inode, size, mtime and ctime are the same and it was old enough when it was
//! read (the rule of `stat.rs`); a blob if it is there with its size; the records if none was added to
//! the index or taken out of it. Whatever cannot be told by a look has no standing: a folder, a tree, a
//! file that was written a moment ago.

use std::collections::{BTreeSet, HashMap};
use std::ffi::OsStr;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::PoisonError;

use rayon::prelude::*;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, open, statat};

use crate::error::io as named;
use crate::record::{Part, pack, unpack};
use crate::stat::{Look, Stat};
use crate::store::{Inner, locked, size_of};
use crate::{Digest, Key, Kind, Store, StoreError};

/// Looks that one core takes at a time; fewer in all are not shared between cores.
const SHARE: usize = 256;

/// What a run depended on.
pub struct Standing {
    moment: Moment,
    files: Vec<(PathBuf, Look)>,
    blobs: Vec<Part>,
}

/// What the records were like as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    /// The newest row of the index.
    newest: i64,
    /// What was said at the last removal of records.
    removed: String,
    /// The day on which the use of records is noted, since 1970.
    day: i64,
}

impl Store {
    /// What these files, the newest records of these stage keys, and these other blobs stand at; none
    /// where anything among them cannot be told by a look, or where records were removed, or added by
    /// others, since [`Store::preload`].
    pub fn standing<'f>(
        &self,
        files: impl Iterator<Item = (&'f Path, Option<Stat>)>,
        keys: &[Key],
        others: &[Digest],
    ) -> Result<Option<Standing>, StoreError> {
        let moment = self.inner.moment()?;
        let before = locked(&self.inner.preloaded_at).clone();
        if !before.is_some_and(|before| self.inner.knows_all_since(&before, &moment)) {
            return Ok(None);
        }
        let mut seen = Vec::new();
        for (path, stat) in files {
            let known = |stat: &Stat| self.inner.stats.known(&stat.look).is_some();
            let Some(stat) = stat.filter(known) else {
                return Ok(None);
            };
            seen.push((path.to_owned(), stat.look));
        }
        let standing = Standing {
            moment,
            files: seen,
            blobs: Vec::new(),
        };
        let mut standing = standing.with(self, keys, others)?;
        if let Some(standing) = &mut standing {
            // Equal outputs are one blob.
            let mut met = BTreeSet::new();
            let blobs = &mut standing.blobs;
            blobs.retain(|part| met.insert(*part.digest.as_bytes()));
        }
        Ok(standing)
    }

    /// What a standing came to by a run in which these of its files had changed, and these stage keys
    /// and blobs came in: none where records were removed, or added by others. A file that was written
    /// a moment ago counts as changed the next time.
    pub fn standing_since(
        &self,
        before: Standing,
        changed: &HashMap<&Path, Stat>,
        keys: &[Key],
        others: &[Digest],
    ) -> Result<Option<Standing>, StoreError> {
        let moment = self.inner.moment()?;
        if !self.inner.knows_all_since(&before.moment, &moment) {
            return Ok(None);
        }
        let mut standing = Standing { moment, ..before };
        for (path, look) in &mut standing.files {
            if let Some(stat) = changed.get(path.as_path()) {
                let known = self.inner.stats.known(&stat.look);
                *look = known.map_or(Look::NONE, |_| stat.look);
            }
        }
        standing.with(self, keys, others)
    }

    /// The files that are not what they were, where all else stands as it did, on the same day; none
    /// where it does not.
    pub fn changed<'s>(&self, standing: &'s Standing) -> Result<Option<Vec<&'s Path>>, StoreError> {
        if standing.moment != self.inner.moment()? || !self.inner.there(&standing.blobs)? {
            return Ok(None);
        }
        Ok(Some(without(&standing.files, |(path, look)| {
            path.metadata().is_ok_and(|stat| Look::of(&stat) == *look)
        })))
    }
}

impl Standing {
    /// With the results of these keys, and these blobs.
    fn with(
        mut self,
        store: &Store,
        keys: &[Key],
        others: &[Digest],
    ) -> Result<Option<Self>, StoreError> {
        {
            let known = store.inner.known.read();
            let known = known.unwrap_or_else(PoisonError::into_inner);
            for key in keys {
                match known.get(&(Kind::Stage, *key)) {
                    Some(row) if row.parts.iter().all(|part| !part.tree) => {
                        self.blobs.extend(&row.parts);
                    }
                    _ => return Ok(None),
                }
            }
        }
        for digest in others {
            let Some(size) = size_of(&store.inner.folders.blob(digest)) else {
                return Ok(None);
            };
            let part = Part {
                digest: *digest,
                size,
                tree: false,
            };
            if !self.blobs.contains(&part) {
                self.blobs.push(part);
            }
        }
        Ok(Some(self))
    }
}

impl Inner {
    /// What the records are like as a whole now.
    pub(crate) fn moment(&self) -> Result<Moment, StoreError> {
        Ok(Moment {
            newest: self.index.newest()?,
            removed: self.folders.last_removal()?,
            day: self.clock.today(),
        })
    }

    /// Whether nothing was removed since then, and every record that was added is one that was made or
    /// met here, on the same day.
    fn knows_all_since(&self, before: &Moment, now: &Moment) -> bool {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let newer = known.values().filter(|row| row.id > before.newest).count();
        i64::try_from(newer) == Ok(now.newest - before.newest)
            && (&before.removed, before.day) == (&now.removed, now.day)
    }

    /// Whether these blobs are there with their sizes.
    fn there(&self, blobs: &[Part]) -> Result<bool, StoreError> {
        let path = self.folders.objects();
        // From the folder itself, so that the way to it is gone only once.
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = open(&path, flags, Mode::empty())
            .map_err(|error| named("open", &path)(error.into()))?;
        let there = |part: &Part| {
            let mut name = [b'/'; 65];
            part.digest.with_hex(|hex| {
                name[..2].copy_from_slice(&hex.as_bytes()[..2]);
                name[3..].copy_from_slice(&hex.as_bytes()[2..]);
            });
            let stat = statat(&folder, OsStr::from_bytes(&name), AtFlags::SYMLINK_NOFOLLOW);
            stat.is_ok_and(|stat| {
                FileType::from_raw_mode(stat.st_mode).is_file()
                    && u64::try_from(stat.st_size) == Ok(part.size)
            })
        };
        Ok(if blobs.len() <= SHARE {
            blobs.iter().all(there)
        } else {
            blobs.par_chunks(SHARE).all(|some| some.iter().all(there))
        })
    }
}

/// The paths of the files that it does not hold for, asked on all cores where there are many.
fn without(
    files: &[(PathBuf, Look)],
    holds: impl Fn(&(PathBuf, Look)) -> bool + Sync,
) -> Vec<&Path> {
    let mut left: Vec<_> = if files.len() <= SHARE {
        files.iter().filter(|file| !holds(file)).collect()
    } else {
        let chunks = files.par_chunks(SHARE);
        chunks
            .flat_map_iter(|some| some.iter().filter(|file| !holds(file)))
            .collect()
    };
    left.sort_unstable();
    left.into_iter().map(|(path, _)| path.as_path()).collect()
}

impl Standing {
    /// The paths of its files.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(|(path, _)| path.as_path())
    }

    /// Writes it to a file of the caller's that only the same program reads.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn write(&self, to: &mut impl Write) -> io::Result<()> {
        let blobs = pack(&self.blobs);
        let files = self.files.len() as u64;
        let text = |to: &mut dyn Write, text: &[u8]| {
            to.write_all(&(text.len() as u64).to_le_bytes())?;
            to.write_all(text)
        };
        text(to, self.moment.removed.as_bytes())?;
        text(to, &blobs)?;
        to.write_all(&self.moment.newest.to_le_bytes())?;
        to.write_all(&self.moment.day.to_le_bytes())?;
        to.write_all(&files.to_le_bytes())?;
        for (path, look) in &self.files {
            text(to, path.as_os_str().as_bytes())?;
            for own in look.numbers() {
                to.write_all(&own.to_le_bytes())?;
            }
        }
        Ok(())
    }

    /// Reads what [`Standing::write`] wrote, and leaves what follows it; none where it did not.
    #[must_use]
    pub fn read(bytes: &mut &[u8]) -> Option<Standing> {
        let removed = String::from_utf8(text(bytes)?.to_owned()).ok()?;
        let blobs = unpack(text(bytes)?)?;
        let newest = number(bytes)?.cast_signed();
        let day = number(bytes)?.cast_signed();
        let count = usize::try_from(number(bytes)?).ok()?;
        let mut files = Vec::with_capacity(count.min(bytes.len() / 48));
        for _ in 0..count {
            let path = PathBuf::from(OsStr::from_bytes(text(bytes)?));
            let mut look = [0; 5];
            for own in &mut look {
                *own = number(bytes)?;
            }
            files.push((path, Look::from_numbers(look)));
        }
        let moment = Moment {
            newest,
            removed,
            day,
        };
        Some(Standing {
            moment,
            files,
            blobs,
        })
    }
}

fn number(bytes: &mut &[u8]) -> Option<u64> {
    let (own, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(u64::from_le_bytes(*own))
}

fn text<'b>(bytes: &mut &'b [u8]) -> Option<&'b [u8]> {
    let length = usize::try_from(number(bytes)?).ok()?;
    let (own, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(own)
}

#[cfg(test)]
mod tests;
