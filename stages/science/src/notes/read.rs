//! `notes/read`: structured notes on a paper in a language of one's choice. For each part passages are
//! retrieved by BM25; a model writes sentences from them, or the baseline quotes the best ones as they stand.

use std::collections::BTreeSet;

use kyobashi_stage::{
    BASELINE, Call, Context, Failure, Model, Note, Output, Outputs, Port, Signature, Stage,
};
use minijinja::value::Serde;
use serde::Serialize;
use serde_json::{Value, json};

use super::passage::{Passage, passages};
use crate::llm::{Ask, Client, Judged, Schema, converse, last_object, object, set, settings};
use crate::retrieval::Index;

const PROMPT: &str = include_str!("../../../../pipelines/prompts/reading_notes.md");

/// How often a model is told what was wrong with a reply.
const REASKS: usize = 2;

/// Passages that the baseline quotes for a part.
const QUOTED: usize = 2;

/// The parts of the notes: title, what is wanted, what is searched for.
const PARTS: [(&str, &str, &str); 6] = [
    (
        "Background terms",
        "Three to six terms that a reader has to know, each explained in a sentence.",
        "background definition called defined as term notion",
    ),
    (
        "Topic",
        "What the paper is about, in one or two sentences.",
        "paper abstract study we investigate topic",
    ),
    (
        "Problem",
        "What was not known or not possible before, in one to three sentences.",
        "problem challenge limitation however lack existing previous work",
    ),
    (
        "Method",
        "What is done, in two to five sentences.",
        "method propose approach algorithm model train architecture",
    ),
    (
        "Results",
        "What came out, with its numbers, in two to five sentences.",
        "results experiments outperform accuracy improvement table shows compared baseline",
    ),
    (
        "Summary",
        "The whole paper in three sentences.",
        "abstract conclusion summary contribution we show",
    ),
];

pub(crate) struct Read(pub(crate) Client);

/// One part of the notes.
#[derive(Debug, Serialize)]
struct Part {
    title: String,
    sentences: Vec<Sentence>,
}

/// A sentence with what it rests on.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Sentence {
    text: String,
    /// The number of its passage.
    passage: usize,
}

impl Stage for Read {
    fn signature(&self) -> Signature {
        Signature {
            ins: vec![Port::new(
                "paper",
                "text",
                "the paper as plain text, Markdown or LaTeX",
            )],
            with: settings(vec![
                Port::or("language", "str", "English", "the language of the notes"),
                Port::or(
                    "passages",
                    "int",
                    8,
                    "passages that each part is written from, at most",
                ),
            ]),
            outs: vec![
                Port::new(
                    "notes",
                    "json",
                    "{language, provenance, parts: [{title, sentences: [{text, passage}]}], passages: [{id, section, text, caption}]}",
                ),
                Port::new(
                    "markdown",
                    "text",
                    "the same for people, with the passages at the end",
                ),
            ],
            model: true,
            ..Signature::new(
                "notes/read",
                1,
                "Take notes on a paper, each sentence with its passage",
            )
        }
    }

    fn run(&self, call: &Call, context: &dyn Context) -> Result<Outputs, Failure> {
        let all = passages(&call.text("paper")?);
        if all.is_empty() {
            return Err(
                Failure::new("the paper holds no passage of six words or more")
                    .help("give it as text; `pdftotext paper.pdf` makes text of a PDF"),
            );
        }
        let language: String = call.get("language")?;
        let most: usize = call.get("passages")?;
        // A heading often says what its passages do not: that they are results.
        let searched: Vec<String> = all
            .iter()
            .map(|passage| format!("{} {}", passage.section, passage.text))
            .collect();
        let index = Index::new(searched.iter().map(String::as_str));
        let model = call.model.as_ref().filter(|model| !model.is_baseline());
        let mut parts = Vec::new();
        let captions: Vec<&Passage> = all
            .iter()
            .filter(|passage| passage.caption.is_some())
            .collect();
        for (title, wanted, query) in PARTS {
            let mut hits: Vec<&Passage> = index
                .search(query, most.max(1))
                .iter()
                .map(|hit| &all[hit.place])
                .collect();
            // What is left of the room shows the paper from its beginning, where it says what it is about.
            for passage in &all {
                if hits.len() >= most.max(1) {
                    break;
                }
                if !hits.iter().any(|hit| hit.id == passage.id) {
                    hits.push(passage);
                }
            }
            parts.push(self.part(call, model, &language, (title, wanted), &hits, context)?);
        }
        if !captions.is_empty() {
            let wanted = "One sentence for each figure and table: its name, and what it shows.";
            parts.push(self.part(
                call,
                model,
                &language,
                ("Figures and tables", wanted),
                &captions,
                context,
            )?);
        }
        let provenance = model.map_or(BASELINE, |model| self.0.provenance(model));
        let markdown = markdown(&parts, &all, provenance);
        let notes = json!({"language": language, "provenance": provenance, "parts": parts, "passages": all});
        Ok(Outputs::from([
            ("notes".to_owned(), Output::value(notes)),
            ("markdown".to_owned(), Output::bytes(markdown)),
        ]))
    }
}

