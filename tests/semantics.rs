//! What must happen when: a → b → c, and one thing after the other that can happen to it. Other
//! build tools get one or more of these wrong.

use std::fs::{self, File};
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use crate::space::{Done, Space};

/// `b` makes the same of every source with as many lines; every script says that it was begun.
const ABC: &str = r#"
kyobashi: 1
name: abc
stages:
  a:
    in: {source: source.txt}
    run: 'echo a >> "$HOME/begun"; sort "$source" > "$sorted"'
    out: {sorted: text}
  b:
    in: {sorted: "${a.sorted}"}
    run: 'echo b >> "$HOME/begun"; wc -l < "$sorted" > "$count"'
    out: {count: int}
  c:
    in: {count: "${b.count}"}
    run: 'echo c >> "$HOME/begun"; echo "$count lines" > "$said"'
    out: {said: text}
outputs: {sorted: "${a.sorted}", said: "${c.said}"}
"#;

fn abc() -> Space {
    let mut space = Space::new();
    let home = space.path("").display().to_string();
    space.set("HOME", &home);
    space
        .write("abc.yaml", ABC)
        .write("source.txt", "two\none\n");
    assert_eq!(run(&space).ended("ran"), ["a", "b", "c"]);
    space
}

fn run(space: &Space) -> Done {
    space.run("abc.yaml", &["--out", "out"])
}

/// How often each script was begun, ever.
fn begun(space: &Space) -> [usize; 3] {
    let log = space.read("begun");
    ["a", "b", "c"].map(|name| log.lines().filter(|line| *line == name).count())
}

#[test]
fn a_touched_file_with_the_same_bytes_runs_nothing() {
    let space = abc();
    let source = space.path("source.txt");
    for seconds in [0, 1_000_000_000, 4_000_000_000] {
        // The past, and a future in which some clock once stood.
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        File::options()
            .write(true)
            .open(&source)
            .unwrap()
            .set_modified(time)
            .unwrap();
        assert_eq!(run(&space).ended("ran"), [""; 0]);
    }
    // Also as another file of the same bytes.
    fs::remove_file(&source).unwrap();
    space.write("source.txt", "two\none\n");
    assert_eq!(run(&space).ended("ran"), [""; 0]);
    assert_eq!(begun(&space), [1, 1, 1]);
}

#[test]
fn an_edit_that_keeps_size_and_time_is_seen() {
    let space = abc();
    let source = space.path("source.txt");
    let before = fs::metadata(&source).unwrap().modified().unwrap();
    space.write("source.txt", "too\none\n");
    File::options()
        .write(true)
        .open(&source)
        .unwrap()
        .set_modified(before)
        .unwrap();
    assert_eq!(run(&space).ended("ran"), ["a", "b"]);
    assert_eq!(space.read("out/sorted"), "one\ntoo\n");
}

#[test]
fn when_b_is_made_again_with_equal_bytes_c_does_not_run() {
    let space = abc();
    space.write("source.txt", "four\nthree\n");
    let done = run(&space);
    assert_eq!(done.ended("ran"), ["a", "b"]);
    assert_eq!(done.ended("reused"), ["c"]);
    // Also when it is made again by hand.
    let done = space.run("abc.yaml", &["--refresh", "b"]);
    assert_eq!(done.ended("ran"), ["b"]);
    assert_eq!(begun(&space), [2, 3, 1]);
}

#[test]
fn a_command_that_changes_without_changing_what_it_makes_runs_alone() {
    let space = abc();
    let other = ABC.replace(
        r#"wc -l < "$sorted" > "$count""#,
        r#"wc -l < "$sorted" > "$count"; true"#,
    );
    assert_ne!(other, ABC);
    space.write("abc.yaml", &other);
    let done = run(&space);
    assert_eq!(done.ended("ran"), ["b"]);
    assert_eq!(done.ended("reused"), ["a", "c"]);
    // The earlier command has its earlier result.
    space.write("abc.yaml", ABC);
    assert_eq!(run(&space).ended("ran"), [""; 0]);
    assert_eq!(begun(&space), [1, 2, 1]);
}

