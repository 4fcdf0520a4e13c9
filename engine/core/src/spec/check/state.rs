//! What one check knows so far. Every step of the check reads and fills it; nothing else is shared.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use kyobashi_stage::{Model, Port, Shape, Signature, Type};

use super::super::report::{Issue, Report};
use super::super::same::Same;
use super::super::source::{FileId, Sources, Span};
use super::super::{
    Budget, Fan, FileKind, Label, Mention, Param, Place, Places, Policy, Pool, ProviderEntry,
    Question, Secret, Stage, StageId,
};
use super::file::File;
use super::form::Form;
use super::pools::Asked;
use super::prompt::Prompt;

/// The outputs of a stage as they are seen from outside. They are few, so a list is the smallest.
pub(super) type Outs = Vec<(String, Type)>;

/// Everything known while a pipeline is checked.
pub(super) struct Check<'q> {
    pub question: &'q Question<'q>,
    pub sources: Sources,
    pub report: Report,
    /// Files that were read, by path; none where reading failed.
    pub files: BTreeMap<PathBuf, Option<Rc<File>>>,
    /// Prompt files that were read, by path.
    pub prompts: BTreeMap<PathBuf, Option<Prompt>>,
    /// Files that are being opened, outermost first, to find circles of imports.
    pub opening: Vec<PathBuf>,
    pub signatures: BTreeMap<String, Arc<Signature>>,
    pub shapes: BTreeMap<String, Shape>,
    /// Named types that some file declared, with their places.
    pub declared: BTreeMap<String, Span>,
    pub params: BTreeMap<String, Param>,
    pub models: BTreeMap<String, Model>,
    /// Where the effective model of a role is written.
    pub model_places: BTreeMap<String, Span>,
    pub used_models: BTreeSet<String>,
    /// For each role, those with whom it should not share a model.
    pub apart: BTreeMap<String, Vec<(String, Span)>>,
    pub used_secrets: BTreeSet<String>,
    pub providers: BTreeMap<String, ProviderEntry>,
    pub secrets: BTreeMap<String, Secret>,
    pub budget: Budget,
    pub stages: Vec<Option<Stage>>,
    /// Where the name of every stage is written.
    pub spans: Vec<Span>,
    /// By stage; none while they are not known.
    pub outs: Vec<Option<Rc<Outs>>>,
    /// The names inside a group, for better messages.
    pub inner: HashMap<StageId, Vec<String>>,
    pub places: Places,
    /// What stages ask for.
    pub asked: Vec<Asked>,
    pub pools: BTreeMap<String, Pool>,
    /// References that lead somewhere, if an editor asked.
    pub mentions: Vec<Mention>,
    looked: HashMap<PathBuf, Option<FileKind>>,
    /// What stages have in common.
    pub fans: Same<Fan>,
    pub policies: Same<Policy>,
    pub ports: Same<Vec<Port>>,
}

/// Stages of one pipeline, imports opened.
pub(super) const MOST_STAGES: usize = 100_000;

impl<'q> Check<'q> {
    /// Nothing known yet.
    pub(super) fn new(question: &'q Question<'q>) -> Self {
        let signatures = question.signatures.iter();
        Self {
            question,
            sources: Sources::default(),
            report: Report::at_cursor(question.editor.and_then(|editor| editor.cursor)),
            mentions: Vec::new(),
            files: BTreeMap::new(),
            prompts: BTreeMap::new(),
            opening: Vec::new(),
            signatures: signatures
                .map(|(name, signature)| (name.clone(), Arc::new(signature.clone())))
                .collect(),
            shapes: question.shapes.clone(),
            declared: BTreeMap::new(),
            params: BTreeMap::new(),
            models: BTreeMap::new(),
            model_places: BTreeMap::new(),
            used_models: BTreeSet::new(),
            apart: BTreeMap::new(),
            used_secrets: BTreeSet::new(),
            providers: BTreeMap::new(),
            secrets: BTreeMap::new(),
            budget: Budget::default(),
            stages: Vec::new(),
            spans: Vec::new(),
            outs: Vec::new(),
            inner: HashMap::new(),
            places: Places::default(),
            asked: Vec::new(),
            pools: BTreeMap::new(),
            looked: HashMap::new(),
            fans: Same::default(),
            policies: Same::default(),
            ports: Same::default(),
        }
    }

