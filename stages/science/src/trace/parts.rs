//! Numbers that follow from others of their sentence, or from two counts of one record: sums, shares, ratios.
//! It finds what fits and refutes nothing.

use super::entry::{Class, Finding, Verdict};
use super::evidence::Evidence;
use super::fit::{explained, fit};
use super::results::{Value, Weight};
use super::token::{Number, Share};
use super::words::tokens;

/// A list of more numbers is not summed.
const LONGEST: usize = 8;

/// How an untraced number follows from what stands around it.
pub(super) fn follows(
    evidence: &Evidence,
    sentence: &str,
    found: &[Number],
    findings: &[Option<Finding>],
    index: usize,
) -> Option<Finding> {
    let number = &found[index];
    if number.spread || number.name || number.version || number.figures == 0 {
        return None;
    }
    sum(sentence, found, findings, index)
        .or_else(|| ratio(sentence, found, findings, index))
        .or_else(|| share(sentence, found, findings, index))
        .or_else(|| recorded(evidence, sentence, number))
}

fn known(finding: Option<&Finding>, settings: bool) -> bool {
    finding.is_some_and(|finding| match finding.verdict {
        Verdict::Traced => true,
        Verdict::Derived | Verdict::Literal => settings && finding.class == Class::Configuration,
        _ => false,
    })
}

fn says(text: &str, words: &[&str]) -> bool {
    tokens(text).any(|(_, word)| words.contains(&word.to_lowercase().as_str()))
}

/// `4,812, 3,164 and 9,207 variants, 17,183 in total`.
fn sum(
    sentence: &str,
    found: &[Number],
    findings: &[Option<Finding>],
    index: usize,
) -> Option<Finding> {
    let total = [
        "total",
        "all",
        "altogether",
        "together",
        "combined",
        "sum",
        "overall",
        "sums",
    ];
    if !says(sentence, &total) {
        return None;
    }
    let number = &found[index];
    let alike = |at: &usize| {
        let other = &found[*at];
        other.share == number.share
            && !other.spread
            && !other.name
            && known(findings[*at].as_ref(), true)
    };
    let one = |list: Vec<usize>| {
        (2..=list.len().min(LONGEST)).find_map(|count| {
            let sum: f64 = list[..count].iter().map(|at| found[*at].value).sum();
            let step: f64 = list[..count]
                .iter()
                .map(|at| found[*at].step)
                .fold(number.step, f64::max);
            ((sum - number.value).abs() <= step * 0.6).then(|| {
                let list: Vec<String> = list[..count]
                    .iter()
                    .map(|at| found[*at].value.to_string())
                    .collect();
                format!("the sum of {}", list.join(" and "))
            })
        })
    };
    let behind = one((0..index).rev().filter(alike).collect());
    let ahead = || one((index + 1..found.len()).filter(alike).collect());
    behind
        .or_else(ahead)
        .map(|why| Finding::new(Class::Derived, Verdict::Derived, why))
}

/// `86.4 million instead of 5.2 million, a factor of 16.6`.
fn ratio(
    sentence: &str,
    found: &[Number],
    findings: &[Option<Finding>],
    index: usize,
) -> Option<Finding> {
    let number = &found[index];
    let before = &sentence[..number.at.start];
    let factor = before.to_lowercase();
    let factor =
        factor.trim_end().ends_with("factor of") || factor.trim_end().ends_with("factor of about");
    if number.share != Share::Times && !factor {
        return None;
    }
    pairs(found, findings, index, true)
        .into_iter()
        .find_map(|(a, b)| {
            let (a, b) = (&found[a], &found[b]);
            let low = (a.value - a.step / 2.0) / (b.value + b.step / 2.0);
            let high = (a.value + a.step / 2.0) / (b.value - b.step / 2.0);
            let size = a.value / b.value;
            let half = number.step / 2.0;
            let fits = (low - half..=high + half).contains(&number.value)
                && (size - number.value).abs() <= number.value * 0.03 + half;
            fits.then(|| {
                let why = format!("{} divided by {}", a.value, b.value);
                Finding::new(Class::Derived, Verdict::Derived, why)
            })
        })
}

