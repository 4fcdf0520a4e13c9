//! Rows of single cases: patients, basins, images. A column of cases is one whose values the paper never
//! names; what papers show are means over them, for each group that the other columns tell apart.

use std::collections::{BTreeMap, BTreeSet};

use super::counts::Counted;
use super::repeated::{Row, computed, repeats, steps};
use super::results::Results;
use super::stems::stems;

/// Columns with fewer different values tell conditions apart, not cases.
const FEWEST: usize = 5;
/// Of more columns of words not all combinations are made.
const MOST_COLUMNS: usize = 4;
/// Tables with more rows are logs.
const MOST_ROWS: usize = 200_000;

/// The positions, among the words of a row, of columns whose values `paper` does not name.
pub(super) fn cases(rows: &[Row], paper: &str) -> Vec<usize> {
    let wide = rows.first().map_or(0, |row| row.words.len());
    if rows.len() < 2 * FEWEST
        || rows.len() > MOST_ROWS
        || rows.iter().any(|row| row.words.len() != wide)
    {
        return Vec::new();
    }
    (0..wide)
        .filter(|at| {
            let values: BTreeSet<&str> = rows.iter().map(|row| row.words[*at].as_str()).collect();
            let named = values
                .iter()
                .take(40)
                .filter(|value| mentions(paper, value))
                .count();
            let position = |value: &&str| super::positions::numbered(value).is_some();
            values.len() >= FEWEST && named == 0 && !values.iter().all(position)
        })
        .collect()
}

/// Whether a paper, in small letters and digits alone, holds a name.
fn mentions(paper: &str, name: &str) -> bool {
    let name = letters(name);
    !name.is_empty() && paper.contains(&name)
}

/// The small letters and digits of a text.
pub(super) fn letters(text: &str) -> String {
    let kept = text.chars().filter(|c| c.is_alphanumeric());
    kept.flat_map(char::to_lowercase).collect()
}

/// How many different values the columns of words and of repetitions have: in all, and of cases for each word of
/// the other columns.
pub(super) fn counted(
    rows: &[Row],
    records: &[csv::StringRecord],
    headers: &[String],
    cases: &[usize],
) -> Vec<Counted> {
    let mut out = Vec::new();
    let noun = |header: &str| stems(header).pop();
    let wide = rows.first().map_or(0, |row| row.words.len());
    let wordy: Vec<usize> = (0..headers.len())
        .filter(|column| rows.iter().all(|row| row.cells[*column].is_none()))
        .collect();
    for (column, header) in headers.iter().enumerate() {
        let values: BTreeSet<&str> = records.iter().filter_map(|row| row.get(column)).collect();
        let words = values
            .iter()
            .any(|value| value.trim().parse::<f64>().is_err());
        let told = repeats(header) || (wordy.contains(&column) && words);
        if let Some(noun) = noun(header).filter(|_| told && values.len() > 1) {
            out.push(Counted {
                noun,
                of: None,
                count: values.len(),
            });
        }
    }
    if wordy.len() != wide || rows.iter().any(|row| row.words.len() != wide) {
        return out;
    }
    for case in cases {
        for other in (0..wide).filter(|other| !cases.contains(other)) {
            let mut groups: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
            for row in rows {
                groups
                    .entry(&row.words[other])
                    .or_default()
                    .insert(&row.words[*case]);
            }
            let Some(noun) = noun(&headers[wordy[*case]]) else {
                continue;
            };
            out.extend(groups.into_iter().map(|(of, cases)| Counted {
                noun: noun.clone(),
                of: Some(of.to_owned()),
                count: cases.len(),
            }));
        }
    }
    out
}

/// The means and spreads over cases of each group.
pub(super) fn rows(
    rows: &[Row],
    cases: &[usize],
    headers: &[String],
    names: &[String],
    file: &str,
    results: &mut Results,
) {
    let wide = rows.first().map_or(0, |row| row.words.len());
    let others: Vec<usize> = (0..wide).filter(|at| !cases.contains(at)).collect();
    if others.len() > MOST_COLUMNS {
        return;
    }
    // Each set of columns that tell groups apart, the empty one left out: that is the whole column.
    for kept in 1..1_usize << others.len() {
        let keeps = |at: usize| {
            let place = others.iter().position(|other| *other == at);
            place.is_some_and(|place| kept >> place & 1 == 1)
        };
        let mut groups: BTreeMap<Vec<String>, Vec<&Row>> = BTreeMap::new();
        for row in rows {
            let words = row.words.iter().enumerate();
            let key = words.map(|(at, word)| {
                if keeps(at) {
                    word.clone()
                } else {
                    "*".to_owned()
                }
            });
            groups.entry(key.collect()).or_default().push(row);
        }
        for (words, group) in groups.iter().filter(|(_, group)| group.len() > 1) {
            for (column, header) in headers.iter().enumerate() {
                if repeats(header) || steps(header) {
                    continue;
                }
                let values: Vec<f64> = group.iter().filter_map(|row| row.cells[column]).collect();
                if values.len() != group.len() {
                    continue;
                }
                let names = [names, words, std::slice::from_ref(header)].concat();
                let told: Vec<&str> = words
                    .iter()
                    .map(String::as_str)
                    .filter(|word| *word != "*")
                    .collect();
                computed(
                    &values,
                    &names,
                    &format!("{file}: {header} of {}", told.join(", ")),
                    results,
                );
            }
        }
    }
}
