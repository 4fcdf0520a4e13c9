//! Finds what a writer left to be filled in. In code spans such words are only mentioned, so they pass.

use std::ops::Range;

/// Marks that stand for something missing, whatever the case of their letters.
const MARKS: &[&str] = &[
    "{{",
    "}}",
    "lorem ipsum",
    "[insert ",
    "<insert",
    "[placeholder",
    "<placeholder",
    "[your ",
    "[citation needed",
    "[cite]",
    "[ref]",
    "[tbd",
    "[todo",
    "[result",
    "[value",
    "[number",
    "[xx",
    "x.xx",
    "xx.x",
    "xx%",
    "???",
];

/// Words that stand for something missing, in capitals only and as whole words.
const WORDS: &[&str] = &["TODO", "FIXME", "TBD", "TBA", "XXX", "XX", "TK"];

/// The first placeholder in a text, as bytes of it.
pub(crate) fn find(text: &str) -> Option<Range<usize>> {
    let lower = text.to_ascii_lowercase();
    let marks = MARKS.iter().filter_map(|mark| {
        let at = lower.find(mark)?;
        Some(at..at + mark.len())
    });
    let words = WORDS.iter().filter_map(|word| {
        text.match_indices(word)
            .map(|(at, _)| at..at + word.len())
            .find(|at| {
                let letter = |c: char| c.is_alphanumeric() || c == '_';
                !text[..at.start].ends_with(letter) && !text[at.end..].starts_with(letter)
            })
    });
    marks.chain(words).min_by_key(|at| at.start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_found_and_ordinary_words_are_not() {
        for text in [
            "improves by XX %",
            "a loss of X.XX",
            "TODO: write",
            "see {{ table }}",
            "[INSERT FIGURE]",
            "Lorem ipsum dolor",
            "the gain was ???",
        ] {
            assert!(find(text).is_some(), "{text}");
        }
        for text in [
            "the XXL model",
            "method_TODO_list",
            "Are they? We ask.",
            "a set {1, 2}",
            "[Insertion] sort",
            "todo lists",
        ] {
            assert_eq!(find(text), None, "{text}");
        }
    }
}
