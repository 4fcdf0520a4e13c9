//! Units of values in files and of numbers in papers: `latency_ms` told in seconds. A unit is known by the
//! last word of a name, or by the words after a number or above a column.

use super::results::Value;
use super::token::{Number, Share};

/// What a unit measures, and how many of the smallest unit of that kind it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Unit {
    pub(super) kind: char,
    pub(super) size: f64,
}

/// Units with their kind: t(ime) in seconds, b(ytes), e(nergy) in joules, v(olt-energy) in eV, l(ength) in metres,
/// w(att).
const UNITS: [(&str, char, f64); 45] = [
    ("ns", 't', 1e-9),
    ("us", 't', 1e-6),
    ("µs", 't', 1e-6),
    ("ms", 't', 1e-3),
    ("millisecond", 't', 1e-3),
    ("milliseconds", 't', 1e-3),
    ("msec", 't', 1e-3),
    ("s", 't', 1.0),
    ("sec", 't', 1.0),
    ("secs", 't', 1.0),
    ("second", 't', 1.0),
    ("seconds", 't', 1.0),
    ("mins", 't', 60.0),
    ("minute", 't', 60.0),
    ("minutes", 't', 60.0),
    ("h", 't', 3600.0),
    ("hr", 't', 3600.0),
    ("hrs", 't', 3600.0),
    ("hour", 't', 3600.0),
    ("hours", 't', 3600.0),
    ("day", 't', 86_400.0),
    ("days", 't', 86_400.0),
    ("kb", 'b', 1e3),
    ("mb", 'b', 1e6),
    ("gb", 'b', 1e9),
    ("tb", 'b', 1e12),
    ("kib", 'b', 1024.0),
    ("mib", 'b', 1_048_576.0),
    ("gib", 'b', 1_073_741_824.0),
    ("j", 'e', 1.0),
    ("kj", 'e', 1e3),
    ("mj", 'e', 1e6),
    ("wh", 'e', 3600.0),
    ("kwh", 'e', 3.6e6),
    ("mwh", 'e', 3.6e9),
    ("mev", 'v', 1e-3),
    ("ev", 'v', 1.0),
    ("mm", 'l', 1e-3),
    ("cm", 'l', 1e-2),
    ("km", 'l', 1e3),
    ("nm", 'l', 1e-9),
    ("um", 'l', 1e-6),
    ("mw", 'w', 1e-3),
    ("kw", 'w', 1e3),
    ("watt", 'w', 1.0),
];

fn known(word: &str) -> Option<Unit> {
    let low = word.to_lowercase();
    // `MW` and `mW` differ by a factor of a thousand millions.
    let low = if word == "MW" { "kw" } else { low.as_str() };
    let (_, kind, size) = UNITS.iter().find(|(name, _, _)| *name == low)?;
    Some(Unit {
        kind: *kind,
        size: if word == "MW" { 1e6 } else { *size },
    })
}

/// Whether a word is a unit.
pub(super) fn is_unit(word: &str) -> bool {
    known(word).is_some()
}

/// The unit of a value, by the innermost of its names that tells one.
pub(super) fn of_value(value: &Value) -> Option<Unit> {
    value
        .names
        .iter()
        .rev()
        .take(3)
        .find_map(|name| of_name(name))
}

/// The unit that a name ends with: `ttft_p99_ms`, `seconds_per_step`; not that of a rate, `tokens_per_second`,
/// or of an inverse.
fn of_name(name: &str) -> Option<Unit> {
    let words: Vec<&str> = name
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    let last = words.last()?;
    let rate = words.len() > 1
        && ["per", "tok", "tokens", "samples", "gflop", "flop"].contains(&words[words.len() - 2]);
    if !rate
        && words.len() > 1
        && let Some(unit) = known(last)
    {
        return Some(unit);
    }
    let first = words
        .first()
        .filter(|_| words.get(1) == Some(&"per") || words.len() == 1)?;
    known(first).filter(|_| first.len() > 3)
}

