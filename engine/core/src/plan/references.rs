//! Which nodes a node's expressions read. Pure.

use std::collections::BTreeMap;

use super::evaluate::Scope;
use super::graph::{Edge, NodeId};
use crate::spec::{Binding, Expression, Fan, Function, Root, Stage, Template, TextPart, Work};

/// The nodes found so far; a hard reading wins over a soft one.
pub(super) struct Found<'a> {
    scope: Scope<'a>,
    edges: BTreeMap<NodeId, Edge>,
}

impl<'a> Found<'a> {
    pub(super) fn new(scope: Scope<'a>) -> Self {
        Self {
            scope,
            edges: BTreeMap::new(),
        }
    }

    pub(super) fn edges(self) -> impl Iterator<Item = (NodeId, Edge)> {
        self.edges.into_iter()
    }

    /// Everything that one run of a stage reads.
    pub(super) fn call(&mut self, stage: &Stage) {
        self.gate(stage);
        match &stage.work {
            Work::Run { ins, with, env, .. } => {
                self.bindings(ins);
                self.bindings(with);
                self.bindings(env);
            }
            Work::Uses {
                ins, with, model, ..
            } => {
                self.bindings(ins);
                self.bindings(with);
                if let Some(model) = model {
                    self.template(model, Edge::Hard);
                }
            }
            Work::Group { .. } => {}
        }
    }

    /// What decides whether a stage runs at all, and the order asked for.
    pub(super) fn gate(&mut self, stage: &Stage) {
        if let Some(when) = &stage.when {
            self.expression(when, Edge::Hard);
        }
        for &id in &stage.needs {
            if let Some(face) = self.scope.graph.face(self.scope.frame, id) {
                self.add(face, Edge::Soft);
            }
        }
    }

    /// What decides how many instances there are, or the first round.
    pub(super) fn fan(&mut self, stage: &Stage) {
        match &*stage.fan {
            Fan::Once => {}
            Fan::Matrix {
                axes,
                exclude,
                include,
            } => {
                for axis in axes {
                    self.template(&axis.values, Edge::Hard);
                }
                for template in exclude.iter().chain(include).flat_map(BTreeMap::values) {
                    self.template(template, Edge::Hard);
                }
            }
            Fan::Foreach { list, .. } => self.expression(list, Edge::Hard),
            Fan::Repeat { max, carry, .. } => {
                self.gate(stage);
                self.template(max, Edge::Hard);
                for carry in carry {
                    self.template(&carry.first, Edge::Hard);
                }
            }
        }
    }

    fn bindings(&mut self, bindings: &[Binding]) {
        for binding in bindings {
            let edge = match binding.ty {
                kyobashi_stage::Type::Optional(_) => Edge::Soft,
                _ => Edge::Hard,
            };
            self.template(&binding.value, edge);
        }
    }

    fn template(&mut self, template: &Template, edge: Edge) {
        match template {
            Template::Literal(_) | Template::Path(..) => {}
            Template::Expression(expression) => self.expression(expression, edge),
            Template::Text(parts) => {
                for part in parts {
                    if let TextPart::Expression(expression) = part {
                        self.expression(expression, edge);
                    }
                }
            }
            Template::List(items) => items.iter().for_each(|item| self.template(item, edge)),
            Template::Map(entries) => entries
                .iter()
                .for_each(|(_, item)| self.template(item, edge)),
        }
    }

    fn expression(&mut self, expression: &Expression, edge: Edge) {
        match expression {
            Expression::Literal(_) => {}
            Expression::Reference(reference) => self.root(&reference.root, edge),
            Expression::Not(inner) | Expression::Minus(inner) => self.expression(inner, edge),
            Expression::Binary(_, left, right) => {
                self.expression(left, edge);
                self.expression(right, edge);
            }
            Expression::Call(Function::Default, arguments) => {
                for argument in arguments {
                    self.expression(argument, Edge::Soft);
                }
            }
            Expression::Call(_, arguments) => {
                arguments
                    .iter()
                    .for_each(|argument| self.expression(argument, edge));
            }
        }
    }

    fn root(&mut self, root: &Root, edge: Edge) {
        match root {
            Root::Output(stage, _) => {
                if let Some(face) = self.scope.graph.face(self.scope.frame, *stage) {
                    self.add(face, edge);
                }
            }
            Root::Input(name) => {
                if let Some((outside, binding)) = self.scope.input(name) {
                    let inside = std::mem::replace(&mut self.scope.frame, outside);
                    let edge = match binding.ty {
                        kyobashi_stage::Type::Optional(_) => Edge::Soft,
                        _ => edge,
                    };
                    self.template(&binding.value, edge);
                    self.scope.frame = inside;
                }
            }
            // Variables and carried values were computed when their frame was opened.
            Root::Param(_) | Root::Model(_) | Root::Variable(_) | Root::Carry(_) => {}
        }
    }

    fn add(&mut self, node: NodeId, edge: Edge) {
        let known = self.edges.entry(node).or_insert(edge);
        if edge == Edge::Hard {
            *known = Edge::Hard;
        }
    }
}
