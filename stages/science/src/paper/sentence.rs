//! Cuts prose into sentences, knowing abbreviations, decimals and references.

use std::ops::Range;

use super::reference::blank;

/// Ends of words after which a full stop ends no sentence.
const ABBREVIATIONS: [&str; 12] = [
    "e.g", "i.e", "et al", "cf", "vs", "Fig", "Figs", "Tab", "Sec", "Eq", "approx", "resp",
];

/// The sentences of a paragraph as bytes of it, without the white space between them.
pub(crate) fn sentences(text: &str) -> Vec<Range<usize>> {
    let masked = blank(text);
    let mut found = Vec::new();
    let mut start = 0;
    for (at, letter) in masked.char_indices() {
        if !matches!(letter, '.' | '!' | '?') {
            continue;
        }
        let after = &masked[at + 1..];
        let closing = after.len() - after.trim_start_matches([')', '"', '*', '”', ']']).len();
        let next = &after[closing..];
        let ends = next.is_empty() || next.starts_with(char::is_whitespace);
        // A reference was blanked, so what follows is read in the text itself.
        let follows = text[at + 1 + closing..].trim_start();
        let begins = !follows.starts_with(|c: char| c.is_lowercase());
        let short = ABBREVIATIONS.iter().any(|word| {
            masked[..at]
                .strip_suffix(word)
                .is_some_and(|rest| !rest.ends_with(char::is_alphanumeric))
        });
        if ends && begins && !(letter == '.' && short) {
            push(text, start..at + 1 + closing, &mut found);
            start = at + 1 + closing;
        }
    }
    push(text, start..text.len(), &mut found);
    found
}

fn push(text: &str, range: Range<usize>, found: &mut Vec<Range<usize>>) {
    let part = &text[range.clone()];
    let start = range.start + (part.len() - part.trim_start().len());
    let end = range.end - (part.len() - part.trim_end().len());
    if start < end {
        found.push(start..end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<&str> {
        sentences(text)
            .into_iter()
            .map(|range| &text[range])
            .collect()
    }

    #[test]
    fn references_decimals_and_abbreviations_do_not_end_a_sentence() {
        assert_eq!(
            cut(
                r"It is 0.5 (see e.g. Fig. 2). \val{a.b}{.3} is lower. See Ho et al. for more!  Yes"
            ),
            [
                "It is 0.5 (see e.g. Fig. 2).",
                r"\val{a.b}{.3} is lower.",
                "See Ho et al. for more!",
                "Yes"
            ]
        );
    }
}
