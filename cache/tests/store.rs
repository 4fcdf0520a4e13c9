//! Promises of the store within one process.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use kyobashi_cache::{
    Access, Claim, Digest, Editable, How, Key, Kind, Lookup, Options, Record, Store, StoreError,
};
use tempfile::TempDir;

fn store() -> (TempDir, Store) {
    let dir = TempDir::new().unwrap();
    let store = open(dir.path());
    (dir, store)
}

/// Without flushes: a power loss is not what these tests are about, and `syncfs` waits for
/// everything that any process writes.
fn open(dir: &Path) -> Store {
    let options = Options {
        flush_every: None,
        ..Options::default()
    };
    Store::open(&dir.join("store"), options).unwrap()
}

fn read_only(dir: &Path) -> Store {
    let options = Options {
        access: Access::Read,
        ..Options::default()
    };
    Store::open(&dir.join("store"), options).unwrap()
}

fn claim(store: &Store, key: &Key) -> Claim {
    match store.look(Kind::Stage, key).unwrap() {
        Lookup::Miss(claim) => claim,
        Lookup::Hit(record) => panic!("a hit: {record:?}"),
        Lookup::Busy(_) => panic!("busy"),
    }
}

fn hit(store: &Store, key: &Key) -> Option<Record> {
    match store.look(Kind::Stage, key).unwrap() {
        Lookup::Hit(record) => Some(record),
        Lookup::Miss(_) => None,
        Lookup::Busy(_) => panic!("busy"),
    }
}

fn record(outputs: &str, blobs: Vec<Digest>) -> Record {
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
    assert_eq!(store.peek(Kind::Stage, &key).unwrap(), Some(lean.clone()));
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
fn a_moved_file_is_gone_and_a_copied_one_stays() {
    let (dir, store) = store();
    let (one, two) = (dir.path().join("one"), dir.path().join("two"));
    fs::write(&one, b"same").unwrap();
    fs::write(&two, b"same").unwrap();
    let copied = store.put_file(&one, How::Copy).unwrap();
    let moved = store.put_file(&two, How::Move).unwrap();
    assert_eq!(copied, moved);
    assert_eq!((copied.digest, copied.size), (Digest::of(b"same"), 4));
    assert!(one.exists() && !two.exists());
    let mode = fs::metadata(store.path_of(&copied.digest)).unwrap().mode();
    assert_eq!(mode & 0o222, 0, "read-only");
}

#[test]
fn a_file_with_a_second_name_cannot_be_changed_in_the_store_through_it() {
    let (dir, store) = store();
    let (one, two) = (dir.path().join("one"), dir.path().join("two"));
    fs::write(&one, b"linked").unwrap();
    fs::hard_link(&one, &two).unwrap();
    let stored = store.put_file(&one, How::Move).unwrap();
    fs::write(&two, b"edited").unwrap();
    assert_eq!(store.read(&stored.digest).unwrap(), b"linked");
}

fn sample_tree(root: &Path) {
    fs::create_dir_all(root.join("sub/deep")).unwrap();
    fs::create_dir(root.join("empty")).unwrap();
    fs::write(root.join("a.txt"), "alpha").unwrap();
    fs::write(root.join("sub/b.txt"), "beta").unwrap();
    fs::write(root.join("sub/deep/run.sh"), "#!/bin/sh\n").unwrap();
    let program = fs::Permissions::from_mode(0o755);
    fs::set_permissions(root.join("sub/deep/run.sh"), program).unwrap();
}

#[test]
fn a_tree_survives_being_stored_and_placed() {
    let (dir, store) = store();
    let root = dir.path().join("tree");
    sample_tree(&root);
    let before = store.digest_tree(&root).unwrap();
    let stored = store.put_tree(&root, How::Copy).unwrap();
    assert_eq!(stored.digest, before);
    assert_eq!(stored.size, 19);
    let placed = dir.path().join("out/placed");
    for editable in [Editable::Yes, Editable::No] {
        store.place(&stored.digest, &placed, editable).unwrap();
        assert_eq!(store.digest_tree(&placed).unwrap(), before);
    }
    assert_eq!(
        store
            .digest_tree(&store.tree_path(&stored.digest).unwrap())
            .unwrap(),
        before
    );
    assert_eq!(store.tree(&stored.digest).unwrap().entries.len(), 4);
    store.put_tree(&root, How::Move).unwrap();
    assert!(!root.exists());
}

#[test]
fn a_tree_with_a_missing_file_makes_its_record_a_miss() {
    let (dir, store) = store();
    let root = dir.path().join("tree");
    sample_tree(&root);
    let key = Key::of(b"a");
    let stored = store.put_tree(&root, How::Copy).unwrap();
    claim(&store, &key)
        .save(record("tree", vec![stored.digest]))
        .unwrap();
    assert!(hit(&store, &key).is_some());
    fs::remove_file(store.path_of(&Digest::of(b"beta"))).unwrap();
    assert!(hit(&store, &key).is_none());
    store.put_tree(&root, How::Copy).unwrap();
    assert!(hit(&store, &key).is_some());
}

#[test]
fn links_and_pipes_in_a_tree_are_refused_by_name() {
    let (dir, store) = store();
    let root = dir.path().join("tree");
    sample_tree(&root);
    symlink("/etc/passwd", root.join("sub/link")).unwrap();
    let error = store.put_tree(&root, How::Move).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("sub/link cannot be stored: it is a symbolic link")
    );
    assert!(root.join("a.txt").exists(), "nothing was moved");
    fs::remove_file(root.join("sub/link")).unwrap();
    nix::unistd::mkfifo(&root.join("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    let error = store.put_tree(&root, How::Move).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("pipe cannot be stored: it is a named pipe"),
        "{error}"
    );
}

#[test]
fn small_or_editable_files_are_placed_as_files_of_their_own() {
    let (dir, store) = store();
    let large = vec![7u8; 1 << 20];
    let (small, large) = (
        store.put_bytes(b"small").unwrap(),
        store.put_bytes(&large).unwrap(),
    );
    let target = dir.path().join("deep/er/out");
    for (digest, editable) in [(small, Editable::No), (large, Editable::Yes)] {
        store.place(&digest, &target, editable).unwrap();
        fs::write(&target, b"edited by hand").unwrap();
        assert_eq!(Digest::of(&store.read(&digest).unwrap()), digest);
    }
    store.place(&large, &target, Editable::No).unwrap();
    assert_eq!(store.digest_file(&target).unwrap(), large);
    store.place(&large, &target, Editable::No).unwrap();
    assert_eq!(
        fs::read_dir(target.parent().unwrap()).unwrap().count(),
        1,
        "no temporary files"
    );
}

#[test]
fn a_damaged_blob_is_never_read_or_placed_and_is_made_again() {
    let (dir, store) = store();
    let digest = store.put_bytes(b"right").unwrap();
    let damage = || {
        let path = store.path_of(&digest);
        fs::remove_file(&path).unwrap();
        fs::write(&path, b"wrong").unwrap();
    };
    damage();
    assert!(matches!(
        store.read(&digest),
        Err(StoreError::Damaged { .. })
    ));
    assert!(matches!(
        store.read(&digest),
        Err(StoreError::Missing { .. })
    ));
    store.put_bytes(b"right").unwrap();
    damage();
    let target = dir.path().join("out");
    fs::write(&target, b"before").unwrap();
    let placed = store.place(&digest, &target, Editable::No);
    assert!(matches!(placed, Err(StoreError::Damaged { .. })));
    assert_eq!(fs::read(&target).unwrap(), b"before");
    assert!(!store.has(&digest));
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
