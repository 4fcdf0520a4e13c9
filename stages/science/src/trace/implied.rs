//! Sizes of changes that a sentence tells without saying between what: `followed by circle (10.0 %)`, `saves a
//! further 720 steps`. Their measure and their ends are taken from the words and from the values around them.
//! It finds what fits and refutes nothing.

use std::collections::BTreeSet;

use super::change::wanted_of;
use super::context::{Named, metric_depth};
use super::entry::{Class, Finding, Verdict};
use super::evidence::{Evidence, Pair};
use super::fit::{explained, fit};
use super::judge::Judge;
use super::results::Value;
use super::shown;
use super::token::{Number, Share};
use super::words::{self, Said, tokens};

/// What is known of the place of a number.
struct Told<'a> {
    sentence: &'a str,
    found: &'a [Number],
    findings: &'a [Option<Finding>],
    index: usize,
    said: Option<&'a Said>,
    /// Names that belong to the number, to its sentence, and to what is around it.
    local: &'a Named,
    whole: &'a Named,
    soft: &'a Named,
}

/// Words before the size of a change.
const SIZED: &str = "by of another further additional extra improvement improvements reduction reductions gain gains \
    increase decrease difference differences drop saving savings overhead cost costs saves saved";

/// Whether the words around a number make it the size of a change.
fn is_size(told: &Told<'_>) -> bool {
    let number = &told.found[told.index];
    let before = &told.sentence[..number.at.start];
    let after = &told.sentence[number.at.end..];
    let near: Vec<String> = tokens(words::clause(before))
        .map(|(_, word)| word.to_lowercase())
        .collect();
    let sized = near
        .iter()
        .rev()
        .take(3)
        .any(|word| words::has(SIZED, word));
    number.share != Share::None
        || told.said.is_some()
        || sized
        || goes_on(told)
        || words::difference(before)
        || shown::compared(after)
}

/// Whether the number before is the size of a change and this one goes on with it.
fn goes_on(told: &Told<'_>) -> bool {
    let before = (0..told.index).rev().find(|at| !told.found[*at].name);
    before.is_some_and(|at| {
        let (last, number) = (&told.found[at], &told.found[told.index]);
        let between = told.sentence.get(last.at.end..number.at.start);
        let few = between.is_some_and(|between| between.split_whitespace().count() <= 6);
        let change = |finding: &Finding| {
            finding.class == Class::Derived && finding.verdict == Verdict::Derived
        };
        few && last.share == number.share && told.findings[at].as_ref().is_some_and(change)
    })
}

/// The words between the numbers around this one.
fn own_words<'s>(told: &Told<'s>) -> &'s str {
    let plain = |at: &usize| !told.found[*at].name;
    let before = (0..told.index).rev().find(plain);
    let after = (told.index + 1..told.found.len()).find(plain);
    let start = before.map_or(0, |at| told.found[at].at.end);
    let end = after.map_or(told.sentence.len(), |at| told.found[at].at.start);
    told.sentence.get(start..end).unwrap_or_default()
}

/// Those that a sentence says something is set against: `relative to the baseline`, `than that of Run 3`.
fn reference(evidence: &Evidence, sentence: &str, run: usize) -> BTreeSet<String> {
    let all: Vec<(usize, &str)> = tokens(sentence).collect();
    let mark = |(_, word): &&(usize, &str)| {
        words::has(
            "than over relative against versus vs compared",
            &word.to_lowercase(),
        )
    };
    let Some((at, word)) = all.iter().rfind(mark) else {
        return BTreeSet::new();
    };
    let rest = &sentence[at + word.len()..];
    let clause = rest.split([',', ';', '(']).next().unwrap_or(rest);
    let named = evidence
        .names
        .named(clause)
        .full
        .get(run)
        .cloned()
        .unwrap_or_default();
    if named.is_empty() {
        evidence.names.described(clause)
    } else {
        named
    }
}

/// What is left of a name without words that tell nothing apart: nothing of `means`.
fn bare(name: &str) -> Vec<String> {
    let mut stems = super::stems::stems(name);
    stems.retain(|stem| !super::stems::EMPTY.contains(&stem.as_str()));
    stems
}

