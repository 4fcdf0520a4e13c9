//! What a failure does, what is said of it, and that nothing is left running: after a failure, a time
//! limit, Ctrl-C and `kill -9`.

use std::io::{BufRead, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStdout, Stdio};
use std::time::{Duration, Instant};

use crate::space::Space;

const BROKEN: &str = r#"
kyobashi: 1
name: broken
stages:
  bad:
    run: |
      for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do echo "step $n"; done
      echo "no such data: train.csv" >&2
      exit 3
    out: {x: file}
  after:
    in: {x: "${bad.x}"}
    run: 'cp "$x" "$y"'
    out: {y: file}
  last:
    in: {y: "${after.y}"}
    run: 'cp "$y" "$z"'
    out: {z: file}
  other:
    run: 'echo 1 > "$x"'
    out: {x: int}
"#;

/// A space whose scripts find it as `$HOME`.
fn space() -> Space {
    let mut space = Space::new();
    let home = space.path("").display().to_string();
    space.set("HOME", &home);
    space
}

#[test]
fn a_failure_is_told_with_its_log_its_place_what_it_took_down_and_how_to_go_on() {
    let space = space();
    space.write("broken.yaml", BROKEN);
    let done = space.kyo(&["run", "broken.yaml", "--set", "defaults.*.timeout=5m"]);
    assert_eq!(done.code, 1, "{}", done.stderr);
    for said in [
        "FAILED   bad  exit code 3 after ",
        "  …\n  step 5\n",
        "  no such data: train.csv\n",
        "  spec   broken.yaml:5:3\n",
        "  so     2 stage runs could not run: after, last\n",
        ": reused 0, ran 1, failed 1, skipped 2, $0\n",
        "resume   kyo run broken.yaml --set 'defaults.*.timeout=5m'  (kept: 1 of 4 stage runs)\n",
    ] {
        assert!(done.stderr.contains(said), "{said}\n{}", done.stderr);
    }
    let line = done
        .stderr
        .lines()
        .find(|line| line.contains("  log    "))
        .unwrap();
    assert!(line.ends_with("  (16 lines)"), "{line}");
    let path = line.split_whitespace().nth(1).unwrap();
    let log = space.read(path);
    assert!(log.starts_with("step 1\nstep 2\n"), "{log}");
    assert!(
        log.ends_with("train.csv\n"),
        "both streams, in their order: {log}"
    );
}

#[test]
fn what_a_failure_leaves_possible_goes_on_unless_asked_otherwise() {
    let space = space();
    space.write("broken.yaml", BROKEN);
    let done = space.kyo(&["run", "broken.yaml", "--json", "--jobs", "1"]);
    assert_eq!(done.code, 1);
    assert_eq!(done.ended("ran"), ["other"]);
    let again = Space::new();
    again.write("broken.yaml", BROKEN);
    let done = again.kyo(&["run", "broken.yaml", "--jobs", "1", "--fail-fast"]);
    assert_eq!(done.code, 1, "{}", done.stderr);
    assert!(
        done.stderr.contains("skipped 2, $0, not reached 1"),
        "{}",
        done.stderr
    );
    let done = again.kyo(&["run", "broken.yaml", "--json", "--keep-going"]);
    assert_eq!(done.ended("ran"), ["other"], "it had not been started");
}

#[test]
fn a_failure_that_is_tolerated_does_not_stop_a_run_that_stops_at_the_first() {
    let space = space();
    let text = BROKEN.replace("  bad:\n", "  bad:\n    on_error: continue\n");
    space.write("broken.yaml", &text);
    let done = space.kyo(&["run", "broken.yaml", "--jobs", "1", "--fail-fast", "--json"]);
    assert_eq!(done.ended("ran"), ["other"], "{}", done.stdout);
}

