//! Spreads: which values are spreads by their names, and of which mean. It computes none.

use super::entry::Base;
use super::results::Value;
use super::words::has;

/// The names of the two ends of an interval.
pub(super) const ENDS: [&str; 2] = ["lower end", "upper end"];

/// Whether a value is an end of an interval.
pub(super) fn is_end(value: &Value) -> bool {
    let last = value.names.last();
    last.is_some_and(|last| ENDS.contains(&last.as_str()))
}

/// The names of the end of an interval: `auroc_ci95_low` is the lower end of `auroc`. Nothing for other names.
pub(super) fn end_of(names: &[String]) -> Option<Vec<String>> {
    let told: Vec<String> = names
        .last()?
        .split(['_', ' ', '.', '-'])
        .map(str::to_lowercase)
        .collect();
    let at = |known: &[&str]| told.iter().any(|word| known.contains(&word.as_str()));
    let low = at(&["lower", "low", "lo", "lb", "lcl"]);
    let high = at(&["upper", "high", "hi", "ub", "ucl"]);
    let around = names.len() > 1 && is_interval(&names[names.len() - 2]);
    let interval = around || at(&INTERVALS);
    let end = (interval && low != high).then(|| ENDS[usize::from(high)].to_owned())?;
    let mut names = names.to_vec();
    if around {
        names.pop();
    }
    Some([bare(&names), vec![end]].concat())
}

/// Names without the words for intervals in the last of them, if others are left.
pub(super) fn bare(names: &[String]) -> Vec<String> {
    let mut names = names.to_vec();
    let Some(last) = names.pop() else {
        return names;
    };
    let kept = |word: &&str| {
        let low = word.to_lowercase();
        let end = [
            "lower", "upper", "low", "high", "lo", "hi", "lb", "ub", "95", "90", "99",
        ];
        !INTERVALS.contains(&low.as_str()) && !end.contains(&low.as_str())
    };
    let left: Vec<&str> = last.split(['_', ' ', '.', '-']).filter(kept).collect();
    if !left.is_empty() {
        names.push(left.join("_"));
    }
    names
}

/// Words for intervals.
const INTERVALS: [&str; 7] = ["ci", "ci95", "ci90", "ci99", "interval", "bound", "bounds"];

/// Whether a name is that of an interval.
fn is_interval(name: &str) -> bool {
    let told = super::stems::stems(name);
    told.iter().any(|word| INTERVALS.contains(&word.as_str()))
}

/// The names of the ends of an interval that a list of two values is. The word for it may stand one name
/// further out: `auroc_ci95`, then the methods.
pub(super) fn ends(names: &[String], values: &[f64]) -> Option<[Vec<String>; 2]> {
    let [low, high] = values else { return None };
    let near = names.len().saturating_sub(2);
    let at = (near..names.len())
        .rev()
        .find(|at| is_interval(&names[*at]))?;
    let told = [bare(&names[..=at]), names[at + 1..].to_vec()].concat();
    (low <= high).then(|| ENDS.map(|end| [told.as_slice(), &[end.to_owned()]].concat()))
}

/// Whether a text speaks of intervals.
pub(super) fn spoken(text: &str) -> bool {
    super::words::tokens(text).any(|(_, word)| {
        ["CI", "CIs"].contains(&word) || word.to_lowercase().starts_with("interval")
    })
}

/// Whether a value is a spread, by its names.
pub(super) fn is_spread(value: &Value) -> bool {
    if is_end(value) {
        return false;
    }
    const LONG: &str = "std stderr stderrs stds sem ci ci95 interval stdev";
    // `se-nb` is a pair of languages: short words have to end the name.
    const SHORT: &str = "se sd var err";
    value.names.iter().rev().take(2).any(|name| {
        let low = name.to_lowercase();
        // `grid_variance` is what was measured.
        if low == "variance" {
            return true;
        }
        let mut words = low.split(|c: char| !c.is_alphanumeric()).rev();
        words
            .next()
            .is_some_and(|last| has(SHORT, last) || has(LONG, last))
            || words.any(|word| has(LONG, word))
    })
}

/// Whether two values are of one thing by their names, apart from words for means and spreads.
pub(super) fn kin(a: &[String], b: &[String]) -> bool {
    let plain = |names: &[String]| -> Vec<String> {
        let stems = names.iter().flat_map(|name| super::stems::stems(name));
        stems
            .filter(|stem| !SUMMARIES.contains(&stem.as_str()))
            .collect()
    };
    plain(a) == plain(b)
}

/// Whether a value is of what a traced value is of.
pub(super) fn kin_of(value: &Value, of: &Base) -> bool {
    kin(&value.names, &of.names)
}

/// Words that tell a mean from its spread.
const SUMMARIES: [&str; 27] = [
    "lower",
    "upper",
    "end",
    "mean",
    "means",
    "avg",
    "average",
    "std",
    "stds",
    "stderr",
    "stderrs",
    "sem",
    "se",
    "sd",
    "ci",
    "95",
    "interval",
    "half",
    "normal",
    "t",
    "population",
    "final",
    "info",
    "dict",
    "err",
    "stdev",
    "deviation",
];
