//! A stage as written: its node → [`Draft`]. Structure is checked here, names and types are not.

use super::super::AtMax;
use super::super::node::{Entry, Node, What};
use super::super::report::Issue;
use super::super::source::Span;
use super::super::written::Written;
use super::draft_fan::fan;
use super::form::{Form, Given};
use super::heads::heads;
use super::policy::Rules;

/// A stage as written.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub name: String,
    pub at: Span,
    pub kind: Kind,
    /// None where it runs once, as most do.
    fan: Option<Box<Fan>>,
    pub ins: Vec<Given>,
    pub with: Vec<Given>,
    /// Types under `run` and `uses`, values under `stages`.
    pub out: Vec<Given>,
    pub env: Vec<Given>,
    pub model: Option<Box<Written>>,
    pub when: Option<Box<Written>>,
    pub needs: Vec<(String, Span)>,
    pub secrets: Vec<(String, Span)>,
    pub tags: Vec<String>,
    pub doc: Option<String>,
    pub rules: Rules,
    pub may_fail: bool,
    pub version: u32,
    /// Where `version:` stands.
    pub version_at: Option<Span>,
    /// Names used inside and not bound inside: what may be an edge. Once each, with a place.
    pub heads: Vec<(String, Span)>,
}

impl Draft {
    pub(super) fn fan(&self) -> &Fan {
        self.fan.as_deref().unwrap_or(&Fan::Once)
    }
}

/// What a stage does, as written.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    Run {
        script: String,
        span: Span,
    },
    Uses {
        name: String,
        at: Span,
    },
    Group {
        stages: Vec<Draft>,
    },
    /// The problem was told.
    Broken,
}

/// How often a stage runs, as written.
#[derive(Clone, Debug)]
pub(super) enum Fan {
    Once,
    Matrix {
        at: Span,
        axes: Vec<Given>,
        exclude: Vec<Vec<Given>>,
        include: Vec<Vec<Given>>,
    },
    Foreach {
        variable: String,
        at: Span,
        list: Written,
        key: Option<Written>,
    },
    Repeat {
        at: Span,
        max: Option<Written>,
        until: Option<Written>,
        at_max: AtMax,
        carry: Vec<Given>,
        next: Vec<Given>,
    },
}

/// Keys of every stage.
pub(super) const KEYS: &[&str] = &[
    "run",
    "uses",
    "stages",
    "in",
    "with",
    "out",
    "model",
    "matrix",
    "foreach",
    "key",
    "repeat",
    "next",
    "when",
    "needs",
    "may_fail",
    "version",
    "env",
    "secrets",
    "tags",
    "doc",
    "on_error",
    "cache",
    "retries",
    "timeout",
    "resources",
    "shell",
];

/// Keys that a kind of stage does not have, and why.
const MISPLACED: &[(&str, &[&str], &str)] = &[
    (
        "run",
        &["model"],
        "a script has no model; a stage type has (`uses:`)",
    ),
    ("uses", &["env", "shell"], "only a `run:` stage has it"),
    (
        "stages",
        &[
            "in",
            "with",
            "env",
            "model",
            "shell",
            "may_fail",
            "cache",
            "version",
            "retries",
            "timeout",
            "resources",
            "secrets",
        ],
        "write it in the stages inside, which see everything around them",
    ),
];

/// Reads the stages of a file. Each is freed once it is read: of 10,000 stages only the drafts stay.
pub(super) fn top(form: &mut Form<'_>, node: Node) -> Vec<Draft> {
    match node.what {
        What::Map(entries) => entries
            .into_iter()
            .map(|entry| draft(form, &entry))
            .collect(),
        _ => drafts(form, &node),
    }
}

/// Reads a map of stages.
fn drafts(form: &mut Form<'_>, node: &Node) -> Vec<Draft> {
    let entries = form.map(node, "stages");
    entries.iter().map(|entry| draft(form, entry)).collect()
}

