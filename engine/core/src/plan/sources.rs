//! Which files and folders of the workspace a spec names. Pure: it only collects paths.

use std::path::Path;

use crate::spec::{Binding, Fan, Spec, Template, Work};

/// Every path that the spec names as data, once each, in the order of their texts.
#[must_use]
pub fn paths(spec: &Spec) -> Vec<&Path> {
    let mut paths = Vec::new();
    let mut add = |template| collect(template, &mut paths);
    spec.params.values().for_each(|param| add(&param.value));
    spec.outputs.iter().for_each(|binding| add(&binding.value));
    for stage in &spec.stages {
        match &stage.work {
            Work::Run { ins, with, env, .. } => {
                for binding in ins.iter().chain(with).chain(env) {
                    add(&binding.value);
                }
            }
            Work::Uses {
                ins, with, model, ..
            } => {
                for binding in ins.iter().chain(with) {
                    add(&binding.value);
                }
                model.iter().for_each(&mut add);
            }
            Work::Group { inputs, out, .. } => {
                let inputs: &[Binding] = inputs.as_deref().unwrap_or_default();
                for binding in inputs.iter().chain(out) {
                    add(&binding.value);
                }
            }
        }
        match &stage.fan {
            Fan::Matrix {
                axes,
                exclude,
                include,
            } => {
                axes.iter().for_each(|axis| add(&axis.values));
                for cell in exclude.iter().chain(include) {
                    cell.values().for_each(&mut add);
                }
            }
            Fan::Repeat { carry, .. } => {
                for carry in carry {
                    add(&carry.first);
                    add(&carry.next);
                }
            }
            Fan::Once | Fan::Foreach { .. } => {}
        }
    }
    paths.sort_unstable_by_key(|path| path.as_os_str());
    paths.dedup_by_key(|path| path.as_os_str());
    paths
}

fn collect<'s>(template: &'s Template, paths: &mut Vec<&'s Path>) {
    match template {
        Template::Path(path, _) => paths.push(path),
        Template::List(items) => items.iter().for_each(|item| collect(item, paths)),
        Template::Map(entries) => entries.iter().for_each(|(_, item)| collect(item, paths)),
        Template::Literal(_) | Template::Expression(_) | Template::Text(_) => {}
    }
}