/// Whether a name is one of those asked for.
pub(super) fn among(names: &BTreeSet<String>, name: &str) -> bool {
    names.contains(name) || names.iter().any(|known| bare(known) == bare(name))
}

/// The measures whose name holds the word right behind a number, `720 steps`, or that are told in its unit.
fn counted(evidence: &Evidence, number: &Number, after: &str) -> BTreeSet<String> {
    let unit = || tokens(after).next().map(|(_, word)| word.to_lowercase());
    let unit = if number.unit.is_empty() {
        unit()
    } else {
        Some(number.unit.clone())
    };
    let Some(unit) = unit.filter(|_| number.share == Share::None) else {
        return BTreeSet::new();
    };
    let stems: Vec<String> = match unit.as_str() {
        "s" | "seconds" | "second" | "minutes" | "hours" | "ms" => {
            ["time", "latency", "duration", "second", "runtime"]
                .map(str::to_owned)
                .to_vec()
        }
        word => super::stems::stems(word),
    };
    let holds = |name: &&String| {
        super::stems::stems(name)
            .iter()
            .any(|stem| stems.contains(stem))
    };
    evidence
        .names
        .measures
        .iter()
        .filter(holds)
        .cloned()
        .collect()
}

/// The names at one depth that a change may be of; nothing if no word restricts them.
fn asked(
    told: &Told<'_>,
    bases: &[&[String]],
    depth: usize,
    metric: bool,
) -> Option<BTreeSet<String>> {
    let own = |named: &Named| {
        named
            .full
            .get(depth)
            .filter(|full| !full.is_empty())
            .cloned()
    };
    let half = |named: &Named| {
        named
            .half
            .get(depth)
            .filter(|half| !half.is_empty())
            .cloned()
    };
    let shared = || {
        let names = bases.iter().filter_map(|names| names.get(depth).cloned());
        let names: BTreeSet<String> = names.filter(|name| !bare(name).is_empty()).collect();
        Some(names).filter(|names| !names.is_empty())
    };
    let first = own(told.local).or_else(|| own(told.whole));
    if metric {
        let here = first
            .or_else(|| half(told.local))
            .or_else(|| half(told.whole));
        return here
            .or_else(shared)
            .or_else(|| own(told.soft))
            .or_else(|| half(told.soft));
    }
    first.or_else(shared).or_else(|| own(told.soft))
}

