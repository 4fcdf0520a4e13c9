//! How much an agreement of digits says, and how it is told.

use super::context::Named;
use super::entry::Finding;
use super::evidence::{Evidence, Hit};
use super::fit::Fit;
use super::lookup::Asked;
use super::results::{Value, Weight};
use super::scales;
use super::spreads::is_spread;
use super::token::{Number, Share};

/// Why an agreement does not vouch for a number, if it does not.
pub(super) fn too_weak(number: &Number, support: usize, chance: f64, fit: Fit) -> Option<String> {
    let few = number.figures < 3 || number.about;
    let enough = match (few, fit) {
        (_, Fit::Twice) => support >= 2 && chance <= 0.2,
        (true, _) => (support >= 2 && chance <= 0.7) || (support >= 1 && chance <= 0.25),
        (false, _) => chance <= 0.25 || (support >= 2 && chance <= 0.9),
    };
    (!enough).then(|| {
        let words = if support == 0 {
            "no word near it speaks of that result"
        } else {
            "too little speaks for that result"
        };
        format!(
            "{words}, and {:.0} % of such numbers would equal some result",
            chance * 100.0
        )
    })
}

pub(super) fn how(hit: &Hit, value: &Value, number: &Number, chance: f64) -> String {
    let fit = match hit.fit {
        Fit::Rounded => "rounded",
        Fit::Truncated => "cut off, not rounded",
        Fit::Twice => "rounded twice",
        Fit::About => "about",
    };
    let scaled = if hit.scale == 1.0 {
        String::new()
    } else {
        format!(" × {}", hit.scale)
    };
    let from = match value.weight {
        Weight::Note => ", found in notes only",
        Weight::Point => ", one point of a curve",
        _ => "",
    };
    let strength = if number.figures == 0 {
        "zero agrees with much".to_owned()
    } else {
        format!(
            "{:.1} % of such numbers would agree by chance",
            chance * 100.0
        )
    };
    format!("{}{scaled} {fit}{from}; {strength}", value.value)
}

/// Whether a number counts what the words after it name.
pub(super) fn counts_things(asked: &Asked<'_>) -> bool {
    let words: Vec<&str> = asked.units.split(' ').collect();
    let unit = |word: &&str| {
        super::kind::is_unit(word) || scales::is_unit(word) || super::kind::measured(word)
    };
    let plural = |word: &&str| word.len() > 4 && word.ends_with('s') && !word.ends_with("ss");
    let plain = asked.number.share == Share::None && asked.number.unit.is_empty();
    plain && words.iter().any(plural) && !words.iter().any(unit)
}

impl Evidence {
    /// Names without those of measures that are never shares: steps and seconds are not told in per cent.
    pub(super) fn shares(&self, named: &Named) -> Named {
        let mut named = named.clone();
        let share = |name: &String| {
            let own = |value: &&Value| value.names.last() == Some(name) && !is_spread(value);
            self.base
                .iter()
                .filter(own)
                .any(|value| value.value.abs() <= 100.0)
        };
        let measures = &self.names.measures;
        for sets in [&mut named.full, &mut named.half] {
            for set in sets.iter_mut() {
                set.retain(|name| !measures.contains(name) || share(name));
            }
        }
        named
    }
}

/// Whether the words name both the measure and the thing that a finding is of.
pub(super) fn spoken(asked: &Asked<'_>, finding: &Finding) -> bool {
    let base = finding.base.as_ref();
    let least = if asked.number.figures >= 3 { 2 } else { 4 };
    !asked.number.whole && base.is_some_and(|base| asked.near.told(&base.names) >= least)
}
