//! `uses:` a stage type: every port of its signature gets a value, its default, or null.

use std::sync::Arc;

use kyobashi_stage::{Port, Signature, Type};
use serde_json::Value;

use super::super::report::Issue;
use super::super::{Binding, StageId, Template, Work};
use super::draft::Draft;
use super::form::Given;
use super::named::named;
use super::prompt::prompt;
use super::scope::Scope;
use super::stages::Prepared;
use super::state::Check;
use super::value::{Strings, given, inferred};
use super::work::unbound;

/// Checks the work of a stage that uses a stage type.
pub(super) fn uses(
    check: &mut Check<'_>,
    scope: &Scope<'_>,
    draft: &Draft,
    id: StageId,
    signature: &Arc<Signature>,
    prepared: &Prepared,
) -> Work {
    let bind = Bind {
        signature,
        draft,
        id,
    };
    let ins = bind.all(
        check,
        scope,
        "in",
        &signature.ins,
        &draft.ins,
        signature.open_ins,
    );
    let with = bind.all(check, scope, "with", &signature.with, &draft.with, false);
    let model = model(check, scope, draft, id, signature);
    named(check, scope, draft, signature);
    prompts(check, draft, signature, &with);
    Work::Uses {
        signature: Arc::clone(signature),
        ins,
        with,
        model,
        outs: prepared.ports.clone(),
    }
}

/// Checks the values of a stage whose type is not known, for what can be said of them alone.
pub(super) fn loose(check: &mut Check<'_>, scope: &Scope<'_>, draft: &Draft) {
    for value in draft.ins.iter().chain(&draft.with).chain(&draft.env) {
        // Paths cannot be told from other strings here.
        inferred(check, scope, &value.value, Strings::Values);
    }
    if let Some(model) = &draft.model {
        inferred(check, scope, model, Strings::Values);
    }
}

struct Bind<'b> {
    signature: &'b Signature,
    draft: &'b Draft,
    id: StageId,
}

impl Bind<'_> {
    fn all(
        &self,
        check: &mut Check<'_>,
        scope: &Scope<'_>,
        section: &str,
        ports: &[Port],
        givens: &[Given],
        open: bool,
    ) -> Vec<Binding> {
        let strings = if section == "in" {
            Strings::Paths
        } else {
            Strings::Values
        };
        let mut bindings = Vec::with_capacity(ports.len());
        for port in ports {
            bindings.push(match givens.iter().find(|given| given.name == port.name) {
                Some(value) => {
                    check.part(
                        self.id,
                        format!("{section}.{}", port.name),
                        value.value.span,
                    );
                    Binding {
                        name: port.name.clone(),
                        ty: port.ty.clone(),
                        value: given(check, scope, &value.value, &port.ty, strings, &port.name),
                    }
                }
                None => self.missing(check, section, port),
            });
        }
        for value in givens {
            if ports.iter().any(|port| port.name == value.name) {
                continue;
            }
            if open {
                check.part(
                    self.id,
                    format!("{section}.{}", value.name),
                    value.value.span,
                );
                let (template, ty) = inferred(check, scope, &value.value, strings);
                bindings.push(Binding {
                    name: value.name.clone(),
                    ty,
                    value: template,
                });
            } else {
                self.unknown(check, section, ports, value);
                inferred(check, scope, &value.value, Strings::Values);
            }
        }
        bindings
    }

    fn missing(&self, check: &mut Check<'_>, section: &str, port: &Port) -> Binding {
        let mut binding = unbound(&port.name, &port.ty);
        if let Some(default) = &port.default {
            binding.value = Template::Literal(match (&port.ty, default) {
                (Type::Float, Value::Number(number)) => {
                    number.as_f64().map_or(Value::Null, Value::from)
                }
                _ => default.clone(),
            });
        } else if port.required() {
            let message = format!(
                "`{}` needs `{}` under `{section}:`",
                self.signature.name, port.name
            );
            let issue = Issue::error("port::missing", self.draft.at, "not complete", message);
            let help = format!("add `{}: …` ({}): {}", port.name, port.ty, port.doc);
            check
                .report
                .add(issue.help(help.trim_end_matches([':', ' ']).to_owned()));
        }
        binding
    }

    fn unknown(&self, check: &mut Check<'_>, section: &str, ports: &[Port], value: &Given) {
        let other = if section == "in" {
            ("with", &self.signature.with)
        } else {
            ("in", &self.signature.ins)
        };
        let help = if other.1.iter().any(|port| port.name == value.name) {
            Some(format!("`{}` belongs under `{}:`", value.name, other.0))
        } else {
            let names = ports.iter().map(|port| port.name.as_str());
            check.report.suggest(&value.name, section, names)
        };
        let message = format!(
            "`{}` has no `{}` under `{section}:`",
            self.signature.name, value.name
        );
        let issue = Issue::error("port::unknown", value.at, "unknown", message);
        check.report.add(issue.help(help));
    }
}

fn model(
    check: &mut Check<'_>,
    scope: &Scope<'_>,
    draft: &Draft,
    id: StageId,
    signature: &Signature,
) -> Option<Template> {
    match (&draft.model, signature.model) {
        (Some(model), true) => {
            check.part(id, "model", model.span);
            Some(given(
                check,
                scope,
                model,
                &Type::Model,
                Strings::Values,
                "model",
            ))
        }
        (Some(model), false) => {
            let message = format!("`{}` works without a model", signature.name);
            check.error("port::no_model", model.span, "not used", message);
            None
        }
        (None, true) => {
            let message = format!("`{}` needs a model", signature.name);
            let issue = Issue::error("port::missing_model", draft.at, "no `model:`", message);
            check.report.add(issue.help("add `model: ${models.…}`"));
            None
        }
        (None, false) => None,
    }
}

/// Prompts are templates, and the stage passes its inputs and settings to them.
fn prompts(check: &mut Check<'_>, draft: &Draft, signature: &Signature, with: &[Binding]) {
    const PROMPTS: [&str; 2] = ["prompt", "system"];
    if !signature.with.iter().any(|port| port.name == "prompt") {
        return;
    }
    let settings = with.iter().map(|binding| binding.name.as_str());
    let inputs: Vec<&str> = draft
        .ins
        .iter()
        .map(|given| given.name.as_str())
        .chain(settings.filter(|name| !PROMPTS.contains(name)))
        .collect();
    for binding in with {
        if let (true, Template::Path(path, _)) =
            (PROMPTS.contains(&binding.name.as_str()), &binding.value)
        {
            let at = draft.with.iter().find(|given| given.name == binding.name);
            let span = at.map_or(draft.at, |given| given.value.span);
            prompt(check, path, &inputs, span);
        }
    }
}
