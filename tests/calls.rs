//! Calls of models and what can go wrong around them: a kill in the middle, a busy server, a key that must
//! be nowhere.

use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::model_server::{KEY, ModelServer, Said};
use crate::space::Space;

/// How long a request is waited for that must come.
const LONG: Duration = Duration::from_secs(60);

/// Eight questions, each its own.
const EIGHT: &str = r#"
kyobashi: 1
name: eight
providers: {openai: {identity: "https://api.openai.com/v1"}}
models: {one: openai/gpt-4o-mini}
stages:
  ask:
    uses: llm/chat
    matrix: {n: "${range(8)}"}
    model: ${models.one}
    in: {number: "${n}"}
    with: {prompt: ask.md, max_tokens: 100}
    out: {line: str}
  join:
    in: {lines: "${ask.line}"}
    run: cp "$lines" "$all"
    out: {all: json}
outputs: {all: "${join.all}"}
"#;

fn space(server: &ModelServer) -> Space {
    let mut space = Space::new();
    space
        .write("eight.yaml", EIGHT)
        .write("ask.md", "Question {{ number }}");
    space
        .set("OPENAI_BASE_URL", &server.url())
        .set("OPENAI_API_KEY", KEY);
    space
}

/// What each request asked, in order.
fn questions(server: &ModelServer) -> Vec<String> {
    let bodies = server.bodies();
    let prompt = |body: &Value| {
        let prompt = body["messages"].as_array().unwrap().last().unwrap();
        let prompt = prompt["content"].as_str().unwrap().lines().next().unwrap();
        prompt.to_owned()
    };
    bodies.iter().map(prompt).collect()
}

