//! The code blocks of a Markdown page, with what stands after the language in their fences:
//!
//! | in the fence | means |
//! |---|---|
//! | ` ```yaml file=a.yaml ` | the block is written to this file of the page's folder |
//! | ` ```yaml fragment ` | a part of a pipeline: it must be YAML, and is not checked as a whole |
//! | ` ```yaml file=a.yaml invalid ` | a pipeline with mistakes: `kyo check` must refuse it |
//! | ` ```console ` | lines that begin with `$ ` are run, the lines below each are what it prints |
//! | ` ```console fails=1 ` | the last command of the block ends with this exit code |
//! | ` ```console any-order ` | the lines of the output may come in any order |
//! | ` ```console not-run="reason" ` | it needs what a test has not: network, a key, libtorch |
//!
//! A page that asks a model says in a comment, `<!-- the model answers: … -->`, what a server on loopback
//! answers to everything.
//!
//! Browsers show none of it: Markdown takes the first word of a fence for the language.

use std::collections::BTreeMap;
use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};

/// One fenced block.
pub(super) struct Block {
    /// Of the fence, from 1.
    pub(super) line: usize,
    pub(super) language: String,
    /// `file=a.yaml` → `a.yaml`; a word alone has the value "".
    pub(super) marks: BTreeMap<String, String>,
    pub(super) text: String,
    /// Bytes of the text between the fences; none where the block stands in a list or a quotation, whose
    /// lines are indented in the page.
    pub(super) range: Option<Range<usize>>,
}

/// The fenced blocks of a page, in order.
pub(super) fn blocks(page: &str) -> Vec<Block> {
    let mut found: Vec<Block> = Vec::new();
    let mut open = false;
    for (event, range) in Parser::new(page).into_offset_iter() {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => {
                let (language, marks) = fence(&info);
                found.push(Block {
                    line: page[..range.start].lines().count() + 1,
                    language,
                    marks,
                    text: String::new(),
                    range: None,
                });
                open = true;
            }
            Event::Text(text) if open => {
                if let Some(block) = found.last_mut() {
                    block.text += &text;
                }
            }
            Event::End(TagEnd::CodeBlock) if open => {
                open = false;
                if let Some(block) = found.last_mut() {
                    block.range =
                        between(page, &range).filter(|inner| page[inner.clone()] == block.text);
                }
            }
            _ => {}
        }
    }
    found
}

/// What the model answers on this page.
pub(super) fn reply(page: &str) -> Option<String> {
    let (_, rest) = page.split_once("<!-- the model answers: ")?;
    let (reply, _) = rest.split_once(" -->")?;
    Some(reply.to_owned())
}

/// The lines between two fences.
fn between(page: &str, block: &Range<usize>) -> Option<Range<usize>> {
    let text = &page[block.clone()];
    let start = block.start + text.find('\n')? + 1;
    let end = block.start + text.trim_end().rfind('\n')? + 1;
    (start <= end).then_some(start..end)
}

/// Takes a fence apart; a value with spaces stands in double quotes.
fn fence(info: &str) -> (String, BTreeMap<String, String>) {
    let (language, mut rest) = info.split_once(' ').unwrap_or((info, ""));
    let mut marks = BTreeMap::new();
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            return (language.to_owned(), marks);
        }
        let end = rest.find([' ', '=']).unwrap_or(rest.len());
        let name = rest[..end].to_owned();
        rest = &rest[end..];
        let mut value = "";
        if let Some(quoted) = rest.strip_prefix("=\"") {
            let end = quoted.find('"').expect("a quoted mark ends in the fence");
            (value, rest) = (&quoted[..end], &quoted[end + 1..]);
        } else if let Some(bare) = rest.strip_prefix('=') {
            let end = bare.find(' ').unwrap_or(bare.len());
            (value, rest) = bare.split_at(end);
        }
        marks.insert(name, value.to_owned());
    }
}

/// A command of a console block with the output that is shown for it.
pub(super) struct Step {
    /// As typed, with the lines that `\` continues.
    pub(super) command: String,
    pub(super) shown: String,
}

/// The commands of a console block.
pub(super) fn steps(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut goes_on = false;
    for line in text.lines() {
        match (line.strip_prefix("$ "), steps.last_mut()) {
            (Some(command), _) if !goes_on => steps.push(Step {
                command: command.to_owned(),
                shown: String::new(),
            }),
            (_, Some(step)) if goes_on => step.command += &format!("\n{line}"),
            (_, Some(step)) => step.shown += &format!("{line}\n"),
            (_, None) => panic!("a console block begins with `$ `, not with `{line}`"),
        }
        goes_on = steps
            .last()
            .is_some_and(|step| step.shown.is_empty() && step.command.ends_with('\\'));
    }
    steps
}
