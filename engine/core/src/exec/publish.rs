//! Outputs of a stage into the store: checked against their types, then taken over.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::sync::Arc;

use kyobashi_cache::{How, Store, StoreError};
use kyobashi_stage::{Failure, Output, Outputs, Port, Retry, Shape, Type, check_value};
use serde_json::Value;

use super::prepare::wrong;
use crate::artifact::{Artifact, Artifacts, FileArtifact};

/// Takes over the outputs of one call.
///
/// # Errors
/// If an output is missing, is not of its type, or cannot be stored.
pub fn publish(
    store: &Store,
    shapes: &BTreeMap<String, Shape>,
    ports: &[Port],
    mut outputs: Outputs,
    may_fail: bool,
) -> Result<Artifacts, Failure> {
    let mut artifacts = Artifacts::new();
    for port in ports {
        let artifact = match outputs.remove(&port.name) {
            Some(output) => take(store, shapes, &port.name, &port.ty, output)?,
            None if may_fail || matches!(port.ty, Type::Optional(_)) => Artifact::Absent,
            None => {
                return Err(Failure::bug(format!(
                    "the stage did not make `{}`",
                    port.name
                )));
            }
        };
        artifacts.insert(&port.name, artifact);
    }
    for (name, output) in outputs {
        // What `may_fail` adds is declared nowhere.
        let ty = match name.as_str() {
            "ok" => Type::Bool,
            "exit" => Type::Int,
            "stderr" => Type::Text,
            _ => continue,
        };
        artifacts.insert(&name, take(store, shapes, &name, &ty, output)?);
    }
    Ok(artifacts)
}

/// The answer of a stage type that may fail: a failure that the same call would repeat becomes the
/// outputs `ok`, `exit` and `stderr`, as a script's does.
///
/// # Errors
/// A failure that another try may not meet, or a fault of the stage itself: neither says anything about
/// what the stage was given.
pub fn as_data(answer: Result<Outputs, Failure>) -> Result<Outputs, Failure> {
    let (mut outputs, said) = match answer {
        Ok(outputs) => (outputs, None),
        Err(failure) if failure.bug || failure.retry == Retry::Possible => return Err(failure),
        Err(failure) => {
            let help = failure.help.map(|help| format!("\nhelp: {help}"));
            let said = failure.message + &help.unwrap_or_default();
            (Outputs::new(), Some(said))
        }
    };
    outputs.insert("ok".to_owned(), Output::value(said.is_none()));
    outputs.insert("exit".to_owned(), Output::value(i32::from(said.is_some())));
    outputs.insert("stderr".to_owned(), Output::bytes(said.unwrap_or_default()));
    Ok(outputs)
}

fn take(
    store: &Store,
    shapes: &BTreeMap<String, Shape>,
    name: &str,
    ty: &Type,
    output: Output,
) -> Result<Artifact, Failure> {
    match output {
        Output::Value { value } => {
            check_value(&value, ty, shapes)
                .map_err(|why| Failure::new(format!("output `{name}`: {why}")))?;
            Ok(Artifact::Value(Arc::new(value)))
        }
        Output::Bytes { bytes } => {
            content(name, ty, &mut bytes.as_slice())?;
            let size = bytes.len() as u64;
            let digest = store.put_bytes(&bytes).map_err(wrong)?;
            Ok(Artifact::File(FileArtifact {
                digest,
                size,
                origin: None,
            }))
        }
        Output::File { path } => {
            if matches!(ty, Type::Text | Type::Table(_)) {
                content(name, ty, &mut BufReader::new(std::fs::File::open(&path)?))?;
            }
            let stored = store.put_file(&path, how(&path));
            let stored = stored.map_err(|error| refused(name, &path, error))?;
            Ok(Artifact::File(FileArtifact {
                digest: stored.digest,
                size: stored.size,
                origin: None,
            }))
        }
        Output::Dir { path } => {
            let stored = store.put_tree(&path, How::Move);
            let stored = stored.map_err(|error| refused(name, &path, error))?;
            Ok(Artifact::Dir(FileArtifact {
                digest: stored.digest,
                size: stored.size,
                origin: None,
            }))
        }
        Output::List { items } => {
            let inner = match ty {
                Type::List(inner) => inner.as_ref(),
                other => other,
            };
            let items = items
                .into_iter()
                .map(|item| take(store, shapes, name, inner, item));
            Ok(Artifact::list(items.collect::<Result<_, _>>()?))
        }
    }
}

