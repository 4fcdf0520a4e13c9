//! Trees: a folder as a manifest of blobs. The digest of a tree is the digest of its manifest, so
//! equal folders have equal digests wherever they stand and whenever they were written.
//!
//! A manifest is one line of JSON, `{"tree":1,"entries":[{"path","mode","size","digest"},…]}`,
//! sorted by path. It keeps of a file its path, its bytes and whether it may be executed; of a
//! folder, that it is there where it is empty. It knows no owner, no time and no link.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::io as named;
use crate::folders::Folders;
use crate::hash::hash_file;
use crate::objects::{put_bytes, put_hashed, regular, what_else};
use crate::store::{Inner, size_of};
use crate::{Digest, How, Store, StoreError, Stored};

/// What a manifest says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tree {
    /// The version of the format.
    tree: u32,
    /// Sorted by the bytes of their paths, none twice.
    pub entries: Vec<TreeEntry>,
}

/// One file, or one empty folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TreeEntry {
    /// Below the tree's root, with `/` between names; never absolute, without `.` and `..`.
    pub path: String,
    /// What it is.
    pub mode: Mode,
    /// In bytes; 0 for a folder.
    pub size: u64,
    /// Of the file's bytes; absent for a folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
}

/// What an entry of a tree is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// A file.
    File,
    /// A file that may be executed.
    Program,
    /// An empty folder.
    Folder,
}

impl Tree {
    /// The files' digests and sizes.
    pub fn blobs(&self) -> impl Iterator<Item = (Digest, u64)> + '_ {
        self.entries
            .iter()
            .filter_map(|entry| Some((entry.digest?, entry.size)))
    }

    /// Bytes of all files.
    pub fn size(&self) -> u64 {
        self.entries.iter().map(|entry| entry.size).sum()
    }

    fn bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("strings and numbers can always be written as JSON")
    }

    /// `None` where the bytes are not a manifest that this program could have written. A store
    /// may come from others, so a path that leads out of the tree is one of those.
    pub(crate) fn read(bytes: &[u8]) -> Option<Tree> {
        let tree: Tree = serde_json::from_slice(bytes).ok()?;
        let mut files = BTreeSet::new();
        let mut last: Option<&str> = None;
        for entry in &tree.entries {
            let path = entry.path.as_str();
            let safe = path
                .split('/')
                .all(|name| !matches!(name, "" | "." | "..") && !name.contains('\0'));
            let ordered = last.is_none_or(|last| last.as_bytes() < path.as_bytes());
            let under_a_file = path
                .match_indices('/')
                .any(|(at, _)| files.contains(&path[..at]));
            let whole = entry.digest.is_some() == (entry.mode != Mode::Folder);
            if !safe || !ordered || under_a_file || !whole {
                return None;
            }
            // An empty folder has nothing below it either.
            files.insert(path);
            last = Some(path);
        }
        (tree.tree == 1 && tree.bytes() == bytes).then_some(tree)
    }
}

impl Store {
    /// Stores a folder with all that is in it.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where there is anything but files and folders in it, or a name
    /// that is not UTF-8; nothing is stored then.
    pub fn put_tree(&self, path: &Path, how: How) -> Result<Stored, StoreError> {
        self.inner.writable()?;
        let listed = list(path)?;
        let entries = listed
            .into_par_iter()
            .map(|found| {
                let (digest, size) = match found.mode {
                    Mode::Folder => (None, 0),
                    Mode::File | Mode::Program => {
                        let before = regular(&found.at)?;
                        let (digest, size) = hash_file(&found.at)?;
                        put_hashed(&self.inner, &found.at, &before, digest, size, how)?;
                        (Some(digest), size)
                    }
                };
                Ok(TreeEntry {
                    path: found.path,
                    mode: found.mode,
                    size,
                    digest,
                })
            })
            .collect::<Result<Vec<TreeEntry>, StoreError>>()?;
        let tree = Tree { tree: 1, entries };
        let bytes = tree.bytes();
        let digest = Digest::of(&bytes);
        put_bytes(
            &self.inner,
            &bytes,
            &digest,
            &self.inner.folders.manifest(&digest),
        )?;
        if how == How::Move {
            fs::remove_dir_all(path).map_err(named("remove", path))?;
        }
        Ok(Stored {
            digest,
            size: tree.size(),
        })
    }

    /// The digest that [`Store::put_tree`] would give, without storing anything; files whose stat
    /// is unchanged are not read.
    pub fn digest_tree(&self, path: &Path) -> Result<Digest, StoreError> {
        let entries = list(path)?
            .into_par_iter()
            .map(|found| {
                let (digest, size) = match found.mode {
                    Mode::Folder => (None, 0),
                    Mode::File | Mode::Program => {
                        let (digest, size) = self.inner.stats.digest(&found.at)?;
                        (Some(digest), size)
                    }
                };
                Ok(TreeEntry {
                    path: found.path,
                    mode: found.mode,
                    size,
                    digest,
                })
            })
            .collect::<Result<Vec<TreeEntry>, StoreError>>()?;
        Ok(Digest::of(&Tree { tree: 1, entries }.bytes()))
    }

