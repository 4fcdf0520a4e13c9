//! Numbers by which results are told apart: a field that many records share (`"alpha": 0.1`), a part of a name
//! (`ETTh1_96_mse`). A paper that names one tells a condition, not a result.

use std::collections::BTreeSet;

use super::evidence::Evidence;
use super::fit::same;
use super::results::Weight;
use super::stems::stems;
use super::token::Number;

impl Evidence {
    /// Where a number stands as a condition called `word`. Without a sign of equality, only where the number
    /// is a part of names.
    pub(super) fn condition(&self, number: &Number, word: &str, equals: bool) -> Option<String> {
        let name = stems(word).pop().unwrap_or_default();
        let called = |value: &&super::results::Value| {
            let last = value.names.last();
            same(value.value, number.value)
                && last.is_some_and(|last| stems(last).contains(&name))
                && value.weight <= Weight::Point
        };
        let among = self.results.values.iter().filter(called);
        // What was measured is hardly ever the same to the last digit in several records.
        let found: Vec<_> = among.take(2).collect();
        if equals && found.len() == 2 {
            return Some(found[0].source.clone());
        }
        self.numbered(number)
    }

    /// The run whose title tells this number with a word that stands near: `2 % noise`.
    pub(super) fn titled(&self, number: &Number, near: &str) -> Option<String> {
        let words = stems(near);
        let told = |title: &str| {
            let alike =
                |other: &Number| same(other.value, number.value) && other.share == number.share;
            let spoken = stems(title)
                .iter()
                .any(|stem| stem.len() > 3 && words.contains(stem));
            spoken && super::token::numbers(title).iter().any(alike)
        };
        let found = self.results.titles.iter().find(|(_, title)| told(title))?;
        Some(format!("the title of {}: {}", found.0, found.1))
    }

    /// Two names that differ and share this number as a word of its own.
    pub(super) fn numbered(&self, number: &Number) -> Option<String> {
        if !number.whole || number.figures < 2 {
            return None;
        }
        let word = format!("{}", number.value);
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        for value in &self.results.values {
            for name in &value.names {
                // `2000 step` is a position of a curve.
                let place = super::positions::numbered(name).is_some_and(|(own, _)| own == word);
                if place {
                    return Some(value.source.clone());
                }
                let told = || name.split(['_', ' ', '/']).any(|part| part == word);
                if name.len() > word.len() + 1 && !seen.contains(name.as_str()) && told() {
                    seen.insert(name);
                    if seen.len() == 2 {
                        return Some(value.source.clone());
                    }
                }
            }
        }
        None
    }
}