/// `143 of 200 (71.5 %)`, `keeps 99.3 % of the teacher's AUROC (0.836 against 0.842)`.
fn share(
    sentence: &str,
    found: &[Number],
    findings: &[Option<Finding>],
    index: usize,
) -> Option<Finding> {
    let number = &found[index];
    if number.share != Share::Percent || number.figures < 2 {
        return None;
    }
    let after = &sentence[number.at.end..];
    let of = tokens(after).take(5).any(|(_, word)| word == "of");
    let bracketed = number.bracketed;
    if !of
        && !bracketed
        && !says(
            sentence,
            &["which", "rate", "share", "fraction", "proportion", "hit"],
        )
    {
        return None;
    }
    pairs(found, findings, index, true)
        .into_iter()
        .find_map(|(a, b)| {
            let (a, b) = (&found[a], &found[b]);
            let size = a.value / b.value * 100.0;
            let fits = fit(size, number).is_some()
                || (!a.whole
                    && (size - number.value).abs()
                        <= number.step / 2.0 + size * (a.step / a.value + b.step / b.value) / 2.0
                    && (size - number.value).abs() <= number.step * 2.0);
            fits.then(|| {
                let why = format!("{} of {}", a.value, b.value);
                Finding::new(Class::Derived, Verdict::Derived, why)
            })
        })
}

/// Pairs of known numbers near another one, of the same share.
fn pairs(
    found: &[Number],
    findings: &[Option<Finding>],
    index: usize,
    settings: bool,
) -> Vec<(usize, usize)> {
    let near: Vec<usize> = (0..found.len())
        .filter(|at| {
            let other = &found[*at];
            *at != index
                && at.abs_diff(index) <= 4
                && other.value > 0.0
                && !other.spread
                && !other.name
                && (known(findings[*at].as_ref(), settings) || counted(findings[*at].as_ref()))
        })
        .collect();
    let mut out = Vec::new();
    for a in &near {
        for b in &near {
            let (one, other) = (&found[*a], &found[*b]);
            if a != b && one.share == other.share && one.value != other.value {
                out.push((*a, *b));
            }
        }
    }
    out
}

/// A count that nothing speaks against may be the whole of a share.
fn counted(finding: Option<&Finding>) -> bool {
    finding.is_some_and(|finding| {
        finding.verdict == Verdict::Literal
            && matches!(finding.class, Class::Structural | Class::Configuration)
    })
}

/// `22.5 % are positive`: the share of two counts of one record.
fn recorded(evidence: &Evidence, sentence: &str, number: &Number) -> Option<Finding> {
    const MOST: usize = 4000;
    if number.share != Share::Percent || number.figures < 2 || number.value > 100.0 {
        return None;
    }
    let counts: Vec<_> = evidence
        .results
        .values
        .iter()
        .filter(|value| {
            value.weight <= Weight::Computed && value.value.fract() == 0.0 && value.value >= 2.0
        })
        .take(MOST)
        .collect();
    let named = evidence.names.named(sentence);
    let mut sizes = Vec::new();
    let mut hit: Option<(usize, &Value, &Value)> = None;
    for window in counts.iter().enumerate() {
        let (at, a) = window;
        // Fields of one record stand close together in its file.
        for b in counts[at.saturating_sub(6)..(at + 7).min(counts.len())].iter() {
            let (inner, own) = (
                a.names.len().saturating_sub(1),
                b.names.len().saturating_sub(1),
            );
            if b.value < 20.0 || a.value >= b.value || a.names[..inner] != b.names[..own] {
                continue;
            }
            let size = a.value / b.value * 100.0;
            sizes.push(size);
            if fit(size, number).is_some() {
                let support = named.support(a) + named.support(b);
                if hit.as_ref().is_none_or(|(known, ..)| support > *known) {
                    hit = Some((support, *a, *b));
                }
            }
        }
    }
    let (support, a, b) = hit?;
    let chance = explained(number, sizes.into_iter());
    let enough = chance <= 0.05 || (support >= 2 && chance <= 0.3);
    enough.then(|| {
        let why = format!("{} of {}", a.value, b.value);
        Finding::new(Class::Derived, Verdict::Derived, why)
            .from(format!("{} → {}", b.source, a.source))
            .chance(chance)
    })
}
