//! Comparisons of two values that stand in the sentence: `better than X (5.97 vs. 5.72)`, `7.04 is above that of
//! X (7.60)`. It judges nothing but their direction, and only where both values lead to results of one measure.

use super::super::review::Way;
use super::change::{self, Between, Operand};
use super::entry::{Finding, Verdict};
use super::judge::Judge;
use super::token::{Number, Share};
use super::words::{Said, directions, tokens};

/// Words of sentences that deny or suppose what they tell.
const DENIED: &str = "not no nor neither never rather other without cannot would could might if";

impl Judge<'_> {
    /// Marks the first of two values that are compared the wrong way round.
    pub(super) fn compared(
        &self,
        sentence: &str,
        found: &[Number],
        findings: &mut [Option<Finding>],
    ) {
        let values: Vec<usize> = (0..found.len())
            .filter(|at| !found[*at].name && !found[*at].version && !found[*at].spread)
            .collect();
        for pair in values.windows(2) {
            let (a, b) = (pair[0], pair[1]);
            if found[a].share != found[b].share || found[a].value == found[b].value {
                continue;
            }
            let told = behind(sentence, found, a, b)
                .or_else(|| self.enclosed(sentence, found, findings, a, b));
            let Some((said, subject, object)) = told else {
                continue;
            };
            if !self.alike(findings, subject, object) {
                continue;
            }
            let step = Number {
                value: (found[a].value - found[b].value).abs(),
                share: Share::None,
                ..found[a].clone()
            };
            let operand = |at: usize| Operand {
                number: &found[at],
                finding: findings[at].as_ref(),
            };
            let between = Between {
                from: operand(object),
                to: operand(subject),
            };
            let wrong = change::told(&step, &said, &between)
                .filter(|finding| finding.verdict == Verdict::WrongDirection);
            if let Some(wrong) = wrong {
                let (high, low) = match found[subject].value > found[object].value {
                    true => ("above", subject),
                    false => ("below", subject),
                };
                let why = format!(
                    "{} is {high} {}, where the text says `{}`; {}",
                    found[low].value, found[object].value, said.word, wrong.why
                );
                let source = findings[subject]
                    .as_ref()
                    .and_then(|finding| finding.source.clone());
                findings[subject] = Some(Finding {
                    source,
                    why,
                    ..wrong
                });
            }
        }
    }

    /// Whether two values are of one measure, and of different things.
    fn alike(&self, findings: &[Option<Finding>], a: usize, b: usize) -> bool {
        let names = |at: usize| {
            let finding = findings[at].as_ref()?;
            let base = finding
                .base
                .as_ref()
                .filter(|_| finding.verdict == Verdict::Traced)?;
            Some(&base.names)
        };
        let (Some(a), Some(b)) = (names(a), names(b)) else {
            return false;
        };
        a.len() == b.len() && a.iter().zip(b).filter(|(a, b)| a != b).count() == 1
    }

    /// `better than X (5.97 vs. 5.72)`: the value that names X is X's, else the second is.
    fn enclosed(
        &self,
        sentence: &str,
        found: &[Number],
        findings: &[Option<Finding>],
        a: usize,
        b: usize,
    ) -> Option<(Said, usize, usize)> {
        let between = sentence
            .get(found[a].at.end..found[b].at.start)?
            .to_lowercase();
        let words: Vec<&str> = tokens(&between).map(|(_, word)| word).collect();
        let versus = matches!(
            words[..],
            ["vs" | "versus" | "against"] | ["compared", "to" | "with"]
        );
        let before = sentence
            .get(..found[a].at.start)?
            .trim_end()
            .strip_suffix('(')?;
        let start = before
            .rfind([';', ':', '.', ',', '('])
            .map_or(0, |at| at + 1);
        let clause = &before[start..];
        let at = clause.rfind(" than ")?;
        let said = comparative(&clause[..at])?;
        let other = self.evidence.names.named(&clause[at..]);
        let of = |at: usize| {
            let base = findings[at]
                .as_ref()
                .and_then(|finding| finding.base.as_ref());
            base.is_some_and(|base| {
                let told = base.names.iter().enumerate();
                let full = |(depth, name): (usize, &String)| {
                    other
                        .full
                        .get(depth)
                        .is_some_and(|full| full.contains(name))
                };
                told.into_iter().any(full)
            })
        };
        let denied =
            tokens(clause).any(|(_, word)| super::words::has(DENIED, &word.to_lowercase()));
        (versus && !denied).then_some(match of(a) && !of(b) {
            true => (said, b, a),
            false => (said, a, b),
        })
    }
}

/// `7.04 is above that of X (7.60)`, `A (0.81) is better than B (0.78)`.
fn behind(sentence: &str, found: &[Number], a: usize, b: usize) -> Option<(Said, usize, usize)> {
    let between = sentence.get(found[a].at.end..found[b].at.start)?;
    let words: Vec<String> = tokens(between)
        .map(|(_, word)| word.to_lowercase())
        .collect();
    let denied = words.iter().any(|word| super::words::has(DENIED, word));
    if words.len() > 10 || denied || between.contains([';', ':']) {
        return None;
    }
    let verb = words
        .first()
        .is_some_and(|word| ["is", "was", "are", "were", "remains"].contains(&word.as_str()));
    let said = match between.find(" than ") {
        Some(at) => comparative(&between[..at]),
        None => tokens(between).find_map(|(at, word)| {
            let way = match word {
                "above" => Way::Higher,
                "below" => Way::Lower,
                _ => return None,
            };
            let word = word.to_owned();
            Some(Said { way, word, at })
        }),
    };
    Some((said.filter(|_| verb)?, a, b))
}

/// The word of direction right before `than`.
fn comparative(text: &str) -> Option<Said> {
    let said = directions(text).pop()?;
    let low = said.word.to_lowercase();
    let last = text[said.at + said.word.len()..].trim().is_empty();
    (last && !["more", "less", "fewer"].contains(&low.as_str())).then_some(said)
}
