//! Every value of a folder of results with the names that lead to it, and the settings of the
//! experiments. It does not know what a paper says of them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use super::counts::Counted;
use super::series::{notes, series, table};
use super::{records, repeated, spreads};

/// How far a value can vouch for a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weight {
    /// A result in a data file.
    Result,
    /// Computed here from a list of results: a mean over seeds, the last of a curve.
    Computed,
    /// One of a few repetitions.
    Member,
    /// One of many points of a curve or rows of a log.
    Point,
    /// Found in prose, which may itself be wrong.
    Note,
}

/// A value with its names, from the folder inwards.
#[derive(Clone, Debug)]
pub(super) struct Value {
    pub(super) value: f64,
    pub(super) names: Vec<String>,
    /// `run_1/final_info.json: circle.means.kl_divergence`
    pub(super) source: String,
    pub(super) weight: Weight,
}

/// What a folder of results holds.
#[derive(Debug, Default)]
pub(super) struct Results {
    pub(super) values: Vec<Value>,
    /// Values of settings, with their sources.
    pub(super) settings: Vec<(f64, String)>,
    /// Settings that stand among the results: they explain numbers, but are no list of all settings.
    pub(super) own: Vec<(f64, String)>,
    /// What the notes call the runs: `run_0` → `Baseline`.
    pub(super) titles: Vec<(String, String)>,
    /// How many conditions, cases and repetitions there are.
    pub(super) counted: Vec<Counted>,
    /// Lengths of short lists of values.
    pub(super) lists: BTreeSet<usize>,
    pub(super) files: usize,
    pub(super) warnings: Vec<String>,
}

/// Larger files are left out, with a warning.
const MOST_BYTES: u64 = 64 << 20;
/// More values than this are not read.
pub(super) const MOST_VALUES: usize = 1_000_000;
/// Deeper folders are not looked into.
const DEEPEST: usize = 8;

/// File names that say nothing of what is in them.
const PLAIN_STEMS: [&str; 12] = [
    "final_info",
    "results",
    "result",
    "metrics",
    "summary",
    "scores",
    "eval",
    "output",
    "data",
    "final",
    "info",
    "stats",
];

/// Words in file names of texts that repeat a paper, or speak of what was never run.
const OTHERS: [&str; 9] = [
    "review",
    "idea",
    "paper",
    "draft",
    "template",
    "prompt",
    "manuscript",
    "report",
    "rating",
];

/// Words in file names of settings.
const SETTINGS: [&str; 8] = [
    "config",
    "literal",
    "setting",
    "args",
    "hparam",
    "hyperparam",
    "params",
    "options",
];

/// Reads a folder. `paper` is the paper's own text, which cannot vouch for itself.
pub(super) fn read(folder: &Path, paper: &str) -> Results {
    let mut results = Results::default();
    let mut files = Vec::new();
    list(folder, 0, &mut files, &mut results.warnings);
    files.sort();
    let letters = super::grouped::letters(paper);
    for path in files {
        let inner = path.strip_prefix(folder).unwrap_or(&path).to_path_buf();
        file(&path, &inner, (paper, &letters), &mut results);
    }
    repeated::gather(&mut results);
    results
}

fn list(folder: &Path, depth: usize, files: &mut Vec<PathBuf>, warnings: &mut Vec<String>) {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) if depth <= DEEPEST => entries,
        Ok(_) => {
            return warnings.push(format!("{} is too deep and was not read", folder.display()));
        }
        Err(error) => return warnings.push(format!("cannot read {}: {error}", folder.display())),
    };
    for entry in entries.flatten() {
        let path = entry.path();
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && !hidden => list(&path, depth + 1, files, warnings),
            Ok(kind) if kind.is_file() && !hidden => files.push(path),
            _ => {}
        }
    }
}

