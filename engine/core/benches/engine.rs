//! What a pipeline costs before anything runs: check, packed form, graph, keys, schedule.
//! `cargo bench -p kyobashi-engine`.

#![expect(clippy::unwrap_used, reason = "a bench fails by panicking")]

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use kyobashi_cache::Digest;
use kyobashi_engine::artifact::{Artifact, Artifacts, FileArtifact};
use kyobashi_engine::plan::key::{Machine, Resolved};
use kyobashi_engine::plan::{Sources, grow};
use kyobashi_engine::run::{Effect, Input, Schedule};
use kyobashi_engine::spec::{FileKind, Files, Keys, Question, Spec, check};

fn main() {
    divan::main();
}

/// One pipeline, beside which every other file is there.
struct Text(String);

impl Files for Text {
    fn read(&self, _: &Path) -> io::Result<String> {
        Ok(self.0.clone())
    }

    fn look(&self, _: &Path) -> Option<FileKind> {
        Some(FileKind::File)
    }

    fn list(&self, _: &Path) -> Vec<String> {
        Vec::new()
    }
}

/// So many stages, each with one file and one output, written one by one.
fn written(count: usize) -> Text {
    let mut text = "kyobashi: 1\nname: bench\nstages:\n".to_owned();
    for n in 0..count {
        text.push_str(&format!(
            "  s{n}:\n    in: {{i: in/{n}.txt}}\n    run: 'cp \"$i\" \"$o\"'\n    out: {{o: file}}\n"
        ));
    }
    Text(text)
}

/// The same over a range.
fn fanned(count: usize) -> Text {
    Text(format!(
        "kyobashi: 1\nname: bench\nstages:\n  s:\n    foreach: {{n: '${{range({count})}}'}}\n    \
         with: {{n: '${{n}}'}}\n    run: 'echo \"$n\" > \"$o\"'\n    out: {{o: file}}\n"
    ))
}

fn checked(text: &Text) -> Spec {
    let (signatures, shapes, providers) = Default::default();
    let checked = check(&Question {
        file: Path::new("bench.yaml"),
        profile: None,
        values: None,
        set: &[],
        signatures: &signatures,
        shapes: &shapes,
        providers: &providers,
        files: text,
        keys: Keys::Wanted,
        pools: &|_| None,
        editor: None,
    });
    assert!(checked.problems.is_empty(), "{:?}", checked.problems);
    checked.spec.unwrap()
}

fn file(name: &str) -> Artifact {
    Artifact::File(FileArtifact {
        digest: Digest::of(name.as_bytes()),
        size: 80,
        origin: None,
    })
}

fn sources(count: usize) -> Sources {
    let names = (0..count).map(|n| format!("in/{n}.txt"));
    names
        .map(|name| (name.clone().into(), file(&name)))
        .collect()
}

#[divan::bench(args = [1_000, 10_000], sample_count = 10)]
fn check_written_stages(bencher: Bencher, count: usize) {
    let text = written(count);
    bencher
        .counter(ItemsCount::new(count))
        .bench(|| checked(black_box(&text)));
}

#[divan::bench(args = [1_000, 10_000], sample_count = 20)]
fn unpack_written_stages(bencher: Bencher, count: usize) {
    let packed = checked(&written(count)).pack();
    bencher
        .counter(ItemsCount::new(count))
        .bench(|| Spec::unpack(black_box(&packed), &BTreeMap::new()).unwrap());
}

#[divan::bench(args = [1_000, 10_000, 100_000], sample_count = 10)]
fn grow_a_fan_out(bencher: Bencher, count: usize) {
    let spec = checked(&fanned(count));
    let sources = Sources::new();
    bencher
        .counter(ItemsCount::new(count))
        .bench(|| grow(black_box(&spec), &sources));
}

#[divan::bench(args = [1_000], sample_count = 50)]
fn resolve_and_key(bencher: Bencher, count: usize) {
    let spec = checked(&written(count));
    let sources = sources(count);
    let schedule = Schedule::new(&spec, &sources, Box::new(|_, _| 0), None);
    let nodes: Vec<_> = schedule.graph.nodes.node_indices().collect();
    bencher.counter(ItemsCount::new(count)).bench_local(|| {
        for id in &nodes {
            let scope = schedule.scope(*id);
            let resolved = Resolved::of(&scope, schedule.stage(*id), &Machine::new());
            black_box(resolved.key().unwrap());
        }
    });
}

/// Everything is found.
#[divan::bench(args = [1_000, 10_000, 100_000], sample_count = 10)]
fn schedule_what_is_there(bencher: Bencher, count: usize) {
    let spec = checked(&fanned(count));
    let sources = Sources::new();
    let mut outputs = Artifacts::new();
    outputs.insert("o", file("o"));
    let outputs = Arc::new(outputs);
    bencher.counter(ItemsCount::new(count)).bench(|| {
        let mut schedule = Schedule::new(&spec, &sources, Box::new(|_, _| 0), None);
        while let Some(effect) = schedule.next_effect() {
            if let Effect::Look(id) = effect {
                schedule.feed(Input::Done(id, Arc::clone(&outputs)));
            }
        }
        assert!(schedule.finished());
    });
}

/// Nothing is found, and two run at a time.
#[divan::bench(args = [1_000, 10_000, 100_000], sample_count = 10)]
fn schedule_what_is_missing(bencher: Bencher, count: usize) {
    let spec = checked(&fanned(count));
    let sources = Sources::new();
    let outputs = Arc::new(Artifacts::new());
    bencher.counter(ItemsCount::new(count)).bench(|| {
        let mut schedule = Schedule::new(&spec, &sources, Box::new(|_, _| 0), None);
        while let Some(effect) = schedule.next_effect() {
            match effect {
                Effect::Look(id) => schedule.feed(Input::Missed(id)),
                Effect::Run(id) => schedule.feed(Input::Done(id, Arc::clone(&outputs))),
                _ => {}
            }
        }
        assert!(schedule.finished());
    });
}
