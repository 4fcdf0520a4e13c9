//! Promises of the store after a power loss: what a disk may look like then is made by hand.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use kyobashi_cache::{Digest, Key, Kind, Options, Record, Store};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::upkeep::damage;
use crate::{claim, hit};

fn open(path: &Path) -> Store {
    let options = Options {
        flush_every: None,
        ..Options::default()
    };
    Store::open(path, options).unwrap()
}

/// Says that what wrote the store ran before the machine went down.
fn another_boot(path: &Path) {
    let index = Connection::open(path.join("index.sqlite")).unwrap();
    let changed = index
        .execute("UPDATE session SET boot = 'another'", [])
        .unwrap();
    assert!(changed > 0, "a process that writes has a session");
}

fn save(store: &Store, number: u64, contents: &[Vec<u8>]) -> Vec<PathBuf> {
    let key = Key::of(&number.to_le_bytes());
    let claim = claim(store, &key);
    let blobs: Vec<Digest> = contents
        .iter()
        .map(|bytes| store.put_bytes(bytes).unwrap())
        .collect();
    let paths = blobs.iter().map(|digest| store.path_of(digest)).collect();
    let outputs = number.to_string();
    claim
        .save(Record {
            outputs,
            blobs,
            ..Record::default()
        })
        .unwrap();
    paths
}

fn is_hit(store: &Store, number: u64) -> bool {
    hit(store, &Key::of(&number.to_le_bytes())).is_some()
}

#[test]
fn unflushed_blobs_are_checked_before_anything_is_used() {
    let dir = TempDir::new().unwrap();
    let store = open(dir.path());
    save(&store, 0, &[b"on the disk".to_vec()]);
    store.flush().unwrap();
    let lost = save(&store, 1, &[b"never reached it".to_vec()]);
    save(&store, 2, &[b"reached it".to_vec()]);
    let orphan = store.put_bytes(b"no record names this").unwrap();
    damage(&lost[0]);
    damage(&store.path_of(&orphan));
    drop(store);
    another_boot(dir.path());
    let store = open(dir.path());
    assert!(is_hit(&store, 0) && !is_hit(&store, 1) && is_hit(&store, 2));
    assert!(!store.has(&orphan));
    drop(store);
    let index = Connection::open(dir.path().join("index.sqlite")).unwrap();
    let doubts = "SELECT count(*) FROM session WHERE boot = 'another'";
    let left: i64 = index.query_row(doubts, [], |row| row.get(0)).unwrap();
    assert_eq!(left, 0, "the doubt is settled once");
}

#[test]
fn what_was_flushed_is_not_read_again() {
    let dir = TempDir::new().unwrap();
    let store = open(dir.path());
    let paths = save(&store, 0, &[b"on the disk".to_vec()]);
    store.flush().unwrap();
    store.put_bytes(b"so that the session goes on").unwrap();
    damage(&paths[0]);
    drop(store);
    another_boot(dir.path());
    // That it still passes shows that it was not read: a flipped bit is for verify to find.
    assert!(is_hit(&open(dir.path()), 0));
}

/// A power loss keeps some beginning of the index's log, and of each unflushed blob nothing, its
/// beginning, or zeros.
#[test]
fn at_whatever_moment_the_power_goes_nothing_flushed_is_lost_and_nothing_wrong_is_read() {
    let mut hits = 0;
    for round in 0..60u64 {
        let random = Digest::of(&round.to_le_bytes());
        let random = |at: usize| u64::from(random.as_bytes()[at % 32]);
        let dir = TempDir::new().unwrap();
        let (before, after) = (dir.path().join("before"), dir.path().join("after"));
        let contents = |number: u64| -> Vec<Vec<u8>> {
            (0..=number % 3)
                .map(|part| vec![(number * 3 + part) as u8; 5000])
                .collect()
        };
        let store = open(&before);
        let flushed = random(0) % 8;
        for number in 0..flushed {
            save(&store, number, &contents(number));
        }
        // The first write of a session reaches the disk by itself.
        store.put_bytes(b"something").unwrap();
        store.flush().unwrap();
        let log = "index.sqlite-wal";
        let kept = fs::metadata(before.join(log)).unwrap().len();
        let mut young = Vec::new();
        for number in flushed..flushed + 8 {
            young.extend(save(&store, number, &contents(number)));
        }
        // The store is still open: this is the moment.
        copy(&before, &after);
        drop(store);
        let whole = fs::metadata(after.join(log)).unwrap().len();
        let length = kept + whole.saturating_sub(kept) * random(1) / 255;
        File::options()
            .write(true)
            .open(after.join(log))
            .unwrap()
            .set_len(length)
            .unwrap();
        // The memory that processes share is gone with the power.
        fs::remove_file(after.join("index.sqlite-shm")).unwrap();
        for (at, path) in young.iter().enumerate() {
            let path = after.join(path.strip_prefix(&before).unwrap());
            let bytes = fs::read(&path).unwrap();
            fs::remove_file(&path).unwrap();
            match random(at + 2) % 5 {
                0 => {}
                1 => fs::write(&path, b"").unwrap(),
                2 => fs::write(&path, &bytes[..4096]).unwrap(),
                3 => fs::write(&path, vec![0; bytes.len()]).unwrap(),
                _ => fs::write(&path, &bytes).unwrap(),
            }
        }
        another_boot(&after);
        let store = open(&after);
        for number in 0..flushed + 8 {
            let key = Key::of(&number.to_le_bytes());
            let found = store.peek(Kind::Stage, &key).unwrap();
            assert!(
                found.is_some() || number >= flushed,
                "round {round}: {number} is lost"
            );
            let Some(found) = found else { continue };
            hits += usize::from(number >= flushed);
            for (digest, bytes) in found.blobs.iter().zip(contents(number)) {
                assert_eq!(store.read(digest).unwrap(), bytes);
            }
        }
        // And what was lost is made again, over whatever lay there.
        for number in (0..flushed + 8).filter(|number| !is_hit(&store, *number)) {
            save(&store, number, &contents(number));
        }
        let found = store.verify(kyobashi_cache::Repair::No, &|_| {}).unwrap();
        let wrong =
            |fault: &kyobashi_cache::Fault| matches!(fault, kyobashi_cache::Fault::Damaged { .. });
        assert!(
            !found.faults.iter().any(wrong),
            "round {round}: {:?}",
            found.faults
        );
    }
    assert!(
        hits > 0,
        "some unflushed records are there by luck, or the test shows nothing"
    );
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).unwrap();
        }
    }
}