/// `paper` is its text, and its letters alone.
fn file(path: &Path, inner: &Path, (paper, letters): (&str, &str), results: &mut Results) {
    let ending = path
        .extension()
        .map(|ending| ending.to_string_lossy().to_lowercase());
    let stem = path
        .file_stem()
        .map(|stem| stem.to_string_lossy().to_lowercase())
        .unwrap_or_default();
    let ending = ending.unwrap_or_default();
    let known = [
        "json", "jsonl", "ndjson", "csv", "tsv", "yaml", "yml", "py", "txt", "log", "md", "out",
    ];
    let other = OTHERS.iter().any(|word| stem.contains(word));
    if !known.contains(&ending.as_str()) || other {
        return;
    }
    let shown = inner.display().to_string();
    if std::fs::metadata(path).is_ok_and(|metadata| metadata.len() > MOST_BYTES) {
        return results.warnings.push(format!(
            "{shown} is larger than {} MB and was not read",
            MOST_BYTES >> 20
        ));
    }
    let text = match std::fs::read(path) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) => {
            return results
                .warnings
                .push(format!("cannot read {shown}: {error}"));
        }
    };
    if text.trim() == paper.trim() {
        return;
    }
    results.files += 1;
    let settings = SETTINGS.iter().any(|word| stem.contains(word))
        || matches!(ending.as_str(), "py" | "yaml" | "yml");
    if settings {
        results
            .settings
            .extend(self::settings(&text, &shown, &ending));
        return;
    }
    let mut names: Vec<String> = inner
        .parent()
        .map(|folder| {
            folder
                .iter()
                .map(|part| part.to_string_lossy().into_owned())
                .collect()
        })
        .unwrap_or_default();
    if !PLAIN_STEMS.contains(&stem.as_str()) {
        names.push(stem);
    }
    match ending.as_str() {
        "json" => match json(&text) {
            Ok(value) => walk(&value, &names, &shown, String::new(), results),
            Err(error) => results
                .warnings
                .push(format!("{shown} is not JSON: {error}")),
        },
        "jsonl" | "ndjson" => {
            let lines: Vec<Json> = text.lines().filter_map(|line| json(line).ok()).collect();
            walk(&Json::Array(lines), &names, &shown, String::new(), results);
        }
        "csv" | "tsv" => table(
            &text,
            if ending == "tsv" { b'\t' } else { b',' },
            &names,
            &shown,
            letters,
            results,
        ),
        _ => notes(&text, &names, &shown, results),
    }
}

/// JSON, also with the `NaN` and `Infinity` that Python writes.
fn json(text: &str) -> Result<Json, String> {
    const LENIENT: usize = 8 << 20;
    serde_json::from_str(text).or_else(|error| {
        if text.len() > LENIENT {
            return Err(error.to_string());
        }
        json5::from_str(text).map_err(|_| error.to_string())
    })
}

fn walk(value: &Json, names: &[String], file: &str, pointer: String, results: &mut Results) {
    if results.values.len() >= MOST_VALUES {
        return;
    }
    let join = |key: &str| {
        if pointer.is_empty() {
            key.to_owned()
        } else {
            format!("{pointer}.{key}")
        }
    };
    match value {
        Json::Object(fields) => {
            for (key, inner) in fields {
                if records::is_settings(key) && inner.is_object() {
                    flat(inner, join(key), file, &mut results.own);
                    continue;
                }
                let names = [names, std::slice::from_ref(key)].concat();
                walk(inner, &names, file, join(key), results);
            }
        }
        Json::Array(items) => {
            let plain: Vec<f64> = items.iter().filter_map(number).collect();
            if let Some(ends) = spreads::ends(names, &plain).filter(|_| plain.len() == items.len())
            {
                for (index, names) in ends.into_iter().enumerate() {
                    results.values.push(Value {
                        value: plain[index],
                        names,
                        source: source(file, &join(&index.to_string())),
                        weight: Weight::Result,
                    });
                }
                return;
            }
            if plain.len() == items.len() {
                return series(&plain, names, file, &pointer, results);
            }
            for (index, (inner, own)) in items.iter().zip(records::names(items)).enumerate() {
                let names = [names, &own].concat();
                walk(inner, &names, file, join(&index.to_string()), results);
            }
        }
        other => {
            if let Some(value) = number(other).filter(|value| value.is_finite()) {
                results.values.push(Value {
                    value,
                    names: spreads::end_of(names).unwrap_or_else(|| names.to_vec()),
                    source: source(file, &pointer),
                    weight: Weight::Result,
                });
            }
        }
    }
}

pub(super) fn source(file: &str, pointer: &str) -> String {
    if pointer.is_empty() {
        file.to_owned()
    } else {
        format!("{file}: {pointer}")
    }
}

fn number(value: &Json) -> Option<f64> {
    value
        .as_f64()
        .or_else(|| value.as_str()?.trim().parse().ok())
}

/// The values of settings in a text of any kind.
pub(super) fn settings(text: &str, file: &str, ending: &str) -> Vec<(f64, String)> {
    let mut found = Vec::new();
    if ending == "json"
        && let Ok(value) = json(text)
    {
        flat(&value, String::new(), file, &mut found);
        return found;
    }
    found.extend(super::assigned::settings(text, file, ending));
    found
}

fn flat(value: &Json, pointer: String, file: &str, found: &mut Vec<(f64, String)>) {
    match value {
        Json::Object(fields) => {
            for (key, inner) in fields {
                let at = if pointer.is_empty() {
                    key.clone()
                } else {
                    format!("{pointer}.{key}")
                };
                flat(inner, at, file, found);
            }
        }
        Json::Array(items) => items
            .iter()
            .for_each(|inner| flat(inner, pointer.clone(), file, found)),
        other => {
            if let Some(value) = number(other).filter(|value| value.is_finite()) {
                found.push((value, source(file, &pointer)));
            }
        }
    }
}
