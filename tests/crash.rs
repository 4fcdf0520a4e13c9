//! `kill -9` at any moment: what was reported as done is never done again.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
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

/// Kills of one test; each at a progress point of its own.
const KILLS: usize = 24;

#[test]
fn a_run_that_is_killed_again_and_again_loses_nothing_and_repeats_nothing() {
    let mut space = Space::new();
    space.write("many.yaml", &MANY.replace("range(40)", "range(900)"));
    let home = space.path("").display().to_string();
    space.set("HOME", &home);
    let (mut kills, mut told) = (0, BTreeSet::new());
    let (mut repeats, mut losses) = (0, 0);
    for round in 0..KILLS {
        // Kinds of moments: as the run begins, as a stage starts, as one ends; early and late, with
        // one job and with three. What comes once in a run is waited for once.
        let (word, count) = match round % 4 {
            0 => ("\"run_started\"", 1),
            1 => ("\"node_started\"", 1 + round),
            2 => ("\"made_from\"", 1),
            _ => ("\"state\":\"ran\"", 1 + round),
        };
        let jobs = if round / 4 % 2 == 0 { "3" } else { "1" };
        let mut child = space
            .command(&["run", "many.yaml", "--json", "--jobs", jobs])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut seen = 0;
        let mut ended = Vec::new();
        while seen < count {
            let Some(line) = lines.next().map(Result::unwrap) else {
                break;
            };
            seen += usize::from(line.contains(word));
            ended.push(line);
        }
        child.kill().unwrap();
        // A run that had come to its end by itself was not killed.
        kills += usize::from(child.wait().unwrap().signal() == Some(9));
        // A last line without its end was not said.
        ended.extend(lines.map_while(Result::ok));
        let events = ended
            .iter()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        for event in events.filter(|event| event["event"] == "node_finished") {
            let address = event["address"].as_str().unwrap().to_owned();
            if event["state"] == "ran" && !told.insert(address) {
                repeats += 1;
            }
        }
        // Everything that was ever said to be done is still there, and nothing is half-written.
        if round % 6 == 5 {
            let plan = space.kyo(&["plan", "many.yaml", "--json"]);
            let plan: Vec<Value> = serde_json::from_str(&plan.stdout).unwrap();
            losses += plan
                .iter()
                .filter(|node| told.contains(node["address"].as_str().unwrap()))
                .filter(|node| node["state"] != "reused")
                .count();
            let found = space.kyo(&["verify", "--json"]);
            let found: Value = serde_json::from_str(&found.stdout).unwrap();
            let faults = found["faults"].as_array().unwrap().iter();
            losses += faults
                .filter(|fault| fault["fault"] != "half-written")
                .count();
        }
    }
    let last = space.run("many.yaml", &[]);
    repeats += last
        .ended("ran")
        .iter()
        .filter(|address| told.contains(*address))
        .count();
    assert_eq!(
        last.totals()["ran"].as_u64().unwrap() + last.totals()["reused"].as_u64().unwrap(),
        901
    );
    // At most what ran at the moment of a kill was begun twice.
    let begun = space.read("log").lines().count();
    println!(
        "{kills} kills, {} told as done before the last run, {repeats} repeats, {losses} losses, {begun} scripts begun for 900",
        told.len()
    );
    assert!(told.len() < 900, "every kill met a run at work");
    assert_eq!((kills, repeats, losses), (KILLS, 0, 0));
    assert!(
        (900..=900 + 3 * KILLS).contains(&begun),
        "{begun} scripts were begun"
    );
    assert_eq!(space.run("many.yaml", &[]).ended("ran"), [""; 0]);
    assert_eq!(space.kyo(&["verify"]).code, 0);
    let log = space.kyo(&["log", "--json"]).stdout;
    assert_eq!(log.matches("\"outcome\":\"killed\"").count(), KILLS);
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
    let mut space = Space::new();
    let home = space.path("").display().to_string();
    space.set("HOME", &home);
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
    in: {x: "${first.x}"}
    run: |
      if test -e "$HOME/begun"; then echo > "$HOME/begun"; read -r line < "$HOME/gate"; fi
      echo "$x" > "$y"
    out: {y: int}
"#,
    );
    // The script says into a pipe that it has begun, and waits at another for a word that never comes.
    let pipes = ["begun", "gate"].map(|name| space.path(name));
    let made = std::process::Command::new("mkfifo").args(&pipes).status();
    assert!(made.unwrap().success());
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
    std::fs::read(&pipes[0]).unwrap();
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
    std::fs::remove_file(&pipes[0]).unwrap();
    assert_eq!(space.run("slow.yaml", &[]).ended("ran"), ["second"]);
}
