//! The whole flow by models, and what must not happen twice: a reply, a training, or a long training of an
//! edit that blows up at once. And a finished paper made again by somebody with nothing but a cassette.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use serde_json::Value;

use crate::model_server::{KEY, ModelServer, Said};
use crate::scientist::{SMALL, answer, space};
use crate::space::{Done, Space};

const FLOW: &str = "pipelines/ai-scientist.yaml";

/// How long something is waited for that must come.
const LONG: Duration = Duration::from_secs(120);

/// The first question of a talk.
fn prompt(body: &Value) -> &str {
    let turns = body["messages"].as_array().unwrap();
    let asked = turns.iter().find(|turn| turn["role"] == "user").unwrap();
    asked["content"].as_str().unwrap()
}

fn asked_at(server: &ModelServer) -> Space {
    let mut space = space();
    space
        .set("OPENAI_BASE_URL", &server.url())
        .set("OPENAI_API_KEY", KEY);
    space
}

#[test]
fn an_edit_that_blows_up_in_its_first_steps_costs_no_full_training_and_its_author_is_told() {
    let server = ModelServer::with(|body, _| {
        let text = answer(body);
        let first = prompt(body).contains("write the whole new program")
            && !prompt(body).contains("Find the cause and mend it");
        // It compiles, and its loss is infinite from the first step on.
        Said::Text(match first {
            true => text
                .replace("torch.sine(", "torch.relu(")
                .replace("(p, noisy, t), noise)", "(p, noisy, t), noise) / 0.0"),
            false => text,
        })
    });
    let space = asked_at(&server);
    let done = space.run(FLOW, SMALL);
    let runs = |state: &str| -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for address in done.ended(state) {
            if let Some((_, within)) = address.split_once("lab/runs[1].attempt")
                && within.contains("train")
            {
                let stage = within.split(['/', '[']).nth(1).unwrap_or_default();
                *counts.entry(stage.replace("].", " ")).or_default() += 1;
            }
        }
        counts
    };
    let expected = |pairs: &[(&str, usize)]| -> BTreeMap<String, usize> {
        pairs
            .iter()
            .map(|(name, count)| ((*name).to_owned(), *count))
            .collect()
    };
    assert_eq!(
        runs("ran"),
        expected(&[("1 smoke", 1), ("2 smoke", 1), ("2 trial", 3)]),
        "{:?}",
        done.ended("ran")
    );
    let edits: Vec<Value> = server.bodies();
    let mends: Vec<&str> = edits
        .iter()
        .map(prompt)
        .filter(|prompt| prompt.contains("Find the cause and mend it"))
        .collect();
    assert_eq!(mends.len(), 1);
    for part in [
        "the short run before the trainings failed, so none of them was begun",
        "/ 0.0",
    ] {
        assert!(mends[0].contains(part), "{part}\n{}", mends[0]);
    }
}

/// Every file below a folder, with its bytes.
fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![dir.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(dir).unwrap().display().to_string();
                found.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    found
}

#[test]
fn a_paper_is_made_again_from_its_cassette_byte_for_byte_with_nobody_to_ask() {
    let server = ModelServer::with(|body, _| Said::Text(answer(body)));
    let space = asked_at(&server);
    space.run(FLOW, &[SMALL, &["--out", "out"]].concat());
    let made = server.bodies().len();
    let done = space.kyo(&[
        "cassette",
        "export",
        "paper.cassette",
        "--store",
        "pipelines/.kyobashi",
    ]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert!(
        done.stdout.contains(&format!("{made} calls")),
        "{}",
        done.stdout
    );
    let gone = server.url();
    drop(server);
    // Somebody else: an empty store, no key, and nobody at the address.
    let mut other = crate::scientist::space();
    other.set("OPENAI_BASE_URL", &gone);
    std::fs::copy(space.path("paper.cassette"), other.path("paper.cassette")).unwrap();
    let replay = ["cassette", "replay", "paper.cassette", FLOW, "--out", "out"];
    let again = other.kyo(&[&replay[..], SMALL].concat());
    assert_eq!(again.code, 0, "{}", again.stderr);
    assert!(!again.stderr.contains("no_key"), "{}", again.stderr);
    let (first, second) = (files(&space.path("out")), files(&other.path("out")));
    assert!(first.contains_key("paper.pdf"), "{:?}", first.keys());
    assert!(first.contains_key("report.html"), "{:?}", first.keys());
    let names = |all: &BTreeMap<String, Vec<u8>>| all.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&first), names(&second));
    let differing: Vec<&String> = first
        .iter()
        .filter(|(name, bytes)| second[*name] != **bytes)
        .map(|(name, _)| name)
        .collect();
    assert!(differing.is_empty(), "{differing:?}");
}

