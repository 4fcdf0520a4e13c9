//! The rules of `docs/architecture.md`, held: who may use whom, how long a file may be, what only the
//! binary may do.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::space::home;

/// Crate → the crates of ours that it may use.
const TABLE: &[(&str, &[&str])] = &[
    ("kyobashi-stage", &[]),
    ("kyobashi-cache", &[]),
    ("kyobashi-engine", &["kyobashi-cache", "kyobashi-stage"]),
    ("kyobashi-science", &["kyobashi-stage"]),
    ("kyobashi-press", &["kyobashi-stage"]),
    ("kyobashi-trainer", &["kyobashi-stage"]),
    (
        "kyobashi",
        &[
            "kyobashi-cache",
            "kyobashi-engine",
            "kyobashi-press",
            "kyobashi-science",
            "kyobashi-stage",
        ],
    ),
];

/// A library → the one crate that may link it.
const WALLS: &[(&str, &str)] = &[
    ("typst", "kyobashi-press"),
    ("tch", "kyobashi-trainer"),
    ("torch-sys", "kyobashi-trainer"),
    ("reqwest", "kyobashi-science"),
    ("rusqlite", "kyobashi-cache"),
    ("petgraph", "kyobashi-engine"),
    ("indicatif", "kyobashi"),
    ("clap", "kyobashi"),
];

/// Lines that a source file may have.
const LONGEST: usize = 400;

fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ])
        .current_dir(home())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| {
            // What only tests use does not bind the crates together.
            let used = package["dependencies"].as_array().unwrap().iter();
            let used = used
                .filter(|one| one["kind"] != "dev")
                .map(|one| text(&one["name"]));
            (text(&package["name"]), used.collect())
        });
    packages.collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

#[test]
fn crates_use_only_what_the_table_allows() {
    let all = dependencies();
    assert_eq!(
        all.keys().map(String::as_str).collect::<BTreeSet<_>>(),
        TABLE.iter().map(|(name, _)| *name).collect::<BTreeSet<_>>(),
        "the table names every crate"
    );
    for (name, allowed) in TABLE {
        let ours = all[*name]
            .iter()
            .filter(|used| used.starts_with("kyobashi"));
        for used in ours {
            assert!(
                allowed.contains(&used.as_str()),
                "{name} may not use {used}"
            );
        }
    }
}

#[test]
fn walled_libraries_are_linked_by_one_crate() {
    for (name, used) in dependencies() {
        for (library, owner) in WALLS {
            assert!(
                !used.contains(*library) || name == *owner,
                "{name} may not link {library}"
            );
        }
    }
}

#[test]
fn no_file_is_longer_than_one_can_read() {
    for (path, text) in sources() {
        let lines = text.lines().count();
        assert!(
            lines <= LONGEST,
            "{} has {lines} lines, more than {LONGEST}",
            path.display()
        );
    }
}

#[test]
fn every_file_says_what_it_is_for() {
    for (path, text) in sources() {
        assert!(
            text.trim_start().starts_with("//!"),
            "{} has no `//!` head",
            path.display()
        );
    }
}

#[test]
fn only_the_binary_reads_the_environment_and_prints() {
    for (path, text) in sources() {
        let library = [
            "cache/src",
            "engine/core/src",
            "stages/api",
            "stages/science/src",
            "stages/press/src",
        ];
        if !library
            .iter()
            .any(|folder| path.starts_with(home().join(folder)))
        {
            continue;
        }
        let code = text.split("#[cfg(test)]").next().unwrap();
        for word in [
            "env::var(",
            "env::vars(",
            "env::var_os(",
            "println!(",
            "eprintln!(",
            "dbg!(",
        ] {
            assert!(!code.contains(word), "{} uses `{word}`", path.display());
        }
    }
}

#[test]
fn the_pure_modules_have_no_clock_disk_or_thread() {
    let pure = [
        "engine/core/src/spec",
        "engine/core/src/plan",
        "engine/core/src/run/schedule.rs",
    ];
    for (path, text) in sources() {
        if !pure.iter().any(|part| path.starts_with(home().join(part))) {
            continue;
        }
        let code = text.split("#[cfg(test)]").next().unwrap();
        let bare: String = code
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .collect();
        for word in [
            "std::fs",
            "std::time::Instant",
            "SystemTime",
            "std::thread",
            "std::net",
            "tokio::",
        ] {
            assert!(!bare.contains(word), "{} uses `{word}`", path.display());
        }
    }
}

#[test]
fn no_test_file_is_forgotten() {
    let main = std::fs::read_to_string(home().join("tests/main.rs")).unwrap();
    for entry in std::fs::read_dir(home().join("tests")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if let Some(module) = name.strip_suffix(".rs").filter(|module| *module != "main") {
            assert!(
                main.contains(&format!("mod {module};")),
                "tests/main.rs does not name {module}"
            );
        }
    }
}

/// Every Rust file of the repository.
fn sources() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for folder in ["cache", "engine", "stages", "tests"] {
        gather(&home().join(folder), &mut found);
    }
    assert!(found.len() > 30, "the sources were not found");
    found
}

fn gather(dir: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "target") {
                gather(&path, found);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
}
