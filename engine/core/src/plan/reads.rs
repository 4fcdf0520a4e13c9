//! What the templates and expressions of a stage name: files and folders of the workspace, and stages
//! whose outputs they read. Pure.

use std::path::Path;

use crate::spec::{Expression, Fan, Root, Stage, StageId, Template, TextPart, Work};

/// Something that is read.
pub(super) enum Read<'s> {
    /// A file or folder, as it is written in the spec.
    Path(&'s Path),
    /// A stage: one of its outputs, or its end.
    Stage(StageId),
}

/// Everything that a stage reads itself; of a group, without the stages inside.
pub(super) fn of_stage<'s>(stage: &'s Stage, see: &mut impl FnMut(Read<'s>)) {
    if let Some(when) = &stage.when {
        of_expression(when, see);
    }
    stage.needs.iter().for_each(|id| see(Read::Stage(*id)));
    match &stage.work {
        Work::Run { ins, with, env, .. } => {
            for binding in ins.iter().chain(with).chain(env) {
                of_template(&binding.value, see);
            }
        }
        Work::Uses {
            ins, with, model, ..
        } => {
            for binding in ins.iter().chain(with) {
                of_template(&binding.value, see);
            }
            if let Some(model) = model {
                of_template(model, see);
            }
        }
        Work::Group { inputs, out, .. } => {
            for binding in inputs.iter().flatten().chain(out) {
                of_template(&binding.value, see);
            }
        }
    }
    of_fan(&stage.fan, see);
}

fn of_fan<'s>(fan: &'s Fan, see: &mut impl FnMut(Read<'s>)) {
    match fan {
        Fan::Once => {}
        Fan::Matrix {
            axes,
            exclude,
            include,
        } => {
            axes.iter().for_each(|axis| of_template(&axis.values, see));
            for template in exclude.iter().chain(include).flat_map(|cell| cell.values()) {
                of_template(template, see);
            }
        }
        Fan::Foreach { list, key, .. } => {
            of_expression(list, see);
            if let Some(key) = key {
                of_template(key, see);
            }
        }
        Fan::Repeat {
            max, until, carry, ..
        } => {
            of_template(max, see);
            if let Some(until) = until {
                of_expression(until, see);
            }
            for carry in carry {
                of_template(&carry.first, see);
                of_template(&carry.next, see);
            }
        }
    }
}

/// Everything that a template reads.
pub(super) fn of_template<'s>(template: &'s Template, see: &mut impl FnMut(Read<'s>)) {
    match template {
        Template::Path(path, _) => see(Read::Path(path)),
        Template::Expression(expression) => of_expression(expression, see),
        Template::Text(parts) => {
            for part in parts {
                if let TextPart::Expression(expression) = part {
                    of_expression(expression, see);
                }
            }
        }
        Template::List(items) => items.iter().for_each(|item| of_template(item, see)),
        Template::Map(entries) => entries.iter().for_each(|(_, item)| of_template(item, see)),
        Template::Literal(_) => {}
    }
}

fn of_expression<'s>(expression: &'s Expression, see: &mut impl FnMut(Read<'s>)) {
    match expression {
        Expression::Literal(_) => {}
        // What stands for an input is read where the component is used.
        Expression::Reference(reference) => {
            if let Root::Output(stage, _) = &reference.root {
                see(Read::Stage(*stage));
            }
        }
        Expression::Not(inner) | Expression::Minus(inner) => of_expression(inner, see),
        Expression::Binary(_, left, right) => {
            of_expression(left, see);
            of_expression(right, see);
        }
        Expression::Call(_, arguments) => {
            arguments
                .iter()
                .for_each(|argument| of_expression(argument, see));
        }
    }
}
