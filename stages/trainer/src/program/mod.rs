//! Experiments as text: the hooks that a program defines, checked before anything runs, and calls to
//! them whose errors quote the program's line. What the hooks are called for is not known here.
//!
//! text → [`text::clean`] → parsed → every operation named in it on the list → compiled → every
//! operation after inlining on the list → every hook's arguments known.

mod hooks;
mod operations;
mod place;
mod text;

use std::collections::BTreeMap;

use kyobashi_stage::Failure;

use tch::Tensor;

use crate::torch::{Code, List, Parsed, Stack, Value};

pub(crate) use hooks::{Hook, Slot};
pub(crate) use place::failure;

/// The name of the program in messages.
pub(crate) const FILE: &str = "program.py";

/// A program that passed every check.
pub(crate) struct Program {
    code: Code,
    hooks: BTreeMap<String, Hook>,
    text: String,
}

impl Program {
    /// Compiles and checks a program.
    ///
    /// # Errors
    /// Syntax and type errors, refused operations, missing or misshapen hooks, with their place.
    pub(crate) fn read(text: &str) -> Result<Self, Failure> {
        let text = text::clean(text)?;
        let placed = |error| failure(&error, &text);
        let parsed = Parsed::read(&text, FILE).map_err(placed)?;
        operations::check(&parsed.named().map_err(placed)?, &text)?;
        let code = parsed.compile().map_err(placed)?;
        let functions = code.functions().map_err(placed)?;
        let operations: Vec<_> = functions
            .iter()
            .flat_map(|f| f.operations.clone())
            .collect();
        operations::check(&operations, &text)?;
        let hooks = hooks::read(&functions, &text)?;
        Ok(Self { code, hooks, text })
    }

    /// A hook, if the program defines it.
    pub(crate) fn hook(&self, name: &str) -> Option<&Hook> {
        self.hooks.get(name)
    }

    /// The hooks `loss_<network>` by the network's name.
    pub(crate) fn networks(&self) -> impl Iterator<Item = (&str, &Hook)> {
        self.hooks
            .iter()
            .filter_map(|(name, hook)| Some((name.strip_prefix("loss_")?, hook)))
    }

    /// Whether the text mentions `cfg["key"]` in any spelling of the quotes.
    pub(crate) fn mentions(&self, key: &str) -> bool {
        self.text.contains(&format!("\"{key}\"")) || self.text.contains(&format!("'{key}'"))
    }

    /// Calls a hook with what it asks for.
    ///
    /// # Errors
    /// What the program raised, with the program's line; a slot that the harness did not offer is ours.
    pub(crate) fn call(&self, hook: &Hook, offer: &[(Slot, &Value)]) -> Result<Value, Failure> {
        let arguments = arguments(hook, offer)?;
        self.code
            .call(&hook.c_name, &arguments)
            .map_err(|error| failure(&error, &self.text))
    }

    /// Calls a hook that returns one number, for all seeds of a stack at once ([`Stack::call`]).
    ///
    /// # Errors
    /// As [`Self::call`], and whatever cannot be done for several seeds at once.
    pub(crate) fn call_stacked(
        &self,
        hook: &Hook,
        offer: &[(Slot, &Value)],
        stack: &Stack,
        shared: &List,
    ) -> Result<Tensor, Failure> {
        let arguments = arguments(hook, offer)?;
        stack
            .call(&self.code, &hook.c_name, &arguments, shared)
            .map_err(|error| failure(&error, &self.text))
    }
}

/// What a hook asks for, in its order.
fn arguments<'v>(hook: &Hook, offer: &[(Slot, &'v Value)]) -> Result<Vec<&'v Value>, Failure> {
    let mut arguments = Vec::with_capacity(hook.slots.len());
    for slot in &hook.slots {
        let (_, value) = offer
            .iter()
            .find(|(offered, _)| offered == slot)
            .ok_or_else(|| {
                Failure::bug(format!(
                    "`{}` was not offered `{}`",
                    hook.name(),
                    slot.name()
                ))
            })?;
        arguments.push(*value);
    }
    Ok(arguments)
}
