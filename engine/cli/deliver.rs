//! `--out DIR`: the pipeline's outputs by name, as files that people can open.
//!
//! A file or text goes to `DIR/name` with the extension of its type where the name has none; a folder
//! to `DIR/name/`; a list of files to `DIR/name/0.pdf`, …; anything else to `DIR/name.json`, and scalars
//! to `DIR/name` as text. `DIR/outputs.json` holds all plain values.
//!
//! What is there already and is as it should be is left alone. What is there and was made by no run
//! is replaced, and said: somebody has edited it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use kyobashi_cache::{Digest, Editable, How, Store};
use kyobashi_engine::artifact::Artifact;
use kyobashi_engine::spec::Spec;
use kyobashi_stage::Type;
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

/// Writes the outputs that were reached.
///
/// # Errors
/// When a file cannot be written.
pub(crate) fn deliver(
    store: &Store,
    spec: &Spec,
    outputs: &[(String, Artifact)],
    dir: &Path,
) -> Result<Delivered, Stopped> {
    fs::create_dir_all(dir).map_err(|error| unwritable(dir, &error))?;
    let mut delivered = Delivered::default();
    let mut plain = BTreeMap::new();
    for (name, artifact) in outputs {
        let ty = spec
            .outputs
            .iter()
            .find(|output| output.name == *name)
            .map(|output| &output.ty);
        if let Some(value) = artifact.plain() {
            plain.insert(name.clone(), value);
        }
        let path = put(
            store,
            &dir.join(name),
            ty.unwrap_or(&Type::Any),
            artifact,
            &mut delivered.restored,
        )?;
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
            clear(path)?;
            fs::create_dir_all(path).map_err(|error| unwritable(path, &error))?;
            for (index, member) in artifact.members().unwrap_or_default().iter().enumerate() {
                let path = path.join(index.to_string());
                put(store, &path, ty.member(), member, restored)?;
            }
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
    let found = path.symlink_metadata().ok()?;
    if found.is_dir() {
        store.digest_tree(path).ok()
    } else if found.is_file() {
        store.digest_file(path).ok()
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
