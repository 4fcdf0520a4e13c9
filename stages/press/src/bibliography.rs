//! The works that a paper cites: their keys, and their references in plain text. Typesetting them is
//! Typst's matter.

use std::collections::BTreeMap;

use biblatex::{Bibliography, ChunksExt, RawBibliography};
use kyobashi_stage::Failure;

/// The works of a BibTeX file, by key.
pub(crate) type Works = BTreeMap<String, String>;

/// Reads BibTeX.
///
/// # Errors
/// A file that is not BibTeX, or that has two entries of one key.
pub(crate) fn read(source: &str) -> Result<Works, Failure> {
    let wrong = |error: biblatex::ParseError| {
        let line = line(source, error.span.start);
        Failure::new(format!("works.bib:{line}: this is not BibTeX: {error}"))
            .help("every entry is `@type{key, field = {value}, …}`")
    };
    let raw = RawBibliography::parse(source).map_err(wrong)?;
    let mut works = Works::new();
    let mut lines: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in &raw.entries {
        let (key, at) = (entry.v.key.v, line(source, entry.span.start));
        if let Some(first) = lines.insert(key, at) {
            let message =
                format!("works.bib:{at}: there are two entries `{key}`, the first on line {first}");
            return Err(Failure::new(message).help("keep one of them, or give one another key"));
        }
        works.insert(key.to_owned(), String::new());
    }
    let parsed = Bibliography::from_raw(raw).map_err(wrong)?;
    for entry in parsed.iter() {
        let text = |name: &str| {
            entry
                .get(name)
                .map(|chunks| chunks.format_verbatim().trim().to_owned())
        };
        let authors = entry.author().map(|people| {
            let names: Vec<String> = people
                .iter()
                .map(|person| {
                    format!("{} {}", person.given_name, person.name)
                        .trim()
                        .to_owned()
                })
                .collect();
            names.join(", ")
        });
        let year = text("year").or_else(|| text("date"));
        let venue = [
            "journal",
            "journaltitle",
            "booktitle",
            "publisher",
            "eprint",
        ]
        .iter()
        .find_map(|name| text(name));
        let parts: Vec<String> = [
            authors.unwrap_or_default().into(),
            text("title"),
            venue,
            year,
        ]
        .into_iter()
        .flatten()
        .filter(|part: &String| !part.is_empty())
        .collect();
        works.insert(entry.key.clone(), parts.join(". "));
    }
    Ok(works)
}

/// The line of a byte, from 1.
fn line(source: &str, at: usize) -> usize {
    let before = &source.as_bytes()[..at.min(source.len())];
    before.iter().filter(|byte| **byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn works_are_read_with_their_keys() {
        let works = read("@article{ho, author={Ho, Jonathan and Jain, Ajay}, title={Denoising {D}iffusion}, journal={NeurIPS}, year={2020}}").unwrap();
        assert_eq!(
            works["ho"],
            "Jonathan Ho, Ajay Jain. Denoising Diffusion. NeurIPS. 2020"
        );
    }

    #[test]
    fn two_entries_of_one_key_are_refused() {
        let failure = read("@misc{a, title={x}}\n@misc{a, title={y}}").unwrap_err();
        assert_eq!(
            failure.message,
            "works.bib:2: there are two entries `a`, the first on line 1"
        );
        let failure = read("@misc{a, title={x}}\n\n@misc{b, title={y}").unwrap_err();
        assert!(
            failure
                .message
                .starts_with("works.bib:3: this is not BibTeX"),
            "{failure}"
        );
    }
}