/// The change that a number is the size of, by what the words around it name.
fn implied(evidence: &Evidence, told: &Told<'_>) -> Option<Finding> {
    let number = &told.found[told.index];
    let run = evidence.names.run?;
    if number.spread || number.name || number.version || number.figures < 2 || !is_size(told) {
        return None;
    }
    let bases: Vec<&[String]> = told
        .findings
        .iter()
        .flatten()
        .flat_map(|finding| {
            let base = finding
                .base
                .iter()
                .filter(|_| finding.verdict == Verdict::Traced);
            base.map(|base| base.names.as_slice())
                .chain(finding.ends.iter().map(Vec::as_slice))
        })
        .collect();
    // Who is compared: whom the sentence names, by number, title or value.
    let mut who: BTreeSet<String> = bases
        .iter()
        .filter_map(|names| names.get(run).cloned())
        .collect();
    let named = |named: &Named| named.full.get(run).cloned().unwrap_or_default();
    who.extend(named(told.whole));
    who.extend(evidence.names.described(told.sentence));
    let here = !who.is_empty();
    if !here {
        who = named(told.soft);
    }
    // `0.0044 on A, 0.0068 on B`: the same is compared.
    let last = (0..told.index).rev().find(|at| !told.found[*at].name);
    let last = last.and_then(|last| told.findings[last].as_ref());
    let own = own_words(told);
    let mut mine = evidence.names.described(own);
    mine.extend(named(&evidence.names.named(own)));
    if !mine.is_empty() {
        who = mine;
    } else if let Some(last) = last.filter(|last| goes_on(told) && !last.ends.is_empty()) {
        who = last
            .ends
            .iter()
            .filter_map(|names| names.get(run).cloned())
            .collect();
    }
    let unit = counted(evidence, number, &told.sentence[number.at.end..]);
    let set = reference(evidence, told.sentence, run);
    let fits_words = |pair: &Pair| {
        let value = &evidence.base[pair.to];
        let metric = metric_depth(value);
        (0..value.names.len())
            .filter(|depth| *depth != run)
            .all(|depth| {
                let name = &value.names[depth];
                if depth == metric && !unit.is_empty() {
                    return unit.contains(name);
                }
                match asked(told, &bases, depth, depth == metric) {
                    Some(names) => among(&names, name) || (depth != metric && name.ends_with('*')),
                    None => depth != metric,
                }
            })
    };
    let tier = |pair: &Pair| -> Option<u8> {
        let of = |at: usize| {
            evidence.base[at]
                .names
                .get(run)
                .is_some_and(|name| who.contains(name))
        };
        let (from, to) = (of(pair.from), of(pair.to));
        match (from, to, pair.based) {
            (true, true, _) | (_, true, true) => Some(0),
            (true, _, _) | (_, true, _) if here => Some(1),
            _ if who.is_empty() && pair.based => Some(1),
            _ => None,
        }
    };
    let pairs: Vec<(u8, &Pair)> = evidence
        .pairs
        .iter()
        .filter_map(|pair| Some((tier(pair)?, pair)))
        .filter(|(_, pair)| fits_words(pair))
        .collect();
    let fast = told.said.is_some_and(super::change::speed);
    let positive = Number {
        value: number.value.abs(),
        ..number.clone()
    };
    for most in 0..=1 {
        let within: Vec<&Pair> = pairs
            .iter()
            .filter(|(tier, _)| *tier <= most)
            .map(|(_, pair)| *pair)
            .collect();
        let right = |pair: &Pair| {
            let (a, b): (&Value, &Value) = (&evidence.base[pair.from], &evidence.base[pair.to]);
            let sign = (b.value - a.value).signum();
            let wanted = told.said.and_then(|said| wanted_of(said, number, &b.names));
            let from = |pair: &Pair| {
                let of = |at: usize| {
                    evidence.base[at]
                        .names
                        .get(run)
                        .is_some_and(|name| set.contains(name))
                };
                of(pair.from) && !of(pair.to)
            };
            // Which of two came first is known of the baseline and of what the words say is compared with.
            if told.said.is_some()
                && !(if set.is_empty() {
                    pair.based
                } else {
                    from(pair)
                })
            {
                return false;
            }
            wanted.is_none_or(|wanted| number.share == Share::Times || wanted * sign > 0.0)
        };
        let hit = within.iter().filter(|pair| right(pair)).find_map(|pair| {
            let sizes = evidence.sizes(pair, number.share, fast);
            let size = sizes
                .into_iter()
                .find(|(size, _)| fit(*size, &positive).is_some())?;
            Some((*pair, size))
        });
        let Some((pair, (size, how))) = hit else {
            continue;
        };
        let all = within
            .iter()
            .flat_map(|pair| evidence.sizes(pair, number.share, fast));
        let chance = explained(&positive, all.map(|(size, _)| size));
        let enough = match (number.figures, here) {
            (0..=2, true) => 0.25,
            (0..=2, false) => 0.12,
            (_, true) => 0.15,
            (_, false) => 0.1,
        };
        if chance <= enough {
            let (a, b) = (&evidence.base[pair.from], &evidence.base[pair.to]);
            let why = format!(
                "the {how} from {} to {}, {size:.4}, of what the words around it name",
                a.value, b.value
            );
            return Some(
                Finding::new(Class::Derived, Verdict::Derived, why)
                    .from(format!("{} → {}", a.source, b.source))
                    .between(a, b)
                    .chance(chance),
            );
        }
    }
    None
}

impl Judge<'_> {
    /// Looks for the changes that the numbers left open may be the sizes of, one after the other.
    pub(super) fn imply(
        &self,
        sentence: &str,
        found: &[Number],
        changes: &[Option<Said>],
        findings: &mut [Option<Finding>],
        (whole, soft): (&Named, &Named),
    ) {
        for index in 0..found.len() {
            if !findings[index].as_ref().is_some_and(Finding::open) {
                continue;
            }
            let told = Told {
                sentence,
                found,
                findings,
                index,
                said: changes[index].as_ref(),
                local: &self.local(sentence, found, index),
                whole,
                soft,
            };
            if let Some(finding) = implied(self.evidence, &told) {
                findings[index] = Some(finding);
            }
        }
    }
}
