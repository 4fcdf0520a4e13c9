//! What a model's reply with an edit holds: a whole program or none, and every changed setting. A reply is
//! taken whole or not at all.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::history::{Run, Try};
use crate::llm::{Judged, blocks, last_object};
use crate::template::Template;

/// The longest program, in bytes.
const LONGEST: usize = 32 * 1024;

/// Words by which a program leaves something out.
const ELISIONS: [&str; 6] = [
    "rest of the",
    "rest unchanged",
    "remains unchanged",
    "same as before",
    "as before)",
    "omitted",
];

/// An edit that can be run.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Edited {
    pub(super) what: String,
    pub(super) program: String,
    pub(super) config: Map<String, Value>,
}

/// What an edit is judged against.
pub(super) struct Ground<'g> {
    pub(super) template: &'g Template,
    /// The baseline's program.
    pub(super) baseline: &'g str,
    /// The program that stays if none is written.
    pub(super) program: &'g str,
    /// The baseline's settings, with what the pipeline overrides.
    pub(super) config: &'g Map<String, Value>,
    /// Settings that must stay.
    pub(super) fixed: &'g BTreeSet<String>,
    pub(super) history: &'g [Run],
    pub(super) tries: &'g [Try],
}

impl Ground<'_> {
    /// Reads a reply, or says what is wrong with it.
    pub(super) fn read(&self, reply: &str) -> Judged<Edited> {
        let program = match self.program(reply)? {
            Some(program) => program,
            None => self.program.to_owned(),
        };
        let own = program.trim() != self.baseline.trim();
        let found = last_object(reply, |value| self.settings(value, own).map(|_| ()))?;
        let (what, config) = self.settings(&found.value, own)?;
        let edited = Edited {
            what,
            program,
            config,
        };
        self.differs(&edited, own)?;
        Ok((edited, found.repaired))
    }

    /// The last block that is a program.
    fn program(&self, reply: &str) -> Result<Option<String>, String> {
        let found = blocks(reply);
        let Some(block) = found
            .iter()
            .rev()
            .find(|block| block.named("program.py") || block.named("python"))
        else {
            return Ok(None);
        };
        if !block.closed {
            return Err("the block with the program is not closed".to_owned());
        }
        let text = &block.content;
        if text.len() > LONGEST {
            return Err(format!(
                "the program has {} bytes; the limit is {LONGEST}",
                text.len()
            ));
        }
        for hook in ["def init(", "def loss("] {
            if !text.contains(hook) {
                return Err(format!(
                    "the program has no `{hook}…)`; write the whole program"
                ));
            }
        }
        let left_out = |line: &&str| {
            let line = line.trim().to_lowercase();
            let remark = line.strip_prefix('#').map(str::trim);
            line == "..."
                || remark.is_some_and(|remark| {
                    remark.starts_with("...")
                        || remark.starts_with('…')
                        || ELISIONS.iter().any(|words| remark.contains(words))
                })
        };
        if let Some(line) = text.lines().find(left_out) {
            return Err(format!(
                "the program leaves something out at `{}`; write the whole program",
                line.trim()
            ));
        }
        Ok(Some(text.clone()))
    }

    fn settings(&self, value: &Value, own: bool) -> Result<(String, Map<String, Value>), String> {
        let what = match value["what"].as_str().map(str::trim) {
            Some(what) if !what.is_empty() => what.to_owned(),
            _ => return Err("`what` must be a sentence".to_owned()),
        };
        let mut config = self.config.clone();
        let changes = value["changes"].as_array();
        for change in changes.ok_or("`changes` must be a list")? {
            let key = change["key"].as_str().ok_or("every change needs a `key`")?;
            let value = &change["value"];
            if self.fixed.contains(key) {
                return Err(format!("`{key}` may not be changed"));
            }
            match self.template.config.get(key) {
                Some(before) => {
                    let same = (before.is_number() && value.is_number())
                        || (before.is_string() && value.is_string());
                    if !same {
                        return Err(format!(
                            "`{key}` is {before} in the baseline; it cannot be {value}"
                        ));
                    }
                }
                None if own && value.is_number() => {}
                None if own => return Err(format!("`{key}` is new, so it must be a number")),
                None => {
                    let failure = self.template.knows(key).err();
                    let help = failure.and_then(|failure| failure.help).unwrap_or_default();
                    return Err(format!("the baseline's program reads no `{key}`. {help}"));
                }
            }
            config.insert(key.to_owned(), value.clone());
        }
        Ok((what, config))
    }

    /// Whether it would run something that was not run before.
    fn differs(&self, edited: &Edited, own: bool) -> Result<(), String> {
        let same = |program: &str, config: &Map<String, Value>| {
            program.trim() == edited.program.trim() && *config == edited.config
        };
        if !own && edited.config == *self.config {
            return Err("it changes neither the program nor a setting".to_owned());
        }
        if let Some(at) = self
            .tries
            .iter()
            .position(|one| same(&one.program, &one.config))
        {
            return Err(format!("it is try {} again, which failed", at + 1));
        }
        let run = self
            .history
            .iter()
            .find(|run| same(&run.program, &run.config));
        match run {
            Some(run) => Err(format!("it is run {} again", run.number)),
            None => Ok(()),
        }
    }
}
