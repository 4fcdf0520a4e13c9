//! What speaks against a number as a setting: words that name a setting of another value, `a learning rate
//! of 0.01`, `6 layers`. It says nothing where words and names do not agree entirely.

use super::fit::same;
use super::keyed::{Keyed, Setting, akin, plain};
use super::token::{Number, Share};
use super::words::{has, tokens};

/// Words between the name of a setting and its value.
const BETWEEN: &str = "of is was to at = set as a an the equal fixed with value been size sized";

/// Words between a name of one word and its value, which must be one of these at least.
const LINKS: &str = "of is was = set fixed equal";

/// Words before the name of a setting that make it another setting than the one of that name.
const OTHER: &str = "final minimum min maximum max end ending decayed reduced smaller larger higher lower \
    different discriminator generator effective initial peak total per";

/// Nouns that are also counted where nothing is set: steps until something happens, samples drawn.
const LOOSE: &str = "step epoch token sample point time second minute hour day year example iteration update \
    parameter run trial model image test train level class word size query request episode";

/// Words before a number that make it a part of what the noun after it counts.
const PART: &str = "first last top other remaining additional extra more another every each per than least most \
    to only final next initial up further same within after before until layer";

impl Keyed {
    /// The name and the values of the setting that the words right before a number name, if the number is
    /// none of them.
    pub(super) fn against(&self, number: &Number, before: &str) -> Option<String> {
        if !matches!(number.share, Share::None | Share::Percent) || self.all.is_empty() {
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
        let between = |word: &&String| has(BETWEEN, word);
        let end = words.len() - words.iter().rev().take_while(between).count();
        let linked =
            words[end..].iter().any(|word| has(LINKS, word)) || clause.trim_end().ends_with('=');
        let told = plain(&words[..end].join(" "));
        let named = |setting: &&Setting| {
            let name = &setting.words;
            let long =
                name.len() > 1 || (linked && name[0].chars().count() > 3 && !has(LOOSE, &name[0]));
            long && told.ends_with(name)
        };
        let name = &self
            .all
            .iter()
            .filter(named)
            .max_by_key(|setting| setting.words.len())?
            .words;
        let other = told.len() > name.len() && has(OTHER, &told[told.len() - name.len() - 1]);
        if other || end == words.len() {
            return None;
        }
        // `min_lr` may be what the words mean too.
        let same_name = |setting: &&Setting| name.iter().all(|word| setting.words.contains(word));
        self.unlike(number, &name.join(" "), self.all.iter().filter(same_name))
    }

    /// The noun after a whole number, and what the settings of that noun are, if the number is none of them:
    /// `6 layers` where there are `teacher_layers` and `student_layers`.
    pub(super) fn against_noun(
        &self,
        number: &Number,
        before: &str,
        after: &str,
    ) -> Option<String> {
        if number.share == Share::None
            && !number.about
            && let Some(told) = self.against_both(number, before, after)
        {
            return Some(told);
        }
        if !number.whole || number.share != Share::None || number.about || number.value < 2.0 {
            return None;
        }
        let last = tokens(before).last().map(|(_, word)| word.to_lowercase());
        if last.is_some_and(|last| has(PART, &last)) {
            return None;
        }
        let gap = after.len() - after.trim_start_matches([' ', '\u{a0}', '-', '~']).len();
        let clause = after[gap..]
            .split(|c: char| !(c.is_alphanumeric() || " -_'".contains(c)))
            .next()
            .unwrap_or_default();
        let words: Vec<String> = tokens(clause)
            .take(3)
            .map(|(_, word)| word.to_lowercase())
            .collect();
        let stop = |word: &String| has(STOPS, word);
        let phrase = &words[..words.iter().position(stop).unwrap_or(words.len())];
        let phrase = plain(&phrase.join(" "));
        if gap == 0 || phrase.is_empty() || phrase.iter().all(|word| word.len() < 3) {
            return None;
        }
        let head = phrase.last()?;
        // `bootstrap samples` is that setting; `layers` is any setting that counts layers.
        let whole = |setting: &&Setting| setting.words.len() > 1 && setting.words == phrase;
        // `200 batches` count what `batch_size` is the size of.
        let counts = |setting: &&Setting| {
            setting.words.last() == Some(head)
                && setting.value.fract() == 0.0
                && phrase.len() <= 2
                && !setting.source.ends_with("_size")
        };
        if self.all.iter().any(|setting| whole(&setting)) {
            return self.unlike(number, &phrase.join(" "), self.all.iter().filter(whole));
        }
        if has(LOOSE, head) || !self.all.iter().any(|setting| counts(&setting)) {
            return None;
        }
        let spoken = |setting: &&Setting| setting.words.contains(head);
        self.unlike(number, head, self.all.iter().filter(spoken))
    }

    /// A value that only settings have of which the sentence does not speak, beside the word of one that has another
    /// value: `a weight of 0.5`, where `distill_weight` is 0.7 and `width_mult` 0.5.
    pub(super) fn elsewhere(&self, number: &Number, word: &str, sentence: &str) -> Option<String> {
        let shown = [number.value, number.value / 100.0];
        let said = plain(sentence);
        let of = |setting: &&Setting| shown.iter().any(|shown| same(*shown, setting.value));
        let owners: Vec<&Setting> = self.all.iter().filter(of).collect();
        let spoken = |setting: &&Setting| {
            setting.words.is_empty()
                || setting
                    .words
                    .iter()
                    .any(|word| said.contains(word) || akin(word, &said))
        };
        let name = plain(word).pop()?;
        let called = |setting: &&Setting| setting.words.last() == Some(&name);
        let named = self.all.len() == self.count;
        (named && !owners.is_empty() && !owners.iter().any(spoken))
            .then(|| self.unlike(number, &name, self.all.iter().filter(called)))
            .flatten()
    }

    /// The setting whose name stands around a number, `an infectious period of 7 days`, if it is another number.
    fn against_both(&self, number: &Number, before: &str, after: &str) -> Option<String> {
        let next = tokens(after)
            .next()
            .and_then(|(_, word)| plain(word).pop())?;
        let clause = before
            .rsplit(|c: char| c.is_ascii_digit() || ".;,()".contains(c))
            .next()?;
        let near: Vec<&str> = tokens(clause).map(|(_, word)| word).collect();
        let near = plain(&near[near.len().saturating_sub(4)..].join(" "));
        let told = |setting: &&Setting| {
            let (last, rest) = match setting.words.split_last() {
                Some((last, rest)) if !rest.is_empty() => (last, rest),
                _ => return false,
            };
            *last == next && rest.iter().all(|word| near.contains(word))
        };
        let told: Vec<&Setting> = self.all.iter().filter(told).collect();
        let name = told.first()?.words.join(" ");
        self.unlike(number, &name, told.into_iter())
    }

    /// What settings are, where a number is none of them.
    fn unlike<'s>(
        &self,
        number: &Number,
        name: &str,
        settings: impl Iterator<Item = &'s Setting>,
    ) -> Option<String> {
        let values: Vec<f64> = settings.map(|setting| setting.value).collect();
        let shown = [
            number.value,
            number.value / 100.0,
            number.value * 100.0,
            number.value / 1e3,
            number.value / 1e6,
        ];
        let known = values
            .iter()
            .any(|value| shown.iter().any(|shown| same(*value, *shown)));
        let mut list: Vec<String> = Vec::new();
        for value in values.iter().map(f64::to_string) {
            if !list.contains(&value) && list.len() < 4 {
                list.push(value);
            }
        }
        (!known && !list.is_empty()).then(|| format!("the setting `{name}` is {}", list.join(", ")))
    }

