//! Changes between values that the paper itself shows elsewhere: `0.007 over the row above`. The two ends
//! have to be traced to results that differ in one name, and what the sentence names has to speak of them.
//! It finds what fits and refutes nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::super::review::Way;
use super::around::pairs_told;
use super::change::{self, Between, Operand};
use super::context::Named;
use super::entry::{Finding, Verdict};
use super::fit::{explained, sizes};
use super::judge::{Judge, Judged};
use super::results::{Value, Weight};
use super::token::{Number, Share};
use super::words::{self, Said};

/// A value that the paper shows, traced to a result.
#[derive(Clone, Debug)]
pub(super) struct Shown {
    number: Number,
    finding: Finding,
    value: Value,
}

/// More values than this are not compared with each other.
const MOST: usize = 400;

impl Shown {
    fn of(number: &Number, finding: &Finding) -> Option<Self> {
        let base = finding.base.as_ref()?;
        let kept = finding.verdict == Verdict::Traced && !number.spread;
        (kept && base.names.len() > 1).then(|| Self {
            number: number.clone(),
            finding: finding.clone(),
            value: Value {
                value: number.value,
                names: base.names.clone(),
                source: finding.source.clone().unwrap_or_default(),
                weight: Weight::Result,
            },
        })
    }

    /// The one depth at which two values differ, if they are of the same measure. A setting that comes with
    /// what is compared, `128 negatives`, may differ with it.
    fn apart(&self, other: &Self, measures: &BTreeSet<String>) -> Option<usize> {
        let (a, b) = (&self.value.names, &other.value.names);
        if a.len() != b.len() || self.number.share != other.number.share {
            return None;
        }
        let mut differ: Vec<usize> = (0..a.len()).filter(|at| a[*at] != b[*at]).collect();
        if differ.len() > 1 {
            differ.retain(|at| !(counted(&a[*at]) && counted(&b[*at])));
        }
        let measure = |name: &String| {
            measures.contains(name) || words::better(std::slice::from_ref(name)).is_some()
        };
        match differ[..] {
            [at] if !measure(&a[at]) && !measure(&b[at]) => Some(at),
            _ => None,
        }
    }
}

/// `128 negatives`: the value of a setting, as a name.
fn counted(name: &str) -> bool {
    let number = name.split_once(' ');
    number.is_some_and(|(number, _)| number.parse::<f64>().is_ok())
}

/// The values that a paper shows, each once.
pub(super) fn gather(judged: impl Iterator<Item = Judged>) -> Vec<Shown> {
    let mut out: BTreeMap<(Vec<String>, String), Shown> = BTreeMap::new();
    for (number, finding, _) in judged {
        if let Some(shown) = Shown::of(&number, &finding) {
            let key = (shown.value.names.clone(), super::judge::key(&number));
            out.entry(key).or_insert(shown);
        }
    }
    out.into_values().take(MOST).collect()
}

/// How strongly the words of a sentence speak of a pair of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Bond {
    /// What the two have in common is named, neither of them is.
    Common,
    /// One end is named.
    End,
    /// One end stands in the sentence, the other is named; or both are named.
    Ends,
}

impl Judge<'_> {
    /// Finds the ends of changes that the sentence leaves open among the values shown elsewhere.
    pub(super) fn close_open_ends(
        &self,
        sentence: &str,
        found: &[Number],
        changes: &[Option<Said>],
        findings: &mut [Option<Finding>],
        (whole, soft): (&Named, &Named),
    ) {
        for index in 0..found.len() {
            let lost = findings[index]
                .as_ref()
                .is_some_and(|finding| finding.verdict == Verdict::Untraced);
            let number = &found[index];
            if !lost || number.spread || number.name || number.version || number.figures == 0 {
                continue;
            }
            // What the sentence itself refutes is not looked for elsewhere.
            if !pairs_told(sentence, found, index).is_empty() {
                continue;
            }
            let before = &sentence[..number.at.start];
            let points = points(sentence, found, index)
                || (compared(&sentence[number.at.end..])
                    && index > 0
                    && found[index - 1].share == Share::Points);
            let factor = factor(before);
            let told = changes[index].is_some()
                || words::difference(before)
                || compared(&sentence[number.at.end..]);
            if !(told || points || factor || number.share == Share::Times) {
                continue;
            }
            // Points are counted in the units of what is shown; whole counts are no sizes of changes.
            if number.whole && number.share == Share::None {
                continue;
            }
            let share = match number.share {
                Share::None if factor => Share::Times,
                Share::None if points => Share::Points,
                share => share,
            };
            let asked = Number {
                share,
                value: number.value.abs(),
                ..number.clone()
            };
            let ends: Vec<Shown> = (0..found.len())
                .filter(|at| *at != index && at.abs_diff(index) <= 3)
                .filter_map(|at| Shown::of(&found[at], findings[at].as_ref()?))
                .collect();
            let said = changes[index].as_ref();
            if let Some(finding) = self.shown_change(&asked, said, &ends, (whole, soft)) {
                findings[index] = Some(finding);
            }
        }
    }

    fn shown_change(
        &self,
        number: &Number,
        said: Option<&Said>,
        ends: &[Shown],
        (whole, soft): (&Named, &Named),
    ) -> Option<Finding> {
        let mut pairs: Vec<(Bond, &Shown, &Shown)> = Vec::new();
        for (at, a) in self.shown.iter().enumerate() {
            for b in &self.shown[at + 1..] {
                let apart = a.apart(b, &self.evidence.names.measures);
                let bond = apart.and_then(|apart| bond(a, b, apart, ends, (whole, soft)));
                if let Some(bond) = bond {
                    pairs.push((bond, a, b));
                    pairs.push((bond, b, a));
                }
            }
        }
        pairs.sort_by_key(|(bond, _, _)| std::cmp::Reverse(*bond));
        let plain = Said {
            way: Way::Higher,
            word: String::new(),
            at: 0,
        };
        for (bond, from, to) in &pairs {
            let between = Between {
                from: operand(from),
                to: operand(to),
            };
            let fits = change::told(number, said.unwrap_or(&plain), &between)
                .filter(|finding| finding.verdict == Verdict::Derived);
            let Some(finding) = fits else { continue };
            let rivals = pairs.iter().filter(|(other, _, _)| other >= bond);
            let chance = chance(number, rivals.map(|(_, a, b)| (*a, *b)));
            let most = match (bond, number.figures) {
                (Bond::Ends, 0..=2) => 0.25,
                (Bond::End, 0..=2) => 0.2,
                (Bond::Ends, _) => 0.15,
                (Bond::End, _) => 0.1,
                (Bond::Common, _) => 0.1,
            };
            if chance <= most {
                let places = [from, to].map(|shown| shown.value.source.as_str());
                let why = format!("{}, both shown elsewhere", finding.why);
                return Some(
                    Finding { why, ..finding }
                        .from(places.join(" → "))
                        .chance(chance),
                );
            }
        }
        None
    }
}

