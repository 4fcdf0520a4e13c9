//! Promises of the store within one process.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod blobs;
mod guards;
mod power;
mod records;
mod stat;
mod upkeep;

use std::path::Path;

use kyobashi_cache::{Access, Claim, Digest, Key, Kind, Lookup, Options, Record, Store};
use tempfile::TempDir;

pub(crate) fn store() -> (TempDir, Store) {
    let dir = TempDir::new().unwrap();
    let store = open(dir.path());
    (dir, store)
}

/// Without flushes: a power loss is not what these tests are about, and `syncfs` waits for
/// everything that any process writes.
pub(crate) fn open(dir: &Path) -> Store {
    let options = Options {
        flush_every: None,
        ..Options::default()
    };
    Store::open(&dir.join("store"), options).unwrap()
}

pub(crate) fn read_only(dir: &Path) -> Store {
    let options = Options {
        access: Access::Read,
        ..Options::default()
    };
    Store::open(&dir.join("store"), options).unwrap()
}

pub(crate) fn claim(store: &Store, key: &Key) -> Claim {
    match store.look(Kind::Stage, key).unwrap() {
        Lookup::Miss(claim) => claim,
        Lookup::Hit(record) => panic!("a hit: {record:?}"),
        Lookup::Busy(_) => panic!("busy"),
    }
}

pub(crate) fn hit(store: &Store, key: &Key) -> Option<Record> {
    match store.look(Kind::Stage, key).unwrap() {
        Lookup::Hit(record) => Some(record),
        Lookup::Miss(_) => None,
        Lookup::Busy(_) => panic!("busy"),
    }
}

pub(crate) fn record(outputs: &str, blobs: Vec<Digest>) -> Record {
    Record {
        outputs: outputs.to_owned(),
        blobs,
        recipe: "{\"recipe\":1}".to_owned(),
        usd: 0.25,
        seconds: 1.5,
        started_at_ms: 1_700_000_000_000,
        note: "{\"run\":7}".to_owned(),
    }
}
