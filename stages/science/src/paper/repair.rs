//! `paper/repair`: the sections that could not be typeset, written again by their author, who sees what was
//! said of them and where. The other sections stay as they are, byte for byte.
//!
//! It does not know the typesetter: it reads places `draft.md:LINE:COL` out of what was said.

use std::collections::{BTreeMap, BTreeSet};

use kyobashi_stage::{Call, Context, Failure, Output, Outputs, Port, Signature, Stage};
use serde_json::{Value, json};

use super::author::{Author, Paper, REASKS, figures_of, shown_figures};
use super::works;
use crate::llm::{Client, Judged, blocks, longest, set, settings};

const PROMPT: &str = include_str!("../../../../pipelines/prompts/repair.md");

/// How messages name the draft.
const DRAFT: &str = "draft.md:";

/// The heading of the first section, which stands in the front matter.
const ABSTRACT: &str = "# Abstract";

pub(crate) struct Repair(pub(crate) Client);

impl Stage for Repair {
    fn signature(&self) -> Signature {
        let own = vec![
            Port::new(
                "results",
                "json",
                "the documents that the paper was written from",
            ),
            Port::or("attempt", "int", 1, "which repair of the draft this is"),
            Port::or("most", "int", 3, "repairs of a draft at most"),
        ];
        Signature {
            ins: vec![
                Port::new("draft", "text", "the draft that could not be typeset"),
                Port::new("said", "text", "what `paper/set` said of it"),
                Port::new(
                    "bibliography",
                    "text?",
                    "BibTeX of the works that it may cite",
                ),
            ],
            with: longest(settings(own), 12_000),
            outs: vec![Port::new("draft", "text", "the repaired draft")],
            model: true,
            ..Signature::new(
                "paper/repair",
                1,
                "Have the sections that could not be typeset written again",
            )
        }
    }

    fn run(&self, call: &Call, context: &dyn Context) -> Result<Outputs, Failure> {
        let said = call.text("said")?;
        let said = said.trim();
        let (attempt, most): (u64, u64) = (call.get("attempt")?, call.get("most")?);
        let model = call.model.as_ref().filter(|model| !model.is_baseline());
        let Some(model) = model.filter(|_| attempt <= most) else {
            let failure = Failure::new(said);
            return Err(match model {
                Some(_) => failure.help(format!(
                    "its author was told {most} times; allow more repairs, or take another model"
                )),
                None => failure,
            });
        };
        let results: Value = call.value("results")?;
        let author = Author {
            client: &self.0,
            model,
            settings: set(call, model)?,
            sample: call.get("sample")?,
            results: &results,
            context,
        };
        let known = works::cited(call)?;
        let draft = repair(&author, &call.text("draft")?, said, &known)?;
        Ok(Outputs::from([("draft".to_owned(), Output::bytes(draft))]))
    }
}

fn repair(
    author: &Author<'_>,
    draft: &str,
    said: &str,
    works: &BTreeSet<String>,
) -> Result<String, Failure> {
    let paper = Paper::read(draft);
    let sections = sections(paper.whole());
    let wanted = broken(draft, said, &sections);
    let shown: Vec<&str> = sections
        .iter()
        .filter(|(heading, _)| wanted.contains(heading))
        .map(|(_, text)| text.trim_end())
        .collect();
    let facts = json!({"said": said, "sections": shown.join("\n\n"), "count": shown.len()});
    let mut ask = author.ask(PROMPT, facts)?;
    let figures = figures_of(draft);
    let read = |reply: &str| -> Judged<String> {
        let next = replaced(&sections, &wanted, reply)?;
        let next = Paper {
            front: paper.front.clone(),
            text: next,
        }
        .draft();
        shown_figures(&next, &figures)?;
        author.faults_of_part(&next, works)?;
        if next == draft {
            return Err("nothing was changed".to_owned());
        }
        Ok((next, false))
    };
    author.converse(&mut ask, REASKS, &read)
}