/// The unit of a number in a paper, from the words about units around it.
pub(super) fn of_number(number: &Number, units: &str, cell: bool) -> Option<Unit> {
    if let Some(unit) = known(&number.unit) {
        return Some(unit);
    }
    let spoken = |word: &str| {
        known(word).or_else(|| {
            (word == "min").then_some(Unit {
                kind: 't',
                size: 60.0,
            })
        })
    };
    if cell {
        // Above a column a unit stands in brackets.
        let inside = units
            .split(['(', '['])
            .skip(1)
            .filter_map(|part| part.split([')', ']']).next());
        return inside.into_iter().find_map(|part| spoken(part.trim()));
    }
    let first = units.split(' ').next()?;
    // `tokens per second` and `m³/s` are rates.
    spoken(first)
}

/// Whether a number is told as a rate: `4,314 tokens/s`, `12 requests per second`.
pub(super) fn rate(after: &str) -> bool {
    let plain = after.trim_start_matches([' ', '\u{a0}']);
    let end = plain.find(|c: char| !c.is_alphanumeric() && c != '³' && c != '²');
    let (word, rest) = plain.split_at(end.unwrap_or(plain.len()));
    let divided = rest.starts_with('/') && rest[1..].starts_with(char::is_alphabetic);
    !word.is_empty() && (divided || rest.starts_with(" per "))
}

/// The factors between other units of the same kind and this one.
pub(super) fn factors(unit: Unit) -> Vec<f64> {
    let mut found: Vec<f64> = UNITS
        .iter()
        .filter(|(_, kind, _)| *kind == unit.kind)
        .map(|(_, _, size)| size / unit.size)
        .collect();
    found.sort_by(f64::total_cmp);
    found.dedup_by(|a, b| super::fit::same(*a, *b));
    found
}

/// Whether a value in its unit, times `scale`, can be a number in that unit.
pub(super) fn agree(value: &Value, scale: f64, told: Option<Unit>, added: bool) -> bool {
    let own = of_value(value);
    match (own, told) {
        (Some(own), Some(told)) => {
            // Files write `capacity_mw` for megawatts too.
            let small = super::fit::same(own.size / told.size, 1e-9) && "we".contains(own.kind);
            own.kind == told.kind
                && (super::fit::same(own.size / told.size, scale) || (small && scale == 1.0))
        }
        // Factors between units need a unit on both sides.
        _ => !added,
    }
}

/// The factors between a value in a file and as it is shown, by words.
pub(super) fn usual(number: &Number, units: &str) -> Vec<f64> {
    let low = units.to_lowercase();
    let words: Vec<&str> = low
        .split(|c: char| !c.is_alphanumeric() && c != '%')
        .collect();
    let says = |wanted: &[&str]| wanted.iter().any(|word| words.contains(word));
    let mut scales = match number.share {
        Share::Percent | Share::Points => vec![100.0, 1.0],
        _ => vec![1.0],
    };
    if number.share == Share::None && (low.contains('%') || says(&["percent"])) {
        scales.push(100.0);
    }
    if number.unit == "ms" || says(&["ms", "milliseconds", "millisecond"]) {
        scales.push(1000.0);
    }
    if ["min", "mins"].contains(&number.unit.as_str())
        || says(&["min", "minutes", "minute", "mins"])
    {
        scales.push(1.0 / 60.0);
    }
    if ["h", "hr", "hrs"].contains(&number.unit.as_str()) || says(&["hours", "hour", "h", "hrs"]) {
        scales.push(1.0 / 3600.0);
    }
    if low.contains("(k)")
        || low.contains("10^3")
        || low.contains("10³")
        || low.contains("thousand")
    {
        scales.push(1e-3);
    }
    if low.contains("(m)") || low.contains("10^6") || low.contains("10⁶") || low.contains("million")
    {
        scales.push(1e-6);
    }
    if let Some((_, power)) = low.split_once("10^-")
        && let Ok(power) = power
            .chars()
            .take_while(char::is_ascii_digit)
            .collect::<String>()
            .parse::<i32>()
        && power < 20
    {
        scales.push(10f64.powi(power));
    }
    scales
}
