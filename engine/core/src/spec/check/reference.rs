//! Paths such as `${study.before[*].overall}`: what the first name stands for, and what every step
//! makes of its type.

use kyobashi_stage::Type;
use serde_json::Value;

use super::super::report::Issue;
use super::super::source::Span;
use super::super::syntax::Path;
use super::super::{Expression, Place, Reference, Root, StageId, Step, Template};
use super::expression::{Typed, broken};
use super::scope::{Named, Scope};
use super::state::Check;

/// Resolves a path. `span` is the whole path.
pub(super) fn reference(
    check: &mut Check<'_>,
    scope: &Scope<'_>,
    path: &Path,
    span: Span,
) -> Typed {
    let found = match path.head.as_str() {
        "params" | "models" if scope.inputs().is_some() => {
            let message = format!("a component does not see `{}`", path.head);
            let issue = Issue::error("ref::not_in_component", span, "not visible", message);
            check
                .report
                .add(issue.help("give it an input for this, and read `${inputs.…}`"));
            None
        }
        "params" => param(check, path, span),
        "models" => model(check, path, span),
        "inputs" => input(check, scope, path, span),
        "carry" => carry(check, scope, path, span),
        _ => named(check, scope, path, span),
    };
    let Some((root, ty, used)) = found else {
        return broken();
    };
    let Some(ty) = steps(check, ty, &path.steps[used..]) else {
        return broken();
    };
    if check.question.editor.is_some() {
        let target = target(check, &root);
        check.mention(span, &ty, target);
    }
    let steps = path.steps[used..]
        .iter()
        .map(|(step, _)| step.clone())
        .collect();
    (Expression::Reference(Reference { root, steps }), ty)
}

/// Where what a reference names is written.
fn target(check: &Check<'_>, root: &Root) -> Option<Place> {
    match root {
        Root::Param(name) => check.places.names.get(&format!("params.{name}")).cloned(),
        Root::Model(role) => {
            let span = check.model_places.get(role)?;
            Some(check.sources.place(*span))
        }
        Root::Output(id, _) => Some(check.sources.place(check.spans[id.index()])),
        _ => None,
    }
}

/// The root, its type, and how many steps it took.
type Rooted = Option<(Root, Type, usize)>;

/// The field after the first name.
fn field<'p>(check: &mut Check<'_>, path: &'p Path, span: Span) -> Option<(&'p str, Span)> {
    match path.steps.first() {
        Some((Step::Field(name), at)) => Some((name, *at)),
        _ => {
            let message = format!("`{}` is not a value by itself", path.head);
            let issue = Issue::error("ref::incomplete", span, "incomplete", message);
            let help = format!("write `{}.name`", path.head);
            check.report.add(issue.help(help));
            None
        }
    }
}

fn unknown(
    check: &mut Check<'_>,
    code: &'static str,
    what: &str,
    name: &str,
    at: Span,
    names: &[&str],
) {
    let plural = format!("{what}s");
    let help = check.report.suggest(name, &plural, names.iter().copied());
    let issue = Issue::error(
        code,
        at,
        format!("unknown {what}"),
        format!("no {what} `{name}`"),
    );
    check.report.add(issue.help(help));
}

fn param(check: &mut Check<'_>, path: &Path, span: Span) -> Rooted {
    let (name, at) = field(check, path, span)?;
    let Some(param) = check.params.get(name) else {
        let names: Vec<String> = check.params.keys().cloned().collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        unknown(check, "ref::unknown_param", "param", name, at, &names);
        return None;
    };
    let ty = param.ty.clone();
    let mut roles = Vec::new();
    roles_of(&param.value, &mut roles);
    check.used_models.extend(roles);
    Some((Root::Param(name.to_owned()), ty, 1))
}

/// The roles that the value of a parameter names.
fn roles_of(value: &Template, roles: &mut Vec<String>) {
    match value {
        Template::Expression(Expression::Reference(Reference {
            root: Root::Model(role),
            ..
        })) => roles.push(role.clone()),
        Template::List(items) => items.iter().for_each(|item| roles_of(item, roles)),
        _ => {}
    }
}

