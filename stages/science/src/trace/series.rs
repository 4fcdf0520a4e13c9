//! Values of lists, tables, notes and logs, with the means and spreads that lists have.

use std::collections::BTreeSet;

use super::results::{MOST_VALUES, Results, Value, Weight, source};
use super::{grouped, positions, repeated};

/// Longer lists are curves, not repetitions.
const REPEATED: usize = 12;

/// The places of longer curves have no names.
const LONGEST: usize = 300;

/// A list of values: repetitions with their mean and spread, or a curve with its ends.
pub(super) fn series(
    values: &[f64],
    names: &[String],
    file: &str,
    pointer: &str,
    results: &mut Results,
) {
    let finite: Vec<f64> = values
        .iter()
        .copied()
        .filter(|value| value.is_finite())
        .collect();
    let repeated = values.len() <= REPEATED;
    if repeated && !pointer.is_empty() {
        results.lists.insert(values.len());
    }
    // The values of a curve are told by their places: `after 5 epochs`.
    let placed = !repeated && !pointer.is_empty() && values.len() <= LONGEST && !names.is_empty();
    for (index, value) in values.iter().enumerate() {
        if value.is_finite() && results.values.len() < MOST_VALUES {
            let mut names = names.to_vec();
            if placed {
                let at = names.len() - 1;
                names.insert(at, format!("{} epoch step iteration", index + 1));
            }
            results.values.push(Value {
                value: *value,
                names,
                source: source(file, &format!("{pointer}.{index}")),
                weight: if repeated {
                    Weight::Member
                } else {
                    Weight::Point
                },
            });
        }
    }
    if finite.len() < 2 {
        return;
    }
    #[expect(
        clippy::cast_precision_loss,
        reason = "counts of repetitions are small"
    )]
    let n = finite.len() as f64;
    let mean = finite.iter().sum::<f64>() / n;
    let squares: f64 = finite.iter().map(|value| (value - mean).powi(2)).sum();
    let (sample, population) = ((squares / (n - 1.0)).sqrt(), (squares / n).sqrt());
    let most = finite.iter().copied().fold(f64::MIN, f64::max);
    let least = finite.iter().copied().fold(f64::MAX, f64::min);
    let mut made = vec![("max", most), ("min", least), ("mean", mean)];
    if finite.len() > 2 {
        made.push(("median", median(&finite)));
    }
    if repeated || pointer.is_empty() {
        made.extend([
            ("std", sample),
            ("std (population)", population),
            ("stderr", sample / n.sqrt()),
            ("stderr (population)", population / n.sqrt()),
            ("95 % interval, half (normal)", 1.96 * sample / n.sqrt()),
        ]);
        if let Ok(t) = statrs::distribution::StudentsT::new(0.0, 1.0, n - 1.0) {
            use statrs::distribution::ContinuousCDF as _;
            made.push((
                "95 % interval, half (t)",
                t.inverse_cdf(0.975) * sample / n.sqrt(),
            ));
        }
    } else if let Some(last) = values.last() {
        made.push(("last", *last));
    }
    for (what, value) in made.into_iter().filter(|(_, value)| value.is_finite()) {
        let mut names = names.to_vec();
        if what.starts_with("std") || what.starts_with("95") {
            // A spread is told by its name, as in files that hold one.
            names.push(what.to_owned());
        }
        results.values.push(Value {
            value,
            names,
            source: format!("{} ({what} of {})", source(file, pointer), values.len()),
            weight: Weight::Computed,
        });
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (low, high) = (sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2]);
    (low + high) / 2.0
}

/// Whether a column numbers its rows.
fn counts(header: &str) -> bool {
    repeated::repeats(header) || repeated::steps(header)
}

fn wordy(cell: &str) -> bool {
    cell.trim().parse::<f64>().is_err() && !cell.trim().is_empty()
}

