//! One stage: its fan, its conditions, its work, its rules.

use std::sync::Arc;

use kyobashi_stage::{Port, Type};

use super::super::report::Issue;
use super::super::source::Span;
use super::super::written::{Form, Written};
use super::super::{Binding, Expression, Policy, Resources, SHELL, Stage, StageId, Work};
use super::draft::{Draft, Kind};
use super::expression::resolve;
use super::fan::{self, Fanned};
use super::form::Given;
use super::reference::absent;
use super::scope::{Frame, Named, Scope};
use super::script;
use super::stages::{Level, Prepared, Target};
use super::state::Check;
use super::uses;
use super::value::{Strings, inferred};
use super::{group, pools};

/// Checks one stage and puts it into its place. `outside` has its siblings in view.
pub(super) fn stage(
    check: &mut Check<'_>,
    level: &Level<'_>,
    outside: &Scope<'_>,
    draft: &Draft,
    id: StageId,
    prepared: &Prepared,
) {
    let Fanned {
        mut fan,
        variables,
        carry,
    } = fan::fan(check, level, outside, draft, id);
    let inside = outside.with(Frame::Variables(&variables));
    let when = draft.when.as_ref().and_then(|when| {
        check.part(id, "when", when.span);
        single(check, &inside, when, "when")
    });
    let needs = needs(check, outside, draft);
    secrets(check, draft);
    let path = format!("{}{}", level.prefix, draft.name);
    let work = match (&prepared.target, &draft.kind) {
        (Target::Run, Kind::Run { script, span }) => {
            run(check, &inside, draft, id, prepared, script, *span)
        }
        (Target::Signature(signature), _) => {
            uses::uses(check, &inside, draft, id, signature, prepared)
        }
        (Target::Component(file), Kind::Uses { at, .. }) => {
            group::component(check, level, &inside, draft, id, file, *at, &path, prepared)
        }
        (Target::Group, Kind::Group { stages }) => {
            let carried = inside.with(Frame::Carry(&carry));
            group::group(
                check, level, &carried, draft, id, stages, &path, prepared, &mut fan,
            )
        }
        _ => {
            uses::loose(check, &inside, draft);
            return;
        }
    };
    if let Some(at) = draft.version_at {
        check.part(id, "version", at);
    }
    pools::ask(check, id, draft, &prepared.rules);
    check.stages[id.index()] = Some(Stage {
        id,
        name: draft.name.clone(),
        path,
        fan: check.fans.of(fan),
        work,
        when: when.map(Box::new),
        needs,
        policy: check.policies.of(policy(draft, prepared)),
    });
}

/// A condition: one single `${ … }` that is true or false.
pub(super) fn single(
    check: &mut Check<'_>,
    scope: &Scope<'_>,
    value: &Written,
    name: &str,
) -> Option<Expression> {
    let label = match &value.what {
        Form::Broken => return None,
        Form::Expr(expr) => {
            let (expression, ty) = resolve(check, scope, expr);
            if !ty.fits(&Type::Bool) {
                let message = format!("`{name}:` is true or false, this is {ty}");
                check.error("type::mismatch", expr.span, &ty.to_string(), message);
            }
            return Some(expression);
        }
        Form::Text(_) => "text around the reference makes this always true",
        _ => "no `${ … }`",
    };
    let issue = Issue::error(
        "type::not_one_expression",
        value.span,
        label,
        format!("`{name}:` must be a single ${{ … }}"),
    );
    check
        .report
        .add(issue.help("put the whole condition inside one ${ … }"));
    None
}

fn needs(check: &mut Check<'_>, scope: &Scope<'_>, draft: &Draft) -> Vec<StageId> {
    let mut needs = Vec::new();
    for (name, span) in &draft.needs {
        if let Some(Named::Stage(id)) = scope.named(name) {
            needs.push(id);
            continue;
        }
        let names = scope
            .stages()
            .flat_map(|stages| stages.keys().map(String::as_str));
        let help = check.report.suggest(name, "stages", names);
        let issue = Issue::error(
            "ref::unknown_stage",
            *span,
            "unknown stage",
            format!("no stage `{name}`"),
        );
        check.report.add(issue.help(help));
    }
    needs
}

fn secrets(check: &mut Check<'_>, draft: &Draft) {
    for (name, span) in &draft.secrets {
        if check.secrets.contains_key(name) {
            check.used_secrets.insert(name.clone());
            continue;
        }
        let help = check
            .report
            .suggest(name, "secrets", check.secrets.keys().map(String::as_str));
        let help = help.unwrap_or_else(|| format!("declare it: `secrets: {{{name}: {{env: …}}}}`"));
        let issue = Issue::error(
            "ref::unknown_secret",
            *span,
            "unknown secret",
            format!("no secret `{name}`"),
        );
        check.report.add(issue.help(help));
    }
}

