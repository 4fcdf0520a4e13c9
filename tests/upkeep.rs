//! The life of a store: `kyo log`, `kyo pin`, `kyo gc`, `kyo verify`.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;

use crate::space::{Done, Space};

/// Files on the way, so that the store has blobs to lose.
const CHAIN: &str = r#"
kyobashi: 1
name: chain
params: {who: world}
stages:
  greet:
    with: {who: "${params.who}"}
    run: 'echo "hello $who" > "$text"'
    out: {text: text}
  shout:
    in: {text: "${greet.text}"}
    run: 'tr a-z A-Z < "$text" > "$loud"'
    out: {loud: text}
  count:
    in: {loud: "${shout.loud}"}
    run: 'wc -c < "$loud" > "$bytes"'
    out: {bytes: int}
outputs: {loud: "${shout.loud}", bytes: "${count.bytes}"}
"#;

fn chain() -> Space {
    let space = Space::new();
    space.write("chain.yaml", CHAIN);
    space
}

/// The one JSON document of a command that must end with `code`.
fn document(done: &Done, code: i32) -> Value {
    assert_eq!(done.code, code, "{}\n{}", done.stdout, done.stderr);
    serde_json::from_str(&done.stdout).unwrap_or_else(|error| panic!("{error}: {}", done.stdout))
}

/// The file of the store with this content.
fn blob(space: &Space, content: &str) -> PathBuf {
    let digest = blake3(space, content);
    space.path(&format!(
        ".kyobashi/objects/{}/{}",
        &digest[..2],
        &digest[2..]
    ))
}

/// The digest of a text, as the store itself says it.
fn blake3(space: &Space, content: &str) -> String {
    for folder in std::fs::read_dir(space.path(".kyobashi/objects")).unwrap() {
        let folder = folder.unwrap().path();
        for file in std::fs::read_dir(&folder).unwrap() {
            let file = file.unwrap().path();
            if std::fs::read(&file).unwrap() == content.as_bytes() {
                let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
                return name(&folder) + &name(&file);
            }
        }
    }
    panic!("{content:?} is not in the store")
}

fn flip(path: &Path) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[0] ^= 1;
    std::fs::remove_file(path).unwrap();
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn verify_finds_a_flipped_bit_a_missing_and_a_half_written_file_and_what_was_dropped_is_made_again()
{
    let space = chain();
    space.run("chain.yaml", &[]);
    space.run("chain.yaml", &["--set", "params.who=moon"]);
    assert_eq!(space.kyo(&["verify"]).code, 0);
    flip(&blob(&space, "HELLO WORLD\n"));
    std::fs::remove_file(blob(&space, "hello moon\n")).unwrap();
    space.write(".kyobashi/tmp/00000000deadbeef/0", "HELLO MO");

    let found = document(&space.kyo(&["verify", "--dry-run", "--json"]), 1);
    let mut faults: Vec<String> = found["faults"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| {
            let address = fault["address"].as_str().unwrap_or_default();
            format!("{} {address}", fault["fault"].as_str().unwrap())
        })
        .collect();
    faults.sort();
    assert_eq!(
        faults,
        [
            "damaged ",
            "half-written ",
            "incomplete greet",
            "incomplete shout"
        ]
    );
    assert_eq!(found["left"], 4);
    // A dry run leaves all as it is, and says the same again.
    let again = document(&space.kyo(&["verify", "--dry-run", "--json"]), 1);
    assert_eq!(again, found);

    let repaired = space.kyo(&["verify"]);
    assert_eq!(repaired.code, 0, "{}", repaired.stdout);
    assert!(
        repaired.stdout.contains("stage run `shout` of run 1"),
        "{}",
        repaired.stdout
    );
    assert_eq!(document(&space.kyo(&["verify", "--json"]), 0)["left"], 0);
    // What was dropped is made again, and nothing else.
    assert_eq!(space.run("chain.yaml", &[]).ended("ran"), ["shout"]);
    let moon = space.run("chain.yaml", &["--set", "params.who=moon"]);
    assert_eq!(moon.ended("ran"), ["greet"]);
}

