//! A checked pipeline, kept from one run to the next, so that a pipeline of thousands of stages is not
//! read and checked again while nothing about it has changed.
//!
//! What a check depends on is kept beside its result: the program, the command line, every text that was
//! read, every path that was looked at, every pool that was asked for. All of it is compared before the
//! result is used; where anything differs, the check is made. Only a check without any problem is kept.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use kyobashi_cache::Digest;
use kyobashi_engine::spec::{FileKind, Files, Keys, Pool, Question, Spec, check};
use serde::{Deserialize, Serialize};

use crate::arguments::{Global, Pipeline};
use crate::exit::Stopped;
use crate::machine::Machine;
use crate::surroundings::{Disk, Surroundings};
use crate::workspace::{self, Catalogue};
use crate::{generations, settings};

/// A checked pipeline.
pub(crate) struct Compiled {
    pub(crate) spec: Spec,
    /// The text of every file that it was read from, by name.
    pub(crate) texts: BTreeMap<String, String>,
    /// The disk as it was looked at meanwhile.
    pub(crate) files: Watched,
}

/// Below this many bytes of text a check takes less than a millisecond, and nothing is kept.
const WORTH: usize = 16 * 1024;

/// So many pipelines are kept in one workspace.
const MOST: usize = 8;

/// A pipeline without errors: as the last run left it, or checked now. Problems are printed.
///
/// # Errors
/// As [`workspace::spec`].
pub(crate) fn spec(
    global: &Global,
    pipeline: &Pipeline,
    catalogue: &Catalogue,
    surroundings: &Surroundings,
    keys: Keys,
) -> Result<Compiled, Stopped> {
    let machine = Machine::new(&pipeline.values, &surroundings.variables)?;
    let question = workspace::question(pipeline, catalogue, surroundings, keys);
    let folder = workspace::store_dir(global, Some(&pipeline.file)).join("compiled");
    let path = folder.join(name(&question));
    if let Some(mut compiled) = kept(&path, &question, &machine) {
        compiled.spec = generations::put(compiled.spec, &pipeline.file)?;
        return Ok(compiled);
    }
    let files = Watched::default();
    let pools = RefCell::new(BTreeMap::new());
    let asked = |name: &str| {
        let pool = machine.pool(name);
        pools.borrow_mut().insert(name.to_owned(), pool.clone());
        pool
    };
    let checked = check(&Question {
        files: &files,
        pools: &asked,
        ..question
    });
    let checked = settings::refuse(checked, surroundings);
    let clean = checked.problems.is_empty() && !files.listed.get();
    let (spec, texts) = workspace::told(global, checked)?;
    if clean && texts.values().map(String::len).sum::<usize>() >= WORTH {
        let basis = Basis {
            reads: files.reads.borrow().clone(),
            // What is read again anyway is not written down.
            texts: texts
                .iter()
                .map(|(name, text)| (name.clone(), files.source(text).ok_or_else(|| text.clone())))
                .collect(),
            looks: files.looks(),
            pools: pools.take().into_iter().map(Asked::from).collect(),
        };
        if let Err(error) = keep(&path, &basis, &spec) {
            tracing::debug!("the checked pipeline is not kept: {error}");
        }
    }
    let spec = generations::put(spec, &pipeline.file)?;
    Ok(Compiled { spec, texts, files })
}

/// What a check depended on, beside the question.
#[derive(Serialize, Deserialize)]
struct Basis {
    /// Every file that was read, in order.
    reads: Vec<(PathBuf, Digest)>,
    /// Every text by name: the file it was read from by its place in `reads`, or itself.
    texts: Vec<(String, Result<usize, String>)>,
    /// Every path that was looked at: nothing, a file or a folder, by one letter each; and the paths,
    /// one after the other.
    looks: Looks,
    pools: Vec<Asked>,
}

/// Paths that were looked at, in order, and what stood there.
#[derive(Default, Serialize, Deserialize)]
struct Looks {
    kinds: String,
    paths: Vec<PathBuf>,
}

impl Looks {
    /// What the disk says now; none where anything is not what it was.
    fn again(&self) -> Option<Seen> {
        let mut seen = Seen::with_capacity(self.paths.len());
        for (path, kind) in self.paths.iter().zip(self.kinds.chars()) {
            let stat = path.metadata().ok();
            if letter(stat.as_ref()) != kind {
                return None;
            }
            seen.insert(path.into(), stat);
        }
        Some(seen)
    }
}

/// A pool that was asked for, and what there was.
#[derive(PartialEq, Serialize, Deserialize)]
struct Asked {
    name: String,
    sum: Option<f64>,
    things: Option<Vec<String>>,
}

impl From<(String, Option<Pool>)> for Asked {
    fn from((name, pool): (String, Option<Pool>)) -> Self {
        let (sum, things) = match pool {
            None => (None, None),
            Some(Pool::Sum(size)) => (Some(size), None),
            Some(Pool::Indexed(names)) => (None, Some(names)),
        };
        Self { name, sum, things }
    }
}

/// Under which name a pipeline is kept: a digest of the program and of everything that was asked.
fn name(question: &Question<'_>) -> String {
    let program = std::env::current_exe()
        .and_then(|program| program.metadata())
        .map(|found| {
            let times = (
                found.mtime(),
                found.mtime_nsec(),
                found.ctime(),
                found.ctime_nsec(),
            );
            (found.dev(), found.ino(), found.len(), times)
        });
    let text = format!(
        "{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{:?}",
        program.ok(),
        question.file,
        question.profile,
        question.values,
        question.set,
        question.providers,
        question.keys,
    );
    Digest::of(text.as_bytes()).hex()
}

