//! A checked pipeline with its store: what `run`, `plan` and `why` start from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::JoinHandle;

use kyobashi_cache::{Access, Options, Stat, Store};
use kyobashi_engine::plan::Sources;
use kyobashi_engine::run::read_sources;
use kyobashi_engine::spec::{Checked, Keys, Question, Severity, Spec, check};
use kyobashi_science::Providers;
use kyobashi_stage::{Shape, Signature, Stage};

use crate::arguments::{Format, Global, Pipeline};
use crate::exit::{self, Stopped};
use crate::machine::Machine;
use crate::surroundings::{self, Disk, Surroundings};
use crate::{generations, problems, settings};

/// Every stage type of this program.
pub(crate) struct Catalogue {
    pub(crate) stages: BTreeMap<String, Arc<dyn Stage>>,
    /// Of the stages above and of the trainer.
    pub(crate) signatures: BTreeMap<String, Signature>,
    /// Names of the stage types that the trainer carries out.
    pub(crate) trainer: Vec<String>,
    pub(crate) shapes: BTreeMap<String, Shape>,
}

impl Catalogue {
    /// The stage types, with models asked at these servers.
    pub(crate) fn new(servers: Providers) -> Self {
        let own = kyobashi_science::stages(servers)
            .into_iter()
            .chain(kyobashi_press::stages());
        let mut stages = BTreeMap::new();
        let mut signatures = BTreeMap::new();
        for stage in own {
            let signature = stage.signature();
            stages.insert(signature.name.clone(), Arc::from(stage));
            signatures.insert(signature.name.clone(), signature);
        }
        let mut trainer = Vec::new();
        for signature in surroundings::trainer().stages {
            trainer.push(signature.name.clone());
            signatures.insert(signature.name.clone(), signature);
        }
        Self {
            stages,
            signatures,
            trainer,
            shapes: kyobashi_science::shapes(),
        }
    }
}

/// Checks a pipeline.
///
/// # Errors
/// A `--pool` that cannot be read.
pub(crate) fn checked(
    pipeline: &Pipeline,
    catalogue: &Catalogue,
    surroundings: &Surroundings,
    keys: Keys,
) -> Result<Checked, Stopped> {
    let machine = Machine::new(&pipeline.values, &surroundings.variables)?;
    let question = question(pipeline, catalogue, surroundings, keys);
    let checked = check(&Question {
        pools: &|name| machine.pool(name),
        ..question
    });
    Ok(settings::refuse(checked, surroundings))
}

/// What is asked of a pipeline, of the disk as it is and of a machine without pools.
pub(crate) fn question<'a>(
    pipeline: &'a Pipeline,
    catalogue: &'a Catalogue,
    surroundings: &'a Surroundings,
    keys: Keys,
) -> Question<'a> {
    Question {
        file: &pipeline.file,
        profile: pipeline.values.profile.as_deref(),
        values: pipeline.values.values.as_deref(),
        set: &pipeline.values.set,
        signatures: &catalogue.signatures,
        shapes: &catalogue.shapes,
        providers: &surroundings.providers,
        files: &Disk,
        keys,
        pools: &|_| None,
        editor: None,
    }
}

/// A spec without errors; problems are printed.
///
/// # Errors
/// When there is an error among the problems, with exit code 2.
pub(crate) fn spec(
    global: &Global,
    pipeline: &Pipeline,
    catalogue: &Catalogue,
    surroundings: &Surroundings,
    keys: Keys,
) -> Result<Spec, Stopped> {
    let (spec, _) = spec_and_texts(global, pipeline, catalogue, surroundings, keys)?;
    Ok(spec)
}

/// A spec without errors, with the text of every file that it was read from, by name.
///
/// # Errors
/// As [`spec`].
pub(crate) fn spec_and_texts(
    global: &Global,
    pipeline: &Pipeline,
    catalogue: &Catalogue,
    surroundings: &Surroundings,
    keys: Keys,
) -> Result<(Spec, BTreeMap<String, String>), Stopped> {
    let checked = checked(pipeline, catalogue, surroundings, keys)?;
    let (spec, texts) = told(global, checked)?;
    Ok((generations::put(spec, &pipeline.file)?, texts))
}

