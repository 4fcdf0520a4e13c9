//! A run before which little has changed: what follows from it is gone through, all else is told, and the
//! run says what it would have said if everything had been gone through.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::space::{Done, Space};

/// Chains, a fan-out, a group, a gate, an order without data, and enough beside them.
fn mixed() -> Space {
    let mut text = r#"kyobashi: 1
name: mixed
params: {shown: {type: int, default: 1}, shared: {type: file, default: in/shared.txt}}
stages:
  raw: {in: {i: in/raw.txt}, run: 'cat "$i" > "$o"; echo ran >> "$o"', out: {o: file}}
  lower: {in: {i: '${raw.o}'}, run: 'tr A-Z a-z < "$i" > "$o"', out: {o: file}}
  after: {in: {i: '${lower.o}'}, run: 'wc -c < "$i" > "$o"', out: {o: int}}
  shown: {when: '${params.shown == 1}', in: {i: in/shown.txt}, run: 'cp "$i" "$o"', out: {o: file}}
  hidden: {when: '${params.shown == 2}', in: {i: in/hidden.txt}, run: 'wc -c < "$i" > "$o"', out: {o: int}}
  fan:
    foreach: {n: '${range(3)}'}
    in: {i: in/fan.txt}
    with: {n: '${n}'}
    run: 'echo "$n $(cat "$i")" > "$o"'
    out: {o: str}
  gathered: {in: {i: in/gathered.txt}, with: {all: '${fan.o}'}, run: 'echo "$all $(cat "$i")" > "$o"', out: {o: str}}
  group:
    when: ${params.shown == 1}
    stages:
      inner: {in: {i: in/inner.txt, c: '${shown.o}'}, run: 'cat "$i" "$c" > "$o"', out: {o: file}}
      outer: {in: {i: '${inner.o}'}, run: 'cp "$i" "$o"', out: {o: file}}
    out: {o: '${outer.o}'}
  last:
    needs: [group]
    in: {a: in/last.txt, s: '${s0.o}'}
    with: {n: '${after.o}', h: '${default(hidden.o, 0)}'}
    run: 'cat "$a" "$s" > "$o"; echo "$n $h" >> "$o"'
    out: {o: file}
  whole: {in: {i: '${params.shared}'}, run: 'cp "$i" "$o"', out: {o: file}}
"#
    .to_owned();
    for n in 0..260 {
        text.push_str(&format!(
            "  s{n}: {{in: {{i: in/{n}.txt}}, run: 'cp \"$i\" \"$o\"', out: {{o: file}}}}\n"
        ));
    }
    text.push_str(
        "outputs: {last: '${last.o}', fan: '${fan.o}', s1: '${s1.o}', group: '${group.o}'}\n",
    );
    let space = Space::new();
    for name in NAMES {
        space.write(&format!("in/{name}.txt"), &format!("{name} 1\n"));
    }
    for n in 0..260 {
        space.write(&format!("in/{n}.txt"), &format!("{n} 1\n"));
    }
    space.write("mixed.yaml", &text);
    space
}

const NAMES: [&str; 9] = [
    "raw", "shown", "hidden", "fan", "gathered", "inner", "last", "shared", "other",
];

/// What is kept of the last run for the next one.
fn kept(space: &Space) -> Option<PathBuf> {
    let folder = fs::read_dir(space.path(".kyobashi/unchanged"));
    let mut entries = folder.into_iter().flatten();
    entries.next().map(|entry| entry.unwrap().path())
}

/// Whether the last run was gone through in part only.
fn in_part(space: &Space) -> bool {
    let text = kept(space).map(|path| fs::read(path).unwrap());
    let text = String::from_utf8_lossy(&text.unwrap_or_default()).into_owned();
    text.contains("\"parts\":") && !text.contains("\"parts\":0}")
}

/// Runs until the last run can be told again: a file of a moment ago is not believed by its times.
fn settle(space: &Space) {
    let _ = fs::remove_dir_all(space.path(".kyobashi/unchanged"));
    while kept(space).is_none() {
        space.run("mixed.yaml", &[]);
    }
}

/// What a folder has, by path.
fn files(space: &Space, folder: &str) -> BTreeMap<PathBuf, String> {
    let mut open = vec![space.path(folder)];
    let mut files = BTreeMap::new();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(
                fs::read_dir(path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
        } else {
            let text = fs::read_to_string(&path).unwrap();
            files.insert(path, text);
        }
    }
    files
}

/// Every stage run by its address: how it ended, its key, its outputs and its provenance; and the outputs
/// of the pipeline.
fn said(done: &Done) -> BTreeMap<String, Value> {
    let mut said = BTreeMap::new();
    for mut event in done.events() {
        match event["event"].as_str() {
            Some("node_finished") => {
                let address = event["address"].as_str().unwrap().to_owned();
                let own = event.as_object_mut().unwrap();
                for passing in ["t", "seconds", "saved_seconds", "log"] {
                    own.remove(passing);
                }
                if own["state"] == "ran" {
                    own["state"] = "reused".into();
                }
                said.insert(address, event);
            }
            Some("outputs_made") => {
                drop(said.insert("outputs".to_owned(), event["outputs"].take()))
            }
            Some("made_from") => drop(said.insert("made from".to_owned(), event["sources"].take())),
            _ => {}
        }
    }
    said
}

