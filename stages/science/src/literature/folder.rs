//! A folder of one's own as a library: BibTeX entries, text files and PDF files, searched by BM25. It needs
//! no network, and the folder enters keys by its content.

use std::path::{Path, PathBuf};

use biblatex::{Bibliography, ChunksExt, Entry};
use kyobashi_stage::Failure;

use super::library::{Paper, one_line};
use crate::document::read;
use crate::retrieval::Index;

/// The papers of a folder, ready to be searched.
pub(crate) struct Folder {
    papers: Vec<Paper>,
    index: Index,
}

/// Signs of a text file that are shown as its abstract.
const SHOWN: usize = 1500;

impl Folder {
    /// Reads every `.bib`, `.txt`, `.md` and `.pdf` file of a folder and of the folders in it.
    ///
    /// # Errors
    /// A file that cannot be read, BibTeX with a fault, or a folder without any such file.
    pub(crate) fn read(folder: &Path) -> Result<Self, Failure> {
        let mut files = Vec::new();
        gather(folder, &mut files)?;
        files.sort();
        let (mut papers, mut texts) = (Vec::new(), Vec::new());
        for path in &files {
            let name = path
                .strip_prefix(folder)
                .unwrap_or(path)
                .display()
                .to_string();
            let unread =
                |error: std::io::Error| Failure::new(format!("cannot read {name}: {error}"));
            let text = if path.extension().is_some_and(|extension| extension == "pdf") {
                read(std::fs::read(path).map_err(unread)?, &name)?.text
            } else {
                std::fs::read_to_string(path).map_err(unread)?
            };
            if path.extension().is_some_and(|extension| extension == "bib") {
                for paper in bibtex(&text, &name)? {
                    texts.push(searched(&paper));
                    papers.push(paper);
                }
            } else {
                papers.push(plain(&text, &name));
                texts.push(text);
            }
        }
        if papers.is_empty() {
            return Err(Failure::new("the folder of literature holds no paper")
                .help("put BibTeX (.bib), papers (.pdf) or texts (.txt, .md) into it"));
        }
        let index = Index::new(texts.iter().map(String::as_str));
        Ok(Self { papers, index })
    }

    /// The papers that share words with the query, the best first.
    pub(crate) fn search(&self, words: &str, most: usize) -> Vec<Paper> {
        let hits = self.index.search(words, most);
        hits.iter()
            .map(|hit| self.papers[hit.place].clone())
            .collect()
    }
}

fn gather(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            gather(&path, files)?;
        } else if path.extension().is_some_and(|extension| {
            ["bib", "txt", "md", "pdf"]
                .iter()
                .any(|known| extension == *known)
        }) {
            files.push(path);
        }
    }
    Ok(())
}

fn searched(paper: &Paper) -> String {
    let parts = [
        &paper.title,
        &paper.authors.join(" "),
        paper.summary.as_deref().unwrap_or_default(),
    ];
    parts.map(ToString::to_string).join(" ")
}

fn bibtex(text: &str, name: &str) -> Result<Vec<Paper>, Failure> {
    let works = Bibliography::parse(text).map_err(|error| {
        Failure::new(format!("{name} is not BibTeX: {error}"))
            .help("mend the entry, or take the file out of the folder")
    })?;
    Ok(works.iter().filter_map(entry).collect())
}

fn entry(entry: &Entry) -> Option<Paper> {
    let field = |name: &str| {
        let text = one_line(&entry.get(name)?.format_verbatim());
        (!text.is_empty()).then_some(text)
    };
    let people = entry.author().unwrap_or_default();
    let name = |person: &biblatex::Person| {
        format!("{} {}", person.given_name, person.name)
            .trim()
            .to_owned()
    };
    let year = field("year").or_else(|| field("date"));
    let venues = ["journal", "journaltitle", "booktitle", "publisher"];
    Some(Paper {
        title: field("title")?,
        authors: people.iter().map(name).collect(),
        venue: venues.iter().find_map(|name| field(name)),
        year: year.and_then(|year| year.get(..4)?.parse().ok()),
        citations: None,
        summary: field("abstract"),
        id: Some(entry.key.clone()),
        url: field("url").or_else(|| Some(format!("https://doi.org/{}", field("doi")?))),
        source: "folder".to_owned(),
    })
}

/// A text file: its first line is its title.
fn plain(text: &str, name: &str) -> Paper {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let title = lines.next().map(|line| line.trim_start_matches('#').trim());
    let rest = one_line(&lines.collect::<Vec<_>>().join(" "));
    Paper {
        title: title
            .filter(|title| !title.is_empty())
            .unwrap_or(name)
            .to_owned(),
        summary: Some(rest.chars().take(SHOWN).collect()),
        id: Some(name.to_owned()),
        source: "folder".to_owned(),
        ..Paper::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_and_texts_are_found_by_their_words() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
        write(
            "a.bib",
            "@article{ho2020, author={Ho, Jonathan and Jain, Ajay}, title={Denoising {D}iffusion \
             Probabilistic Models}, journal={NeurIPS}, year={2020}, abstract={Image synthesis.}}\n\
             @misc{power2022, title={Grokking: generalization beyond overfitting}, year={2022}}",
        );
        write("notes.md", "# Weather\n\nClouds and rain.");
        write("ignored.png", "\u{0}");
        let folder = Folder::read(dir.path()).unwrap();
        let found = folder.search("diffusion model for images", 5);
        assert_eq!(found[0].title, "Denoising Diffusion Probabilistic Models");
        assert_eq!(found[0].authors, ["Jonathan Ho", "Ajay Jain"]);
        assert_eq!(
            (found[0].year, found[0].id.as_deref()),
            (Some(2020), Some("ho2020"))
        );
        assert_eq!(folder.search("rainy clouds", 1)[0].title, "Weather");
        assert!(folder.search("quantum", 5).is_empty());
        write("b.bib", "@article{broken, title={");
        let failure = Folder::read(dir.path()).err().unwrap();
        assert!(
            failure.message.starts_with("b.bib is not BibTeX"),
            "{failure}"
        );
    }
}
