//! Looking up: sources by their content, calls by their keys.

use std::sync::Arc;

use kyobashi_cache::{Key, Record, Store};
use kyobashi_stage::Failure;

use crate::artifact::{Artifact, Artifacts, FileArtifact};
use crate::exec::publish;
use crate::plan::NodeId;
use crate::plan::Sources;
use crate::plan::key::{Machine, Recipe, Resolved};
use crate::plan::sources;
use crate::run::Schedule;
use crate::spec::{FileKind, Files, Spec};

/// Hashes every file and folder that the spec names.
///
/// # Errors
/// The path that cannot be read, with the reason.
pub fn read_sources(spec: &Spec, store: &Store, files: &dyn Files) -> Result<Sources, Failure> {
    let mut found = Sources::new();
    for path in sources::paths(spec) {
        let unreadable = |error: &dyn std::fmt::Display| {
            Failure::new(format!("cannot read {}: {error}", path.display()))
        };
        let origin = Some(Arc::new(path.clone()));
        let artifact = match files.look(&path) {
            Some(FileKind::File) => {
                let digest = store
                    .digest_file(&path)
                    .map_err(|error| unreadable(&error))?;
                let size = std::fs::metadata(&path)
                    .map_err(|error| unreadable(&error))?
                    .len();
                Artifact::File(FileArtifact {
                    digest,
                    size,
                    origin,
                })
            }
            Some(FileKind::Dir) => {
                let digest = store
                    .digest_tree(&path)
                    .map_err(|error| unreadable(&error))?;
                Artifact::Dir(FileArtifact {
                    digest,
                    size: 0,
                    origin,
                })
            }
            None => return Err(unreadable(&"there is no such file")),
        };
        found.insert(path, artifact);
    }
    Ok(found)
}

/// A node's call with its values, its key and its recipe.
pub(super) struct Wanted {
    pub(super) resolved: Resolved,
    pub(super) key: Key,
    pub(super) recipe: Recipe,
}

/// Resolves a node whose inputs are all known.
///
/// # Errors
/// In words, which field cannot be computed, or that an output of a skipped stage is needed (none).
pub(super) fn wanted(
    schedule: &Schedule<'_>,
    id: NodeId,
    machine: &Machine,
) -> Result<Wanted, Option<String>> {
    let resolved = Resolved::of(&schedule.scope(id), schedule.stage(id), machine);
    match resolved.key() {
        Ok((key, recipe)) => Ok(Wanted {
            resolved,
            key,
            recipe,
        }),
        Err(crate::plan::Blocked::Absent) => Err(None),
        Err(crate::plan::Blocked::Unknown) => Err(Some("an input is not known".to_owned())),
        Err(crate::plan::Blocked::Problem(text)) => {
            let field = resolved
                .blocked()
                .map(|(path, _)| path.to_owned())
                .unwrap_or_default();
            Err(Some(format!("`{field}`: {text}")))
        }
    }
}

/// What a record holds.
pub(super) fn outputs(store: &Store, record: &Record) -> Result<Artifacts, Failure> {
    publish::from_record(store, &record.outputs)
}
