//! A checked pipeline, kept from one run to the next, so that a pipeline of thousands of stages is not
//! read and checked again while nothing about it has changed.
//!
//! What a check depends on is kept beside its result: the program, the command line, every text that was
//! read, every path that was looked at, every pool that was asked for. All of it is compared before the
//! result is used; where anything differs, the check is made. Only a check without any problem is kept.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};
use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use kyobashi_cache::Digest;
use kyobashi_engine::spec::{Files, Keys, Pool, Question, Spec, check};
use serde::{Deserialize, Serialize};

use crate::arguments::{Global, Pipeline};
use crate::exit::Stopped;
use crate::machine::Machine;
use crate::surroundings::{Disk, Surroundings};
use crate::watched::{Looks, Watched};
use crate::workspace::{self, Catalogue};
use crate::{generations, kept, settings};

/// A pipeline as it is asked for.
pub(crate) struct Request<'a> {
    question: Question<'a>,
    machine: Machine,
    /// Under which name it is kept: a digest of the program and of everything that was asked.
    pub(crate) name: String,
    /// The folder of the store.
    pub(crate) store: PathBuf,
}

impl<'a> Request<'a> {
    /// What the command line and the environment ask for.
    ///
    /// # Errors
    /// A `--pool` that cannot be read.
    pub(crate) fn new(
        global: &Global,
        pipeline: &'a Pipeline,
        catalogue: &'a Catalogue,
        surroundings: &'a Surroundings,
        keys: Keys,
    ) -> Result<Self, Stopped> {
        let question = workspace::question(pipeline, catalogue, surroundings, keys);
        Ok(Self {
            machine: Machine::new(&pipeline.values, &surroundings.variables)?,
            name: name(&question),
            store: workspace::store_dir(global, Some(&pipeline.file)),
            question,
        })
    }
}

/// A checked pipeline.
pub(crate) struct Compiled {
    pub(crate) spec: Spec,
    /// The text of every file that it was read from, by name.
    pub(crate) texts: BTreeMap<String, String>,
    /// The disk as it was looked at meanwhile.
    pub(crate) files: Watched,
    /// What the check depended on; none where there was a problem.
    pub(crate) basis: Option<Basis>,
}

/// Below this many bytes of text a check takes less than a millisecond, and is not kept.
const WORTH: usize = 16 * 1024;

/// A pipeline without errors: as the last run left it, or checked now. Problems are printed.
///
/// # Errors
/// As [`workspace::spec`].
pub(crate) fn spec(
    global: &Global,
    request: &Request<'_>,
    surroundings: &Surroundings,
) -> Result<Compiled, Stopped> {
    let path = request.store.join("compiled").join(&request.name);
    if let Some(mut compiled) = again(&path, request) {
        pools_asked(&compiled.spec, request)?;
        compiled.spec = generations::put(compiled.spec, request.question.file)?;
        return Ok(compiled);
    }
    let files = Watched::default();
    let pools = RefCell::new(BTreeMap::new());
    let asked = |name: &str| {
        let pool = request.machine.pool(name);
        pools.borrow_mut().insert(name.to_owned(), pool.clone());
        pool
    };
    let checked = check(&Question {
        files: &files,
        pools: &asked,
        ..request.question
    });
    let checked = settings::refuse(checked, surroundings);
    let clean = checked.problems.is_empty() && !files.listed.get();
    let (spec, texts) = workspace::told(global, checked)?;
    pools_asked(&spec, request)?;
    let basis = clean.then(|| Basis {
        reads: files.reads.borrow().clone(),
        // What is read again anyway is not written down.
        texts: texts
            .iter()
            .map(|(name, text)| (name.clone(), files.source(text).ok_or_else(|| text.clone())))
            .collect(),
        looks: files.looks(),
        pools: pools.take().into_iter().map(Asked::from).collect(),
    });
    let length: usize = texts.values().map(String::len).sum();
    if let Some(basis) = basis.as_ref().filter(|_| length >= WORTH)
        && let Err(error) = kept::keep(&path, |to| {
            kept::put(to, basis)?;
            to.write_all(&spec.pack())
        })
    {
        tracing::debug!("the checked pipeline is not kept: {error}");
    }
    Ok(Compiled {
        spec: generations::put(spec, request.question.file)?,
        texts,
        files,
        basis,
    })
}

