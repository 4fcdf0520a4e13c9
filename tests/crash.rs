//! `kill -9` at any moment: what was reported as done is never done again.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::Value;

use crate::space::Space;

const MANY: &str = r#"
kyobashi: 1
name: many
stages:
  work:
    matrix: {n: "${range(40)}"}
    with: {n: "${n}"}
    run: 'echo "$n" >> "$HOME/log"; echo "$n" > "$same"'
    out: {same: int}
  sum:
    in: {all: "${work.same}"}
    run: 'cp "$all" "$text"'
    out: {text: text}
outputs: {text: "${sum.text}"}
"#;

#[test]
fn a_killed_run_goes_on_and_repeats_nothing_that_was_done() {
    let mut space = Space::new();
    space.write("many.yaml", MANY);
    let home = space.path("").display().to_string();
    space.set("HOME", &home);
    let mut done = BTreeSet::new();
    for stop_after in [1, 3, 7, 12] {
        let mut child = space
            .command(&["run", "many.yaml", "--json", "--jobs", "2"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut ran = 0;
        while ran < stop_after {
            let event: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
            if event["event"] != "node_finished" {
                continue;
            }
            let address = event["address"].as_str().unwrap().to_owned();
            if event["state"] == "ran" {
                assert!(done.insert(address.clone()), "{address} ran twice");
                ran += 1;
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let last = space.run("many.yaml", &["--out", "out"]);
    for address in last.ended("ran") {
        assert!(done.insert(address.clone()), "{address} ran twice");
    }
    // Some were done between the last event that was read and the kill: those are reused as well.
    done.extend(last.ended("reused"));
    assert_eq!(done.len(), 41, "every stage has a result");
    // At most the two that were running at each of the four kills were begun twice.
    let begun = space.read("log").lines().count();
    assert!((40..=48).contains(&begun), "{begun} scripts were begun");
    assert_eq!(space.run("many.yaml", &[]).ended("ran"), [""; 0]);
}

#[test]
fn two_runs_at_once_share_their_work() {
    let mut space = Space::new();
    space.write("many.yaml", MANY);
    let home = space.path("").display().to_string();
    space.set("HOME", &home);
    let start = || {
        let mut command = space.command(&["run", "many.yaml", "--json"]);
        command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let (one, two) = (start(), start());
    for child in [one, two] {
        let output = child.wait_with_output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    assert_eq!(
        space.read("log").lines().count(),
        40,
        "no script was begun twice"
    );
}

#[test]
fn a_stopped_run_says_so_and_goes_on() {
    let space = Space::new();
    space.write(
        "slow.yaml",
        r#"
kyobashi: 1
name: slow
stages:
  first:
    run: 'echo 1 > "$x"'
    out: {x: int}
  second:
    in: {x: "${first.x}", gate: gate}
    run: 'while [ "$(cat "$gate")" != open ]; do read -r line < "$x"; done; echo "$x" > "$y"'
    out: {y: int}
"#,
    );
    space.write("gate", "shut");
    let mut child = space
        .command(&["run", "slow.yaml", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let pid = child.id().to_string();
    let interrupt = || {
        let status = std::process::Command::new("kill")
            .args(["-INT", &pid])
            .status()
            .unwrap();
        assert!(status.success());
    };
    let mut events = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap);
    let mut talk = BufReader::new(child.stderr.take().unwrap())
        .lines()
        .map(Result::unwrap);
    events
        .find(|line| line.contains("node_started") && line.contains("second"))
        .unwrap();
    // The first Ctrl-C lets the stage finish, which it never would; the second ends it.
    interrupt();
    talk.find(|line| line.contains("press Ctrl-C again"))
        .unwrap();
    interrupt();
    let rest: Vec<String> = events.collect();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(
        rest.last().unwrap().contains("\"stopped\":true"),
        "{rest:?}"
    );
    space.write("gate", "open");
    assert_eq!(space.run("slow.yaml", &[]).ended("ran"), ["second"]);
}
