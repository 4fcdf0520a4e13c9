//! A pipeline after it was read and checked: every name resolved, every type known, every default
//! filled in, imports opened. What the checker hands to the planner.
//!
//! Positions live beside the spec, in [`Places`], so that they cannot enter a key.
//! This module is pure: files are read through [`Files`]; no clock, no environment.

mod broken;
mod check;
mod expression;
mod node;
mod packed;
mod places;
mod read;
mod report;
mod said;
mod same;
mod source;
mod stage;
mod syntax;
mod token;
mod written;

pub use check::{check, size, words};
pub use expression::{Binary, Expression, Function, Reference, Root, Step, Template, TextPart};
pub use places::{Parts, Place, Places};
pub use stage::{
    AtMax, Axis, Binding, CachePolicy, Carry, Fan, MODEL_POOL, OnError, Policy, Pool, Resources,
    SHELL, Stage, StageId, Work,
};

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kyobashi_stage::{Model, Shape, Signature, Type};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A checked pipeline.
#[derive(Clone, Debug)]
pub struct Spec {
    pub name: String,
    pub doc: Option<String>,
    /// The pipeline file, as given.
    pub file: PathBuf,
    /// Effective values: default < profile < `--values` < `--set`.
    pub params: BTreeMap<String, Param>,
    /// Effective models, by role.
    pub models: BTreeMap<String, Model>,
    /// The file's own `providers:`, by name.
    pub providers: BTreeMap<String, ProviderEntry>,
    pub secrets: BTreeMap<String, Secret>,
    /// What one run may pay.
    pub budget: Budget,
    /// Named types: built in, and declared under `types:`.
    pub shapes: BTreeMap<String, Shape>,
    /// All stages of the file and of its imports; [`StageId`] is the index. An import that is used
    /// twice is here twice.
    pub stages: Vec<Stage>,
    /// The stages of the top level, in the order of the file.
    pub top: Vec<StageId>,
    pub outputs: Vec<Binding>,
    /// What there is of everything that stages take: of `cpu`, `memory`, and what any stage asks for.
    pub pools: BTreeMap<String, Pool>,
    /// Which generations of replies the user asked for; a later entry wins. Not written in the pipeline.
    pub generations: Vec<Generation>,
    pub places: Places,
}

/// Which generation of their models' replies some stage runs take.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Generation {
    /// A stage, group or address, as `--refresh` takes them.
    pub stage: String,
    /// Of its stage runs those with this `sample` alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<u64>,
    /// The generation that counts; 0 are the first replies.
    pub generation: u64,
    /// The newest one that was ever asked for.
    pub newest: u64,
}

impl Spec {
    /// A stage by its id.
    #[must_use]
    pub fn stage(&self, id: StageId) -> &Stage {
        &self.stages[id.index()]
    }
}

/// A parameter with its effective value.
#[derive(Clone, Debug)]
pub struct Param {
    pub ty: Type,
    /// [`Template::Path`] for files and folders, else [`Template::Literal`].
    pub value: Template,
}

/// A secret: only its name is ever written.
#[derive(Clone, Debug)]
pub struct Secret {
    /// The environment variable that holds it.
    pub env: String,
    pub optional: bool,
}

/// A line of `providers:`: what the pipeline says of a provider, over what is known of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProviderEntry {
    pub base_url: Option<String>,
    /// The environment variable that holds the key.
    pub key_env: Option<String>,
    /// How requests are written: `openai-chat`, `openai-responses`, `anthropic` or `gemini`.
    pub dialect: Option<String>,
    /// Stands for the URL in keys, so that two servers of one model share results.
    pub identity: Option<String>,
    pub api_version: Option<String>,
    /// How the key is sent: `bearer`, or the header that holds it.
    pub auth: Option<String>,
    /// Requests and tokens a minute; like all limits, never part of a key.
    pub rpm: Option<u32>,
    pub tpm: Option<u32>,
    /// Requests at once.
    pub at_once: Option<u32>,
    /// How long an answer is waited for.
    pub timeout: Option<Duration>,
    /// Requests sent for one call at most.
    pub tries: Option<u32>,
    /// The longest wait of our own between two of them.
    pub longest_wait: Option<Duration>,
    /// The longest wait that the server may ask for.
    pub patience: Option<Duration>,
}

