//! The works that a paper may cite: the template's, and those that were found for it.

use std::collections::BTreeSet;

use kyobashi_stage::{Call, Failure};
use serde::Serialize;

use crate::literature::Paper;
use crate::template::Reference;

/// Signs of an abstract that an author sees.
const SHOWN: usize = 400;

/// A work with its key.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Work {
    pub(super) key: String,
    /// Names, joined by `and`.
    pub(super) authors: String,
    pub(super) title: String,
    pub(super) venue: String,
    pub(super) year: Option<i64>,
    /// The beginning of its abstract.
    pub(super) summary: Option<String>,
    pub(super) url: Option<String>,
}

impl From<&Reference> for Work {
    fn from(reference: &Reference) -> Self {
        Self {
            key: reference.key.clone(),
            authors: reference.authors.clone(),
            title: reference.title.clone(),
            venue: reference.venue.clone(),
            year: Some(reference.year),
            summary: None,
            url: None,
        }
    }
}

/// A found paper as a work, under a key that is not taken.
pub(super) fn work(paper: &Paper, taken: &BTreeSet<String>) -> Work {
    let letters = |text: &str| -> String {
        let letters = text.chars().filter(char::is_ascii_alphanumeric);
        letters.flat_map(char::to_lowercase).collect()
    };
    let name = paper
        .authors
        .first()
        .and_then(|name| name.split_whitespace().last());
    let word = paper
        .title
        .split_whitespace()
        .find(|word| letters(word).len() > 3);
    let year = paper.year.map(|year| year.to_string()).unwrap_or_default();
    let mut base = format!(
        "{}{year}{}",
        letters(name.unwrap_or("anonymous")),
        letters(word.unwrap_or_default())
    );
    if !base.starts_with(|sign: char| sign.is_ascii_alphabetic()) {
        base.insert_str(0, "work");
    }
    let free = (1..)
        .map(|number| {
            if number == 1 {
                base.clone()
            } else {
                format!("{base}x{number}")
            }
        })
        .find(|key| !taken.contains(key));
    Work {
        key: free.unwrap_or(base),
        authors: paper.authors.join(" and "),
        title: paper.title.clone(),
        venue: paper
            .venue
            .clone()
            .unwrap_or_else(|| paper.source.replace('_', " ")),
        year: paper.year,
        summary: paper
            .summary
            .as_ref()
            .map(|text| text.chars().take(SHOWN).collect()),
        url: paper.url.clone(),
    }
}

/// The works as BibTeX.
pub(super) fn bibtex(works: &[Work]) -> String {
    let mut text = String::new();
    for work in works {
        text += &format!("@article{{{},\n", work.key);
        let year = work.year.map(|year| year.to_string());
        let fields = [
            ("author", Some(&work.authors)),
            ("title", Some(&work.title)),
            ("journal", Some(&work.venue)),
            ("year", year.as_ref()),
            ("url", work.url.as_ref()),
        ];
        for (name, value) in fields {
            let value = value.map(|value| plain(value)).unwrap_or_default();
            if !value.is_empty() {
                text += &format!("  {name} = {{{value}}},\n");
            }
        }
        text += "}\n";
    }
    text
}

/// The keys of the works that a draft may cite: of its input `bibliography`, if it has one.
///
/// # Errors
/// If the file cannot be read.
pub(super) fn cited(call: &Call) -> Result<BTreeSet<String>, Failure> {
    if !call.has("bibliography") {
        return Ok(BTreeSet::new());
    }
    Ok(keys(&call.text("bibliography")?))
}

/// The keys of a BibTeX file.
fn keys(bibtex: &str) -> BTreeSet<String> {
    let heads = bibtex
        .lines()
        .filter_map(|line| line.trim().strip_prefix('@')?.split_once('{'));
    heads
        .map(|(_, rest)| rest.split(',').next().unwrap_or_default().trim().to_owned())
        .collect()
}

/// A text without the signs that BibTeX reads.
fn plain(text: &str) -> String {
    let signs = text.chars().map(|sign| {
        if "{}\\\"#%$~^@".contains(sign) {
            ' '
        } else {
            sign
        }
    });
    let spaced: String = signs.collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_found_paper_gets_a_key_that_is_free_and_no_sign_that_bibtex_reads() {
        let paper = Paper {
            title: "A 50% {better} DDPM".to_owned(),
            authors: vec!["Jonathan Ho".to_owned()],
            year: Some(2020),
            source: "openalex".to_owned(),
            ..Paper::default()
        };
        let first = work(&paper, &BTreeSet::new());
        assert_eq!(first.key, "ho2020better");
        let second = work(&paper, &BTreeSet::from([first.key.clone()]));
        assert_eq!(second.key, "ho2020betterx2");
        let text = bibtex(&[first]);
        assert!(text.contains("title = {A 50 better DDPM}"), "{text}");
    }
}
