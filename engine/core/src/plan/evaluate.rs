//! What a template of the spec is worth, seen from a frame of the graph.
//!
//! Pure: reads the graph, the results so far and the digests of the source files. It does not know
//! whether the caller plans or runs; what is not settled yet is [`Blocked::Unknown`].

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::sync::Arc;

use kyobashi_stage::Type;
use serde_json::Value;

use super::functions;
use super::graph::{FrameId, FrameKind, Graph, NodeId};
use crate::artifact::{Artifact, Artifacts, Grid, GridCell};
use crate::spec::{
    Binary, Binding, Expression, Function, Reference, Root, Spec, Step, Template, TextPart, Work,
};

/// The files and folders that the spec names, by the path written there. The text of a path is compared
/// much faster than its parts.
pub type Sources = BTreeMap<OsString, Artifact>;

/// How a node ended, or that it has not.
#[derive(Clone, Debug, Default)]
pub enum Settled {
    #[default]
    Not,
    Done(Arc<Artifacts>),
    Failed(Arc<Cause>),
    /// By `when`, or because it needs an output of a skipped stage.
    Skipped,
    /// Something that it needs failed.
    Cut(Arc<Cause>),
    /// Only while planning: it would run, and what it makes is not known.
    Unknown,
}

/// The failure at the root of a failed or cut node.
#[derive(Clone, Debug, PartialEq)]
pub struct Cause {
    pub address: String,
    pub message: String,
}

/// Why there is no value.
#[derive(Clone, Debug, PartialEq)]
pub enum Blocked {
    /// Not settled yet.
    Unknown,
    /// The value is absent, and the expression does not say what then.
    Absent,
    /// The expression cannot be computed: `division by zero`.
    Problem(String),
}

/// A place to evaluate from.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    pub spec: &'a Spec,
    pub graph: &'a Graph,
    pub results: &'a [Settled],
    pub sources: &'a Sources,
    pub frame: FrameId,
    /// Variables of an instance that has no frame yet.
    pub extra: &'a [(String, Artifact)],
}

impl<'a> Scope<'a> {
    /// The value of a template where these variables are seen as well.
    pub(super) fn with_variables(
        &self,
        variables: &[(String, Artifact)],
        template: &Template,
    ) -> Result<Artifact, Blocked> {
        Scope {
            extra: variables,
            ..*self
        }
        .template(template)
    }

    fn at(self, frame: FrameId) -> Self {
        Self { frame, ..self }
    }

    /// The value of a binding, in the form that its type wants.
    ///
    /// # Errors
    /// See [`Blocked`]; an optional or `any` binding takes an absent value.
    pub fn binding(&self, binding: &Binding) -> Result<Artifact, Blocked> {
        match self.template(&binding.value) {
            Ok(artifact) if artifact.is_absent() => match binding.ty {
                Type::Optional(_) | Type::Json | Type::Any => Ok(Artifact::value(Value::Null)),
                _ => Err(Blocked::Absent),
            },
            Ok(artifact) => Ok(coerce(artifact, &binding.ty)),
            Err(Blocked::Absent) if matches!(binding.ty, Type::Optional(_)) => {
                Ok(Artifact::value(Value::Null))
            }
            Err(blocked) => Err(blocked),
        }
    }

    /// The value of a template.
    ///
    /// # Errors
    /// See [`Blocked`].
    pub fn template(&self, template: &Template) -> Result<Artifact, Blocked> {
        match template {
            Template::Literal(value) => Ok(Artifact::value(value.clone())),
            Template::Path(path, _) => self
                .sources
                .get(path.as_os_str())
                .cloned()
                .ok_or_else(|| Blocked::Problem(format!("{} was not read", path.display()))),
            Template::Expression(expression) => self.expression(expression),
            Template::Text(parts) => {
                let mut text = String::new();
                for part in parts {
                    match part {
                        TextPart::Text(piece) => text.push_str(piece),
                        TextPart::Expression(expression) => {
                            text.push_str(&shown(&self.expression(expression)?)?);
                        }
                    }
                }
                Ok(Artifact::value(text))
            }
            Template::List(items) => {
                let items = items.iter().map(|item| self.template(item));
                gathered(items.collect::<Result<Vec<_>, _>>()?)
            }
            Template::Map(entries) => {
                let mut map = serde_json::Map::new();
                for (name, template) in entries {
                    let value = self.template(template)?.plain().ok_or_else(|| {
                        Blocked::Problem(format!(
                            "`{name}` is a file, which cannot stand inside a map"
                        ))
                    })?;
                    map.insert(name.clone(), value);
                }
                Ok(Artifact::value(map))
            }
        }
    }

