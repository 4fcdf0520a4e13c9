//! What a sentence says a number belongs to: its share of a list with `respectively`, the baseline or the
//! method, works of others. It knows the usual forms of such sentences, not their meaning.

use super::context::Named;
use super::entry::{Class, Finding, Verdict};
use super::judge::Judge;
use super::plain::CITED;
use super::token::Number;
use super::words::tokens;

/// Whose value a number is told to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    Baseline,
    Ours,
}

/// The words that belong to a number by `respectively`: `1.49, 0.95 and 0.91 for a, b and c, respectively`.
pub(super) fn respective<'s>(sentence: &'s str, found: &[Number], index: usize) -> Option<&'s str> {
    let low = sentence.to_lowercase();
    // Lower case may have other lengths than the text.
    if low.len() != sentence.len() {
        return None;
    }
    let word = low.find("respectively");
    let end = word.unwrap_or(sentence.len());
    let joined = |a: &Number, b: &Number| {
        let between = sentence.get(a.at.end..b.at.start).unwrap_or(" and so on");
        let mut words = tokens(between).map(|(_, word)| word);
        let few = between.len() <= 24;
        few && words.all(|word| word == "and" || super::words::counted(word) || word.len() <= 2)
    };
    let mut from = index;
    while from > 0 && joined(&found[from - 1], &found[from]) {
        from -= 1;
    }
    let mut to = index;
    while to + 1 < found.len() && joined(&found[to], &found[to + 1]) {
        to += 1;
    }
    let count = to - from + 1;
    if count < 2 {
        return None;
    }
    let links = ["for ", "on ", "in ", "with ", "at ", "under ", "by ", "of "];
    let listed = |text: &'s str| -> Option<&'s str> {
        let parts: Vec<&str> = text
            .split(", and ")
            .flat_map(|part| part.split(", "))
            .flat_map(|part| part.split(" and "))
            .map(|part| part.trim_matches([' ', ',', '.', '(', ')']))
            .filter(|part| !part.is_empty())
            .collect();
        (parts.len() == count).then(|| parts[index - from])
    };
    let starts = |text: &str| -> Vec<usize> {
        let low = text.to_ascii_lowercase();
        let mut at: Vec<usize> = links
            .iter()
            .flat_map(|link| low.match_indices(link).map(|(at, link)| at + link.len()))
            .filter(|at| {
                let before = &text[..*at];
                before.len() < 5 || before[..before.len() - 1].contains(' ')
            })
            .collect();
        at.sort_unstable();
        at
    };
    let after = sentence.get(found[to].at.end..end).unwrap_or_default();
    // Without the word only what stands right behind the list belongs to it, up to the next stop.
    let stop = after.find([';', '(', ':']).unwrap_or(after.len());
    let stop = after[..stop].find(". ").unwrap_or(stop);
    let next = found
        .get(to + 1)
        .map_or(stop, |next| stop.min(next.at.start - found[to].at.end));
    let after = if word.is_some() {
        after
    } else {
        &after[..next]
    };
    let near = |at: &usize| word.is_some() || words_to(&after[..*at]) <= 3;
    let behind = starts(after)
        .into_iter()
        .filter(near)
        .find_map(|at| listed(&after[at..]));
    if word.is_none() {
        return behind;
    }
    behind.or_else(|| {
        let before = &sentence[..found[from].at.start];
        starts(before).into_iter().rev().find_map(|at| {
            let rest = &before[at..];
            let verbs = [
                " are ", " is ", " was ", " were ", " reach", " achiev", ", the ", ", we ", " the ",
            ];
            let end = verbs.iter().filter_map(|verb| rest.find(verb)).min();
            listed(&rest[..end.unwrap_or(rest.len())])
        })
    })
}

fn words_to(text: &str) -> usize {
    tokens(text).count()
}

