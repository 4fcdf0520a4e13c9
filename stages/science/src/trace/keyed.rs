//! Settings by their names: `a learning rate of 0.01` against the settings that are called so. It knows the
//! usual abbreviations of names, and says nothing where words and names do not agree entirely.

use std::collections::BTreeMap;

use super::fit::same;
use super::stems::stems;
use super::token::{Number, Share};
use super::words::tokens;

/// Values by the stems of their names.
#[derive(Debug, Default)]
pub(super) struct Keyed {
    names: BTreeMap<Vec<String>, Vec<f64>>,
    /// Values by each word of their names.
    words: BTreeMap<String, Vec<f64>>,
    /// Values of settings that are called by one word or letter: `mu`.
    single: BTreeMap<String, Vec<f64>>,
}

/// Abbreviations that files use where papers use words.
const SHORT: [(&str, &[&str]); 8] = [
    ("lr", &["learning", "rate"]),
    ("wd", &["weight", "decay"]),
    ("bs", &["batch", "size"]),
    ("batchsize", &["batch", "size"]),
    ("learningrate", &["learning", "rate"]),
    ("weightdecay", &["weight", "decay"]),
    ("gamma", &["discount"]),
    ("temp", &["temperature"]),
];

/// Words between the name of a setting and its value.
const BETWEEN: &str = "of is was to at = set as a an the equal fixed with value been";

/// Words before the name of a setting that make it another setting than the one of that name.
const OTHER: &str = "final minimum min maximum max end ending decayed reduced smaller larger higher lower \
    different discriminator generator effective initial peak total per";

impl Keyed {
    /// The settings with names, from `file: a.b.learning_rate`.
    pub(super) fn of(settings: &[(f64, String)]) -> Self {
        let mut names: BTreeMap<Vec<String>, Vec<f64>> = BTreeMap::new();
        let mut words: BTreeMap<String, Vec<f64>> = BTreeMap::new();
        for (value, source) in settings {
            let Some((_, pointer)) = source.split_once(": ") else {
                continue;
            };
            let name = pointer.rsplit('.').next().unwrap_or_default();
            // `line 12`, `experiment.py`: no name of a setting.
            if pointer.starts_with("line ") || ["py", "yaml", "txt"].contains(&name) {
                continue;
            }
            for word in plain(name).into_iter().filter(|word| word.len() > 3) {
                words.entry(word).or_default().push(*value);
            }
            names.entry(plain(name)).or_default().push(*value);
        }
        let single = names.iter().filter(|(name, _)| name.len() == 1);
        let single = single
            .map(|(name, values)| (name[0].clone(), values.clone()))
            .collect();
        names.retain(|name, _| {
            name.len() > 1
                || name.first().is_some_and(|word| {
                    ["dropout", "momentum", "discount", "temperature"].contains(&word.as_str())
                })
        });
        Self {
            names,
            words,
            single,
        }
    }

    /// Whether a number and the word after it are a setting and a word of its name: `90 % sparsity`.
    pub(super) fn says(&self, number: &Number, after: &str) -> bool {
        let Some((_, next)) = tokens(after).next() else {
            return false;
        };
        let shown = [number.value, number.value / 100.0];
        let values = stems(next).pop().and_then(|word| self.words.get(&word));
        let shown = |value: &f64| shown.iter().any(|shown| same(*value, *shown));
        values.is_some_and(|values| values.iter().any(shown))
    }

    /// The name and the values of the setting that the words right before a number name, if the number is
    /// none of them.
    pub(super) fn against(&self, number: &Number, before: &str) -> Option<String> {
        if !matches!(number.share, Share::None | Share::Percent) || self.names.is_empty() {
            return None;
        }
        if let Some(told) = self.against_letter(number, before) {
            return Some(told);
        }
        let clause = before
            .rsplit(|c: char| c.is_ascii_digit() || ".;,()".contains(c))
            .next()
            .unwrap_or_default();
        let words: Vec<String> = tokens(clause)
            .map(|(_, word)| word.to_lowercase())
            .collect();
        let between = |word: &&String| super::words::has(BETWEEN, word);
        let end = words.len() - words.iter().rev().take_while(between).count();
        let told = plain(&words[..end].join(" "));
        let (name, _) = self
            .names
            .iter()
            .filter(|(name, _)| told.ends_with(name))
            .max_by_key(|(name, _)| name.len())?;
        let other =
            told.len() > name.len() && super::words::has(OTHER, &told[told.len() - name.len() - 1]);
        if other || end == words.len() {
            return None;
        }
        // `min_lr` may be what the words mean too.
        let values: Vec<f64> = self
            .names
            .iter()
            .filter(|(known, _)| name.iter().all(|word| known.contains(word)))
            .flat_map(|(_, values)| values.iter().copied())
            .collect();
        let shown = [number.value, number.value / 100.0, number.value * 100.0];
        let known = values
            .iter()
            .any(|value| shown.iter().any(|shown| same(*value, *shown)));
        let list: Vec<String> = values.iter().take(4).map(f64::to_string).collect();
        (!known).then(|| format!("the setting `{}` is {}", name.join(" "), list.join(", ")))
    }

    /// `mu = 0.1` against a setting `mu`: a letter needs its sign of equality, since letters are everywhere.
    fn against_letter(&self, number: &Number, before: &str) -> Option<String> {
        let left = before.trim_end().strip_suffix('=')?.trim_end();
        let word = left
            .rsplit(|c: char| !c.is_alphanumeric() && c != '_')
            .next()?;
        let name = plain(word).pop().filter(|_| !word.is_empty())?;
        let values = self.single.get(&name)?;
        let known = values.iter().any(|value| same(*value, number.value));
        let list: Vec<String> = values.iter().take(4).map(f64::to_string).collect();
        (!known).then(|| format!("the setting `{name}` is {}", list.join(", ")))
    }
}

fn plain(name: &str) -> Vec<String> {
    stems(name)
        .into_iter()
        .flat_map(|stem| {
            let long = SHORT.iter().find(|(short, _)| *short == stem);
            match long {
                Some((_, words)) => words.iter().map(|word| (*word).to_owned()).collect(),
                None => vec![stem],
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::token::numbers;
    use super::*;

    #[test]
    fn a_value_that_belongs_to_another_setting_is_told() {
        let setting = |name: &str, value| (value, format!("config.json: train.{name}"));
        let keyed = Keyed::of(&[
            setting("lr", 0.001),
            setting("batch_size", 32.0),
            setting("min_lr", 1e-5),
        ]);
        let against = |text: &str| {
            let number = numbers(text).pop().unwrap();
            keyed.against(&number, &text[..number.at.start])
        };
        assert!(against("with a learning rate of 32").is_some());
        assert!(
            against("The batch size is 64")
                .unwrap()
                .contains("batch size")
        );
        for fine in [
            "a batch size of 32",
            "a learning rate of 0.00001",
            "a minimum learning rate of 0.5",
            "a loss of 0.5",
            "the learning rate in Figure 3",
        ] {
            assert_eq!(against(fine), None, "{fine}");
        }
    }
}
