//! What stands and what does not, on a real store.

use super::*;
use crate::{Clock, Lookup, Options, Policy, Record, Sweep};

/// A store with one record, and a file; it is an hour later.
fn place() -> (tempfile::TempDir, Store, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let options = Options {
        clock: Clock::of(|| Clock::system().now_ns() + 3_600_000_000_000),
        ..Options::default()
    };
    let store = Store::open(&dir.path().join("store"), options).unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "old").unwrap();
    save(&store, b"key", b"output");
    (dir, store, file)
}

fn save(store: &Store, key: &[u8], output: &[u8]) {
    let blob = store.put_bytes(output).unwrap();
    let Lookup::Miss(claim) = store.look(Kind::Stage, &Key::of(key)).unwrap() else {
        panic!("it is new")
    };
    claim
        .save_durably(Record {
            blobs: vec![blob],
            ..Record::default()
        })
        .unwrap();
}

/// The standing of the file and the record, through its bytes.
fn standing(store: &Store, file: &Path) -> Standing {
    store.preload().unwrap();
    store.digest_file(file).unwrap();
    let stat = Stat::of(file).unwrap();
    let files = [(file, Some(stat))];
    let made = store.standing(files.into_iter(), &[Key::of(b"key")], &[]);
    let mut bytes = Vec::new();
    made.unwrap().unwrap().write(&mut bytes).unwrap();
    Standing::read(&mut &bytes[..]).unwrap()
}

fn stands(store: &Store, standing: &Standing) -> bool {
    let changed = store.changed(standing).unwrap();
    changed.is_some_and(|changed| changed.is_empty())
}

#[test]
fn what_was_touched_does_not_stand() {
    let (_dir, store, file) = place();
    let before = standing(&store, &file);
    assert!(stands(&store, &before));
    std::fs::write(&file, "new").unwrap();
    assert!(!stands(&store, &before));
}

#[test]
fn a_record_that_another_has_added_meanwhile_leaves_no_standing() {
    let (dir, store, file) = place();
    let before = standing(&store, &file);
    let options = Options::default();
    let other = Store::open(&dir.path().join("store"), options).unwrap();
    save(&other, b"another", b"thing");
    let made = store.standing([].into_iter(), &[Key::of(b"key")], &[]);
    assert!(made.unwrap().is_none());
    let since = store.standing_since(before, &HashMap::new(), &[], &[]);
    assert!(since.unwrap().is_none());
}

#[test]
fn a_file_that_changed_and_what_was_made_of_it_go_into_the_standing() {
    let (_dir, store, file) = place();
    let before = standing(&store, &file);
    std::fs::write(&file, "newer").unwrap();
    assert_eq!(store.changed(&before).unwrap(), Some(vec![file.as_path()]));
    store.digest_file(&file).unwrap();
    save(&store, b"newer key", b"newer output");
    let stat = Stat::of(&file).unwrap();
    let changed = HashMap::from([(file.as_path(), stat)]);
    let keys = [Key::of(b"newer key")];
    let after = store.standing_since(before, &changed, &keys, &[]);
    let after = after.unwrap().unwrap();
    assert!(stands(&store, &after));
    let blob = store.inner.folders.blob(&Digest::of(b"newer output"));
    std::fs::remove_file(&blob).unwrap();
    assert!(!stands(&store, &after));
}

#[test]
fn a_file_of_a_moment_ago_counts_as_changed() {
    let (dir, store, file) = place();
    let before = standing(&store, &file);
    let young = Store::open(&dir.path().join("store"), Options::default()).unwrap();
    std::fs::write(&file, "new").unwrap();
    young.digest_file(&file).unwrap();
    young.preload().unwrap();
    // In the last hour of a day, an hour later is another day.
    let moment = young.inner.moment().unwrap();
    let before = Standing { moment, ..before };
    let changed = HashMap::from([(file.as_path(), Stat::of(&file).unwrap())]);
    let after = young.standing_since(before, &changed, &[], &[]);
    let after = after.unwrap().unwrap();
    assert_eq!(young.changed(&after).unwrap(), Some(vec![file.as_path()]));
}

#[test]
fn what_cannot_be_told_by_a_look_has_no_standing() {
    let (dir, store, file) = place();
    store.preload().unwrap();
    let stat = Stat::of(&file).unwrap();
    let unread = [(file.as_path(), Some(stat))];
    let made = store.standing(unread.into_iter(), &[], &[]).unwrap();
    assert!(made.is_none());
    let folder = Stat::of(dir.path()).unwrap();
    let folder = [(dir.path(), Some(folder))];
    let made = store.standing(folder.into_iter(), &[], &[]).unwrap();
    assert!(made.is_none());
    let nothing = store.standing([].into_iter(), &[Key::of(b"no")], &[]);
    assert!(nothing.unwrap().is_none());
}

#[test]
fn a_blob_that_is_gone_or_cut_does_not_stand() {
    let (_dir, store, file) = place();
    let before = standing(&store, &file);
    let blob = store.inner.folders.blob(&Digest::of(b"output"));
    std::fs::remove_file(&blob).unwrap();
    assert!(!stands(&store, &before));
    std::fs::write(&blob, "out").unwrap();
    assert!(!stands(&store, &before));
    std::fs::write(&blob, "output").unwrap();
    assert!(stands(&store, &before));
}

#[test]
fn another_record_or_one_less_ends_the_standing() {
    let (_dir, store, file) = place();
    let before = standing(&store, &file);
    save(&store, b"another", b"thing");
    assert!(!stands(&store, &before));
    let before = standing(&store, &file);
    let policy = Policy {
        unused_days: Some(0),
        ..Policy::default()
    };
    store.gc(&policy, Sweep::Now).unwrap();
    assert!(!stands(&store, &before));
}

#[test]
fn bytes_that_are_cut_are_no_standing() {
    let (_dir, store, file) = place();
    let mut bytes = Vec::new();
    standing(&store, &file).write(&mut bytes).unwrap();
    for length in 0..bytes.len() {
        let cut = Standing::read(&mut &bytes[..length]);
        assert!(cut.is_none_or(|cut| cut.files.is_empty()), "{length}");
    }
}
