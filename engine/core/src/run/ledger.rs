//! Calls that were sent and of which nobody knows the end. An intent is written down before a call is sent
//! and crossed out when its reply is stored, so that after a crash it can be said what is perhaps billed.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use kyobashi_stage::{Failure, Price, Request};
use serde::{Deserialize, Serialize};

/// One call that was sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Intent {
    /// The stage run that made it.
    pub address: String,
    pub run: u64,
    pub who: String,
    /// US dollars at most, if that is known.
    pub most_usd: Option<f64>,
    /// Milliseconds since 1970.
    pub at_ms: u64,
}

/// The intents of this process, one file each, in `intents/` of the store.
#[derive(Debug)]
pub(super) struct Ledger {
    dir: PathBuf,
    next: AtomicU64,
}

/// An intent that is not crossed out.
#[derive(Debug)]
pub(super) struct Open(PathBuf);

fn folder(store: &Path) -> PathBuf {
    store.join("intents")
}

/// Where intents of the past are kept: those without an end.
fn past(store: &Path) -> PathBuf {
    folder(store).join("perhaps-billed.jsonl")
}

impl Ledger {
    pub(super) fn new(store: &Path) -> Self {
        Self {
            dir: folder(store),
            next: AtomicU64::new(0),
        }
    }

    /// Writes an intent down, on the disk.
    ///
    /// # Errors
    /// If it cannot be written: then nothing is sent.
    pub(super) fn begin(
        &self,
        request: &Request,
        address: &str,
        run: u64,
        at_ms: u64,
    ) -> Result<Open, Failure> {
        let intent = Intent {
            address: address.to_owned(),
            run,
            who: request.who.clone(),
            most_usd: match request.price {
                Price::Between { most, .. } => Some(most),
                Price::Free => Some(0.0),
                Price::Unknown => None,
            },
            at_ms,
        };
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let path = self
            .dir
            .join(format!("{}-{number}.json", std::process::id()));
        let text = serde_json::to_string(&intent)
            .map_err(|error| Failure::bug(format!("an intent is not JSON: {error}")))?;
        std::fs::create_dir_all(&self.dir)
            .and_then(|()| std::fs::write(&path, text))
            .map_err(|error| {
                Failure::passing(format!("cannot write {}: {error}", path.display()))
            })?;
        Ok(Open(path))
    }
}

impl Open {
    /// Crosses the intent out: its end is known.
    pub(super) fn end(self) {
        // A file that stays is told as perhaps billed, which is the safe side.
        let _ = std::fs::remove_file(self.0);
    }
}

/// Takes the intents of processes that died, and keeps them among those of the past.
///
/// # Errors
/// If the store's folder cannot be read or written.
pub fn sweep(store: &Path) -> std::io::Result<Vec<Intent>> {
    let mut found = Vec::new();
    let entries = match std::fs::read_dir(folder(store)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(found),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let pid = name
            .to_str()
            .and_then(|name| name.split_once('-')?.0.parse::<u32>().ok());
        let dead = pid.is_some_and(|pid| {
            pid != std::process::id() && !Path::new("/proc").join(pid.to_string()).exists()
        });
        if !dead {
            continue;
        }
        let text = std::fs::read_to_string(entry.path())?;
        // A file that was cut off by the crash says nothing, but the call was not sent then either.
        if let Ok(intent) = serde_json::from_str::<Intent>(&text) {
            let line = serde_json::to_string(&intent)? + "\n";
            let mut file = std::fs::OpenOptions::new()
                .create(true)
                .append(true)
                .open(past(store))?;
            std::io::Write::write_all(&mut file, line.as_bytes())?;
            found.push(intent);
        }
        std::fs::remove_file(entry.path())?;
    }
    found.sort_by(|a, b| a.address.cmp(&b.address));
    Ok(found)
}

/// The calls of the past that are perhaps billed.
#[must_use]
pub fn perhaps_billed(store: &Path) -> Vec<Intent> {
    let text = std::fs::read_to_string(past(store)).unwrap_or_default();
    text.lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}