fn model(check: &mut Check<'_>, path: &Path, span: Span) -> Rooted {
    let (name, at) = field(check, path, span)?;
    if !check.models.contains_key(name) {
        let names: Vec<String> = check.models.keys().cloned().collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        unknown(check, "ref::unknown_model", "model", name, at, &names);
        return None;
    }
    check.used_models.insert(name.to_owned());
    Some((Root::Model(name.to_owned()), Type::Model, 1))
}

fn input(check: &mut Check<'_>, scope: &Scope<'_>, path: &Path, span: Span) -> Rooted {
    let Some(inputs) = scope.inputs() else {
        let message = "a pipeline has no `inputs`; only a component has";
        let issue = Issue::error("ref::no_inputs", span, "not here", message);
        check
            .report
            .add(issue.help("read `${params.…}`, or declare `inputs:` in this file"));
        return None;
    };
    let (name, at) = field(check, path, span)?;
    let Some(ty) = inputs.get(name) else {
        let names: Vec<&str> = inputs.keys().map(String::as_str).collect();
        unknown(check, "ref::unknown_input", "input", name, at, &names);
        return None;
    };
    Some((Root::Input(name.to_owned()), ty.clone(), 1))
}

fn carry(check: &mut Check<'_>, scope: &Scope<'_>, path: &Path, span: Span) -> Rooted {
    let Some(names) = scope.carries() else {
        let message = "`carry` exists only inside a `repeat`";
        check.error("ref::no_carry", span, "not here", message);
        return None;
    };
    let (name, at) = field(check, path, span)?;
    let Some(ty) = scope.carried(name) else {
        unknown(
            check,
            "ref::unknown_carry",
            "carried value",
            name,
            at,
            &names,
        );
        return None;
    };
    Some((Root::Carry(name.to_owned()), ty, 1))
}

fn named(check: &mut Check<'_>, scope: &Scope<'_>, path: &Path, span: Span) -> Rooted {
    match scope.named(&path.head) {
        Some(Named::Variable(ty)) => Some((Root::Variable(path.head.clone()), ty, 0)),
        Some(Named::Stage(id)) => output(check, id, path, span),
        None => {
            no_stage(check, scope, path);
            None
        }
    }
}

fn no_stage(check: &mut Check<'_>, scope: &Scope<'_>, path: &Path) {
    let name = &path.head;
    if check.report.is_full() {
        return check.error("ref::unknown_stage", path.at, "unknown name", "");
    }
    let inside = scope.stages().find_map(|stages| {
        let mut groups: Vec<&String> = stages
            .iter()
            .filter(|(_, id)| {
                check
                    .inner
                    .get(id)
                    .is_some_and(|inner| inner.contains(name))
            })
            .map(|(group, _)| group)
            .collect();
        groups.sort();
        groups.first().map(|group| (*group).clone())
    });
    if let Some(group) = inside {
        let message =
            format!("stage `{name}` is inside `{group}` and cannot be named from outside");
        let issue = Issue::error("ref::inner_stage", path.at, "inside a group", message);
        let help = format!("add a line to `out:` of `{group}` and read `${{{group}.…}}`");
        check.report.add(issue.help(help));
        return;
    }
    let help = check.report.suggest(name, "here are", scope.names());
    let message = format!("no stage or variable `{name}`");
    let issue = Issue::error("ref::unknown_stage", path.at, "unknown name", message);
    check.report.add(issue.help(help));
}

