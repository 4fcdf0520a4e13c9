//! arXiv: `api/query` (info.arxiv.org/help/api), which answers in Atom.

use std::time::Duration;

use roxmltree::{Document, Node};

use super::library::{Access, Library, Paper, Question, one_line};
use crate::retrieval::words as words_of;

pub(crate) struct Arxiv;

/// Words of a query that are sent: more make it slow and find nothing else.
const MOST_WORDS: usize = 12;

impl Library for Arxiv {
    fn name(&self) -> &'static str {
        "arxiv"
    }

    fn base_url(&self) -> &'static str {
        "https://export.arxiv.org"
    }

    fn access(&self) -> Access {
        Access::Open
    }

    /// What the terms of use of its API ask for.
    fn pace(&self) -> Duration {
        Duration::from_secs(3)
    }

    fn question(&self, words: &str, most: usize) -> Question {
        let words = words_of(words).into_iter().filter(|word| word.len() > 2);
        let terms: Vec<String> = words
            .take(MOST_WORDS)
            .map(|word| format!("all:{word}"))
            .collect();
        Question {
            path: "/api/query",
            query: vec![
                ("search_query", terms.join(" OR ")),
                ("start", "0".to_owned()),
                ("max_results", most.to_string()),
                ("sortBy", "relevance".to_owned()),
            ],
        }
    }

    fn read(&self, body: &str) -> Result<Vec<Paper>, String> {
        let document = Document::parse(body).map_err(|error| format!("it is not XML: {error}"))?;
        let feed = document.root_element();
        if !feed.has_tag_name_local("feed") {
            return Err("it is not an Atom feed".to_owned());
        }
        let entries = feed
            .children()
            .filter(|node| node.has_tag_name_local("entry"));
        let mut papers = Vec::new();
        for entry in entries {
            let id = under(entry, "id").unwrap_or_default();
            // A wrong query is answered with an entry that holds the error.
            if id.contains("/api/errors") {
                return Err(under(entry, "summary").unwrap_or_else(|| "an error".to_owned()));
            }
            papers.extend(paper(entry, &id));
        }
        Ok(papers)
    }
}

/// Names without their namespace, which the feed mixes.
trait Local {
    fn has_tag_name_local(&self, name: &str) -> bool;
}

impl Local for Node<'_, '_> {
    fn has_tag_name_local(&self, name: &str) -> bool {
        self.is_element() && self.tag_name().name() == name
    }
}

/// The text of a child element, on one line; none if empty.
fn under(node: Node<'_, '_>, name: &str) -> Option<String> {
    let child = node
        .children()
        .find(|child| child.has_tag_name_local(name))?;
    let text = one_line(child.text()?);
    (!text.is_empty()).then_some(text)
}

fn paper(entry: Node<'_, '_>, id: &str) -> Option<Paper> {
    let authors = entry
        .children()
        .filter(|child| child.has_tag_name_local("author"));
    let number = id.rsplit("/abs/").next().unwrap_or(id);
    Some(Paper {
        title: under(entry, "title")?,
        authors: authors.filter_map(|author| under(author, "name")).collect(),
        venue: under(entry, "journal_ref").or_else(|| Some("arXiv".to_owned())),
        year: under(entry, "published")?.get(..4)?.parse().ok(),
        citations: None,
        summary: under(entry, "summary"),
        id: Some(format!("arXiv:{number}")),
        url: Some(id.to_owned()),
        source: "arxiv".to_owned(),
    })
}