#[test]
fn an_input_that_goes_back_to_an_old_content_restores_the_old_outputs() {
    let space = abc();
    space.write("source.txt", "x\ny\nz\n");
    assert_eq!(run(&space).ended("ran"), ["a", "b", "c"]);
    assert_eq!(space.read("out/said"), "3 lines\n");
    space.write("source.txt", "two\none\n");
    assert_eq!(run(&space).ended("ran"), [""; 0]);
    assert_eq!(space.read("out/sorted"), "one\ntwo\n");
    assert_eq!(space.read("out/said"), "2 lines\n");
    assert_eq!(begun(&space), [2, 2, 2]);
}

#[test]
fn an_output_that_was_overwritten_or_removed_by_hand_is_noticed_and_restored() {
    let space = abc();
    let quiet = run(&space);
    assert!(!quiet.stderr.contains("restored"), "{}", quiet.stderr);
    space.write("out/said", "a thousand lines\n");
    fs::remove_file(space.path("out/sorted")).unwrap();
    let done = space.kyo(&["run", "abc.yaml", "--out", "out"]);
    assert!(
        done.stderr.contains("out/said") && done.stderr.contains("restored"),
        "{}",
        done.stderr
    );
    assert_eq!(space.read("out/said"), "2 lines\n");
    assert_eq!(space.read("out/sorted"), "one\ntwo\n");
    assert_eq!(begun(&space), [1, 1, 1], "nothing ran for it");
}

#[test]
fn an_output_that_is_as_it_was_is_not_written_again() {
    let space = abc();
    let stat = || {
        use std::os::unix::fs::MetadataExt;
        let found = fs::metadata(space.path("out/sorted")).unwrap();
        (found.ino(), found.mtime(), found.mtime_nsec())
    };
    let before = stat();
    run(&space);
    assert_eq!(stat(), before);
}

#[test]
fn of_a_list_only_the_files_that_changed_are_written_and_none_too_many_is_left() {
    let space = Space::new();
    let text = |words: &str| {
        format!(
            "kyobashi: 1\nname: list\nstages:\n  s:\n    foreach: {{word: [{words}]}}\n    \
             run: echo \"$word\" > \"$o\"\n    with: {{word: '${{word}}'}}\n    out: {{o: file}}\n\
             outputs: {{all: '${{s.o}}'}}\n"
        )
    };
    let deliver = |words: &str| {
        use std::os::unix::fs::MetadataExt;
        space.write("list.yaml", &text(words));
        space.run("list.yaml", &["--out", "out"]);
        let files = fs::read_dir(space.path("out/all")).unwrap();
        let files = files.map(|file| {
            let file = file.unwrap();
            let name = file.file_name().into_string().unwrap();
            let text = fs::read_to_string(file.path()).unwrap();
            (name, (text, file.metadata().unwrap().ino()))
        });
        files.collect::<std::collections::BTreeMap<_, _>>()
    };
    let before = deliver("one, two, three");
    assert_eq!(before.keys().collect::<Vec<_>>(), ["0", "1", "2"]);
    let after = deliver("one, other");
    assert_eq!(after.keys().collect::<Vec<_>>(), ["0", "1"]);
    assert_eq!(after["0"], before["0"], "the same file");
    assert_eq!(after["1"].0, "other\n");
}

