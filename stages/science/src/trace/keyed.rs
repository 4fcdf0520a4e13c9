//! Settings by their names: which settings words speak of, `a learning rate of 0.01`, `12 layers`. It knows
//! the usual abbreviations of names; what speaks against a number is told by [`super::refuted`].

use std::collections::{BTreeMap, BTreeSet};

use super::fit::same;
use super::stems::stems;
use super::token::{Number, Share};
use super::words::{has, tokens};

/// A setting with a name.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    pub(super) value: f64,
    /// The words of its name, without those that say nothing: `hidden_size` is `hidden`.
    pub(super) words: Vec<String>,
    /// Whether its name is a plural, `seeds`, or says that it is a number of things.
    pub(super) plural: bool,
    /// Its whole name as one word, `mu`, where it has one only.
    pub(super) letter: Option<String>,
    pub(super) source: String,
}

/// The settings that have names.
#[derive(Debug, Default)]
pub(super) struct Keyed {
    pub(super) all: Vec<Setting>,
    /// How many settings there are, also those without names.
    pub(super) count: usize,
    /// Values by each word of their names.
    words: BTreeMap<String, Vec<f64>>,
}

/// Abbreviations that files use where papers use words.
const SHORT: [(&str, &[&str]); 29] = [
    ("batche", &["batch"]),
    ("lr", &["learning", "rate"]),
    ("wd", &["weight", "decay"]),
    ("bs", &["batch"]),
    ("batchsize", &["batch"]),
    ("learningrate", &["learning", "rate"]),
    ("weightdecay", &["weight", "decay"]),
    ("gamma", &["discount"]),
    ("temp", &["temperature"]),
    ("embd", &["embedding"]),
    ("emb", &["embedding"]),
    ("dim", &["dimension"]),
    ("dimensional", &["dimension"]),
    ("iter", &["iteration"]),
    ("hid", &["hidden"]),
    ("attn", &["attention"]),
    ("vocab", &["vocabulary"]),
    ("opt", &["optimizer"]),
    ("optimiser", &["optimizer"]),
    ("warm", &["warmup"]),
    ("len", &["length"]),
    ("seq", &["sequence"]),
    ("eps", &["epsilon"]),
    ("mem", &["memory"]),
    ("freq", &["frequency"]),
    ("repeat", &["repetition"]),
    ("folds", &["fold"]),
    ("sigma", &["deviation"]),
    ("depth", &["layer"]),
];

/// Words of names that say nothing of what is set.
const GENERIC: &str =
    "n num number size value count default coefficient param nb no hyper config cfg the a an of";

/// Words that speak of a setting without being its name: what files call `block_size` papers call context.
const AKIN: [(&str, &str); 22] = [
    ("block", "context window sequence length"),
    ("hidden", "width unit dimension neuron model"),
    ("model", "width dimension hidden"),
    ("dimension", "width hidden unit wide"),
    ("embedding", "dimension width"),
    ("epoch", "train pass"),
    ("iteration", "step train update"),
    ("step", "iteration update"),
    ("seed", "repetition run time repeated independent"),
    ("repetition", "time repeated seed run"),
    ("layer", "depth deep block"),
    ("dropout", "drop dropped"),
    ("threshold", "exceed above below cut level"),
    ("duration", "minute second hour long"),
    ("length", "long token wide context sequence"),
    ("discount", "gamma"),
    ("deviation", "noise sigma std"),
    ("weight", "weigh factor coefficient lambda scale scaled"),
    ("warmup", "warm linear"),
    ("replay", "buffer memory"),
    ("split", "train test valid held"),
    ("learning", "step size lr"),
];

impl Setting {
    /// Whether the next word of a text is the last of its name.
    pub(super) fn follows(&self, after: &str) -> bool {
        let next = tokens(after).next().and_then(|(_, word)| plain(word).pop());
        next.is_some() && next.as_ref() == self.words.last()
    }
}