/// An error of the store about an output at `root`. The scratch folder is gone when it is read, so that the
/// place is told as the script knows it.
fn refused(name: &str, root: &Path, error: StoreError) -> Failure {
    let StoreError::Refused { path, what } = &error else {
        return wrong(error);
    };
    let within = path.strip_prefix(root).unwrap_or(path);
    let place = match within.as_os_str().is_empty() {
        true => format!("output `{name}`"),
        false => format!("output `{name}`, {:?}", within.display().to_string()),
    };
    // The same would happen again.
    let failure = Failure::new(format!("{place} cannot be stored: it is {what}"));
    match error.help() {
        Some(help) => failure.help(help),
        None => failure,
    }
}

/// A link is followed and copied; a plain file of the scratch folder is moved.
fn how(path: &Path) -> How {
    match path.symlink_metadata() {
        Ok(metadata) if metadata.file_type().is_symlink() => How::Copy,
        _ => How::Move,
    }
}

/// Checks a text for UTF-8 and a table for its columns.
fn content(name: &str, ty: &Type, read: &mut dyn BufRead) -> Result<(), Failure> {
    match ty {
        Type::Text => {
            let mut line = Vec::new();
            let mut number = 0;
            loop {
                line.clear();
                number += 1;
                if read.read_until(b'\n', &mut line)? == 0 {
                    return Ok(());
                }
                if std::str::from_utf8(&line).is_err() {
                    return Err(Failure::new(format!(
                        "output `{name}` is text, but line {number} is not UTF-8"
                    ))
                    .help("declare it as `file` if it is binary"));
                }
            }
        }
        Type::Table(columns) => {
            let mut header = String::new();
            read.read_line(&mut header)?;
            let have: Vec<_> = header
                .trim_end()
                .split(',')
                .map(|name| name.trim_matches('"'))
                .collect();
            match columns
                .iter()
                .find(|column| !have.contains(&column.as_str()))
            {
                Some(missing) => Err(Failure::new(format!(
                    "output `{name}` has no column `{missing}`; its header is `{}`",
                    header.trim_end()
                ))),
                None => Ok(()),
            }
        }
        Type::Optional(inner) => content(name, inner, read),
        _ => Ok(()),
    }
}

/// Values for a record: what is too long for it goes into a blob.
///
/// # Errors
/// If a blob cannot be stored.
pub fn for_record(store: &Store, artifacts: &Artifacts) -> Result<Artifacts, Failure> {
    let mut short = Artifacts::new();
    for (name, artifact) in artifacts.iter() {
        let artifact = match artifact {
            Artifact::Value(value) => {
                let text = crate::artifact::canonical(value);
                if text.len() > crate::artifact::INLINE_LIMIT {
                    Artifact::Large(store.put_bytes(text.as_bytes()).map_err(wrong)?)
                } else {
                    artifact.clone()
                }
            }
            other => other.clone(),
        };
        short.insert(name, artifact);
    }
    Ok(short)
}

/// The inverse of [`for_record`].
///
/// # Errors
/// If a blob cannot be read.
pub fn from_record(store: &Store, outputs: &str) -> Result<Artifacts, Failure> {
    let broken = |error: serde_json::Error| Failure::bug(format!("a record is broken: {error}"));
    let mut artifacts: Artifacts = serde_json::from_str(outputs).map_err(broken)?;
    for artifact in artifacts.values_mut() {
        if let Artifact::Large(digest) = artifact {
            let bytes = store.read(digest).map_err(wrong)?;
            let value: Value = serde_json::from_slice(&bytes).map_err(broken)?;
            *artifact = Artifact::value(value);
        }
    }
    Ok(artifacts)
}
