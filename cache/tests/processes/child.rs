//! What the other processes do.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use kyobashi_cache::{
    Access, Digest, Editable, How, Key, Kind, Lookup, Options, Record, Repair, Store, StoreError,
};

/// A command that starts this program again.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg("child").args(arguments).stdout(Stdio::piped());
    command
}

pub(crate) fn run(arguments: &[String]) {
    let dir = PathBuf::from(&arguments[1]);
    let number = |at: usize| arguments[at].parse::<u64>().unwrap();
    match arguments[0].as_str() {
        "write" => write(&dir, number(2), number(3)),
        "race" => race(&dir, number(2)),
        "read" => read(&dir),
        "fill" => fill(&dir, arguments[2] == "disk"),
        other => panic!("unknown child: {other}"),
    }
}

pub(crate) fn open(dir: &Path, access: Access) -> Result<Store, StoreError> {
    let options = Options {
        access,
        ..Options::default()
    };
    Store::open(&dir.join("store"), options)
}

/// For reading after a crash: a flush would wait for all that other programs write.
pub(crate) fn reopen(dir: &Path) -> Store {
    let options = Options {
        flush_every: None,
        ..Options::default()
    };
    Store::open(&dir.join("store"), options).unwrap()
}

/// Work number `item`: its key, and the contents of its blobs, of 0 bytes to 300 KiB.
pub(crate) fn key(item: u64) -> Key {
    Key::of(format!("item {item}").as_bytes())
}

pub(crate) fn contents(item: u64) -> Vec<Vec<u8>> {
    let bytes = |part: u64| {
        let seed = Digest::of(format!("{item} {part}").as_bytes());
        let power = seed.as_bytes()[0] % 19;
        let length = (usize::from(seed.as_bytes()[1]) << 8 | 1) % (1 << power) * usize::from(power);
        let mut bytes = seed.as_bytes().repeat(length / 32 + 1);
        bytes.truncate(length);
        bytes
    };
    (0..item % 3).map(bytes).collect()
}

/// Does work from `first` on until it is killed, and prints the number of each saved record.
fn write(dir: &Path, first: u64, process: u64) {
    let store = open(dir, Access::Write).unwrap();
    let scratch = dir.join(format!("scratch-{process}-{first}"));
    for item in first.. {
        let claim = match store.look(Kind::Stage, &key(item)).unwrap() {
            Lookup::Hit(_) => continue,
            Lookup::Busy(waiter) => {
                waiter.wait().unwrap();
                continue;
            }
            Lookup::Miss(claim) => claim,
        };
        fs::create_dir_all(scratch.join("tree/sub")).unwrap();
        let mut blobs = Vec::new();
        for (part, bytes) in contents(item).iter().enumerate() {
            let file = scratch.join("file");
            if part == 0 {
                fs::write(&file, bytes).unwrap();
                blobs.push(store.put_file(&file, How::Move).unwrap().digest);
            } else {
                blobs.push(store.put_bytes(bytes).unwrap());
            }
        }
        if item % 5 == 0 {
            fs::write(scratch.join("tree/sub/number"), item.to_string()).unwrap();
            blobs.push(
                store
                    .put_tree(&scratch.join("tree"), How::Move)
                    .unwrap()
                    .digest,
            );
            store.tree_path(&blobs[blobs.len() - 1]).unwrap();
        }
        for (number, blob) in blobs.iter().enumerate() {
            let target = dir.join(format!("placed-{process}-{}-{number}", item % 15));
            store.place(blob, &target, Editable::No).unwrap();
        }
        let outputs = item.to_string();
        let record = Record {
            outputs: outputs.clone(),
            blobs,
            recipe: outputs,
            ..Record::default()
        };
        match item % 4 {
            0 => claim
                .save_then(record, move |result| {
                    result.unwrap();
                    acknowledge(item);
                })
                .unwrap(),
            1 if item % 64 == 1 => {
                claim.save_durably(record).unwrap();
                acknowledge(item);
            }
            _ => {
                claim.save(record).unwrap();
                acknowledge(item);
            }
        }
    }
}

