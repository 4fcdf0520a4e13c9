//! A model as the author: it writes a draft section by section, reads each again, and later writes the next
//! version. It sees every result beside the reference that stands for it; a text with a typed number or a
//! reference that leads nowhere goes back with its faults.

use std::collections::{BTreeMap, BTreeSet};

use kyobashi_stage::{Context, Failure, Model};
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior};
use serde_json::{Value, json};

use super::draft::Draft;
use super::facts::Facts;
use super::write::tidy;
use crate::llm::{Ask, Client, Judged, Turn, blocks, converse};
use crate::review::{Finding, faults, faults_of_part};
use crate::stats::{Comparison, Estimate, plain};

const SYSTEM: &str = include_str!("../../../../pipelines/prompts/write_system.md");
const SECTION: &str = include_str!("../../../../pipelines/prompts/write_section.md");
const REFINE: &str = include_str!("../../../../pipelines/prompts/write_refine.md");
const IMPROVE: &str = include_str!("../../../../pipelines/prompts/improve.md");

/// How often a model is told what was wrong with a text.
pub(super) const REASKS: usize = 3;

/// Who writes, and from what.
pub(super) struct Author<'a> {
    pub(super) client: &'a Client,
    pub(super) model: &'a Model,
    pub(super) settings: BTreeMap<String, Value>,
    pub(super) sample: u64,
    pub(super) results: &'a Value,
    pub(super) context: &'a dyn Context,
}

impl Author<'_> {
    /// A question from a prompt file.
    pub(super) fn ask(&self, prompt: &str, facts: Value) -> Result<Ask, Failure> {
        Ok(Ask {
            settings: self.settings.clone(),
            sample: self.sample,
            ..Ask::new(SYSTEM.trim(), &filled(prompt, facts)?)
        })
    }

    /// Asks, and asks again at most `reasks` times while `read` refuses the reply.
    pub(super) fn converse<T>(
        &self,
        ask: &mut Ask,
        reasks: usize,
        read: &dyn Fn(&str) -> Judged<T>,
    ) -> Result<T, Failure> {
        converse(self.client, self.model, ask, self.context, reasks, read)
    }

    /// Writes one section and reads it again in `rounds`. `check` says what is wrong with its text.
    pub(super) fn section(
        &self,
        facts: Value,
        rounds: usize,
        check: &dyn Fn(&str) -> Result<(), String>,
    ) -> Result<String, Failure> {
        if self.context.cancelled() {
            return Err(Failure::passing("stopped between two sections"));
        }
        let mut ask = self.ask(SECTION, facts)?;
        let read = |reply: &str| read(reply, check);
        let mut text = self.converse(&mut ask, REASKS, &read)?;
        for round in 1..=rounds {
            ask.turns.push(Turn::model(&text.0));
            let facts = json!({"round": round, "rounds": rounds});
            ask.turns.push(Turn::user(&filled(REFINE, facts)?));
            text = self.converse(&mut ask, REASKS, &read)?;
        }
        Ok(text.1)
    }

    /// Writes the next version of a whole draft.
    pub(super) fn improve(
        &self,
        draft: &str,
        findings: &[Finding],
        review: &Value,
        works: &BTreeSet<String>,
    ) -> Result<String, Failure> {
        let paper = Paper::read(draft);
        let failed: Vec<&Finding> = findings.iter().filter(|finding| !finding.passed).collect();
        let points = |key: &str| -> Vec<String> {
            let points = review[key].as_array().into_iter().flatten();
            let texts = points.filter_map(|point| point.get("text").unwrap_or(point).as_str());
            texts.map(str::to_owned).collect()
        };
        let facts = json!({
            "draft": paper.whole(),
            "abstract": true,
            "failed": failed,
            "weaknesses": points("weaknesses"),
            "questions": points("questions"),
            "chair": review["meta"]["points"],
            "settings": settings(self.results),
        });
        let mut ask = self.ask(IMPROVE, facts)?;
        let figures = figures_of(draft);
        let check = |text: &str| {
            let next = Paper {
                front: paper.front.clone(),
                text: text.to_owned(),
            }
            .draft();
            shown_figures(&next, &figures)?;
            faults(&next, self.results, works)
        };
        let read = |reply: &str| read(reply, &check);
        let (_, text) = self.converse(&mut ask, REASKS, &read)?;
        Ok(Paper {
            front: paper.front,
            text,
        }
        .draft())
    }

    /// What is wrong with one section of a paper.
    pub(super) fn faults_of_part(
        &self,
        part: &str,
        works: &BTreeSet<String>,
    ) -> Result<(), String> {
        faults_of_part(part, self.results, works)
    }
}

/// A prompt with its blanks filled in.
pub(super) fn filled(prompt: &str, facts: Value) -> Result<String, Failure> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Chainable);
    environment
        .render_str(prompt, Serde(facts))
        .map_err(|error| Failure::bug(format!("the prompt of an author: {error:#}")))
}

/// The reply as it came, and the text that it hands over: the last block, or all of it.
fn read(reply: &str, check: &dyn Fn(&str) -> Result<(), String>) -> Judged<(String, String)> {
    let found = blocks(reply);
    let text = match found.last() {
        Some(block) if !block.closed => return Err("the block is not closed".to_owned()),
        Some(block) => block.content.trim().to_owned(),
        None => reply.trim().to_owned(),
    };
    if text.is_empty() {
        return Err("there is no text".to_owned());
    }
    check(&text)?;
    Ok(((reply.to_owned(), text), false))
}

