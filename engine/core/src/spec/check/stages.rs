//! Stages side by side: their outputs first, then their order, then each of them.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use kyobashi_stage::{Port, Signature, Type};

use super::super::report::Issue;
use super::super::written::Form;
use super::super::{OnError, StageId};
use super::draft::{Draft, Fan, Kind};
use super::file::{File, open};
use super::form::Given;
use super::graph;
use super::policy::Rules;
use super::scope::{Frame, Scope};
use super::state::{Check, MOST_STAGES, Outs};
use super::work;

/// Where stages stand.
pub(super) struct Level<'l> {
    pub file: &'l File,
    /// `study/first/`, or empty at the top.
    pub prefix: &'l str,
    /// Rules by glob of stage types, weakest first.
    pub defaults: &'l [(String, Rules)],
}

/// Stages side by side, checked.
pub(super) struct Siblings {
    /// In the order of the file.
    pub ids: Vec<StageId>,
    pub names: HashMap<String, StageId>,
}

/// What is known of a stage before its values are checked.
pub(super) struct Prepared {
    pub target: Target,
    /// Declared outputs.
    pub ports: Arc<Vec<Port>>,
    /// Its own rules over the defaults.
    pub rules: Rules,
}

/// What a stage turns out to be.
pub(super) enum Target {
    Run,
    Signature(Arc<Signature>),
    Component(Rc<File>),
    Group,
    Broken,
}

/// Checks stages side by side.
pub(super) fn stages(
    check: &mut Check<'_>,
    level: &Level<'_>,
    drafts: &[Draft],
    outer: &Scope<'_>,
) -> Siblings {
    let mut siblings = Siblings {
        ids: Vec::with_capacity(drafts.len()),
        names: HashMap::with_capacity(drafts.len()),
    };
    if check.stages.len() + drafts.len() > MOST_STAGES {
        if let Some(draft) = drafts.first() {
            let message = format!("the pipeline has more than {MOST_STAGES} stages");
            check.error("limit::stages", draft.at, "here", message);
        }
        return siblings;
    }
    check.reserve(drafts.len());
    for draft in drafts {
        let id = check.stage(draft.at);
        siblings.ids.push(id);
        siblings.names.entry(draft.name.clone()).or_insert(id);
    }
    let mut prepared = Vec::with_capacity(drafts.len());
    for (draft, id) in drafts.iter().zip(&siblings.ids) {
        let stage = prepare(check, level, draft);
        match &stage.target {
            Target::Run | Target::Signature(_) => {
                let mut outs: Outs = stage
                    .ports
                    .iter()
                    .map(|port| (port.name.clone(), port.ty.clone()))
                    .collect();
                if draft.may_fail {
                    outs.extend(failure_outs());
                }
                publish(check, *id, draft, &stage.rules, outs);
            }
            Target::Group => {
                if let Kind::Group { stages } = &draft.kind {
                    let names = stages.iter().map(|inner| inner.name.clone()).collect();
                    check.inner.insert(*id, names);
                }
            }
            Target::Component(_) if draft.may_fail => {
                let message = "a component has no `may_fail`; the stages inside it have".to_owned();
                check.error("spec::misplaced_key", draft.at, "not here", message);
            }
            Target::Component(_) | Target::Broken => {}
        }
        prepared.push(stage);
    }
    let order = graph::order(&mut check.report, drafts);
    let scope = outer.with(Frame::Stages(&siblings.names));
    for index in order {
        work::stage(
            check,
            level,
            &scope,
            &drafts[index],
            siblings.ids[index],
            &prepared[index],
        );
    }
    siblings
}

/// The output that `on_error: continue` adds to a fan-out.
const FAILED: &str = "failed";

/// The outputs that `may_fail` adds.
pub(super) fn failure_outs() -> [(String, Type); 3] {
    [
        ("ok".to_owned(), Type::Bool),
        ("exit".to_owned(), Type::Int),
        ("stderr".to_owned(), Type::Text),
    ]
}

/// Makes the outputs of a stage known, as they are seen from outside.
pub(super) fn publish(
    check: &mut Check<'_>,
    id: StageId,
    draft: &Draft,
    rules: &Rules,
    outs: Outs,
) {
    check.outs[id.index()] = Some(Rc::new(seen_from_outside(draft, rules, outs)));
}

