//! What a provider may take: how long it is waited for, how often it is asked, and a minute's tokens.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::model_server::{KEY, ModelServer, Said};
use crate::space::Space;

/// A minute, after which the tokens of the first requests count no more.
const MINUTE: Duration = Duration::from_secs(60);

fn pipeline(n: usize, limits: &str) -> String {
    format!(
        r#"
kyobashi: 1
name: asks
providers: {{openai: {{identity: "https://api.openai.com/v1"{limits}}}}}
models: {{one: openai/gpt-4o-mini}}
stages:
  ask:
    uses: llm/chat
    matrix: {{n: "${{range({n})}}"}}
    model: ${{models.one}}
    with: {{prompt: ask.md, sample: "${{n}}", max_tokens: 2000}}
    out: {{line: str}}
"#
    )
}

fn space(server: &ModelServer) -> Space {
    let mut space = Space::new();
    space.write("ask.md", "Say something.");
    space
        .set("OPENAI_BASE_URL", &server.url())
        .set("OPENAI_API_KEY", KEY);
    space
}

#[test]
fn a_server_that_hangs_is_asked_as_often_and_as_long_as_the_pipeline_says() {
    let held = Arc::new(AtomicBool::new(true));
    let hold = held.clone();
    let server = ModelServer::with(move |_, _| {
        while hold.load(Ordering::Relaxed) {
            std::thread::yield_now();
        }
        Said::Text("Well.".to_owned())
    });
    let space = space(&server);
    let limits = ", timeout: 300ms, tries: 2, longest_wait: 10ms";
    space.write("asks.yaml", &pipeline(1, limits));
    let done = space.kyo(&["run", "asks.yaml"]);
    assert_eq!(done.code, 1, "{}", done.stderr);
    assert!(done.stderr.contains("no answer in time"), "{}", done.stderr);
    assert!(done.stderr.contains("asked 2 times"), "{}", done.stderr);
    assert_eq!(server.bodies().len(), 2);
    held.store(false, Ordering::Relaxed);
    // Limits enter no key: who gives more time has the same call.
    space.write("asks.yaml", &pipeline(1, ""));
    assert_eq!(space.run("asks.yaml", &[]).ended("ran"), ["ask[n=0]"]);
    space.write("asks.yaml", &pipeline(1, limits));
    assert_eq!(space.run("asks.yaml", &[]).ended("ran"), [""; 0]);
    assert_eq!(server.bodies().len(), 3);
}

#[test]
fn a_server_that_asks_for_more_patience_than_there_is_ends_the_call() {
    let server = ModelServer::with(|_, _| Said::Raw(429, ("retry-after", "3"), "{}".to_owned()));
    let space = space(&server);
    space.write("asks.yaml", &pipeline(1, ", patience: 2s"));
    let done = space.kyo(&["run", "asks.yaml"]);
    assert_eq!(done.code, 1, "{}", done.stderr);
    let words = "asked once, until the server asked for a longer wait than it may";
    assert!(done.stderr.contains(words), "{}", done.stderr);
}

#[test]
fn a_request_reserves_its_longest_reply_and_gives_back_what_it_did_not_take() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (running, peak) = (now.clone(), most.clone());
    let begin = Instant::now();
    // Each reply takes 1200 tokens, as the server counts them.
    let server = ModelServer::with(move |_, number| {
        let count = running.fetch_add(1, Ordering::SeqCst) + 1;
        peak.fetch_max(count, Ordering::SeqCst);
        // The first is answered when the second is there, and both a little later: a third could come.
        while peak.load(Ordering::SeqCst) < 2 && begin.elapsed() < MINUTE {
            std::thread::yield_now();
        }
        for _ in 0..2000 {
            std::thread::yield_now();
        }
        running.fetch_sub(1, Ordering::SeqCst);
        Said::Text(format!("Answer {number}."))
    });
    let space = space(&server);
    // Two reservations of a little more than 2000 fit; after two replies of 1200 there is room for a third.
    space.write("asks.yaml", &pipeline(3, ", tpm: 5000"));
    space.run("asks.yaml", &["--pool", "model=3"]);
    assert_eq!(server.bodies().len(), 3);
    assert_eq!(most.load(Ordering::SeqCst), 2, "the third waits for room");
    assert!(begin.elapsed() < MINUTE, "and not for the next minute");
}
