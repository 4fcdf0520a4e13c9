//! Results that somebody typed: decimals, percentages and multiples in the text that are no references, and
//! whole numbers from 100 that stand among the results.
//! It reads signs, not meaning: names (GPT-4.1, v2.0), parts (Section 3.2), levels (95 % interval) and
//! values of the settings pass; other whole numbers are for `review/checks` and the gate, which know the words.

use std::ops::Range;

use serde_json::Value;

use crate::draft::place::Problem;
use crate::draft::tree::{Block, Inline};

/// The typed results of a paper, each with its place.
pub(crate) fn typed(parts: &[&[Block]], results: &Value) -> Vec<Problem> {
    let mut found = Found {
        settings: numbers(results, |name| name.ends_with("config")),
        whole: numbers(results, |name| !name.ends_with("config"))
            .into_iter()
            .map(f64::round)
            .collect(),
        problems: Vec::new(),
    };
    for part in parts {
        found.blocks(part);
    }
    found.problems
}

struct Found {
    settings: Vec<f64>,
    /// The results, each as the nearest whole number.
    whole: Vec<f64>,
    problems: Vec<Problem>,
}

impl Found {
    fn blocks(&mut self, blocks: &[Block]) {
        for block in blocks {
            match block {
                Block::Heading { content, .. } | Block::Paragraph(content) => self.inlines(content),
                Block::List { items, .. } => items.iter().for_each(|item| self.blocks(item)),
                Block::Quote(inner) => self.blocks(inner),
                Block::Table {
                    head,
                    rows,
                    caption,
                    ..
                } => {
                    self.inlines(caption);
                    let cells = head.iter().chain(rows.iter().flatten());
                    cells.for_each(|cell| self.inlines(cell));
                }
                Block::Figure { caption, .. } => self.inlines(caption),
                Block::Code { .. } | Block::Maths { .. } | Block::Rule => {}
            }
        }
    }

    fn inlines(&mut self, inlines: &[Inline]) {
        for inline in inlines {
            match inline {
                Inline::Text { text, at } => {
                    for range in tokens(text) {
                        self.token(text, range, *at);
                    }
                }
                Inline::Emphasis(inner) | Inline::Strong(inner) | Inline::Strike(inner) => {
                    self.inlines(inner);
                }
                Inline::Footnote(content) => self.blocks(content),
                // The words of a link are those of an address or of somebody else.
                _ => {}
            }
        }
    }

    fn token(&mut self, text: &str, range: Range<usize>, at: usize) {
        let word = &text[range.clone()];
        let value = number(word);
        if passes(text, &range) || value.is_some_and(|value| self.settings.contains(&value)) {
            return;
        }
        // Small ones stand among the results by chance, and count things that are no results.
        let by_chance = |value: &f64| *value < 100.0 || !self.whole.contains(value);
        if is_whole(word) && value.as_ref().is_none_or(by_chance) {
            return;
        }
        self.problems.push(
            Problem::new(
                at + range.start..at + range.end,
                format!("`{word}` is typed and leads to no result"),
            )
            .help("refer to the result: `\\val{…}`, `\\calc{…}{why}` or `\\change{…}{…}`; a setting is `\\cfg{…}`, and what others measured belongs in a sentence without its number"),
        );
    }
}

/// Words before a number that is the name of a part: `Section 3.2`, `Eq. 1.4`.
const PARTS: [&str; 14] = [
    "section", "sections", "sec.", "figure", "fig.", "table", "equation", "eq.", "appendix",
    "chapter", "theorem", "lemma", "version", "v.",
];

/// Words after a percentage that make it the level of an interval.
const LEVELS: [&str; 6] = ["interval", "confidence", "ci", "level", "credible", "band"];

/// Whether signs around a number say that it is no result.
fn passes(text: &str, range: &Range<usize>) -> bool {
    let (before, after) = (&text[..range.start], &text[range.end..]);
    // A letter, a hyphen or a point that touches it makes it part of a name: `GPT-4.1`, `1.2.3`, `v2.0`.
    let touched = before
        .chars()
        .next_back()
        .is_some_and(|c| c.is_alphanumeric() || "-‑./_:".contains(c));
    let goes_on = {
        let mut rest = after.chars();
        match rest.next() {
            Some('.') => rest.next().is_some_and(|c| c.is_ascii_digit()),
            Some(c) => c.is_alphabetic() || c == '_' || c == '/',
            None => false,
        }
    };
    let last = before.split_whitespace().next_back().unwrap_or_default();
    let part = PARTS.contains(&last.trim_start_matches(['(', '[']).to_lowercase().as_str());
    // `95 % interval`, `at the level 95 %`, `a confidence of 95 %`.
    let levels = |word: &str| {
        let word = word.trim_matches(|c: char| !c.is_alphanumeric());
        LEVELS.contains(&word.to_lowercase().as_str())
    };
    let mut told = before.split_whitespace().rev();
    let told = match told.next() {
        Some("of") => told.next(),
        last => last,
    };
    let next: String = after.chars().take(24).collect::<String>().to_lowercase();
    let level = text[range.clone()].ends_with('%')
        && (told.is_some_and(levels)
            || next.split(|c: char| !c.is_alphanumeric()).any(|word| {
                LEVELS
                    .iter()
                    .any(|level| word.starts_with(level) && !word.is_empty())
            }));
    touched || goes_on || part || level
}