/// One unbuffered write, so that what was said is with the parent whatever happens next.
fn acknowledge(item: u64) {
    std::io::stdout()
        .write_all(format!("{item}\n").as_bytes())
        .unwrap();
}

/// Makes what others have not made of `count` records, and prints how many that were.
fn race(dir: &Path, count: u64) {
    let store = open(dir, Access::Write).unwrap();
    let mut made = 0;
    for item in 0..count {
        loop {
            match store.look(Kind::Stage, &key(item)).unwrap() {
                Lookup::Hit(record) => break assert_eq!(record.outputs, item.to_string()),
                Lookup::Busy(waiter) => waiter.wait().unwrap(),
                Lookup::Miss(claim) => {
                    made += 1;
                    let blobs = vec![store.put_bytes(&item.to_le_bytes()).unwrap()];
                    let outputs = item.to_string();
                    claim
                        .save(Record {
                            outputs,
                            blobs,
                            ..Record::default()
                        })
                        .unwrap();
                }
            }
        }
    }
    println!("{made}");
}

/// Reads a store that it may not write.
fn read(dir: &Path) {
    let refused = open(dir, Access::Write)
        .map(|store| store.put_bytes(b"more"))
        .err();
    assert!(refused.is_some(), "it can be written");
    let store = open(dir, Access::Read).unwrap();
    store.preload().unwrap();
    let Lookup::Hit(record) = store.look(Kind::Stage, &key(0)).unwrap() else {
        panic!("no hit")
    };
    assert_eq!(store.read(&record.blobs[0]).unwrap(), 0u64.to_le_bytes());
    let missed = store.look(Kind::Stage, &key(1)).err().unwrap();
    assert!(matches!(missed, StoreError::ReadOnly { .. }), "{missed}");
    assert_eq!(store.verify(Repair::No, &|_| {}).unwrap().faults, []);
    println!("read, refused: {}", refused.unwrap());
}

/// Fills the store until there is no room, then makes room, and says how that went.
fn fill(dir: &Path, disk: bool) {
    let store = open(dir, Access::Write).unwrap();
    let save = |item: u64, size: usize| -> Result<(), StoreError> {
        let Lookup::Miss(claim) = store.look(Kind::Stage, &key(item))? else {
            panic!("no miss")
        };
        let bytes = item.to_le_bytes().repeat(size.div_ceil(8));
        let blobs = vec![store.put_bytes(&bytes)?];
        let outputs = "x".repeat(size.min(4096));
        claim.save(Record {
            outputs,
            blobs,
            ..Record::default()
        })
    };
    save(0, 1000).unwrap();
    let first_full = (1..).find_map(|item| Some((item, save(item, 1 << 20 << item).err()?)));
    let (item, error) = first_full.unwrap();
    assert!(matches!(error, StoreError::Full { .. }), "{error}");
    assert!(error.help().is_some());
    if disk {
        // Smaller and smaller, until there is no room for a row either.
        let mut item = 1000;
        for power in (0..20).rev() {
            let mut room = true;
            while room {
                item += 1;
                let saved = save(item, 1 << power);
                room = saved.is_ok();
                assert!(
                    matches!(saved, Ok(()) | Err(StoreError::Full { .. })),
                    "{saved:?}"
                );
            }
        }
    }
    assert!(store.peek(Kind::Stage, &key(0)).unwrap().is_some());
    assert_eq!(
        store.verify(Repair::No, &|_| {}).unwrap().faults,
        [],
        "intact"
    );
    let blobs = store.stats().unwrap().blobs;
    if disk {
        fs::remove_file(dir.join("ballast")).unwrap();
        save(9999, 1 << 16).unwrap();
    }
    println!("full at item {item} with {blobs} blobs: {error}");
}
