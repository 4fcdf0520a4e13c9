//! Records, claims, runs, and who may write.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use kyobashi_cache::{
    Digest, Editable, How, Key, Kind, Lookup, Options, Record, Store, StoreError,
};
use tempfile::TempDir;

use crate::{claim, hit, open, read_only, record, store};

#[test]
fn what_is_saved_is_found_again_also_after_reopening() {
    let (dir, store) = store();
    let key = Key::of(b"a");
    let blob = store.put_bytes(b"content").unwrap();
    let saved = record("{}", vec![blob]);
    assert_eq!(store.peek(Kind::Stage, &key).unwrap(), None);
    claim(&store, &key).save(saved.clone()).unwrap();
    let lean = Record {
        recipe: String::new(),
        ..saved.clone()
    };
    assert_eq!(hit(&store, &key), Some(lean.clone()));
    assert_eq!(
        store.peek(Kind::Call, &key).unwrap(),
        None,
        "kinds are apart"
    );
    drop(store);
    let store = open(dir.path());
    assert_eq!(
        store.peek(Kind::Stage, &key).unwrap(),
        Some(lean.clone().into())
    );
    store.preload().unwrap();
    assert_eq!(hit(&store, &key), Some(lean));
    assert_eq!(store.history(Kind::Stage, &key).unwrap()[0].record, saved);
    assert_eq!(store.read(&blob).unwrap(), b"content");
}

#[test]
fn a_dropped_claim_saves_nothing_and_frees_the_key() {
    let (_dir, store) = store();
    let key = Key::of(b"a");
    drop(claim(&store, &key));
    claim(&store, &key).save(record("1", vec![])).unwrap();
    assert_eq!(hit(&store, &key).unwrap().outputs, "1");
}

#[test]
fn a_missing_or_shortened_blob_is_a_miss_and_an_older_complete_record_wins() {
    let (_dir, store) = store();
    let key = Key::of(b"a");
    let old = store.put_bytes(b"old").unwrap();
    let new = store.put_bytes(b"new").unwrap();
    claim(&store, &key).save(record("old", vec![old])).unwrap();
    let Lookup::Miss(again) = store.claim(Kind::Stage, &key).unwrap() else {
        panic!("not free")
    };
    again.save(record("new", vec![new])).unwrap();
    assert_eq!(hit(&store, &key).unwrap().outputs, "new");
    fs::remove_file(store.path_of(&new)).unwrap();
    assert_eq!(hit(&store, &key).unwrap().outputs, "old");
    fs::remove_file(store.path_of(&old)).unwrap();
    fs::write(store.path_of(&old), "ol").unwrap();
    assert_eq!(hit(&store, &key), None);
    assert_eq!(
        store.put_bytes(b"old").unwrap(),
        old,
        "the damaged blob is made again"
    );
    assert_eq!(hit(&store, &key).unwrap().outputs, "old");
}

#[test]
fn a_record_that_names_what_is_not_stored_is_refused() {
    let (_dir, store) = store();
    let key = Key::of(b"a");
    let absent = Digest::of(b"absent");
    let error = claim(&store, &key)
        .save(record("", vec![absent]))
        .unwrap_err();
    assert!(
        matches!(error, StoreError::Missing { digest, .. } if digest == absent),
        "{error}"
    );
    assert_eq!(hit(&store, &key), None);
}

#[test]
fn of_many_threads_that_want_one_key_exactly_one_makes_it() {
    let (_dir, store) = store();
    let key = Key::of(b"a");
    let made = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                loop {
                    match store.look(Kind::Stage, &key).unwrap() {
                        Lookup::Hit(found) => break assert_eq!(found.outputs, "once"),
                        Lookup::Miss(claim) => {
                            made.fetch_add(1, Ordering::SeqCst);
                            claim.save(record("once", vec![])).unwrap();
                        }
                        Lookup::Busy(waiter) => waiter.wait().unwrap(),
                    }
                }
            });
        }
    });
    assert_eq!(made.load(Ordering::SeqCst), 1);
}

