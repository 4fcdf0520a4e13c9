//! Stages with stages inside: groups, which see what is around them, and components, which see only
//! their inputs.

use super::super::report::Issue;
use super::super::source::Span;
use super::super::{Binding, Fan, StageId, Work};
use super::draft::{self, Draft};
use super::file::File;
use super::params::{Input, input_types, inputs};
use super::policy::Rules;
use super::scope::{Frame, Scope};
use super::stages::{Level, Prepared, outs_of, publish, sorted, stages};
use super::state::Check;
use super::value::{Strings, given};
use super::work::{single, unbound, values};
use super::{params, types};

/// Components inside each other.
const MOST_LEVELS: usize = 16;

/// Checks a group. `around` has the variables of its fan and what it carries in view.
#[expect(
    clippy::too_many_arguments,
    reason = "a stage's context and its three parts"
)]
pub(super) fn group(
    check: &mut Check<'_>,
    level: &Level<'_>,
    around: &Scope<'_>,
    draft: &Draft,
    id: StageId,
    drafts: &[Draft],
    path: &str,
    prepared: &Prepared,
    fan: &mut Fan,
) -> Work {
    let prefix = format!("{path}/");
    let inner = Level {
        prefix: &prefix,
        ..*level
    };
    let siblings = stages(check, &inner, drafts, around);
    let inside = around.with(Frame::Stages(&siblings.names));
    if let (
        Fan::Repeat { until, carry, .. },
        draft::Fan::Repeat {
            until: written,
            next,
            ..
        },
    ) = (&mut *fan, draft.fan())
    {
        *until = written
            .as_ref()
            .and_then(|written| single(check, &inside, written, "until"));
        for carried in carry {
            if let Some(value) = next.iter().find(|given| given.name == carried.name) {
                check.part(id, format!("next.{}", carried.name), value.value.span);
                carried.next = given(
                    check,
                    &inside,
                    &value.value,
                    &carried.ty,
                    Strings::PathsIfThere,
                    &carried.name,
                );
            }
        }
    }
    let out = values(check, &inside, id, "out", &draft.out, Strings::Values);
    publish(check, id, draft, &prepared.rules, outs_of(&out));
    Work::Group {
        inputs: None,
        stages: siblings.ids,
        out,
    }
}

/// Checks one use of a component: its stages are opened here once more.
#[expect(
    clippy::too_many_arguments,
    reason = "a stage's context and its three parts"
)]
pub(super) fn component(
    check: &mut Check<'_>,
    level: &Level<'_>,
    scope: &Scope<'_>,
    draft: &Draft,
    id: StageId,
    file: &File,
    at: Span,
    path: &str,
    prepared: &Prepared,
) -> Work {
    head(check, file);
    let wanted = inputs(check, file);
    let bindings = bind(check, scope, draft, id, &wanted);
    for given in &draft.with {
        let issue = Issue::error(
            "spec::misplaced_key",
            given.at,
            "not here",
            "a component has no `with:`",
        );
        check
            .report
            .add(issue.help("all its inputs stand under `in:`"));
    }
    if let Some(model) = &draft.model {
        let issue = Issue::error(
            "spec::misplaced_key",
            model.span,
            "not here",
            "a component has no `model:`",
        );
        check
            .report
            .add(issue.help("give it an input of type `model`"));
    }
    if check.opening.len() >= MOST_LEVELS {
        let message = format!("components are used inside each other more than {MOST_LEVELS} deep");
        check.error("limit::imports", at, "here", message);
        return Work::Group {
            inputs: Some(bindings),
            stages: Vec::new(),
            out: Vec::new(),
        };
    }
    check.opening.push(file.path.clone());
    let (stages, out) = inside(check, level.defaults, file, &wanted, id, path);
    check.opening.pop();
    publish(check, id, draft, &prepared.rules, outs_of(&out));
    Work::Group {
        inputs: Some(bindings),
        stages,
        out,
    }
}

/// The head of a component: what it adds to the pipeline.
pub(super) fn head(check: &mut Check<'_>, file: &File) {
    types::types(check, file);
    params::secrets(check, file);
}

/// The stages of a component and its outputs, seen from inside.
pub(super) fn inside(
    check: &mut Check<'_>,
    around: &[(String, Rules)],
    file: &File,
    inputs: &[Input],
    id: StageId,
    path: &str,
) -> (Vec<StageId>, Vec<Binding>) {
    let types = input_types(inputs);
    let scope = Scope::file(Frame::Component(&types));
    let own = file
        .defaults
        .iter()
        .map(|(glob, _, rules)| (glob.clone(), rules.clone()));
    let mut defaults = around.to_vec();
    defaults.extend(sorted(own));
    let prefix = if path.is_empty() {
        String::new()
    } else {
        format!("{path}/")
    };
    let level = Level {
        file,
        prefix: &prefix,
        defaults: &defaults,
    };
    let siblings = stages(check, &level, &file.stages, &scope);
    let scope = scope.with(Frame::Stages(&siblings.names));
    let out = values(check, &scope, id, "out", &file.outputs, Strings::Values);
    (siblings.ids, out)
}

fn bind(
    check: &mut Check<'_>,
    scope: &Scope<'_>,
    draft: &Draft,
    id: StageId,
    inputs: &[Input],
) -> Vec<Binding> {
    let mut bindings = Vec::with_capacity(inputs.len());
    for input in inputs {
        let mut binding = unbound(&input.name, &input.ty);
        let written = draft.ins.iter().find(|given| given.name == input.name);
        if let Some(value) = written {
            check.part(id, format!("in.{}", input.name), value.value.span);
            binding.value = given(
                check,
                scope,
                &value.value,
                &input.ty,
                Strings::Paths,
                &input.name,
            );
        } else if let Some(default) = &input.default {
            let value = check.form().written(default);
            let none = Scope::file(Frame::Pipeline);
            binding.value = given(check, &none, &value, &input.ty, Strings::Paths, &input.name);
        } else if !matches!(input.ty, kyobashi_stage::Type::Optional(_)) {
            let message = format!("this component needs `{}` under `in:`", input.name);
            let issue = Issue::error("port::missing", draft.at, "not complete", message);
            let issue = issue.also(input.at, "declared here");
            check
                .report
                .add(issue.help(format!("add `{}: …` ({})", input.name, input.ty)));
        }
        bindings.push(binding);
    }
    for value in &draft.ins {
        if !inputs.iter().any(|input| input.name == value.name) {
            let names = inputs.iter().map(|input| input.name.as_str());
            let help = check.report.suggest(&value.name, "inputs", names);
            let message = format!("this component has no input `{}`", value.name);
            let issue = Issue::error("port::unknown", value.at, "unknown", message);
            check.report.add(issue.help(help));
        }
    }
    bindings
}
