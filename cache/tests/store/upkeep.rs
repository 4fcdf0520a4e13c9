//! Promises of verify, gc and stats.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use kyobashi_cache::{
    Clock, Digest, Fault, How, Key, Kind, Lookup, Options, Policy, Record, Repair, Store,
    StoreError, Sweep,
};
use tempfile::TempDir;

pub(crate) const DAY: i64 = 24 * 3600 * 1_000_000_000;

/// A store whose clock the test moves, starting at the real time.
pub(crate) struct Space {
    pub(crate) dir: TempDir,
    pub(crate) ahead: Arc<AtomicI64>,
}

impl Space {
    pub(crate) fn new() -> Space {
        Space {
            dir: TempDir::new().unwrap(),
            ahead: Arc::default(),
        }
    }

    pub(crate) fn open(&self) -> Store {
        let ahead = Arc::clone(&self.ahead);
        let system = Clock::system();
        let options = Options {
            flush_every: None,
            clock: Clock::of(move || system.now_ns() + ahead.load(Ordering::SeqCst)),
            ..Options::default()
        };
        Store::open(&self.path(), options).unwrap()
    }

    pub(crate) fn path(&self) -> std::path::PathBuf {
        self.dir.path().join("store")
    }
}

fn save(store: &Store, name: &str, seconds: f64, contents: &[&[u8]]) -> Key {
    let key = Key::of(name.as_bytes());
    let Lookup::Miss(claim) = store.look(Kind::Stage, &key).unwrap() else {
        panic!("no miss")
    };
    let blobs = contents
        .iter()
        .map(|bytes| store.put_bytes(bytes).unwrap())
        .collect();
    let outputs = name.to_owned();
    claim
        .save(Record {
            outputs,
            blobs,
            seconds,
            usd: 0.5,
            ..Record::default()
        })
        .unwrap();
    key
}

fn is_hit(store: &Store, key: &Key) -> bool {
    store.peek(Kind::Stage, key).unwrap().is_some()
}

/// Writes over a blob as a bad disk would: same name, same size.
pub(crate) fn damage(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    bytes[0] ^= 1;
    fs::remove_file(path).unwrap();
    fs::write(path, bytes).unwrap();
}

#[test]
fn verify_finds_each_flipped_bit_missing_blob_and_half_written_file_and_repairs_them() {
    let space = Space::new();
    let store = space.open();
    let good = save(&store, "good", 1.0, &[b"good"]);
    let flipped = save(&store, "flipped", 1.0, &[b"flipped", b"shared"]);
    let missing = save(&store, "missing", 1.0, &[b"missing", b"shared"]);
    damage(&store.path_of(&Digest::of(b"flipped")));
    fs::remove_file(store.path_of(&Digest::of(b"missing"))).unwrap();
    let half = space.path().join("tmp/00000000deadbeef");
    fs::create_dir(&half).unwrap();
    fs::write(half.join("0"), b"hal").unwrap();
    let stray = space.path().join("objects/README");
    fs::write(&stray, b"not ours").unwrap();

    let read = AtomicU64::new(0);
    let seen = |bytes| {
        read.fetch_add(bytes, Ordering::SeqCst);
    };
    let found = store.verify(Repair::No, &seen).unwrap();
    assert_eq!(read.into_inner(), found.bytes);
    let incomplete = |key: &Key, blob: &[u8]| {
        let row = store.history(Kind::Stage, key).unwrap()[0].id;
        Fault::Incomplete {
            kind: Kind::Stage,
            key: *key,
            row,
            blobs: vec![Digest::of(blob)],
            note: String::new(),
        }
    };
    let digest = Digest::of(b"flipped");
    let expected = [
        Fault::Damaged {
            digest,
            path: store.path_of(&digest),
        },
        incomplete(&flipped, b"flipped"),
        incomplete(&missing, b"missing"),
        Fault::Unfinished { path: half.clone() },
        Fault::Stray {
            path: stray.clone(),
        },
    ];
    assert_eq!(found.faults, expected);
    assert!(
        is_hit(&store, &flipped),
        "only listed: a size alone does not show a flipped bit"
    );

    store.verify(Repair::Yes, &|_| {}).unwrap();
    let left = store.verify(Repair::No, &|_| {}).unwrap();
    assert_eq!(left.faults, [Fault::Stray { path: stray }]);
    assert!(is_hit(&store, &good) && !is_hit(&store, &flipped) && !is_hit(&store, &missing));
    assert!(!half.exists());
    save(&store, "flipped", 1.0, &[b"flipped", b"shared"]);
    assert!(is_hit(&store, &flipped), "made again");
}

#[test]
fn verify_finds_a_damaged_file_and_manifest_of_a_tree_and_an_edited_visible_copy() {
    let space = Space::new();
    let store = space.open();
    let root = space.dir.path().join("tree");
    fs::create_dir(&root).unwrap();
    fs::write(root.join("a"), "alpha").unwrap();
    let tree = store.put_tree(&root, How::Copy).unwrap().digest;
    let key = Key::of(b"tree");
    let Lookup::Miss(claim) = store.look(Kind::Stage, &key).unwrap() else {
        panic!("no miss")
    };
    claim
        .save(Record {
            blobs: vec![tree],
            ..Record::default()
        })
        .unwrap();
    let visible = store.tree_path(&tree).unwrap();
    assert_eq!(store.verify(Repair::No, &|_| {}).unwrap().faults, []);

    fs::remove_file(visible.join("a")).unwrap();
    let found = store.verify(Repair::Yes, &|_| {}).unwrap();
    assert_eq!(found.faults, [Fault::Tree { path: visible }]);
    assert_eq!(
        fs::read(store.tree_path(&tree).unwrap().join("a")).unwrap(),
        b"alpha"
    );

    damage(&store.path_of(&Digest::of(b"alpha")));
    let found = store.verify(Repair::Yes, &|_| {}).unwrap();
    let kinds = |fault: &Fault| match fault {
        Fault::Damaged { .. } => "damaged",
        Fault::Incomplete { .. } => "incomplete",
        Fault::Tree { .. } => "tree",
        _ => "other",
    };
    // The visible copy still holds the good bytes under a name of its own.
    assert_eq!(
        found.faults.iter().map(kinds).collect::<Vec<_>>(),
        ["damaged", "incomplete"]
    );
    assert!(!is_hit(&store, &key));

    store.put_tree(&root, How::Copy).unwrap();
    let mut manifest = store.path_of(&tree).into_os_string();
    manifest.push(".tree");
    damage(Path::new(&manifest));
    let found = store.verify(Repair::Yes, &|_| {}).unwrap();
    assert!(
        found.faults.iter().any(|fault| kinds(fault) == "damaged"),
        "{:?}",
        found.faults
    );
    assert!(store.tree(&tree).is_err());
}

