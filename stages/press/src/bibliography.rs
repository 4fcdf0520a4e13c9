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
    let raw = RawBibliography::parse(source)
        .map_err(|error| Failure::new(format!("the bibliography is not BibTeX: {error}")))?;
    let mut works = Works::new();
    for entry in &raw.entries {
        let key = entry.v.key.v.to_owned();
        if works.insert(key.clone(), String::new()).is_some() {
            return Err(
                Failure::new(format!("the bibliography has two entries `{key}`"))
                    .help("keep one of them"),
            );
        }
    }
    let parsed = Bibliography::from_raw(raw)
        .map_err(|error| Failure::new(format!("the bibliography cannot be read: {error}")))?;
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
        assert!(failure.message.contains("two entries `a`"));
    }
}
