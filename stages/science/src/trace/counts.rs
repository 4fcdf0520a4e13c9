//! What results and settings count: repetitions, cases, conditions. A paper that speaks of `5 seeds` is
//! compared with the seeds that there are; where nothing counts them, nothing is said.

use std::collections::BTreeSet;

use super::keyed::Keyed;
use super::results::{Results, Weight};
use super::stems::stems;
use super::token::{Number, Share};
use super::words::{has, tokens};

/// Something that was counted: 11 basins of `lowland`, 6 seeds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Counted {
    /// The stem of what is counted: the header of a column, `seed`.
    pub(super) noun: String,
    /// The group in which it was counted, if it is not all of them.
    pub(super) of: Option<String>,
    pub(super) count: usize,
}

/// Everything that was counted.
#[derive(Debug, Default)]
pub(super) struct Counts {
    facts: BTreeSet<Counted>,
    /// How often experiments were repeated, for sure.
    repeated: BTreeSet<usize>,
    /// Lengths of lists, which may be of repetitions.
    lists: BTreeSet<usize>,
    /// The most names that results have at one place, apart from those of runs and measures.
    pub(super) names: usize,
}

/// Nouns for what experiments are made on.
const SETS: &str = "dataset corpus corpora benchmark task environment domain";

/// Nouns for repetitions.
const REPETITIONS: &str =
    "seed repetition fold replicate replication repeat restart initialisation initialization";

/// Words before a count that make it one of everything.
const WHOLE: &str = "over across all total only comprise comprises comprising contain contains consist consists \
    averaged average mean repeated using with from each use uses used ran run on report";

/// Words of sentences that tell what was not done.
const SUPPOSED: &str = "would could might may future more additional planned if larger";

/// Numbers in words.
const WORDS: [&str; 13] = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve",
];

impl Counts {
    pub(super) fn of(results: &Results, keyed: &Keyed) -> Self {
        let mut counts = Self {
            facts: results.counted.iter().cloned().collect(),
            lists: results.lists.clone(),
            ..Self::default()
        };
        let told = results
            .counted
            .iter()
            .filter(|counted| has(REPETITIONS, &counted.noun));
        counts.repeated.extend(told.map(|counted| counted.count));
        counts.repeated.extend(averaged(results));
        for setting in &keyed.all {
            let seeds = setting.words.iter().any(|word| has(REPETITIONS, word));
            // `seed: 42` is the number of one seed, `seeds: 5` a count.
            let counted = setting.plural
                || setting
                    .words
                    .iter()
                    .any(|word| ["repetition", "fold"].contains(&word.as_str()));
            if seeds
                && counted
                && setting.value.fract() == 0.0
                && (1.0..=1000.0).contains(&setting.value)
            {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "a count up to a thousand"
                )]
                counts.repeated.insert(setting.value as usize);
            }
        }
        counts
    }

    /// What speaks against a whole number as a count of what stands after it.
    pub(super) fn against(&self, number: &Number, before: &str, after: &str) -> Option<String> {
        let plain = number.whole
            && number.share == Share::None
            && (!number.about || before.trim_end().ends_with("over"))
            && number.unit.is_empty();
        if !plain
            || !(1.0..=100_000.0).contains(&number.value)
            || after.starts_with(['.', '-', '–']) && !after.starts_with("-fold")
        {
            return None;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a small whole number"
        )]
        self.refuted(number.value as usize, before, after.trim_start_matches('-'))
    }

    /// Counts of repetitions that are told in words, `three seeds`, and wrong: where they stand, and why.
    pub(super) fn words<'s>(&self, sentence: &'s str) -> Vec<(usize, &'s str, usize, String)> {
        let found = tokens(sentence).filter_map(|(at, word)| {
            let count = WORDS
                .iter()
                .position(|known| *known == word.to_lowercase())?;
            let (before, after) = (&sentence[..at], &sentence[at + word.len()..]);
            let told = noun(after).is_some_and(|(head, phrase)| {
                has(REPETITIONS, &head)
                    || (phrase.len() == 1 && self.facts.iter().any(|fact| fact.noun == head))
                    || has(SETS, &head)
            }) && count > 1;
            let why = self.refuted(count, before, after).filter(|_| told)?;
            Some((at, word, count, why))
        });
        found.collect()
    }

    fn refuted(&self, count: usize, before: &str, after: &str) -> Option<String> {
        let clause = before.rsplit(['.', ';']).next().unwrap_or(before);
        let near: Vec<String> = tokens(clause)
            .map(|(_, word)| word.to_lowercase())
            .collect();
        let last = near.last().map_or("", String::as_str);
        let rest = after.split(['.', ';']).next().unwrap_or(after);
        let supposed = near.iter().any(|word| has(SUPPOSED, word))
            || tokens(rest).any(|(_, word)| has("would could might may", &word.to_lowercase()));
        // `3 to 5 seeds` is a range, `limited to five datasets` is none.
        let ranged = last == "to"
            && near.iter().rev().nth(1).is_some_and(|word| {
                word.starts_with(|c: char| c.is_ascii_digit()) || WORDS.contains(&word.as_str())
            });
        if supposed
            || ranged
            || has(
                "first last top other remaining another least most than",
                last,
            )
        {
            return None;
        }
        let (head, phrase) = noun(after)?;
        let whole = near.iter().rev().take(4).any(|word| has(WHOLE, word));
        let again = head == "time"
            && near
                .iter()
                .rev()
                .take(3)
                .any(|word| has("repeated repeat repeating", word));
        let fold = after.starts_with("fold");
        if has(REPETITIONS, &head) || again || fold {
            let known = self.repeated.contains(&count) || self.lists.contains(&count);
            return (!known
                && !self.repeated.is_empty()
                && (whole || again || fold || near.is_empty()))
            .then(|| format!("there are {} repetitions", list(&self.repeated)));
        }
        // More data sets than anything that results are told apart by.
        if has(SETS, &head) && has("on across all over the our to", last) {
            let most = self.names;
            return (count > most && most > 1)
                .then(|| format!("the results tell no more than {most} things apart"));
        }
        // `13 lowland` basins: a group of what the sentence speaks of.
        let grouped: BTreeSet<usize> = self
            .facts
            .iter()
            .filter(|fact| {
                fact.of
                    .as_ref()
                    .is_some_and(|of| stems(of) == phrase[..1.min(phrase.len())])
                    && (near.iter().any(|word| stems(word).contains(&fact.noun))
                        || tokens(rest).any(|(_, word)| stems(word).contains(&fact.noun)))
            })
            .map(|fact| fact.count)
            .collect();
        if !grouped.is_empty() {
            let one = list(&grouped);
            return (!grouped.contains(&count))
                .then(|| format!("there are {one} of them in the results"));
        }
        let counts = |all: bool| -> BTreeSet<usize> {
            let facts = self
                .facts
                .iter()
                .filter(|fact| fact.noun == head && (all || fact.of.is_none()));
            facts.map(|fact| fact.count).collect()
        };
        let total = counts(false);
        let most = total.iter().max().copied()?;
        let told = near
            .iter()
            .rev()
            .take(3)
            .any(|word| has("only all total", word))
            || count > most;
        (told && phrase.len() == 1 && !counts(true).contains(&count))
            .then(|| format!("the results hold {} of them (`{head}`)", list(&total)))
    }
}

