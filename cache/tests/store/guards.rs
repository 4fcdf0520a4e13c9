//! Promises about what a store refuses to touch, and about the names of runs.

use std::collections::BTreeSet;
use std::fs;
use std::sync::atomic::Ordering;

use kyobashi_cache::{Access, Options, Policy, Store, StoreError, Sweep};

use crate::upkeep::{DAY, Space};

fn refused(space: &Space, access: Access) -> StoreError {
    let options = Options {
        access,
        ..Options::default()
    };
    Store::open(&space.path(), options).err().unwrap()
}

#[test]
fn a_store_of_a_newer_version_is_refused_and_not_touched() {
    let space = Space::new();
    drop(space.open());
    fs::write(space.path().join("version"), "kyobashi store 2\n").unwrap();
    for access in [Access::Write, Access::Read] {
        let error = refused(&space, access);
        assert!(
            matches!(error, StoreError::Version { newer: true, .. }),
            "{error}"
        );
        assert!(error.to_string().contains("newer kyo"), "{error}");
        assert!(error.help().unwrap().contains("update kyo"));
    }
    fs::write(space.path().join("version"), "something else\n").unwrap();
    let error = refused(&space, Access::Write);
    assert!(
        matches!(error, StoreError::Version { newer: false, .. }),
        "{error}"
    );
    assert_eq!(
        fs::read_to_string(space.path().join("version")).unwrap(),
        "something else\n"
    );
}

#[test]
fn tables_of_a_newer_version_are_refused_although_the_version_file_is_ours() {
    let space = Space::new();
    drop(space.open());
    let index = space.path().join("index.sqlite");
    let connection = rusqlite::Connection::open(&index).unwrap();
    connection.pragma_update(None, "user_version", 7).unwrap();
    drop(connection);
    for access in [Access::Write, Access::Read] {
        let error = refused(&space, access);
        assert!(
            matches!(error, StoreError::Version { newer: true, .. }),
            "{error}"
        );
        assert!(error.to_string().contains("tables 7"), "{error}");
    }
}

#[test]
fn a_clock_that_jumps_makes_a_collection_take_nothing_that_is_young() {
    for jump in [-400 * DAY, 400 * DAY] {
        let space = Space::new();
        let store = space.open();
        let young = store.put_bytes(b"young").unwrap();
        let kept = store.put_bytes(b"kept").unwrap();
        space.ahead.fetch_add(jump, Ordering::SeqCst);
        // The process that put them lives: they are spared, whatever the clock says now.
        let policy = Policy {
            keep_blobs: BTreeSet::from([kept]),
            ..Policy::default()
        };
        let swept = store.gc(&policy, Sweep::Now).unwrap();
        assert_eq!((swept.blobs, store.has(&young)), (0, true), "{jump}");
    }
}

#[test]
fn blobs_and_trees_that_a_kept_run_names_stay_without_a_record() {
    let space = Space::new();
    let store = space.open();
    let root = space.dir.path().join("tree");
    fs::create_dir(&root).unwrap();
    fs::write(root.join("a"), "inside").unwrap();
    let tree = store
        .put_tree(&root, kyobashi_cache::How::Copy)
        .unwrap()
        .digest;
    let text = store.put_bytes(b"text").unwrap();
    let other = store.put_bytes(b"other").unwrap();
    store.flush().unwrap();
    drop(store);
    space.ahead.fetch_add(DAY, Ordering::SeqCst);
    let store = space.open();
    let policy = Policy {
        keep_blobs: BTreeSet::from([tree, text]),
        ..Policy::default()
    };
    store.gc(&policy, Sweep::Now).unwrap();
    assert_eq!(store.read(&text).unwrap(), b"text");
    assert!(store.tree_path(&tree).unwrap().join("a").exists());
    assert!(!store.path_of(&other).exists());
}

#[test]
fn a_run_is_alive_while_its_log_is_open_and_keeps_its_name() {
    let space = Space::new();
    let store = space.open();
    let runs = store.runs();
    let run = runs.new_run().unwrap();
    assert!(runs.is_live(run.number));
    runs.pin(run.number, "submitted").unwrap();
    drop(run.events);
    assert!(!runs.is_live(run.number));
    assert_eq!(
        runs.pins().unwrap().get(&run.number).map(String::as_str),
        Some("submitted")
    );
    assert!(runs.unpin(run.number).unwrap() && !runs.unpin(run.number).unwrap());
}