/// Whose value a number is, where the words next to it say so: `the baseline reaches 0.84`, `0.84 for the
/// baseline`, `our method reaches 0.87`.
pub(super) fn whose(sentence: &str, found: &[Number], index: usize) -> Option<Whose> {
    let number = &found[index];
    let end = found
        .get(index + 1)
        .map_or(sentence.len(), |next| next.at.start);
    let after = sentence.get(number.at.end..end).unwrap_or_default();
    let after = after.split(['.', ';', ',']).next().unwrap_or(after);
    let behind: Vec<String> = tokens(after).take(6).map(lower).collect();
    if let Some(at) = behind.iter().position(|word| word.starts_with("baseline"))
        && at <= 4
        && behind[..at]
            .iter()
            .any(|word| ["for", "in", "of", "by"].contains(&word.as_str()))
        && !behind[..at]
            .iter()
            .any(|word| ["than", "over", "from", "to", "our", "with"].contains(&word.as_str()))
    {
        return Some(Whose::Baseline);
    }
    let start = index
        .checked_sub(1)
        .map_or(0, |before| found[before].at.end.min(number.at.start));
    let before = sentence.get(start..number.at.start)?;
    // `, with the best …` goes on with what was said; `while …` and `; …` begin anew.
    let anew = index == 0
        || ["while ", "whereas ", "; ", " but "]
            .iter()
            .any(|word| before.contains(word));
    let cut = ["while ", "whereas ", "; ", " but "]
        .iter()
        .filter_map(|word| before.rfind(word).map(|at| at + word.len()))
        .max()
        .unwrap_or(0);
    let clause: Vec<String> = tokens(&before[cut..]).map(lower).collect();
    let subject = clause.iter().position(|word| {
        ![
            "the", "a", "an", "our", "standard", "vanilla", "original", "however", "and",
        ]
        .contains(&word.as_str())
    })?;
    let told = |word: &str| clause.iter().skip(subject + 1).any(|known| known == word);
    let other = [
        "than",
        "over",
        "compared",
        "against",
        "outperforms",
        "and",
        "difference",
        "gap",
        "relative",
        "by",
    ]
    .iter()
    .any(|word| told(word));
    if !anew || other || clause.len() > 14 {
        return None;
    }
    let head = clause[subject].as_str();
    let owned = clause[..subject].iter().any(|word| word == "our");
    if head.starts_with("baseline") && !told("our") && !told("we") {
        return Some(Whose::Baseline);
    }
    let ours = (owned && ["method", "model", "approach", "proposed", "full"].contains(&head))
        || (head == "proposed");
    (ours && !clause.iter().any(|word| word.starts_with("baseline"))).then_some(Whose::Ours)
}

fn lower((_, word): (usize, &str)) -> String {
    word.to_lowercase()
}

impl Judge<'_> {
    /// A value that the words give to the baseline, but that only other runs have; and the reverse.
    pub(super) fn owned(&self, finding: Finding, whose: Whose) -> Finding {
        let names = &self.evidence.names;
        let Some(base) = finding
            .base
            .as_ref()
            .filter(|base| finding.verdict == Verdict::Traced && !base.runs.is_empty())
        else {
            return finding;
        };
        let based = |run: &String| names.calls_baseline(run);
        let (wrong, who) = match whose {
            Whose::Baseline => (!base.runs.iter().any(based), "the baseline"),
            Whose::Ours => (base.runs.iter().all(based), "the method"),
        };
        if !wrong || !names.has_baseline() {
            return finding;
        }
        let why = format!(
            "this value is of {}, but the words give it to {who}",
            base.runs.join(", ")
        );
        Finding {
            source: finding.source.clone(),
            ..Finding::untraced(Class::Result, why)
        }
    }
}

/// Whether a value is the one that something changed from: `from an average of 36.97 seconds to 75.19`.
pub(super) fn begins(before: &str, after: &str) -> bool {
    let words: Vec<&str> = tokens(before).map(|(_, word)| word).collect();
    let from = words
        .iter()
        .rev()
        .take(4)
        .position(|word| word.eq_ignore_ascii_case("from"));
    let between = |count: usize| {
        let filler =
            |word: &&&str| super::words::has("a an the about around roughly of average mean", word);
        words.iter().rev().take(count).filter(filler).count() == count
    };
    from.is_some_and(between) && tokens(after).take(8).any(|(_, word)| word == "to")
}

/// Whether what follows a value is the value that it went to: `drops 33.6 → 27.8`.
pub(super) fn arrow(after: &str) -> bool {
    let rest = after.trim_start();
    rest.starts_with('→') || rest.starts_with("->")
}

/// The clause that a number ends: `while throughput falls by 7 %`.
pub(super) fn clause<'s>(sentence: &'s str, found: &[Number], index: usize) -> &'s str {
    let start = index
        .checked_sub(1)
        .map_or(0, |before| found[before].at.end.min(found[index].at.start));
    let before = sentence
        .get(start..found[index].at.start)
        .unwrap_or_default();
    let begins = [", ", "; ", " while ", " and ", " but ", " whereas "];
    let cut = begins
        .iter()
        .filter_map(|word| before.rfind(word).map(|at| at + word.len()))
        .max();
    cut.map_or("", |cut| &before[cut..])
}

/// Words for spreads.
const SPREADS: &str = "sd std se sem stderr stdev deviation dev s.d. s.e. error errors";