/// The lengths of lists whose means stand in the files: these are of repetitions for sure.
fn averaged(results: &Results) -> BTreeSet<usize> {
    let told: BTreeSet<u64> = results
        .values
        .iter()
        .filter(|value| value.weight == Weight::Result && value.value.fract() != 0.0)
        .map(|value| rounded(value.value))
        .collect();
    let means = results.values.iter().filter_map(|value| {
        let length = value
            .source
            .rsplit_once("(mean of ")?
            .1
            .trim_end_matches(')');
        let computed = value.weight == Weight::Computed && told.contains(&rounded(value.value));
        length.parse().ok().filter(|length| computed && *length > 1)
    });
    means.collect()
}

/// A value to nine digits, as a key.
fn rounded(value: f64) -> u64 {
    format!("{value:.9e}")
        .parse::<f64>()
        .unwrap_or(value)
        .to_bits()
}

fn list(counts: &BTreeSet<usize>) -> String {
    let all: Vec<String> = counts.iter().map(usize::to_string).collect();
    all.join(" or ")
}

/// The stem of the noun that is counted, with the stems of all words up to it.
fn noun(after: &str) -> Option<(String, Vec<String>)> {
    const STOPS: &str = "a an the and or but for on in of at to from with by while which that than as is was are were \
        when after before against versus vs per each we it ones one";
    let plain = after.trim_start_matches([' ', '\u{a0}', '~']);
    let clause = plain
        .split(|c: char| !(c.is_alphanumeric() || " -_".contains(c)))
        .next()?;
    let words: Vec<&str> = tokens(clause)
        .map(|(_, word)| word)
        .take(3)
        .take_while(|word| !has(STOPS, &word.to_lowercase()))
        .collect();
    let all = stems(&words.join(" "));
    // `5 seeds were used`: the noun is the first word that repetitions are counted by, else the last.
    let at = all
        .iter()
        .position(|stem| has(REPETITIONS, stem) || stem == "time");
    let end = at.unwrap_or(all.len().checked_sub(1)?);
    Some((all[end].clone(), all[..=end].to_vec()))
}

#[cfg(test)]
mod tests {
    use super::super::token::numbers;
    use super::*;

    fn counts() -> Counts {
        let fact = |noun: &str, of: Option<&str>, count| Counted {
            noun: noun.to_owned(),
            of: of.map(str::to_owned),
            count,
        };
        Counts {
            facts: [
                fact("basin", None, 26),
                fact("basin", Some("lowland"), 11),
                fact("region", None, 3),
            ]
            .into(),
            repeated: [5].into(),
            lists: BTreeSet::new(),
            names: 4,
        }
    }

    #[test]
    fn counts_are_compared_with_what_there_is() {
        let against = |text: &str| {
            let number = numbers(text).into_iter().next().unwrap();
            counts().against(&number, &text[..number.at.start], &text[number.at.end..])
        };
        for wrong in [
            "averaged over 3 seeds",
            "repeated 4 times",
            "a mean over 10 random seeds",
            "with 10-fold cross-validation",
            "13 lowland basins",
            "only 2 regions were studied",
            "all 30 basins",
        ] {
            assert!(against(wrong).is_some(), "{wrong}");
        }
        for fine in [
            "averaged over 5 seeds",
            "with 20 seeds the ranking may change",
            "11 lowland basins",
            "the 26 basins",
            "in 2 regions it is worse",
            "2 of 3 regions",
            "for 4 times as many",
        ] {
            assert_eq!(against(fine), None, "{fine}");
        }
        assert_eq!(
            counts()
                .words("We use three seeds, averaged over three seeds.")
                .len(),
            2
        );
    }
}
