//! `kyo diff`

use kyobashi_engine::run::FinalState;
use kyobashi_science::stats::Estimate;
use serde_json::Value;

use crate::arguments::{Diff, Global};
use crate::compare::{
    Change, Comparison, Edited, Leaf, Made, Side, StageChange, What, compare, estimate,
};
use crate::exit::{self, Code, Stopped};
use crate::history::{self, Told};
use crate::{outline, talk, workspace};

/// Stage runs that only one of the runs has, and that are named before they are only counted.
const NAMED: usize = 20;

/// Parts of one output that are listed before they are only counted.
const PARTS: usize = 40;

pub(super) fn diff(global: &Global, arguments: &Diff) -> Result<Code, Stopped> {
    let store = workspace::look(global)?;
    let runs = store.runs();
    let pins = runs.pins()?;
    let read = |text: &str| -> Result<Told, Stopped> {
        Ok(Told::read(&runs, history::find(&runs, text)?, &pins))
    };
    let (old, new) = (read(&arguments.old)?, read(&arguments.new)?);
    let found = compare(&store, &old, &new)?;
    if global.json {
        talk::json(&found)?;
        return Ok(exit::DONE);
    }
    for line in said(&found) {
        talk::data(&line)?;
    }
    Ok(exit::DONE)
}

fn said(found: &Comparison) -> Vec<String> {
    let mut lines = vec![side("-", &found.old), side("+", &found.new)];
    section(&mut lines, "asked", named(&found.asked));
    let files = found.files.iter().flat_map(file).collect();
    section(&mut lines, "pipeline", files);
    section(&mut lines, "made from", named(&found.settings));
    section(&mut lines, "data", named(&found.data));
    let many =
        |what: &dyn Fn(&&StageChange) -> bool| found.stages.iter().filter(what).collect::<Vec<_>>();
    let changed = many(&|one| matches!(one.what, What::Changed | What::Ended));
    let mut rows = Vec::new();
    for one in changed {
        stage(one, &mut rows);
    }
    section(
        &mut lines,
        "stage runs that came out differently",
        table(rows),
    );
    for (what, head) in [
        (What::Gone, "stage runs of the old run only"),
        (What::New, "stage runs of the new run only"),
    ] {
        section(&mut lines, head, addresses(&many(&|one| one.what == what)));
    }
    let mut rows = Vec::new();
    for one in &found.outputs {
        output(one, &mut rows);
    }
    section(&mut lines, "outputs of the pipeline", table(rows));
    lines.push(same(found));
    lines
}

fn side(sign: &str, side: &Side) -> String {
    format!(
        "{sign} run {}  {}  {}  {}, {}, {}",
        side.run,
        side.pipeline,
        side.at_ms.map_or_else(|| "?".to_owned(), talk::when),
        side.outcome,
        talk::duration(side.seconds),
        talk::money(side.usd)
    )
}

fn section(lines: &mut Vec<String>, head: &str, body: Vec<String>) {
    if !body.is_empty() {
        lines.push(String::new());
        lines.push(head.to_owned());
        lines.extend(
            body.into_iter()
                .map(|line| format!("  {line}").trim_end().to_owned()),
        );
    }
}

fn named(changes: &[Change]) -> Vec<String> {
    let row = |change: &Change| {
        let (old, new) = outline::pair(&change.old, &change.new);
        [
            change.name.clone(),
            old,
            "->".to_owned(),
            new,
            String::new(),
        ]
    };
    table(changes.iter().map(Row::of(row)).collect())
}

fn file(file: &Edited) -> Vec<String> {
    let head = match (file.old, file.new, file.added.zip(file.removed)) {
        (None, _, _) => format!("{}  only in the new run", file.name),
        (_, None, _) => format!("{}  only in the old run", file.name),
        (_, _, Some((added, removed))) => format!(
            "{}  {} in, {removed} out",
            file.name,
            talk::plural(added, "line")
        ),
        _ => format!("{}  differs; its text is no longer in the store", file.name),
    };
    let lines = file.lines.as_deref().unwrap_or_default().lines();
    let lines = lines.filter(|_| file.old.is_some() && file.new.is_some());
    [head]
        .into_iter()
        .chain(lines.map(|line| format!("  {line}")))
        .collect()
}

