//! Files and trees: stored, placed, damaged.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use kyobashi_cache::{Digest, Editable, How, Key, StoreError};

use crate::{claim, hit, record, store};

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
fn a_copy_is_kept_only_where_its_bytes_are_the_expected_ones() {
    let (dir, store) = store();
    let path = dir.path().join("source");
    for (size, first) in [(10, b'a'), (3 << 20, b'b')] {
        let mut bytes = vec![first; size];
        fs::write(&path, &bytes).unwrap();
        let digest = Digest::of(&bytes);
        store.put_copy(&path, &digest, size as u64).unwrap();
        assert_eq!(store.read(&digest).unwrap(), bytes);
        bytes[size / 2] = b'x';
        fs::write(&path, &bytes).unwrap();
        assert_eq!(
            store.read(&digest).unwrap()[size / 2],
            first,
            "its own file"
        );
        let other = Digest::of(b"what it was a moment ago");
        for said in [size, size + 1] {
            let changed = store.put_copy(&path, &other, said as u64);
            assert!(matches!(changed, Err(StoreError::Changed { .. })));
            assert!(!store.has(&other));
        }
    }
}
