//! Words, lines and paragraphs out of letters with places, in the order in which the file draws them: that
//! is the order of reading for everything that a typesetter made, also in two columns.

/// One letter, or several that are one sign, with the start of its base line.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Letter {
    pub(super) text: String,
    /// From the left and from the top of the page, in points.
    pub(super) x: f64,
    pub(super) y: f64,
    /// In which the line runs, in radians.
    pub(super) direction: f64,
    /// Points.
    pub(super) size: f64,
    /// How far the next letter stands, in points.
    pub(super) width: f64,
}

/// A gap of this part of the size parts two words.
const SPACE: f64 = 0.18;
/// A letter this part of the size above or below stands in another line; indices stand nearer.
const LINE: f64 = 0.62;
/// Lines this many sizes apart are of different paragraphs.
const PARAGRAPH: f64 = 1.75;

/// The letters as text.
pub(super) fn lines(letters: &[Letter]) -> String {
    let mut text = String::new();
    let mut last: Option<&Letter> = None;
    // The size of the line, which an index does not change.
    let mut size = 0.0;
    for letter in letters {
        let shown = plain(&letter.text);
        if shown.is_empty() {
            continue;
        }
        if let Some(before) = last {
            let turned = (letter.direction - before.direction).abs() > 0.1;
            let (sin, cos) = before.direction.sin_cos();
            let (dx, dy) = (letter.x - before.x, letter.y - before.y);
            let along = dx * cos + dy * sin;
            let across = (dy * cos - dx * sin).abs();
            let base = letter.size.max(before.size).max(1e-6);
            if turned || across > LINE * base || along < -base.max(size) {
                break_line(&mut text, across > PARAGRAPH * base || turned, &shown);
                size = letter.size;
            } else if along - before.width > SPACE * base
                && !text.ends_with(char::is_whitespace)
                && !shown.starts_with(char::is_whitespace)
            {
                text.push(' ');
            }
        } else {
            size = letter.size;
        }
        text.push_str(&shown);
        last = Some(letter);
    }
    let kept: Vec<&str> = text.lines().map(str::trim_end).collect();
    kept.join("\n").trim().to_owned()
}

fn break_line(text: &mut String, paragraph: bool, next: &str) {
    let kept = text.trim_end().len();
    text.truncate(kept);
    let mut ending = text.chars().rev();
    let divided = matches!(ending.next(), Some('-' | '\u{ad}' | '‐'))
        && ending.next().is_some_and(char::is_lowercase)
        && next.starts_with(char::is_lowercase);
    if divided && !paragraph {
        // A word that was divided at the end of a line is one again.
        text.pop();
    } else {
        text.push_str(if paragraph { "\n\n" } else { "\n" });
    }
}

/// A sign as it is typed: ligatures as their letters, without control characters.
fn plain(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            'ﬀ' => kept.push_str("ff"),
            'ﬁ' => kept.push_str("fi"),
            'ﬂ' => kept.push_str("fl"),
            'ﬃ' => kept.push_str("ffi"),
            'ﬄ' => kept.push_str("ffl"),
            '\u{a0}' | '\t' | '\n' | '\r' => kept.push(' '),
            sign if sign.is_control() => {}
            sign => kept.push(sign),
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A word of letters that are half as wide as high.
    fn word(text: &str, x: f64, y: f64) -> Vec<Letter> {
        let letters = text.chars().enumerate();
        letters
            .map(|(place, sign)| Letter {
                text: sign.to_string(),
                x: x + 5.0 * place as f64,
                y,
                direction: 0.0,
                size: 10.0,
                width: 5.0,
            })
            .collect()
    }

    #[test]
    fn gaps_are_spaces_and_jumps_are_lines() {
        let letters = [
            word("two", 0.0, 10.0),
            word("words", 18.0, 10.0),
            word("di-", 0.0, 22.0),
            word("vided", 0.0, 34.0),
            word("Next", 0.0, 60.0),
        ]
        .concat();
        assert_eq!(lines(&letters), "two words\ndivided\n\nNext");
    }

    #[test]
    fn an_index_stays_in_its_line_and_ligatures_are_letters() {
        let mut letters = word("eﬃcient", 0.0, 10.0);
        let mut index = word("2", 35.0, 6.0);
        index[0].size = 6.0;
        letters.extend(index);
        assert_eq!(lines(&letters), "efficient2");
    }
}
