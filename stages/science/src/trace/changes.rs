//! Judges what a sentence says of changes: their sizes, their directions, and numbers in words.

use super::super::review::Way;
use super::around::pairs_told;
use super::change::{self, Between, Operand};
use super::context::Named;
use super::entry::{Class, Finding, Severity, Verdict};
use super::judge::{Judge, key};
use super::token::{Number, Share};
use super::words::{self, Said};

impl Judge<'_> {
    #[expect(
        clippy::too_many_arguments,
        reason = "the whole sentence is judged together"
    )]
    pub(super) fn changed(
        &self,
        sentence: &str,
        found: &[Number],
        findings: &[Option<Finding>],
        index: usize,
        said: Option<&Said>,
        strict: &Named,
        near: &Named,
    ) -> Finding {
        let number = &found[index];
        let averaged = words::averaged(sentence);
        let mut mismatch = None;
        if let Some(said) = said {
            let mut between = pairs_told(sentence, found, index);
            // `going from 4 to 12 layers`: counts that are no results are not what changed by 7.8.
            between.retain(|(from, to)| {
                let counts = [from, to].iter().all(|at| {
                    let literal = findings[**at]
                        .as_ref()
                        .is_some_and(|finding| finding.verdict == Verdict::Literal);
                    literal && found[**at].whole
                });
                // What stands behind a semicolon is another statement.
                let pair = found[*from].at.start.min(found[*to].at.start);
                let (start, end) = (pair.min(number.at.end), pair.max(number.at.end));
                let apart = sentence
                    .get(start..end)
                    .is_some_and(|text| text.contains(';'));
                (!counts || number.whole) && !apart
            });
            between.sort_by_key(|(from, to)| from.max(to).abs_diff(index));
            let pairs = between.clone();
            for (from, to) in &between {
                let operand = |at: usize| Operand {
                    number: &found[at],
                    finding: findings[at].as_ref(),
                };
                let between = Between {
                    from: operand(*from),
                    to: operand(*to),
                };
                if let Some(finding) = change::told(number, said, &between) {
                    let either = pairs.contains(&(*to, *from));
                    if finding.verdict != Verdict::WrongDirection || !either {
                        return finding;
                    }
                }
            }
            if let Some((from, to)) = between.first() {
                let near = from
                    .max(to)
                    .abs_diff(index)
                    .min(from.min(to).abs_diff(index))
                    <= 1;
                let traced = [from, to].iter().all(|at| {
                    findings[**at]
                        .as_ref()
                        .is_some_and(|finding| finding.verdict == Verdict::Traced)
                });
                // `by 22 % (from 0.99 to 0.77) and on moons by 21 %`: the pair belongs to another change.
                let taken = (0..found.len()).any(|at| {
                    let other = findings[at].as_ref();
                    at != index
                        && at.abs_diff(*from).min(at.abs_diff(*to)) <= 1
                        && other.is_some_and(|other| {
                            other.class == Class::Derived && other.verdict == Verdict::Derived
                        })
                });
                let verb = || {
                    let between = sentence.get(number.at.end..found[*from].at.start);
                    between.is_some_and(|between| !words::directions(between).is_empty())
                };
                // `by an average of 17 %, with the strongest effect on dino (1.02 to 0.81)`
                let mean = || {
                    let behind = number.at.end <= found[*from].at.start;
                    behind && words::averaged(words::last(&sentence[..number.at.start], 4))
                };
                let other = verb()
                    || mean()
                    || self.of_another(sentence, found, index, findings[*to].as_ref());
                if near && traced && !taken && !other {
                    let (a, b) = (found[*from].value, found[*to].value);
                    let change = (b - a) / a.abs() * 100.0;
                    return Finding::untraced(
                        Class::Derived,
                        format!("from {a} to {b} is a change by {change:.2} %"),
                    )
                    .refuted();
                }
                mismatch = Some(format!(
                    "the change from {} to {} has another size",
                    found[*from].value, found[*to].value
                ));
            }
        }
        if let Some(finding) = self.between_values(found, findings, index, said) {
            return finding;
        }
        match change::measured(self.evidence, number, said, strict, near, averaged) {
            Ok(finding) => finding,
            Err(why) => {
                let settled = number.share == Share::Percent
                    && self.settled.contains(&key(number))
                    && said.is_none_or(|said| said.word.is_empty());
                if settled && let Some((_, source)) = self.evidence.setting(number) {
                    return Finding::literal(Class::Configuration, "a setting")
                        .from(source.clone());
                }
                Finding::untraced(Class::Derived, mismatch.unwrap_or(why))
            }
        }
    }

    /// `from 69.32 to 68.31, so the warmup accounts for 1.01`: a difference of several digits between values of
    /// the sentence, whatever the words.
    pub(super) fn exact(
        &self,
        found: &[Number],
        findings: &[Option<Finding>],
        index: usize,
    ) -> Option<Finding> {
        let number = &found[index];
        let open = findings[index].as_ref().is_some_and(Finding::open);
        let plain = number.share == Share::None && !number.whole && !number.spread;
        (open && plain && number.figures >= 3)
            .then(|| self.between_values(found, findings, index, None))
            .flatten()
    }

    /// `48,210 tokens per second, 1.83x the 26,344 of dense attention`: a change between two values of the
    /// sentence that are not told as from and to. Only what fits is found, nothing is refuted.
    pub(super) fn between_values(
        &self,
        found: &[Number],
        findings: &[Option<Finding>],
        index: usize,
        said: Option<&Said>,
    ) -> Option<Finding> {
        let number = &found[index];
        // The numbers of runs stand between values without being any.
        let literal = |finding: &Finding| finding.verdict == Verdict::Literal;
        let value = |at: &usize| !findings[*at].as_ref().is_some_and(literal);
        let away = |at: usize| (at.min(index)..at.max(index)).filter(value).count();
        let traced: Vec<usize> = (0..found.len())
            .filter(|at| {
                let finding = findings[*at].as_ref();
                *at != index
                    && !found[*at].spread
                    && away(*at) <= 3
                    && finding.is_some_and(|finding| finding.verdict == Verdict::Traced)
            })
            .collect();
        let plain = Said {
            way: Way::Higher,
            word: String::new(),
            at: 0,
        };
        let asked = Number {
            value: number.value.abs(),
            ..number.clone()
        };
        for from in &traced {
            for to in &traced {
                let operand = |at: usize| Operand {
                    number: &found[at],
                    finding: findings[at].as_ref(),
                };
                if from == to || found[*from].share != found[*to].share {
                    continue;
                }
                let between = Between {
                    from: operand(*from),
                    to: operand(*to),
                };
                let judged = change::told(&asked, said.unwrap_or(&plain), &between);
                let derived = judged.filter(|finding| {
                    finding.verdict == Verdict::Derived
                        || (said.is_none() && finding.verdict == Verdict::WrongDirection)
                });
                if let Some(finding) = derived {
                    return Some(Finding {
                        verdict: Verdict::Derived,
                        severity: Severity::Pass,
                        ..finding
                    });
                }
            }
        }
        None
    }

    /// `improves from 0.090 to 0.093`: the direction of two values without the size of their change.
    pub(super) fn turned(
        &self,
        sentence: &str,
        found: &[Number],
        changes: &[Option<Said>],
        findings: &mut [Option<Finding>],
    ) {
        let all = pairs_told(sentence, found, usize::MAX);
        // `400 vs. 670` does not say which of them came first.
        let told = all
            .iter()
            .copied()
            .filter(|(from, to)| !all.contains(&(*to, *from)));
        for (from, to) in told.chain(self.led_to(sentence, found, findings)) {
            let sized = changes
                .iter()
                .zip(findings.iter())
                .any(|(change, finding)| {
                    change.is_some()
                        && finding.as_ref().is_some_and(|finding| {
                            finding.class == Class::Derived && finding.verdict != Verdict::Untraced
                        })
                });
            if found[from].share != found[to].share {
                continue;
            }
            let start = sentence[..found[from].at.start]
                .rfind([';', '.', ':'])
                .map_or(0, |at| at + 1);
            let said = words::directions(&sentence[start..found[from].at.start])
                .pop()
                .or_else(|| {
                    let between = sentence.get(found[from].at.end..found[to].at.start)?;
                    words::directions(between).pop()
                });
            let (Some(said), Some(first), Some(last)) = (said, &findings[from], &findings[to])
            else {
                continue;
            };
            // A size that was judged says which way is better; that the values fall or rise is another claim.
            let plain = matches!(said.way, Way::Lower | Way::Higher) && verbal(&said.word);
            if sized && !plain {
                continue;
            }
            let traced =
                |finding: &Finding| matches!(finding.verdict, Verdict::Traced | Verdict::Derived);
            if !traced(first) || !traced(last) || found[from].value == found[to].value {
                continue;
            }
            let step = Number {
                value: (found[to].value - found[from].value).abs(),
                share: Share::None,
                ..found[to].clone()
            };
            let between = Between {
                from: Operand {
                    number: &found[from],
                    finding: findings[from].as_ref(),
                },
                to: Operand {
                    number: &found[to],
                    finding: findings[to].as_ref(),
                },
            };
            let wrong = change::told(&step, &said, &between)
                .filter(|finding| finding.verdict == Verdict::WrongDirection);
            if let Some(wrong) = wrong {
                let source = findings[to]
                    .as_ref()
                    .and_then(|finding| finding.source.clone());
                findings[to] = Some(Finding { source, ..wrong });
            }
        }
    }

    /// `the baseline needs 4720 steps, while the gate reduces this to 1343`: pairs of values of one metric.
    fn led_to(
        &self,
        sentence: &str,
        found: &[Number],
        findings: &[Option<Finding>],
    ) -> Vec<(usize, usize)> {
        let names = |at: usize| {
            let finding = findings[at].as_ref()?;
            let base = finding
                .base
                .as_ref()
                .filter(|_| finding.verdict == Verdict::Traced)?;
            let mut names = base.names.clone();
            if let Some(run) = self.evidence.names.run.filter(|run| *run < names.len()) {
                names[run] = String::new();
            }
            Some(names)
        };
        let pair = |at: &usize| {
            let (from, to) = (&found[*at], &found[at + 1]);
            let between = sentence.get(from.at.end..to.at.start)?;
            let words: Vec<&str> = words::tokens(between).map(|(_, word)| word).collect();
            let last = words.iter().rev().take(3).any(|word| *word == "to");
            let verb = words::directions(between)
                .iter()
                .any(|said| matches!(said.way, Way::Lower | Way::Higher) && verbal(&said.word));
            let one = names(*at).is_some_and(|mine| names(at + 1) == Some(mine));
            (last && verb && one && words.len() <= 16 && !words.contains(&"from"))
                .then_some((*at, at + 1))
        };
        (0..found.len().saturating_sub(1))
            .filter_map(|at| pair(&at))
            .collect()
    }

    /// `doubled`, `twice as fast`: numbers in words, which are only ever a warning.
    pub(super) fn multiplied(&self, sentence: &str, near: &Named) -> Vec<(Number, Finding)> {
        let mut out = Vec::new();
        for (at, word) in words::tokens(sentence) {
            let Some(value) = multiplied(word) else {
                continue;
            };
            let number = in_words(at, word, value);
            let finding =
                match change::measured(self.evidence, &number, None, &Named::default(), near, true)
                {
                    Ok(finding) => finding,
                    Err(why) => {
                        Finding::literal(Class::Derived, format!("a number in words; {why}"))
                            .warning()
                    }
                };
            out.push((number, finding));
        }
        out
    }
}