fn keep(path: &Path, basis: &Basis, spec: &Spec) -> std::io::Result<()> {
    let basis = serde_json::to_vec(basis)?;
    let mut bytes = (basis.len() as u64).to_le_bytes().to_vec();
    bytes.extend_from_slice(&basis);
    bytes.extend_from_slice(&spec.pack());
    let sum = Digest::of(&bytes);
    bytes.extend_from_slice(sum.as_bytes());
    let folder = path.parent().unwrap_or(path);
    std::fs::create_dir_all(folder)?;
    let temp = path.with_extension(std::process::id().to_string());
    std::fs::write(&temp, &bytes)?;
    std::fs::rename(&temp, path)?;
    thin(folder)
}

/// Removes the oldest of what is kept.
fn thin(folder: &Path) -> std::io::Result<()> {
    let mut kept = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        kept.push((entry.metadata()?.modified()?, entry.path()));
    }
    kept.sort();
    let old = kept.len().saturating_sub(MOST);
    for (_, path) in kept.into_iter().take(old) {
        std::fs::remove_file(path)?;
    }
    Ok(())
}

/// What is kept, if all that it depended on is as it was.
fn kept(path: &Path, question: &Question<'_>, machine: &Machine) -> Option<Compiled> {
    let bytes = std::fs::read(path).ok()?;
    let (body, sum) = bytes.split_at_checked(bytes.len().checked_sub(32)?)?;
    if Digest::of(body).as_bytes() != sum {
        return None;
    }
    let (length, rest) = body.split_at_checked(8)?;
    let length = u64::from_le_bytes(length.try_into().ok()?);
    let (basis, spec) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    let basis: Basis = serde_json::from_slice(basis).ok()?;
    let mut read = Vec::new();
    for (path, digest) in &basis.reads {
        let text = Disk.read(path).ok()?;
        if Digest::of(text.as_bytes()) != *digest {
            return None;
        }
        read.push(text);
    }
    // Two halves of about the same length: the disk is looked at while the pipeline is read.
    let (seen, spec) = std::thread::scope(|scope| {
        let seen = scope.spawn(|| basis.looks.again());
        let spec = Spec::unpack(spec, question.signatures)?;
        Some((seen.join().ok()??, spec))
    })?;
    let files = Watched {
        seen: RefCell::new(seen),
        ..Watched::default()
    };
    let same =
        |asked: &Asked| Asked::from((asked.name.clone(), machine.pool(&asked.name))) == *asked;
    if !basis.pools.iter().all(same) {
        return None;
    }
    let text = |given: Result<usize, String>| match given {
        Ok(at) => read.get(at).cloned(),
        Err(text) => Some(text),
    };
    let texts = basis.texts.into_iter();
    let texts = texts.map(|(name, given)| Some((name, text(given)?)));
    Some(Compiled {
        spec,
        texts: texts.collect::<Option<_>>()?,
        files,
    })
}

/// `-` for nothing, `f` for a file, `d` for a folder.
fn letter(stat: Option<&Metadata>) -> char {
    match stat {
        None => '-',
        Some(stat) if stat.is_dir() => 'd',
        Some(_) => 'f',
    }
}

/// What the disk says of each path.
type Seen = HashMap<OsString, Option<Metadata>>;

/// The disk, with a note of what it was asked.
#[derive(Default)]
pub(crate) struct Watched {
    reads: RefCell<Vec<(PathBuf, Digest)>>,
    seen: RefCell<Seen>,
    /// Whether a folder was listed, which is asked only for the sake of a problem.
    listed: Cell<bool>,
}

impl Watched {
    /// Which of the files that were read has this text.
    fn source(&self, text: &str) -> Option<usize> {
        let digest = Digest::of(text.as_bytes());
        let reads = self.reads.borrow();
        reads.iter().position(|(_, read)| *read == digest)
    }

    /// What the disk says of a path, as it did at the first question.
    pub(crate) fn stat(&self, path: &Path) -> Option<Metadata> {
        if let Some(seen) = self.seen.borrow().get(path.as_os_str()) {
            return seen.clone();
        }
        let stat = path.metadata().ok();
        let path = path.as_os_str().to_owned();
        self.seen.borrow_mut().insert(path, stat.clone());
        stat
    }

    fn looks(&self) -> Looks {
        let seen = self.seen.borrow();
        let mut all: Vec<_> = seen.iter().collect();
        all.sort_unstable_by_key(|(path, _)| *path);
        let mut looks = Looks::default();
        for (path, stat) in all {
            looks.kinds.push(letter(stat.as_ref()));
            looks.paths.push(path.into());
        }
        looks
    }
}

impl Files for Watched {
    fn read(&self, path: &Path) -> std::io::Result<String> {
        let text = Disk.read(path)?;
        let digest = Digest::of(text.as_bytes());
        self.reads.borrow_mut().push((path.to_owned(), digest));
        Ok(text)
    }

    fn look(&self, path: &Path) -> Option<FileKind> {
        self.stat(path).map(|stat| match stat.is_dir() {
            true => FileKind::Dir,
            false => FileKind::File,
        })
    }

    fn list(&self, dir: &Path) -> Vec<String> {
        self.listed.set(true);
        Disk.list(dir)
    }
}