/// The values of a table, with means over repetitions and over cases that the paper never names.
pub(super) fn table(
    text: &str,
    mark: u8,
    names: &[String],
    file: &str,
    paper: &str,
    results: &mut Results,
) {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(mark)
        .flexible(true)
        .from_reader(text.as_bytes());
    let Ok(headers) = reader.headers().cloned() else {
        return results.warnings.push(format!("{file} has no header line"));
    };
    let rows: Vec<csv::StringRecord> = reader.records().filter_map(Result::ok).collect();
    let few = rows.len() <= 60 && !headers.iter().any(repeated::steps);
    let keys = positions::keys(&headers, &rows);
    let mut told = Vec::new();
    let read = results.values.len();
    for (index, row) in rows.iter().enumerate() {
        let word = |(column, cell): (usize, &str)| match keys.contains(&column) {
            true => Some(positions::name(&headers[column], cell)),
            false => Some(cell.to_owned()).filter(|cell| wordy(cell)),
        };
        let words: Vec<String> = row.iter().enumerate().filter_map(word).collect();
        let mut cells: Vec<Option<f64>> = (0..headers.len())
            .map(|column| {
                let value: f64 = row.get(column)?.trim().parse().ok()?;
                Some(value).filter(|value| value.is_finite())
            })
            .collect();
        let last = index + 1 == rows.len();
        keys.iter().for_each(|key| cells[*key] = None);
        for (header, value) in headers.iter().zip(&cells) {
            let Some(value) = value else { continue };
            if results.values.len() >= MOST_VALUES {
                return;
            }
            let names = [names, &words, &[header.trim().to_owned()]].concat();
            results.values.push(Value {
                value: *value,
                names,
                source: format!("{file}: line {}, {}", index + 2, header.trim()),
                weight: if (few || last) && !counts(header) {
                    Weight::Result
                } else {
                    Weight::Point
                },
            });
        }
        let repetition = headers
            .iter()
            .zip(row.iter())
            .find(|(header, _)| repeated::repeats(header));
        told.push(repeated::Row {
            words,
            repetition: repetition.map(|(_, cell)| cell.to_owned()),
            cells,
        });
    }
    let titles: Vec<String> = headers
        .iter()
        .map(|header| header.trim().to_owned())
        .collect();
    let cases = grouped::cases(&told, paper);
    results
        .counted
        .extend(grouped::counted(&told, &rows, &titles, &cases));
    if !cases.is_empty() {
        // One case is not meant unless the words say so.
        for value in &mut results.values[read..] {
            value.weight = value.weight.max(Weight::Member);
        }
        grouped::rows(&told, &cases, &titles, names, file, results);
    } else if told.iter().any(|row| row.repetition.is_some()) {
        let made = results.values.len();
        repeated::rows(&told, &titles, names, file, results);
        // Of a curve the end is what is meant unless the words say so.
        let ends: BTreeSet<String> = told
            .iter()
            .rev()
            .take(1)
            .flat_map(|row| row.words.clone())
            .collect();
        let step = |name: &String| {
            positions::numbered(name).is_some_and(|(_, words)| repeated::steps(&words.join("_")))
        };
        for value in &mut results.values[made..] {
            if value
                .names
                .iter()
                .any(|name| step(name) && !ends.contains(name))
            {
                value.weight = Weight::Point;
            }
        }
    }
    if cases.is_empty() && told.iter().all(|row| row.repetition.is_none()) {
        positions::means(&told, &titles, names, file, results);
    }
    for (column, header) in headers.iter().enumerate().filter(|_| rows.len() > 1) {
        let values: Vec<f64> = rows
            .iter()
            .filter_map(|row| row.get(column)?.trim().parse().ok())
            .collect();
        if values.len() == rows.len() && !counts(header) && !keys.contains(&column) {
            let made = results.values.len();
            // The words of a row stand at depths of their own, so that metrics of rows and columns agree.
            let wide = rows[0].iter().filter(|cell| wordy(cell)).count() + keys.len();
            let any = vec!["*".to_owned(); wide];
            let names = [names, &any, &[header.trim().to_owned()]].concat();
            series(&values, &names, file, header.trim(), results);
            // Its members are there already, by line.
            let mut kept: Vec<Value> = results
                .values
                .drain(made..)
                .filter(|value| value.weight == Weight::Computed)
                .collect();
            // The extremes of a curve are no results of their own.
            if headers.iter().any(repeated::steps) {
                kept.iter_mut()
                    .for_each(|value| value.weight = Weight::Point);
            }
            results.values.extend(kept);
        }
    }
}

/// Numbers of notes and logs, three digits at the least; and what the notes call the runs.
pub(super) fn notes(text: &str, names: &[String], file: &str, results: &mut Results) {
    if let Some(log) = positions::log(text) {
        table(&log, b',', names, file, "", results);
        return;
    }
    for (index, line) in text.lines().enumerate() {
        let title = line.trim_start_matches(['#', '*', '-', ' ']);
        if let Some((run, name)) = title
            .strip_prefix("Run ")
            .and_then(|rest| rest.split_once(':'))
        {
            let name = name
                .split(['(', '.'])
                .next()
                .unwrap_or_default()
                .trim()
                .trim_matches('*')
                .trim();
            if run.parse::<u32>().is_ok() && !name.is_empty() && name.len() < 80 {
                results.titles.push((format!("run_{run}"), name.to_owned()));
            }
        }
        for number in super::token::numbers(line) {
            if number.figures < 3
                || number.name
                || number.version
                || results.values.len() >= MOST_VALUES
            {
                continue;
            }
            let from = line[..number.at.start]
                .char_indices()
                .rev()
                .nth(80)
                .map_or(0, |(at, _)| at);
            let mut names = names.to_vec();
            names.push(line[from..number.at.start].to_owned());
            results.values.push(Value {
                value: number.value,
                names,
                source: format!("{file}: line {}", index + 1),
                weight: Weight::Note,
            });
        }
    }
}