    /// Whether a condition holds.
    ///
    /// # Errors
    /// See [`Blocked`].
    pub fn condition(&self, expression: &Expression) -> Result<bool, Blocked> {
        let value = self.expression(expression)?;
        value
            .plain()
            .and_then(|value| value.as_bool())
            .ok_or_else(|| Blocked::Problem("the condition is not true or false".to_owned()))
    }

    /// The value of an expression.
    ///
    /// # Errors
    /// See [`Blocked`].
    pub fn expression(&self, expression: &Expression) -> Result<Artifact, Blocked> {
        match expression {
            Expression::Literal(value) => Ok(Artifact::value(value.clone())),
            Expression::Reference(reference) => self.reference(reference),
            Expression::Not(inner) => Ok(Artifact::value(!self.condition(inner)?)),
            Expression::Minus(inner) => functions::negate(&self.expression(inner)?),
            Expression::Binary(Binary::And, left, right) => Ok(Artifact::value(
                self.condition(left)? && self.condition(right)?,
            )),
            Expression::Binary(Binary::Or, left, right) => Ok(Artifact::value(
                self.condition(left)? || self.condition(right)?,
            )),
            Expression::Binary(operator, left, right) => {
                functions::binary(*operator, &self.expression(left)?, &self.expression(right)?)
            }
            Expression::Call(Function::Default, arguments) => {
                let [first, second] = arguments.as_slice() else {
                    return Err(Blocked::Problem("`default` takes two arguments".to_owned()));
                };
                match self.expression(first) {
                    Ok(value) if !value.is_absent() => Ok(value),
                    Ok(_) | Err(Blocked::Absent) => self.expression(second),
                    Err(blocked) => Err(blocked),
                }
            }
            Expression::Call(Function::If, arguments) => {
                let [condition, yes, no] = arguments.as_slice() else {
                    return Err(Blocked::Problem("`if` takes three arguments".to_owned()));
                };
                self.expression(if self.condition(condition)? { yes } else { no })
            }
            Expression::Call(function, arguments) => {
                let arguments = arguments.iter().map(|argument| self.expression(argument));
                functions::call(*function, &arguments.collect::<Result<Vec<_>, _>>()?)
            }
        }
    }

    fn reference(&self, reference: &Reference) -> Result<Artifact, Blocked> {
        let root = self.root(&reference.root)?;
        follow(&root, &reference.steps)
    }

    fn root(&self, root: &Root) -> Result<Artifact, Blocked> {
        match root {
            Root::Param(name) => match self.spec.params.get(name) {
                Some(param) => Ok(coerce(self.template(&param.value)?, &param.ty)),
                None => Err(lost("parameter", name)),
            },
            Root::Model(role) => match self.spec.models.get(role) {
                Some(model) => Ok(Artifact::value(
                    serde_json::to_value(model).expect("a model is JSON"),
                )),
                None => Err(lost("model", role)),
            },
            Root::Input(name) => {
                let (outside, binding) = self.input(name).ok_or_else(|| lost("input", name))?;
                self.at(outside).binding(binding)
            }
            Root::Variable(name) => self.variable(name).ok_or_else(|| lost("variable", name)),
            Root::Carry(name) => self.carry(name).ok_or_else(|| lost("carried value", name)),
            Root::Output(stage, output) => {
                let face = self
                    .graph
                    .face(self.frame, *stage)
                    .ok_or_else(|| lost("stage", &self.spec.stage(*stage).path))?;
                self.output(face, output)
            }
        }
    }

    fn output(&self, node: NodeId, output: &str) -> Result<Artifact, Blocked> {
        match self.results.get(node.index()).unwrap_or(&Settled::Not) {
            Settled::Done(outputs) => match outputs.get(output) {
                None | Some(Artifact::Absent) => Err(Blocked::Absent),
                Some(artifact) => Ok(artifact.clone()),
            },
            Settled::Not | Settled::Unknown => Err(Blocked::Unknown),
            Settled::Failed(_) | Settled::Skipped | Settled::Cut(_) => Err(Blocked::Absent),
        }
    }

    /// An input of the component around, and the frame from which it is seen.
    pub(super) fn input(&self, name: &str) -> Option<(FrameId, &'a Binding)> {
        let (_, frame) = self
            .graph
            .outwards(self.frame)
            .find(|(_, frame)| matches!(frame.kind, FrameKind::Component))?;
        let Work::Group {
            inputs: Some(inputs),
            ..
        } = &self.spec.stage(frame.stage?).work
        else {
            return None;
        };
        Some((
            frame.parent?,
            inputs.iter().find(|input| input.name == name)?,
        ))
    }