impl Keyed {
    /// The settings with names, from `file: a.b.learning_rate` or `file: line 3: learning_rate`.
    pub(super) fn of(settings: &[(f64, String)]) -> Self {
        let mut keyed = Self {
            count: settings.len(),
            ..Self::default()
        };
        for (value, source) in settings {
            let Some((_, pointer)) = source.split_once(": ") else {
                continue;
            };
            let pointer = match pointer.strip_prefix("line ") {
                Some(line) => match line.split_once(": ") {
                    Some((_, name)) => name,
                    None => continue,
                },
                None => pointer,
            };
            let name = pointer.rsplit('.').next().unwrap_or_default();
            // `experiment.py` names a file, no setting.
            if ["py", "yaml", "txt"].contains(&name) {
                continue;
            }
            let words = plain(name);
            for word in words.iter().filter(|word| word.len() > 3) {
                keyed.words.entry(word.clone()).or_default().push(*value);
            }
            let letter = stems(name);
            keyed.all.push(Setting {
                value: *value,
                plural: name.ends_with('s')
                    || ["n_", "num_", "number_"]
                        .iter()
                        .any(|head| name.starts_with(head)),
                letter: (letter.len() == 1).then(|| plain(name).pop()).flatten(),
                words,
                source: source.clone(),
            });
        }
        keyed
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

    /// Where a setting of this value stands that the words around the number speak of, in any order:
    /// `the factor that weighs the prior is 0.15`.
    pub(super) fn confirms(&self, number: &Number, before: &str, after: &str) -> Option<&Setting> {
        if matches!(number.share, Share::Points | Share::Times) {
            return None;
        }
        let near = near(before, after);
        let around: Vec<String> = near.iter().cloned().collect();
        let fits = |setting: &&Setting| {
            let shares = [1.0, 0.01].into_iter().take(match number.share {
                Share::Percent => 2,
                _ => 1,
            });
            let mut shares = shares.map(|share| number.value * share);
            shares.any(|value| same(value, setting.value))
                || seconds(number, after).is_some_and(|value| {
                    setting
                        .words
                        .last()
                        .is_some_and(|word| word == "s" || word == "second")
                        && same(value, setting.value)
                })
        };
        let told = |setting: &&Setting| {
            let named = |word: &String| near.contains(word) || akin(word, &around);
            setting
                .words
                .iter()
                .filter(|word| !has(WEAK, word))
                .any(named)
        };
        self.all.iter().filter(fits).find(told)
    }
}

/// Whether words speak of a setting without its name: `context` of `block_size`.
pub(super) fn akin(word: &str, near: &[String]) -> bool {
    let known = AKIN.iter().find(|(name, _)| *name == word);
    known.is_some_and(|(_, akin)| near.iter().any(|word| has(akin, word)))
}

/// Words of names that stand near numbers of all kinds.
const WEAK: &str = "rate time test train max min test total per k m s to in gb mb";

/// A time in seconds, where the word after a number says its unit.
fn seconds(number: &Number, after: &str) -> Option<f64> {
    let word = tokens(after).next().map(|(_, word)| word.to_lowercase())?;
    let factor = match word.trim_end_matches('s') {
        "minute" | "min" => 60.0,
        "hour" | "h" => 3600.0,
        "day" => 86_400.0,
        _ => return None,
    };
    Some(number.value * factor)
}

/// The stems of the words around a number, in its own part of the sentence.
fn near(before: &str, after: &str) -> BTreeSet<String> {
    let clause = before.rsplit(['.', ';']).next().unwrap_or(before);
    let words: Vec<&str> = tokens(clause).map(|(_, word)| word).collect();
    let left = &words[words.len().saturating_sub(8)..];
    let ahead = after.split(['.', ';']).next().unwrap_or(after);
    let right = tokens(ahead).map(|(_, word)| word).take(4);
    left.iter().copied().chain(right).flat_map(plain).collect()
}

/// The words of a name, long and without those that say nothing.
pub(super) fn plain(name: &str) -> Vec<String> {
    let long: Vec<String> = stems(name)
        .into_iter()
        .flat_map(|stem| {
            let stem = stem
                .strip_suffix("size")
                .filter(|rest| rest.len() > 3)
                .unwrap_or(&stem)
                .to_owned();
            match SHORT.iter().find(|(short, _)| *short == stem) {
                Some((_, words)) => words.iter().map(|word| (*word).to_owned()).collect(),
                None => vec![stem],
            }
        })
        .collect();
    let told: Vec<String> = long
        .iter()
        .filter(|word| !has(GENERIC, word))
        .cloned()
        .collect();
    if told.is_empty() { long } else { told }
}