#[test]
fn an_impatient_waiter_gives_up_and_a_patient_one_is_told() {
    let (_dir, store) = store();
    let key = Key::of(b"a");
    let held = claim(&store, &key);
    let Lookup::Busy(waiter) = store.look(Kind::Stage, &key).unwrap() else {
        panic!("not busy")
    };
    assert!(!waiter.released().unwrap());
    assert!(!waiter.wait_while(|| false).unwrap());
    let Lookup::Busy(waiter) = store.look(Kind::Stage, &key).unwrap() else {
        panic!("not busy")
    };
    drop(held);
    assert!(waiter.wait_while(|| false).unwrap());
}

#[test]
fn records_that_nobody_waits_for_are_committed_in_order_and_reported() {
    let (_dir, store) = store();
    let (tell, told) = std::sync::mpsc::channel();
    for number in 0..50u32 {
        let tell = tell.clone();
        let key = Key::of(&number.to_le_bytes());
        claim(&store, &key)
            .save_then(record(&number.to_string(), vec![]), move |result| {
                tell.send((number, result.is_ok())).unwrap();
            })
            .unwrap();
    }
    drop(tell);
    assert_eq!(
        told.iter().collect::<Vec<_>>(),
        (0..50).map(|n| (n, true)).collect::<Vec<_>>()
    );
}

#[test]
fn the_last_clone_may_go_away_while_records_are_queued() {
    let (dir, store) = store();
    let key = Key::of(b"a");
    let clone = store.clone();
    claim(&store, &key)
        .save_then(record("kept", vec![]), move |_| drop(clone))
        .unwrap();
    drop(store);
    let store = open(dir.path());
    if let Lookup::Busy(waiter) = store.look(Kind::Stage, &key).unwrap() {
        waiter.wait().unwrap();
    }
    assert_eq!(hit(&store, &key).unwrap().outputs, "kept");
}

#[test]
fn a_read_only_store_answers_hits_and_refuses_everything_else_with_a_remedy() {
    let (dir, store) = store();
    let key = Key::of(b"a");
    let blob = store.put_bytes(b"blob").unwrap();
    claim(&store, &key)
        .save(record("kept", vec![blob]))
        .unwrap();
    let reader = read_only(dir.path());
    assert_eq!(hit(&reader, &key).unwrap().outputs, "kept");
    reader
        .place(&blob, &dir.path().join("out"), Editable::No)
        .unwrap();
    let errors = [
        reader.look(Kind::Stage, &Key::of(b"other")).err(),
        reader.claim(Kind::Stage, &key).err(),
        reader.put_bytes(b"new").err(),
        reader.put_file(&dir.path().join("out"), How::Copy).err(),
    ];
    for error in errors {
        let error = error.unwrap();
        assert!(matches!(error, StoreError::ReadOnly { .. }), "{error}");
        assert!(error.help().is_some());
    }
}

#[test]
fn a_folder_of_another_version_is_refused() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("version"), "kyobashi store 999\n").unwrap();
    let error = Store::open(dir.path(), Options::default()).err().unwrap();
    assert!(error.to_string().contains("kyobashi store 999"), "{error}");
}

#[test]
fn runs_are_numbered_and_no_two_processes_get_the_same() {
    let (_dir, store) = store();
    let numbers: Vec<u64> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| store.runs().new_run().unwrap().number))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    assert_eq!(store.runs().list().unwrap(), (1..=8).collect::<Vec<_>>());
    assert_eq!(
        numbers
            .iter()
            .collect::<std::collections::BTreeSet<_>>()
            .len(),
        8
    );
    assert_eq!(store.runs().last().unwrap(), Some(8));
}

#[test]
fn a_flush_reports_success_and_ends_the_session_at_close() {
    let (dir, store) = store();
    store.put_bytes(b"x").unwrap();
    store.flush().unwrap();
    drop(store);
    let options = Options {
        flush_every: Some(Duration::from_millis(1)),
        ..Options::default()
    };
    let path = dir.path().join("store");
    let store = Store::open(&path, options).unwrap();
    claim(&store, &Key::of(b"k"))
        .save_durably(record("paid", vec![]))
        .unwrap();
    drop(store);
    assert_eq!(
        fs::read_dir(path.join("tmp")).unwrap().count(),
        0,
        "sessions are over"
    );
}
