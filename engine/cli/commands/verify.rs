//! `kyo verify`

use kyobashi_cache::{Fault, Kind, Repair};
use serde_json::{Value, json};

use crate::arguments::{Global, Verify};
use crate::exit::{self, Code, Stopped};
use crate::{history, talk, workspace};

pub(super) fn verify(global: &Global, arguments: &Verify) -> Result<Code, Stopped> {
    let (store, repair) = if arguments.dry_run {
        (workspace::look_closely(global)?, Repair::No)
    } else {
        (workspace::change(global)?, Repair::Yes)
    };
    let bar = Bar::new(global, store.stats()?.bytes);
    let found = store.verify(repair, &|bytes| bar.seen(bytes))?;
    drop(bar);
    let left = found
        .faults
        .iter()
        .filter(|fault| repair == Repair::No || !repaired(fault))
        .count();
    if global.json {
        talk::json(&json!({
            "store": store.dir(),
            "records": found.records,
            "blobs": found.blobs,
            "bytes": found.bytes,
            "faults": found.faults.iter().map(|fault| document(fault, repair)).collect::<Vec<_>>(),
            "left": left,
        }))?;
    } else {
        for fault in &found.faults {
            let (what, then) = said(fault);
            talk::data(&what)?;
            match repair {
                Repair::Yes => talk::data(&format!("  {then}"))?,
                Repair::No if !repaired(fault) => talk::data(&format!("  {then}"))?,
                Repair::No => {}
            }
        }
        let read = format!(
            "read {}, {} in {}",
            talk::plural(found.records, "record"),
            talk::size(found.bytes),
            talk::plural(found.blobs, "file")
        );
        talk::data(&match (found.faults.len(), left) {
            (0, _) => format!("{read}: all as it was written"),
            (all, 0) => format!(
                "{read}: {} found and repaired; what was dropped is made again when it is next needed",
                talk::plural(all as u64, "fault")
            ),
            (all, left) => format!(
                "{read}: {} found, {left} left as they are",
                talk::plural(all as u64, "fault")
            ),
        })?;
        if left > 0 && repair == Repair::No {
            talk::say(
                global,
                "help: `kyo verify` without `--dry-run` drops what is wrong",
            );
        }
    }
    Ok(if left > 0 {
        exit::FAULTS_LEFT
    } else {
        exit::DONE
    })
}

/// Whether a repair drops it.
fn repaired(fault: &Fault) -> bool {
    matches!(
        fault,
        Fault::Damaged { .. }
            | Fault::Incomplete { .. }
            | Fault::Unfinished { .. }
            | Fault::Tree { .. }
    )
}

/// What is wrong, and what comes of it.
fn said(fault: &Fault) -> (String, &'static str) {
    match fault {
        Fault::Damaged { digest, path } => (
            format!("damaged      {}  ({})", path.display(), digest.short()),
            "dropped: its bytes were not those that its name says",
        ),
        Fault::Incomplete {
            kind,
            key,
            blobs,
            note,
            ..
        } => {
            let who = match (kind, history::noted(note, "address")) {
                (Kind::Stage, Some(address)) => match history::noted(note, "run") {
                    Some(run) => format!("stage run `{address}` of run {run}"),
                    None => format!("stage run `{address}`"),
                },
                (Kind::Stage, None) => format!("stage record {}", key.digest().short()),
                (Kind::Call, _) => format!("call {}", key.digest().short()),
            };
            let blobs: Vec<_> = blobs.iter().map(kyobashi_cache::Digest::short).collect();
            (
                format!(
                    "incomplete   {who}: {} missing or damaged",
                    blobs.join(", ")
                ),
                "dropped: it runs again when it is next needed",
            )
        }
        Fault::Unfinished { path } => (
            format!("half-written {}", path.display()),
            "removed: nothing ever read it",
        ),
        Fault::Tree { path } => (
            format!("edited copy  {}", path.display()),
            "removed: it is laid out again when it is next needed",
        ),
        Fault::Stray { path } => (
            format!("stray        {}", path.display()),
            "left alone: no kyo puts such a file there; move it away",
        ),
        Fault::Index { path, what } => (
            format!("index        {}: {what}", path.display()),
            "left alone: move the file away, and the next run makes a new one; the records are lost, the files stay",
        ),
        // The list of faults may grow.
        other => (format!("{other:?}"), "left alone"),
    }
}

fn document(fault: &Fault, repair: Repair) -> Value {
    let dropped = repair == Repair::Yes && repaired(fault);
    match fault {
        Fault::Damaged { digest, path } => {
            json!({ "fault": "damaged", "digest": digest, "path": path, "dropped": dropped })
        }
        Fault::Incomplete {
            kind,
            key,
            row,
            blobs,
            note,
        } => json!({
            "fault": "incomplete",
            "kind": match kind { Kind::Stage => "stage", Kind::Call => "call" },
            "key": key,
            "row": row,
            "blobs": blobs,
            "address": history::noted(note, "address"),
            "dropped": dropped,
        }),
        Fault::Unfinished { path } => {
            json!({ "fault": "half-written", "path": path, "dropped": dropped })
        }
        Fault::Tree { path } => json!({ "fault": "edited copy", "path": path, "dropped": dropped }),
        Fault::Stray { path } => json!({ "fault": "stray", "path": path, "dropped": false }),
        Fault::Index { path, what } => {
            json!({ "fault": "index", "path": path, "what": what, "dropped": false })
        }
        other => json!({ "fault": format!("{other:?}"), "dropped": false }),
    }
}

/// Bytes that were read, on a terminal.
struct Bar(Option<indicatif::ProgressBar>);

impl Bar {
    fn new(global: &Global, bytes: u64) -> Self {
        Self(talk::bars(global).then(|| {
            let bar = indicatif::ProgressBar::new(bytes);
            let style = "{bar:30} {bytes}/{total_bytes} read, {eta} left";
            bar.set_style(
                indicatif::ProgressStyle::with_template(style).expect("the template is a constant"),
            );
            bar
        }))
    }

    fn seen(&self, bytes: u64) {
        if let Some(bar) = &self.0 {
            bar.inc(bytes);
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
