//! `kyo gc`: which runs are kept, and so what they reach; the rest is the store's own decision.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use kyobashi_cache::{Kind, Policy, Runs, Store, Sum, Sweep, Swept};
use serde_json::{Value, json};

use crate::arguments::{Gc, Global};
use crate::exit::{self, Code, Stopped};
use crate::history::{self, Told};
use crate::{journal, surroundings, talk, workspace};

/// Milliseconds of a day.
const DAY_MS: u64 = 24 * 3600 * 1000;

pub(super) fn gc(global: &Global, arguments: &Gc) -> Result<Code, Stopped> {
    let (store, sweep) = if arguments.delete {
        (workspace::change(global)?, Sweep::Now)
    } else {
        (workspace::look_closely(global)?, Sweep::Dry)
    };
    let runs = store.runs();
    let kept = kept(&runs, arguments)?;
    let mut days = arguments.days;
    let live = live(&runs)?;
    if let Some((number, began_ms)) = live {
        // What a live run has used since its first day is marked as used since then.
        let since = surroundings::now_ms().saturating_sub(began_ms) / DAY_MS + 2;
        days = days.max(u32::try_from(since).unwrap_or(u32::MAX));
        if arguments.max_size.is_some() && sweep == Sweep::Now {
            return Err(Stopped::wrong(format!(
                "run {number} is at work: a collection by size could take what it reads"
            ))
            .help("wait until it has ended, or leave `--max-size` out"));
        }
    }
    let mut policy = policy(&store, &kept, days, arguments.max_size)?;
    if live.is_none() {
        // What a process puts into the store is spared for as long as it lives in any case.
        policy.grace = Duration::ZERO;
    }
    let swept = store.gc(&policy, sweep)?;
    let left = leftovers(
        store.dir(),
        Duration::from_secs(u64::from(days.max(1)) * 24 * 3600),
    );
    if sweep == Sweep::Now {
        for (path, _) in &left {
            // Another process may sweep at the same time.
            let _ = std::fs::remove_dir_all(path);
        }
    }
    if global.json {
        talk::json(&document(&store, &kept, sweep, &swept, &left))?;
    } else {
        for line in said(&kept, sweep, &swept, &left) {
            talk::data(&line)?;
        }
        if sweep == Sweep::Dry && swept.blobs + records(&swept) + left.len() as u64 > 0 {
            talk::say(
                global,
                "Nothing was deleted: `kyo gc --delete` with the same words does it.",
            );
        }
    }
    Ok(exit::DONE)
}

/// The runs that are kept, with the reason.
fn kept(runs: &Runs, arguments: &Gc) -> Result<BTreeMap<u64, &'static str>, Stopped> {
    let mut kept = BTreeMap::new();
    let mut newest: BTreeMap<(String, String), usize> = BTreeMap::new();
    for number in runs.list()?.into_iter().rev() {
        let Some(begun) = journal::first(&runs.events(number)).and_then(history::begun) else {
            continue;
        };
        let count = newest.entry((begun.pipeline, begun.file)).or_default();
        *count += 1;
        if *count <= arguments.runs {
            kept.insert(number, "recent");
        }
    }
    for number in runs.pins()?.into_keys() {
        kept.insert(number, "pinned");
    }
    for text in &arguments.keep {
        kept.insert(history::find(runs, text)?, "named");
    }
    Ok(kept)
}

/// The first run that is at work, and when it began.
fn live(runs: &Runs) -> Result<Option<(u64, u64)>, Stopped> {
    let mut live = runs
        .list()?
        .into_iter()
        .filter(|number| runs.is_live(*number));
    Ok(live.next().map(|number| {
        let begun = journal::first(&runs.events(number)).and_then(history::begun);
        (number, begun.map_or(0, |begun| begun.at_ms))
    }))
}

/// What the kept runs reach: the results of their stage runs, the calls that those were made with,
/// and the texts that their journals name.
fn policy(
    store: &Store,
    kept: &BTreeMap<u64, &'static str>,
    days: u32,
    max_bytes: Option<u64>,
) -> Result<Policy, Stopped> {
    let runs = store.runs();
    let pins = BTreeMap::new();
    let mut policy = Policy {
        unused_days: Some(days),
        max_bytes,
        ..Policy::default()
    };
    // A reused result was made by another run, and the calls for it are in that run's journal.
    let mut makers: BTreeMap<u64, BTreeSet<String>> = BTreeMap::new();
    for number in kept.keys() {
        let told = Told::read(&runs, *number, &pins);
        for key in told.finished.iter().filter_map(|one| one.key) {
            if policy.keep.insert((Kind::Stage, key)) {
                for entry in store.history(Kind::Stage, &key)? {
                    let word = |word| history::noted(&entry.record.note, word);
                    if let (Some(run), Some(address)) = (word("run"), word("address"))
                        && let Ok(run) = run.parse()
                    {
                        makers.entry(run).or_default().insert(address);
                    }
                }
            }
        }
        policy
            .keep
            .extend(told.called.iter().map(|(_, key)| (Kind::Call, *key)));
        policy.keep_blobs.extend(told.made_from.files.values());
        policy.keep_blobs.extend(told.made_from.sources);
        policy.keep_blobs.extend(told.content);
        let mut blobs = Vec::new();
        for artifact in told.artifacts(store).unwrap_or_default().values() {
            artifact.blobs(&mut blobs);
        }
        policy.keep_blobs.extend(blobs);
    }
    for (number, addresses) in makers {
        if kept.contains_key(&number) {
            continue;
        }
        let called = Told::read(&runs, number, &pins).called;
        let of_kept = called
            .iter()
            .filter(|(address, _)| addresses.contains(address));
        policy
            .keep
            .extend(of_kept.map(|(_, key)| (Kind::Call, *key)));
    }
    Ok(policy)
}

