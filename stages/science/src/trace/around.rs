//! The words around a number, and what the numbers of one sentence are to each other.

use std::ops::Range;

use super::token::{Number, Share};
use super::words::{self, Said};

/// The words around a number, from near to far.
pub(super) struct Around<'t> {
    pub(super) before: &'t str,
    pub(super) after: &'t str,
    pub(super) sentence: &'t str,
}

pub(super) fn clip_left(text: &str) -> &str {
    let from = text.char_indices().rev().nth(160).map_or(0, |(at, _)| at);
    &text[from..]
}

pub(super) fn clip_right(text: &str) -> &str {
    let to = text.char_indices().nth(80).map_or(text.len(), |(at, _)| at);
    &text[..to]
}

pub(super) fn around<'t>(sentence: &'t str, number: &Number) -> Around<'t> {
    Around {
        before: &sentence[..number.at.start],
        after: &sentence[number.at.end..],
        sentence,
    }
}

/// `about 400 compared to 670`: the second is about as exact as the first.
pub(super) fn approximate(sentence: &str, mut found: Vec<Number>) -> Vec<Number> {
    for index in 1..found.len() {
        let between = sentence
            .get(found[index - 1].at.end..found[index].at.start)
            .unwrap_or_default();
        let few = between.split_whitespace().count() <= 8
            && !between.replace("vs.", "vs").contains(['.', ';']);
        let linked = [" to ", " vs", " and ", " versus ", "–", " than "]
            .iter()
            .any(|word| between.contains(word));
        if found[index - 1].about
            && few
            && linked
            && found[index].whole
            && found[index].share == found[index - 1].share
        {
            found[index].about = true;
        }
    }
    found
}

/// `3.00, 2.63 and 1.51 points`, `18 to 19 %`: what stands behind the last of a list is said of all.
pub(super) fn listed(sentence: &str, mut found: Vec<Number>) -> Vec<Number> {
    for index in 1..found.len() {
        let (one, next) = (&found[index - 1], &found[index]);
        let between = sentence.get(one.at.end..next.at.start).unwrap_or("?");
        // `12.0 points on stacking and 14.4 on insertion`
        let goes_on = one.share == Share::Points
            && next.share == Share::None
            && !next.whole
            && !next.name
            && !next.spread
            && next.unit.is_empty()
            && between.split_whitespace().count() <= 6
            && (between.ends_with(" and ") || between.ends_with(", "));
        if goes_on {
            found[index].share = Share::Points;
        }
    }
    for index in (1..found.len()).rev() {
        let (one, next) = (&found[index - 1], &found[index]);
        let between = sentence.get(one.at.end..next.at.start).unwrap_or("?");
        let plain = |number: &Number| !number.name && !number.version && !number.spread;
        let shared = matches!(next.share, Share::Percent | Share::Points)
            && one.share == Share::None
            && one.unit.is_empty()
            && plain(one)
            && plain(next)
            && lists(between)
            && words::part(&sentence[..one.at.start]).is_none();
        if shared {
            found[index - 1].share = found[index].share;
        }
    }
    found
}

/// Whether `by` stands before a number, or before the list that it ends.
pub(super) fn by(before: &str) -> bool {
    let words: Vec<&str> = before.split_whitespace().collect();
    let list = |word: &&&str| **word == "and" || word.starts_with(|c: char| c.is_ascii_digit());
    words.iter().rev().find(|word| !list(word)) == Some(&"by")
}

/// Whether nothing but a comma or a word of lists stands between two numbers.
fn lists(between: &str) -> bool {
    let words = between.trim_matches(|c: char| c.is_whitespace() || ",-–".contains(c));
    !between.is_empty() && between.len() < 12 && matches!(words, "" | "and" | "or" | "to")
}

/// What follows a list that a number begins: ` seconds` of `13.4 to 17.6 seconds`.
fn behind(after: &str) -> &str {
    let Some(start) = after.find(|c: char| c.is_ascii_digit()) else {
        return after;
    };
    let end = after[start..]
        .find(|c: char| !c.is_ascii_digit() && !".,".contains(c))
        .map_or(after.len(), |end| start + end);
    let ends = end < after.len() && after[..end].ends_with(|c: char| c.is_ascii_digit());
    match lists(&after[..start]) && ends {
        true => behind(&after[end..]),
        false => after,
    }
}

/// The words right after a number, where its unit stands.
pub(super) fn units(after: &str) -> String {
    words::tokens(behind(after))
        .take(2)
        .map(|(_, word)| word)
        .collect::<Vec<_>>()
        .join(" ")
}