/// A number that is told in words, as exact as such numbers are.
fn in_words(at: usize, word: &str, value: f64) -> Number {
    Number {
        at: at..at + word.len(),
        value,
        step: value * 0.25,
        figures: 1,
        whole: false,
        share: Share::Times,
        about: true,
        spread: false,
        bracketed: false,
        name: false,
        version: false,
        unit: String::new(),
    }
}

impl Judge<'_> {
    /// `three seeds` where there are five.
    pub(super) fn miscounted(&self, sentence: &str) -> Vec<(Number, Finding)> {
        let found = self.evidence.counts.words(sentence).into_iter();
        found
            .map(|(at, word, count, why)| {
                #[expect(clippy::cast_precision_loss, reason = "a count of up to twelve")]
                let number = in_words(at, word, count as f64);
                (number, Finding::untraced(Class::Structural, why))
            })
            .collect()
    }
}

/// A word that says that a quantity was multiplied, with the factor.
fn multiplied(word: &str) -> Option<f64> {
    let low = word.to_lowercase();
    Some(match low.as_str() {
        "doubled" | "doubles" | "doubling" | "twice" | "twofold" | "two-fold" => 2.0,
        "halved" | "halves" | "halving" => 0.5,
        "tripled" | "triples" | "tripling" | "threefold" | "three-fold" | "thrice" => 3.0,
        "quadrupled" | "fourfold" | "four-fold" => 4.0,
        "fivefold" | "five-fold" => 5.0,
        "tenfold" | "ten-fold" => 10.0,
        _ => return None,
    })
}

/// Whether a word tells a change as a deed, not as a state: `reduces`, not `lower`.
fn verbal(word: &str) -> bool {
    let low = word.to_lowercase();
    [
        "reduc", "increas", "decreas", "drop", "fell", "falls", "rise", "rose", "grew", "grows",
        "cut", "declin", "shrink",
    ]
    .iter()
    .any(|stem| low.starts_with(stem))
}