#[test]
fn a_stage_is_tried_again_after_a_pause_as_often_as_it_says() {
    let space = space();
    space.write(
        "again.yaml",
        r#"
kyobashi: 1
name: again
stages:
  flaky:
    run: |
      echo try >> "$HOME/tries"
      echo "at $(wc -l < "$HOME/tries")"
      [ "$(wc -l < "$HOME/tries")" = 2 ]
      echo 1 > "$x"
    out: {x: int}
    retries: 3
  slow:
    run: 'echo try >> "$HOME/slow"; [ "$(wc -l < "$HOME/slow")" = 2 ] || sleep 1000; echo 1 > "$x"'
    out: {x: int}
    retries: 1
    timeout: 3s
"#,
    );
    let begin = Instant::now();
    let done = space.run("again.yaml", &["--jobs", "2"]);
    assert!(
        begin.elapsed() >= Duration::from_secs(1),
        "there is a pause of a second"
    );
    assert_eq!(done.ended("ran"), ["flaky", "slow"]);
    let events = done.events();
    let retried = events
        .iter()
        .filter(|event| event["event"] == "node_retried");
    assert_eq!(retried.count(), 2, "{}", done.stdout);
    assert_eq!(
        space.read("tries").lines().count(),
        2,
        "not more often than needed"
    );
}

/// Starts three processes that leave their script in all ways, and says their numbers.
const LEAVERS: &str = r#"
      setsid sh -c 'echo $$ > "$HOME/session"; exec sleep 1000' &
      (setsid sh -c 'echo $$ > "$HOME/daemon"; exec sleep 1000' > /dev/null 2>&1 &)
      env -i setsid sh -c "echo \$\$ > '$HOME/bare'; exec sleep 1000" &
      while ! [ -s "$HOME/session" ] || ! [ -s "$HOME/daemon" ] || ! [ -s "$HOME/bare" ]; do :; done
"#;

fn leaving(end: &str, rules: &str) -> String {
    format!(
        "kyobashi: 1\nname: leaving\nstages:\n  leave:\n    run: |{LEAVERS}      {end}\n    \
         out: {{x: int}}\n    {rules}\n"
    )
}

/// The three processes, once they are there, and that they end.
fn all_end(space: &Space) {
    for name in ["session", "daemon", "bare"] {
        let pid = space.read(name);
        let pid = pid.trim();
        until(&format!("{name} {pid} has ended"), || {
            let stat = std::fs::read_to_string(Path::new("/proc").join(pid).join("stat"));
            // Somebody else's child that has ended stays until its parent looks.
            stat.map_or(true, |stat| stat.contains(") Z "))
        });
    }
}

/// Waits for something that must come soon.
fn until(what: &str, so: impl Fn() -> bool) {
    let begin = Instant::now();
    while !so() {
        assert!(begin.elapsed() < Duration::from_secs(60), "not yet: {what}");
        std::thread::yield_now();
    }
}

#[test]
fn a_stage_that_ended_leaves_nothing_running() {
    let space = space();
    space.write("leaving.yaml", &leaving("echo 1 > \"$x\"", ""));
    space.run("leaving.yaml", &[]);
    all_end(&space);
}

#[test]
fn a_time_limit_ends_the_whole_tree_of_processes() {
    let space = space();
    space.write("leaving.yaml", &leaving("sleep 1000", "timeout: 1s"));
    let done = space.kyo(&["run", "leaving.yaml"]);
    assert_eq!(done.code, 1);
    let said = "FAILED   leave  stopped after its time limit of 1s";
    assert!(done.stderr.contains(said), "{}", done.stderr);
    all_end(&space);
}

#[test]
fn at_its_time_limit_a_script_has_said_where_it_hung() {
    let space = space();
    let text = leaving("echo 'reading shard 3'; sleep 1000", "timeout: 1s");
    space.write("leaving.yaml", &text);
    let done = space.kyo(&["run", "leaving.yaml"]);
    assert!(
        done.stderr.contains("  reading shard 3\n"),
        "{}",
        done.stderr
    );
}

#[test]
fn an_output_that_is_no_file_fails_at_once_and_is_not_read() {
    for (script, ty, said) in [
        (
            "mkfifo \"$o\"",
            "text",
            "is a pipe, a socket or a device, and declared as text",
        ),
        (
            "ln -s /dev/zero \"$o\"",
            "json",
            "a device, and declared as json",
        ),
        (
            "ln -s /nowhere \"$o\"",
            "file",
            "a symbolic link that leads to no file",
        ),
        ("mkdir \"$o\"", "file", "declare it as `o: dir`"),
        (
            "mkfifo \"$o/pipe\"",
            "dir",
            "output `o`, \"pipe\" cannot be stored: it is a named pipe",
        ),
    ] {
        let space = space();
        let text = format!(
            "kyobashi: 1\nname: odd\nstages:\n  a: {{run: '{script}', out: {{o: {ty}}}, retries: 3}}\n"
        );
        space.write("odd.yaml", &text);
        let done = space.kyo(&["run", "odd.yaml"]);
        assert_eq!(done.code, 1, "{script}");
        assert!(done.stderr.contains(said), "{script}\n{}", done.stderr);
        assert!(
            !done.stderr.contains("again "),
            "the same would happen again"
        );
    }
}