fn seen_from_outside(draft: &Draft, rules: &Rules, outs: Outs) -> Outs {
    let wrap: &dyn Fn(Type) -> Type = match draft.fan() {
        Fan::Once | Fan::Repeat { .. } => return outs,
        Fan::Foreach { .. } => &|ty| Type::List(Box::new(ty)),
        Fan::Matrix { axes, .. } => &|ty| {
            let axes = axes.iter().map(|axis| axis.name.clone()).collect();
            Type::Grid(Box::new(ty), axes)
        },
    };
    let mut outs: Outs = outs
        .into_iter()
        .map(|(name, ty)| (name, wrap(ty)))
        .collect();
    if rules.on_error == Some(OnError::Continue) {
        outs.push((FAILED.to_owned(), Type::List(Box::new(Type::Json))));
    }
    outs
}

fn prepare(check: &mut Check<'_>, level: &Level<'_>, draft: &Draft) -> Prepared {
    let (target, stage_type) = match &draft.kind {
        Kind::Run { .. } => (Target::Run, Some("run")),
        Kind::Uses { name, at } => {
            let target = target(check, level, name, *at);
            let native = matches!(target, Target::Signature(_));
            (target, native.then_some(name.as_str()))
        }
        Kind::Group { .. } => (Target::Group, None),
        Kind::Broken => (Target::Broken, None),
    };
    let ports = match &target {
        Target::Run => declared(check, &draft.out),
        Target::Signature(signature) => signature_ports(check, signature, draft),
        Target::Component(_) => {
            if let Some(out) = draft.out.first() {
                let message = "a component says itself what its outputs are";
                check.error("spec::misplaced_key", out.at, "not here", message);
            }
            Vec::new()
        }
        Target::Group | Target::Broken => Vec::new(),
    };
    let mut rules = draft.rules.clone();
    if let Some(stage_type) = stage_type {
        for (glob, defaults) in level.defaults.iter().rev() {
            if matches_glob(glob, stage_type) {
                rules = rules.over(defaults);
            }
        }
    }
    own_outputs(check, draft, &rules);
    Prepared {
        target,
        ports: check.ports.of(ports),
        rules,
    }
}

/// Tells outputs that have the name of one that the stage has anyway.
fn own_outputs(check: &mut Check<'_>, draft: &Draft, rules: &Rules) {
    let continues = rules.on_error == Some(OnError::Continue);
    let fans_out = matches!(draft.fan(), Fan::Foreach { .. } | Fan::Matrix { .. });
    for out in &draft.out {
        let name = out.name.as_str();
        let by = if draft.may_fail && failure_outs().iter().any(|(known, _)| known == name) {
            "may_fail"
        } else if continues && fans_out && name == FAILED {
            "on_error: continue"
        } else {
            continue;
        };
        let message = format!("`{by}` already gives this stage an output `{name}`");
        check.error("spec::own_output", out.at, "taken", message);
    }
}

fn target(
    check: &mut Check<'_>,
    level: &Level<'_>,
    name: &str,
    at: super::super::source::Span,
) -> Target {
    if let Some(import) = level.file.imports.iter().find(|import| import.name == name) {
        let path = check.beside(level.file.id, &import.path);
        if let Some(first) = check.opening.iter().position(|open| *open == path) {
            let circle = check.opening[first..].iter().chain([&path]);
            let circle: Vec<String> = circle.map(|path| path.display().to_string()).collect();
            let message = format!(
                "components use each other in a circle: {}",
                circle.join(" -> ")
            );
            check.error("import::cycle", import.span, "closes the circle", message);
            return Target::Broken;
        }
        if check.look(&path).is_none() {
            super::path::missing(check, import.span, &import.path, &path);
            return Target::Broken;
        }
        let Some(file) = open(check, &path, Some(import.span)) else {
            return Target::Broken;
        };
        if !file.is_component() {
            let message = format!("`{}` is not a component", import.path);
            let issue = Issue::error("import::no_inputs", import.span, "no `inputs:`", message);
            check
                .report
                .add(issue.help("a file with `inputs:` can be used as a stage type"));
            return Target::Broken;
        }
        return Target::Component(file);
    }
    if let Some(signature) = check.signatures.get(name) {
        return Target::Signature(Arc::clone(signature));
    }
    let imports = level.file.imports.iter().map(|import| import.name.as_str());
    let names: Vec<&str> = check
        .signatures
        .keys()
        .map(String::as_str)
        .chain(imports)
        .collect();
    let help = check
        .report
        .suggest(name, "stage types", names.iter().copied());
    let issue = Issue::error(
        "ref::unknown_type",
        at,
        "unknown stage type",
        format!("no stage type `{name}`"),
    );
    check.report.add(issue.help(help));
    Target::Broken
}