fn draft(form: &mut Form<'_>, entry: &Entry) -> Draft {
    form.name(&entry.key, entry.at, "stage");
    let mut draft = Draft {
        name: entry.key.clone(),
        at: entry.at,
        kind: Kind::Broken,
        fan: None,
        ins: Vec::new(),
        with: Vec::new(),
        out: Vec::new(),
        env: Vec::new(),
        model: None,
        when: None,
        needs: Vec::new(),
        secrets: Vec::new(),
        tags: Vec::new(),
        doc: None,
        rules: Rules::default(),
        may_fail: false,
        version: 0,
        version_at: None,
        heads: Vec::new(),
    };
    let entries = form.map(&entry.node, &entry.key);
    let mut kinds: Vec<&Entry> = Vec::new();
    let mut fans: Vec<&Entry> = Vec::new();
    let (mut key, mut next) = (None, None);
    for part in entries {
        let node = &part.node;
        match part.key.as_str() {
            "run" | "uses" | "stages" => kinds.push(part),
            "matrix" | "foreach" | "repeat" => fans.push(part),
            "key" => key = Some(part),
            "next" => next = Some(part),
            "in" => draft.ins = form.givens(node, "in"),
            "with" => draft.with = form.givens(node, "with"),
            "out" => draft.out = form.givens(node, "out"),
            "env" => draft.env = form.givens(node, "env"),
            "model" => draft.model = Some(Box::new(form.written(node))),
            "when" => draft.when = Some(Box::new(form.written(node))),
            "needs" => draft.needs = form.strings(node, "needs"),
            "secrets" => draft.secrets = form.strings(node, "secrets"),
            "tags" => {
                draft.tags = form
                    .strings(node, "tags")
                    .into_iter()
                    .map(|(tag, _)| tag)
                    .collect()
            }
            "doc" => draft.doc = form.string(node, "doc"),
            "may_fail" => draft.may_fail = form.truth(node, "may_fail").unwrap_or(false),
            "version" => {
                draft.version = form.whole(node, "version").unwrap_or(0);
                draft.version_at = Some(node.span);
            }
            _ => {
                if !draft.rules.take(form, part) {
                    form.unknown_key(part, KEYS, "a stage");
                }
            }
        }
    }
    draft.kind = kind(form, entry, &kinds);
    let fan = fan(form, &fans, key, next);
    draft.fan = (!matches!(fan, Fan::Once)).then(|| Box::new(fan));
    misplaced(form, entries, kinds.first().map(|part| part.key.as_str()));
    draft.heads = heads(&draft);
    draft
}

fn kind(form: &mut Form<'_>, stage: &Entry, kinds: &[&Entry]) -> Kind {
    if let [first, second, ..] = kinds {
        let message = format!("a stage has either `{}` or `{}`", first.key, second.key);
        let issue = Issue::error("spec::two_kinds", second.at, "second", message);
        form.report.add(issue.also(first.at, "first"));
    }
    let Some(part) = kinds.first() else {
        if stage.node.map().is_some() || stage.node.is_null() {
            let message = format!("stage `{}` does nothing", stage.key);
            let issue = Issue::error("spec::no_kind", stage.at, "the stage", message);
            form.report
                .add(issue.help("give it one of `run`, `uses` or `stages`"));
        }
        return Kind::Broken;
    };
    match part.key.as_str() {
        "run" => match &part.node.what {
            What::Scalar(scalar) if !scalar.text.trim().is_empty() => Kind::Run {
                script: scalar.text.clone(),
                span: part.node.span,
            },
            _ => {
                form.expected(&part.node, "run", "a script");
                Kind::Broken
            }
        },
        "uses" => match form.string(&part.node, "uses") {
            Some(name) => Kind::Uses {
                name,
                at: part.node.span,
            },
            None => Kind::Broken,
        },
        _ => {
            let stages = drafts(form, &part.node);
            if stages.is_empty() && part.node.is_null() {
                form.expected(&part.node, "stages", "a map of stages");
            }
            Kind::Group { stages }
        }
    }
}

fn misplaced(form: &mut Form<'_>, entries: &[Entry], kind: Option<&str>) {
    for (of, keys, why) in MISPLACED {
        if kind != Some(of) {
            continue;
        }
        for entry in entries {
            if keys.contains(&entry.key.as_str()) {
                let message = format!("a stage with `{of}` has no `{}`", entry.key);
                let issue = Issue::error("spec::misplaced_key", entry.at, "not here", message);
                form.report.add(issue.help(*why));
            }
        }
    }
}