    fn variable(&self, name: &str) -> Option<Artifact> {
        if let Some((_, value)) = self.extra.iter().find(|(own, _)| own == name) {
            return Some(value.clone());
        }
        self.graph
            .outwards(self.frame)
            .find_map(|(_, frame)| match &frame.kind {
                FrameKind::Instance { variables, .. } => variables
                    .iter()
                    .find(|(own, _)| own == name)
                    .map(|(_, value)| value.clone()),
                _ => None,
            })
    }

    fn carry(&self, name: &str) -> Option<Artifact> {
        self.graph
            .outwards(self.frame)
            .find_map(|(_, frame)| match &frame.kind {
                FrameKind::Round { carry, .. } => carry
                    .iter()
                    .find(|(own, _)| own == name)
                    .map(|(_, value)| value.clone()),
                _ => None,
            })
    }
}

fn lost(what: &str, name: &str) -> Blocked {
    Blocked::Problem(format!("no {what} `{name}` here"))
}

fn follow(artifact: &Artifact, steps: &[Step]) -> Result<Artifact, Blocked> {
    let Some((step, rest)) = steps.split_first() else {
        return Ok(artifact.clone());
    };
    match step {
        Step::Each => {
            let members = artifact.members().ok_or_else(|| {
                Blocked::Problem("`[*]` stands after something that is no list".to_owned())
            })?;
            let mapped = members.iter().map(|member| follow(member, rest));
            let mapped = mapped.collect::<Result<Vec<_>, _>>()?;
            match artifact {
                Artifact::Grid(grid) => Ok(regrid(grid, mapped)),
                _ => Ok(Artifact::list(mapped)),
            }
        }
        Step::Field(name) => {
            let field = match artifact {
                Artifact::Value(value) => value.get(name).cloned(),
                _ => None,
            };
            match field {
                Some(value) if !value.is_null() => follow(&Artifact::value(value), rest),
                _ => Err(Blocked::Absent),
            }
        }
        Step::Index(index) => {
            let members = artifact.members().unwrap_or_default();
            let length = members.len();
            let position = if *index < 0 {
                length.checked_sub(index.unsigned_abs() as usize)
            } else {
                usize::try_from(*index).ok()
            };
            match position.and_then(|position| members.get(position)) {
                Some(member) => follow(member, rest),
                None => Err(Blocked::Problem(format!(
                    "the list has {length} members, no [{index}]"
                ))),
            }
        }
    }
}

fn regrid(grid: &Grid, artifacts: Vec<Artifact>) -> Artifact {
    let cells = grid
        .cells
        .iter()
        .zip(artifacts)
        .map(|(cell, artifact)| GridCell {
            at: cell.at.clone(),
            artifact,
        })
        .collect();
    Artifact::Grid(Arc::new(Grid {
        axes: grid.axes.clone(),
        cells,
    }))
}

/// A list as one JSON value where that is possible, so that it equals the same list written out.
fn gathered(items: Vec<Artifact>) -> Result<Artifact, Blocked> {
    let list = Artifact::list(items);
    Ok(match list.plain() {
        Some(value) => Artifact::value(value),
        None => list,
    })
}

/// Puts a value into the form that a type wants: `1` as a float is `1.0`, so that both spellings
/// are one key.
fn coerce(artifact: Artifact, ty: &Type) -> Artifact {
    match (ty, &artifact) {
        (Type::Optional(inner), _) => coerce(artifact, inner),
        (Type::Float, Artifact::Value(value)) => match value.as_f64() {
            Some(number) if !value.is_f64() => Artifact::value(number),
            _ => artifact,
        },
        (Type::List(inner), Artifact::Value(value)) if **inner == Type::Float => {
            match value.as_array() {
                Some(items) => Artifact::value(
                    items
                        .iter()
                        .map(|item| item.as_f64().map_or(item.clone(), Value::from))
                        .collect::<Vec<_>>(),
                ),
                None => artifact,
            }
        }
        _ => artifact,
    }
}

/// A value inside a text.
pub(super) fn shown(artifact: &Artifact) -> Result<String, Blocked> {
    match artifact.plain() {
        Some(Value::String(text)) => Ok(text),
        Some(value @ (Value::Bool(_) | Value::Number(_))) => Ok(value.to_string()),
        _ => Err(Blocked::Problem(
            "a list, an object or a file cannot stand inside a text".to_owned(),
        )),
    }
}
