//! Repetitions that stand in rows or files of their own: rows with a seed, folders `seed_0`, `seed_1`. Their
//! means and spreads are what papers show. `run_1` is a condition here, not a repetition.

use std::collections::{BTreeMap, BTreeSet};

use super::counts::Counted;
use super::results::{Results, Value, Weight};
use super::series::series;

/// Columns that number repetitions.
const REPETITIONS: &str =
    "seed seeds fold trial rep repeat repetition replicate split_id run_id random_seed";
/// Columns that number the steps of a curve.
const STEPS: &str = "epoch step iter iteration iterations steps epochs update updates global_step";

/// Whether a column numbers repetitions.
pub(super) fn repeats(header: &str) -> bool {
    super::words::has(REPETITIONS, &header.trim().to_lowercase())
}

/// Whether a column numbers the steps of a curve.
pub(super) fn steps(header: &str) -> bool {
    super::words::has(STEPS, &header.trim().to_lowercase())
}

/// Whether a name numbers a repetition: `seed_0`, `fold-3`, `2`.
pub(super) fn numbered(name: &str) -> bool {
    let low = name.to_lowercase();
    let word = low.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = low.len() - word.len();
    let word = word.trim_end_matches(['_', '-', ' ', '=']);
    (1..=6).contains(&digits) && (word.is_empty() || repeats(word) || word == "split")
}

/// Adds the means and spreads over repetitions in files or records of their own.
pub(super) fn gather(results: &mut Results) {
    let mut last: BTreeMap<&[String], &Value> = BTreeMap::new();
    // Of the rows of one file the last counts, as the end of its curve.
    for value in results
        .values
        .iter()
        .filter(|value| value.weight == Weight::Result)
    {
        last.insert(&value.names, value);
    }
    let mut groups: BTreeMap<Vec<String>, Vec<&Value>> = BTreeMap::new();
    for value in last.into_values() {
        let inner = value.names.len().saturating_sub(1);
        if let Some(depth) = value.names[..inner].iter().position(|name| numbered(name)) {
            let mut names = value.names.clone();
            names[depth] = "*".to_owned();
            groups.entry(names).or_default().push(value);
        }
    }
    groups.retain(|_, group| group.len() > 1);
    // Where there is a mean, one of its members is not meant unless the words say so.
    let members: BTreeSet<String> = groups
        .values()
        .flatten()
        .map(|value| value.source.clone())
        .collect();
    let groups: Vec<(Vec<String>, Vec<f64>, String)> = groups
        .into_iter()
        .map(|(names, group)| {
            let values = group.iter().map(|value| value.value).collect();
            (names, values, group[0].source.clone())
        })
        .collect();
    for (_, values, _) in &groups {
        let counted = Counted {
            noun: "seed".to_owned(),
            of: None,
            count: values.len(),
        };
        if !results.counted.contains(&counted) {
            results.counted.push(counted);
        }
    }
    for value in &mut results.values {
        if value.weight == Weight::Result && members.contains(&value.source) {
            value.weight = Weight::Member;
        }
    }
    for (names, values, source) in groups {
        computed(&values, &names, &source, results);
    }
}

/// A row of a table.
pub(super) struct Row {
    /// What it says in words.
    pub(super) words: Vec<String>,
    /// The number of its repetition.
    pub(super) repetition: Option<String>,
    /// The number of each column.
    pub(super) cells: Vec<Option<f64>>,
}

/// The cells of rows by repetition.
type Group<'r> = BTreeMap<String, &'r Vec<Option<f64>>>;

/// The means and spreads of rows that only their repetition tells apart.
pub(super) fn rows(
    rows: &[Row],
    headers: &[String],
    names: &[String],
    file: &str,
    results: &mut Results,
) {
    let numbers = |column: usize| repeats(&headers[column]) || steps(&headers[column]);
    // What tells rows apart beside words: numeric columns whose values come again and again.
    let conditions: Vec<usize> = (0..headers.len())
        .filter(|column| !numbers(*column))
        .filter(|column| {
            let mut counts: BTreeMap<u64, usize> = BTreeMap::new();
            for value in rows.iter().filter_map(|row| row.cells[*column]) {
                *counts.entry(value.to_bits()).or_default() += 1;
            }
            // What comes with one repetition only, as the number of cases of a fold, tells nothing else apart.
            let with = |wanted: u64| -> BTreeSet<Option<&String>> {
                let own = rows
                    .iter()
                    .filter(|row| row.cells[*column].map(f64::to_bits) == Some(wanted));
                own.map(|row| row.repetition.as_ref()).collect()
            };
            counts.len() > 1
                && counts
                    .iter()
                    .all(|(value, count)| *count > 1 && with(*value).len() > 1)
        })
        .collect();
    let mut groups: BTreeMap<(&[String], Vec<u64>), Group<'_>> = BTreeMap::new();
    for (index, row) in rows.iter().enumerate() {
        let condition = conditions
            .iter()
            .map(|column| row.cells[*column].map_or(0, f64::to_bits))
            .collect();
        let repetition = row.repetition.clone();
        groups
            .entry((&row.words, condition))
            .or_default()
            .insert(repetition.unwrap_or_else(|| index.to_string()), &row.cells);
    }
    for ((words, _), group) in groups.into_iter().filter(|(_, group)| group.len() > 1) {
        for column in (0..headers.len()).filter(|column| !numbers(*column)) {
            let values: Vec<f64> = group.values().filter_map(|cells| cells[column]).collect();
            if values.len() == group.len() {
                let names = [names, words, &[headers[column].clone()]].concat();
                let source = format!("{file}: {} of {}", headers[column], words.join(", "));
                computed(&values, &names, &source, results);
            }
        }
    }
}

/// Adds the mean, the spread and the extremes of values that belong together, not the values themselves.
pub(super) fn computed(values: &[f64], names: &[String], source: &str, results: &mut Results) {
    let made = results.values.len();
    series(values, names, source, "", results);
    let kept: Vec<Value> = results
        .values
        .drain(made..)
        .filter(|value| value.weight == Weight::Computed)
        .collect();
    results.values.extend(kept);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repetitions_are_known_and_conditions_are_not() {
        for name in ["seed_0", "fold-3", "2", "trial 4"] {
            assert!(numbered(name), "{name}");
        }
        for name in ["run_1", "cifar10", "resnet18", "2d"] {
            assert!(!numbered(name), "{name}");
        }
    }
}
