//! How much an agreement of digits says, and how it is told.

use super::evidence::Hit;
use super::fit::Fit;
use super::lookup::Asked;
use super::results::{Value, Weight};
use super::scales;
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
