//! What a run depended on, so that a later one can tell by looks alone that all of it stands as it did.
//!
//! A file stands if device, inode, size, mtime and ctime are the same and it was old enough when it was
//! read (the rule of `stat.rs`); a blob if it is there with its size; the records if none was added to
//! the index or taken out of it. Whatever cannot be told by a look has no standing: a folder, a tree, a
//! file that was written a moment ago.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::Metadata;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::PoisonError;

use rayon::prelude::*;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, open, statat};

use crate::error::io as named;
use crate::record::{Part, pack, unpack};
use crate::stat::look_of;
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

/// What the disk says of a file: device, inode, size (bytes), mtime and ctime (ns).
pub(crate) type Look = [u64; 5];

impl Store {
    /// What these files, the newest records of these stage keys, and these other blobs stand at; none
    /// where anything among them cannot be told by a look, or where records were added or removed since
    /// [`Store::preload`].
    pub fn standing<'f>(
        &self,
        files: impl Iterator<Item = (&'f Path, Option<&'f Metadata>)>,
        keys: &[Key],
        others: &[Digest],
    ) -> Result<Option<Standing>, StoreError> {
        let moment = self.inner.moment()?;
        if *locked(&self.inner.preloaded_at) != Some(moment.clone()) {
            return Ok(None);
        }
        let mut seen = Vec::new();
        for (path, stat) in files {
            let Some(stat) = stat.filter(|stat| self.inner.stats.known(stat).is_some()) else {
                return Ok(None);
            };
            seen.push((path.to_owned(), look_of(stat)));
        }
        let mut blobs = Vec::new();
        {
            let known = self.inner.known.read();
            let known = known.unwrap_or_else(PoisonError::into_inner);
            for key in keys {
                match known.get(&(Kind::Stage, *key)) {
                    Some(row) if row.parts.iter().all(|part| !part.tree) => {
                        blobs.extend(&row.parts);
                    }
                    _ => return Ok(None),
                }
            }
        }
        for digest in others {
            let Some(size) = size_of(&self.inner.folders.blob(digest)) else {
                return Ok(None);
            };
            blobs.push(Part {
                digest: *digest,
                size,
                tree: false,
            });
        }
        // Equal outputs are one blob.
        let mut met = BTreeSet::new();
        blobs.retain(|part| met.insert(*part.digest.as_bytes()));
        Ok(Some(Standing {
            moment,
            files: seen,
            blobs,
        }))
    }

    /// Whether all of it stands as it did, on the same day.
    pub fn stands(&self, standing: &Standing) -> Result<bool, StoreError> {
        Ok(standing.moment == self.inner.moment()?
            && all(&standing.files, |(path, look)| {
                path.metadata().is_ok_and(|stat| look_of(&stat) == *look)
            })
            && self.inner.there(&standing.blobs)?)
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

    /// Whether these blobs are there with their sizes.
    fn there(&self, blobs: &[Part]) -> Result<bool, StoreError> {
        let path = self.folders.objects();
        // From the folder itself, so that the way to it is gone only once.
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = open(&path, flags, Mode::empty())
            .map_err(|error| named("open", &path)(error.into()))?;
        Ok(all(blobs, |part| {
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
        }))
    }
}

/// Whether it holds for all, asked on all cores where there are many.
fn all<T: Sync>(items: &[T], holds: impl Fn(&T) -> bool + Sync) -> bool {
    if items.len() <= SHARE {
        items.iter().all(holds)
    } else {
        items.par_chunks(SHARE).all(|some| some.iter().all(&holds))
    }
}