/// The spec of a check and its texts; problems are printed.
///
/// # Errors
/// As [`spec`].
pub(crate) fn told(
    global: &Global,
    checked: Checked,
) -> Result<(Spec, BTreeMap<String, String>), Stopped> {
    let wrong = checked
        .problems
        .iter()
        .any(|problem| problem.severity == Severity::Error);
    if wrong || (!checked.problems.is_empty() && !global.quiet) {
        let text = problems::render(&checked, Format::Text, crate::talk::colored(global));
        std::io::Write::write_all(&mut std::io::stderr(), text.as_bytes())?;
    }
    let texts = checked.sources;
    let spec = checked.spec;
    spec.map(|spec| (spec, texts))
        .ok_or_else(|| Stopped::shown(exit::WRONG_USE))
}

/// Where results are kept.
pub(crate) fn store_dir(global: &Global, file: Option<&Path>) -> PathBuf {
    if let Some(dir) = &global.store {
        return dir.clone();
    }
    let beside = file
        .and_then(Path::parent)
        .filter(|dir| !dir.as_os_str().is_empty());
    beside.unwrap_or(Path::new(".")).join(".kyobashi")
}

/// A store that is being opened while something else is done.
pub(crate) struct Opening {
    dir: PathBuf,
    thread: Option<Thread>,
}

struct Thread {
    end: JoinHandle<Result<(Store, Access), Stopped>>,
    /// The store before anything of it is in memory, if it can be written.
    early: Receiver<Store>,
    /// Tells the thread to go on with the records.
    go_on: Sender<()>,
}

impl Opening {
    /// Begins to open the store, if it is there: nothing is made before it is needed.
    ///
    /// # Errors
    /// When the working folder is gone.
    pub(crate) fn begin(global: &Global, file: Option<&Path>) -> Result<Self, Stopped> {
        let dir = std::path::absolute(store_dir(global, file)).map_err(Stopped::fault)?;
        let own = dir.clone();
        let (opened, early) = mpsc::channel();
        let (go_on, told) = mpsc::channel();
        let open = move || {
            let (store, access) = open_empty(&own)?;
            if access == Access::Write {
                // Nobody may want it this early.
                let _ = opened.send(store.clone());
            }
            drop(opened);
            if told.recv().is_ok() {
                store.preload()?;
            }
            Ok((store, access))
        };
        let thread = dir.join("version").exists().then(|| {
            let thread = std::thread::Builder::new().name("store-opening".to_owned());
            let end = thread.spawn(open).ok()?;
            Some(Thread { end, early, go_on })
        });
        Ok(Self {
            dir,
            thread: thread.flatten(),
        })
    }

    /// The store with nothing in memory yet; none where it is not there, or cannot be written.
    pub(crate) fn early(&self) -> Option<Store> {
        self.thread.as_ref()?.early.recv().ok()
    }

    /// Lets everything that the store knows be read into memory meanwhile.
    pub(crate) fn load(&self) {
        if let Some(thread) = &self.thread {
            // A thread that has failed says so when it is joined.
            let _ = thread.go_on.send(());
        }
    }

    /// The store, with everything that it knows in memory; for reading only where it is there and
    /// cannot be written.
    ///
    /// # Errors
    /// When the folder cannot be used.
    pub(crate) fn finish(self) -> Result<(Store, Access), Stopped> {
        self.load();
        let opened = self.thread.and_then(|thread| thread.end.join().ok());
        opened.unwrap_or_else(|| open_in(&self.dir))
    }
}

