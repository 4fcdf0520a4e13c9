//! A store in trouble: it cannot be written, its disk is full, its clock was another one. Nothing is
//! lost, the error says what to do, and what was done is not done again.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use crate::model_server::{ModelServer, Said};
use crate::space::{Done, Space};

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
outputs: {loud: "${shout.loud}"}
"#;

/// Makes everything below a folder writable for nobody, or for its owner again.
fn protect(path: &Path, writable: bool) {
    let mode = fs::symlink_metadata(path).unwrap().permissions().mode();
    let mode = if writable {
        mode | 0o200
    } else {
        mode & !0o222
    };
    let set = || fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    if writable {
        set();
    }
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            protect(&entry.unwrap().path(), writable);
        }
    }
    set();
}

/// `kyo` as somebody to whom the modes of files mean something, which they do not to root.
fn bound(space: &Space, arguments: &[&str]) -> Done {
    let plain = space.command(arguments);
    let mut command = Command::new("setpriv");
    command
        .arg("--bounding-set=-dac_override")
        .arg(plain.get_program())
        .args(plain.get_args())
        .current_dir(space.path(""));
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
    let mut command = if root { command } else { plain };
    Done::from(command.output().unwrap())
}

#[test]
fn from_a_store_that_cannot_be_written_everything_is_reused_or_nothing_begins() {
    let space = Space::new();
    space.write("chain.yaml", CHAIN);
    space.run("chain.yaml", &[]);
    let store = space.path(".kyobashi");
    protect(&store, false);
    let done = bound(&space, &["run", "chain.yaml", "--out", "out"]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert!(done.stderr.contains("cannot be written"), "{}", done.stderr);
    assert!(done.stderr.contains("reused 2, ran 0"), "{}", done.stderr);
    assert_eq!(space.read("out/loud"), "HELLO WORLD\n");
    // What is not in it is named, before anything runs.
    let words = ["run", "chain.yaml", "--set", "params.who=moon"];
    let done = bound(&space, &words);
    assert_eq!(done.code, 1);
    for said in ["cannot be written", "`greet`", "--store DIR"] {
        assert!(done.stderr.contains(said), "{said}\n{}", done.stderr);
    }
    let plan = bound(&space, &[&["plan"], &words[1..]].concat());
    assert!(plan.stdout.contains("1 run, 1 perhaps"), "{}", plan.stdout);
    for reader in [
        &["log"][..],
        &["show", "greet"],
        &["gc"],
        &["verify", "--dry-run"],
    ] {
        let done = bound(&space, reader);
        assert_eq!(done.code, 0, "{reader:?}\n{}", done.stderr);
    }
    for writer in [
        &["gc", "--delete"][..],
        &["verify"],
        &["run", "chain.yaml", "--refresh", "shout"],
    ] {
        let done = bound(&space, writer);
        assert_eq!(done.code, 1, "{writer:?}\n{}", done.stdout);
        assert!(done.stderr.contains("--store DIR"), "{}", done.stderr);
    }
    protect(&store, true);
    assert_eq!(space.kyo(&["log", "--json"]).stdout.lines().count(), 1);
    assert_eq!(
        space.run("chain.yaml", &words[2..]).ended("ran"),
        ["greet", "shout"]
    );
}

const MANY: &str = r#"
kyobashi: 1
name: many
stages:
  work:
    matrix: {n: "${range(400)}"}
    with: {n: "${n}"}
    run: 'echo "$n" >> "$HOME/begun"; echo "$n" > "$same"'
    out: {same: text}
outputs: {texts: "${work.same}"}
"#;

/// Runs lines of a shell in which `small` is a disk of 600 KiB, or files may have 100 KiB where a user
/// cannot mount; and in which `grow` gives room.
fn cramped(space: &Space, lines: &str) -> Done {
    fs::create_dir(space.path("small")).unwrap();
    let probe = Command::new("unshare").args(["-rm", "true"]).status();
    let (mut command, head) = if probe.is_ok_and(|status| status.success()) {
        let mut command = Command::new("unshare");
        command.args(["-rm", "sh", "-c"]);
        (
            command,
            "mount -t tmpfs -o size=600k tmpfs small; limited() { \"$@\"; }; \
             grow() { mount -o remount,size=20m small; }",
        )
    } else {
        let mut command = Command::new("sh");
        command.arg("-c");
        (
            command,
            "limited() { (ulimit -f 200; \"$@\"); }; grow() { :; }",
        )
    };
    let plain = space.command(&[]);
    let program = plain.get_program().to_str().unwrap();
    command.arg(format!(
        "{head}\nkyo() {{ {program} \"$@\" --store small/s; }}\n{lines}"
    ));
    command.current_dir(space.path("")).env("NO_COLOR", "1");
    for (name, value) in plain.get_envs() {
        if let Some(value) = value {
            command.env(name, value);
        }
    }
    Done::from(command.output().unwrap())
}

#[test]
fn a_full_disk_loses_nothing_and_the_rerun_makes_only_what_is_missing() {
    let mut space = Space::new();
    let home = space.path("").display().to_string();
    space.set("HOME", &home).write("many.yaml", MANY);
    let done = cramped(
        &space,
        "limited kyo run many.yaml 2> first; echo $?; grow; wc -l < begun
         kyo run many.yaml --json > second 2> talk; echo $?; kyo verify",
    );
    let lines: Vec<&str> = done.stdout.lines().collect();
    let first = space.read("first");
    assert_eq!(lines[0], "1", "{first}");
    assert!(
        first.contains("index.sqlite") || first.contains("is full"),
        "{first}"
    );
    assert!(
        first.contains("not reached"),
        "nothing more was begun:\n{first}"
    );
    assert!(first.contains("resume   kyo run many.yaml"), "{first}");
    let ran = |text: &str| text.matches("\"state\":\"ran\"").count();
    let reused = |text: &str| text.matches("\"state\":\"reused\"").count();
    let second = space.read("second");
    let kept = first
        .lines()
        .filter(|line| line.starts_with("done "))
        .count();
    assert!(kept > 0, "{first}");
    assert_eq!(
        (ran(&second), reused(&second)),
        (400 - kept, kept),
        "{}",
        space.read("talk")
    );
    // Begun twice were only those that could not be kept: at most what ran at that moment.
    let begun: usize = lines[1].trim().parse().unwrap();
    let cores = std::thread::available_parallelism().unwrap().get();
    assert!(
        (kept + 1..=kept + 2 * cores).contains(&begun),
        "{kept} kept, {begun} begun"
    );
    assert_eq!(lines[2], "0", "{}", space.read("talk"));
    assert!(
        done.stdout.contains("all as it was written"),
        "{}",
        done.stdout
    );
}

#[test]
fn on_a_full_disk_nothing_is_asked_that_would_have_to_be_paid_again() {
    if !Command::new("unshare")
        .args(["-rm", "true"])
        .status()
        .is_ok_and(|status| status.success())
    {
        // Without a disk of one's own there is none to fill.
        return;
    }
    let server = ModelServer::with(|_, _| Said::Text("a reply".to_owned()));
    let mut space = Space::new();
    space
        .set("OPENAI_BASE_URL", &server.url())
        .set("OPENAI_API_KEY", "test-key")
        .write("ask.md", "Say something.\n")
        .write(
            "ask.yaml",
            r#"
kyobashi: 1
name: ask
models: {friend: openai/gpt-4o}
stages:
  ask:
    uses: llm/chat
    model: ${models.friend}
    with: {prompt: ask.md}
    out: {line: str}
outputs: {line: "${ask.line}"}
"#,
        )
        .write("chain.yaml", CHAIN);
    let done = cramped(
        &space,
        "kyo run chain.yaml 2> chain; head -c 600000 /dev/zero > small/rest 2> /dev/null
         kyo run ask.yaml 2> full; echo $?; rm small/rest; kyo run ask.yaml 2> again; echo $?",
    );
    let full = space.read("full");
    assert_eq!(done.stdout, "1\n0\n", "{full}\n{}", space.read("again"));
    assert!(
        full.contains("is full") || full.contains("no room"),
        "{full}"
    );
    assert_eq!(
        server.bodies().len(),
        1,
        "asked only when the reply could be kept"
    );
}

/// Every time that a store and its workspace have written, moved.
fn move_clock(space: &Space, years: u64, into_the_past: bool) {
    let step = Duration::from_secs(years * 365 * 24 * 3600);
    let mut folders = vec![space.path(".kyobashi")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let now = SystemTime::now();
            let then = if into_the_past {
                now - step
            } else {
                now + step
            };
            // Blobs are read-only, and times are set on any open file.
            File::open(&path).unwrap().set_modified(then).unwrap();
        }
    }
}

