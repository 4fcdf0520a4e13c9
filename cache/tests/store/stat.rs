//! Promises of the stat cache, also about clocks that jump.

use std::fs;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::SystemTime;

use kyobashi_cache::Digest;

use crate::upkeep::{DAY, Space};

#[test]
fn a_touched_file_keeps_its_digest_and_an_edited_one_does_not() {
    let space = Space::new();
    let store = space.open();
    let file = space.dir.path().join("file");
    fs::write(&file, b"one").unwrap();
    let one = store.digest_file(&file).unwrap();
    fs::File::open(&file)
        .unwrap()
        .set_modified(SystemTime::UNIX_EPOCH)
        .unwrap();
    assert_eq!(store.digest_file(&file).unwrap(), one);
    fs::write(&file, b"two").unwrap();
    assert_eq!(store.digest_file(&file).unwrap(), Digest::of(b"two"));
}

#[test]
fn an_edit_that_keeps_size_and_mtime_is_seen_by_the_ctime() {
    let space = Space::new();
    let store = space.open();
    let file = space.dir.path().join("file");
    fs::write(&file, b"one").unwrap();
    // Far enough in the future for the file to be old when it is read.
    space.ahead.store(DAY, Ordering::SeqCst);
    assert_eq!(store.digest_file(&file).unwrap(), Digest::of(b"one"));
    let mtime = fs::metadata(&file).unwrap().modified().unwrap();
    let ctime = ctime(&file);
    // The kernel's clock for files goes in steps.
    while self::ctime(&file) == ctime {
        fs::write(&file, b"two").unwrap();
        fs::File::open(&file).unwrap().set_modified(mtime).unwrap();
    }
    assert_eq!(store.digest_file(&file).unwrap(), Digest::of(b"two"));
}

fn ctime(path: &Path) -> (i64, i64) {
    use std::os::unix::fs::MetadataExt;
    let found = fs::metadata(path).unwrap();
    (found.ctime(), found.ctime_nsec())
}

#[test]
fn a_file_that_is_read_while_it_is_young_is_read_again_whatever_the_clock_does() {
    // The clock may stand before the file's times, at them, or just after them.
    for ahead in [-DAY, -1_000_000, 0] {
        let space = Space::new();
        let store = space.open();
        space.ahead.store(ahead, Ordering::SeqCst);
        let file = space.dir.path().join("file");
        // Two writes within one step of the kernel's clock leave the same times. That happens
        // only now and then (and on some file systems never), so it is tried often.
        for _ in 0..200 {
            fs::write(&file, b"one").unwrap();
            let digest = store.digest_file(&file).unwrap();
            assert_eq!(digest, Digest::of(b"one"));
            let before = ctime(&file);
            fs::write(&file, b"two").unwrap();
            let same = ctime(&file) == before;
            assert_eq!(store.digest_file(&file).unwrap(), Digest::of(b"two"));
            if same {
                break;
            }
        }
    }
}

#[test]
fn the_stat_cache_is_trusted_only_for_files_that_were_old_when_they_were_read() {
    let space = Space::new();
    let file = space.dir.path().join("file");
    fs::write(&file, b"one").unwrap();
    // However long this takes on a loaded machine, the file is not older than the clock.
    space.ahead.store(-DAY, Ordering::SeqCst);
    let store = space.open();
    store.digest_file(&file).unwrap();
    drop(store);
    assert!(!space.path().join("stat").exists(), "too young to be kept");
    space.ahead.store(DAY, Ordering::SeqCst);
    let store = space.open();
    store.digest_file(&file).unwrap();
    drop(store);
    let kept = fs::read(space.path().join("stat")).unwrap();
    // The proof that it is used: an entry with another digest is believed.
    let at = kept
        .windows(32)
        .position(|bytes| bytes == Digest::of(b"one").as_bytes())
        .unwrap();
    let mut forged = kept[..kept.len() - 32].to_vec();
    forged[at..at + 32].copy_from_slice(Digest::of(b"forged").as_bytes());
    let sum = Digest::of(&forged);
    forged.extend_from_slice(sum.as_bytes());
    fs::write(space.path().join("stat"), &forged).unwrap();
    assert_eq!(
        space.open().digest_file(&file).unwrap(),
        Digest::of(b"forged")
    );
    // And a file of the cache that is not whole is not.
    forged.truncate(forged.len() - 1);
    fs::write(space.path().join("stat"), &forged).unwrap();
    assert_eq!(space.open().digest_file(&file).unwrap(), Digest::of(b"one"));
}
