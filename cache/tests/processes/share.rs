//! Several processes and users on one store.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use kyobashi_cache::{Kind, Lookup, Record};
use tempfile::TempDir;

use crate::child::{self, key};

/// Records in the race.
const COUNT: u64 = 300;

/// The user "nobody" of every Linux.
const NOBODY: u32 = 65534;

pub(crate) fn race() -> String {
    let dir = TempDir::new().unwrap();
    let path = dir.path().to_str().unwrap();
    let children: Vec<Child> = (0..3)
        .map(|_| {
            child::command(&["race", path, &COUNT.to_string()])
                .spawn()
                .unwrap()
        })
        .collect();
    let made: Vec<u64> = children
        .into_iter()
        .map(|child| said(child).parse().unwrap())
        .collect();
    assert_eq!(made.iter().sum::<u64>(), COUNT, "{made:?}");
    let store = child::reopen(dir.path());
    for item in 0..COUNT {
        assert_eq!(store.history(Kind::Stage, &key(item)).unwrap().len(), 1);
    }
    format!("ok: made {made:?} of {COUNT}")
}

pub(crate) fn read_only() -> String {
    let dir = TempDir::new().unwrap();
    let store = child::reopen(dir.path());
    let Lookup::Miss(claim) = store.look(Kind::Stage, &key(0)).unwrap() else {
        panic!("no miss")
    };
    let blobs = vec![store.put_bytes(&0u64.to_le_bytes()).unwrap()];
    claim
        .save(Record {
            blobs,
            ..Record::default()
        })
        .unwrap();
    drop(store);
    // The superuser may write anything, so the reader is somebody else then.
    let program = dir.path().join("program");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    take_rights(&dir.path().join("store"));
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let mut reader = Command::new(&program);
    reader
        .args(["child", "read"])
        .arg(dir.path())
        .stdout(Stdio::piped());
    if fs::metadata(dir.path()).unwrap().uid() == 0 {
        reader.uid(NOBODY).gid(NOBODY);
    }
    let said = said(reader.spawn().unwrap());
    give_rights(&dir.path().join("store"));
    format!("ok: {said}")
}

/// What a child printed, once it has ended well.
pub(crate) fn said(child: Child) -> String {
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "the child failed: {}",
        output.status
    );
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn take_rights(path: &Path) {
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            take_rights(&entry.unwrap().path());
        }
    }
    let mode = if path.is_dir() { 0o555 } else { 0o444 };
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn give_rights(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            give_rights(&entry.unwrap().path());
        }
    }
}
