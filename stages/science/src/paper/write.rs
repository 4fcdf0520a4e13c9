//! `paper/write`: the first draft of a paper.
//!
//! Without a model it fills the template's prose, plainly: it compares means and claims what they
//! show. Whether the claims hold is what `review/checks` is for, and `paper/improve` mends them. A model
//! writes section by section ([`super::sections`]).

use std::path::Path;

use kyobashi_stage::{Call, Context, Failure, Output, Outputs, Port, Signature, Stage};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;
use serde_json::{Value, json};

use super::author::Author;
use super::facts::{comparison, facts};
use super::sections::{self, Effort, Material};
use super::works::{Work, bibtex};
use crate::literature::{Desk, settings as literature};
use crate::llm::{Client, longest, set, settings};
use crate::shapes::Idea;
use crate::template::Template;

/// Papers of one answer of a library.
const FOUND: usize = 10;

pub(crate) struct Write(pub(crate) Client);

impl Stage for Write {
    fn signature(&self) -> Signature {
        let mut with = literature();
        // Here, `results` are the documents that the paper is written from.
        with.retain(|port| port.name != "results");
        with.extend([
                Port::new(
                    "results",
                    "json",
                    "documents by name: `baseline`, `trial`, `comparison`; and, so that settings can be cited, `config` and `trial_config`",
                ),
                Port::or(
                    "figures",
                    "json",
                    json!({}),
                    "caption of each figure by its name",
                ),

                Port::or("refine", "int", 1, "rounds in which a model reads each section again"),
                Port::or("polish", "int", 0, "rounds in which every section is written again once all are there"),
                Port::or("cite_rounds", "int", 3, "questions to the literature for works to cite, where it is asked at all"),
        ]);
        Signature {
            ins: vec![
                Port::new("idea", "Idea", "what the paper is about"),
                Port::new("template", "dir", "the template folder, with its prose"),
                Port::new(
                    "program",
                    "file(.py)?",
                    "the program of the variant, which a model reads",
                ),
                Port::new(
                    "runs",
                    "json?",
                    "the runs of the experiment, by `experiment/chosen`",
                ),
            ],
            with: longest(settings(with), 8192),
            outs: vec![
                Port::new(
                    "draft",
                    "text",
                    "Markdown with references in place of numbers",
                ),
                Port::new(
                    "bibliography",
                    "text",
                    "BibTeX of the works that may be cited",
                ),
            ],
            model: true,
            ..Signature::new("paper/write", 2, "Write the first draft of a paper")
        }
    }

    fn run(&self, call: &Call, context: &dyn Context) -> Result<Outputs, Failure> {
        let folder = call.path("template")?;
        let template = Template::read(folder)?;
        let idea: Idea = call.get("idea")?;
        let results: Value = call.get("results")?;
        let figures: Value = call.get("figures")?;
        let facts = facts(&idea, &template, &results, &figures)?;
        let works: Vec<Work> = template.references.iter().map(Work::from).collect();
        let (draft, bibliography) = match call.model.as_ref().filter(|model| !model.is_baseline()) {
            Some(model) => {
                let author = Author {
                    client: &self.0,
                    model,
                    settings: set(call, model)?,
                    sample: call.get("sample")?,
                    results: &results,
                    context,
                };
                let material = Material {
                    facts: &facts,
                    comparison: &comparison(&results)?,
                    runs: call.value("runs")?,
                    program: if call.has("program") {
                        call.text("program")?
                    } else {
                        String::new()
                    },
                    works,
                };
                let effort = Effort {
                    refine: call.get("refine")?,
                    polish: call.get("polish")?,
                    cite: call.get("cite_rounds")?,
                };
                sections::write(&author, material, &Desk::with(call, FOUND)?, &effort)?
            }
            None => (
                fill(&folder.join("paper"), "paper.md", &facts)?,
                bibtex(&works),
            ),
        };
        Ok(Outputs::from([
            ("draft".to_owned(), Output::bytes(draft)),
            ("bibliography".to_owned(), Output::bytes(bibliography)),
        ]))
    }
}

/// Fills a prose template of a folder; it may include others of the same folder.
fn fill(folder: &Path, name: &str, facts: &impl Serialize) -> Result<String, Failure> {
    let mut prose = prose();
    prose.set_loader(minijinja::path_loader(folder));
    let template = prose.get_template(name).map_err(|error| {
        Failure::new(format!(
            "cannot read {}: {error}",
            folder.join(name).display()
        ))
    })?;
    let text = template.render(Serde(facts)).map_err(|error| {
        Failure::new(format!(
            "cannot fill {}: {error:#}",
            folder.join(name).display()
        ))
    })?;
    Ok(tidy(&text))
}

/// An environment in which a template writes references by name: `val(row.trial, ".3")`.
pub(super) fn prose() -> Environment<'static> {
    let mut prose = Environment::new();
    prose.set_undefined_behavior(UndefinedBehavior::Strict);
    let syntax = SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        // `{#label}` is Markdown here.
        .comment_delimiters("<#", "#>")
        .build()
        .expect("the delimiters are the default ones");
    prose.set_syntax(syntax);
    prose.add_function("val", |path: &str, format: Option<&str>| {
        reference("val", &[path], format)
    });
    prose.add_function("cfg", |key: &str, format: Option<&str>| {
        reference("cfg", &[key], format)
    });
    prose.add_function("change", |from: &str, to: &str, format: Option<&str>| {
        reference("change", &[from, to], format)
    });
    prose.add_function(
        "calc",
        |expression: &str, why: &str, format: Option<&str>| {
            reference("calc", &[expression, why], format)
        },
    );
    prose.add_filter("quoted", |text: &str| Value::from(text).to_string());
    prose.add_filter("spelled", |count: usize| spelled(count));
    prose.add_filter("and", |words: Vec<String>| listed(&words));
    prose
}

fn reference(name: &str, args: &[&str], format: Option<&str>) -> String {
    let groups: String = args
        .iter()
        .copied()
        .chain(format)
        .map(|arg| format!("{{{arg}}}"))
        .collect();
    format!("\\{name}{groups}")
}

/// A count as a word, as far as style asks for one.
fn spelled(count: usize) -> String {
    const WORDS: [&str; 13] = [
        "no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
        "eleven", "twelve",
    ];
    WORDS
        .get(count)
        .map_or_else(|| count.to_string(), |word| (*word).to_owned())
}

/// Words as they are listed in a sentence: `a, b and c`.
pub(super) fn listed(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// At most one empty line in a row, no blanks at line ends, one newline at the end.
pub(super) fn tidy(text: &str) -> String {
    let mut out = String::new();
    let mut empty = 0;
    for line in text.lines().map(str::trim_end) {
        empty = if line.is_empty() { empty + 1 } else { 0 };
        if empty < 2 {
            out += line;
            out.push('\n');
        }
    }
    format!("{}\n", out.trim())
}