impl Standing {
    /// The paths of its files.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(|(path, _)| path.as_path())
    }

    /// As bytes, for a file of the caller's that only the same program reads.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.files.len() * 96 + self.blobs.len() * 41 + 64);
        let text = |bytes: &mut Vec<u8>, text: &[u8]| {
            bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
            bytes.extend_from_slice(text);
        };
        text(&mut bytes, self.moment.removed.as_bytes());
        text(&mut bytes, &pack(&self.blobs));
        bytes.extend_from_slice(&self.moment.newest.to_le_bytes());
        bytes.extend_from_slice(&self.moment.day.to_le_bytes());
        for (path, look) in &self.files {
            text(&mut bytes, path.as_os_str().as_bytes());
            look.iter()
                .for_each(|own| bytes.extend_from_slice(&own.to_le_bytes()));
        }
        bytes
    }

    /// Reads what [`Standing::to_bytes`] wrote; none where it did not.
    #[must_use]
    pub fn from_bytes(mut bytes: &[u8]) -> Option<Standing> {
        let removed = String::from_utf8(text(&mut bytes)?.to_owned()).ok()?;
        let blobs = unpack(text(&mut bytes)?)?;
        let newest = number(&mut bytes)?.cast_signed();
        let day = number(&mut bytes)?.cast_signed();
        let mut files = Vec::new();
        while !bytes.is_empty() {
            let path = PathBuf::from(OsStr::from_bytes(text(&mut bytes)?));
            let mut look = Look::default();
            for own in &mut look {
                *own = number(&mut bytes)?;
            }
            files.push((path, look));
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
mod tests {
    use super::*;
    use crate::{Clock, Lookup, Options, Policy, Record, Sweep};

    /// A store with one record, and a file; it is an hour later.
    fn place() -> (tempfile::TempDir, Store, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let options = Options {
            clock: Clock::of(|| Clock::system().now_ns() + 3_600_000_000_000),
            ..Options::default()
        };
        let store = Store::open(&dir.path().join("store"), options).unwrap();
        let file = dir.path().join("file");
        std::fs::write(&file, "old").unwrap();
        save(&store, b"key", b"output");
        (dir, store, file)
    }

    fn save(store: &Store, key: &[u8], output: &[u8]) {
        let blob = store.put_bytes(output).unwrap();
        let Lookup::Miss(claim) = store.look(Kind::Stage, &Key::of(key)).unwrap() else {
            panic!("it is new")
        };
        claim
            .save_durably(Record {
                blobs: vec![blob],
                ..Record::default()
            })
            .unwrap();
    }

    /// The standing of the file and the record, through its bytes.
    fn standing(store: &Store, file: &Path) -> Standing {
        store.preload().unwrap();
        store.digest_file(file).unwrap();
        let stat = file.metadata().unwrap();
        let files = [(file, Some(&stat))];
        let made = store.standing(files.into_iter(), &[Key::of(b"key")], &[]);
        Standing::from_bytes(&made.unwrap().unwrap().to_bytes()).unwrap()
    }

    #[test]
    fn what_was_touched_does_not_stand() {
        let (_dir, store, file) = place();
        let before = standing(&store, &file);
        assert!(store.stands(&before).unwrap());
        std::fs::write(&file, "new").unwrap();
        assert!(!store.stands(&before).unwrap());
    }

    #[test]
    fn a_record_that_was_added_meanwhile_leaves_no_standing() {
        let (_dir, store, file) = place();
        standing(&store, &file);
        save(&store, b"another", b"thing");
        let made = store.standing([].into_iter(), &[Key::of(b"key")], &[]);
        assert!(made.unwrap().is_none());
    }

    #[test]
    fn what_cannot_be_told_by_a_look_has_no_standing() {
        let (dir, store, file) = place();
        store.preload().unwrap();
        let stat = file.metadata().unwrap();
        let unread = [(file.as_path(), Some(&stat))];
        let made = store.standing(unread.into_iter(), &[], &[]).unwrap();
        assert!(made.is_none());
        let folder = dir.path().metadata().unwrap();
        let folder = [(dir.path(), Some(&folder))];
        let made = store.standing(folder.into_iter(), &[], &[]).unwrap();
        assert!(made.is_none());
        let nothing = store.standing([].into_iter(), &[Key::of(b"no")], &[]);
        assert!(nothing.unwrap().is_none());
    }

    #[test]
    fn a_blob_that_is_gone_or_cut_does_not_stand() {
        let (_dir, store, file) = place();
        let before = standing(&store, &file);
        let blob = store.inner.folders.blob(&Digest::of(b"output"));
        std::fs::remove_file(&blob).unwrap();
        assert!(!store.stands(&before).unwrap());
        std::fs::write(&blob, "out").unwrap();
        assert!(!store.stands(&before).unwrap());
        std::fs::write(&blob, "output").unwrap();
        assert!(store.stands(&before).unwrap());
    }

    #[test]
    fn another_record_or_one_less_ends_the_standing() {
        let (_dir, store, file) = place();
        let before = standing(&store, &file);
        save(&store, b"another", b"thing");
        assert!(!store.stands(&before).unwrap());
        let before = standing(&store, &file);
        let policy = Policy {
            unused_days: Some(0),
            ..Policy::default()
        };
        store.gc(&policy, Sweep::Now).unwrap();
        assert!(!store.stands(&before).unwrap());
    }

    #[test]
    fn bytes_that_are_cut_are_no_standing() {
        let (_dir, store, file) = place();
        let bytes = standing(&store, &file).to_bytes();
        for length in 0..bytes.len() {
            let cut = Standing::from_bytes(&bytes[..length]);
            assert!(cut.is_none_or(|cut| cut.files.is_empty()), "{length}");
        }
    }
}
