//! The disk, with a note of what it was asked, so that the same can be asked again.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use kyobashi_cache::{Digest, Stat};
use kyobashi_engine::spec::{FileKind, Files};
use serde::{Deserialize, Serialize};

use crate::surroundings::Disk;

/// Paths that were looked at, in order, and what stood there.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Looks {
    pub(crate) kinds: String,
    pub(crate) paths: Vec<PathBuf>,
}

impl Looks {
    /// What the disk says now; none where anything is not what it was.
    pub(crate) fn again(&self) -> Option<Seen> {
        let mut seen = Seen::with_capacity(self.paths.len());
        for (path, kind) in self.paths.iter().zip(self.kinds.chars()) {
            let stat = Stat::of(path);
            if letter(stat) != kind {
                return None;
            }
            seen.insert(path.into(), stat);
        }
        Some(seen)
    }
}

/// `-` for nothing, `f` for a file, `d` for a folder.
fn letter(stat: Option<Stat>) -> char {
    match stat {
        None => '-',
        Some(stat) if stat.is_dir() => 'd',
        Some(_) => 'f',
    }
}

/// What the disk says of each path.
pub(crate) type Seen = HashMap<OsString, Option<Stat>>;

/// The disk, with a note of what it was asked.
#[derive(Default)]
pub(crate) struct Watched {
    pub(crate) reads: RefCell<Vec<(PathBuf, Digest)>>,
    seen: RefCell<Seen>,
    /// Whether a folder was listed, which is asked only for the sake of a problem.
    pub(crate) listed: Cell<bool>,
}

impl Watched {
    /// Which of the files that were read has this text.
    pub(crate) fn source(&self, text: &str) -> Option<usize> {
        let digest = Digest::of(text.as_bytes());
        let reads = self.reads.borrow();
        reads.iter().position(|(_, read)| *read == digest)
    }

    /// A disk of which this is known already.
    pub(crate) fn knowing(seen: Seen) -> Self {
        Self {
            seen: RefCell::new(seen),
            ..Self::default()
        }
    }

    /// What the disk says of a path, as it did at the first question.
    pub(crate) fn stat(&self, path: &Path) -> Option<Stat> {
        if let Some(seen) = self.seen.borrow().get(path.as_os_str()) {
            return *seen;
        }
        let stat = Stat::of(path);
        let path = path.as_os_str().to_owned();
        self.seen.borrow_mut().insert(path, stat);
        stat
    }

    pub(crate) fn looks(&self) -> Looks {
        let seen = self.seen.borrow();
        let mut all: Vec<_> = seen.iter().collect();
        all.sort_unstable_by_key(|(path, _)| *path);
        let mut looks = Looks::default();
        for (path, stat) in all {
            looks.kinds.push(letter(*stat));
            looks.paths.push(path.into());
        }
        looks
    }
}

impl Files for Watched {
    fn read(&self, path: &Path) -> std::io::Result<String> {
        let text = Disk.read(path)?;
        let digest = Digest::of(text.as_bytes());
        self.reads.borrow_mut().push((path.to_owned(), digest));
        Ok(text)
    }

    fn look(&self, path: &Path) -> Option<FileKind> {
        self.stat(path).map(|stat| match stat.is_dir() {
            true => FileKind::Dir,
            false => FileKind::File,
        })
    }

    fn list(&self, dir: &Path) -> Vec<String> {
        self.listed.set(true);
        Disk.list(dir)
    }
}