#[test]
fn a_stage_that_fails_after_half_a_write_leaves_the_workspace_untouched() {
    let space = abc();
    let good = ABC.replace(
        r#"sort "$source" > "$sorted""#,
        r#"sort -r "$source" > "$sorted""#,
    );
    let half = good.replace(r#"> "$sorted"'"#, r#"| head -c 3 > "$sorted"; exit 9'"#);
    assert_ne!(half, good);
    space.write("abc.yaml", &half);
    let failed = space.kyo(&["run", "abc.yaml", "--out", "out", "--json"]);
    assert_eq!(failed.code, 1);
    assert_eq!(failed.ended("failed"), ["a"]);
    assert_eq!(failed.ended("skipped"), ["b", "c"]);
    assert_eq!(
        space.read("out/sorted"),
        "one\ntwo\n",
        "as the last good run left it"
    );
    assert_eq!(
        space.kyo(&["verify"]).code,
        0,
        "no half file is in the store"
    );
    space.write("abc.yaml", &good);
    let done = run(&space);
    assert_eq!(done.ended("ran"), ["a", "b"]);
    assert_eq!(space.read("out/sorted"), "two\none\n");
}

#[test]
fn after_a_kill_the_same_command_goes_on_clean_and_nothing_is_done_twice() {
    let space = abc();
    // `b` says that it is half-way through its write, and waits there, while the pipes are there.
    let pipes = ["half", "on"].map(|name| space.path(name));
    let made = Command::new("mkfifo").args(&pipes).status().unwrap();
    assert!(made.success());
    let wait = r#"echo 99 > "$count"; if test -e "$HOME/on"; then echo > "$HOME/half"; read -r line < "$HOME/on"; fi; wc -l"#;
    let gated = ABC.replace("wc -l", wait);
    assert_ne!(gated, ABC);
    space.write("abc.yaml", &gated);
    space.write("source.txt", "p\nq\nr\n");
    let mut child = space
        .command(&["run", "abc.yaml", "--json"])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    fs::read(&pipes[0]).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    // Opened for both, a pipe waits for no reader: the orphaned script is ended with its run, or let go here.
    let both = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(&pipes[1]);
    both.unwrap().write_all(b"go\n").unwrap();
    fs::remove_file(&pipes[1]).unwrap();
    let done = run(&space);
    assert_eq!(done.ended("reused"), ["a"], "it was done before the kill");
    assert_eq!(done.ended("ran"), ["b", "c"]);
    assert_eq!(
        space.read("out/said"),
        "3 lines\n",
        "the half-written 99 was never read"
    );
    assert_eq!(run(&space).ended("ran"), [""; 0]);
    assert_eq!(
        begun(&space)[0],
        2,
        "once at first, once for the new source"
    );
    assert_eq!(space.kyo(&["verify"]).code, 0);
}

#[test]
fn what_was_skipped_before_a_fan_out_opens_is_absent_inside_of_it() {
    let space = Space::new();
    space.write(
        "p.yaml",
        r#"
kyobashi: 1
name: p
params: {shown: false}
stages:
  extra:
    when: ${params.shown}
    run: printf extra > "$word"
    out: {word: str}
  rounds:
    repeat: {max: 2, until: "${false}", carry: {said: ""}}
    stages:
      say:
        with: {text: "${default(extra.word, \"plain\")}", before: "${carry.said}"}
        run: printf '%s' "$text" > "$said"
        out: {said: str}
    next: {said: "${say.said}"}
    out: {said: "${say.said}"}
  each:
    foreach: {name: [a, b]}
    key: ${name}
    with: {text: "${default(extra.word, name)}"}
    run: printf '%s' "$text" > "$said"
    out: {said: str}
outputs: {said: "${rounds.said}", each: "${each.said}"}
"#,
    );
    let done = space.run("p.yaml", &["--out", "out"]);
    assert_eq!(done.ended("skipped"), ["extra"]);
    assert_eq!(done.ended("ran").len(), 4);
    assert_eq!(space.read("out/said").trim(), "plain");
    let shown = space.run("p.yaml", &["--set", "params.shown=true", "--out", "out"]);
    // Both members of the fan-out print the same word now, so one of them is reused.
    assert_eq!(shown.ended("ran").len(), 4, "{}", shown.stdout);
    assert_eq!(space.read("out/said").trim(), "extra");
}
