//! Where everything is: the one place that spells file names. The tree is drawn in the crate's
//! docs.
//!
//! Knows nothing of what is in the files.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::io as named;
use crate::{Digest, StoreError};

/// The content of the version file. A change of layout or of the index's tables raises its number.
const VERSION: &str = "kyobashi store 1";

/// What every version file begins with, and the number of this version.
const FAMILY: (&str, u32) = ("kyobashi store ", 1);

/// The folders and files of a store.
#[derive(Clone, Debug)]
pub(crate) struct Folders {
    /// The part that can be shared.
    pub(crate) dir: PathBuf,
    /// The part of one workspace.
    pub(crate) workspace: PathBuf,
}

impl Folders {
    pub(crate) fn index(&self) -> PathBuf {
        self.dir.join("index.sqlite")
    }

    pub(crate) fn locks(&self) -> PathBuf {
        self.dir.join("locks")
    }

    pub(crate) fn objects(&self) -> PathBuf {
        self.dir.join("objects")
    }

    pub(crate) fn trees(&self) -> PathBuf {
        self.dir.join("trees")
    }

    pub(crate) fn tmp(&self) -> PathBuf {
        self.dir.join("tmp")
    }

    pub(crate) fn stat_cache(&self) -> PathBuf {
        self.workspace.join("stat")
    }

    pub(crate) fn runs(&self) -> PathBuf {
        self.workspace.join("runs")
    }

    /// Says when records were last taken out of the index.
    fn removal(&self) -> PathBuf {
        self.dir.join("removal")
    }

    /// What was said at the last removal of records; nothing where none was removed.
    pub(crate) fn last_removal(&self) -> Result<String, StoreError> {
        let path = self.removal();
        match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
            read => read.map_err(named("read", &path)),
        }
    }

    /// Says, before records are removed, that some are: a text that no other removal has.
    pub(crate) fn say_removal(&self, now_ns: i64) -> Result<(), StoreError> {
        let path = self.removal();
        let text = format!("{now_ns} {}", std::process::id());
        fs::write(&path, text).map_err(named("write", &path))
    }

    /// The file of a blob: `objects/ab/cdef…`.
    pub(crate) fn blob(&self, digest: &Digest) -> PathBuf {
        let mut path = OsString::with_capacity(self.dir.as_os_str().len() + 80);
        path.push(&self.dir);
        digest.with_hex(|hex| {
            for part in ["/objects/", &hex[..2], "/", &hex[2..]] {
                path.push(part);
            }
        });
        path.into()
    }

    /// The manifest of a tree: `objects/ab/cdef….tree`. The ending tells it from a file that
    /// happens to have the same bytes.
    pub(crate) fn manifest(&self, digest: &Digest) -> PathBuf {
        let mut path = self.blob(digest).into_os_string();
        path.push(".tree");
        path.into()
    }

    fn version(&self) -> PathBuf {
        self.dir.join("version")
    }

    /// Makes the folders of a new store, or checks the version of an existing one.
    pub(crate) fn make(&self) -> Result<(), StoreError> {
        let path = self.version();
        match fs::read_to_string(&path) {
            Ok(found) => return check(&path, &found),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(named("read", &path)(error)),
        }
        for dir in [&self.dir, &self.objects(), &self.trees(), &self.tmp()] {
            fs::create_dir_all(dir).map_err(named("make the folder", dir))?;
        }
        // Two processes may both make the store: the content is the same, and a rename is whole.
        let fresh = self.tmp().join(format!("version-{}", std::process::id()));
        fs::write(&fresh, format!("{VERSION}\n")).map_err(named("write", &fresh))?;
        fs::rename(&fresh, &path).map_err(named("write", &path))
    }

    /// Checks the version of a store that is only read.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        let path = self.version();
        let found = fs::read_to_string(&path).map_err(named("read", &path))?;
        check(&path, &found)
    }
}

fn check(path: &Path, found: &str) -> Result<(), StoreError> {
    if found.trim_end() == VERSION {
        return Ok(());
    }
    Err(StoreError::Version {
        path: path.to_path_buf(),
        found: found
            .chars()
            .take(60)
            .collect::<String>()
            .trim_end()
            .to_owned(),
        expected: VERSION,
        newer: found
            .trim_end()
            .strip_prefix(FAMILY.0)
            .and_then(|number| number.parse::<u32>().ok())
            .is_some_and(|number| number > FAMILY.1),
    })
}
