//! The numbers of a text: value, precision, sign, share. The one reader of typed numbers, for papers of
//! ours and of others. It does not know what a number means.

use std::ops::Range;

use super::suffix::{exponent, magnitude, share};

/// What a number is a share of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Share {
    None,
    /// `12.8 %`
    Percent,
    /// `3 percentage points`
    Points,
    /// `2×`, `three-fold`
    Times,
}

/// A number of a text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Number {
    /// Its bytes, with sign, exponent and share.
    pub(crate) at: Range<usize>,
    /// Signed; without its share's factor: 12.8 for `12.8 %`.
    pub(crate) value: f64,
    /// What one step of its last digit is worth.
    pub(crate) step: f64,
    /// Its significant digits.
    pub(crate) figures: usize,
    /// Written without point and exponent.
    pub(crate) whole: bool,
    pub(crate) share: Share,
    /// After `about`, `~`, `nearly`, …
    pub(crate) about: bool,
    /// After `±`.
    pub(crate) spread: bool,
    /// In brackets, alone or in a pair: `[0.71, 0.75]`.
    pub(crate) bracketed: bool,
    /// Part of a name: `GPT-4`, `2D`, `enwik8`.
    pub(crate) name: bool,
    /// Three parts or more, `1.13.1`, or after `v`.
    pub(crate) version: bool,
    /// Letters that follow at once and are a unit: `ms`, `GB`.
    pub(crate) unit: String,
}

/// Units that may follow a number without a space.
const UNITS: [&str; 34] = [
    "s", "ms", "us", "µs", "ns", "min", "mins", "h", "hr", "hrs", "sec", "GB", "MB", "KB", "kB",
    "TB", "GiB", "MiB", "Hz", "kHz", "MHz", "GHz", "px", "m", "cm", "mm", "km", "kg", "W", "kW",
    "pp", "pt", "tok", "bits",
];

/// Words that say that a number is not exact.
const ABOUT: [&str; 17] = [
    "about",
    "approximately",
    "approx",
    "approx.",
    "around",
    "roughly",
    "nearly",
    "almost",
    "circa",
    "over",
    "exceeding",
    "~",
    "≈",
    "∼",
    "≳",
    "≲",
    "some",
];

/// The numbers of a text, in order.
pub(crate) fn numbers(text: &str) -> Vec<Number> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let bare = bytes[at] == b'.'
            && bytes.get(at + 1).is_some_and(u8::is_ascii_digit)
            && (at == 0 || !bytes[at - 1].is_ascii_alphanumeric());
        if !bytes[at].is_ascii_digit() && !bare {
            at += 1;
            continue;
        }
        let number = read(text, at);
        at = number.at.end.max(at + 1);
        found.push(number);
    }
    found
}

