//! Places for attempts: an empty folder to work in, and a file for the log. What an attempt leaves empty
//! is given to the next one, because a new file costs more than a short script.

use std::fs::{self, File};
use std::io::Seek;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use kyobashi_stage::Failure;

use crate::exec::prepare::PLACED;

/// The places of one run.
pub(super) struct Slots {
    folder: PathBuf,
    free: Mutex<Vec<Slot>>,
    made: AtomicU32,
}

/// A place for one attempt at a time.
pub(super) struct Slot {
    /// An empty folder.
    pub(super) scratch: PathBuf,
    log: PathBuf,
    /// The log, open for appending.
    file: File,
}

impl Slots {
    pub(super) fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            free: Mutex::default(),
            made: AtomicU32::new(0),
        }
    }

    /// A place that nobody has.
    ///
    /// # Errors
    /// When the folder or the log cannot be made.
    pub(super) fn take(&self) -> Result<Slot, Failure> {
        if let Some(slot) = self.free.lock().ok().and_then(|mut free| free.pop()) {
            return Ok(slot);
        }
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let scratch = self.folder.join(number.to_string());
        let log = self.folder.join(format!("{number}.log"));
        let wrong = |path: &Path, error: &std::io::Error| {
            Failure::passing(format!("cannot make {}: {error}", path.display()))
        };
        fs::create_dir_all(&scratch).map_err(|error| wrong(&scratch, &error))?;
        let file = File::options()
            .create_new(true)
            .read(true)
            .append(true)
            .open(&log)
            .map_err(|error| wrong(&log, &error))?;
        Ok(Slot { scratch, log, file })
    }

    /// Takes a place back. A log that has something in it is moved to `keep`, and the new path given.
    pub(super) fn give_back(&self, mut slot: Slot, keep: &Path) -> Option<PathBuf> {
        let written = slot.file.metadata().map_or(0, |log| log.len());
        let kept = (written > 0).then(|| {
            let folder = keep.parent().unwrap_or(keep);
            let moved = fs::create_dir_all(folder).and_then(|()| fs::rename(&slot.log, keep));
            moved.is_ok().then(|| keep.to_owned())
        });
        let reusable = written == 0 && slot.file.rewind().is_ok() && emptied(&slot.scratch);
        if reusable {
            if let Ok(mut free) = self.free.lock() {
                free.push(slot);
            }
        } else {
            // A leftover is swept at the next start.
            let _ = fs::remove_dir_all(&slot.scratch);
            let _ = fs::remove_file(&slot.log);
        }
        kept.flatten()
    }
}

impl Slot {
    /// The log, for a job to write to.
    pub(super) fn log(&self) -> std::io::Result<File> {
        self.file.try_clone()
    }
}

/// Whether nothing is left there once the inputs that were placed for the attempt are removed. What it
/// left itself is not looked through: that folder goes as a whole.
fn emptied(folder: &Path) -> bool {
    let Ok(entries) = fs::read_dir(folder) else {
        return false;
    };
    for entry in entries {
        let placed = |entry: &fs::DirEntry| {
            let name = entry.file_name();
            name.as_encoded_bytes().starts_with(PLACED.as_bytes())
        };
        let removed = entry.is_ok_and(|entry| {
            placed(&entry)
                && entry.file_type().is_ok_and(|kind| kind.is_file())
                && fs::remove_file(entry.path()).is_ok()
        });
        if !removed {
            return false;
        }
    }
    true
}

/// The name of a log: the address, in characters that every file system and shell takes.
pub(super) fn log_name(address: &str, node: usize, tries: u32) -> String {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '=' | ',');
    let mut name: String = address
        .chars()
        .map(|c| if plain(c) { c } else { '.' })
        .take(80)
        .collect();
    if tries > 1 {
        name.push_str(&format!(".try{tries}"));
    }
    format!("{node}-{name}.log")
}
