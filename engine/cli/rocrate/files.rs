//! The files of a crate: each content once, under the first name that it was given, with its size and
//! digests.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use kyobashi_cache::{Digest, Store};
use kyobashi_engine::artifact::Artifact;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::Written;
use super::graph::to;
use super::names::{Names, plain};
use super::sink::Sink;
use crate::exit::Stopped;

/// Which contents are copied; all files are described in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Payload {
    Everything,
    /// The pipeline's files and outputs, not data and what lies between.
    Outputs,
}

/// Values whose JSON is longer than this (bytes) are files of the crate.
const LONG: usize = 2000;

/// Gathers and writes files.
pub(super) struct Files<'s> {
    store: &'s Store,
    sink: Sink,
    payload: Payload,
    /// Entities by id, in the order of writing.
    entities: Vec<Value>,
    ids: BTreeMap<Digest, String>,
    names: Names,
    written: Written,
}

/// A file or folder that is to be in the crate.
pub(super) struct Wanted<'w> {
    /// Without the extension, which the type adds where the name has none.
    pub(super) name: &'w str,
    pub(super) extension: &'w str,
    pub(super) about: &'w str,
    /// Whether it is there also without intermediate files.
    pub(super) always: bool,
}

impl<'s> Files<'s> {
    pub(super) fn new(store: &'s Store, sink: Sink, payload: Payload) -> Self {
        Self {
            store,
            sink,
            payload,
            entities: Vec::new(),
            ids: BTreeMap::new(),
            names: Names::default(),
            written: Written {
                files: 0,
                bytes: 0,
                actions: 0,
                missing: Vec::new(),
            },
        }
    }

    /// Puts a blob or tree into the crate and gives the id of its entity. `origin` is where it may lie
    /// outside of the store.
    pub(super) fn put(
        &mut self,
        digest: &Digest,
        folder: bool,
        wanted: &Wanted<'_>,
        origin: Option<&Path>,
    ) -> Result<String, Stopped> {
        if let Some(id) = self.ids.get(digest) {
            return Ok(id.clone());
        }
        let copied = wanted.always || self.payload == Payload::Everything;
        let source = self.source(digest, folder, origin);
        let id = match source {
            Some(source) if copied && folder => self.folder(&source, wanted)?,
            Some(source) if copied => self.file(&source, digest, wanted)?,
            source => {
                if source.is_none() {
                    self.written.missing.push(wanted.name.to_owned());
                }
                let id = format!("#content/{digest}");
                let why = match source {
                    None => "Its content was no longer in the store when the run was exported.",
                    Some(_) => "Its content was left out of the crate.",
                };
                self.entities.push(json!({
                    "@id": id,
                    "@type": "CreativeWork",
                    "name": wanted.name,
                    "description": format!("{} {why}", wanted.about),
                    "identifier": format!("blake3:{digest}"),
                }));
                id
            }
        };
        self.ids.insert(*digest, id.clone());
        Ok(id)
    }

    /// Puts text that is in no store into the crate.
    pub(super) fn text(&mut self, text: &str, wanted: &Wanted<'_>) -> Result<String, Stopped> {
        let digest = Digest::of(text.as_bytes());
        if let Some(id) = self.ids.get(&digest) {
            return Ok(id.clone());
        }
        let id = self.copy(&mut text.as_bytes(), &digest, wanted)?;
        self.ids.insert(digest, id.clone());
        Ok(id)
    }

    /// Whether a value is too long to stand in the metadata.
    pub(super) fn is_long(value: &str) -> bool {
        value.len() > LONG
    }