/// Checkpoints of trainings that nobody went on with, and scratch folders of dead processes, that
/// are older than `age`; each with its bytes.
fn leftovers(store: &Path, age: Duration) -> Vec<(PathBuf, u64)> {
    let mut found = Vec::new();
    for folder in ["checkpoints", "scratch"] {
        for entry in std::fs::read_dir(store.join(folder))
            .into_iter()
            .flatten()
            .flatten()
        {
            let (bytes, newest) = measure(&entry.path());
            let old = newest.is_some_and(|newest| newest.elapsed().is_ok_and(|since| since > age));
            if old {
                found.push((entry.path(), bytes));
            }
        }
    }
    found.sort();
    found
}

/// The bytes below a path, and when the newest of its entries was written.
fn measure(path: &Path) -> (u64, Option<SystemTime>) {
    let Ok(metadata) = path.symlink_metadata() else {
        return (0, None);
    };
    let mut sum = (metadata.len(), metadata.modified().ok());
    if metadata.is_dir() {
        sum.0 = 0;
        for entry in std::fs::read_dir(path).into_iter().flatten().flatten() {
            let (bytes, newest) = measure(&entry.path());
            sum = (sum.0 + bytes, sum.1.max(newest));
        }
    }
    sum
}

fn records(swept: &Swept) -> u64 {
    swept.stages.records + swept.calls.records
}

fn said(
    kept: &BTreeMap<u64, &'static str>,
    sweep: Sweep,
    swept: &Swept,
    left: &[(PathBuf, u64)],
) -> Vec<String> {
    let go = match sweep {
        Sweep::Dry => "would go",
        Sweep::Now => "gone",
    };
    let count = |why: &str| kept.values().filter(|found| **found == why).count();
    let mut lines = vec![format!(
        "kept       {}, {} in files: reached by {} ({} recent, {} pinned, {} named), or used lately",
        talk::plural(swept.kept_records, "record"),
        talk::size(swept.kept_bytes),
        talk::plural(kept.len() as u64, "run"),
        count("recent"),
        count("pinned"),
        count("named"),
    )];
    let again = |sum: &Sum| {
        format!(
            "{} of work, {}",
            talk::duration(sum.seconds),
            talk::money(sum.usd)
        )
    };
    lines.push(format!(
        "{go:10} {} of stages; to make them again: {}",
        talk::plural(swept.stages.records, "record"),
        again(&swept.stages)
    ));
    if swept.calls.records > 0 {
        lines.push(format!(
            "{go:10} {} of calls; to make them again: {}, also counted with their stages above",
            talk::plural(swept.calls.records, "record"),
            talk::money(swept.calls.usd)
        ));
    }
    if swept.broken > 0 {
        lines.push(format!(
            "           {} of these could not be reused anyway: a file is missing",
            swept.broken
        ));
    }
    lines.push(format!(
        "{go:10} {}, {}",
        talk::plural(swept.blobs, "file"),
        talk::size(swept.bytes)
    ));
    if !left.is_empty() {
        let bytes = left.iter().map(|(_, bytes)| bytes).sum();
        lines.push(format!(
            "{go:10} {} of trainings and attempts that were never finished, {}",
            talk::plural(left.len() as u64, "folder"),
            talk::size(bytes)
        ));
    }
    lines
}

fn document(
    store: &Store,
    kept: &BTreeMap<u64, &'static str>,
    sweep: Sweep,
    swept: &Swept,
    left: &[(PathBuf, u64)],
) -> Value {
    let sum = |sum: &Sum| json!({ "records": sum.records, "seconds": sum.seconds, "usd": sum.usd });
    json!({
        "store": store.dir(),
        "deleted": sweep == Sweep::Now,
        "kept_runs": kept,
        "kept_records": swept.kept_records,
        "kept_bytes": swept.kept_bytes,
        "stages": sum(&swept.stages),
        "calls": sum(&swept.calls),
        "broken": swept.broken,
        "files": swept.blobs,
        "bytes": swept.bytes,
        "leftovers": left.iter().map(|(path, _)| path).collect::<Vec<_>>(),
        "leftover_bytes": left.iter().map(|(_, bytes)| bytes).sum::<u64>(),
    })
}
