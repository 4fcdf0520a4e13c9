//! What the words right beside a number say that it measures: `63.7 F1`. They count before all other words.

use std::collections::BTreeSet;

use super::context::{Named, Names};
use super::entry::Finding;
use super::implied::among;
use super::judge::Judge;
use super::token::Number;
use super::words::tokens;
use super::{told, words};

impl Names {
    /// What a sentence names, without what stands right after other numbers as theirs: in `it ends at 67.6,
    /// against 63.5 for FedAvg` the first value is not said to be FedAvg's.
    pub(super) fn but_others(
        &self,
        sentence: &str,
        found: &[Number],
        index: usize,
        whole: &Named,
    ) -> Named {
        let mut text = sentence.to_owned();
        for (other, number) in found.iter().enumerate() {
            let after = &sentence[number.at.end..];
            let theirs = owner(after);
            // `0.5 and 0.6 for dino` is about dino twice.
            let listed = other > index
                && found.get(index).is_some_and(|own| {
                    let between = &sentence[own.at.end.min(number.at.start)..number.at.start];
                    owner(between).is_empty()
                        && !CONTRASTS.iter().any(|word| between.contains(word))
                });
            if other != index && !theirs.is_empty() && !listed {
                let start = number.at.end + (theirs.as_ptr() as usize - after.as_ptr() as usize);
                text.replace_range(start..start + theirs.len(), &" ".repeat(theirs.len()));
            }
        }
        // `SE 0.041` says nothing of the other numbers of its sentence.
        for (other, number) in found.iter().enumerate() {
            let theirs = ahead(&sentence[..number.at.start]);
            let named = || self.named(theirs);
            let measures = |name: &String| self.measures.contains(name);
            if other != index
                && !theirs.is_empty()
                && !number.name
                && named().full.iter().flatten().any(measures)
            {
                let start = theirs.as_ptr() as usize - sentence.as_ptr() as usize;
                text.replace_range(start..start + theirs.len(), &" ".repeat(theirs.len()));
            }
        }
        // What something is compared with is not what a number is of, unless it stands right before it.
        let own = found[index].at.start;
        for (at, word) in sentence.match_indices(" than ") {
            let start = at + word.len();
            let rest = &sentence[start..];
            let end = start
                + rest
                    .find(|c: char| ",.;:()".contains(c) || c.is_ascii_digit())
                    .unwrap_or(rest.len());
            let beside = end <= own && tokens(&sentence[end..own]).count() <= 1;
            if start > own || (end <= own && !beside) {
                text.replace_range(start..end, &" ".repeat(end - start));
            }
        }
        match text == sentence {
            true => whole.clone(),
            false => self.named(&text),
        }
    }

    /// The measure that the words after a number name; nothing if they name something else.
    pub(super) fn measured(&self, sentence: &str, found: &[Number], index: usize) -> Named {
        // The digit of a name such as `F1` ends no words.
        let next = found[index + 1..].iter().find(|number| !number.name);
        let start = found[index].at.end;
        let end = next.map_or(sentence.len(), |next| next.at.start).max(start);
        let measure = |text: &str| {
            let own = self.named(text);
            let found = own
                .full
                .iter()
                .flatten()
                .any(|name| self.measures.contains(name));
            found.then_some(own)
        };
        let after = measure(told::measure(&sentence[start..end]));
        after
            .or_else(|| measure(ahead(&sentence[..found[index].at.start])))
            .unwrap_or_default()
    }

    /// What a text names as measures, and nothing else.
    pub(super) fn measures_of(&self, mut own: Named) -> Named {
        for names in &mut own.full {
            names.retain(|name| self.pure.contains(name));
        }
        own
    }

    /// The names of one text without its measures, where another tells a measure, at least in part.
    pub(super) fn yielding(&self, mut own: Named, other: &Named) -> Named {
        let measure = |name: &String| self.pure.contains(name);
        let told = other.full.iter().chain(&other.half).flatten().any(measure);
        if told {
            for sets in [&mut own.full, &mut own.half] {
                sets.iter_mut()
                    .for_each(|names| names.retain(|name| !measure(name)));
            }
        }
        own
    }

    /// What a text names, given what the words right beside a number name: if these say what was measured,
    /// nothing else was, at whatever depth of the results its name may stand.
    pub(super) fn beside(&self, own: &Named, mut text: Named) -> Named {
        let measure = |name: &String| self.measures.contains(name);
        if own.full.iter().flatten().any(measure) {
            for sets in [&mut text.full, &mut text.half] {
                sets.iter_mut()
                    .for_each(|names| names.retain(|name| !measure(name)));
            }
        }
        own.clone().or(&text)
    }
}

/// Words between two values that belong to different owners.
const CONTRASTS: [&str; 6] = ["against", "than", "compared", "while", "where", "versus"];

/// The words after a number that say whose it is: `for FedAvg`, up to the next sign or number.
fn owner(after: &str) -> &str {
    let plain = after.trim_start_matches([' ', '%', ')', '\u{a0}']);
    let linked = plain
        .strip_prefix("for ")
        .or_else(|| plain.strip_prefix("of "));
    let clause = linked.unwrap_or_default();
    let end = clause.find(|c: char| ",.;:()".contains(c) || c.is_ascii_digit());
    let clause = &clause[..end.unwrap_or(clause.len())];
    match clause
        .split_once(" and ")
        .or_else(|| clause.split_once(" to "))
    {
        Some((first, _)) => first,
        None => clause,
    }
}