#[test]
fn after_a_kill_at_call_5_of_8_exactly_the_calls_that_have_no_reply_are_made() {
    let (reached, at_five) = mpsc::channel();
    let held = Arc::new(AtomicBool::new(true));
    let hold = held.clone();
    let server = ModelServer::with(move |_, number| {
        if number == 4 {
            reached.send(()).unwrap();
            while hold.load(Ordering::Relaxed) {
                std::thread::yield_now();
            }
            return Said::Dropped;
        }
        Said::Text(format!("Answer {number}."))
    });
    let space = space(&server);
    let mut child = space
        .command(&["run", "eight.yaml", "--pool", "model=1"])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    at_five.recv_timeout(LONG).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    held.store(false, Ordering::Relaxed);
    let before = questions(&server);
    assert_eq!(before.len(), 5);
    let done = space.kyo(&["run", "eight.yaml", "--out", "out"]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    let line = "1 call without an answer from a run that was killed: perhaps billed, at most $";
    assert!(done.stderr.contains(line), "{}", done.stderr);
    let all = questions(&server);
    let mut after = all[5..].to_vec();
    after.sort();
    let answered = &before[..4];
    let mut rest: Vec<String> = (0..8).map(|n| format!("Question {n}")).collect();
    rest.retain(|question| !answered.contains(question));
    assert_eq!(after, rest, "calls 5 to 8 and no other");
    let cost = space.kyo(&["cost", "--json"]);
    let cost: Value = serde_json::from_str(&cost.stdout).unwrap();
    let perhaps = cost["perhaps_billed"].as_array().unwrap();
    assert_eq!(perhaps.len(), 1, "{cost}");
    assert_eq!(perhaps[0]["run"], 1);
}

#[test]
fn within_a_stage_that_asks_twice_the_first_reply_outlives_a_kill() {
    let (reached, at_two) = mpsc::channel();
    let held = Arc::new(AtomicBool::new(true));
    let hold = held.clone();
    let server = ModelServer::with(move |_, number| {
        if number == 1 {
            reached.send(()).unwrap();
            while hold.load(Ordering::Relaxed) {
                std::thread::yield_now();
            }
        }
        // The first reply has no number in it, so the stage asks once more.
        Said::Text(["None.", "", r#"{"score": 7}"#][number].to_owned())
    });
    let space = space(&server);
    let yaml = EIGHT
        .replace("range(8)", "range(1)")
        .replace("line: str", "score: int")
        .replace("ask.line", "ask.score");
    space.write("eight.yaml", &yaml);
    let mut child = space
        .command(&["run", "eight.yaml"])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    at_two.recv_timeout(LONG).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    held.store(false, Ordering::Relaxed);
    let done = space.kyo(&["run", "eight.yaml", "--out", "out"]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    let turns: Vec<usize> = server
        .bodies()
        .iter()
        .map(|body| body["messages"].as_array().unwrap().len())
        .collect();
    assert_eq!(turns.len(), 3, "{turns:?}");
    assert!(turns[0] < turns[1] && turns[1] == turns[2], "{turns:?}");
}

#[test]
fn requests_that_never_left_or_were_refused_are_not_perhaps_billed() {
    let server = ModelServer::with(|_, number| match number {
        0 => Said::Raw(429, ("retry-after-ms", "20"), "{}".to_owned()),
        1 => Said::Dropped,
        _ => Said::Text("Well.".to_owned()),
    });
    let space = space(&server);
    space.write("eight.yaml", &EIGHT.replace("range(8)", "range(1)"));
    let perhaps = || {
        let cost = space.kyo(&["cost", "--json"]);
        let cost: Value = serde_json::from_str(&cost.stdout).unwrap();
        cost["perhaps_billed"].as_array().unwrap().len()
    };
    space.run("eight.yaml", &[]);
    assert_eq!(server.bodies().len(), 3);
    // The next run finds what the last one left: only the request that vanished without a word.
    space.run("eight.yaml", &[]);
    assert_eq!(perhaps(), 1);
}

/// Every file below a folder that holds some bytes.
fn holding(dir: &Path, bytes: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(holding(&path, bytes));
        } else if path.is_file() {
            let content = std::fs::read(&path).unwrap();
            if content.windows(bytes.len()).any(|part| part == bytes) {
                found.push(path.display().to_string());
            }
        }
    }
    found
}

#[test]
fn the_key_is_in_no_byte_that_a_run_writes_although_the_server_repeats_it() {
    let server = ModelServer::with(|_, number| match number {
        0 => Said::Raw(
            500,
            ("x-request-id", KEY),
            format!(r#"{{"error": {{"message": "no luck with {KEY}"}}}}"#),
        ),
        1 => Said::Text(format!("You are {KEY}, a remarkable name.")),
        2 => Said::Raw(
            400,
            ("x-request-id", KEY),
            format!(r#"{{"error": {{"message": "I do not like {KEY}"}}}}"#),
        ),
        _ => Said::Raw(200, ("content-type", "text/html"), format!("<p>{KEY}")),
    });
    let space = space(&server);
    let one_by_one = ["run", "eight.yaml", "--pool", "model=1", "--out", "out"];
    let done = space.kyo(&[&one_by_one[..], &["-v"]].concat());
    assert_eq!(done.code, 1, "most of the calls fail");
    let json = space.kyo(&["run", "eight.yaml", "--json", "--pool", "model=1"]);
    assert!(done.stderr.contains("I do not like"), "{}", done.stderr);
    for text in [&done.stdout, &done.stderr, &json.stdout, &json.stderr] {
        assert!(!text.contains(KEY), "{text}");
    }
    let all = space.path("");
    let control = holding(&all, b"a remarkable name");
    assert!(!control.is_empty(), "the search finds what is there");
    assert_eq!(holding(&all, KEY.as_bytes()), [""; 0]);
}

#[test]
fn a_cassette_makes_the_same_bytes_with_nobody_asked_and_says_what_it_lacks() {
    let server = ModelServer::with(|_, number| Said::Text(format!("Answer {number}.")));
    let first = space(&server);
    first.run("eight.yaml", &["--out", "out"]);
    // The second run asks nobody, and its cassette has all calls all the same.
    first.run("eight.yaml", &[]);
    let done = first.kyo(&["cassette", "export", "eight.cassette"]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    for part in ["8 calls of run 2", "openai/gpt-4o-mini  8 calls, once $"] {
        assert!(done.stdout.contains(part), "{part}\n{}", done.stdout);
    }
    let tape = first.read("eight.cassette");
    drop(server);

    // Another machine: another store, no key, and nobody at the other end.
    let other = Space::new();
    other
        .write("eight.yaml", EIGHT)
        .write("ask.md", "Question {{ number }}")
        .write("eight.cassette", &tape)
        .write("cut.cassette", &tape[..tape.len() / 2]);
    let replay =
        |tape: &str| other.kyo(&["cassette", "replay", tape, "eight.yaml", "--out", "out"]);
    let cut = replay("cut.cassette");
    assert_eq!(cut.code, 2, "{}", cut.stderr);
    assert!(cut.stderr.contains("cut.cassette: line "), "{}", cut.stderr);
    let done = replay("eight.cassette");
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert!(
        done.stderr.contains("8 calls of `eight`: 8 new, 0 known"),
        "{}",
        done.stderr
    );
    assert_eq!(other.read("out/all.json"), first.read("out/all.json"));
    other.kyo(&["cassette", "export", "again.cassette"]);
    assert_eq!(
        other.read("again.cassette"),
        tape,
        "a copy of a copy is the same"
    );

    other.write("ask.md", "Query {{ number }}");
    let missed = replay("eight.cassette");
    assert_eq!(missed.code, 1);
    for part in ["the nearest stored request differs", "Question", "Query"] {
        assert!(missed.stderr.contains(part), "{part}\n{}", missed.stderr);
    }
}

#[test]
fn a_cassette_with_a_key_in_it_is_not_written() {
    let server = ModelServer::with(|_, _| Said::Text("Well.".to_owned()));
    let mut space = space(&server);
    space.set("OTHER_TOKEN", "hunter2hunter2");
    space.write("ask.md", "Question {{ number }} of hunter2hunter2");
    space.run("eight.yaml", &[]);
    let done = space.kyo(&["cassette", "export", "eight.cassette"]);
    assert_eq!(done.code, 2);
    assert!(
        done.stderr.contains("hold the value of OTHER_TOKEN"),
        "{}",
        done.stderr
    );
    assert!(!space.path("eight.cassette").exists());
}

#[test]
fn no_more_requests_are_under_way_at_a_provider_than_it_may_have() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (running, peak) = (now.clone(), most.clone());
    let server = ModelServer::with(move |_, number| {
        let count = running.fetch_add(1, Ordering::SeqCst) + 1;
        peak.fetch_max(count, Ordering::SeqCst);
        // Long enough that others would come if they could.
        for _ in 0..2000 {
            std::thread::yield_now();
        }
        running.fetch_sub(1, Ordering::SeqCst);
        Said::Text(format!("Answer {number}."))
    });
    let space = space(&server);
    let limited = EIGHT.replace("{openai: {", "{openai: {at_once: 2, ");
    space.write("eight.yaml", &limited).run("eight.yaml", &[]);
    assert_eq!(server.bodies().len(), 8);
    assert!(most.load(Ordering::SeqCst) <= 2, "{most:?}");
}

#[test]
fn the_doctor_finds_a_local_model_and_says_what_to_type() {
    let server = ModelServer::start("Well.");
    let mut space = Space::new();
    space.set("OLLAMA_BASE_URL", &server.url());
    let done = space.kyo(&["doctor"]);
    let line = done.stdout.lines().find(|line| line.contains("ollama"));
    let line = line.unwrap_or_else(|| panic!("{}", done.stdout));
    for part in [
        "ok",
        "tiny-7b and 1 more",
        "--set 'models.*=ollama/tiny-7b'",
    ] {
        assert!(line.contains(part), "{part}\n{line}");
    }
    space
        .write("eight.yaml", EIGHT)
        .write("ask.md", "Question {{ number }}");
    let check = space.kyo(&["check", "eight.yaml", "--set", "models.*=ollama/tiny-7b"]);
    assert_eq!(check.code, 0, "{}", check.stderr);
}

#[test]
fn a_stage_that_is_out_of_time_does_not_wait_for_the_answer() {
    let held = Arc::new(AtomicBool::new(true));
    let hold = held.clone();
    let server = ModelServer::with(move |_, _| {
        while hold.load(Ordering::Relaxed) {
            std::thread::yield_now();
        }
        Said::Dropped
    });
    let space = space(&server);
    let limited = EIGHT
        .replace("range(8)", "range(1)")
        .replace("    uses:", "    timeout: 1s\n    uses:");
    space.write("eight.yaml", &limited);
    let begin = Instant::now();
    let done = space.kyo(&["run", "eight.yaml"]);
    held.store(false, Ordering::Relaxed);
    assert_eq!(done.code, 1, "{}", done.stderr);
    assert!(done.stderr.contains("time limit of 1s"), "{}", done.stderr);
    assert!(begin.elapsed() < LONG, "{:?}", begin.elapsed());
}
