//! Signs that nobody sees: they can carry a message of their own, or divide words so that no search finds
//! them. A few are usual in text that was taken out of a PDF file; they are taken out without a word.

use super::Hit;
use super::words::unseen;
use crate::review::Severity;

/// So many signs without width are no accident.
const MANY: usize = 20;

/// Signs that carry letters of their own: tags, and the second set of variation selectors.
fn smuggled(sign: char) -> Option<char> {
    match sign {
        '\u{e0020}'..='\u{e007e}' => char::from_u32(sign as u32 - 0xe0000),
        '\u{e0100}'..='\u{e01ef}' => Some('?'),
        _ => None,
    }
}

pub(super) fn hits(text: &str) -> Vec<Hit> {
    let mut found = Vec::new();
    let mut run: Option<(usize, usize, usize)> = None;
    let mut close = |run: Option<(usize, usize, usize)>| {
        if let Some((start, end, count)) = run.filter(|(.., count)| *count >= 4) {
            found.push(Hit {
                kind: "hidden_signs",
                severity: Severity::Error,
                at: start..end,
                why: format!("it holds {count} signs that nobody sees and that stand for letters"),
            });
        }
    };
    for (at, sign) in text.char_indices() {
        let end = at + sign.len_utf8();
        if smuggled(sign).is_some() {
            run = Some(run.map_or((at, end, 1), |(start, _, count)| (start, end, count + 1)));
        } else {
            close(run.take());
        }
    }
    close(run);
    let widthless = |sign: char| {
        unseen(sign)
            && smuggled(sign).is_none()
            && !matches!(sign, '\u{ad}' | '\u{fe00}'..='\u{fe0f}')
    };
    let mut places = text.char_indices().filter(|(_, sign)| widthless(*sign));
    let count = places.clone().count();
    if count >= MANY
        && let Some((at, sign)) = places.next()
    {
        found.push(Hit {
            kind: "hidden_signs",
            severity: Severity::Error,
            at: at..at + sign.len_utf8(),
            why: format!("it holds {count} signs without width"),
        });
    }
    found
}

/// The text without these signs, and how many there were. Selectors of emoji stay.
pub(super) fn without(text: &str) -> (String, usize) {
    let out = |sign: &char| unseen(*sign) && !matches!(sign, '\u{fe00}'..='\u{fe0f}');
    let kept: String = text.chars().filter(|sign| !out(sign)).collect();
    (kept, text.chars().filter(out).count())
}