fn output(check: &mut Check<'_>, id: StageId, path: &Path, span: Span) -> Rooted {
    let stage = &path.head;
    let Some(outs) = check.outs[id.index()].clone() else {
        // The outputs are not known because of an earlier problem; the name of the output still counts.
        let (name, _) = field(check, path, span)?;
        return Some((Root::Output(id, name.to_owned()), Type::Any, 1));
    };
    let Some((Step::Field(name), at)) = path.steps.first() else {
        let message = format!("`{stage}` is a stage; a reference names one of its outputs");
        let issue = Issue::error("ref::incomplete", span, "which output?", message);
        let help = names_of(&outs).map(|names| format!("outputs: {names}"));
        check.report.add(issue.help(help));
        return None;
    };
    if let Some((_, ty)) = outs.iter().find(|(known, _)| known == name) {
        return Some((Root::Output(id, name.clone()), ty.clone(), 1));
    }
    if check
        .inner
        .get(&id)
        .is_some_and(|inner| inner.contains(name))
    {
        let message =
            format!("stage `{name}` is inside `{stage}` and cannot be named from outside");
        let issue = Issue::error("ref::inner_stage", *at, "inside a group", message);
        let help = format!("add a line to `out:` of `{stage}` and read `${{{stage}.…}}`");
        check.report.add(issue.help(help));
        return None;
    }
    let help = check
        .report
        .suggest(name, "outputs", outs.iter().map(|(name, _)| name.as_str()));
    let message = format!("stage `{stage}` has no output `{name}`");
    let issue = Issue::error("ref::unknown_output", *at, "unknown output", message)
        .also(check.spans[id.index()], "the stage");
    check.report.add(issue.help(help));
    None
}

fn names_of(outs: &[(String, Type)]) -> Option<String> {
    let names: Vec<&str> = outs.iter().map(|(name, _)| name.as_str()).collect();
    (!names.is_empty()).then(|| format!("`{}`", names.join("`, `")))
}

/// The type after every step; none if a step is not possible.
fn steps(check: &mut Check<'_>, mut ty: Type, steps: &[(Step, Span)]) -> Option<Type> {
    for (index, (step, at)) in steps.iter().enumerate() {
        ty = match (step, ty) {
            (_, Type::Any) => Type::Any,
            (Step::Field(_) | Step::Index(_), Type::Json) => Type::Any,
            (Step::Each, Type::Json) => return Some(Type::List(Box::new(Type::Any))),
            (Step::Each, Type::List(item) | Type::Grid(item, _)) => {
                let inner = self::steps(check, *item, &steps[index + 1..])?;
                return Some(Type::List(Box::new(inner)));
            }
            (Step::Index(_), Type::List(item) | Type::Grid(item, _)) => *item,
            (Step::Field(name), Type::Named(shape)) => shape_field(check, &shape, name, *at)?,
            (step, ty) => {
                wrong_step(check, step, &ty, *at);
                return None;
            }
        };
    }
    Some(ty)
}

fn shape_field(check: &mut Check<'_>, shape: &str, name: &str, at: Span) -> Option<Type> {
    let Some(fields) = check.shapes.get(shape) else {
        return Some(Type::Any);
    };
    if let Some(field) = fields.fields.get(name) {
        return Some(field.ty.clone());
    }
    if fields.open {
        return Some(Type::Any);
    }
    let help = check
        .report
        .suggest(name, "fields", fields.fields.keys().map(String::as_str));
    let message = format!("`{shape}` has no field `{name}`");
    let issue = Issue::error("ref::unknown_field", at, "unknown field", message);
    check.report.add(issue.help(help));
    None
}

fn wrong_step(check: &mut Check<'_>, step: &Step, ty: &Type, at: Span) {
    let (message, help) = match (step, ty) {
        (Step::Field(name), Type::List(_) | Type::Grid(..)) => (
            format!("`{ty}` has no field `{name}`"),
            Some(format!("`[*].{name}` reads it from every member")),
        ),
        (_, Type::Optional(_)) => (
            format!("`{ty}` may be absent"),
            Some("say what to take then: `default(x, y)`, or declare it without `?`".to_owned()),
        ),
        (Step::Field(name), _) => (format!("`{ty}` has no field `{name}`"), None),
        (Step::Index(_) | Step::Each, _) => (format!("`{ty}` is not a list"), None),
    };
    let issue = Issue::error("ref::no_step", at, "not possible", message);
    check.report.add(issue.help(help));
}

/// A reference to the role of a model.
pub(super) fn role(name: &str) -> Template {
    Template::Expression(Expression::Reference(Reference {
        root: Root::Model(name.to_owned()),
        steps: Vec::new(),
    }))
}

/// Null, where nothing was given.
pub(super) fn absent() -> Template {
    Template::Literal(Value::Null)
}