#[test]
fn a_clock_that_jumps_changes_nothing() {
    let space = Space::new();
    space
        .write(
            "chain.yaml",
            &CHAIN.replace(
                "{who: \"${params.who}\"}",
                "{who: \"${params.who}\"}\n    in: {source: source}",
            ),
        )
        .write("source", "one\n");
    space.run("chain.yaml", &["--out", "out"]);
    for (round, into_the_past) in [false, true].into_iter().enumerate() {
        move_clock(&space, 30, into_the_past);
        // The journal says that the run is still to come, or was long ago.
        let journal = space.path(".kyobashi/runs/1/events.jsonl");
        let text = fs::read_to_string(&journal).unwrap();
        let at = text.split("\"at_ms\":").nth(1).unwrap();
        let at = at.split(',').next().unwrap();
        let other = if into_the_past { "1" } else { "4000000000000" };
        let moved = text.replace(&format!("\"at_ms\":{at}"), &format!("\"at_ms\":{other}"));
        assert_ne!(moved, text);
        fs::write(&journal, moved).unwrap();
        assert_eq!(
            space.run("chain.yaml", &["--out", "out"]).ended("ran"),
            [""; 0]
        );
        // An edit made now is seen, whatever the store's own times say.
        space.write("source", &format!("edit {round}\n"));
        assert_eq!(space.run("chain.yaml", &[]).ended("ran"), ["greet"]);
        for command in [
            &["log"][..],
            &["plan", "chain.yaml"],
            &["gc", "--delete"],
            &["verify"],
        ] {
            let done = space.kyo(command);
            assert_eq!(done.code, 0, "{command:?}\n{}", done.stderr);
        }
        assert_eq!(
            space.run("chain.yaml", &[]).ended("ran"),
            [""; 0],
            "gc took nothing that is used"
        );
    }
}

