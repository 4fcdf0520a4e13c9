//! A plan for people: what changed, then one line for all instances of a stage that share a fate.

use std::collections::BTreeMap;

use kyobashi_engine::run::preview::{Change, Planned, Prospect};
use kyobashi_engine::spec::Place;
use serde_json::Value;

use crate::talk;

/// Changes that are listed at the head; the rest are counted.
const HEAD: usize = 20;

/// The longest piece of a value that is shown, in characters.
const WIDTH: usize = 48;

/// What changed since the last run, each change once: its name, the values, the place.
pub(crate) fn changes(planned: &[Planned]) -> Vec<String> {
    let mut rows: BTreeMap<String, (Vec<(String, String)>, String)> = BTreeMap::new();
    for node in planned {
        for change in &node.because {
            if change.old.is_null() || change.new.is_null() {
                continue;
            }
            let own = || format!("{}.{}", node.stage, change.field);
            let name = change.name.clone().unwrap_or_else(own);
            let (values, _) = rows
                .entry(name)
                .or_insert_with(|| (Vec::new(), at(change.place.as_ref())));
            let pair = pair(&change.old, &change.new);
            if !values.contains(&pair) {
                values.push(pair);
            }
        }
    }
    let width = rows.keys().map(|name| name.chars().count()).max();
    let width = width.unwrap_or(0).min(WIDTH);
    let mut lines: Vec<_> = rows
        .into_iter()
        .map(|(name, (values, place))| {
            let values = match &values[..] {
                [(old, new)] => format!("{old} -> {new}"),
                many => format!("{} values differ", many.len()),
            };
            format!("{name:width$}  {values}  {place}")
        })
        .collect();
    if lines.len() > HEAD {
        let more = lines.split_off(HEAD).len();
        lines.push(format!("and {more} more"));
    }
    lines
}

/// The plan, line by line: instances of a stage with one fate share a line, unless `all` are wanted.
pub(crate) fn rows(planned: &[Planned], all: bool) -> Vec<String> {
    let mut groups: Vec<(&Planned, String, usize)> = Vec::new();
    let mut places: BTreeMap<(&str, Prospect, String), usize> = BTreeMap::new();
    for node in planned {
        let reason = reason(node);
        let key = (node.stage.as_str(), node.state, reason.clone());
        match places.get(&key) {
            Some(index) if !all => groups[*index].2 += 1,
            _ => {
                places.insert(key, groups.len());
                groups.push((node, reason, 1));
            }
        }
    }
    let name = |node: &Planned, count| {
        if count == 1 {
            node.address.clone()
        } else {
            node.stage.clone()
        }
    };
    let names = groups.iter().map(|(node, _, count)| name(node, *count));
    let width = names.map(|name| name.chars().count()).max();
    let width = width.unwrap_or(0).min(60);
    let digits = groups.iter().map(|(.., count)| count.to_string().len());
    let digits = digits.max().unwrap_or(1);
    groups
        .iter()
        .map(|(node, reason, count)| {
            let line = format!(
                "{} {:width$}  {count:digits$} {:7}  {reason}",
                sign(node.state),
                name(node, *count),
                word(node.state)
            );
            line.trim_end().to_owned()
        })
        .collect()
}

/// Why, without values: those stand at the head.
fn reason(node: &Planned) -> String {
    let fields = || {
        let each = node.because.iter().map(|change| match &change.name {
            Some(name) => format!("{} ({name})", change.field),
            None => change.field.clone(),
        });
        each.collect::<Vec<_>>().join(", ")
    };
    let first = node.because.first();
    let text = first.map(|change| plain(&change.new)).unwrap_or_default();
    match (node.state, first.map(|change| change.field.as_str())) {
        (_, None) => String::new(),
        (_, Some("new")) => format!("not run before  {}", at(node.place.as_ref())),
        (Prospect::Run, Some("cache")) => "cache: never".to_owned(),
        (Prospect::Run, Some("problem")) => format!("would fail: {text}"),
        (Prospect::Later, Some("foreach")) => format!("one for each of {text}"),
        (Prospect::Later, Some("matrix")) => format!("one for each of {text}"),
        (Prospect::Later, Some("repeat")) => format!("at most {text} rounds"),
        (Prospect::Later, Some(_)) => format!("when {text}"),
        (Prospect::Skipped, Some("when")) => format!("when {text}"),
        (Prospect::Skipped, Some(_)) if text.is_empty() => "needs what was skipped".to_owned(),
        (Prospect::Skipped, Some(_)) => format!("needs {text}"),
        (Prospect::Perhaps, Some(_)) => format!("if {} differs", fields()),
        (Prospect::Frozen, Some(_)) => format!("kept although {} changed", fields()),
        (_, Some(_)) => format!("{} changed", fields()),
    }
}

/// Counts, and what the work cost before.
pub(crate) fn total(planned: &[Planned]) -> String {
    let mut counts: BTreeMap<Prospect, u64> = BTreeMap::new();
    let (mut usd, mut seconds, mut unknown) = (0.0, 0.0, 0);
    for node in planned {
        *counts.entry(node.state).or_default() += 1;
        if matches!(node.state, Prospect::Run | Prospect::Perhaps) {
            usd += node.usd.unwrap_or(0.0);
            seconds += node.seconds.unwrap_or(0.0);
            unknown += u64::from(node.seconds.is_none());
        }
    }
    let parts: Vec<_> = counts
        .iter()
        .map(|(state, count)| format!("{count} {}", word(*state)))
        .collect();
    let mut text = parts.join(", ");
    if seconds > 0.0 {
        text.push_str(&format!(
            ".  From recorded runs: at most {} and {} of work",
            talk::money(usd),
            talk::duration(seconds)
        ));
    }
    if unknown > 0 {
        text.push_str(&format!(
            ".  {} without a record",
            talk::plural(unknown, "stage run")
        ));
    }
    text
}

