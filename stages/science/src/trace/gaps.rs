//! Gaps between two measures of one experiment: `the gap between training and validation loss is 0.663`. It
//! finds what fits and refutes nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::context::{Named, metric_depth};
use super::entry::{Class, Finding, Verdict};
use super::evidence::Evidence;
use super::fit::{explained, fit};
use super::results::{Value, Weight};
use super::spreads::is_spread;
use super::token::{Number, Share};
use super::words::{has, tokens};

/// More measures in one sentence are a list, not a gap.
const MOST: usize = 4;

/// The gap between two measures that the sentence names, of whatever it or its surroundings name.
pub(super) fn gap(
    evidence: &Evidence,
    sentence: &str,
    number: &Number,
    near: &Named,
) -> Option<Finding> {
    let told = tokens(sentence)
        .any(|(_, word)| has("gap gaps difference discrepancy", &word.to_lowercase()));
    if !told || number.spread || number.figures < 2 {
        return None;
    }
    let named = evidence.names.named(sentence);
    let measures: BTreeSet<&String> = named
        .full
        .iter()
        .flatten()
        .filter(|name| evidence.names.measures.contains(*name) && !name.contains("std"))
        .collect();
    if !(2..=MOST).contains(&measures.len()) {
        return None;
    }
    let scale = match number.share {
        Share::Percent | Share::Points => 100.0,
        _ => 1.0,
    };
    let mut groups: BTreeMap<Vec<&str>, Vec<&Value>> = BTreeMap::new();
    for value in &evidence.results.values {
        let depth = metric_depth(value);
        let own = value
            .names
            .get(depth)
            .is_some_and(|name| measures.contains(name));
        if own && value.weight <= Weight::Computed && !is_spread(value) {
            let mut key: Vec<&str> = value.names.iter().map(String::as_str).collect();
            key[depth] = "";
            groups.entry(key).or_default().push(value);
        }
    }
    let mut sizes = Vec::new();
    let mut hit: Option<(usize, &Value, &Value)> = None;
    for group in groups.values() {
        for (at, a) in group.iter().enumerate() {
            for b in group[at + 1..].iter().filter(|b| b.names != a.names) {
                let size = (a.value - b.value).abs() * scale;
                sizes.push(size);
                let support = near.support(a);
                let better = hit.as_ref().is_none_or(|(known, ..)| support > *known);
                if fit(size, number).is_some() && better {
                    hit = Some((support, a, b));
                }
            }
        }
    }
    let (_, a, b) = hit?;
    let chance = explained(number, sizes.into_iter());
    (chance <= 0.15).then(|| {
        let why = format!("the gap between {} and {}", a.value, b.value);
        Finding::new(Class::Derived, Verdict::Derived, why)
            .from(format!("{} → {}", a.source, b.source))
            .chance(chance)
    })
}
