//! `literature/verify`: whether each work of a bibliography is known to a library. A work that nobody
//! confirmed is marked in its title, so that every reader of the references sees it; nothing fails because
//! no library answers.

use std::collections::BTreeMap;

use biblatex::{Bibliography, Chunk, ChunksExt, Entry, RawBibliography, Spanned};
use kyobashi_stage::{Call, Context, Failure, Output, Outputs, Port, Signature, Stage};
use serde::Serialize;
use serde_json::json;

use super::desk::{Desk, settings};
use super::library::Paper;

/// Titles that agree less than this are of two works: libraries differ in hyphens and endings only.
const ALIKE: f64 = 0.92;

/// What is said of a work that no library confirmed.
const MARK: &str = " [unverified]";

pub(crate) struct Verify;

/// What became of one work.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Checked {
    key: String,
    title: String,
    /// `found` or `unverified`.
    verdict: &'static str,
    why: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

impl Stage for Verify {
    fn signature(&self) -> Signature {
        Signature {
            ins: vec![Port::new("bibliography", "text", "BibTeX")],
            with: settings(),
            outs: vec![
                Port::new(
                    "bibliography",
                    "text",
                    "the same, with `[unverified]` in the titles of works that no library confirmed",
                ),
                Port::new(
                    "works",
                    "list<json>",
                    "key, title, verdict (found or unverified), why, source, url",
                ),
            ],
            ..Signature::new(
                "literature/verify",
                1,
                "Look each work of a bibliography up, and mark those that nobody confirms",
            )
        }
    }

    fn run(&self, call: &Call, context: &dyn Context) -> Result<Outputs, Failure> {
        let desk = Desk::open(call)?;
        let source = call.text("bibliography")?;
        let mut works = read(&source)?;
        let mut checked = Vec::new();
        let mut asked: BTreeMap<String, Checked> = BTreeMap::new();
        for entry in works.iter_mut() {
            let title = field(entry, "title");
            let known = asked.get(&plain(&title)).cloned();
            let one = match known {
                Some(known) => Checked {
                    key: entry.key.clone(),
                    ..known
                },
                None => look(&desk, entry, &title, context)?,
            };
            if one.verdict == "unverified" && !title.ends_with(MARK.trim_start()) {
                let mut marked = entry.get("title").map(<[_]>::to_vec).unwrap_or_default();
                marked.push(Spanned::zero(Chunk::Verbatim(MARK.to_owned())));
                entry.set("title", marked);
            }
            asked.insert(plain(&title), one.clone());
            checked.push(one);
        }
        Ok(Outputs::from([
            (
                "bibliography".to_owned(),
                Output::bytes(works.to_bibtex_string()),
            ),
            ("works".to_owned(), Output::value(json!(checked))),
        ]))
    }
}

/// # Errors
/// What is not BibTeX, with its line, or two entries of one key.
fn read(source: &str) -> Result<Bibliography, Failure> {
    let wrong = |error: biblatex::ParseError| {
        let line = line(source, error.span.start);
        Failure::new(format!("works.bib:{line}: this is not BibTeX: {error}"))
            .help("every entry is `@type{key, field = {value}, …}`")
    };
    let raw = RawBibliography::parse(source).map_err(wrong)?;
    let mut keys: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in &raw.entries {
        let line = line(source, entry.span.start);
        if let Some(first) = keys.insert(entry.v.key.v, line) {
            let message = format!(
                "works.bib:{line}: there are two entries `{}`, the first on line {first}",
                entry.v.key.v
            );
            return Err(Failure::new(message).help("keep one of them, or give one another key"));
        }
    }
    Bibliography::from_raw(raw).map_err(wrong)
}

/// The line of a byte, from 1.
fn line(source: &str, at: usize) -> usize {
    let before = &source.as_bytes()[..at.min(source.len())];
    before.iter().filter(|byte| **byte == b'\n').count() + 1
}

fn look(
    desk: &Desk,
    entry: &Entry,
    title: &str,
    context: &dyn Context,
) -> Result<Checked, Failure> {
    let unverified = |why: String| Checked {
        key: entry.key.clone(),
        title: title.to_owned(),
        verdict: "unverified",
        why,
        source: None,
        url: None,
    };
    if title.is_empty() {
        return Ok(unverified("the entry has no title".to_owned()));
    }
    if !desk.staffed() {
        return Ok(unverified("no library was asked".to_owned()));
    }
    let found = desk.search(title, context)?;
    let year: Option<i64> = field(entry, "year").parse().ok();
    let alike = found.papers.iter().find(|paper| same(title, paper));
    let failed: Vec<String> = found
        .failed
        .iter()
        .map(|(name, why)| format!("{name} {why}"))
        .collect();
    Ok(match alike {
        Some(paper) if near(year, paper.year) => Checked {
            verdict: "found",
            why: format!("{} has it", paper.source),
            source: Some(paper.source.clone()),
            url: paper.url.clone().or_else(|| paper.id.clone()),
            ..unverified(String::new())
        },
        Some(paper) => unverified(format!(
            "{} has a work of this title from {}, not {}",
            paper.source,
            paper
                .year
                .map_or("no year".to_owned(), |year| year.to_string()),
            year.map_or("no year".to_owned(), |year| year.to_string()),
        )),
        None if found.answered.is_empty() => {
            unverified(format!("no library answered: {}", failed.join("; ")))
        }
        None => unverified(format!("unknown to {}", found.answered.join(", "))),
    })
}

/// A preprint and its publication may lie some years apart.
fn near(told: Option<i64>, known: Option<i64>) -> bool {
    match (told, known) {
        (Some(told), Some(known)) => (told - known).abs() <= 2,
        _ => true,
    }
}

fn same(title: &str, paper: &Paper) -> bool {
    let (a, b) = (plain(title), plain(&paper.title));
    a == b || strsim::normalized_levenshtein(&a, &b) >= ALIKE
}

fn field(entry: &Entry, name: &str) -> String {
    let chunks = entry
        .get(name)
        .or_else(|| (name == "year").then(|| entry.get("date")).flatten());
    let text = chunks
        .map(|chunks| chunks.format_verbatim())
        .unwrap_or_default();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match name {
        "year" => text.chars().take(4).collect(),
        _ => text,
    }
}

fn plain(title: &str) -> String {
    let letters = title
        .chars()
        .map(|sign| if sign.is_alphanumeric() { sign } else { ' ' });
    let text: String = letters.flat_map(char::to_lowercase).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_given_twice_and_faults_of_bibtex_have_their_line() {
        let twice =
            read("@misc{a, title={x}}\n@misc{b, title={y}}\n@misc{a, title={z}}").unwrap_err();
        assert_eq!(
            twice.message,
            "works.bib:3: there are two entries `a`, the first on line 1"
        );
        let fault = read("@misc{a, title={x}}\n@misc{b, title={y}").unwrap_err();
        assert!(
            fault.message.starts_with("works.bib:2: this is not BibTeX"),
            "{fault}"
        );
    }

    #[test]
    fn titles_agree_without_braces_hyphens_and_case() {
        let paper = Paper {
            title: "Denoising diffusion probabilistic models".to_owned(),
            ..Paper::default()
        };
        assert!(same("{D}enoising Diffusion Probabilistic-Models", &paper));
        assert!(!same(
            "Improved denoising diffusion probabilistic models",
            &paper
        ));
    }
}
