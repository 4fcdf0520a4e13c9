//! Claims of direction in prose, and whether the compared results bear them.
//!
//! A claim is a sentence with a word such as *improves* or *lower* about measured results. The results
//! it is about are those that it refers to, else those whose point set and metric it names. It reads
//! words, not meaning: a claim made without such words is not seen, and irony is lost on it.

use std::collections::BTreeSet;

use super::finding::RowName;
use crate::paper::draft::{Sentence, paths};
use crate::paper::label;
use crate::paper::reference::blank;
use crate::stats::{Comparison, ENOUGH, Row, Verdict};

/// Which way a sentence says that results went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Better,
    Worse,
    Lower,
    Higher,
}

/// Word stems with the direction that they claim.
const WORDS: [(&str, Way); 38] = [
    ("improv", Way::Better),
    ("better", Way::Better),
    ("best", Way::Better),
    ("outperform", Way::Better),
    ("superior", Way::Better),
    ("surpass", Way::Better),
    ("beats", Way::Better),
    ("exceeds", Way::Higher),
    ("gain", Way::Better),
    ("helps", Way::Better),
    ("worse", Way::Worse),
    ("worst", Way::Worse),
    ("worsen", Way::Worse),
    ("degrad", Way::Worse),
    ("deteriorat", Way::Worse),
    ("underperform", Way::Worse),
    ("inferior", Way::Worse),
    ("hurts", Way::Worse),
    ("harms", Way::Worse),
    ("reduc", Way::Lower),
    ("lower", Way::Lower),
    ("decreas", Way::Lower),
    ("smaller", Way::Lower),
    ("less", Way::Lower),
    ("drop", Way::Lower),
    ("falls", Way::Lower),
    ("fell", Way::Lower),
    ("declin", Way::Lower),
    ("shrink", Way::Lower),
    ("cuts", Way::Lower),
    ("halve", Way::Lower),
    ("higher", Way::Higher),
    ("increas", Way::Higher),
    ("larger", Way::Higher),
    ("greater", Way::Higher),
    ("rises", Way::Higher),
    ("grows", Way::Higher),
    ("doubl", Way::Higher),
];

/// Words that make a sentence something else than a claim.
const HEDGES: [&str; 34] = [
    "cannot be told",
    "not distinguish",
    "indistinguish",
    "inconclusive",
    "not conclusive",
    "no clear",
    "no evidence",
    "no significant",
    "not significant",
    "includes zero",
    "include zero",
    "whether",
    "may ",
    "might ",
    "could ",
    "should ",
    "would ",
    "if ",
    "does not",
    "do not",
    "did not",
    "neither",
    "hypothes",
    "expect",
    "aim",
    "too few",
    "no direction",
    "can then",
    "unclear",
    "is better;",
    "is better.",
    "would have",
    "to be tested",
    "we ask",
];

/// The direction that a sentence claims, with the word that claims it; none for hedged sentences.
pub(super) fn claimed(text: &str) -> Option<(Way, String)> {
    let plain = blank(text).to_lowercase();
    let plain = plain
        .replace("lower is better", "")
        .replace("higher is better", "");
    if HEDGES.iter().any(|hedge| plain.contains(hedge)) {
        return None;
    }
    let words = plain
        .split(|c: char| !c.is_alphanumeric() && c != '-')
        .filter(|word| !word.is_empty());
    let mut found = words.filter_map(|word| way(word).map(|way| (way, word.to_owned())));
    // `\change` writes the direction word itself, which is right by its making; what it still claims
    // is that there is a change.
    found.next().or_else(|| {
        crate::paper::reference::references(text)
            .iter()
            .any(|reference| reference.name == "change")
            .then(|| (Way::Lower, "\\change".to_owned()))
    })
}

/// The direction that a word in small letters claims.
pub(crate) fn way(word: &str) -> Option<Way> {
    let known = WORDS.iter().find(|(stem, _)| matches(word, stem));
    known.map(|(_, way)| *way)
}