/// Whether a word is digits alone, perhaps in groups of three: `4200`, `4,200`.
fn is_whole(word: &str) -> bool {
    word.bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b',')
}

/// Decimals, percentages, multiples and whole numbers.
fn tokens(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let mut out = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if !bytes[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let start = at;
        let digits = |mut at: usize| {
            while bytes.get(at).is_some_and(u8::is_ascii_digit) {
                at += 1;
            }
            at
        };
        at = digits(at);
        // Groups of three belong to one number.
        let grouped = at - start <= 3;
        while grouped && bytes.get(at) == Some(&b',') && digits(at + 1) == at + 4 {
            at += 4;
        }
        if bytes.get(at) == Some(&b'.') && bytes.get(at + 1).is_some_and(u8::is_ascii_digit) {
            at = digits(at + 1);
        }
        let rest = text[at..].trim_start_matches([' ', '\u{a0}', '\u{202f}']);
        let end = text.len() - rest.len();
        if rest.starts_with('%') {
            at = end + 1;
            out.push(start..at);
        } else if rest.starts_with('×') && !after_factor(&rest['×'.len_utf8()..]) {
            at = end + '×'.len_utf8();
            out.push(start..at);
        } else {
            out.push(start..at);
        }
    }
    out
}

/// Whether a number follows: `32 × 32` is a size.
fn after_factor(rest: &str) -> bool {
    rest.trim_start().starts_with(|c: char| c.is_ascii_digit())
}

fn number(word: &str) -> Option<f64> {
    let share = word.ends_with('%');
    let digits = word.trim_end_matches(['%', '×', ' ', '\u{a0}', '\u{202f}']);
    let value: f64 = digits.replace(',', "").parse().ok()?;
    Some(if share { value / 100.0 } else { value })
}

/// The numbers in those of a paper's documents whose names are `wanted`. Settings are under `config` or in a
/// document named so.
fn numbers(results: &Value, wanted: impl Fn(&str) -> bool) -> Vec<f64> {
    fn gather(value: &Value, out: &mut Vec<f64>) {
        match value {
            Value::Object(map) => map.values().for_each(|value| gather(value, out)),
            Value::Array(items) => items.iter().for_each(|value| gather(value, out)),
            value => out.extend(value.as_f64()),
        }
    }
    let mut out = Vec::new();
    for (name, document) in results.as_object().into_iter().flatten() {
        if wanted(name) {
            gather(document, &mut out);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let text_of = Block::Paragraph(vec![Inline::Text {
            text: text.to_owned(),
            at: 0,
        }]);
        let results = serde_json::json!({
            "config": {"lr": 0.0003, "dropout": 0.1, "steps": 7500},
            "summary": {"reached": 4193.3, "last": 7500, "n": 3, "parameters": 422_625},
        });
        let problems = typed(&[&[text_of]], &results);
        problems
            .iter()
            .map(|problem| text[problem.at.clone()].to_owned())
            .collect()
    }

    #[test]
    fn typed_results_are_found() {
        assert_eq!(
            found("The loss is 0.5 and 12.3 % better."),
            ["0.5", "12.3 %"]
        );
        assert_eq!(found("It is 2× faster (−0.25)."), ["2×", "0.25"]);
        assert_eq!(found("It reaches 91% on 3 sets."), ["91%"]);
    }

    #[test]
    fn typed_whole_numbers_that_are_results_are_found() {
        assert_eq!(
            found("It takes 4193 steps, that is 4,193, with 422,625 parameters."),
            ["4193", "4,193", "422,625"]
        );
        let pass =
            "Trained for 7500 steps on 50,000 images of 2009, with 3 seeds, in 1,2,3 and 128.";
        assert_eq!(found(pass), Vec::<String>::new());
    }

    #[test]
    fn names_parts_levels_sizes_and_settings_pass() {
        for text in [
            "GPT-4.1 and v2.0 in Section 3.2 (see Fig. 1.3) by release 1.2.3.",
            "The band is the 95 % confidence interval, on 32 × 32 images.",
            "Intervals are at the level 95 %: a confidence of 99 % changes nothing.",
            "A rate of 0.0003 with a dropout of 10%, over 3 seeds in 2020.",
        ] {
            assert_eq!(found(text), Vec::<String>::new(), "{text}");
        }
    }
}
