//! Words that no paper may hold: placeholders, and macros that nobody knows.

use std::ops::Range;

use crate::draft::mask::Macro;
use crate::draft::place::Problem;
use crate::draft::placeholder;
use crate::draft::tree::Inline;

/// Refuses placeholders and macros that nobody knows.
pub(crate) fn check(inlines: &[Inline], problems: &mut Vec<Problem>) {
    for inline in inlines {
        let Inline::Text { text, at } = inline else {
            continue;
        };
        if let Some(found) = placeholder::find(text) {
            let message = format!("placeholder `{}`", &text[found.clone()]);
            problems.push(
                    Problem::new(at + found.start..at + found.end, message).help(
                        "write it out, or `\\unknown{what}`; to mention the word itself, put it in backticks",
                    ),
                );
        }
        if let Some(found) = unknown_macro(text) {
            let name = &text[found.clone()];
            let near = Macro::ALL
                .iter()
                .map(|(known, ..)| *known)
                .max_by(|a, b| {
                    let like = |known: &str| strsim::jaro_winkler(known, &name[1..]);
                    like(a).total_cmp(&like(b))
                })
                .unwrap_or("val");
            problems.push(
                Problem::new(
                    at + found.start..at + found.end,
                    format!("unknown macro `{name}`"),
                )
                .help(format!(
                    "`\\{near}` is the nearest; LaTeX is written between dollar signs"
                )),
            );
        }
    }
}

fn unknown_macro(text: &str) -> Option<Range<usize>> {
    text.match_indices('\\').find_map(|(at, _)| {
        let rest = &text[at + 1..];
        let length = rest
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(rest.len());
        (length > 0).then_some(at..at + 1 + length)
    })
}
