//! Reading everything and checking it: blobs against their names, records against their blobs.
//!
//! A fault is repaired by dropping what is wrong, so that it is made again when it is next asked
//! for: nothing in the store is the only copy of anything.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::hash::hash_file;
use crate::inventory::{Inventory, Name};
use crate::place::same_file;
use crate::session::{remove_all, session_folder};
use crate::store::{Inner, size_of};
use crate::tree::{Mode, manifest};
use crate::{Digest, Key, Kind, Store, StoreError, walk};

/// Whether faults are repaired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repair {
    /// They are only listed.
    No,
    /// What is wrong is dropped.
    Yes,
}

/// Something that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// A blob has not the bytes that its name says.
    Damaged {
        /// What it should have been.
        digest: Digest,
        /// The file.
        path: PathBuf,
    },
    /// A record cannot be reused: these blobs of it are missing or damaged.
    Incomplete {
        /// Of which kind.
        kind: Kind,
        /// Of which key.
        key: Key,
        /// The row of the index.
        row: i64,
        /// The blobs, sorted.
        blobs: Vec<Digest>,
        /// The record's own note, for those who know what is in it.
        note: String,
    },
    /// A file that a process left half-written when it was killed.
    Unfinished {
        /// The file or folder.
        path: PathBuf,
    },
    /// A visible copy of a tree that is not as its manifest says.
    Tree {
        /// The folder.
        path: PathBuf,
    },
    /// A file that no version of this program puts there. It is left alone.
    Stray {
        /// The file.
        path: PathBuf,
    },
    /// SQLite finds the index itself damaged. It is left alone: move it away, and the next run
    /// makes a new one.
    Index {
        /// The database file.
        path: PathBuf,
        /// What SQLite says.
        what: String,
    },
}

/// What a verification found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Records that were checked.
    pub records: u64,
    /// Blobs that were read.
    pub blobs: u64,
    /// Bytes that were read.
    pub bytes: u64,
    /// What is wrong, sorted by kind of fault, then by name.
    pub faults: Vec<Fault>,
}

impl Store {
    /// Reads the whole store. `seen` is called, from several threads, with the size of each blob
    /// that has been read.
    pub fn verify(
        &self,
        repair: Repair,
        seen: &(dyn Fn(u64) + Sync),
    ) -> Result<Verified, StoreError> {
        let inner = &*self.inner;
        if repair == Repair::Yes {
            inner.writable()?;
        }
        let inventory = Inventory::read(inner)?;
        let mut found = Verified {
            records: inventory.holders.len() as u64,
            blobs: inventory.objects.len() as u64,
            ..Verified::default()
        };
        let damaged: BTreeMap<Name, PathBuf> = inventory
            .objects
            .par_iter()
            .filter_map(|(name, object)| {
                let checked = right(&object.path, name);
                seen(object.size);
                match checked {
                    Ok(true) => None,
                    Ok(false) => Some(Ok((*name, object.path.clone()))),
                    Err(error) => Some(Err(error)),
                }
            })
            .collect::<Result<_, StoreError>>()?;
        found.bytes = inventory.objects.values().map(|object| object.size).sum();
        for ((digest, _), path) in &damaged {
            found.faults.push(Fault::Damaged {
                digest: *digest,
                path: path.clone(),
            });
        }
        let mut rows = Vec::new();
        for holder in &inventory.holders {
            let mut blobs: Vec<Digest> = holder
                .names
                .iter()
                .filter(|name| damaged.contains_key(name) || !there(inner, name))
                .map(|name| name.0)
                .collect();
            if blobs.is_empty() && !inner.complete(&holder.row.parts)? {
                // All its files are themselves, but one is not of the size that the row says.
                blobs = holder.row.record.blobs.clone();
            }
            if !blobs.is_empty() {
                let (kind, key) = holder.at;
                rows.push((holder.at, holder.row.id));
                found.faults.push(Fault::Incomplete {
                    kind,
                    key,
                    row: holder.row.id,
                    blobs,
                    note: holder.row.record.note.clone(),
                });
            }
        }
        let unfinished = unfinished(inner)?;
        let trees = wrong_trees(inner)?;
        found.faults.extend(
            unfinished
                .iter()
                .cloned()
                .map(|path| Fault::Unfinished { path }),
        );
        found
            .faults
            .extend(trees.iter().cloned().map(|path| Fault::Tree { path }));
        let strays = walk::strays(&inner.folders)?;
        found
            .faults
            .extend(strays.into_iter().map(|path| Fault::Stray { path }));
        found.faults.extend(index(inner)?);
        if repair == Repair::Yes {
            inner.drop_rows(rows.into_iter())?;
            for path in damaged.values().chain(&unfinished).chain(&trees) {
                remove_all(path)?;
            }
        }
        Ok(found)
    }
}

/// Whether a blob has its digest. One that has gone meanwhile is not damaged.
fn right(path: &Path, (digest, tree): &Name) -> Result<bool, StoreError> {
    match hash_file(path) {
        Ok((found, _)) if found != *digest => Ok(false),
        Ok(_) if *tree => {
            let folders = fs::read(path).ok();
            Ok(folders.is_none_or(|bytes| crate::Tree::read(&bytes).is_some()))
        }
        Ok(_) => Ok(true),
        Err(_) if !path.exists() => Ok(true),
        Err(error) => Err(error),
    }
}

fn there(inner: &Inner, (digest, tree): &Name) -> bool {
    let folders = &inner.folders;
    size_of(&if *tree {
        folders.manifest(digest)
    } else {
        folders.blob(digest)
    })
    .is_some()
}

/// What dead sessions, or a store that was never finished, left below `tmp/`.
fn unfinished(inner: &Inner) -> Result<Vec<PathBuf>, StoreError> {
    let mut alive = Vec::new();
    for (session, _) in inner.index.sessions()? {
        let lives = match &inner.claims {
            Some(claims) => inner.is_own(session) || claims.session_lives(session)?,
            None => true,
        };
        if lives {
            alive.push(session_folder(&inner.folders, session));
        }
    }
    let mut found = walk::entries(&inner.folders.tmp())?;
    found.retain(|path| !alive.contains(path));
    Ok(found)
}

/// The folders below `trees/` that are not as their manifests say.
fn wrong_trees(inner: &Inner) -> Result<Vec<PathBuf>, StoreError> {
    let mut wrong = Vec::new();
    for (path, digest) in walk::trees(&inner.folders)? {
        let Ok(tree) = manifest(&inner.folders, &digest) else {
            wrong.push(path);
            continue;
        };
        let files = tree
            .entries
            .iter()
            .filter(|entry| entry.mode != Mode::Folder)
            .count();
        let listed = crate::tree::list(&path).map(|found| {
            found
                .iter()
                .filter(|found| found.mode != Mode::Folder)
                .count()
        });
        let same = tree.entries.par_iter().all(|entry| {
            let at = path.join(&entry.path);
            entry.digest.is_none_or(|digest| {
                same_file(&inner.folders.blob(&digest), &at)
                    || hash_file(&at).is_ok_and(|(found, _)| found == digest)
            })
        });
        if !same || listed.ok() != Some(files) {
            wrong.push(path);
        }
    }
    Ok(wrong)
}

fn index(inner: &Inner) -> Result<Option<Fault>, StoreError> {
    let said: String = inner
        .index
        .with(|connection| connection.pragma_query_value(None, "quick_check", |row| row.get(0)))?;
    let path = inner.index.path().to_path_buf();
    Ok((said != "ok").then_some(Fault::Index { path, what: said }))
}