    /// What a stored tree consists of.
    ///
    /// # Errors
    /// [`StoreError::Missing`], also where a file and not a tree has this digest;
    /// [`StoreError::Damaged`].
    pub fn tree(&self, digest: &Digest) -> Result<Tree, StoreError> {
        manifest(&self.inner.folders, digest)
    }
}

/// Reads a manifest and checks it against its digest.
pub(crate) fn manifest(folders: &Folders, digest: &Digest) -> Result<Tree, StoreError> {
    let path = folders.manifest(digest);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(StoreError::Missing {
                digest: *digest,
                path,
            });
        }
        Err(error) => return Err(named("read", &path)(error)),
    };
    if Digest::of(&bytes) != *digest {
        return Err(StoreError::Damaged {
            digest: *digest,
            path,
        });
    }
    Tree::read(&bytes).ok_or(StoreError::Damaged {
        digest: *digest,
        path,
    })
}

/// Whether the manifest and all files of the tree are there with their sizes.
pub(crate) fn complete(inner: &Inner, digest: &Digest) -> Result<bool, StoreError> {
    match manifest(&inner.folders, digest) {
        Ok(tree) => Ok(tree
            .blobs()
            .all(|(digest, size)| size_of(&inner.folders.blob(&digest)) == Some(size))),
        Err(StoreError::Missing { .. }) => Ok(false),
        Err(StoreError::Damaged { path, digest }) => {
            crate::objects::drop_damaged(inner, &path, &digest);
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// A file or empty folder that was found below a root.
pub(crate) struct Listed {
    pub(crate) path: String,
    pub(crate) mode: Mode,
    at: PathBuf,
}

/// All files and empty folders below `root`, sorted by the bytes of their paths.
pub(crate) fn list(root: &Path) -> Result<Vec<Listed>, StoreError> {
    let mut found = Vec::new();
    let mut open = vec![(String::new(), root.to_path_buf())];
    while let Some((path, at)) = open.pop() {
        let mut empty = true;
        for entry in fs::read_dir(&at).map_err(named("list", &at))? {
            let entry = entry.map_err(named("list", &at))?;
            empty = false;
            let at = entry.path();
            let name = entry.file_name();
            let Some(name) = name.to_str() else {
                return Err(StoreError::Refused {
                    path: at,
                    what: "a name that is not UTF-8",
                });
            };
            let path = if path.is_empty() {
                name.to_owned()
            } else {
                format!("{path}/{name}")
            };
            let kind = entry.file_type().map_err(named("look at", &at))?;
            if kind.is_dir() {
                open.push((path, at));
            } else if let Some(what) = what_else(kind) {
                return Err(StoreError::Refused { path: at, what });
            } else {
                let mode = entry
                    .metadata()
                    .map_err(named("look at", &at))?
                    .permissions()
                    .mode();
                let mode = if mode & 0o100 == 0 {
                    Mode::File
                } else {
                    Mode::Program
                };
                found.push(Listed { path, mode, at });
            }
        }
        if empty && !path.is_empty() {
            found.push(Listed {
                path,
                mode: Mode::Folder,
                at,
            });
        }
    }
    found.sort_by(|a, b| a.path.as_bytes().cmp(b.path.as_bytes()));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(path: &str) -> TreeEntry {
        TreeEntry {
            path: path.to_owned(),
            mode: Mode::File,
            size: 1,
            digest: Some(Digest::of(b"x")),
        }
    }

    fn reads(paths: &[&str]) -> bool {
        let tree = Tree {
            tree: 1,
            entries: paths.iter().map(|path| entry(path)).collect(),
        };
        Tree::read(&tree.bytes()).is_some()
    }

    #[test]
    fn a_manifest_that_leads_out_of_its_tree_is_refused() {
        assert!(reads(&["a", "b/c"]) && reads(&[]));
        for bad in [
            ["../a", "b"],
            ["/a", "b"],
            ["a/../../b", "c"],
            ["a//b", "c"],
            ["", "b"],
        ] {
            assert!(!reads(&bad), "{bad:?}");
        }
        assert!(
            !reads(&["b", "a"]) && !reads(&["a", "a"]),
            "not sorted, or twice"
        );
        assert!(!reads(&["a", "a/b"]), "below a file");
    }

    #[test]
    fn only_the_canonical_bytes_are_a_manifest() {
        let tree = Tree {
            tree: 1,
            entries: vec![entry("a")],
        };
        let spaced = String::from_utf8(tree.bytes()).unwrap().replace(':', ": ");
        assert!(Tree::read(spaced.as_bytes()).is_none());
    }
}
