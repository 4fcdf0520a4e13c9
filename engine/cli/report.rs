//! A run as one HTML page: the pages of its papers, on which a click on a number shows where it came from,
//! and its outputs.
//!
//! [`lineage`] follows who made what from what, [`papers`] and [`results`] take content out of the store. It prints nothing and changes nothing in the store.

mod lineage;
mod papers;
mod results;

use std::path::Path;

use kyobashi_cache::Store;
use serde_json::{Value, json};

use crate::exit::Stopped;
use crate::history::{Begun, Told};

const PAGE: &str = include_str!("report/page.html");
const STYLE: &str = include_str!("report/page.css");
const SCRIPT: &str = include_str!("report/page.js");

/// Stage runs that the page lists; a run of many more is read with `kyo show`.
const LISTED: usize = 2000;

/// The mark by which a page that this command wrote is known again.
pub(crate) const MARK: &str = "<meta name=\"generator\" content=\"kyo report\">";

/// A page, and what is on it.
pub(crate) struct Report {
    pub(crate) html: String,
    pub(crate) papers: usize,
    pub(crate) numbers: usize,
}

/// The page of a run. It needs nothing beside itself.
///
/// # Errors
/// When the store cannot be read.
pub(crate) fn page(store: &Store, told: &Told) -> Result<Report, Stopped> {
    let papers = papers::papers(store, told)?;
    let results = results::Results::of(store, told)?;
    let roots = papers.iter().flat_map(papers::Paper::makers);
    let lineage = lineage::Lineage::of(store, told, roots.chain(results.makers()))?;
    let sum = told.sum();
    let listed = told.finished.iter().take(LISTED).map(|one| {
        json!({"address": one.address, "uses": one.uses, "state": one.state, "seconds": one.seconds,
               "usd": one.usd})
    });
    let begun = told.begun.as_ref();
    let document = json!({
        "run": {
            "number": told.number,
            "pipeline": told.pipeline(),
            "outcome": told.outcome(),
            "command": begun.map(|begun| command(store, begun)),
            "store": begun.and_then(|begun| elsewhere(store, &begun.asked.dir)),
            "at_ms": begun.map(|begun| begun.at_ms),
            "kyo": told.made_from.kyo,
            "ran": sum.ran, "reused": sum.reused, "failed": sum.failed, "skipped": sum.skipped,
            "usd": sum.usd,
            "stages": told.finished.len(),
        },
        "stages": listed.collect::<Vec<Value>>(),
        "lineage": lineage.document(),
        "results": results.document(),
        "papers": papers.iter().map(papers::Paper::document).collect::<Vec<Value>>(),
    });
    // Text of a stage must not end the script in which it stands.
    let data = document
        .to_string()
        .replace("</", "<\\/")
        .replace("<!--", "<\\!--");
    let title = format!("{} · run {}", told.pipeline(), told.number);
    let html = PAGE
        .replace("{{mark}}", MARK)
        .replace("{{title}}", &escaped(&title))
        .replace("{{style}}", STYLE)
        .replace("{{script}}", SCRIPT)
        .replace("{{data}}", &data);
    Ok(Report {
        html,
        papers: papers.len(),
        numbers: papers.iter().map(papers::Paper::numbers).sum(),
    })
}

/// The command that asked for the run; with its store, where that is not the one beside the pipeline.
fn command(store: &Store, begun: &Begun) -> String {
    let file = Path::new(&begun.asked.dir).join(&begun.file);
    let beside = file.parent().map(|dir| dir.join(".kyobashi"));
    let words = begun.words();
    match beside.is_some_and(|beside| beside == store.dir()) {
        true => words,
        false => format!("{words} --store '{}'", store.dir().display()),
    }
}

/// The store as it is named in the folder where the run was asked for; nothing where it stands there.
fn elsewhere(store: &Store, dir: &str) -> Option<String> {
    let here = Path::new(dir);
    let shown = store.dir().strip_prefix(here).unwrap_or(store.dir());
    (shown != Path::new(".kyobashi")).then(|| shown.display().to_string())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;")
}