#[test]
fn after_an_edit_only_what_follows_is_gone_through_and_the_run_says_the_same() {
    let space = mixed();
    space.run("mixed.yaml", &[]);
    let cases: [(&str, &[&str], bool); 10] = [
        ("7", &["s7"], true),
        ("raw", &["raw", "lower", "after", "last"], true),
        ("0", &["s0", "last"], true),
        ("shown", &["shown", "group/inner", "group/outer"], true),
        ("hidden", &[], true),
        ("inner", &["group/inner", "group/outer"], true),
        ("fan", &["fan[0]", "fan[1]", "fan[2]", "gathered"], true),
        ("last", &["last"], true),
        // It reads a fan-out, which is gone through with it.
        ("gathered", &["gathered"], true),
        // A parameter may be read anywhere.
        ("shared", &["whole"], false),
    ];
    for (name, ran, part) in cases {
        settle(&space);
        space.write(&format!("in/{name}.txt"), &format!("{name} TWO\n"));
        let first = space.run("mixed.yaml", &["--out", "out"]);
        let first_out = files(&space, "out");
        let mut found = first.ended("ran");
        found.sort();
        let mut expected = ran.to_vec();
        expected.sort_unstable();
        assert_eq!(found, expected, "{name}");
        assert_eq!(in_part(&space), part, "{name}");
        let totals = first.totals();
        assert_eq!(totals["ran"], ran.len(), "{name}");
        // The next run is told, or goes through the file of a moment ago; the one after that as a whole.
        let next = space.run("mixed.yaml", &["--out", "out"]);
        assert_eq!(next.ended("ran"), [""; 0], "{name}");
        let next_out = files(&space, "out");
        fs::remove_dir_all(space.path(".kyobashi/unchanged")).unwrap();
        fs::remove_dir_all(space.path("out")).unwrap();
        let whole = space.run("mixed.yaml", &["--out", "out"]);
        assert!(first_out.len() > 4, "{first_out:?}");
        assert_eq!(first_out, files(&space, "out"), "{name}");
        assert_eq!(next_out, files(&space, "out"), "{name}");
        assert_eq!(said(&first), said(&whole), "{name}");
        assert_eq!(said(&next), said(&whole), "{name}");
        for key in ["skipped", "failed"] {
            assert_eq!(totals[key], whole.totals()[key], "{name}: {key}");
        }
        let all = |done: &Done| {
            done.totals()["ran"].as_u64().unwrap() + done.totals()["reused"].as_u64().unwrap()
        };
        assert_eq!(all(&first), all(&whole), "{name}");
        assert_eq!(all(&next), all(&whole), "{name}");
    }
}

#[test]
fn edits_in_a_row_are_each_gone_through_in_part() {
    let space = mixed();
    space.run("mixed.yaml", &[]);
    settle(&space);
    for round in 0..5 {
        let n = 10 + round % 3;
        space.write(&format!("in/{n}.txt"), &format!("round {round}\n"));
        let done = space.run("mixed.yaml", &[]);
        assert_eq!(done.ended("ran"), [format!("s{n}")]);
        assert!(in_part(&space), "round {round}");
        assert_eq!(
            done.events().len(),
            space.run("mixed.yaml", &[]).events().len() + 1,
            "it was started"
        );
    }
    // What was there before is found again.
    for n in 10..13 {
        space.write(&format!("in/{n}.txt"), &format!("{n} 1\n"));
    }
    let back = space.run("mixed.yaml", &[]);
    assert_eq!(back.ended("ran"), [""; 0]);
    assert!(in_part(&space));
}

#[test]
fn what_has_the_same_content_ends_the_wave() {
    let space = mixed();
    space.run("mixed.yaml", &[]);
    settle(&space);
    // `lower` makes the same of it, so that nothing after it runs.
    space.write("in/raw.txt", "RAW 1\n");
    let done = space.run("mixed.yaml", &[]);
    assert_eq!(done.ended("ran"), ["lower", "raw"]);
    assert!(in_part(&space));
}

#[test]
fn a_failure_after_an_edit_is_said_and_the_repaired_stage_runs_alone() {
    let space = mixed();
    let text = space.read("mixed.yaml");
    let text = text.replace(
        "tr A-Z a-z < \"$i\" > \"$o\"",
        "grep -v bad \"$i\" > \"$o\"",
    );
    space.write("mixed.yaml", &text);
    space.run("mixed.yaml", &[]);
    settle(&space);
    space.write("in/raw.txt", "bad\n");
    let text = text.replace("; echo ran >> \"$o\"", "");
    assert!(text != space.read("mixed.yaml"));
    space.write("mixed.yaml", &text);
    // The text has changed, so all is gone through once.
    space.write("in/raw.txt", "good\n");
    space.run("mixed.yaml", &[]);
    settle(&space);
    space.write("in/raw.txt", "bad\n");
    let failed = space.kyo(&["run", "mixed.yaml", "--json"]);
    assert_eq!(failed.code, 1, "{}", failed.stderr);
    assert!(
        failed.stderr.contains("FAILED   lower"),
        "{}",
        failed.stderr
    );
    assert_eq!(failed.ended("failed"), ["lower"]);
    assert_eq!(failed.ended("ran"), ["raw"]);
    let mut cut = failed.ended("skipped");
    cut.sort();
    assert_eq!(cut, ["after", "hidden", "last"], "`hidden` by its gate");
    space.write("in/raw.txt", "better\n");
    let mut ran = space.run("mixed.yaml", &[]).ended("ran");
    ran.sort();
    assert_eq!(ran, ["after", "last", "lower", "raw"]);
}

#[test]
fn a_file_that_is_gone_is_an_error_as_always() {
    let space = mixed();
    space.run("mixed.yaml", &[]);
    settle(&space);
    fs::remove_file(space.path("in/7.txt")).unwrap();
    let gone = space.kyo(&["run", "mixed.yaml"]);
    assert_ne!(gone.code, 0);
    assert!(
        gone.stderr.contains("there is no `in/7.txt`"),
        "{}",
        gone.stderr
    );
}