/// `76 % for addition, 72 % for subtraction`: the second goes on with the first's change.
pub(super) fn continued(
    sentence: &str,
    before: Option<&Number>,
    said: &Said,
    number: &Number,
) -> Option<Said> {
    let before = before?;
    let between = sentence.get(before.at.end..number.at.start)?;
    // `143, or 4.5 %`: the same change in another unit.
    let again = [", or ", " or ", " (", ", that is, ", "; i.e. "].contains(&between)
        || [
            ", i.e.",
            ", which is",
            ", which corresponds to",
            ", equivalent to",
            " points, a relative",
        ]
        .iter()
        .any(|head| between.starts_with(head) && between.split_whitespace().count() <= 6);
    if again && before.share != number.share {
        return Some(said.clone());
    }
    let few = between.split_whitespace().count() <= 7;
    let stops = [
        " is ", " are ", " was ", " were ", " to ", " from ", ";", " while ", " with ",
    ];
    let goes_on = before.share == number.share
        && number.share != Share::None
        && few
        && words::directions(between).is_empty()
        && !stops.iter().any(|stop| between.contains(stop));
    goes_on.then(|| said.clone())
}

/// Pairs of numbers that a sentence says something changed between, as (from, to); not the number
/// `except` itself.
pub(super) fn pairs_told(sentence: &str, found: &[Number], except: usize) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    let values: Vec<usize> = (0..found.len())
        .filter(|index| {
            *index != except
                && !found[*index].name
                && !found[*index].version
                && !found[*index].spread
        })
        .collect();
    for window in values.windows(2) {
        let (i, j) = (window[0], window[1]);
        let (a, b) = (&found[i], &found[j]);
        let Some(between) = sentence.get(a.at.end..b.at.start) else {
            continue;
        };
        let before: Vec<&str> = words::tokens(&sentence[..a.at.start])
            .map(|(_, word)| word)
            .collect();
        let from = before
            .iter()
            .rev()
            .take(5)
            .any(|word| word.eq_ignore_ascii_case("from"));
        let to = before
            .iter()
            .rev()
            .take(4)
            .any(|word| word.eq_ignore_ascii_case("to"));
        let low = format!(" {} ", between.to_lowercase());
        let says = |word: &str| low.contains(&format!(" {word} "));
        let short = between.split_whitespace().count() <= 14;
        if !short {
            continue;
        }
        let baseline_after = sentence[b.at.end..]
            .split_whitespace()
            .take(6)
            .any(|word| word.to_lowercase().contains("baseline"));
        // `14.2 ms to 7.6 ms`
        let bare = {
            let words: Vec<&str> = between.split_whitespace().collect();
            words.last() == Some(&"to") && words.len() <= 2
        };
        if between.contains('→') || between.contains("->") || (from && says("to")) || bare {
            pairs.push((i, j));
        } else if to && says("from") && between.split_whitespace().count() <= 6 {
            pairs.push((j, i));
        } else if ["vs", "vs.", "versus", "against"]
            .iter()
            .any(|word| says(word))
            || low.contains("compared to")
            || low.contains("compared with")
        {
            pairs.push((j, i));
            if !baseline_after && !says("baseline") {
                pairs.push((i, j));
            }
        }
    }
    pairs
}

pub(super) fn moved(number: Number, by: usize) -> Number {
    Number {
        at: number.at.start + by..number.at.end + by,
        ..number
    }
}

/// The whole word that a number is part of: `GPT-4o`.
pub(super) fn word_at(text: &str, at: &Range<usize>) -> Range<usize> {
    let part = |c: char| c.is_alphanumeric() || "-_.".contains(c);
    let start = text[..at.start].rfind(|c| !part(c)).map_or(0, |found| {
        found + text[found..].chars().next().map_or(1, char::len_utf8)
    });
    let end = text[at.end..]
        .find(|c| !part(c))
        .map_or(text.len(), |found| at.end + found);
    start..start + text[start..end].trim_end_matches(['.', '-']).len()
}

pub(super) fn wordy(text: &str) -> bool {
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    let digits = text.chars().filter(char::is_ascii_digit).count();
    letters > digits + 2
}

/// A sentence in pieces of bearable length: what has no full stop for pages is no sentence.
pub(super) fn pieces(text: &str, range: Range<usize>) -> Vec<Range<usize>> {
    const LONGEST: usize = 2000;
    let mut out = Vec::new();
    let mut start = range.start;
    while range.end - start > LONGEST {
        let mut end = start + LONGEST;
        while !text.is_char_boundary(end) {
            end += 1;
        }
        let end = text[end..range.end]
            .find(char::is_whitespace)
            .map_or(range.end, |found| end + found);
        out.push(start..end);
        start = end;
    }
    out.push(start..range.end);
    out
}