fn matches(word: &str, stem: &str) -> bool {
    match stem {
        // Short words that begin others.
        "less" | "best" | "gain" | "fell" | "lower" => word == stem || word == format!("{stem}s"),
        _ => word.starts_with(stem),
    }
}

/// The compared results that a sentence refers to, or names.
pub(super) fn rows_of(text: &str, comparison: &Comparison) -> BTreeSet<RowName> {
    let referred = rows_referred(text, comparison);
    if !referred.is_empty() {
        return referred;
    }
    let plain = blank(text).to_lowercase();
    let named = |word: &str| {
        let word = word.to_lowercase();
        plain.match_indices(&word).any(|(at, _)| {
            let letter = |c: char| c.is_alphanumeric();
            !plain[..at].ends_with(letter) && !plain[at + word.len()..].starts_with(letter)
        })
    };
    let places: BTreeSet<&String> = comparison.by.keys().filter(|place| named(place)).collect();
    let metrics: BTreeSet<&String> = comparison
        .counts_by_metric
        .keys()
        .filter(|metric| named(metric) || named(&label(metric, None)))
        .collect();
    if places.is_empty() && metrics.is_empty() {
        return BTreeSet::new();
    }
    all(comparison)
        .filter(|row| places.is_empty() || places.contains(&row.place))
        .filter(|row| metrics.is_empty() || metrics.contains(&row.metric))
        .collect()
}

/// The compared results whose values a text refers to.
pub(super) fn rows_referred(text: &str, comparison: &Comparison) -> BTreeSet<RowName> {
    let paths = paths(text);
    all(comparison)
        .filter(|row| {
            paths.iter().any(|path| {
                ["baseline", "trial", "comparison"].iter().any(|document| {
                    let own = format!("{document}.by.{}.{}", row.place, row.metric);
                    path.strip_prefix(&own)
                        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
                })
            })
        })
        .collect()
}

/// Every compared result by name.
pub(super) fn all(comparison: &Comparison) -> impl Iterator<Item = RowName> {
    comparison.by.iter().flat_map(|(place, metrics)| {
        metrics.keys().map(move |metric| RowName {
            place: place.clone(),
            metric: metric.clone(),
        })
    })
}

/// Whether a row bears the claim that it went `way`; `word` is the one that claims.
pub(super) fn bears(row: &Row, way: Way, word: &str) -> bool {
    let enough = row.baseline.n >= ENOUGH && row.trial.n >= ENOUGH;
    let Some([low, high]) = row.ci.filter(|_| enough) else {
        return false;
    };
    if word == "\\change" {
        return low > 0.0 || high < 0.0;
    }
    match way {
        Way::Better => row.verdict == Verdict::Better,
        Way::Worse => row.verdict == Verdict::Worse,
        Way::Lower => high < 0.0,
        Way::Higher => low > 0.0,
    }
}

/// Whether the sentence only counts verdicts, which it refers to.
pub(super) fn counts_only(sentence: &Sentence<'_>, comparison: &Comparison) -> bool {
    let paths = paths(sentence.text);
    paths
        .iter()
        .any(|path| path.starts_with("comparison.counts"))
        && rows_referred(sentence.text, comparison).is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_are_told_from_hedges_and_explanations() {
        for text in [
            "The variant improves the loss on circle.",
            "The loss is lower with the gate.",
            r"The KL is \change{a.b}{c.d} than before.",
        ] {
            assert!(claimed(text).is_some(), "{text}");
        }
        for text in [
            "The difference cannot be told from zero, so nothing is better.",
            "We test whether a gate improves the loss.",
            "The evaluation loss is an error; lower is better.",
            "The variance is the same.",
            "A learning rate of this size is common.",
            r"The loss is \val{a.b}{.3}.",
        ] {
            assert_eq!(claimed(text), None, "{text}");
        }
    }
}
