//! The runs of a workspace: a numbered folder each, with the log of its events.
//!
//! Knows nothing of what an event is.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::PathBuf;

use crate::error::io as named;
use crate::{Store, StoreError, walk};

/// The runs of one workspace.
#[derive(Clone, Debug)]
pub struct Runs {
    folder: PathBuf,
}

/// One run.
#[derive(Debug)]
pub struct RunDir {
    /// From 1 on; a later run has a higher number.
    pub number: u64,
    /// Its folder.
    pub path: PathBuf,
    /// `events.jsonl` in it, open for appending.
    pub events: File,
}

impl Store {
    /// The runs of this store's workspace.
    pub fn runs(&self) -> Runs {
        Runs {
            folder: self.inner.folders.runs(),
        }
    }
}

impl Runs {
    /// Makes the folder of the next run. Two processes never get the same one.
    pub fn new_run(&self) -> Result<RunDir, StoreError> {
        fs::create_dir_all(&self.folder).map_err(named("make the folder", &self.folder))?;
        let mut number = self.last()?.unwrap_or(0) + 1;
        loop {
            let path = self.path(number);
            match fs::create_dir(&path) {
                Ok(()) => {
                    let run = self.open(number)?;
                    // For as long as the file is open, and not a moment longer, whatever ends the
                    // process. Where files cannot be locked, a live run looks like a killed one.
                    let _ = run.events.lock();
                    return Ok(run);
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(named("make the folder", &path)(error)),
            }
        }
    }

    /// Opens a run, to go on with its log.
    pub fn open(&self, number: u64) -> Result<RunDir, StoreError> {
        let path = self.path(number);
        let log = self.events(number);
        let events = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&log)
            .map_err(named("open", &log))?;
        Ok(RunDir {
            number,
            path,
            events,
        })
    }

    /// The numbers of all runs, in ascending order.
    pub fn list(&self) -> Result<Vec<u64>, StoreError> {
        let number = |path: PathBuf| path.file_name()?.to_str()?.parse::<u64>().ok();
        let mut numbers: Vec<u64> = walk::entries(&self.folder)?
            .into_iter()
            .filter_map(number)
            .collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// The number of the newest run.
    pub fn last(&self) -> Result<Option<u64>, StoreError> {
        Ok(self.list()?.pop())
    }

    /// The folder of a run.
    pub fn path(&self, number: u64) -> PathBuf {
        self.folder.join(number.to_string())
    }

    /// The log of a run.
    pub fn events(&self, number: u64) -> PathBuf {
        self.path(number).join("events.jsonl")
    }

    /// Whether a process is writing the log of this run.
    pub fn is_live(&self, number: u64) -> bool {
        let Ok(file) = File::open(self.events(number)) else {
            return false;
        };
        matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
    }

    /// Gives a run a name, under which it is kept by every collection; replaces an earlier one.
    pub fn pin(&self, number: u64, name: &str) -> Result<(), StoreError> {
        let path = self.pin_path(number);
        fs::write(&path, name).map_err(named("write", &path))
    }

    /// Takes the name of a run away. Says whether it had one.
    pub fn unpin(&self, number: u64) -> Result<bool, StoreError> {
        let path = self.pin_path(number);
        match fs::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(named("remove", &path)(error)),
        }
    }

    /// The runs that have a name, each with it.
    pub fn pins(&self) -> Result<BTreeMap<u64, String>, StoreError> {
        let mut pins = BTreeMap::new();
        for number in self.list()? {
            let path = self.pin_path(number);
            match fs::read_to_string(&path) {
                Ok(name) => drop(pins.insert(number, name.trim().to_owned())),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(named("read", &path)(error)),
            }
        }
        Ok(pins)
    }

    fn pin_path(&self, number: u64) -> PathBuf {
        self.path(number).join("pin")
    }
}
