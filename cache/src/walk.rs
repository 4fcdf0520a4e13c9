//! Lists what is in the folders of the store: for recovery, verification, collection, statistics.
//!
//! Knows nothing of what ought to be there.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::io as named;
use crate::folders::Folders;
use crate::{Digest, StoreError};

/// A file below `objects/`.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    pub(crate) digest: Digest,
    /// Whether it is the manifest of a tree.
    pub(crate) tree: bool,
    pub(crate) path: PathBuf,
    /// In bytes.
    pub(crate) size: u64,
    /// Nanoseconds since 1970.
    pub(crate) mtime_ns: i64,
}

/// All blobs and manifests, sorted by path. Files with other names are left out: see [`strays`].
pub(crate) fn objects(folders: &Folders) -> Result<Vec<Object>, StoreError> {
    let mut found = Vec::new();
    each_object(folders, |path, digest, tree| {
        if let Some((digest, metadata)) = digest.zip(fs::symlink_metadata(&path).ok()) {
            let size = metadata.len();
            let mtime_ns = crate::objects::mtime_ns(&metadata);
            found.push(Object {
                digest,
                tree,
                path,
                size,
                mtime_ns,
            });
        }
    })?;
    Ok(found)
}

/// Files below `objects/` that no version of this program has put there.
pub(crate) fn strays(folders: &Folders) -> Result<Vec<PathBuf>, StoreError> {
    let mut found = Vec::new();
    each_object(folders, |path, digest, _| {
        if digest.is_none() {
            found.push(path);
        }
    })?;
    Ok(found)
}

/// The materialised trees, each with its digest.
pub(crate) fn trees(folders: &Folders) -> Result<Vec<(PathBuf, Digest)>, StoreError> {
    let named = |path: PathBuf| {
        let digest = path.file_name()?.to_str()?.parse().ok()?;
        Some((path, digest))
    };
    Ok(entries(&folders.trees())?
        .into_iter()
        .filter_map(named)
        .collect())
}

fn each_object(
    folders: &Folders,
    mut see: impl FnMut(PathBuf, Option<Digest>, bool),
) -> Result<(), StoreError> {
    for folder in entries(&folders.objects())? {
        if !folder.is_dir() {
            see(folder, None, false);
            continue;
        }
        for path in entries(&folder)? {
            let (digest, tree) = name(&folder, &path);
            see(path, digest, tree);
        }
    }
    Ok(())
}

fn name(folder: &Path, path: &Path) -> (Option<Digest>, bool) {
    let text = |path: &Path| {
        path.file_name()
            .and_then(|name| name.to_str())
            .map(str::to_owned)
    };
    let (Some(first), Some(rest)) = (text(folder), text(path)) else {
        return (None, false);
    };
    let (rest, tree) = match rest.strip_suffix(".tree") {
        Some(rest) => (rest, true),
        None => (rest.as_str(), false),
    };
    if first.len() != 2 {
        return (None, tree);
    }
    (format!("{first}{rest}").parse().ok(), tree)
}

/// The entries of a folder, sorted; none where the folder is missing.
pub(crate) fn entries(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let failed = |error| named("list", folder)(error);
    let listed = match fs::read_dir(folder) {
        Ok(listed) => listed,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut paths = listed
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<Vec<PathBuf>>>()
        .map_err(failed)?;
    paths.sort();
    Ok(paths)
}
