//! Judges what a sentence says of changes: their sizes, their directions, and numbers in words.

use super::around::pairs_told;
use super::change::{self, Between, Operand};
use super::context::Named;
use super::entry::{Class, Finding, Verdict};
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
            between.sort_by_key(|(from, to)| from.max(to).abs_diff(index));
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
                    return finding;
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
                if near && traced {
                    let (a, b) = (found[*from].value, found[*to].value);
                    let change = (b - a) / a.abs() * 100.0;
                    return Finding::untraced(
                        Class::Derived,
                        format!("from {a} to {b} is a change by {change:.2} %"),
                    );
                }
                mismatch = Some(format!(
                    "the change from {} to {} has another size",
                    found[*from].value, found[*to].value
                ));
            }
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

    /// `improves from 0.090 to 0.093`: the direction of two values without the size of their change.
    pub(super) fn turned(
        &self,
        sentence: &str,
        found: &[Number],
        changes: &[Option<Said>],
        findings: &mut [Option<Finding>],
    ) {
        for (from, to) in pairs_told(sentence, found, usize::MAX) {
            let sized = changes
                .iter()
                .zip(findings.iter())
                .any(|(change, finding)| {
                    change.is_some()
                        && finding.as_ref().is_some_and(|finding| {
                            finding.class == Class::Derived && finding.verdict != Verdict::Untraced
                        })
                });
            if sized || found[from].share != found[to].share {
                continue;
            }
            let start = sentence[..found[from].at.start]
                .rfind([';', '.', ':'])
                .map_or(0, |at| at + 1);
            let said = words::directions(&sentence[start..found[from].at.start]).pop();
            let (Some(said), Some(first), Some(last)) = (said, &findings[from], &findings[to])
            else {
                continue;
            };
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

    /// `doubled`, `twice as fast`: numbers in words, which are only ever a warning.
    pub(super) fn multiplied(&self, sentence: &str, near: &Named) -> Vec<(Number, Finding)> {
        let mut out = Vec::new();
        for (at, word) in words::tokens(sentence) {
            let Some(value) = words::multiplied(word) else {
                continue;
            };
            let number = Number {
                at: at..at + word.len(),
                value,
                step: value * 0.25,
                figures: 1,
                whole: false,
                share: Share::Times,
                about: true,
                spread: false,
                name: false,
                version: false,
                unit: String::new(),
            };
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