#[test]
fn gc_drops_what_was_not_used_for_long_and_keeps_roots_and_what_they_share() {
    let space = Space::new();
    let store = space.open();
    let old = save(&store, "old", 60.0, &[b"only old", b"shared"]);
    let kept = save(&store, "kept", 1.0, &[b"kept"]);
    let used = save(&store, "used", 1.0, &[b"used"]);
    drop(store);
    space.ahead.fetch_add(40 * DAY, Ordering::SeqCst);
    let store = space.open();
    let new = save(&store, "new", 1.0, &[b"shared"]);
    assert!(is_hit(&store, &used), "and with it marked as used today");
    store.flush().unwrap();

    let keep = BTreeSet::from([(Kind::Stage, kept)]);
    let policy = Policy {
        keep,
        unused_days: Some(30),
        ..Policy::default()
    };
    let dry = store.gc(&policy, Sweep::Dry).unwrap();
    assert_eq!(
        (dry.stages.records, dry.stages.seconds, dry.stages.usd),
        (1, 60.0, 0.5)
    );
    assert_eq!((dry.blobs, dry.bytes, dry.kept_records), (1, 8, 3));
    assert!(is_hit(&store, &old), "a dry run drops nothing");
    assert_eq!(store.gc(&policy, Sweep::Now).unwrap(), dry);
    assert!(!is_hit(&store, &old) && !store.has(&Digest::of(b"only old")));
    for key in [&kept, &used, &new] {
        assert!(is_hit(&store, key));
    }
    let after = store.gc(&policy, Sweep::Now).unwrap();
    assert_eq!(
        (after.stages.records, after.blobs),
        (0, 0),
        "a second collection finds nothing"
    );
}

#[test]
fn gc_by_size_drops_the_cheapest_bytes_of_the_least_recently_used_day() {
    let space = Space::new();
    let store = space.open();
    let dear = save(&store, "dear", 1000.0, &[&[1; 1000]]);
    let cheap = save(&store, "cheap", 1.0, &[&[2; 1000]]);
    drop(store);
    space.ahead.fetch_add(2 * DAY, Ordering::SeqCst);
    let store = space.open();
    let recent = save(&store, "recent", 0.0, &[&[3; 1000]]);
    let bound = |most| Policy {
        max_bytes: Some(most),
        ..Policy::default()
    };
    store.gc(&bound(2500), Sweep::Now).unwrap();
    assert!(is_hit(&store, &dear) && !is_hit(&store, &cheap) && is_hit(&store, &recent));
    store.gc(&bound(1500), Sweep::Now).unwrap();
    assert!(!is_hit(&store, &dear) && is_hit(&store, &recent));
    assert!(store.stats().unwrap().bytes <= 1500);
}

#[test]
fn gc_spares_what_a_run_has_just_put_or_asked_for_also_inside_trees() {
    let space = Space::new();
    let store = space.open();
    let root = space.dir.path().join("tree");
    fs::create_dir(&root).unwrap();
    fs::write(root.join("a"), "inside").unwrap();
    let tree = store.put_tree(&root, How::Copy).unwrap().digest;
    let asked = store.put_bytes(b"asked").unwrap();
    let forgotten = store.put_bytes(b"forgotten").unwrap();
    drop(store);
    age(&space.path().join("objects"), Duration::from_secs(7200));
    let store = space.open();
    assert!(store.has(&tree) && store.has(&asked));
    let fresh = store.put_bytes(b"fresh").unwrap();
    let swept = store.gc(&Policy::default(), Sweep::Now).unwrap();
    assert_eq!((swept.blobs, swept.bytes), (1, 9));
    assert!(!store.path_of(&forgotten).exists());
    assert_eq!(store.read(&fresh).unwrap(), b"fresh");
    assert_eq!(store.read(&Digest::of(b"inside")).unwrap(), b"inside");
}

/// Makes all files below a folder look as if written that long ago.
fn age(folder: &Path, by: Duration) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            age(&path, by);
        } else {
            let file = fs::File::open(&path).unwrap();
            file.set_modified(SystemTime::now() - by).unwrap();
        }
    }
}

#[test]
fn one_collection_at_a_time() {
    let space = Space::new();
    let (one, two) = (space.open(), space.open());
    save(&one, "a", 1.0, &[b"a"]);
    let results: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = [&one, &two, &one, &two]
            .map(|store| scope.spawn(|| store.gc(&Policy::default(), Sweep::Now)))
            .into_iter()
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    for result in &results {
        assert!(
            matches!(result, Ok(_) | Err(StoreError::Collecting { .. })),
            "{result:?}"
        );
    }
    assert!(results.iter().any(Result::is_ok));
}
