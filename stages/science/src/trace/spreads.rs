//! Spreads: which values are spreads by their names, and of which mean. It computes none.

use super::entry::Base;
use super::results::Value;

/// Whether a value is a spread, by its names.
pub(super) fn is_spread(value: &Value) -> bool {
    let told = value.names.iter().rev().take(2);
    told.flat_map(|name| {
        let low = name.to_lowercase();
        low.split(|c: char| !c.is_alphanumeric())
            .map(str::to_owned)
            .collect::<Vec<_>>()
    })
    .any(|word| {
        [
            "std", "stderr", "stderrs", "stds", "sem", "se", "ci", "ci95", "interval", "stdev",
            "sd", "variance", "var", "err",
        ]
        .contains(&word.as_str())
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
const SUMMARIES: [&str; 24] = [
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