/// A draft as an author sees it: the abstract is its first section.
pub(super) struct Paper {
    /// The front matter without the abstract and without its marks.
    pub(super) front: String,
    pub(super) text: String,
}

impl Paper {
    pub(super) fn read(draft: &str) -> Self {
        let Some((front, body)) = draft
            .strip_prefix("---\n")
            .and_then(|rest| rest.split_once("\n---\n"))
        else {
            return Self {
                front: String::new(),
                text: draft.to_owned(),
            };
        };
        let (mut kept, mut summary, mut inside) = (String::new(), String::new(), false);
        for line in front.lines() {
            let key = !line.starts_with([' ', '\t']) && !line.is_empty();
            if let Some(rest) = line.strip_prefix("abstract:") {
                inside = true;
                summary += rest.trim().trim_start_matches(['|', '>', '-']).trim();
            } else if key || !inside {
                inside = false;
                if !line.trim().is_empty() {
                    kept += &format!("{line}\n");
                }
            } else {
                summary += &format!(" {}", line.trim());
            }
        }
        let text = format!("# Abstract\n\n{}\n\n{}", summary.trim(), body.trim());
        Self { front: kept, text }
    }

    pub(super) fn whole(&self) -> &str {
        self.text.trim()
    }

    /// The draft as it is handed on.
    pub(super) fn draft(&self) -> String {
        let text = self.text.trim();
        let (summary, body) = match text.strip_prefix("# Abstract") {
            Some(rest) => {
                let end = rest.find("\n# ").unwrap_or(rest.len());
                (rest[..end].trim(), rest[end..].trim())
            }
            None => ("", text),
        };
        draft(&self.front, summary, body)
    }
}

/// A draft from the lines of its front matter, its abstract and its body.
pub(super) fn draft(front: &str, summary: &str, body: &str) -> String {
    let summary = summary.split_whitespace().collect::<Vec<_>>().join(" ");
    let summary = if summary.is_empty() {
        String::new()
    } else {
        format!("abstract: |-\n  {summary}\n")
    };
    tidy(&format!(
        "---\n{}\n{summary}---\n\n{body}\n",
        front.trim_end()
    ))
}

/// The names of the figures that a draft shows.
pub(super) fn figures_of(draft: &str) -> BTreeSet<String> {
    let draft = Draft::read(draft);
    let figures = draft.figures();
    figures
        .into_iter()
        .map(|(_, name, _)| name.to_owned())
        .collect()
}

/// Tells a figure that is not there.
pub(super) fn shown_figures(draft: &str, figures: &BTreeSet<String>) -> Result<(), String> {
    let known: Vec<&str> = figures.iter().map(String::as_str).collect();
    match figures_of(draft).difference(figures).next() {
        Some(name) => Err(format!(
            "there is no figure `{name}`; there are {}",
            known.join(", ")
        )),
        None => Ok(()),
    }
}

/// Every compared result with its references and what they show.
pub(super) fn shown(facts: &Facts, comparison: &Comparison) -> Vec<Value> {
    let rows = facts.rows.iter().filter_map(|row| {
        let found = comparison.by.get(&row.place)?.get(&row.metric)?;
        let reference = |path: &str| format!("\\val{{{path}}}{{{}}}", row.format);
        let digits: usize = row.format.trim_start_matches('.').parse().unwrap_or(3);
        let interval = |mean: f64, ci: Option<[f64; 2]>| match ci {
            Some([low, high]) => format!("{mean:.digits$} [{low:.digits$}, {high:.digits$}]"),
            None => format!("{mean:.digits$}"),
        };
        let estimate = |of: &Estimate| format!("{}, n = {}", interval(of.mean, of.ci), of.n);
        Some(json!({
            "place": row.place,
            "label": row.label,
            "better": found.direction,
            "baseline": reference(&row.baseline),
            "baseline_shows": estimate(&found.baseline),
            "trial": reference(&row.trial),
            "trial_shows": estimate(&found.trial),
            "comparison": reference(&row.comparison),
            "comparison_shows": interval(found.difference, found.ci),
            "verdict": crate::stats::word(found.verdict),
        }))
    });
    rows.collect()
}

/// Every setting as a reference with its value.
pub(super) fn settings(results: &Value) -> Vec<Value> {
    let mut shown = Vec::new();
    for document in ["config", "trial_config"] {
        for (key, value) in results[document].as_object().into_iter().flatten() {
            let same = document == "trial_config" && results["config"].get(key) == Some(value);
            if !same {
                shown.push(json!({"reference": format!("\\cfg{{{document}.{key}}}"), "shows": plain(value)}));
            }
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_author_sees_the_abstract_as_a_section_and_nothing_is_lost() {
        let text = "---\ntitle: \"T\"\nabstract: |-\n  One. Two.\nprovenance: live\n---\n\n# Introduction\n\nBody.\n";
        let paper = Paper::read(text);
        assert_eq!(
            paper.whole(),
            "# Abstract\n\nOne. Two.\n\n# Introduction\n\nBody."
        );
        assert_eq!(
            paper.draft(),
            "---\ntitle: \"T\"\nprovenance: live\nabstract: |-\n  One. Two.\n---\n\n# Introduction\n\nBody.\n"
        );
        assert_eq!(Paper::read(&paper.draft()).draft(), paper.draft());
    }
}