impl Read {
    fn part(
        &self,
        call: &Call,
        model: Option<&Model>,
        language: &str,
        (title, wanted): (&str, &str),
        passages: &[&Passage],
        context: &dyn Context,
    ) -> Result<Part, Failure> {
        context.note(Note {
            message: Some(format!("{title}, from {} passages", passages.len())),
            ..Note::default()
        });
        let Some(model) = model else {
            let captions = passages.iter().all(|passage| passage.caption.is_some());
            let quoted = passages
                .iter()
                .take(if captions { usize::MAX } else { QUOTED });
            let sentences = quoted.map(|passage| Sentence {
                text: format!("“{}”", passage.text),
                passage: passage.id,
            });
            return Ok(Part {
                title: title.to_owned(),
                sentences: sentences.collect(),
            });
        };
        let facts =
            json!({"language": language, "title": title, "wanted": wanted, "passages": passages});
        let prompt = minijinja::Environment::new()
            .render_str(PROMPT, Serde(facts))
            .map_err(|error| Failure::bug(format!("the prompt for notes: {error:#}")))?;
        let sentence = object(vec![
            ("text".to_owned(), json!({"type": "string"})),
            ("passage".to_owned(), json!({"type": "integer"})),
        ]);
        let mut ask = Ask {
            schema: Some(Schema {
                name: "notes".to_owned(),
                schema: object(vec![(
                    "sentences".to_owned(),
                    json!({"type": "array", "items": sentence}),
                )]),
            }),
            settings: set(call, model)?,
            sample: call.get("sample")?,
            ..Ask::new("", &prompt)
        };
        let shown: BTreeSet<usize> = passages.iter().map(|passage| passage.id).collect();
        let sentences = converse(&self.0, model, &mut ask, context, REASKS, &|reply| {
            read(reply, &shown)
        })?;
        Ok(Part {
            title: title.to_owned(),
            sentences,
        })
    }
}

/// Sentences that rest on passages which were shown.
fn read(reply: &str, shown: &BTreeSet<usize>) -> Judged<Vec<Sentence>> {
    let sentences = |value: &Value| -> Result<Vec<Sentence>, String> {
        let list = value["sentences"]
            .as_array()
            .ok_or("`sentences` must be a list")?;
        let each = list.iter().map(|item| {
            let text = item["text"].as_str().map(str::trim).unwrap_or_default();
            let passage = item["passage"].as_u64().unwrap_or(0) as usize;
            if text.is_empty() {
                return Err("every sentence needs its `text`".to_owned());
            }
            if !shown.contains(&passage) {
                return Err(format!(
                    "\"{text}\" rests on passage {passage}, which was not shown"
                ));
            }
            Ok(Sentence {
                text: text.to_owned(),
                passage,
            })
        });
        each.collect()
    };
    let found = last_object(reply, |value| sentences(value).map(|_| ()))?;
    Ok((sentences(&found.value)?, found.repaired))
}

fn markdown(parts: &[Part], passages: &[Passage], provenance: &str) -> String {
    let mut text = String::new();
    if provenance == BASELINE {
        text += "> Made WITHOUT a language model: passages are quoted as they stand, in the paper's own language.\n\n";
    }
    let mut used = BTreeSet::new();
    for part in parts {
        text += &format!("## {}\n\n", part.title);
        for sentence in &part.sentences {
            used.insert(sentence.passage);
            text += &format!("- {} [{}]\n", sentence.text, sentence.passage);
        }
        if part.sentences.is_empty() {
            text += "- nothing was found about it\n";
        }
        text.push('\n');
    }
    text += "## Passages\n\n";
    for passage in passages.iter().filter(|passage| used.contains(&passage.id)) {
        let section = match passage.section.as_str() {
            "" => String::new(),
            section => format!(" *{section}.*"),
        };
        text += &format!("[{}]{section} {}\n\n", passage.id, passage.text);
    }
    format!("{}\n", text.trim_end())
}