/// What one run said before it was killed.
fn killed(space: &Space, wait: impl FnOnce(&mut dyn Iterator<Item = String>)) -> Vec<Value> {
    let arguments = [&["run", FLOW, "--json", "--jobs", "1"], SMALL].concat();
    let mut child = space
        .command(&arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let said = Arc::new(Mutex::new(Vec::new()));
    let (sender, lines) = mpsc::channel();
    let reader = {
        let said = said.clone();
        let out = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                said.lock().unwrap().push(line.clone());
                // Whoever waits may have seen enough.
                let _ = sender.send(line);
            }
        })
    };
    wait(&mut std::iter::from_fn(|| lines.recv_timeout(LONG).ok()));
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap();
    // A last line without its end was not said.
    let said = said.lock().unwrap();
    said.iter()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}

#[test]
fn a_flow_that_is_killed_three_times_pays_no_reply_and_makes_no_training_twice() {
    let (reached, at) = mpsc::channel();
    // The kind of question that is not answered for now.
    let held = Arc::new(Mutex::new(None::<&str>));
    let answered = Arc::new(Mutex::new(Vec::new()));
    let server = {
        let (held, answered) = (held.clone(), answered.clone());
        ModelServer::with(move |body, number| {
            let is_held = || {
                held.lock()
                    .unwrap()
                    .is_some_and(|kind| prompt(body).contains(kind))
            };
            if is_held() {
                reached.send(()).unwrap();
                while is_held() {
                    std::thread::yield_now();
                }
                return Said::Dropped;
            }
            answered.lock().unwrap().push(body.to_string());
            // No two reviews are alike, so neither are the questions about them.
            Said::Text(answer(body).replace("\"Small.\"", &format!("\"Small, {number}.\"")))
        })
    };
    let space = asked_at(&server);
    let mut events = Vec::new();
    // First: a training of the edited program has begun, and others were made.
    events.extend(killed(&space, |lines| {
        let mut trained = 0;
        for line in lines {
            trained +=
                usize::from(line.contains("node_started") && line.contains("attempt[2].trial"));
            if trained == 3 {
                break;
            }
        }
    }));
    // Second and third: a question is under way.
    for kind in ["write the section **Method**", "Write the next version"] {
        *held.lock().unwrap() = Some(kind);
        events.extend(killed(&space, |_| at.recv_timeout(LONG).unwrap()));
        *held.lock().unwrap() = None;
    }
    let last: Done = space.run(FLOW, &[SMALL, &["--out", "out"]].concat());
    events.extend(last.events());
    assert!(space.path("out/paper.pdf").exists());
    let answered = answered.lock().unwrap();
    let once: BTreeSet<&String> = answered.iter().collect();
    assert_eq!(once.len(), answered.len(), "a reply was paid twice");
    assert_eq!(
        server.bodies().len(),
        answered.len() + 2,
        "two questions had no answer when their run was killed"
    );
    let mut trainings: BTreeMap<String, usize> = BTreeMap::new();
    for event in &events {
        if event["event"] == "node_finished"
            && event["state"] == "ran"
            && event["uses"] == "train/program"
        {
            *trainings
                .entry(event["address"].as_str().unwrap().to_owned())
                .or_default() += 1;
        }
    }
    assert!(trainings.len() >= 7, "{trainings:?}");
    assert!(trainings.values().all(|count| *count == 1), "{trainings:?}");
    assert_eq!(space.run(FLOW, SMALL).ended("ran"), [""; 0]);
}

#[test]
fn a_section_that_cannot_be_typeset_goes_back_to_its_author_with_its_place() {
    const BROKEN: &str = r"The layer is $\frac{a$ wide.";
    let server = ModelServer::with(|body, _| {
        let text = prompt(body);
        if text.contains("could not be typeset") {
            let start = text.find("````markdown\n").unwrap() + 13;
            let section = &text[start..text[start..].find("\n````").unwrap() + start];
            let mended = section.replace(BROKEN, "The layer is wide.");
            return Said::Text(format!("````markdown\n{mended}\n````"));
        }
        let said = answer(body);
        Said::Text(match text.contains("write the section **Method**") {
            true => said.replace("All else is the baseline's.", BROKEN),
            false => said,
        })
    });
    let space = asked_at(&server);
    let done = space.run(FLOW, &[SMALL, &["--out", "out"]].concat());
    assert_eq!(done.count("ran")["paper/repair"], 1);
    let bodies = server.bodies();
    let asked: Vec<&str> = bodies
        .iter()
        .map(prompt)
        .filter(|prompt| prompt.contains("could not be typeset"))
        .collect();
    assert_eq!(asked.len(), 1, "the improved draft needs no repair again");
    for part in ["# Method {#sec:method}", "draft.md:", BROKEN] {
        assert!(asked[0].contains(part), "{part}\n{}", asked[0]);
    }
    assert!(
        !asked[0].contains("# Results"),
        "the others stay as they are"
    );
    assert!(space.path("out/paper.pdf").exists());
}
