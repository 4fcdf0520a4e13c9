//! `--out DIR`: the pipeline's outputs by name, as files that people can open.
//!
//! A file or text goes to `DIR/name` with the extension of its type where the name has none; a folder
//! to `DIR/name/`; a list of files to `DIR/name/0.pdf`, …; anything else to `DIR/name.json`, and scalars
//! to `DIR/name` as text. `DIR/outputs.json` holds all plain values.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use kyobashi_cache::{Editable, Store};
use kyobashi_engine::artifact::Artifact;
use kyobashi_engine::spec::Spec;
use kyobashi_stage::Type;
use serde_json::Value;

use crate::exit::Stopped;

/// Writes the outputs that were reached, and returns their paths in order.
///
/// # Errors
/// When a file cannot be written.
pub(crate) fn deliver(
    store: &Store,
    spec: &Spec,
    outputs: &[(String, Artifact)],
    dir: &Path,
) -> Result<Vec<PathBuf>, Stopped> {
    fs::create_dir_all(dir).map_err(|error| unwritable(dir, &error))?;
    let mut paths = Vec::new();
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
        paths.push(put(
            store,
            &dir.join(name),
            ty.unwrap_or(&Type::Any),
            artifact,
        )?);
    }
    let text = serde_json::to_string_pretty(&plain).map_err(Stopped::fault)?;
    let all = dir.join("outputs.json");
    if !outputs
        .iter()
        .any(|(name, _)| name == "outputs" || name == "outputs.json")
    {
        write(&all, text.as_bytes())?;
    }
    Ok(paths)
}

fn put(store: &Store, path: &Path, ty: &Type, artifact: &Artifact) -> Result<PathBuf, Stopped> {
    match artifact {
        Artifact::File(file) => {
            let path = extended(path, extension(ty));
            clear(&path)?;
            store.place(&file.digest, &path, Editable::Yes)?;
            Ok(path)
        }
        Artifact::Dir(file) => {
            clear(path)?;
            store.place(&file.digest, path, Editable::Yes)?;
            Ok(path.to_owned())
        }
        Artifact::List(_) | Artifact::Grid(_) if artifact.plain().is_none() => {
            clear(path)?;
            fs::create_dir_all(path).map_err(|error| unwritable(path, &error))?;
            for (index, member) in artifact.members().unwrap_or_default().iter().enumerate() {
                put(store, &path.join(index.to_string()), ty.member(), member)?;
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
