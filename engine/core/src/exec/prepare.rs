//! Inputs from the store to what a stage sees: values and read-only paths.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use kyobashi_cache::{Editable, How, Store, StoreError};
use kyobashi_stage::{Call, Cell, Datum, Failure, Model, Shape, Type, declared, named_shapes};

use crate::artifact::{Artifact, FileArtifact};
use crate::plan::key::Resolved;
use crate::spec::{Binding, Stage, Work};

/// The call of a node, with paths. Sources of the workspace are taken into the store first, so that
/// the stage works on the very bytes that the key was made from.
///
/// # Errors
/// If a blob cannot be read or a source changed meanwhile.
pub fn call(
    store: &Store,
    shapes: &BTreeMap<String, Shape>,
    stage: &Stage,
    resolved: &Resolved,
    scratch: &Path,
) -> Result<Call, Failure> {
    let gather = |group: &str, bindings: &[Binding]| {
        let mut data = BTreeMap::new();
        for binding in bindings {
            let path = format!("{group}.{}", binding.name);
            let artifact = resolved
                .get(&path)
                .ok_or_else(|| Failure::bug(format!("`{path}` has no value")))?;
            let view = View {
                store,
                scratch,
                name: &binding.name,
                ty: &binding.ty,
            };
            data.insert(binding.name.clone(), view.datum(artifact, &binding.ty, 0)?);
        }
        Ok::<_, Failure>(data)
    };
    match &stage.work {
        Work::Run {
            ins, with, outs, ..
        } => Ok(Call {
            uses: "run".to_owned(),
            ins: gather("in", ins)?,
            with: gather("with", with)?,
            model: None,
            outs: outs.to_vec(),
            shapes: BTreeMap::new(),
        }),
        Work::Uses {
            signature,
            ins,
            with,
            outs,
            ..
        } => Ok(Call {
            uses: signature.name.clone(),
            ins: gather("in", ins)?,
            with: gather("with", with)?,
            model: model(resolved)?,
            outs: outs.to_vec(),
            shapes: named_shapes(declared(signature, outs), shapes),
        }),
        Work::Group { .. } => Err(Failure::bug("a group is not called")),
    }
}

/// The model of a call, if its stage has one.
///
/// # Errors
/// If the value is no model.
pub fn model(resolved: &Resolved) -> Result<Option<Model>, Failure> {
    match resolved.get("model").and_then(Artifact::plain) {
        Some(value) => serde_json::from_value(value)
            .map(Some)
            .map_err(|error| Failure::new(format!("`model` is not a model: {error}"))),
        None => Ok(None),
    }
}

struct View<'a> {
    store: &'a Store,
    scratch: &'a Path,
    name: &'a str,
    ty: &'a Type,
}

impl View<'_> {
    fn datum(&self, artifact: &Artifact, ty: &Type, index: usize) -> Result<Datum, Failure> {
        Ok(match artifact {
            Artifact::Value(value) => match (ty, value.as_ref()) {
                // A text port is a file to those who want a path.
                (Type::Text, serde_json::Value::String(text)) => {
                    let digest = self.store.put_bytes(text.as_bytes()).map_err(wrong)?;
                    Datum::File {
                        path: self.store.path_of(&digest),
                        digest: digest.to_string(),
                    }
                }
                (_, value) => Datum::value(value.clone()),
            },
            Artifact::Large(digest) => {
                let bytes = self.store.read(digest).map_err(wrong)?;
                let value: serde_json::Value = serde_json::from_slice(&bytes)
                    .map_err(|error| Failure::bug(format!("a stored value is broken: {error}")))?;
                Datum::value(value)
            }
            Artifact::Absent => Datum::value(serde_json::Value::Null),
            Artifact::File(file) => {
                self.keep(file, false)?;
                let path = match self.path(file, index) {
                    // What was damaged is dropped by now, and a source is still where it came from.
                    Err(StoreError::Damaged { .. }) if file.origin.is_some() => {
                        self.keep(file, false)?;
                        self.path(file, index)
                    }
                    path => path,
                };
                Datum::File {
                    path: path.map_err(wrong)?,
                    digest: file.digest.to_string(),
                }
            }
            Artifact::Dir(file) => {
                self.keep(file, true)?;
                let path = self.store.tree_path(&file.digest).map_err(wrong)?;
                Datum::Dir {
                    path,
                    digest: file.digest.to_string(),
                }
            }
            Artifact::List(items) => Datum::List {
                items: items
                    .iter()
                    .enumerate()
                    .map(|(own, item)| self.datum(item, ty.member(), index * 1000 + own))
                    .collect::<Result<_, _>>()?,
            },
            Artifact::Grid(grid) => Datum::Grid {
                axes: grid.axes.clone(),
                cells: grid
                    .cells
                    .iter()
                    .enumerate()
                    .map(|(own, cell)| {
                        Ok(Cell {
                            at: cell.at.as_ref().clone(),
                            datum: self.datum(&cell.artifact, ty.member(), index * 1000 + own)?,
                        })
                    })
                    .collect::<Result<_, Failure>>()?,
            },
        })
    }

    /// Where a stage reads a file that is in the store: under a name with the extension of its type.
    fn path(&self, file: &FileArtifact, index: usize) -> Result<PathBuf, StoreError> {
        let path = self.store.path_checked(&file.digest, file.size)?;
        let Some(extension) = extension(self.ty) else {
            return Ok(path);
        };
        let named = self
            .scratch
            .join(format!("{PLACED}{}-{index}{extension}", self.name));
        if !named.exists() {
            self.store.place(&file.digest, &named, Editable::No)?;
        }
        Ok(named)
    }

    /// Takes a source into the store.
    fn keep(&self, file: &FileArtifact, tree: bool) -> Result<(), Failure> {
        let Some(origin) = &file.origin else {
            return Ok(());
        };
        if self.store.has(&file.digest) {
            return Ok(());
        }
        let same = if tree {
            let stored = self.store.put_tree(origin, How::Copy).map_err(wrong)?;
            stored.digest == file.digest
        } else {
            match self.store.put_copy(origin, &file.digest, file.size) {
                Err(StoreError::Changed { .. }) => false,
                stored => stored.map(|()| true).map_err(wrong)?,
            }
        };
        if same {
            return Ok(());
        }
        Err(
            Failure::passing(format!("{} changed while it was read", origin.display()))
                .help("run the same command again"),
        )
    }
}

/// How the names of inputs begin that are placed in the scratch folder.
pub(crate) const PLACED: &str = ".in-";

/// The extension that a port's type asks for, also inside lists.
fn extension(ty: &Type) -> Option<&str> {
    match ty {
        Type::File(Some(extension)) => Some(extension),
        Type::List(item) | Type::Grid(item, _) | Type::Optional(item) => extension(item),
        _ => None,
    }
}

/// The store refused; another try may not meet it.
pub(crate) fn wrong(error: StoreError) -> Failure {
    let failure = Failure::passing(error.to_string());
    match error.help() {
        Some(help) => failure.help(help),
        None => failure,
    }
}