fn read(text: &str, start: usize) -> Number {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let mut end = start;
    let mut points = 0;
    let mut mantissa = String::new();
    while end < bytes.len() {
        if digit(end) {
            mantissa.push(char::from(bytes[end]));
            end += 1;
        } else if bytes[end] == b'.' && digit(end + 1) {
            points += 1;
            mantissa.push('.');
            end += 1;
        } else if points == 0 && thousands(text, start, end) {
            end += text[end..].chars().next().map_or(1, char::len_utf8);
        } else {
            break;
        }
    }
    let decimals = mantissa
        .split_once('.')
        .map_or(0, |(_, decimals)| decimals.len());
    let version = points > 1 || joined_v(&text[..start]);
    let mut value: f64 = mantissa.parse().unwrap_or(0.0);
    let mut step = 10f64.powi(-i32::try_from(decimals).unwrap_or(0));
    let mut whole = points == 0;
    if let Some((power, length)) = exponent(text, start, end) {
        // `10^-3` is a power alone.
        let factor = 10f64.powi(power);
        if value == 10.0
            && text[end..]
                .trim_start()
                .starts_with(['^', '⁻', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'])
        {
            value = factor;
            step = factor;
        } else {
            value *= factor;
            step *= factor;
        }
        end += length;
        whole = false;
    }
    let (factor, length) = magnitude(&text[end..]);
    value *= factor;
    step *= factor;
    end += length;
    let figures = mantissa
        .trim_start_matches(['0', '.'])
        .chars()
        .filter(char::is_ascii_digit)
        .count();
    let (negative, from) = sign(text, start);
    let unit = unit(&text[end..]);
    let (mut share, mut length) = share(&text[end..]);
    if let Some(points) = points_after(&text[end..]).filter(|_| share == Share::None && !whole) {
        (share, length) = (Share::Points, points);
    }
    let name = named(&text[..start], &text[end..], share, &unit);
    // Only the words right before it matter.
    let near = text[..from]
        .char_indices()
        .rev()
        .nth(40)
        .map_or(0, |(at, _)| at);
    let before = text[near..from].trim_end();
    let word = before
        .rsplit([' ', '\u{a0}', '(', '\n'])
        .next()
        .unwrap_or_default()
        .to_lowercase();
    let word = word.trim_start_matches(['(', '[']);
    let more = before.to_lowercase();
    Number {
        at: from..end + length,
        value: if negative { -value } else { value },
        step,
        figures,
        whole,
        share,
        about: ABOUT.contains(&word)
            || before.ends_with(['~', '≈', '∼'])
            || more.ends_with("more than")
            || more.ends_with("less than"),
        spread: before.ends_with('±') || before.ends_with("+/-") || before.ends_with("+-"),
        bracketed: bracketed(before),
        name,
        version,
        unit,
    }
}

/// Whether the text ends with an opened bracket, or with one and another number.
fn bracketed(before: &str) -> bool {
    let pair = |c: char| c.is_ascii_digit() || ".,;–-−+% ".contains(c);
    let head = before.trim_end_matches(pair);
    let head = head
        .strip_suffix("to")
        .map_or(head, |head| head.trim_end_matches(pair));
    head.ends_with(['[', '('])
}

/// `2.7 points`, `1.3 BLEU points`: the length up to the end of that word.
fn points_after(rest: &str) -> Option<usize> {
    let mut at = 0;
    for _ in 0..2 {
        let gap = rest[at..].len() - rest[at..].trim_start_matches([' ', '\u{a0}', '-']).len();
        let word = &rest[at + gap..];
        let end = word
            .find(|c: char| !c.is_alphanumeric())
            .unwrap_or(word.len());
        if gap == 0 || end == 0 {
            return None;
        }
        at += gap + end;
        if ["points", "point"].contains(&&word[..end]) {
            return Some(at);
        }
    }
    None
}

/// Whether the separator at `at` stands between groups of three digits.
fn thousands(text: &str, start: usize, at: usize) -> bool {
    let Some(letter) = text[at..].chars().next() else {
        return false;
    };
    if !matches!(letter, ',' | '\u{2009}' | '\u{202f}' | '\'') {
        return false;
    }
    let after = &text.as_bytes()[at + letter.len_utf8()..];
    let three = after
        .iter()
        .take(3)
        .filter(|byte| byte.is_ascii_digit())
        .count()
        == 3;
    let fourth = after.get(3).is_some_and(u8::is_ascii_digit);
    let head = text[start..at]
        .bytes()
        .rev()
        .take_while(u8::is_ascii_digit)
        .count();
    three && !fourth && (1..=3).contains(&head) && !text[start..at].starts_with('0')
}

fn joined_v(before: &str) -> bool {
    before.ends_with(['v', 'V']) && !before[..before.len() - 1].ends_with(char::is_alphanumeric)
}

/// Whether a minus or plus belongs to the number, and where the number then starts.
fn sign(text: &str, start: usize) -> (bool, usize) {
    let before = &text[..start];
    let Some(letter) = before
        .chars()
        .next_back()
        .filter(|c| matches!(c, '-' | '−' | '+'))
    else {
        return (false, start);
    };
    let at = start - letter.len_utf8();
    let outer = text[..at].trim_end_matches(' ');
    let touching = outer.len() == at;
    let opens = outer.is_empty()
        || outer.ends_with(['(', '[', '=', ':', ',', '/', '|', '≈', '~', '<', '>', '±'])
        || !touching;
    if opens {
        (letter != '+', at)
    } else {
        (false, start)
    }
}

fn unit(rest: &str) -> String {
    let letters: String = rest.chars().take_while(|c| c.is_alphabetic()).collect();
    if UNITS.contains(&letters.as_str()) {
        letters
    } else {
        String::new()
    }
}

/// Whether the text ends with a word of letters and digits, `A100` before `-80GB`.
fn model(text: &str) -> bool {
    let word = text
        .rsplit(|c: char| !c.is_alphanumeric())
        .next()
        .unwrap_or_default();
    word.starts_with(|c: char| c.is_alphabetic()) && text.ends_with(|c: char| c.is_ascii_digit())
}

fn named(before: &str, after: &str, share: Share, unit: &str) -> bool {
    let dash = before.trim_end_matches(['-', '‑']);
    let joined = before.ends_with(|c: char| c.is_alphabetic() || c == '_')
        || (dash.len() < before.len()
            && (dash.ends_with(|c: char| c.is_alphabetic()) || model(dash)));
    let letters = after.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && share == Share::None
        && unit.is_empty();
    // `32x32`: the sides of an image or a grid.
    joined || letters
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Number {
        let found = numbers(text);
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        found.into_iter().next().unwrap()
    }

    #[test]
    fn values_precision_and_shares_are_read() {
        for (text, value, step, figures, share) in [
            ("0.441", 0.441, 0.001, 3, Share::None),
            ("9,409 pairs", 9409.0, 1.0, 4, Share::None),
            ("10\u{2009}000", 10000.0, 1.0, 5, Share::None),
            ("3e-4", 3e-4, 1e-4, 1, Share::None),
            ("1.5 × 10^-4.", 1.5e-4, 1e-5, 2, Share::None),
            ("10⁻³", 1e-3, 1e-3, 2, Share::None),
            ("12.8 % less", 12.8, 0.1, 3, Share::Percent),
            ("by 3 percentage points", 3.0, 1.0, 1, Share::Points),
            ("is 2× faster", 2.0, 1.0, 1, Share::Times),
            ("a 1.5-fold gain", 1.5, 0.1, 2, Share::Times),
            ("(-0.25)", -0.25, 0.01, 2, Share::None),
            ("10k steps", 10_000.0, 1000.0, 2, Share::None),
            ("1.2 million", 1.2e6, 1e5, 2, Share::None),
            (".05", 0.05, 0.01, 1, Share::None),
        ] {
            let number = one(text);
            assert!(
                (number.value - value).abs() < 1e-9 * value.abs().max(1e-9),
                "{text}: {number:?}"
            );
            assert!(
                (number.step - step).abs() < 1e-9 * step,
                "{text}: {number:?}"
            );
            assert_eq!(
                (number.figures, number.share, number.name),
                (figures, share, false),
                "{text}"
            );
        }
    }

    #[test]
    fn names_and_versions_are_known() {
        for text in ["GPT-4", "2D", "text8", "x_1", "top-5", "5th"] {
            assert!(one(text).name, "{text}");
        }
        assert!(one("1.13.1").version && one("v2.0").version);
        assert!(one("at 40ms").unit == "ms" && one("≈ 400").about && one("± 0.1").spread);
    }
}
