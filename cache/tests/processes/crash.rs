//! `kill -9` at random moments.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

use kyobashi_cache::{Digest, Fault, Kind, Lookup, Repair, Store};
use tempfile::TempDir;

use crate::child::{self, contents, key};

/// Rounds of two processes each; `KYO_CRASH_ROUNDS` asks for more.
const ROUNDS: u64 = 20;

/// So many rounds share a store: everything in it is read after each of them.
const SHARED: u64 = 10;

pub(crate) fn kills() -> String {
    let rounds = std::env::var("KYO_CRASH_ROUNDS").map_or(ROUNDS, |text| text.parse().unwrap());
    let mut count = 0;
    let mut half_written = 0;
    for first in (0..rounds).step_by(usize::try_from(SHARED).unwrap()) {
        let dir = TempDir::new().unwrap();
        let mut acknowledged = Vec::new();
        let mut next = 0;
        for round in first..rounds.min(first + SHARED) {
            // Two processes that meet at the same keys, killed one after the other.
            let children: Vec<Child> = (0..2)
                .map(|process| start(dir.path(), next, process))
                .collect();
            let random = Digest::of(&round.to_le_bytes());
            let mut saved = Vec::new();
            for (child, random) in children.into_iter().zip(random.as_bytes().chunks(3)) {
                saved.extend(kill(child, random));
            }
            let store = child::reopen(dir.path());
            half_written += check(&store, &saved);
            next = saved.iter().max().map_or(next, |last| last + 1);
            acknowledged.extend(saved);
        }
        let store = child::reopen(dir.path());
        check(&store, &acknowledged);
        for item in 0..next {
            let made = store.history(Kind::Stage, &key(item)).unwrap().len();
            assert!(made <= 1, "record {item} was made {made} times");
        }
        count += acknowledged.len();
    }
    assert!(count > 0, "nothing was ever saved");
    format!(
        "ok: {} kills, {count} records acknowledged, 0 lost, 0 made twice, \
         {half_written} left-overs removed",
        rounds * 2
    )
}

fn start(dir: &Path, first: u64, process: u64) -> Child {
    let dir = dir.to_str().unwrap();
    child::command(&["write", dir, &first.to_string(), &process.to_string()])
        .spawn()
        .unwrap()
}

/// Kills the child at a moment that `random` decides, and gives the records it had acknowledged.
fn kill(mut child: Child, random: &[u8]) -> Vec<u64> {
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut saved: Vec<u64> = Vec::new();
    // One in eight is killed while it opens the store.
    let wanted = if random[0] < 32 {
        0
    } else {
        usize::from(random[1])
    };
    while saved.len() < wanted {
        let line = lines.next().expect("the child died by itself").unwrap();
        saved.push(line.parse().unwrap());
    }
    // The child runs on meanwhile; at most 2.55 ms, so that no two kills meet it at one place.
    let end = Instant::now() + Duration::from_micros(u64::from(random[2]) * 10);
    while Instant::now() < end {
        std::hint::spin_loop();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // A last line without its end was not said.
    for line in lines {
        saved.push(line.unwrap().parse().unwrap());
    }
    saved
}

/// Checks the records, and all that is in the store; gives the number of half-written files.
fn check(store: &Store, saved: &[u64]) -> usize {
    for item in saved {
        let Lookup::Hit(record) = store.look(Kind::Stage, &key(*item)).unwrap() else {
            panic!("record {item} was acknowledged and is lost");
        };
        assert_eq!(record.outputs, item.to_string());
        for (digest, bytes) in record.blobs.iter().zip(contents(*item)) {
            assert_eq!(store.read(digest).unwrap(), bytes);
        }
    }
    let found = store.verify(Repair::Yes, &|_| {}).unwrap();
    for fault in &found.faults {
        assert!(matches!(fault, Fault::Unfinished { .. }), "{fault:?}");
    }
    found.faults.len()
}