/// Opens the store, with everything that it knows in memory; for reading only where it is there and
/// cannot be written.
///
/// # Errors
/// When the folder cannot be used.
pub(crate) fn open(global: &Global, file: Option<&Path>) -> Result<(Store, Access), Stopped> {
    let dir = std::path::absolute(store_dir(global, file)).map_err(Stopped::fault)?;
    open_in(&dir)
}

fn open_in(dir: &Path) -> Result<(Store, Access), Stopped> {
    let (store, access) = open_empty(dir)?;
    store.preload()?;
    Ok((store, access))
}

fn open_empty(dir: &Path) -> Result<(Store, Access), Stopped> {
    match Store::open(dir, Options::default()).map_err(Stopped::from) {
        Err(stopped) if stopped.read_only && dir.join("version").exists() => {
            Ok((Store::open(dir, reading())?, Access::Read))
        }
        opened => Ok((opened?, Access::Write)),
    }
}

/// A store that is looked at: the one that is there, or an empty one that goes with this.
pub(crate) struct Glance {
    pub(crate) store: Store,
    // Dropped after the store.
    _empty: Option<tempfile::TempDir>,
}

/// Opens the store of a pipeline that nothing is run of. Where there is none, none is made.
///
/// # Errors
/// When the store cannot be read.
pub(crate) fn glance(global: &Global, file: &Path) -> Result<Glance, Stopped> {
    let dir = std::path::absolute(store_dir(global, Some(file))).map_err(Stopped::fault)?;
    let empty = if dir.join("version").exists() {
        None
    } else {
        Some(tempfile::tempdir().map_err(Stopped::fault)?)
    };
    let dir = empty
        .as_ref()
        .map_or(dir.as_path(), tempfile::TempDir::path);
    let global = Global {
        store: Some(dir.to_owned()),
        ..global.clone()
    };
    let (store, _) = open(&global, None)?;
    Ok(Glance {
        store,
        _empty: empty,
    })
}

fn reading() -> Options {
    Options {
        access: Access::Read,
        ..Options::default()
    }
}

/// Opens a store that must be there, to read what it has. Nothing is made where there is none.
///
/// # Errors
/// When there is no store, or it cannot be read.
pub(crate) fn look(global: &Global) -> Result<Store, Stopped> {
    opened(global, Access::Read)
}

/// Opens a store that must be there, to read all of it: where it may be written, the processes that
/// work on it are told from those that died.
///
/// # Errors
/// When there is no store, or it cannot be read.
pub(crate) fn look_closely(global: &Global) -> Result<Store, Stopped> {
    match opened(global, Access::Write) {
        Err(stopped) if stopped.read_only => opened(global, Access::Read),
        opened => opened,
    }
}

/// Opens a store that must be there, to change it.
///
/// # Errors
/// When there is no store, or it cannot be written.
pub(crate) fn change(global: &Global) -> Result<Store, Stopped> {
    opened(global, Access::Write)
}

fn opened(global: &Global, access: Access) -> Result<Store, Stopped> {
    let dir = std::path::absolute(store_dir(global, None)).map_err(Stopped::fault)?;
    if !dir.join("version").exists() {
        return Err(
            Stopped::wrong(format!("there is no store at {}", dir.display()))
                .help("name it with `--store DIR`; `kyo run FILE` makes one beside the file"),
        );
    }
    let options = Options {
        access,
        ..Options::default()
    };
    Ok(Store::open(&dir, options)?)
}

/// The digests of every file that the spec names.
///
/// # Errors
/// The file that cannot be read.
pub(crate) fn sources(spec: &Spec, store: &Store) -> Result<Sources, Stopped> {
    sources_of(spec, store, &|path| Stat::of(path))
}

/// The digests of every file that the spec names, on a disk that was looked at before.
///
/// # Errors
/// The file that cannot be read.
pub(crate) fn sources_of(
    spec: &Spec,
    store: &Store,
    stat: &dyn Fn(&Path) -> Option<Stat>,
) -> Result<Sources, Stopped> {
    Ok(read_sources(spec, store, stat)?)
}
