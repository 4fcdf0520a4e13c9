//! Which names can be seen from a place, and what they stand for. It does not know values.

use std::collections::{BTreeMap, HashMap};

use kyobashi_stage::Type;

use super::super::StageId;

/// The names of one level and of everything around it, innermost first.
#[derive(Clone, Copy)]
pub(super) struct Scope<'s> {
    outer: Option<&'s Scope<'s>>,
    frame: Frame<'s>,
}

/// The names of one level.
#[derive(Clone, Copy)]
pub(super) enum Frame<'s> {
    /// The pipeline itself: `params` and `models` can be seen.
    Pipeline,
    /// A component: `inputs` can be seen, and nothing outside.
    Component(&'s BTreeMap<String, Type>),
    /// Stages side by side.
    Stages(&'s HashMap<String, StageId>),
    /// The axes of a matrix or the variable of a `foreach`.
    Variables(&'s [(String, Type)]),
    /// What a `repeat` carries.
    Carry(&'s [(String, Type)]),
}

/// What a bare name stands for.
pub(super) enum Named {
    Variable(Type),
    Stage(StageId),
}

impl<'s> Scope<'s> {
    /// The outermost level of a file.
    pub(super) fn file(frame: Frame<'s>) -> Self {
        Self { outer: None, frame }
    }

    /// One level further in.
    pub(super) fn with(&'s self, frame: Frame<'s>) -> Self {
        Self {
            outer: Some(self),
            frame,
        }
    }

    fn frames(self) -> impl Iterator<Item = Frame<'s>> + Clone {
        std::iter::successors(Some(self), |scope| scope.outer.copied()).map(|scope| scope.frame)
    }

    /// The inputs of the component around; none in a pipeline.
    pub(super) fn inputs(&self) -> Option<&'s BTreeMap<String, Type>> {
        self.frames().find_map(|frame| match frame {
            Frame::Component(inputs) => Some(inputs),
            _ => None,
        })
    }

    /// What a bare name stands for.
    pub(super) fn named(&self, name: &str) -> Option<Named> {
        self.frames().find_map(|frame| match frame {
            Frame::Variables(variables) => find(variables, name).map(Named::Variable),
            Frame::Stages(stages) => stages.get(name).copied().map(Named::Stage),
            _ => None,
        })
    }

    /// A carried value.
    pub(super) fn carried(&self, name: &str) -> Option<Type> {
        self.frames().find_map(|frame| match frame {
            Frame::Carry(values) => find(values, name),
            _ => None,
        })
    }

    /// The names of everything carried, or none outside of a `repeat`.
    pub(super) fn carries(&self) -> Option<Vec<&'s str>> {
        let mut names = None;
        for frame in self.frames() {
            if let Frame::Carry(values) = frame {
                let names: &mut Vec<&str> = names.get_or_insert_with(Vec::new);
                names.extend(values.iter().map(|(name, _)| name.as_str()));
            }
        }
        names
    }

    /// Every bare name that can be seen, in no order.
    pub(super) fn names(self) -> impl Iterator<Item = &'s str> + Clone {
        self.frames().flat_map(|frame| {
            let (variables, stages) = match frame {
                Frame::Variables(variables) => (variables, None),
                Frame::Stages(stages) => (&[][..], Some(stages)),
                _ => (&[][..], None),
            };
            let variables = variables.iter().map(|(name, _)| name.as_str());
            variables.chain(
                stages
                    .into_iter()
                    .flat_map(|stages| stages.keys().map(String::as_str)),
            )
        })
    }

    /// Every stage that can be seen, nearest level first.
    pub(super) fn stages(self) -> impl Iterator<Item = &'s HashMap<String, StageId>> + Clone {
        self.frames().filter_map(|frame| match frame {
            Frame::Stages(stages) => Some(stages),
            _ => None,
        })
    }
}

fn find(values: &[(String, Type)], name: &str) -> Option<Type> {
    values
        .iter()
        .find(|(known, _)| known == name)
        .map(|(_, ty)| ty.clone())
}