/// The sections of a text by their headings, which their texts begin with.
fn sections(text: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut fenced = false;
    for line in text.split_inclusive('\n') {
        fenced ^= line.trim_start().starts_with("```");
        if line.starts_with("# ") && !fenced {
            found.push((line.trim().to_owned(), String::new()));
        } else if found.is_empty() {
            found.push((String::new(), String::new()));
        }
        if let Some((_, text)) = found.last_mut() {
            text.push_str(line);
        }
    }
    found
}

/// The headings of the sections in which something was found; all where no place is told.
fn broken(draft: &str, said: &str, sections: &[(String, String)]) -> BTreeSet<String> {
    let lines = said.match_indices(DRAFT).filter_map(|(at, _)| {
        let rest = &said[at + DRAFT.len()..];
        rest.split(':').next()?.parse::<usize>().ok()
    });
    let mut headings: BTreeMap<usize, String> = BTreeMap::new();
    let mut heading = ABSTRACT.to_owned();
    let mut fenced = false;
    for (line, text) in draft.lines().enumerate() {
        fenced ^= text.trim_start().starts_with("```");
        if text.starts_with("# ") && !fenced {
            text.trim().clone_into(&mut heading);
        }
        headings.insert(line + 1, heading.clone());
    }
    let found: BTreeSet<String> = lines
        .filter_map(|line| headings.get(&line).cloned())
        .filter(|heading| sections.iter().any(|(known, _)| known == heading))
        .collect();
    if found.is_empty() {
        return sections
            .iter()
            .map(|(heading, _)| heading.clone())
            .collect();
    }
    found
}

/// The text with the sections of a reply in place of those that were asked for.
fn replaced(
    all: &[(String, String)],
    wanted: &BTreeSet<String>,
    reply: &str,
) -> Result<String, String> {
    let found = blocks(reply);
    let block = found.last().ok_or("there is no block with the sections")?;
    if !block.closed {
        return Err("the block is not closed".to_owned());
    }
    let new: BTreeMap<String, String> = sections(block.content.trim()).into_iter().collect();
    let listed = |headings: &BTreeSet<String>| {
        let quoted: Vec<String> = headings.iter().map(|one| format!("`{one}`")).collect();
        quoted.join(", ")
    };
    let given: BTreeSet<String> = new.keys().cloned().collect();
    if given != *wanted {
        return Err(format!(
            "the block must hold the sections {} with these very headings; it holds {}",
            listed(wanted),
            listed(&given)
        ));
    }
    let texts = all.iter().map(|(heading, old)| {
        let text = new.get(heading).unwrap_or(old);
        format!("{}\n\n", text.trim())
    });
    Ok(texts.collect::<String>().trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAFT_TEXT: &str = "---\ntitle: T\nabstract: |-\n  One.\n---\n\n# Method {#sec:method}\n\nA $x$.\n\n# Results\n\nB.\n";

    #[test]
    fn the_section_of_a_place_is_found_and_the_abstract_is_one() {
        let paper = Paper::read(DRAFT_TEXT);
        let all = sections(paper.whole());
        let at = |said: &str| {
            broken(DRAFT_TEXT, said, &all)
                .into_iter()
                .collect::<Vec<_>>()
        };
        assert_eq!(at("draft.md:9:3: no"), ["# Method {#sec:method}"]);
        assert_eq!(at("draft.md:4:3: no"), ["# Abstract"]);
        assert_eq!(at("draft.md:12:1: a\ndraft.md:9:1: b").len(), 2);
        assert_eq!(at("no place").len(), 3);
    }

    #[test]
    fn only_what_was_asked_for_is_replaced_and_a_wrong_heading_goes_back() {
        let all = sections("# A\n\nOne.\n\n# B\n\nTwo.\n");
        let wanted = BTreeSet::from(["# B".to_owned()]);
        let fence = |text: &str| format!("````markdown\n{text}\n````");
        assert_eq!(
            replaced(&all, &wanted, &fence("# B\n\nThree.")).unwrap(),
            "# A\n\nOne.\n\n# B\n\nThree."
        );
        for reply in ["# C\n\nThree.", "# A\n\nOne.\n\n# B\n\nThree."] {
            let why = replaced(&all, &wanted, &fence(reply)).unwrap_err();
            assert!(why.contains("must hold the sections `# B`"), "{why}");
        }
    }
}