impl Named {
    /// Whether at least two names of a value are told in full.
    pub(super) fn holds(&self, names: &[String]) -> bool {
        let told = names.iter().zip(&self.full);
        told.filter(|(name, full)| full.contains(*name)).count() >= 2
    }

    /// Names of both.
    pub(super) fn and(mut self, other: Self) -> Self {
        if self.full.is_empty() {
            return other;
        }
        if self.half.iter().all(BTreeSet::is_empty) {
            self.half.clone_from(&other.half);
        }
        for (mine, theirs) in self.full.iter_mut().zip(other.full) {
            mine.extend(theirs);
        }
        for (mine, theirs) in self.partly.iter_mut().zip(other.partly) {
            mine.extend(theirs);
        }
        self
    }

    /// Where this says something, what the other says counts too.
    pub(super) fn widened(mut self, other: &Self) -> Self {
        for (mine, theirs) in self.full.iter_mut().zip(&other.full) {
            if mine.len() > 1 {
                mine.extend(theirs.iter().cloned());
            }
        }
        self
    }
}

/// The word right before a number, `F1 0.762`; nothing where a sign or more than one space stands between.
fn ahead(before: &str) -> &str {
    let plain = before.strip_suffix(' ').unwrap_or_default();
    let mut words = plain.rsplit(|c: char| !c.is_alphanumeric() && c != '-' && c != '@');
    words.next().unwrap_or_default()
}

/// Where the number before one ends, names left out.
fn previous(found: &[Number], index: usize) -> usize {
    let before = found[..index].iter().rev().find(|number| !number.name);
    before.map_or(0, |before| before.at.end.min(found[index].at.start))
}

impl Judge<'_> {
    /// Whether the words of a number name something else than what a traced value is of: `from 0.090 to 0.093
    /// on moons, although on dino by 11 %`.
    pub(super) fn of_another(
        &self,
        sentence: &str,
        found: &[Number],
        index: usize,
        finding: Option<&Finding>,
    ) -> bool {
        let Some(base) = finding.and_then(|finding| finding.base.as_ref()) else {
            return false;
        };
        let names = &self.evidence.names;
        let local = self.local(sentence, found, index);
        let last = base.names.len().saturating_sub(1);
        local
            .full
            .iter()
            .enumerate()
            .take(last + 1)
            .any(|(depth, told)| {
                let own = base.names.get(depth).is_none_or(|own| among(told, own));
                !names.is_run(depth) && !told.is_empty() && !own
            })
    }

    /// What the words name that belong to one number: those right beside it, and those since the number before
    /// it that are not told of that one.
    pub(super) fn bound(
        &self,
        sentence: &str,
        found: &[Number],
        index: usize,
        local: &Named,
    ) -> Named {
        let start = previous(found, index);
        let mut text = &sentence[start..found[index].at.start];
        if start > 0 {
            let names = &self.evidence.names;
            let measured = |words: &str| {
                let named = names.named(words);
                named
                    .full
                    .iter()
                    .flatten()
                    .any(|name| names.measures.contains(name))
            };
            for (theirs, is) in [
                (owner(text), true),
                (told::measure(text), measured(told::measure(text))),
            ] {
                if is && !theirs.is_empty() {
                    let end = theirs.as_ptr() as usize - text.as_ptr() as usize + theirs.len();
                    text = &text[end..];
                }
            }
        }
        local.clone().or(&self.evidence.names.named(text))
    }

    /// The names in the words that belong to one number: `for dino` after it, `enwik8 (` before it.
    pub(super) fn local(&self, sentence: &str, found: &[Number], index: usize) -> Named {
        if sentence.to_lowercase().contains("respectively") {
            let words = told::respective(sentence, found, index);
            return words.map_or_else(Named::default, |words| self.evidence.names.named(words));
        }
        if let Some(words) = told::respective(sentence, found, index) {
            return self.evidence.names.named(words);
        }
        let number = &found[index];
        // The digits of a name, `BM25`, end no words.
        let next = found[index + 1..].iter().find(|number| !number.name);
        let end = next.map_or(sentence.len(), |next| next.at.start);
        let after = &sentence[number.at.end.min(end)..end];
        let after = after.split([';', '.']).next().unwrap_or(after);
        let linked = [
            "for ", "on ", "in ", "at ", "with ", "after ", "for the ", "on the ",
        ]
        .iter()
        .any(|word| {
            after
                .trim_start_matches([' ', ')', '\u{a0}'])
                .starts_with(word)
        });
        let after = if linked {
            after.split([',', '(']).next().unwrap_or(after)
        } else {
            ""
        };
        let before = &sentence[previous(found, index)..number.at.start];
        let before = if before.trim_end().ends_with('(') {
            let words: Vec<(usize, &str)> = words::tokens(before).collect();
            words
                .get(words.len().saturating_sub(3))
                .map_or("", |(at, _)| &before[*at..])
        } else if before.trim_end().ends_with(':') {
            before
        } else {
            ""
        };
        let own = self.evidence.names.measured(sentence, found, index);
        own.or(&self.evidence.names.named(after))
            .or(&self.evidence.names.named(before))
    }
}