/// One node's key, field by field: then, now, and where it is written.
pub(crate) fn fields(fields: &[Change]) -> Vec<String> {
    let rows: Vec<[String; 4]> = fields
        .iter()
        .map(|change| {
            let (old, new) = pair(&change.old, &change.new);
            let mark = if change.old == change.new { " " } else { "*" };
            let now = match (&change.new, change.old == change.new) {
                (_, true) => "the same".to_owned(),
                (Value::Null, _) => "not known yet".to_owned(),
                _ => new,
            };
            [
                format!("{mark} {}", change.field),
                old,
                now,
                at(change.place.as_ref()),
            ]
        })
        .collect();
    let heads = ["  field", "then", "now", "written at"].map(str::to_owned);
    let rows: Vec<_> = std::iter::once(heads).chain(rows).collect();
    let width = |column: usize| {
        let widths = rows.iter().map(|row| row[column].chars().count());
        widths.max().unwrap_or(0)
    };
    let (a, b, c) = (width(0), width(1), width(2));
    rows.iter()
        .map(|[field, old, new, place]| {
            let line = format!("{field:a$}  {old:b$}  {new:c$}  {place}");
            line.trim_end().to_owned()
        })
        .collect()
}

pub(crate) fn at(place: Option<&Place>) -> String {
    place.map_or_else(String::new, |place| {
        format!("{}:{}:{}", place.file, place.line, place.col)
    })
}

fn sign(state: Prospect) -> char {
    match state {
        Prospect::Reused => '=',
        Prospect::Run => '>',
        Prospect::Perhaps => '?',
        Prospect::Later => '~',
        Prospect::Frozen => '!',
        Prospect::Skipped => '-',
    }
}

pub(crate) fn word(state: Prospect) -> &'static str {
    match state {
        Prospect::Reused => "reused",
        Prospect::Run => "run",
        Prospect::Perhaps => "perhaps",
        Prospect::Later => "later",
        Prospect::Frozen => "frozen",
        Prospect::Skipped => "skipped",
    }
}

/// Two values of a recipe, short: of long texts, the first line that differs, and of long lines the
/// first characters that do.
pub(crate) fn pair(old: &Value, new: &Value) -> (String, String) {
    let (old, new) = (plain(old), plain(new));
    let (mut a, mut b) = (old.lines(), new.lines());
    let many = old.lines().count() > 1 || new.lines().count() > 1;
    let mut number = 0;
    loop {
        number += 1;
        let (a, b) = match (a.next(), b.next()) {
            (None, None) => return (short(&old, 0), short(&new, 0)),
            (a, b) if a == b => continue,
            pair => pair,
        };
        let same = a
            .unwrap_or_default()
            .chars()
            .zip(b.unwrap_or_default().chars());
        let same = same.take_while(|(a, b)| a == b).count();
        let line = |line: Option<&str>| match line {
            Some(line) if many => format!("line {number}: {}", short(line, same)),
            Some(line) => short(line, same),
            None if many => format!("{} lines", number - 1),
            None => String::new(),
        };
        return (line(a), line(b));
    }
}

/// The beginning of a line or, where that is too long, the part around a character.
fn short(line: &str, around: usize) -> String {
    let count = line.chars().count();
    if count <= WIDTH {
        return line.to_owned();
    }
    let skip = if around < WIDTH / 2 {
        0
    } else {
        (around - WIDTH / 3).min(count - WIDTH)
    };
    let part: String = line.chars().skip(skip).take(WIDTH).collect();
    let head = if skip > 0 { "…" } else { "" };
    let tail = if skip + WIDTH < count { "…" } else { "" };
    format!("{head}{part}{tail}")
}

/// A recipe's value as a text.
pub(crate) fn plain(value: &Value) -> String {
    match value.get("value") {
        _ if value.is_null() => "nothing".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(model) if model.get("provider").is_some() => {
            let word = |name| model.get(name).and_then(Value::as_str).unwrap_or_default();
            let words = [word("provider"), word("id")];
            let words: Vec<_> = words.into_iter().filter(|word| !word.is_empty()).collect();
            words.join("/")
        }
        Some(value) => value.to_string(),
        None => match value.as_object() {
            Some(map) => digest(map),
            None => value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned),
        },
    }
}

/// `file 1f2e3d4c5b6a`, `list 1f2e3d4c5b6a of 5`.
fn digest(map: &serde_json::Map<String, Value>) -> String {
    let Some((kind, digest)) = map.iter().find(|(name, _)| *name != "members") else {
        return "nothing".to_owned();
    };
    let digest = digest.as_str().unwrap_or_default();
    let start = digest.get(..12).unwrap_or(digest);
    match map.get("members") {
        Some(count) => format!("{kind} {start} of {count}"),
        None => format!("{kind} {start}"),
    }
}