    /// The store that is read.
    pub(super) fn store(&self) -> &'s Store {
        self.store
    }

    /// The id of a content that is described.
    pub(super) fn id(&self, digest: &Digest) -> Option<String> {
        self.ids.get(digest).cloned()
    }

    /// Takes the entity of a file out, to be added to the graph with these fields over its own.
    pub(super) fn take(&mut self, id: &str, over: Value) -> Value {
        let at = self.entities.iter().position(|entity| entity["@id"] == id);
        let mut entity = at.map_or(Value::Null, |at| self.entities.remove(at));
        if let (Value::Object(entity), Value::Object(over)) = (&mut entity, over) {
            entity.extend(over);
        }
        entity
    }

    /// Names a parameter that a file or folder stands for.
    pub(super) fn example(&mut self, id: &str, of: &str) {
        let found = self.entities.iter_mut().find(|entity| entity["@id"] == id);
        if let Some(entity) = found {
            match entity.get_mut("exampleOfWork") {
                Some(Value::Array(refs)) => refs.push(to(of)),
                _ => entity["exampleOfWork"] = json!([to(of)]),
            }
        }
    }

    /// A path of the crate for a file of the run itself, which nothing else may have.
    fn name(&mut self, wanted: &Wanted<'_>) -> String {
        let extension = match wanted.name.rsplit('/').next() {
            Some(last) if last.contains('.') => "",
            _ => wanted.extension,
        };
        self.names.take(&plain(wanted.name), extension)
    }

    fn source(&self, digest: &Digest, folder: bool, origin: Option<&Path>) -> Option<PathBuf> {
        let same = |path: &&Path| match folder {
            true => self.store.digest_tree(path).ok() == Some(*digest),
            false => self.store.digest_file(path).ok() == Some(*digest),
        };
        if !folder {
            let path = self.store.path_of(digest);
            if path.exists() {
                return Some(path);
            }
        } else if let Ok(path) = self.store.tree_path(digest) {
            return Some(path);
        }
        origin.filter(same).map(Path::to_path_buf)
    }

    fn file(
        &mut self,
        source: &Path,
        digest: &Digest,
        wanted: &Wanted<'_>,
    ) -> Result<String, Stopped> {
        let mut from = File::open(source).map_err(|error| {
            Stopped::wrong(format!("cannot read {}: {error}", source.display()))
        })?;
        self.copy(&mut from, digest, wanted)
    }

    fn copy(
        &mut self,
        from: &mut dyn Read,
        digest: &Digest,
        wanted: &Wanted<'_>,
    ) -> Result<String, Stopped> {
        let name = self.name(wanted);
        let (sha256, found, bytes) = self.sink.put(&name, |to| pour(from, to))?;
        if found != *digest {
            return Err(Stopped::wrong(format!(
                "the content of {} is damaged in the store",
                wanted.name
            ))
            .help("`kyo verify` drops what is damaged, and the next run makes it again"));
        }
        self.written.files += 1;
        self.written.bytes += bytes;
        self.entities.push(json!({
            "@id": name,
            "@type": "File",
            "name": wanted.name,
            "description": wanted.about,
            "contentSize": bytes.to_string(),
            "encodingFormat": format(&name),
            "sha256": sha256,
            "identifier": format!("blake3:{digest}"),
        }));
        Ok(name)
    }

    fn folder(&mut self, source: &Path, wanted: &Wanted<'_>) -> Result<String, Stopped> {
        let name = self.names.take_folder(&plain(wanted.name));
        let (digest, tree) = (self.store.digest_tree(source)?, walk(source)?);
        let (mut parts, mut bytes) = (Vec::new(), 0);
        for (path, file) in tree {
            let inner = plain(&path);
            let last = inner.rfind('/').map_or(0, |at| at + 1);
            let dot = inner[last..].rfind('.').filter(|at| *at > 0);
            let (stem, extension) = inner.split_at(dot.map_or(inner.len(), |at| last + at));
            let id = self.names.take(&format!("{name}/{stem}"), extension);
            let mut from = File::open(&file)?;
            let (sha256, blake3, size) = self.sink.put(&id, |to| pour(&mut from, to))?;
            bytes += size;
            self.written.files += 1;
            self.entities.push(json!({
                "@id": id,
                "@type": "File",
                "name": path,
                "contentSize": size.to_string(),
                "encodingFormat": format(&path),
                "sha256": sha256,
                "identifier": format!("blake3:{blake3}"),
            }));
            parts.push(to(&id));
        }
        self.written.bytes += bytes;
        let id = format!("{name}/");
        self.entities.push(json!({
            "@id": id,
            "@type": "Dataset",
            "name": wanted.name,
            "description": wanted.about,
            "hasPart": parts,
            "identifier": format!("blake3:{digest}"),
        }));
        Ok(id)
    }

    /// The entities of all files, and what was written.
    pub(super) fn entities(&mut self) -> (Vec<Value>, Written) {
        let written = std::mem::replace(
            &mut self.written,
            Written {
                files: 0,
                bytes: 0,
                actions: 0,
                missing: Vec::new(),
            },
        );
        (std::mem::take(&mut self.entities), written)
    }

    /// Writes the metadata and ends the crate.
    pub(super) fn end(mut self, metadata: &[u8]) -> Result<(), Stopped> {
        self.sink
            .put("ro-crate-metadata.json", |to| Ok(to.write_all(metadata)?))?;
        self.sink.end()
    }

    /// The files and folders of an artifact, each with a mark of its place in it.
    pub(super) fn members(artifact: &Artifact) -> Vec<(String, &Artifact)> {
        fn gather<'a>(at: String, artifact: &'a Artifact, into: &mut Vec<(String, &'a Artifact)>) {
            match artifact {
                Artifact::File(_) | Artifact::Dir(_) | Artifact::Large(_) => {
                    into.push((at, artifact))
                }
                Artifact::List(items) => {
                    for (index, item) in items.iter().enumerate() {
                        gather(format!("{at}/{index}"), item, into);
                    }
                }
                Artifact::Grid(grid) => {
                    for (index, cell) in grid.cells.iter().enumerate() {
                        gather(format!("{at}/{index}"), &cell.artifact, into);
                    }
                }
                Artifact::Value(_) | Artifact::Absent => {}
            }
        }
        let mut found = Vec::new();
        gather(String::new(), artifact, &mut found);
        found
    }
}

/// Copies, and gives sha256 (hexadecimal), blake3 and the number of bytes.
fn pour(from: &mut dyn Read, to: &mut dyn Write) -> Result<(String, Digest, u64), Stopped> {
    let (mut sha256, mut blake3) = (Sha256::new(), blake3::Hasher::new());
    let mut buffer = vec![0; 1 << 20];
    let mut bytes = 0;
    loop {
        let read = from.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        let part = &buffer[..read];
        sha256.update(part);
        blake3.update(part);
        to.write_all(part)?;
        bytes += read as u64;
    }
    let sha256 = sha256.finalize();
    let sha256 = sha256.iter().map(|byte| format!("{byte:02x}")).collect();
    let digest = Digest::from_bytes(*blake3.finalize().as_bytes());
    Ok((sha256, digest, bytes))
}

/// The regular files below a folder, by their paths from it, sorted.
fn walk(folder: &Path) -> Result<Vec<(String, PathBuf)>, Stopped> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(inner) = path.strip_prefix(folder) {
                found.push((inner.display().to_string(), path.clone()));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The media type of a name.
fn format(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "yaml" | "yml" => "application/yaml",
        "json" => "application/json",
        "jsonl" => "application/jsonl",
        "csv" => "text/csv",
        "txt" | "log" => "text/plain",
        "md" => "text/markdown",
        "tex" => "text/x-tex",
        "html" => "text/html",
        "py" => "text/x-python",
        "pdf" => "application/pdf",
        "png" => "image/png",
        "svg" => "image/svg+xml",
        _ => "application/octet-stream",
    }
}