/// What one run may pay. Never part of a key.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Budget {
    /// US dollars.
    pub usd: Option<f64>,
    /// Calls to models.
    pub calls: Option<u64>,
    pub on_unpriced: OnUnpriced,
}

/// What becomes of a call whose price is not known where the budget is in US dollars.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnUnpriced {
    #[default]
    Refuse,
    Allow,
}

/// What a missing key of a model's provider is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keys {
    /// An error.
    Required,
    /// A warning.
    #[default]
    Wanted,
    /// Nothing: nobody will be asked.
    Unasked,
}

/// What the checker is given.
pub struct Question<'a> {
    pub file: &'a Path,
    pub profile: Option<&'a str>,
    /// `--values FILE`.
    pub values: Option<&'a Path>,
    /// `--set` arguments as typed: `params.n=3`.
    pub set: &'a [String],
    pub signatures: &'a BTreeMap<String, Signature>,
    /// Built-in named types.
    pub shapes: &'a BTreeMap<String, Shape>,
    pub providers: &'a BTreeMap<String, Provider>,
    pub files: &'a dyn Files,
    pub keys: Keys,
    /// What the machine and the command line say there is of a pool; none if they say nothing of it.
    pub pools: &'a dyn Fn(&str) -> Option<Pool>,
    /// What an editor wants to know besides.
    pub editor: Option<Editor<'a>>,
}

/// What an editor asks of a check.
#[derive(Clone, Copy, Debug)]
pub struct Editor<'a> {
    /// A word that is written where the cursor is: [`Checked::candidates`] are the names that could
    /// stand there.
    pub cursor: Option<&'a str>,
}

/// A model provider as the surroundings know it.
#[derive(Clone, Debug)]
pub struct Provider {
    /// The base URL in force.
    pub endpoint: String,
    /// The environment variable that holds the key; none where no key is needed.
    pub key_env: Option<String>,
    /// Whether that variable is set.
    pub key_present: bool,
}

/// The checker's only view of the disk.
pub trait Files {
    /// The text of a file.
    ///
    /// # Errors
    /// As reading a file does.
    fn read(&self, path: &Path) -> std::io::Result<String>;
    /// What stands at a path.
    fn look(&self, path: &Path) -> Option<FileKind>;
    /// The names in a folder, for "did you mean".
    fn list(&self, dir: &Path) -> Vec<String>;
}

/// What stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    File,
    Dir,
}

/// The checker's answer.
pub struct Checked {
    /// Absent when there is at least one error.
    pub spec: Option<Spec>,
    /// Errors and warnings, sorted by place.
    pub problems: Vec<Problem>,
    /// The text of every file read, for the snippets.
    pub sources: BTreeMap<String, String>,
    /// Every reference that leads somewhere; empty unless an editor asked.
    pub mentions: Vec<Mention>,
    /// The names that could stand at an editor's cursor, sorted.
    pub candidates: Vec<String>,
}

/// A reference in a file, as `${train.metrics}`.
#[derive(Clone, Debug, PartialEq)]
pub struct Mention {
    /// The reference, with its type as the text.
    pub label: Label,
    /// Where what it names is written.
    pub target: Option<Place>,
}

/// Something wrong in the author's spec.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Problem {
    /// `ref::unknown_output`.
    pub code: &'static str,
    pub severity: Severity,
    /// One line, lower case: `stage `plots` has no output `curve``.
    pub message: String,
    /// The first is where the header line points.
    pub labels: Vec<Label>,
    pub help: Option<String>,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    Error,
    Warning,
}

/// A marked piece of a source.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Label {
    pub place: Place,
    /// Bytes in the source text.
    pub start: usize,
    pub end: usize,
    /// What is marked: `unknown output`.
    pub text: String,
}

/// A literal without any reference in it.
#[must_use]
pub fn literal(value: impl Into<Value>) -> Template {
    Template::Literal(value.into())
}
