//! What lies in the store stays as it was written: whoever changes it fails, and nobody reads it.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;

use crate::space::{Done, Space};

const WRITER: &str = r#"
kyobashi: 1
name: writer
stages:
  numbers:
    run: seq 1 5000 > "$numbers"
    out: {numbers: file}
  writer:
    in: {numbers: "${numbers.numbers}"}
    run: sed -i s/1/2/ "$numbers"; head -n 1 "$numbers" > "$first"
    out: {first: text}
  reader:
    needs: [writer]
    in: {numbers: "${numbers.numbers}"}
    run: head -n 1 "$numbers" > "$first"
    out: {first: text}
outputs: {first: "${reader.first}"}
"#;

#[test]
fn a_script_that_writes_to_its_data_fails_and_spoils_them_for_nobody() {
    let space = Space::new();
    space.write("p.yaml", WRITER);
    let failed = space.kyo(&["run", "p.yaml"]);
    assert_eq!(failed.code, 1, "{}", failed.stderr);
    for word in [
        "FAILED   writer",
        "changed its own data, `numbers`",
        "cp \"$numbers\" mine",
    ] {
        assert!(failed.stderr.contains(word), "{word}: {}", failed.stderr);
    }
    let copies = WRITER.replace(
        "sed -i s/1/2/ \"$numbers\"; head -n 1 \"$numbers\"",
        "cp \"$numbers\" mine; sed -i s/1/2/ mine; head -n 1 mine",
    );
    space.write("p.yaml", &copies);
    let done = space.run("p.yaml", &["--out", "out"]);
    assert_eq!(done.ended("ran"), ["numbers", "reader", "writer"]);
    assert_eq!(space.read("out/first"), "1\n");
}

const READERS: &str = r#"
kyobashi: 1
name: readers
params: {n: 1}
stages:
  make:
    run: |
      head -c 30000 /dev/zero > "$small"
      head -c 3000000 /dev/zero > "$large"
      head -c 40000 /dev/zero > "$folder/one"
    out: {small: file, large: file, folder: dir}
  read:
    matrix: {which: [small, large, folder/one]}
    in: {small: "${make.small}", large: "${make.large}", folder: "${make.folder}"}
    with: {n: "${params.n}", which: "${which}"}
    run: cat "$small" "$large" "$folder/one" | tr -d '\0' | wc -c > "$others"
    out: {others: int}
outputs: {others: "${read.others}"}
"#;

/// Flips a bit in the middle of every file of at least so many bytes; mode and size stay.
fn damage(space: &Space, least: u64) {
    let mut open = vec![space.path(".kyobashi/objects")];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let (path, found) = (
                entry.as_ref().unwrap().path(),
                entry.unwrap().metadata().unwrap(),
            );
            if found.is_dir() {
                open.push(path);
            } else if found.len() >= least {
                let mut bytes = fs::read(&path).unwrap();
                let middle = bytes.len() / 2;
                bytes[middle] ^= 1;
                fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
                fs::write(&path, bytes).unwrap();
                fs::set_permissions(&path, found.permissions()).unwrap();
            }
        }
    }
}

#[test]
fn a_flipped_bit_in_the_store_reaches_no_result() {
    let space = Space::new();
    space.write("p.yaml", READERS);
    space.run("p.yaml", &[]);
    damage(&space, 20_000);
    let changed = ["run", "p.yaml", "--set", "params.n=2", "--out", "out"];
    for _ in 0..4 {
        let done = space.kyo(&changed);
        if done.code == 0 {
            break;
        }
        assert!(
            done.stderr.contains("damaged and has been dropped"),
            "{}",
            done.stderr
        );
    }
    let others: Vec<u64> = serde_json::from_str(&space.read("out/others.json")).unwrap();
    assert_eq!(others, [0, 0, 0]);
}

/// The command as an ordinary user, where the test is run by root; `space` is that user's then.
fn as_user(space: &Space, arguments: &[&str]) -> Done {
    const NOBODY: u32 = 65_534;
    let mut command = space.command(arguments);
    if is_root() {
        let mut open: Vec<PathBuf> = vec![space.path(".")];
        while let Some(path) = open.pop() {
            chown(&path, Some(NOBODY), Some(NOBODY)).unwrap();
            if path.symlink_metadata().unwrap().is_dir() {
                open.extend(
                    fs::read_dir(&path)
                        .unwrap()
                        .map(|entry| entry.unwrap().path()),
                );
            }
        }
        command.uid(NOBODY).gid(NOBODY).env("HOME", space.path("."));
    }
    Done::from(command.output().unwrap())
}

fn is_root() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("Uid:"))
        .unwrap();
    line.split_whitespace().nth(2) == Some("0")
}

#[test]
fn a_collection_by_an_ordinary_user_removes_folders_too() {
    let space = Space::new();
    space.write("p.yaml", READERS);
    let run = as_user(&space, &["run", "p.yaml"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let laid_out = || fs::read_dir(space.path(".kyobashi/trees")).unwrap().count();
    assert_eq!(laid_out(), 1);
    let gone = as_user(&space, &["gc", "--runs", "0", "--days", "0", "--delete"]);
    assert_eq!(gone.code, 0, "{}", gone.stderr);
    assert_eq!(laid_out(), 0);
    let again = as_user(&space, &["run", "p.yaml", "--json"]);
    assert_eq!(again.ended("ran").len(), 4);
}