#[test]
fn many_failures_are_told_in_few_lines_and_what_they_say_cannot_steer_the_terminal() {
    let space = space();
    space.write(
        "many.yaml",
        r#"
kyobashi: 1
name: many
params: {numbers: [0]}
stages:
  each:
    foreach: {n: "${params.numbers}"}
    with: {n: "${n}"}
    run: 'printf "10 %%\r100 %%\n\033[2Jno shard $n\007\n"; exit $((n % 2 + 1))'
    out: {x: text}
"#,
    );
    let numbers: Vec<String> = (0..40).map(|n| n.to_string()).collect();
    let set = format!("params.numbers=[{}]", numbers.join(","));
    let done = space.kyo(&["run", "many.yaml", "--quiet", "--set", &set]);
    assert_eq!(done.code, 1);
    let said = &done.stderr;
    assert_eq!(said.matches("  100 %\n  no shard ").count(), 10, "{said}");
    assert!(said.contains("FAILED   30 more\n"), "{said}");
    assert!(said.contains("  exit code 1\n"), "{said}");
    assert!(
        said.contains(" more\n") && said.lines().count() < 80,
        "{said}"
    );
    assert!(!said.contains('\x1b') && !said.contains('\x07'), "{said:?}");
}

/// A run of the leavers, at the moment when all of them are there.
fn started(space: &Space) -> Child {
    let text = leaving("echo ready > \"$HOME/ready\"; sleep 1000", "");
    space.write("leaving.yaml", &text);
    let mut command = space.command(&["run", "leaving.yaml"]);
    let child = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    until("all have started", || space.path("ready").exists());
    child
}

#[test]
fn nothing_outlives_a_kyo_that_was_killed() {
    let space = space();
    let mut child = started(&space);
    child.kill().unwrap();
    child.wait().unwrap();
    all_end(&space);
}

fn signal(child: &Child, name: &str) {
    let pid = child.id().to_string();
    let status = std::process::Command::new("kill")
        .args([name, &pid])
        .status()
        .unwrap();
    assert!(status.success());
}

#[test]
fn a_kyo_that_is_terminated_stops_now_and_leaves_nothing_running() {
    let space = space();
    let mut child = started(&space);
    signal(&child, "-TERM");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    all_end(&space);
}

#[test]
fn one_ctrl_c_finishes_and_keeps_what_runs_and_starts_nothing_more() {
    let space = space();
    space.write("gate", "shut");
    space.write(
        "slow.yaml",
        r#"
kyobashi: 1
name: slow
stages:
  first:
    run: 'while [ "$(cat "$HOME/gate")" != open ]; do :; done; echo 1 > "$x"'
    out: {x: int}
  second:
    in: {x: "${first.x}"}
    run: 'echo 2 > "$y"'
    out: {y: int}
"#,
    );
    let mut command = space.command(&["run", "slow.yaml", "--json"]);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut events: Lines<BufReader<ChildStdout>> =
        BufReader::new(child.stdout.take().unwrap()).lines();
    let mut talk = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut line = |word: &str| loop {
        let line = events.next().unwrap().unwrap();
        if line.contains(word) {
            return line;
        }
    };
    line("node_started");
    signal(&child, "-INT");
    while !talk.next().unwrap().unwrap().contains("press Ctrl-C again") {}
    space.write("gate", "open");
    assert!(
        line("node_finished").contains("\"ran\""),
        "what runs is finished"
    );
    assert!(line("run_finished").contains("\"stopped\":true"));
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(
        space.run("slow.yaml", &[]).ended("ran"),
        ["second"],
        "and kept"
    );
}