fn operand(shown: &Shown) -> Operand<'_> {
    Operand {
        number: &shown.number,
        finding: Some(&shown.finding),
    }
}

/// How the words speak of two values; nothing if they speak of others.
fn bond(
    a: &Shown,
    b: &Shown,
    apart: usize,
    ends: &[Shown],
    (whole, soft): (&Named, &Named),
) -> Option<Bond> {
    let common = |depth: usize| a.value.names.get(depth) == b.value.names.get(depth);
    if whole.against(&a.value, &common).is_some() || soft.against(&a.value, &common).is_some() {
        return None;
    }
    let named = |shown: &Shown| {
        let name = &shown.value.names[apart];
        let full = whole.full.get(apart).is_some_and(|all| all.contains(name));
        full || whole.half.get(apart).is_some_and(|all| all.contains(name))
    };
    let stands = |shown: &Shown| ends.iter().any(|end| end.value.names == shown.value.names);
    let told = |shown: &Shown| named(shown) || stands(shown);
    if told(a) && told(b) {
        return Some(Bond::Ends);
    }
    if told(a) || told(b) {
        return Some(Bond::End);
    }
    let shared = (0..a.value.names.len()).any(|depth| {
        let full = whole.full.get(depth);
        depth != apart && full.is_some_and(|all| all.contains(&a.value.names[depth]))
    });
    let others = whole.full.get(apart).is_some_and(|all| !all.is_empty());
    (shared && !others).then_some(Bond::Common)
}

/// The share of numbers of this form that some of the pairs would explain.
fn chance<'s>(number: &Number, pairs: impl Iterator<Item = (&'s Shown, &'s Shown)>) -> f64 {
    let sizes = pairs.flat_map(|(a, b)| sizes(a.number.value, b.number.value, number.share, false));
    explained(number, sizes.map(|(found, _)| found))
}

/// `4.2, 2.2 and 1.7 points`: whether a number is told in points, also by the last of its list.
fn points(sentence: &str, found: &[Number], index: usize) -> bool {
    let mut at = index;
    while found[at].share == Share::None {
        let Some(next) = found.get(at + 1) else {
            return false;
        };
        let between = sentence.get(found[at].at.end..next.at.start);
        let listed = between.is_some_and(|between| {
            let words = between.trim_matches(|c: char| c == ',' || c.is_whitespace());
            matches!(words, "" | "and" | "or") && !between.is_empty()
        });
        if !listed {
            return false;
        }
        at += 1;
    }
    found[at].share == Share::Points
}

/// `19.4 % below that of SchNet`: a size beside a word that compares.
pub(super) fn compared(after: &str) -> bool {
    let clause = after.split([',', ';', '(', '.']).next().unwrap_or_default();
    let stop = |word: &&str| ["of", "on", "for", "in", "than", "and", "to", "with"].contains(word);
    let words = words::tokens(clause).map(|(_, word)| word);
    let mut near = words.take(4).take_while(|word| !stop(word));
    near.any(|word| ["below", "above", "less", "more", "under", "behind", "ahead"].contains(&word))
}

/// `by a factor of 1.43 on Books and 1.42 on Games`.
fn factor(before: &str) -> bool {
    let words: Vec<&str> = words::tokens(before).map(|(_, word)| word).collect();
    words.iter().rev().take(8).any(|word| *word == "factor")
}