#[test]
fn verify_leaves_what_it_cannot_mend_and_says_so() {
    let space = chain();
    space.run("chain.yaml", &[]);
    space.write(".kyobashi/objects/README", "not ours");
    let found = space.kyo(&["verify"]);
    assert_eq!(found.code, 1, "{}", found.stdout);
    assert!(found.stdout.contains("stray") && found.stdout.contains("README"));
    std::fs::remove_file(space.path(".kyobashi/objects/README")).unwrap();
    // An index that is no database is named, with the way out.
    for name in ["index.sqlite-wal", "index.sqlite-shm"] {
        std::fs::remove_file(space.path(&format!(".kyobashi/{name}"))).unwrap();
    }
    space.write(".kyobashi/index.sqlite", &"rubbish ".repeat(1000));
    for command in [&["verify"][..], &["run", "chain.yaml"], &["gc"]] {
        let done = space.kyo(command);
        assert_ne!(done.code, 0);
        assert!(done.stderr.contains("index.sqlite"), "{}", done.stderr);
        assert!(done.stderr.contains("move it away"), "{}", done.stderr);
    }
    std::fs::remove_file(space.path(".kyobashi/index.sqlite")).unwrap();
    assert_eq!(space.run("chain.yaml", &[]).ended("ran").len(), 3);
}

#[test]
fn gc_says_what_it_would_cost_then_deletes_and_keeps_what_the_kept_runs_reach() {
    let space = chain();
    for who in ["world", "moon", "sun"] {
        space.run("chain.yaml", &["--set", &format!("params.who={who}")]);
    }
    assert_eq!(space.kyo(&["pin", "1", "first"]).code, 0);
    let words = ["gc", "--runs", "1", "--days", "0", "--json"];
    let dry = document(&space.kyo(&words), 0);
    assert_eq!(dry["deleted"], false);
    assert_eq!(
        dry["kept_runs"],
        serde_json::json!({"1": "pinned", "3": "recent"})
    );
    assert_eq!(dry["stages"]["records"], 3, "those of the second run");
    assert!(dry["stages"]["seconds"].as_f64().unwrap() > 0.0);
    assert_eq!(dry["stages"]["usd"], 0.0);
    // Two texts of stages, the words of the command line, and the outputs.
    assert_eq!(dry["files"], 4);
    let who = |who: &str| {
        let done = space.run("chain.yaml", &["--set", &format!("params.who={who}")]);
        done.ended("ran").len()
    };
    assert!(
        blob(&space, "HELLO MOON\n").exists(),
        "a dry run deletes nothing"
    );

    let gone = document(&space.kyo(&[&words[..], &["--delete"]].concat()), 0);
    for field in ["stages", "files", "bytes", "kept_records"] {
        assert_eq!(gone[field], dry[field], "{field}");
    }
    assert_eq!(space.kyo(&["verify"]).code, 0, "nothing is left half");
    assert_eq!([who("world"), who("sun"), who("moon")], [0, 0, 3]);
    // Without a pin, and without a run that reaches it, it would go.
    assert_eq!(space.kyo(&["pin", "first", "--remove"]).code, 0);
    let dry = document(&space.kyo(&words), 0);
    assert_eq!(dry["stages"]["records"], 6);
    assert_eq!(
        document(&space.kyo(&["gc", "--json"]), 0)["stages"]["records"],
        0
    );
}

#[test]
fn a_collection_by_size_ends_at_the_size() {
    let space = Space::new();
    space.write(
        "big.yaml",
        r#"
kyobashi: 1
name: big
stages:
  fill:
    matrix: {n: [1, 2, 3, 4]}
    with: {n: "${n}"}
    run: 'head -c 100000 /dev/zero | tr "\0" "$n" > "$blob"'
    out: {blob: file}
"#,
    );
    space.run("big.yaml", &[]);
    let done = document(
        &space.kyo(&[
            "gc",
            "--runs",
            "0",
            "--max-size",
            "250k",
            "--delete",
            "--json",
        ]),
        0,
    );
    assert_eq!(done["stages"]["records"], 2);
    assert!(done["kept_bytes"].as_u64().unwrap() <= 250_000);
    assert_eq!(space.run("big.yaml", &[]).ended("ran").len(), 2);
    let wrong = space.kyo(&["gc", "--max-size", "large"]);
    assert_eq!(wrong.code, 2);
    assert!(wrong.stderr.contains("50G"), "{}", wrong.stderr);
}