#[test]
fn a_store_that_a_group_shares_is_the_groups_in_all_its_parts() {
    let space = Space::new();
    space.write("chain.yaml", CHAIN);
    let plain = space.command(&["run", "chain.yaml"]);
    let mut command = Command::new("sh");
    command.args(["-c", "umask 002; exec \"$@\"", "sh"]);
    command.arg(plain.get_program()).args(plain.get_args());
    assert!(
        command
            .current_dir(space.path(""))
            .status()
            .unwrap()
            .success()
    );
    for name in [
        "index.sqlite",
        "index.sqlite-wal",
        "index.sqlite-shm",
        "locks",
    ] {
        let mode = fs::metadata(space.path(".kyobashi").join(name)).unwrap();
        assert_eq!(mode.permissions().mode() & 0o777, 0o664, "{name}");
    }
    // Where only the index cannot be written, what would be thrown away is not begun.
    protect(&space.path(".kyobashi/index.sqlite"), false);
    let done = bound(&space, &["run", "chain.yaml", "--set", "params.who=moon"]);
    assert_eq!(done.code, 1, "{}", done.stderr);
    assert!(done.stderr.contains("cannot be written"), "{}", done.stderr);
    assert!(!done.stderr.contains("FAILED"), "{}", done.stderr);
    let done = bound(&space, &["run", "chain.yaml", "--out", "out"]);
    assert_eq!(done.code, 0, "{}", done.stderr);
}

#[test]
fn whoever_has_no_room_for_the_output_is_told() {
    let space = Space::new();
    space.write("chain.yaml", CHAIN);
    for (arguments, code, said) in [
        (
            &["run", "chain.yaml", "--json"][..],
            0,
            "events are missing from the output",
        ),
        (&["log"], 70, "cannot write to standard output"),
    ] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let done = space.command(arguments).stdout(full).output().unwrap();
        let told = String::from_utf8(done.stderr).unwrap();
        assert_eq!(done.status.code(), Some(code), "{told}");
        assert!(told.contains(said), "{told}");
    }
    let mut empty = Space::new();
    let done = empty.set("KYO_STORE", "").kyo(&["log"]);
    assert_eq!(done.code, 2);
    assert!(done.stderr.contains("`unset KYO_STORE`"), "{}", done.stderr);
}
