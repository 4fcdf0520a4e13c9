//! Where a run works: its number and folder, its journal, and the folder for its attempts. A store that
//! cannot be written has no such place, and is enough where everything is in it already.

use std::fs::File;
use std::path::{Path, PathBuf};

use kyobashi_cache::Store;
use kyobashi_engine::plan::Sources;
use kyobashi_engine::run::preview::{Detail, Prospect, preview};
use kyobashi_engine::spec::Spec;

use crate::exit::Stopped;
use crate::surroundings;

/// The place of one run.
pub(crate) struct Place {
    /// 0 where nothing is recorded.
    pub(crate) run: u64,
    pub(crate) folder: PathBuf,
    /// An empty folder for the attempts, made when there is one.
    pub(crate) scratch: PathBuf,
    journal: Option<File>,
}

impl Place {
    /// A place of its own in the store; the folders of processes that died are swept.
    ///
    /// # Errors
    /// When a folder cannot be made.
    pub(crate) fn new(store: &Store) -> Result<Self, Stopped> {
        let run = store.runs().new_run()?;
        let all = store.dir().join("scratch");
        std::fs::create_dir_all(&all)
            .map_err(|error| Stopped::wrong(format!("cannot make {}: {error}", all.display())))?;
        for entry in std::fs::read_dir(&all).into_iter().flatten().flatten() {
            let dead = entry.file_name().to_str().is_some_and(|pid| {
                pid.parse::<u32>().is_ok() && !Path::new("/proc").join(pid).exists()
            });
            if dead {
                // Somebody else may sweep at the same time.
                let _ = std::fs::remove_dir_all(entry.path());
            }
        }
        let own = all.join(std::process::id().to_string());
        Ok(Self {
            run: run.number,
            folder: run.path,
            scratch: std::path::absolute(own).map_err(Stopped::fault)?,
            journal: Some(run.events),
        })
    }

    /// No place: nothing is going to run, and nothing is recorded.
    pub(crate) fn none(store: &Store) -> Self {
        Self {
            run: 0,
            folder: store.runs().path(0),
            scratch: store.dir().join("scratch/0"),
            journal: None,
        }
    }

    /// The file of the journal, if there is one.
    ///
    /// # Errors
    /// When it cannot be shared.
    pub(crate) fn journal(&self) -> Result<Option<File>, Stopped> {
        let journal = self.journal.as_ref().map(File::try_clone);
        journal.transpose().map_err(Stopped::fault)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.run > 0 {
            let _ = std::fs::remove_dir_all(&self.scratch);
        }
    }
}

/// Looks whether nothing at all would run, because the store can only be read.
///
/// # Errors
/// The first stage run whose result is not there.
pub(crate) fn all_reused(spec: &Spec, sources: &Sources, store: &Store) -> Result<(), Stopped> {
    let machine = surroundings::machine();
    let plan = preview(
        spec,
        sources,
        store,
        &machine,
        &Default::default(),
        &Detail::default(),
    )?;
    let runs = plan.iter().find(|node| {
        !matches!(
            node.state,
            Prospect::Reused | Prospect::Frozen | Prospect::Skipped
        )
    });
    match runs {
        None => Ok(()),
        Some(node) => Err(Stopped::read_only(format!(
            "the store {} cannot be written, and the result of `{}` is not in it",
            store.dir().display(),
            node.address
        ))
        .help(
            "make it writable, or choose another with `--store DIR`; `kyo plan` says what is reused from this one",
        )),
    }
}

/// What is said of a run that records nothing.
pub(crate) fn read_only(store: &Store) -> String {
    format!(
        "the store {} cannot be written: everything is reused from it, and no run is recorded",
        store.dir().display()
    )
}
