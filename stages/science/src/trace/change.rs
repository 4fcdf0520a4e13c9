//! Sizes of changes: whether a change of that size was measured, and whether it went the way that the
//! text says.

use super::super::review::Way;
use super::context::Named;
use super::entry::{Base, Class, Finding, Verdict};
use super::evidence::{Evidence, Pair};
use super::fit::{fit, sizes};
use super::results::Value;
use super::token::{Number, Share};
use super::words::{Said, better};

/// A number of the same sentence, with what it was found to be.
pub(super) struct Operand<'a> {
    pub(super) number: &'a Number,
    pub(super) finding: Option<&'a Finding>,
}

/// Two numbers that a sentence says something changed between.
pub(super) struct Between<'a> {
    pub(super) from: Operand<'a>,
    pub(super) to: Operand<'a>,
}

/// Whether words such as `faster` allow a change of speed instead of one of time.
pub(super) fn speed(said: &Said) -> bool {
    let low = said.word.to_lowercase();
    ["fast", "slow", "speed", "quick", "accel"]
        .iter()
        .any(|stem| low.starts_with(stem))
}

/// `(+13.9 %)`: the direction of a change that is written as a sign.
pub(super) fn signed(sentence: &str, number: &Number) -> Option<Said> {
    let shown = sentence.get(number.at.clone())?;
    let way = match shown.chars().next()? {
        '+' => Way::Higher,
        '-' | '−' => Way::Lower,
        _ => return None,
    };
    let share = matches!(number.share, Share::Percent | Share::Points);
    (share || (shown.starts_with('+') && !number.whole)).then(|| Said {
        way,
        word: shown.to_owned(),
        at: number.at.start,
    })
}

/// The sign that a change must have; none if nothing says which way is better.
fn wanted(way: Way, names: &[String]) -> Option<f64> {
    Some(match way {
        Way::Lower => -1.0,
        Way::Higher => 1.0,
        Way::Better if better(names)? == Way::Lower => -1.0,
        Way::Better => 1.0,
        Way::Worse if better(names)? == Way::Lower => 1.0,
        Way::Worse => -1.0,
    })
}

/// Whether a word says which way values went, not only whether that is good.
pub(super) fn plain(said: &Said) -> bool {
    matches!(said.way, Way::Lower | Way::Higher)
}

/// The sign that a change of this size must have by the words.
pub(super) fn wanted_of(said: &Said, number: &Number, names: &[String]) -> Option<f64> {
    wanted(said_way(number, said), names)
}

/// Judges a change by the two numbers that the sentence itself gives. Nothing if it has another size.
pub(super) fn told(number: &Number, said: &Said, between: &Between<'_>) -> Option<Finding> {
    let (a, b) = (between.from.number, between.to.number);
    let shown = format!("{} to {}", a.value, b.value);
    let (size, how) = sizes(a.value, b.value, number.share, speed(said))
        .into_iter()
        .find(|(size, _)| within(*size, number, a, b))?;
    let found = [&between.from, &between.to].map(|operand| operand.finding);
    let names = found
        .iter()
        .flatten()
        .find_map(|finding| finding.base.as_ref())
        .map(|base: &Base| base.names.clone())
        .unwrap_or_default();
    let went = (b.value - a.value).signum();
    let way = said_way(number, said);
    // A bias that shrinks from −21 to −6 grows.
    let negative = a.value < 0.0 && b.value < 0.0;
    if let Some(wanted) = wanted(way, &names).filter(|_| !negative)
        && wanted * went < 0.0
    {
        let word = if went > 0.0 {
            "an increase"
        } else {
            "a decrease"
        };
        let why = format!(
            "from {shown} is {word}, where the text says `{}`{}",
            said.word,
            of(way, &names)
        );
        return Some(Finding::new(Class::Derived, Verdict::WrongDirection, why));
    }
    if found
        .iter()
        .any(|finding| finding.is_none_or(|finding| finding.verdict == Verdict::Untraced))
    {
        let why = format!("follows from {shown}, but these lead to no result");
        return Some(Finding::untraced(Class::Derived, why));
    }
    let why = format!("the {how} from {shown}, {size:.4}");
    Some(Finding::new(Class::Derived, Verdict::Derived, why))
}