    /// `mu = 0.1` against a setting `mu`: a letter needs its sign of equality, since letters are everywhere.
    fn against_letter(&self, number: &Number, before: &str) -> Option<String> {
        let left = before.trim_end().strip_suffix('=')?.trim_end();
        let word = left
            .rsplit(|c: char| !c.is_alphanumeric() && c != '_')
            .next()?;
        let word = spelt(word);
        let name = plain(&word).pop().filter(|_| !word.is_empty())?;
        // `alpha` may be told of `lora_alpha`.
        let last =
            |setting: &&Setting| setting.words.len() > 1 && setting.words.last() == Some(&name);
        let alone = name.len() > 3 && self.all.iter().filter(last).count() == 1;
        let called =
            |setting: &&Setting| setting.letter.as_ref() == Some(&name) || (alone && last(setting));
        self.unlike(number, &name, self.all.iter().filter(called))
    }
}

/// A word with its Greek letters spelt out.
fn spelt(word: &str) -> String {
    super::maths::GREEK
        .iter()
        .fold(word.to_owned(), |word, (letter, name)| {
            word.replace(*letter, name)
        })
}

/// Words that end the name of what is counted.
const STOPS: &str = "a an the and or but for on in of at to from with by while which that than as is was are were \
    when after before against versus vs compared under over per each we it long wide deep";

#[cfg(test)]
mod tests {
    use super::super::token::numbers;
    use super::*;

    fn keyed() -> Keyed {
        let setting = |name: &str, value| (value, format!("config.json: train.{name}"));
        Keyed::of(&[
            setting("lr", 0.001),
            setting("batch_size", 32.0),
            setting("min_lr", 1e-5),
            setting("teacher_layers", 12.0),
            setting("student_layers", 4.0),
            setting("bootstrap_samples", 2000.0),
            setting("epochs", 30.0),
        ])
    }

    #[test]
    fn a_value_that_belongs_to_another_setting_is_told() {
        let against = |text: &str| {
            let number = numbers(text).pop().unwrap();
            keyed().against(&number, &text[..number.at.start])
        };
        assert!(against("with a learning rate of 32").is_some());
        assert!(against("The batch size is 64").unwrap().contains("batch"));
        assert!(against("with batches of 64").is_some());
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

    #[test]
    fn a_count_of_what_settings_count_is_one_of_them() {
        let against = |text: &str| {
            let number = numbers(text).pop().unwrap();
            keyed().against_noun(&number, &text[..number.at.start], &text[number.at.end..])
        };
        assert!(
            against("The student has 6 layers.")
                .unwrap()
                .contains("`student layer` is 4")
        );
        assert!(against("Both have 6 layers.").unwrap().contains("12, 4"));
        assert!(against("from 1,000 bootstrap samples").is_some());
        for fine in [
            "a student of 4 layers",
            "the first 3 layers",
            "after 17 epochs",
            "2,000 bootstrap samples",
            "in 64 samples",
        ] {
            assert_eq!(against(fine), None, "{fine}");
        }
    }
}