    /// The texts and the report, for reading.
    pub(super) fn form(&mut self) -> Form<'_> {
        Form {
            sources: &self.sources,
            report: &mut self.report,
        }
    }

    /// Tells an error.
    pub(super) fn error(
        &mut self,
        code: &'static str,
        span: Span,
        label: &str,
        message: impl Into<String>,
    ) {
        self.report.add(Issue::error(code, span, label, message));
    }

    /// What stands at a path. The disk is asked once.
    pub(super) fn look(&mut self, path: &Path) -> Option<FileKind> {
        if let Some(kind) = self.looked.get(path) {
            return *kind;
        }
        let kind = self.question.files.look(path);
        self.looked.insert(path.to_owned(), kind);
        kind
    }

    /// A path as written in a file, joined to the folder of that file.
    pub(super) fn beside(&self, file: FileId, path: &str) -> PathBuf {
        self.sources.folder(file).join(path)
    }

    /// Notes where a part of a stage is written.
    pub(super) fn part(&mut self, stage: StageId, part: impl Into<String>, span: Span) {
        let place = self.sources.place(span);
        self.places.parts.insert(stage, part.into(), place);
    }

    /// Notes where the effective value of a name is written.
    pub(super) fn name(&mut self, name: String, span: Span) {
        let place = self.sources.place(span);
        self.places.names.insert(name, place);
    }

    /// Notes a reference for an editor.
    pub(super) fn mention(&mut self, span: Span, ty: &Type, target: Option<Place>) {
        let label = Label {
            place: self.sources.place(span),
            start: span.start as usize,
            end: span.end as usize,
            text: ty.to_string(),
        };
        self.mentions.push(Mention { label, target });
    }

    /// Makes room for stages, so that a large pipeline is not copied while it grows.
    pub(super) fn reserve(&mut self, stages: usize) {
        self.stages.reserve(stages);
        self.spans.reserve(stages);
        self.outs.reserve(stages);
        self.places.stages.reserve(stages);
    }

    /// A new stage id, with its place.
    pub(super) fn stage(&mut self, span: Span) -> StageId {
        let id = StageId(u32::try_from(self.stages.len()).unwrap_or(u32::MAX));
        self.stages.push(None);
        self.outs.push(None);
        self.spans.push(span);
        let place: Place = self.sources.place(span);
        self.places.stages.push(place);
        id
    }

    /// Reads a type; a wrong one is told and counts as any.
    pub(super) fn ty(&mut self, text: &str, span: Span) -> Type {
        // The grammar of types is recursive, so its text is kept short.
        if text.len() > 200 {
            self.error("type::unknown", span, "too long", "this type is too long");
            return Type::Any;
        }
        match Type::parse(text) {
            Ok(ty) => {
                let shapes = &self.shapes;
                if let Some(name) = unknown_shape(&ty, &|name| shapes.contains_key(name)) {
                    let help = self.report.suggest(
                        &name,
                        "named types",
                        self.shapes.keys().map(String::as_str),
                    );
                    let message = format!("no type `{name}`");
                    let issue = Issue::error("type::unknown", span, "unknown type", message);
                    self.report.add(issue.help(help));
                    return Type::Any;
                }
                ty
            }
            Err(error) => {
                let names = self.shapes.keys().map(String::as_str);
                let known: Vec<&str> = error.known.iter().copied().chain(names).collect();
                let help = self
                    .report
                    .suggest(text.trim(), "types", known.iter().copied());
                let issue = Issue::error("type::unknown", span, "unknown type", error.message);
                self.report.add(issue.help(help));
                Type::Any
            }
        }
    }
}

/// The first named type in `ty` that does not exist.
fn unknown_shape(ty: &Type, known: &dyn Fn(&str) -> bool) -> Option<String> {
    match ty {
        Type::Named(name) if !known(name) => Some(name.clone()),
        Type::List(inner) | Type::Optional(inner) | Type::Grid(inner, _) => {
            unknown_shape(inner, known)
        }
        _ => None,
    }
}