/// The outputs of a stage type, with those that the pipeline declares where it may.
fn signature_ports(check: &mut Check<'_>, signature: &Signature, draft: &Draft) -> Vec<Port> {
    let mut ports = signature.outs.clone();
    if signature.open_outs {
        ports.extend(declared(check, &draft.out));
    } else if let Some(out) = draft.out.first() {
        let names = signature.outs.iter().map(|port| port.name.as_str());
        let names: Vec<&str> = names.collect();
        let message = format!("`{}` says itself what its outputs are", signature.name);
        let issue = Issue::error("port::fixed_outs", out.at, "not here", message);
        check
            .report
            .add(issue.help(format!("outputs: `{}`", names.join("`, `"))));
    }
    ports
}

/// Outputs written as `name: type` or `name: {type: …, doc: …}`.
fn declared(check: &mut Check<'_>, outs: &[Given]) -> Vec<Port> {
    let mut ports = Vec::with_capacity(outs.len());
    for out in outs {
        let mut doc = String::new();
        let ty = match &out.value.what {
            Form::Broken => Type::Any,
            Form::Map(entries) => {
                let mut ty = Type::Any;
                for (key, at, value) in entries {
                    match (key.as_str(), value.string()) {
                        ("type", Some(text)) => ty = check.ty(text, value.span),
                        ("doc", Some(text)) => text.clone_into(&mut doc),
                        _ => {
                            let message = format!("an output has no key `{key}`");
                            let issue =
                                Issue::error("spec::unknown_key", *at, "unknown key", message);
                            check.report.add(issue.help("keys: `type`, `doc`"));
                        }
                    }
                }
                ty
            }
            _ => match out.value.string() {
                Some(text) => check.ty(text, out.value.span),
                None => {
                    let message = format!("the output `{}` needs a type", out.name);
                    check.error("spec::expected", out.value.span, "no type", message);
                    Type::Any
                }
            },
        };
        ports.push(Port {
            name: out.name.clone(),
            ty,
            doc,
            default: None,
            names: None,
        });
    }
    ports
}

/// Whether a glob matches a stage type: `*` stands for any text.
pub(super) fn matches_glob(glob: &str, name: &str) -> bool {
    let mut parts = glob.split('*');
    let first = parts.next().unwrap_or("");
    let Some(mut rest) = name.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// Defaults in the order of their strength: the longer the glob, the stronger; later lines win.
pub(super) fn sorted(defaults: impl IntoIterator<Item = (String, Rules)>) -> Vec<(String, Rules)> {
    let mut sorted: Vec<(String, Rules)> = defaults.into_iter().collect();
    sorted.sort_by_key(|(glob, _)| glob.chars().filter(|c| *c != '*').count());
    sorted
}

/// The outputs of a group, from the values that it gives them.
pub(super) fn outs_of(bindings: &[super::super::Binding]) -> Outs {
    bindings
        .iter()
        .map(|binding| (binding.name.clone(), binding.ty.clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_whole_names() {
        for (glob, name, wanted) in [
            ("*", "llm/chat", true),
            ("llm/*", "llm/chat", true),
            ("llm/*", "train/mlp", false),
            ("llm/chat", "llm/chat2", false),
            ("*/chat", "llm/chat", true),
            ("l*m/*t", "llm/chat", true),
            ("aa*a", "aa", false),
        ] {
            assert_eq!(matches_glob(glob, name), wanted, "{glob} {name}");
        }
    }
}
