//! What follows the digits of a number: powers of ten, `k` and `million`, `%` and `×`.

use super::token::Share;

/// The power of ten that follows, and its length: `e-4`, ` × 10^-4`, `^-3` after 10, `⁻³`.
pub(super) fn exponent(text: &str, start: usize, end: usize) -> Option<(i32, usize)> {
    let rest = &text[end..];
    if let Some(power) = rest.strip_prefix(['e', 'E']) {
        let digits = power.trim_start_matches(['+', '-', '−']);
        let count = digits.bytes().take_while(u8::is_ascii_digit).count();
        let ends = !digits[count..].starts_with(char::is_alphanumeric);
        if (1..=3).contains(&count) && ends && power.len() - digits.len() <= 3 {
            let power_text = power[..power.len() - digits.len() + count].replace('−', "-");
            let length = 1 + power.len() - digits.len() + count;
            return Some((power_text.parse().ok()?, length));
        }
    }
    let alone = &text[start..end] == "10";
    let trimmed = rest.trim_start();
    let after = if alone
        && trimmed.starts_with(['^', '⁻', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'])
    {
        trimmed
    } else {
        let times = trimmed.strip_prefix(['×', '·', '*', 'x'])?;
        times.trim_start().strip_prefix("10")?
    };
    let (raised, used) = raised(after)?;
    Some((raised, rest.len() - after.len() + used))
}

/// `^-4`, `^{-4}` or superscript digits, with the length in bytes.
pub(super) fn raised(text: &str) -> Option<(i32, usize)> {
    if let Some(power) = text.strip_prefix('^') {
        let inner = power.trim_start_matches(['{', '(']);
        let negative = inner.starts_with(['-', '−']);
        let digits = inner.trim_start_matches(['-', '−', '+']);
        let count = digits.bytes().take_while(u8::is_ascii_digit).count();
        let size: i32 = digits.get(..count)?.parse().ok()?;
        let mut used = 1 + power.len() - digits.len() + count;
        used +=
            usize::from(digits[count..].starts_with(['}', ')']) && power.starts_with(['{', '(']));
        return (size <= 300).then_some((if negative { -size } else { size }, used));
    }
    let mut negative = false;
    let mut size = 0i32;
    let mut used = 0;
    for letter in text.chars() {
        match letter {
            '⁻' if used == 0 => negative = true,
            letter => {
                let Some(digit) = "⁰¹²³⁴⁵⁶⁷⁸⁹".chars().position(|known| known == letter)
                else {
                    break;
                };
                size = (size * 10 + i32::try_from(digit).ok()?).min(400);
            }
        }
        used += letter.len_utf8();
    }
    (used > 0 && size <= 300).then_some((if negative { -size } else { size }, used))
}

/// `k`, `M`, `B` right after a number, and words for them.
pub(super) fn magnitude(rest: &str) -> (f64, usize) {
    let alone = |length: usize| !rest[length..].starts_with(char::is_alphanumeric);
    for (mark, factor) in [("k", 1e3), ("K", 1e3), ("M", 1e6), ("B", 1e9)] {
        if rest.starts_with(mark) && alone(1) {
            return (factor, 1);
        }
    }
    for (word, factor) in [("thousand", 1e3), ("million", 1e6), ("billion", 1e9)] {
        let trimmed = rest.trim_start_matches([' ', '\u{a0}', '-']);
        if trimmed.starts_with(word) {
            return (factor, rest.len() - trimmed.len() + word.len());
        }
    }
    (1.0, 0)
}

pub(super) fn share(rest: &str) -> (Share, usize) {
    let trimmed = rest.trim_start_matches([' ', '\u{a0}', '\u{2009}', '\u{202f}', '-', '~']);
    let gap = rest.len() - trimmed.len();
    let alone = |length: usize| !trimmed[length..].starts_with(char::is_alphanumeric);
    if let Some(after) = trimmed.strip_prefix('%') {
        let points = after
            .trim_start()
            .trim_start_matches('-')
            .starts_with("point");
        return (
            if points {
                Share::Points
            } else {
                Share::Percent
            },
            gap + 1,
        );
    }
    for (word, share) in [
        ("percentage point", Share::Points),
        ("percentage-point", Share::Points),
        ("percent", Share::Percent),
        ("per cent", Share::Percent),
    ] {
        if trimmed.starts_with(word) {
            return (share, gap + word.len());
        }
    }
    if trimmed.starts_with("pp") && alone(2) {
        return (Share::Points, gap + 2);
    }
    let then_digit = |length: usize| {
        trimmed[length..]
            .trim_start()
            .starts_with(|c: char| c.is_ascii_digit() || c == '(')
    };
    if trimmed.starts_with('×') && !then_digit('×'.len_utf8()) {
        return (Share::Times, gap + '×'.len_utf8());
    }
    if gap == 0 && trimmed.starts_with('x') && alone(1) && !then_digit(1) {
        return (Share::Times, 1);
    }
    let cross = trimmed
        .trim_start_matches("fold")
        .trim_start()
        .to_lowercase()
        .starts_with("cross");
    if trimmed.starts_with("fold") && alone(4) && !cross {
        return (Share::Times, gap + 4);
    }
    let compared = |rest: &str| {
        let rest = rest.trim_start().to_lowercase();
        let word = rest
            .split(|c: char| !c.is_alphabetic())
            .next()
            .unwrap_or_default();
        [
            "as", "the", "lower", "higher", "smaller", "larger", "faster", "slower", "more",
            "less", "fewer", "better", "worse", "greater", "that", "those",
        ]
        .contains(&word)
    };
    if trimmed.starts_with("times") && alone(5) && compared(&trimmed[5..]) {
        return (Share::Times, gap + 5);
    }
    (Share::None, 0)
}