/// Tells a `--pool` that nobody asks for: it is misspelt.
fn pools_asked(spec: &Spec, request: &Request<'_>) -> Result<(), Stopped> {
    let unasked = |name: &&str| !spec.pools.contains_key(*name);
    let Some(name) = request.machine.given().find(unasked) else {
        return Ok(());
    };
    let own = |name: &&String| !["cpu", "memory"].contains(&name.as_str());
    let pools: Vec<&str> = spec.pools.keys().filter(own).map(String::as_str).collect();
    Err(
        Stopped::wrong(format!("--pool {name}=…: no stage asks for `{name}`"))
            .help(format!("pools of this pipeline: {}", pools.join(", "))),
    )
}

/// The pipeline alone, as it was checked on this basis, beside which these files are there and were then.
pub(crate) fn on(request: &Request<'_>, basis: &Basis, files: &HashSet<&OsStr>) -> Option<Spec> {
    let bytes = kept::whole(&request.store.join("compiled").join(&request.name))?;
    let (own, spec) = kept::apart::<Basis>(&bytes)?;
    let mut looks = own.looks.paths.iter().zip(own.looks.kinds.chars());
    let as_files = looks.all(|(path, kind)| kind == 'f' || !files.contains(path.as_os_str()));
    if !as_files || own.beside(files) != *basis {
        return None;
    }
    let spec = Spec::unpack(spec, request.question.signatures)?;
    generations::put(spec, request.question.file).ok()
}

/// What a check depended on, beside the question.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Basis {
    /// Every file that was read, in order.
    reads: Vec<(PathBuf, Digest)>,
    /// Every text by name: the file it was read from by its place in `reads`, or itself.
    texts: Vec<(String, Result<usize, String>)>,
    /// Every path that was looked at: nothing, a file or a folder, by one letter each; and the paths,
    /// one after the other.
    looks: Looks,
    pools: Vec<Asked>,
}

impl Basis {
    /// Without the texts, and without these paths, which are looked at more closely elsewhere.
    pub(crate) fn beside(mut self, paths: &HashSet<&OsStr>) -> Self {
        self.texts.clear();
        let looks = std::mem::take(&mut self.looks);
        for (path, kind) in looks.paths.into_iter().zip(looks.kinds.chars()) {
            if !paths.contains(path.as_os_str()) {
                self.looks.kinds.push(kind);
                self.looks.paths.push(path);
            }
        }
        self
    }

    /// Whether all of it is as it was.
    pub(crate) fn holds(&self, request: &Request<'_>) -> bool {
        self.read_again().is_some() && self.pooled(request) && self.looks.again().is_some()
    }

    /// The texts of the files that were read, if they are as they were.
    fn read_again(&self) -> Option<Vec<String>> {
        let again = |(path, digest): &(PathBuf, Digest)| {
            let text = Disk.read(path).ok()?;
            (Digest::of(text.as_bytes()) == *digest).then_some(text)
        };
        self.reads.iter().map(again).collect()
    }

    /// Whether the pools are as they were.
    fn pooled(&self, request: &Request<'_>) -> bool {
        let known = |name: &str| self.pools.iter().any(|asked| asked.name == name);
        let asked = request.machine.given().all(known);
        asked
            && self.pools.iter().all(|asked| {
                let pool = request.machine.pool(&asked.name);
                Asked::from((asked.name.clone(), pool)) == *asked
            })
    }
}

/// A pool that was asked for, and what there was.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
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
    let resampled = std::fs::read_to_string(generations::beside(question.file)).ok();
    let text = format!(
        "{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{:?}",
        program.ok(),
        question.file,
        question.profile,
        question.values,
        question.set,
        question.providers,
        question.keys,
        resampled,
    );
    Digest::of(text.as_bytes()).hex()
}

/// What is kept, if all that it depended on is as it was.
fn again(path: &Path, request: &Request<'_>) -> Option<Compiled> {
    let bytes = kept::whole(path)?;
    let (basis, spec) = kept::apart::<Basis>(&bytes)?;
    let read = basis.read_again()?;
    if !basis.pooled(request) {
        return None;
    }
    // Two halves of about the same length: the disk is looked at while the pipeline is read.
    let (seen, spec) = std::thread::scope(|scope| {
        let seen = scope.spawn(|| basis.looks.again());
        let spec = Spec::unpack(spec, request.question.signatures)?;
        Some((seen.join().ok()??, spec))
    })?;
    let text = |given: &Result<usize, String>| match given {
        Ok(at) => read.get(*at).cloned(),
        Err(text) => Some(text.clone()),
    };
    let texts = basis.texts.iter();
    let texts = texts.map(|(name, given)| Some((name.clone(), text(given)?)));
    Some(Compiled {
        spec,
        texts: texts.collect::<Option<_>>()?,
        files: Watched::knowing(seen),
        basis: Some(basis),
    })
}