fn run(
    check: &mut Check<'_>,
    scope: &Scope<'_>,
    draft: &Draft,
    id: StageId,
    prepared: &Prepared,
    text: &str,
    span: Span,
) -> Work {
    check.part(id, "run", span);
    script::names(check, draft);
    script::lint(check, scope, draft, text, span);
    out_types(check, draft, &prepared.ports);
    let ins = values(check, scope, id, "in", &draft.ins, Strings::Paths);
    for (given, binding) in draft.ins.iter().zip(&ins) {
        if given.value.plain().is_some()
            && given.value.string().is_none()
            && !matches!(given.value.what, Form::List(_))
        {
            let message = format!("`{}` is a value, not data", binding.name);
            let issue = Issue::error("run::value_in_in", given.value.span, "a value", message);
            check.report.add(issue.help("write it under `with:`"));
        }
    }
    let with = values(check, scope, id, "with", &draft.with, Strings::Values);
    let env = values(check, scope, id, "env", &draft.env, Strings::Values);
    for (given, binding) in draft
        .with
        .iter()
        .chain(&draft.env)
        .zip(with.iter().chain(&env))
    {
        if holds_files(&binding.ty) {
            let message = format!("`{}` is a {}, not a setting", binding.name, binding.ty);
            let issue = Issue::error(
                "run::data_in_with",
                given.value.span,
                binding.ty.to_string(),
                message,
            );
            check.report.add(issue.help("write it under `in:`"));
        }
    }
    let shell = prepared.rules.shell.clone();
    Work::Run {
        script: text.to_owned(),
        shell: Arc::new(shell.unwrap_or_else(|| SHELL.map(str::to_owned).to_vec())),
        ins,
        with,
        env,
        outs: prepared.ports.clone(),
    }
}

fn holds_files(ty: &Type) -> bool {
    match ty {
        Type::List(inner) | Type::Grid(inner, _) | Type::Optional(inner) => holds_files(inner),
        other => other.is_path(),
    }
}

/// What a script can write: one file or folder for each output.
fn out_types(check: &mut Check<'_>, draft: &Draft, ports: &[Port]) {
    for (out, port) in draft.out.iter().zip(ports) {
        let writable = match &port.ty {
            Type::Model | Type::Grid(..) | Type::Optional(_) => false,
            Type::List(inner) => !holds_files(inner) && **inner != Type::Model,
            _ => true,
        };
        if !writable {
            let message = format!("a script cannot make a {}", port.ty);
            let issue = Issue::error("run::out_type", out.value.span, "not possible", message);
            check.report.add(
                issue.help("many files are one `dir`; everything else is a file, a table or JSON"),
            );
        }
    }
}

/// Values that take their types from themselves.
pub(super) fn values(
    check: &mut Check<'_>,
    scope: &Scope<'_>,
    id: StageId,
    section: &str,
    givens: &[Given],
    strings: Strings,
) -> Vec<Binding> {
    let mut bindings = Vec::with_capacity(givens.len());
    for given in givens {
        check.part(id, format!("{section}.{}", given.name), given.value.span);
        let (value, ty) = inferred(check, scope, &given.value, strings);
        bindings.push(Binding {
            name: given.name.clone(),
            ty,
            value,
        });
    }
    bindings
}

/// A binding to nothing.
pub(super) fn unbound(name: &str, ty: &Type) -> Binding {
    Binding {
        name: name.to_owned(),
        ty: ty.clone(),
        value: absent(),
    }
}

fn policy(draft: &Draft, prepared: &Prepared) -> Policy {
    let rules = &prepared.rules;
    let amounts = rules.resources.iter();
    let amounts = amounts.map(|(pool, (amount, _))| (pool.clone(), *amount));
    Policy {
        on_error: rules.on_error.unwrap_or_default(),
        may_fail: draft.may_fail,
        cache: rules.cache.unwrap_or_default(),
        version: draft.version,
        retries: rules.retries.unwrap_or(0),
        timeout: rules.timeout,
        resources: Resources(amounts.collect()),
        secrets: draft.secrets.iter().map(|(name, _)| name.clone()).collect(),
        tags: draft.tags.clone(),
        doc: draft.doc.clone(),
    }
}
