//! What the literature says of an idea, judged by code: it knows an idea again by its words, and says how
//! far it looked. It does not understand what it reads.

use std::collections::{BTreeMap, BTreeSet};

use kyobashi_stage::{Context, Failure};
use serde::Serialize;

use crate::literature::{Desk, Found, Paper};
use crate::shapes::Idea;

pub(super) const NOVEL: &str = "novel";
pub(super) const KNOWN: &str = "known";
pub(super) const UNKNOWN: &str = "unknown";

/// From this likeness of titles on, a paper is the idea.
const SAME_TITLE: f64 = 0.85;

/// From this likeness of title and text on, a paper is the idea.
const SAME_TEXT: f64 = 0.8;

/// Words of the experiment that are asked for.
const WORDS: usize = 16;

/// What was looked up for one idea.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(super) struct Literature {
    pub(super) queries: Vec<String>,
    pub(super) answered: BTreeSet<String>,
    pub(super) failed: BTreeMap<String, String>,
    /// Different papers that were found.
    pub(super) papers: usize,
    /// The one whose title comes nearest.
    pub(super) nearest: Option<Near>,
}

/// A paper that comes near.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Near {
    pub(super) title: String,
    pub(super) year: Option<i64>,
    pub(super) url: Option<String>,
    pub(super) source: String,
    /// Of the titles, 0 to 1.
    pub(super) likeness: f64,
}

/// A verdict with its reason and what was looked up for it.
pub(super) struct Looked {
    pub(super) verdict: &'static str,
    pub(super) reason: String,
    pub(super) literature: Option<Literature>,
}

/// Papers of several answers, each once.
#[derive(Default)]
pub(super) struct Shelf {
    pub(super) papers: Vec<Paper>,
    pub(super) literature: Literature,
}

impl Shelf {
    /// Takes in an answer; the places of its papers on the shelf.
    pub(super) fn add(&mut self, query: &str, found: Found, idea: &Idea) -> Vec<usize> {
        self.literature.queries.push(query.to_owned());
        self.literature.answered.extend(found.answered);
        self.literature.failed.extend(found.failed);
        let mut places = Vec::new();
        for paper in found.papers {
            let known = self.papers.iter().position(|other| same(other, &paper));
            places.push(known.unwrap_or(self.papers.len()));
            if known.is_none() {
                self.papers.push(paper);
            }
        }
        self.literature.papers = self.papers.len();
        let nearest = self.papers.iter().map(|paper| Near {
            title: paper.title.clone(),
            year: paper.year,
            url: paper.url.clone(),
            source: paper.source.clone(),
            likeness: alike(&idea.title, &paper.title),
        });
        self.literature.nearest = nearest.max_by(|a, b| a.likeness.total_cmp(&b.likeness));
        places
    }

    /// Who answered, in words.
    pub(super) fn asked(&self) -> String {
        let answered: Vec<&str> = self
            .literature
            .answered
            .iter()
            .map(String::as_str)
            .collect();
        answered.join(", ")
    }

    /// The verdict where nobody answered.
    pub(super) fn closed(self) -> Looked {
        let failed = self.literature.failed.iter();
        let why: Vec<String> = failed.map(|(name, why)| format!("{name} {why}")).collect();
        Looked {
            verdict: UNKNOWN,
            reason: format!(
                "the literature could not be searched: {}; `--refresh novelty` searches again",
                why.join("; ")
            ),
            literature: Some(self.literature),
        }
    }
}

fn same(a: &Paper, b: &Paper) -> bool {
    (a.id.is_some() && a.id == b.id) || a.title.to_lowercase() == b.title.to_lowercase()
}

/// How alike two texts are, from 0 to 1.
fn alike(a: &str, b: &str) -> f64 {
    strsim::sorensen_dice(&a.to_lowercase(), &b.to_lowercase())
}

/// Looks for an idea that differs from all ideas known so far.
///
/// # Errors
/// As [`Desk::search`].
pub(super) fn published(
    idea: &Idea,
    desk: &Desk,
    rounds: usize,
    context: &dyn Context,
) -> Result<Looked, Failure> {
    let mut shelf = Shelf::default();
    for query in queries(idea).into_iter().take(rounds.max(1)) {
        let found = desk.search(&query, context)?;
        shelf.add(&query, found, idea);
    }
    if shelf.literature.answered.is_empty() {
        return Ok(shelf.closed());
    }
    let own = format!("{} {}", idea.title, idea.experiment);
    let twin = shelf.papers.iter().find(|paper| {
        let summary = paper.summary.as_deref().unwrap_or_default();
        alike(&idea.title, &paper.title) >= SAME_TITLE
            || (!summary.is_empty()
                && alike(&own, &format!("{} {summary}", paper.title)) >= SAME_TEXT)
    });
    let (verdict, reason) = match twin {
        Some(paper) => (
            KNOWN,
            format!(
                "says nearly the same as “{}”{}, found by {}",
                paper.title,
                year(paper),
                paper.source
            ),
        ),
        None => (NOVEL, unlike(&shelf)),
    };
    Ok(Looked {
        verdict,
        reason,
        literature: Some(shelf.literature),
    })
}

fn unlike(shelf: &Shelf) -> String {
    let failed = match shelf.literature.failed.len() {
        0 => String::new(),
        n => format!("; {n} more did not answer"),
    };
    let near = match &shelf.literature.nearest {
        Some(near) => format!("; the nearest title is “{}”", near.title),
        None => String::new(),
    };
    format!(
        "differs from the baseline, the known ideas and the earlier ones; by its words, none of the {} papers is it that {} gave{near}{failed}",
        shelf.literature.papers,
        shelf.asked(),
    )
}

pub(super) fn year(paper: &Paper) -> String {
    paper
        .year
        .map(|year| format!(" ({year})"))
        .unwrap_or_default()
}

/// The title, then the beginning of the experiment.
fn queries(idea: &Idea) -> Vec<String> {
    let words: Vec<&str> = idea.experiment.split_whitespace().take(WORDS).collect();
    let all = [idea.title.trim().to_owned(), words.join(" ")];
    all.into_iter().filter(|query| !query.is_empty()).collect()
}