#[test]
fn a_collection_spares_what_a_live_run_uses() {
    let space = Space::new();
    space.write(
        "slow.yaml",
        r#"
kyobashi: 1
name: slow
stages:
  first:
    run: 'echo early > "$text"'
    out: {text: text}
  second:
    in: {text: "${first.text}", gate: gate}
    run: 'read -r line < "$(cat "$gate")"; cat "$text" > "$copy"'
    out: {copy: text}
"#,
    );
    // The script waits until somebody writes into the pipe, or closes it.
    let pipe = space.path("pipe");
    let made = std::process::Command::new("mkfifo")
        .arg(&pipe)
        .status()
        .unwrap();
    assert!(made.success());
    space.write("gate", pipe.to_str().unwrap());
    let mut child = space
        .command(&["run", "slow.yaml", "--json"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = std::io::BufReader::new(child.stdout.take().unwrap());
    let mut lines = std::io::BufRead::lines(lines).map(Result::unwrap);
    lines
        .find(|line| line.contains("node_started") && line.contains("second"))
        .unwrap();
    let log = space.kyo(&["log"]);
    assert!(log.stdout.contains("running"), "{}", log.stdout);
    let gone = space.kyo(&["gc", "--runs", "0", "--days", "0", "--delete", "--json"]);
    assert_eq!(document(&gone, 0)["stages"]["records"], 0);
    let by_size = space.kyo(&["gc", "--runs", "0", "--max-size", "1", "--delete"]);
    assert_eq!(by_size.code, 2, "{}", by_size.stdout);
    assert!(by_size.stderr.contains("at work"), "{}", by_size.stderr);
    std::fs::write(&pipe, "go\n").unwrap();
    let rest: Vec<String> = lines.collect();
    assert!(child.wait().unwrap().success(), "{rest:?}");
    let gone = space.kyo(&["gc", "--runs", "0", "--days", "0", "--delete", "--json"]);
    assert_eq!(document(&gone, 0)["stages"]["records"], 2);
}

#[test]
fn the_log_tells_each_run_with_its_end() {
    let space = chain();
    space.run("chain.yaml", &[]);
    space.run("chain.yaml", &["--set", "params.who=moon"]);
    let broken = CHAIN.replace("wc -c", "false; wc -c");
    space.write("broken.yaml", &broken);
    assert_eq!(space.kyo(&["run", "broken.yaml"]).code, 1);
    let mut child = space
        .command(&["run", "chain.yaml", "--set", "params.who=sun", "--json"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = std::io::BufReader::new(child.stdout.take().unwrap());
    let mut lines = std::io::BufRead::lines(lines).map(Result::unwrap);
    lines.find(|line| line.contains("node_started")).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();

    let done = space.kyo(&["log", "--json"]);
    let runs: Vec<Value> = done
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let outcome = |run: &Value| format!("{} {}", run["run"], run["outcome"].as_str().unwrap());
    assert_eq!(
        runs.iter().map(outcome).collect::<Vec<_>>(),
        ["4 killed", "3 failed", "2 done", "1 done"]
    );
    assert_eq!(
        runs[2]["asked"]["set"],
        serde_json::json!(["params.who=moon"])
    );
    assert_eq!(
        (&runs[3]["ran"], &runs[3]["reused"]),
        (&3.into(), &0.into())
    );
    let events = space.kyo(&["log", "3"]).stdout;
    assert!(
        events.contains("FAILED    count") && events.contains("spec broken.yaml:"),
        "{events}"
    );
    assert_eq!(
        space.kyo(&["log", "--json", "1"]).stdout,
        space.read(".kyobashi/runs/1/events.jsonl")
    );
    let wrong = space.kyo(&["log", "17"]);
    assert_eq!(wrong.code, 2);
    assert!(wrong.stderr.contains("numbered 1 to 4"), "{}", wrong.stderr);
}

#[test]
fn commands_that_read_make_no_store() {
    let space = chain();
    for command in ["log", "show", "gc", "verify"] {
        let done = space.kyo(&[command]);
        assert_eq!(done.code, 2, "{command}");
        assert!(done.stderr.contains("there is no store"), "{}", done.stderr);
        assert!(!space.path(".kyobashi").exists(), "{command}");
    }
    for (words, code) in [
        (&["plan", "chain.yaml"][..], 0),
        (&["why", "chain.yaml", "greet"], 0),
        (&["why", "greet"], 2),
    ] {
        assert_eq!(space.kyo(words).code, code, "{words:?}");
        assert!(!space.path(".kyobashi").exists(), "{words:?}");
    }
}