/// A row of a table, or a line of its own.
enum Row {
    Cells([String; 5]),
    Line(String),
}

impl Row {
    fn of<T>(make: impl Fn(&T) -> [String; 5]) -> impl Fn(&T) -> Self {
        move |one| Self::Cells(make(one))
    }
}

fn table(rows: Vec<Row>) -> Vec<String> {
    let mut widths = [0; 5];
    for row in &rows {
        if let Row::Cells(cells) = row {
            for (width, cell) in widths.iter_mut().zip(cells) {
                *width = (*width).max(cell.chars().count());
            }
        }
    }
    let padded = |cells: [String; 5]| {
        let cells = cells.iter().zip(widths).filter(|(_, width)| *width > 0);
        let cells: Vec<_> = cells
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        cells.join("  ").trim_end().to_owned()
    };
    rows.into_iter()
        .map(|row| match row {
            Row::Cells(cells) => padded(cells),
            Row::Line(line) => line,
        })
        .collect()
}

fn stage(one: &StageChange, rows: &mut Vec<Row>) {
    let why = match one.what {
        What::Ended => {
            let state = |state: Option<FinalState>| match state {
                Some(FinalState::Ran) => "ran",
                Some(FinalState::Reused) => "reused",
                Some(FinalState::Failed) => "failed",
                Some(FinalState::Skipped) => "skipped",
                None => "not there",
            };
            let failure = one.failure.as_deref().map(|text| format!(": {text}"));
            format!(
                "{} -> {}{}",
                state(one.old),
                state(one.new),
                failure.unwrap_or_default()
            )
        }
        _ if one.because.is_empty() => "the same call came out differently".to_owned(),
        _ => {
            let fields = one.because.iter().map(|change| change.name.as_str());
            format!("because of {}", fields.collect::<Vec<_>>().join(", "))
        }
    };
    rows.push(Row::Line(format!("{}  {why}", one.address)));
    for made in &one.outputs {
        output(made, rows);
    }
}

fn output(made: &Made, rows: &mut Vec<Row>) {
    for leaf in made.differs.iter().take(PARTS) {
        rows.push(Row::Cells(cells(&made.name, leaf)));
    }
    if made.differs.len() > PARTS {
        rows.push(Row::Line(format!(
            "  {} and {} more; `--json` has them all",
            made.name,
            talk::plural((made.differs.len() - PARTS) as u64, "part")
        )));
    }
}

/// `  metrics.kl`, then, `->`, now, change with unit and verdict.
fn cells(name: &str, leaf: &Leaf) -> [String; 5] {
    let dot = if leaf.path.is_empty() || leaf.path.starts_with('[') {
        ""
    } else {
        "."
    };
    let path = format!("  {name}{dot}{}", leaf.path);
    let unit = leaf
        .unit
        .as_ref()
        .map(|unit| format!(" {unit}"))
        .unwrap_or_default();
    let (old, new) = match leaf.change {
        Some(_) => (number(&leaf.old) + &unit, number(&leaf.new) + &unit),
        None => match (file(&leaf.old), file(&leaf.new)) {
            (None, None) => outline::pair(&leaf.old, &leaf.new),
            (old, new) => {
                let nothing = || "nothing".to_owned();
                (old.unwrap_or_else(nothing), new.unwrap_or_else(nothing))
            }
        },
    };
    let mut notes = Vec::new();
    if let Some(change) = leaf.change.filter(|change| *change != 0.0) {
        let share = leaf
            .relative
            .map(|share| format!(" ({:+.1} %)", 100.0 * share));
        notes.push(format!(
            "{}{unit}{}",
            signed(change),
            share.unwrap_or_default()
        ));
    }
    notes.extend(
        leaf.better
            .map(|better| if better { "better" } else { "worse" }.to_owned()),
    );
    if let Some([added, removed]) = leaf.lines {
        notes.push(format!("{} in, {removed} out", talk::plural(added, "line")));
    }
    return [path, old, "->".to_owned(), new, notes.join(", ")];

    fn file(value: &Value) -> Option<String> {
        let map = value.as_object()?;
        let bytes = map.get("bytes")?.as_u64()?;
        let kind = map.keys().find(|key| *key != "bytes")?;
        let digest = map.get(kind)?.as_str()?.get(..12)?;
        Some(match kind.as_str() {
            "file" => format!("file {digest}, {}", talk::size(bytes)),
            kind => format!("{kind} {digest}"),
        })
    }
}

