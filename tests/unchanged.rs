//! A run before which nothing has changed is told by looks alone, and says the same; whatever did change
//! is noticed.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::space::{Done, Space};
use crate::speed::{kept, long, spaced};

/// The runs that can be told again.
fn told(space: &Space) -> Vec<PathBuf> {
    let folder = fs::read_dir(space.path(".kyobashi/unchanged"));
    let entries = folder.into_iter().flatten();
    entries.map(|entry| entry.unwrap().path()).collect()
}

/// A long pipeline of which everything was reused once: it can be told again.
fn settled() -> Space {
    let space = spaced();
    let _ = fs::remove_dir_all(space.path(".kyobashi/unchanged"));
    // A file that was written a moment ago is not believed by its times.
    while told(&space).is_empty() {
        assert_eq!(space.run("long.yaml", &[]).ended("reused").len(), 300);
    }
    space
}

/// Runs it, and says whether the pipeline was gone through: then it was checked, and is kept again.
fn went(space: &Space, more: &[&str]) -> (Done, bool) {
    let _ = fs::remove_dir_all(space.path(".kyobashi/compiled"));
    let done = space.run("long.yaml", more);
    (done, !kept(space).is_empty())
}

/// What a run said, without what is different in every run.
fn said(events: Vec<Value>) -> Vec<Value> {
    let mut events = events;
    for event in &mut events {
        let event = event.as_object_mut().unwrap();
        for own in ["t", "run", "at_ms"] {
            event.remove(own);
        }
        if event["event"] == "run_finished" {
            event.remove("seconds");
        }
    }
    events
}

fn journal(space: &Space, run: u64) -> Vec<Value> {
    let text = space.read(&format!(".kyobashi/runs/{run}/events.jsonl"));
    let lines = text.lines().map(serde_json::from_str);
    lines.collect::<Result<_, _>>().unwrap()
}

#[test]
fn a_run_before_which_nothing_changed_is_told_by_looks_and_says_the_same() {
    let space = settled();
    let runs = || fs::read_dir(space.path(".kyobashi/runs")).unwrap().count() as u64;
    let before = journal(&space, runs());
    let (fast, gone_through) = went(&space, &[]);
    assert!(!gone_through, "the check was not made again");
    assert_eq!(fast.ended("reused").len(), 300);
    let now = journal(&space, runs());
    assert!(now.iter().all(|event| event["t"].is_f64()), "as all lines");
    assert_eq!(before.len(), 304, "begin, made from, 300, outputs, end");
    assert_eq!(said(before), said(now.clone()));
    assert_eq!(said(fast.events()), said(now), "so does `--json`");
    let show = space.kyo(&["show", &format!("{}/s7", runs())]);
    assert_eq!(show.code, 0, "it is a run like any other: {}", show.stderr);
}

#[test]
fn whatever_changed_is_noticed() {
    let space = settled();
    let blob = || {
        let text = space.run("long.yaml", &[]).events();
        let ended = text.iter().find(|event| event["address"] == "s0").unwrap();
        let digest = ended["outputs"]["o"].as_str().unwrap().to_owned();
        space.path(&format!(
            ".kyobashi/objects/{}/{}",
            &digest[..2],
            &digest[2..]
        ))
    };
    let write = |name: &str, text: &str| {
        space.write(name, text);
    };
    let cat = long(r#"cat "$i" > "$o""#);
    let changes: [(&str, &dyn Fn(), usize); 4] = [
        ("an input", &|| write("in/1.txt", "X\n"), 1),
        ("its bytes written again", &|| write("in/1.txt", "X\n"), 0),
        ("a result gone", &|| fs::remove_file(blob()).unwrap(), 1),
        ("the text", &|| write("long.yaml", &cat), 3),
    ];
    for (what, make, ran) in changes {
        make();
        let (done, gone_through) = went(&space, &[]);
        assert!(gone_through, "{what}");
        assert_eq!(done.ended("ran").len(), ran, "{what}");
        assert_eq!(went(&space, &[]).0.ended("reused").len(), 300, "{what}");
        while went(&space, &[]).1 {}
    }
    fs::remove_file(space.path("in/2.txt")).unwrap();
    let gone = space.kyo(&["run", "long.yaml"]);
    assert!(
        gone.stderr.contains("there is no `in/2.txt`"),
        "{}",
        gone.stderr
    );
}

#[test]
fn a_newer_result_or_a_collection_by_others_is_noticed() {
    let space = settled();
    let again = space.run("long.yaml", &["--refresh", "s0"]);
    assert_eq!(again.ended("ran"), ["s0"]);
    assert!(went(&space, &[]).1, "there is a newer result of `s0`");
    while went(&space, &[]).1 {}
    let gc = space.kyo(&["gc", "--runs", "0", "--days", "0", "--delete"]);
    assert_eq!(gc.code, 0, "{}", gc.stderr);
    let (done, gone_through) = went(&space, &[]);
    assert!(gone_through);
    assert_eq!(done.ended("ran").len(), 3);
}

#[test]
fn what_is_kept_of_a_run_and_damaged_is_not_believed() {
    let space = settled();
    let path = told(&space).remove(0);
    let whole = fs::read(&path).unwrap();
    for at in [0, 8, whole.len() / 2, whole.len() - 1] {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(&path, &bytes).unwrap();
        let (done, gone_through) = went(&space, &[]);
        assert!(gone_through, "{at}");
        assert_eq!(done.ended("reused").len(), 300, "{at}");
        assert!(!went(&space, &[]).1, "kept again");
    }
    fs::remove_dir_all(space.path(".kyobashi/unchanged")).unwrap();
    fs::write(space.path(".kyobashi/unchanged"), "in the way").unwrap();
    assert_eq!(went(&space, &[]).0.ended("reused").len(), 300);
}

#[test]
fn a_part_that_is_made_in_every_run_is_made_in_every_run() {
    let space = Space::new();
    let text = long(r#"cp "$i" "$o""#).replace(
        "outputs:",
        "  now:\n    run: date +%N > \"$o\"\n    out: {o: file}\n    cache: never\noutputs:",
    );
    for n in 0..3 {
        space.write(&format!("in/{n}.txt"), &format!("{n}\n"));
    }
    space.write("long.yaml", &text);
    for _ in 0..4 {
        assert!(
            space
                .run("long.yaml", &[])
                .ended("ran")
                .contains(&"now".to_owned())
        );
    }
    assert!(told(&space).is_empty());
}

#[test]
fn what_is_delivered_is_looked_at_without_going_through_the_run() {
    let space = settled();
    let delivered = |what: &str, restored: bool| {
        let (done, gone_through) = went(&space, &["--out", "out"]);
        assert!(!gone_through, "{what}");
        assert_eq!(space.read("out/o"), "0\n", "{what}");
        let outputs: Value = serde_json::from_str(&space.read("out/outputs.json")).unwrap();
        assert_eq!(outputs, serde_json::json!({}), "{what}");
        assert_eq!(done.stderr.contains("restored"), restored, "{what}");
    };
    delivered("for the first time", false);
    delivered("again", false);
    space.write("out/o", "edited by hand");
    delivered("an edit by hand", true);
    fs::remove_file(space.path("out/o")).unwrap();
    delivered("removed by hand", false);
    fs::remove_dir_all(space.path("out")).unwrap();
    delivered("the folder gone", false);
}