/// `−12 % reduction` and `a change of −3 %` say their sign themselves.
fn said_way(number: &Number, said: &Said) -> Way {
    match said.way {
        Way::Better if number.value < 0.0 => Way::Lower,
        way => way,
    }
}

fn of(way: Way, names: &[String]) -> String {
    let metric = names
        .iter()
        .rev()
        .find(|name| name.contains(char::is_alphabetic))
        .cloned()
        .unwrap_or_default();
    match (way, better(names)) {
        (Way::Better | Way::Worse, Some(Way::Lower)) => {
            format!(" and lower is better for `{metric}`")
        }
        (Way::Better | Way::Worse, Some(_)) => format!(" and higher is better for `{metric}`"),
        _ => String::new(),
    }
}

/// Whether a size agrees with a number, given that the two it was computed from are rounded.
fn within(size: f64, number: &Number, a: &Number, b: &Number) -> bool {
    let positive = Number {
        value: number.value.abs(),
        ..number.clone()
    };
    if fit(size, &positive).is_some() {
        return true;
    }
    // Whole numbers told without a unit were counted, not rounded.
    if number.share == Share::None && a.whole && b.whole && !number.whole {
        return false;
    }
    if number.share == Share::None {
        return (size - positive.value).abs()
            <= number.step / 2.0 + (a.step + b.step) / 2.0 + 1e-12;
    }
    let ends = |a: &Number| [a.value - a.step / 2.0, a.value + a.step / 2.0];
    let mut all: Vec<f64> = Vec::new();
    for a in ends(a) {
        for b in ends(b) {
            all.extend(
                sizes(a, b, number.share, false)
                    .into_iter()
                    .take(1)
                    .map(|(size, _)| size),
            );
        }
    }
    let low = all.iter().copied().fold(f64::MAX, f64::min) - number.step / 2.0;
    let high = all.iter().copied().fold(f64::MIN, f64::max) + number.step / 2.0;
    // Rounding explains a small part of the size, not any size.
    (low..=high).contains(&positive.value) && (size - positive.value).abs() <= positive.value * 0.15
}

struct Candidate<'e> {
    pair: &'e Pair,
    size: f64,
    how: &'static str,
    support: usize,
    right: bool,
}