/// A number, or a mean with its interval and its n.
fn number(value: &Value) -> String {
    match estimate(value) {
        Some(Estimate {
            mean,
            ci: Some([low, high]),
            level,
            n,
            ..
        }) => format!(
            "{} [{}, {}] ({} %, n = {n})",
            plain(mean),
            plain(low),
            plain(high),
            plain(100.0 * level)
        ),
        Some(Estimate { mean, n, .. }) => format!("{} (n = {n})", plain(mean)),
        None => match value.as_f64() {
            Some(number) if !value.is_u64() && !value.is_i64() => plain(number),
            _ => value.to_string(),
        },
    }
}

/// Five digits that count.
fn plain(number: f64) -> String {
    let scale = number.abs().log10().floor();
    match scale {
        _ if number == 0.0 => "0".to_owned(),
        -4.0..=7.0 => {
            let text = format!("{number:.*}", (4.0 - scale).max(0.0) as usize);
            match text.contains('.') {
                true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
                false => text,
            }
        }
        _ => format!("{number:.4e}"),
    }
}

fn signed(number: f64) -> String {
    match number > 0.0 {
        true => format!("+{}", plain(number)),
        false => plain(number),
    }
}

fn addresses(stages: &[&StageChange]) -> Vec<String> {
    let mut lines: Vec<_> = stages
        .iter()
        .take(NAMED)
        .map(|one| format!("{}  {}", one.address, one.uses))
        .collect();
    if stages.len() > NAMED {
        lines.push(format!("and {} more", stages.len() - NAMED));
    }
    lines
}

fn same(found: &Comparison) -> String {
    let same = &found.unchanged;
    let mut parts: Vec<_> = [
        (same.files, "file"),
        (same.settings, "setting"),
        (same.data, "data source"),
        (same.stages, "stage run"),
        (same.outputs, "output"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, what)| talk::plural(count, what))
    .collect();
    if parts.is_empty() {
        parts.push("nothing".to_owned());
    }
    let mut line = format!("\nunchanged: {}", parts.join(", "));
    if same.cut_off > 0 {
        line.push_str(&format!(
            "; of these, {} made from something else with an equal result",
            talk::plural(same.cut_off, "stage run")
        ));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_are_shown_with_five_digits_and_means_with_interval_and_n() {
        assert_eq!(plain(0.312_345_67), "0.31235");
        assert_eq!(plain(1234.0), "1234");
        assert_eq!(plain(-0.014), "-0.014");
        assert_eq!(plain(0.000_001_5), "1.5000e-6");
        assert_eq!(number(&json!(12)), "12");
        let mean = json!({"mean": 0.5, "stderr": 0.1, "ci": [0.4, 0.6], "level": 0.95, "n": 3});
        assert_eq!(number(&mean), "0.5 [0.4, 0.6] (95 %, n = 3)");
        let once = json!({"mean": 0.5, "stderr": null, "ci": null, "level": 0.95, "n": 1});
        assert_eq!(number(&once), "0.5 (n = 1)");
    }
}
