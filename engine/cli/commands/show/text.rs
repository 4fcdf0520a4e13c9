//! A run and a stage run in words.

use kyobashi_cache::Store;
use kyobashi_engine::artifact::{Artifact, Artifacts};
use kyobashi_engine::run::FinalState;

use super::Shown;
use crate::exit::Stopped;
use crate::history::{self, Told};
use crate::{outline, talk};

/// Members of a list that are shown before they are only counted.
const MEMBERS: usize = 5;

pub(super) fn run(store: &Store, told: &Told, outputs: &Artifacts) -> Result<Vec<String>, Stopped> {
    let sum = told.sum();
    let begun = told.begun.as_ref();
    let mut lines = vec![format!(
        "run {} of {}  {}  {}, {}, {}",
        told.number,
        told.pipeline(),
        told.outcome(),
        begun.map_or_else(|| "?".to_owned(), |begun| talk::when(begun.at_ms)),
        talk::duration(sum.seconds),
        talk::money(sum.usd)
    )];
    if let Some(begun) = begun {
        lines.push(format!("asked   {}  in {}", begun.words(), begun.asked.dir));
    }
    let from = &told.made_from;
    let facts: Vec<_> = from
        .machine
        .iter()
        .map(|(name, value)| format!("{name} {value}"))
        .collect();
    lines.push(format!("by      kyo {}, {}", from.kyo, facts.join(", ")));
    for (name, value) in &from.params {
        let text = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        lines.push(format!("params  {name} = {text}"));
    }
    for (role, model) in &from.models {
        lines.push(format!("models  {role} = {model}"));
    }
    let width = told.finished.iter().map(|one| one.address.chars().count());
    let width = width.max().unwrap_or(0).min(60);
    lines.push(format!("stages  {}", crate::progress::counts(&sum)));
    for one in &told.finished {
        let (state, note) = match one.state {
            FinalState::Ran => (
                "ran",
                format!("{}, {}", talk::duration(one.seconds), talk::money(one.usd)),
            ),
            FinalState::Reused => (
                "reused",
                format!(
                    "saved {}, {}",
                    talk::duration(one.saved_seconds),
                    talk::money(one.saved_usd)
                ),
            ),
            FinalState::Skipped => (
                "skipped",
                format!("because of {}", one.because.as_deref().unwrap_or_default()),
            ),
            FinalState::Failed => {
                let failure = one.failure.as_ref().map(|failure| failure.message.as_str());
                let first = failure.unwrap_or_default().lines().next();
                ("FAILED", first.unwrap_or_default().to_owned())
            }
        };
        let line = format!("  {state:7}  {:width$}  {}  {note}", one.address, one.uses);
        lines.push(line.trim_end().to_owned());
    }
    if !outputs.is_empty() {
        lines.push("outputs".to_owned());
        lines.extend(made(store, outputs));
    }
    Ok(lines)
}

pub(super) fn stage(shown: &Shown<'_>) -> Vec<String> {
    let (one, record) = (shown.one, shown.record);
    let mut lines = vec![format!(
        "{}  {}  {}",
        one.address,
        one.uses,
        one.place.as_deref().unwrap_or_default()
    )];
    let by = history::noted(&record.note, "run").unwrap_or_else(|| "?".to_owned());
    let how = match one.state {
        FinalState::Reused => format!("reused by run {}, made by run {by}", shown.told.number),
        _ => format!("made by run {by}"),
    };
    let when = match record.started_at_ms {
        0 => String::new(),
        at => format!(" at {}", talk::when(at)),
    };
    lines.push(format!(
        "{how}{when}; it took {} and cost {}",
        talk::duration(record.seconds),
        talk::money(record.usd)
    ));
    if let Some(key) = &one.key {
        lines.push(format!("key {key}"));
    }
    if let Some(provenance) = history::noted(&record.note, "provenance") {
        lines.push(format!("provenance {provenance}"));
    }
    if !shown.called.is_empty() {
        let count = talk::plural(shown.called.len() as u64, "call");
        lines.push(format!("{count} to the world; `--json` has the keys"));
    }
    if let Some(log) = &one.log {
        lines.push(format!("log {}", talk::here(log)));
    }
    lines.push("outputs".to_owned());
    lines.extend(made(shown.store, &shown.outputs));
    lines.push("recipe".to_owned());
    let width = shown.recipe.keys().map(|field| field.chars().count()).max();
    let width = width.unwrap_or(0);
    for (field, value) in &shown.recipe {
        let text = outline::plain(value);
        let mut said = text.trim_end().lines();
        let from = shown.from.get(field);
        let from = from.map_or_else(String::new, |from| format!("  from {}", named(from)));
        let first = said.next().unwrap_or_default();
        lines.push(
            format!("  {field:width$}  {first}{from}")
                .trim_end()
                .to_owned(),
        );
        lines.extend(said.map(|line| format!("  {:width$}  {line}", "").trim_end().to_owned()));
    }
    lines
}

/// Some makers by name, the rest by number.
fn named(makers: &[String]) -> String {
    let named = makers[..makers.len().min(MEMBERS)].join(", ");
    match makers.len().saturating_sub(MEMBERS) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

/// Outputs with their digests, sizes and places.
fn made(store: &Store, outputs: &Artifacts) -> Vec<String> {
    let width = outputs.keys().map(|name| name.chars().count()).max();
    let width = width.unwrap_or(0);
    let mut lines = Vec::new();
    for (name, artifact) in outputs {
        match artifact {
            Artifact::List(_) | Artifact::Grid(_) if artifact.plain().is_none() => {
                let members = artifact.members().unwrap_or_default();
                let count = talk::plural(members.len() as u64, "member");
                lines.push(format!("  {name:width$}  {} of {count}", artifact.kind()));
                for (index, member) in members.iter().take(MEMBERS).enumerate() {
                    lines.push(format!(
                        "  {:width$}  [{index}] {}",
                        "",
                        said(store, member)
                    ));
                }
                if members.len() > MEMBERS {
                    lines.push(format!("  {:width$}  …", ""));
                }
            }
            artifact => lines.push(format!("  {name:width$}  {}", said(store, artifact))),
        }
    }
    lines
}

fn said(store: &Store, artifact: &Artifact) -> String {
    match artifact {
        Artifact::File(file) => {
            let path = store.path_of(&file.digest);
            let gone = if path.exists() {
                ""
            } else {
                "  (no longer there)"
            };
            format!(
                "file {}, {}  {}{gone}",
                file.digest.short(),
                talk::size(file.size),
                talk::here(&path)
            )
        }
        Artifact::Dir(folder) => format!(
            "folder {}, {}",
            folder.digest.short(),
            talk::size(folder.size)
        ),
        Artifact::Large(digest) => format!(
            "value {}  {}",
            digest.short(),
            talk::here(&store.path_of(digest))
        ),
        other => match other.plain() {
            Some(value) => {
                let text = value.to_string();
                let short: String = text.chars().take(100).collect();
                let more = if short.len() < text.len() { "…" } else { "" };
                format!("{short}{more}")
            }
            None => format!("{} {}", other.kind(), other.digest().short()),
        },
    }
}
