//! What the store costs: opening, looking, putting, saving. `cargo bench -p kyobashi-cache`.
//!
//! The folder is `TMPDIR`'s; the numbers of caching.md are those of a local disk.

#![expect(clippy::unwrap_used, reason = "a bench fails by panicking")]

use std::fs;
use std::path::Path;
use std::sync::mpsc::channel;

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use kyobashi_cache::{Digest, Editable, How, Key, Kind, Lookup, Options, Record, Store};
use tempfile::TempDir;

fn main() {
    divan::main();
}

fn open(dir: &Path) -> Store {
    let options = Options {
        flush_every: None,
        ..Options::default()
    };
    Store::open(&dir.join("store"), options).unwrap()
}

fn key(number: u32) -> Key {
    Key::of(&number.to_le_bytes())
}

/// As long as those of a stage with two inputs and three parameters.
fn record(store: &Store, number: u32) -> Record {
    let blob = store.put_bytes(&number.to_le_bytes()).unwrap();
    Record {
        outputs: format!(r#"{{"out":{{"file":"{blob}","size":4}}}}"#),
        blobs: vec![blob],
        recipe: "x".repeat(600),
        seconds: 0.001,
        note: r#"{"provenance":"live","run":1,"address":"stage-1"}"#.to_owned(),
        ..Record::default()
    }
}

/// A store with so many records, of one small blob each.
fn filled(count: u32) -> TempDir {
    let dir = TempDir::new().unwrap();
    let store = open(dir.path());
    let (tell, told) = channel();
    for number in 0..count {
        let Lookup::Miss(claim) = store.look(Kind::Stage, &key(number)).unwrap() else {
            panic!("not new")
        };
        let tell = tell.clone();
        claim
            .save_then(record(&store, number), move |saved| {
                tell.send(saved).unwrap()
            })
            .unwrap();
    }
    drop(tell);
    told.iter().for_each(|saved| saved.unwrap());
    drop(store);
    dir
}

#[divan::bench]
fn open_an_existing_store(bencher: Bencher) {
    let dir = filled(1);
    bencher.bench(|| open(dir.path()));
}

#[divan::bench]
fn make_a_new_store(bencher: Bencher) {
    bencher
        .with_inputs(|| TempDir::new().unwrap())
        .bench_refs(|dir| open(dir.path()));
}

#[divan::bench(args = [1_000, 10_000], sample_count = 20)]
fn open_and_preload(bencher: Bencher, count: u32) {
    let dir = filled(count);
    bencher.bench(|| {
        let store = open(dir.path());
        store.preload().unwrap();
        store
    });
}

#[divan::bench]
fn look_that_hits_in_memory(bencher: Bencher) {
    let dir = filled(10_000);
    let store = open(dir.path());
    store.preload().unwrap();
    let mut number = 0;
    bencher.counter(ItemsCount::new(1u32)).bench_local(|| {
        number = (number + 1) % 10_000;
        store.look(Kind::Stage, &key(number)).is_ok()
    });
}

#[divan::bench]
fn look_that_misses(bencher: Bencher) {
    let dir = filled(10_000);
    let store = open(dir.path());
    store.preload().unwrap();
    let mut number = 10_000;
    bencher.bench_local(|| {
        number += 1;
        store.look(Kind::Stage, &key(number)).is_ok()
    });
}

/// With fresh content each time, from a file that is written outside the measured time.
#[divan::bench(args = [How::Move, How::Copy])]
fn put_a_small_file(bencher: Bencher, how: How) {
    let dir = TempDir::new().unwrap();
    let store = open(dir.path());
    let mut number = 0u32;
    let file = dir.path().join("file");
    bencher
        .with_inputs(|| {
            number += 1;
            fs::write(&file, number.to_le_bytes()).unwrap();
        })
        .bench_local_values(|()| store.put_file(&file, how).unwrap());
}

#[divan::bench]
fn put_small_bytes(bencher: Bencher) {
    let dir = TempDir::new().unwrap();
    let store = open(dir.path());
    let mut number = 0u32;
    bencher.bench_local(|| {
        number += 1;
        store.put_bytes(&number.to_le_bytes()).unwrap()
    });
}

#[divan::bench]
fn put_bytes_that_are_there(bencher: Bencher) {
    let dir = TempDir::new().unwrap();
    let store = open(dir.path());
    bencher.bench(|| store.put_bytes(black_box(b"the same")).unwrap());
}

#[divan::bench(args = [1 << 26], sample_count = 8)]
fn put_a_large_file(bencher: Bencher, size: usize) {
    let dir = TempDir::new().unwrap();
    let store = open(dir.path());
    let file = dir.path().join("file");
    let mut bytes = vec![7u8; size];
    let mut number = 0u8;
    bencher
        .counter(BytesCount::new(size))
        .with_inputs(|| {
            number += 1;
            bytes[0] = number;
            fs::write(&file, &bytes).unwrap();
        })
        .bench_local_values(|()| store.put_file(&file, How::Move).unwrap());
}

#[divan::bench]
fn claim_and_save_one_by_one(bencher: Bencher) {
    let dir = TempDir::new().unwrap();
    let store = open(dir.path());
    let record = record(&store, 0);
    let mut number = 0;
    bencher.bench_local(|| {
        number += 1;
        let Lookup::Miss(claim) = store.look(Kind::Stage, &key(number)).unwrap() else {
            panic!("not new")
        };
        claim.save(record.clone()).unwrap();
    });
}

#[divan::bench(sample_count = 20)]
fn claim_and_save_a_thousand_without_waiting(bencher: Bencher) {
    let dir = TempDir::new().unwrap();
    let store = open(dir.path());
    let record = record(&store, 0);
    let mut number = 0;
    bencher.counter(ItemsCount::new(1000u32)).bench_local(|| {
        let (tell, told) = channel();
        for _ in 0..1000 {
            number += 1;
            let Lookup::Miss(claim) = store.look(Kind::Stage, &key(number)).unwrap() else {
                panic!("not new")
            };
            let tell = tell.clone();
            claim
                .save_then(record.clone(), move |saved| tell.send(saved).unwrap())
                .unwrap();
        }
        drop(tell);
        told.iter().for_each(|saved| saved.unwrap());
    });
}

#[divan::bench]
fn save_durably(bencher: Bencher) {
    let dir = TempDir::new().unwrap();
    let store = open(dir.path());
    let mut number = 0;
    bencher.bench_local(|| {
        number += 1;
        let Lookup::Miss(claim) = store.look(Kind::Call, &key(number)).unwrap() else {
            panic!("not new")
        };
        claim.save_durably(Record::default()).unwrap();
    });
}

#[divan::bench(sample_count = 5)]
fn flush_after_a_thousand_records(bencher: Bencher) {
    bencher
        .with_inputs(|| {
            let dir = filled(1000);
            let store = open(dir.path());
            store.put_bytes(b"one more").unwrap();
            (dir, store)
        })
        .bench_local_values(|(dir, store)| {
            store.flush().unwrap();
            (dir, store)
        });
}

#[divan::bench]
fn digest_a_file_whose_stat_is_known(bencher: Bencher) {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "x").unwrap();
    let clock = kyobashi_cache::Clock::of(|| i64::MAX / 2);
    let store = Store::open(
        &dir.path().join("store"),
        Options {
            clock,
            ..Options::default()
        },
    );
    let store = store.unwrap();
    assert_eq!(store.digest_file(&file).unwrap(), Digest::of(b"x"));
    bencher.bench(|| store.digest_file(&file).unwrap());
}

#[divan::bench]
fn place_a_small_file(bencher: Bencher) {
    let dir = TempDir::new().unwrap();
    let store = open(dir.path());
    let digest = store.put_bytes(b"small").unwrap();
    let target = dir.path().join("out");
    bencher.bench_local(|| store.place(&digest, &target, Editable::No).unwrap());
}