/// Whether the words right before a number call it a spread: `(SD 0.005)`, `a standard deviation of 0.01`.
pub(super) fn spread(before: &str) -> bool {
    let near = before.char_indices().rev().nth(40).map_or(0, |(at, _)| at);
    let words: Vec<String> = tokens(&before[near..]).map(lower).collect();
    let mut last = words
        .iter()
        .rev()
        .skip_while(|word| ["of", "is", "was", "about"].contains(&word.as_str()));
    let Some(word) = last.next() else {
        return false;
    };
    let second = last.next().map_or("", String::as_str);
    let clause = super::words::clause(before);
    let clause = &clause[clause
        .rfind(|c: char| c.is_ascii_digit())
        .map_or(0, |at| at + 1)..];
    // `the standard deviation for the formation energy is 0.25`
    let verb = tokens(before)
        .last()
        .is_some_and(|(_, last)| ["is", "was", "are", "were"].contains(&last));
    if verb && clause.to_lowercase().contains("standard deviation") {
        return true;
    }
    match word.as_str() {
        "error" | "errors" => second == "standard",
        word => {
            super::words::has(SPREADS, word)
                && before
                    .trim_end()
                    .ends_with(|c: char| c.is_alphanumeric() || ".=:".contains(c))
        }
    }
}

/// The words right after a number that say what it measures: `63.7 F1`, `278 million trainable parameters`.
pub(super) fn measure(after: &str) -> &str {
    let plain = after.trim_start_matches([' ', '\u{a0}', '%']);
    if !plain.starts_with(|c: char| c.is_alphabetic()) {
        return "";
    }
    let clause = plain
        .split(['\n', ',', '.', ';', ':', '(', ')'])
        .next()
        .unwrap_or_default();
    let mut end = 0;
    for (at, word) in tokens(clause).take(4) {
        let low = word.to_lowercase();
        if super::words::has(LINKS, &low) {
            break;
        }
        end = at + word.len();
    }
    &clause[..end]
}

/// Words that end the name of what a number measures.
const LINKS: &str = "a an the and or but for on in of at to from with by while which that than as is was are were \
    when after before against versus vs compared under over per reach reaches attain attains give gives";

/// Whether a cell's words say that what stands in brackets is a spread: `Mean (SD)`.
pub(super) fn bracketed(words: &str) -> bool {
    let low = words.to_lowercase();
    [
        "(sd",
        "(std",
        "(se",
        "(s.d",
        "(s.e",
        "(stderr",
        "(± ",
        "deviation",
        "standard error",
    ]
    .iter()
    .any(|mark| low.contains(mark))
}

/// Whether a sentence reports works of others or tells of the field: it stands where papers do that, speaks
/// of nothing of its own, and cites others or names nothing that was compared here.
pub(super) fn others(sentence: &str, section: &str, named: &Named) -> bool {
    let section = super::words::headings(section);
    let place = [
        "introduction",
        "related",
        "background",
        "preliminar",
        "prior work",
        "motivation",
    ]
    .iter()
    .any(|word| section.contains(word));
    let bracketed = sentence
        .match_indices('[')
        .any(|(at, _)| sentence[at + 1..].starts_with(|c: char| c.is_ascii_digit()));
    let dated = sentence.match_indices('(').any(|(at, _)| {
        let inside = sentence[at + 1..].split(')').next().unwrap_or_default();
        let head = inside.trim_end_matches(|c: char| c.is_ascii_digit());
        let year = &inside[head.len()..];
        year.len() == 4 && (year.starts_with("19") || year.starts_with("20"))
    });
    let cites = sentence.contains(CITED) || sentence.contains("et al") || bracketed || dated;
    let unnamed = named.full.iter().all(std::collections::BTreeSet::is_empty);
    place && (cites || unnamed) && !super::words::own(sentence)
}

#[cfg(test)]
mod tests {
    use super::super::token::numbers;
    use super::*;

    #[test]
    fn lists_are_told_apart_by_their_order() {
        for sentence in [
            "Losses are 1.49, 0.95, and 0.91 for shakespeare, enwik8, and text8, respectively.",
            "For shakespeare, enwik8 and text8 the losses are 1.49, 0.95 and 0.91, respectively.",
        ] {
            let found: Vec<Number> = numbers(sentence)
                .into_iter()
                .filter(|number| !number.name)
                .collect();
            let told: Vec<_> = (0..3).map(|at| respective(sentence, &found, at)).collect();
            assert_eq!(
                told,
                [Some("shakespeare"), Some("enwik8"), Some("text8")],
                "{sentence}"
            );
        }
    }

    #[test]
    fn values_of_the_baseline_are_known() {
        let one = |sentence: &str| whose(sentence, &numbers(sentence), 0);
        for sentence in ["The baseline reaches 0.84.", "It is 0.84 for the baseline."] {
            assert_eq!(one(sentence), Some(Whose::Baseline), "{sentence}");
        }
        assert_eq!(one("Our method reaches 0.87."), Some(Whose::Ours));
        for sentence in [
            "It outperforms the baseline with 0.87.",
            "Compared to the baseline, it reaches 0.87.",
            "The baseline and the gate reach 0.87.",
        ] {
            assert_eq!(one(sentence), None, "{sentence}");
        }
    }
}
