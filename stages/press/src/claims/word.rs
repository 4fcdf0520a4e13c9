//! Words that claim a direction, and words that take the claim back.

use crate::numbers::record::{Kind, Number};

/// Which way a sentence says that a value went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Better,
    Worse,
    Lower,
    Higher,
    /// That there is a change at all.
    Moved,
}

/// A direction and the word that claims it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    pub(crate) way: Way,
    pub(crate) word: String,
}

/// Beginnings of words; a `$` at the end asks for the whole word.
const WORDS: [(&str, Way); 36] = [
    ("improv", Way::Better),
    ("better$", Way::Better),
    ("best$", Way::Better),
    ("outperform", Way::Better),
    ("superior", Way::Better),
    ("surpass", Way::Better),
    ("beats$", Way::Better),
    ("gain$", Way::Better),
    ("gains$", Way::Better),
    ("helps$", Way::Better),
    ("benefit", Way::Better),
    ("wors", Way::Worse),
    ("degrad", Way::Worse),
    ("deteriorat", Way::Worse),
    ("underperform", Way::Worse),
    ("inferior", Way::Worse),
    ("hurts$", Way::Worse),
    ("harms$", Way::Worse),
    ("reduc", Way::Lower),
    ("lower", Way::Lower),
    ("decreas", Way::Lower),
    ("smaller$", Way::Lower),
    ("drops$", Way::Lower),
    ("dropped$", Way::Lower),
    ("falls$", Way::Lower),
    ("fell$", Way::Lower),
    ("declin", Way::Lower),
    ("shrink", Way::Lower),
    ("higher$", Way::Higher),
    ("increas", Way::Higher),
    ("larger$", Way::Higher),
    ("greater$", Way::Higher),
    ("rises$", Way::Higher),
    ("rose$", Way::Higher),
    ("grows$", Way::Higher),
    ("raises$", Way::Higher),
];

/// Words and phrases that make a sentence something else than a claim.
const HEDGES: [&str; 26] = [
    " not ",
    "n't ",
    "n’t ",
    " no ",
    " nor ",
    " neither ",
    " cannot ",
    " whether ",
    " may ",
    " might ",
    " could ",
    " would ",
    " should ",
    " if ",
    " unclear",
    " inconclusive",
    " indistinguish",
    " insignificant",
    " includes zero",
    " include zero",
    " within noise",
    " hypothes",
    " expect",
    " too few",
    " lower is better",
    " higher is better",
];

/// The claims of a sentence; none if it hedges.
pub(crate) fn claims(text: &str) -> Vec<Claim> {
    if hedges(text) {
        return Vec::new();
    }
    text.split(|c: char| !c.is_alphanumeric() && c != '-')
        .filter_map(|word| {
            let plain = word.to_lowercase();
            let (_, way) = WORDS
                .iter()
                .find(|(stem, _)| match stem.strip_suffix('$') {
                    Some(whole) => plain == whole,
                    None => plain.starts_with(stem),
                })?;
            Some(Claim {
                way: *way,
                word: word.to_owned(),
            })
        })
        .collect()
}

/// Whether a sentence takes back what its words may claim.
pub(crate) fn hedges(text: &str) -> bool {
    let spaced: String = format!(" {} ", text.to_lowercase())
        .chars()
        .map(|c| {
            if c.is_whitespace() || ".,;:()".contains(c) {
                ' '
            } else {
                c
            }
        })
        .collect();
    HEDGES.iter().any(|hedge| spaced.contains(hedge))
}

/// What a `\change` claims: its direction word is right by its making, whichever end comes first, but that
/// there is a change at all is a claim too.
pub(crate) fn change(number: &Number) -> Option<Claim> {
    let value = number
        .value
        .as_f64()
        .filter(|_| number.kind == Kind::Change)?;
    (value != 0.0).then(|| Claim {
        way: Way::Moved,
        word: number.shown.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_are_read_and_hedges_are_respected() {
        let ways = |text: &str| {
            claims(text)
                .into_iter()
                .map(|claim| claim.way)
                .collect::<Vec<_>>()
        };
        assert_eq!(ways("The gate improves the loss."), [Way::Better]);
        assert_eq!(
            ways("It reduces the loss but raises the cost"),
            [Way::Lower, Way::Higher]
        );
        for hedged in [
            "It does not improve the loss.",
            "Whether it improves is open.",
            "No data set is better.",
            "It doesn't help; lower losses.",
            "The loss is lower, but the interval includes zero.",
            "Evaluation loss (lower is better).",
        ] {
            assert_eq!(ways(hedged), [], "{hedged}");
        }
        assert_eq!(ways("We regain the best-known bestiary."), []);
    }
}
