//! `kyo report`

use std::collections::BTreeMap;
use std::path::Path;

use kyobashi_cache::Store;
use serde_json::json;

use crate::arguments::{Global, Report};
use crate::exit::{self, Code, Stopped};
use crate::history::{self, Told};
use crate::report::{self, MARK};
use crate::{talk, workspace};

pub(super) fn report(global: &Global, arguments: &Report) -> Result<Code, Stopped> {
    let store = workspace::look(global)?;
    let number = history::find(&store.runs(), &arguments.run)?;
    let made = write(&store, number, &arguments.out)?;
    if global.json {
        talk::json(&json!({
            "run": number,
            "file": arguments.out,
            "papers": made.papers,
            "numbers": made.numbers,
            "bytes": made.html.len(),
        }))?;
        return Ok(exit::DONE);
    }
    talk::data(&format!(
        "{}: run {number}, {}, {}, {}",
        arguments.out.display(),
        talk::plural(made.papers as u64, "paper"),
        talk::plural(made.numbers as u64, "number"),
        talk::size(made.html.len() as u64),
    ))?;
    Ok(exit::DONE)
}

/// Writes the page of a run. What stands at `out` is replaced only if it is such a page.
///
/// # Errors
/// When the store cannot be read, or `out` cannot be written or holds something else.
pub(super) fn write(store: &Store, number: u64, out: &Path) -> Result<report::Report, Stopped> {
    let told = Told::read(&store.runs(), number, &BTreeMap::new());
    let made = report::page(store, &told)?;
    let failed =
        |error: std::io::Error| Stopped::wrong(format!("cannot write {}: {error}", out.display()));
    if out.exists() {
        let there = std::fs::read(out).map_err(failed)?;
        let head = String::from_utf8_lossy(&there[..there.len().min(1000)]).into_owned();
        if !head.contains(MARK) {
            return Err(
                Stopped::wrong(format!("{} is no page of `kyo report`", out.display()))
                    .help("name another file with `--out`"),
            );
        }
    }
    if let Some(folder) = out.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    std::fs::write(out, &made.html).map_err(failed)?;
    Ok(made)
}