/// Judges a change by the changes between the runs.
pub(super) fn measured(
    evidence: &Evidence,
    number: &Number,
    said: Option<&Said>,
    strict: &Named,
    near: &Named,
    averaged: bool,
) -> Result<Finding, String> {
    let fast = said.is_some_and(speed);
    let positive = Number {
        value: number.value.abs(),
        ..number.clone()
    };
    let matters = |value: &Value, depth: usize| {
        !evidence.names.is_run(depth) && depth + 1 < value.names.len()
    };
    let support = |pair: &Pair| {
        let value = &evidence.base[pair.to];
        let mean = pair.to >= evidence.means;
        if mean && !averaged {
            return None;
        }
        let named = if mean { near } else { strict };
        let from = &evidence.base[pair.from];
        // What is compared is named as one end or the other.
        let same = |depth: usize| from.names.get(depth) == value.names.get(depth);
        let against = !mean
            && named
                .against(value, &|depth| matters(value, depth) && same(depth))
                .is_some();
        // Both ends are named: `DistilBERT is faster than BERT`.
        let other = evidence.names.run.is_none() && near.support(from) == near.support(value);
        let both = usize::from(other) + 2 * usize::from(other && near.both(from, value));
        (!against).then(|| near.support(value) + both)
    };
    let mut found: Vec<Candidate<'_>> = Vec::new();
    for pair in &evidence.pairs {
        let Some(support) = support(pair) else {
            continue;
        };
        let (a, b) = (&evidence.base[pair.from], &evidence.base[pair.to]);
        let sign = (b.value - a.value).signum();
        for (size, how) in evidence.sizes(pair, number.share, fast) {
            if fit(size, &positive).is_none() {
                continue;
            }
            let wanted = match said {
                Some(said) if number.share == Share::Times && how == "ratio" => {
                    wanted(said_way(number, said), &b.names).filter(|_| fast)
                }
                Some(said) => wanted(said_way(number, said), &b.names),
                None if number.value != 0.0 => {
                    Some(number.value.signum()).filter(|_| number.value < 0.0)
                }
                None => None,
            };
            found.push(Candidate {
                pair,
                size,
                how,
                support,
                right: wanted.is_none_or(|wanted| wanted * sign > 0.0),
            });
        }
    }
    // Changes from the baseline count first: of all others there are many.
    found.sort_by_key(|one| std::cmp::Reverse((one.support, one.pair.based, one.right)));
    let strength = |one: &Candidate<'_>| {
        evidence.chance_of_change(&positive, fast, &|pair| {
            (!one.pair.based || pair.based)
                && support(pair).is_some_and(|support| support >= one.support)
        })
    };
    let bears = |one: &Candidate<'_>, chance: f64| match (number.figures, one.pair.based) {
        (0..=2, true) => one.support >= 2 && chance <= 0.3,
        (0..=2, false) => {
            (one.support >= 2 && chance <= 0.06)
                || (one.support >= 4 && chance <= 0.12)
                || (one.support >= 7 && chance <= 0.25)
        }
        (_, true) => chance <= 0.15 || (one.support >= 2 && chance <= 0.35),
        (_, false) => chance <= 0.05 || (one.support >= 2 && chance <= 0.2),
    };
    let right = found.iter().find(|one| one.right);
    let wrong = found.iter().find(|one| {
        !one.right && (one.pair.based || (right.is_none() && evidence.names.run.is_none()))
    });
    // A change back to the baseline is the same change told the other way round; it is meant only where
    // the sentence names the baseline.
    let named = evidence
        .names
        .run
        .is_some_and(|run| strict.names_baseline(run));
    let back = |right: &Candidate<'_>, wrong: &Candidate<'_>| {
        let (there, here) = (wrong.pair, right.pair);
        !named && there.based && evidence.names.is_baseline(&evidence.base[here.to])
    };
    let first = right.filter(|right| {
        wrong.is_none_or(|wrong| right.support >= wrong.support && !back(right, wrong))
    });
    // Where the text speaks of a mean, the change of a mean may be meant though others are named too.
    let mean = found
        .iter()
        .filter(|_| averaged && wrong.is_none())
        .find(|one| one.right && one.pair.to >= evidence.means);
    for one in first.into_iter().chain(mean) {
        let chance = strength(one);
        if bears(one, chance) {
            let (a, b) = (&evidence.base[one.pair.from], &evidence.base[one.pair.to]);
            let why = format!(
                "the {} from {} to {}, {:.4}; {:.1} % of such numbers would agree by chance",
                one.how,
                a.value,
                b.value,
                one.size,
                chance * 100.0
            );
            return Ok(Finding::new(Class::Derived, Verdict::Derived, why)
                .from(format!("{} → {}", a.source, b.source))
                .between(a, b)
                .chance(chance));
        }
    }
    if let (Some(one), Some(said)) = (wrong, said) {
        let chance = strength(one);
        if one.support >= 2
            && chance <= 0.3
            && right.is_none_or(|right| right.support < one.support || back(right, one))
        {
            let (a, b) = (&evidence.base[one.pair.from], &evidence.base[one.pair.to]);
            let word = if b.value > a.value {
                "an increase"
            } else {
                "a decrease"
            };
            let why = format!(
                "from {} to {} is {word}, where the text says `{}`{}",
                a.value,
                b.value,
                said.word,
                of(said.way, &b.names)
            );
            return Ok(Finding::new(Class::Derived, Verdict::WrongDirection, why)
                .from(format!("{} → {}", a.source, b.source))
                .chance(chance));
        }
    }
    match found.first() {
        Some(one) => Err(format!(
            "a change of this size was measured ({} → {}), but nothing near it speaks of that, and many such numbers would agree",
            evidence.base[one.pair.from].source, evidence.base[one.pair.to].source
        )),
        None => Err("no change between runs has this size".to_owned()),
    }
}
