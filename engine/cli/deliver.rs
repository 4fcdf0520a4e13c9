//! `--out DIR`: the pipeline's outputs by name, as files that people can open.
//!
//! A file or text goes to `DIR/name` with the extension of its type where the name has none; a folder
//! to `DIR/name/`; a list of files to `DIR/name/0.pdf`, …; anything else to `DIR/name.json`, and scalars
//! to `DIR/name` as text. `DIR/outputs.json` holds all plain values.
//!
//! What is there already and is as it should be is left alone. What is there and was made by no run
//! is replaced, and said: somebody has edited it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use kyobashi_cache::{Digest, Editable, How, Stat, Store};
use kyobashi_engine::artifact::Artifact;
use kyobashi_stage::Type;
use rayon::prelude::*;
use serde_json::Value;

use crate::exit::Stopped;

/// What was delivered.
#[derive(Default)]
pub(crate) struct Delivered {
    /// The path of each output, in order.
    pub(crate) paths: Vec<PathBuf>,
    /// Those that stood there with a content that no run has made.
    pub(crate) restored: Vec<PathBuf>,
}

/// Writes the outputs that were reached; `types` are those of all outputs.
///
/// # Errors
/// When a file cannot be written.
pub(crate) fn deliver<'t>(
    store: &Store,
    types: impl Iterator<Item = (&'t str, &'t Type)>,
    outputs: &[(String, Artifact)],
    dir: &Path,
) -> Result<Delivered, Stopped> {
    fs::create_dir_all(dir).map_err(|error| unwritable(dir, &error))?;
    let types: HashMap<&str, &Type> = types.collect();
    let mut delivered = Delivered::default();
    let mut plain = BTreeMap::new();
    let type_of = |name: &str| types.get(name).copied().unwrap_or(&Type::Any);
    // On all cores, as these looks are nearly all there is to do where nothing has changed.
    let stands = outputs.par_iter().map(|(name, artifact)| {
        let Artifact::File(file) = artifact else {
            return None;
        };
        let path = extended(&dir.join(name), extension(type_of(name)));
        (there(store, &path) == Some(file.digest)).then_some(path)
    });
    let stands: Vec<Option<PathBuf>> = stands.collect();
    for ((name, artifact), stands) in outputs.iter().zip(stands) {
        if let Some(value) = artifact.plain() {
            plain.insert(name.clone(), value);
        }
        let path = match stands {
            Some(path) => path,
            None => {
                let path = dir.join(name);
                put(
                    store,
                    &path,
                    type_of(name),
                    artifact,
                    &mut delivered.restored,
                )?
            }
        };
        delivered.paths.push(path);
    }
    let text = serde_json::to_string_pretty(&plain).map_err(Stopped::fault)?;
    let all = dir.join("outputs.json");
    if !outputs
        .iter()
        .any(|(name, _)| name == "outputs" || name == "outputs.json")
    {
        write(&all, text.as_bytes())?;
    }
    Ok(delivered)
}

fn put(
    store: &Store,
    path: &Path,
    ty: &Type,
    artifact: &Artifact,
    restored: &mut Vec<PathBuf>,
) -> Result<PathBuf, Stopped> {
    match artifact {
        Artifact::File(file) | Artifact::Dir(file) => {
            let path = match artifact {
                Artifact::File(_) => extended(path, extension(ty)),
                _ => path.to_owned(),
            };
            let found = there(store, &path);
            if found == Some(file.digest) {
                return Ok(path);
            }
            if found.is_some_and(|found| !store.has(&found)) {
                restored.push(path.clone());
            }
            clear(&path)?;
            if let Some(origin) = file.origin.as_ref().filter(|_| !store.has(&file.digest)) {
                // A file of the workspace that is an output as it is was never stored.
                match artifact {
                    Artifact::Dir(_) => store.put_tree(origin, How::Copy)?,
                    _ => store.put_file(origin, How::Copy)?,
                };
            }
            store.place(&file.digest, &path, Editable::Yes)?;
            Ok(path)
        }
        Artifact::List(_) | Artifact::Grid(_) if artifact.plain().is_none() => {
            if !path.symlink_metadata().is_ok_and(|found| found.is_dir()) {
                clear(path)?;
            }
            fs::create_dir_all(path).map_err(|error| unwritable(path, &error))?;
            let mut members = BTreeSet::new();
            for (index, member) in artifact.members().unwrap_or_default().iter().enumerate() {
                let path = path.join(index.to_string());
                members.insert(put(store, &path, ty.member(), member, restored)?);
            }
            clear_others(path, &members)?;
            Ok(path.to_owned())
        }
        _ => {
            let value = artifact.plain().unwrap_or(Value::Null);
            let (path, text) = match value {
                Value::String(text) => (path.to_owned(), text),
                Value::Bool(_) | Value::Number(_) => (path.to_owned(), value.to_string()),
                value => {
                    let text = serde_json::to_string_pretty(&value).map_err(Stopped::fault)?;
                    (extended(path, Some(".json")), text + "\n")
                }
            };
            write(&path, text.as_bytes())?;
            Ok(path)
        }
    }
}

/// The path with an extension, if its name has none.
fn extended(path: &Path, extension: Option<&str>) -> PathBuf {
    match (path.extension(), extension) {
        (None, Some(extension)) => {
            let mut path = path.as_os_str().to_owned();
            path.push(extension);
            path.into()
        }
        _ => path.to_owned(),
    }
}

fn extension(ty: &Type) -> Option<&str> {
    match ty {
        Type::File(Some(extension)) => Some(extension),
        Type::Table(_) => Some(".csv"),
        Type::Optional(inner) => extension(inner),
        _ => None,
    }
}

/// The digest of what stands at a path; none where nothing stands there that a store could hold.
fn there(store: &Store, path: &Path) -> Option<Digest> {
    let found = Stat::of(path)?;
    if found.is_dir() {
        store.digest_tree(path).ok()
    } else if found.is_file() {
        Some(store.digest_seen(path, &found).ok()?.0)
    } else {
        None
    }
}

/// Removes what an earlier run put there.
fn clear(path: &Path) -> Result<(), Stopped> {
    let removed = match path.symlink_metadata() {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(_) => Ok(()),
    };
    removed.map_err(|error| unwritable(path, &error))
}

/// Removes what is in a folder beside its members: an earlier list was longer.
fn clear_others(folder: &Path, members: &BTreeSet<PathBuf>) -> Result<(), Stopped> {
    let unlisted = |error| unwritable(folder, &error);
    for entry in fs::read_dir(folder).map_err(unlisted)? {
        let path = entry.map_err(unlisted)?.path();
        if !members.contains(&path) {
            clear(&path)?;
        }
    }
    Ok(())
}

/// Leaves a file alone that has the content already, and else replaces it whole.
fn write(path: &Path, bytes: &[u8]) -> Result<(), Stopped> {
    if fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    fs::write(path, bytes).map_err(|error| unwritable(path, &error))
}

fn unwritable(path: &Path, error: &std::io::Error) -> Stopped {
    Stopped::wrong(format!("cannot write {}: {error}", path.display()))
        .help("choose another folder with `--out`")
}
