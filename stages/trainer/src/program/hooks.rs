//! Which functions of a program the harness calls, and with what. A hook asks for what it needs by
//! naming its arguments: `loss(p, batch)` and `loss(p, batch, step)` are both fine.

use std::collections::BTreeMap;
use std::ffi::CString;

use kyobashi_stage::Failure;

use super::place::at;
use crate::torch::Function;

/// What a hook may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    /// `p`: the parameters and constants that `init` made.
    Parameters,
    /// `batch`: rows of the data, by tensor name.
    Batch,
    /// `step`: steps done.
    Step,
    /// `cfg`: the numbers of the config.
    Config,
    /// `state`: what the hook `state` made; a program may change it in place.
    State,
    /// `metrics`: the latest values of loss and evaluation.
    Metrics,
    /// `n`: how many samples to draw.
    Count,
    /// `name`: a parameter's name.
    Name,
    /// `training`: false while evaluating.
    Training,
}

const TENSORS: &str = "Dict[str, Tensor]";
const NUMBERS: &str = "Dict[str, float]";

impl Slot {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Parameters => "p",
            Self::Batch => "batch",
            Self::Step => "step",
            Self::Config => "cfg",
            Self::State => "state",
            Self::Metrics => "metrics",
            Self::Count => "n",
            Self::Name => "name",
            Self::Training => "training",
        }
    }

    fn ty(self) -> &'static str {
        match self {
            Self::Parameters | Self::Batch | Self::State => TENSORS,
            Self::Config | Self::Metrics => NUMBERS,
            Self::Step | Self::Count => "int",
            Self::Name => "str",
            Self::Training => "bool",
        }
    }
}

/// A hook that the program defines.
#[derive(Clone, Debug)]
pub(crate) struct Hook {
    pub(super) c_name: CString,
    pub(super) slots: Vec<Slot>,
}

impl Hook {
    pub(crate) fn name(&self) -> String {
        self.c_name.to_string_lossy().into_owned()
    }
}

/// What a hook may take and must return; `docs/programs.md` explains each.
struct Form {
    offers: &'static [Slot],
    returns: &'static str,
}

/// The hooks, as messages list them.
const HOOKS: &str =
    "init, loss, loss_<network>, penalty, augment, evaluate, sample, lr_scale, group, state";

fn form(name: &str) -> Option<Form> {
    use Slot::{Batch, Config, Count, Metrics, Name, Parameters, State, Step, Training};
    const LOSS: &[Slot] = &[Parameters, Batch, Step, Training, State, Config];
    let (offers, returns): (&[Slot], &str) = match name {
        "init" => (&[Config], TENSORS),
        "state" => (&[Config, Parameters], TENSORS),
        "penalty" => (&[Parameters, Step, State, Config], "Tensor"),
        "augment" => (&[Batch, Step, State, Config], TENSORS),
        "evaluate" => (LOSS, TENSORS),
        "sample" => (&[Parameters, Count, State, Config], "Tensor"),
        "lr_scale" => (&[Step, Metrics, State, Config], "float"),
        "group" => (&[Name, Config], NUMBERS),
        "loss" => (LOSS, "Tensor"),
        _ if name.starts_with("loss_") => (LOSS, "Tensor"),
        _ => return None,
    };
    Some(Form { offers, returns })
}

/// Finds the hooks among the functions.
///
/// # Errors
/// A missing `init` or `loss`, an argument that is not offered, another type than promised, a function
/// that nothing calls (a misspelt hook would otherwise do nothing, silently).
pub(super) fn read(functions: &[Function], text: &str) -> Result<BTreeMap<String, Hook>, Failure> {
    let mut hooks = BTreeMap::new();
    for function in functions {
        let line = line_of(&function.name, text);
        let Some(form) = form(&function.name) else {
            if !is_used(&function.name, text) {
                return Err(at(
                    text,
                    line,
                    5,
                    &format!("`{}` is neither a hook nor called", function.name),
                )
                .help(format!("the hooks are {HOOKS}")));
            }
            continue;
        };
        hooks.insert(function.name.clone(), hook(function, &form, text, line)?);
    }
    for name in ["init", "loss"] {
        if !hooks.contains_key(name) {
            return Err(
                Failure::new(format!("the program does not define `{name}`")).help(
                    "every program defines init(cfg: Dict[str, float]) -> Dict[str, Tensor] and \
                 loss(p: Dict[str, Tensor], batch: Dict[str, Tensor], step: int) -> Tensor",
                ),
            );
        }
    }
    let uses_state = hooks
        .values()
        .any(|hook: &Hook| hook.slots.contains(&Slot::State));
    if uses_state && !hooks.contains_key("state") {
        return Err(Failure::new(
            "a hook takes `state`, but the program does not define state(cfg) -> Dict[str, Tensor]",
        ));
    }
    Ok(hooks)
}

fn hook(function: &Function, form: &Form, text: &str, line: u64) -> Result<Hook, Failure> {
    let name = &function.name;
    let mut slots = Vec::new();
    for argument in &function.arguments {
        let slot = form
            .offers
            .iter()
            .find(|slot| slot.name() == argument.name)
            .ok_or_else(|| {
                let message = format!(
                    "`{name}` asks for `{}`, which it is not given",
                    argument.name
                );
                at(text, line, 5, &message).help(format!("it may take {}", listed(form.offers)))
            })?;
        if argument.ty != slot.ty() {
            let message = format!(
                "`{}` of `{name}` is {}, not {}",
                argument.name,
                slot.ty(),
                argument.ty
            );
            return Err(at(text, line, 5, &message));
        }
        slots.push(*slot);
    }
    if function.returns != form.returns {
        let message = format!(
            "`{name}` returns {}, not {}",
            form.returns, function.returns
        );
        return Err(at(text, line, 5, &message));
    }
    let c_name =
        CString::new(name.as_str()).map_err(|_| Failure::new("a name holds a zero byte"))?;
    Ok(Hook { c_name, slots })
}

fn listed(slots: &[Slot]) -> String {
    let each: Vec<String> = slots
        .iter()
        .map(|slot| format!("{}: {}", slot.name(), slot.ty()))
        .collect();
    each.join(", ")
}

/// The line of a function's `def`, from 1.
fn line_of(name: &str, text: &str) -> u64 {
    let starts = |line: &str| {
        line.strip_prefix("def ")
            .and_then(|rest| rest.trim_start().strip_prefix(name))
            .is_some_and(|rest| rest.trim_start().starts_with('('))
    };
    text.lines()
        .position(starts)
        .map_or(0, |index| index as u64 + 1)
}

/// Whether a name stands anywhere but in its own `def`; `forward` is a convention and may stand alone.
fn is_used(name: &str, text: &str) -> bool {
    let of_name = |c: char| c.is_alphanumeric() || c == '_';
    let uses = text
        .match_indices(name)
        .filter(|(start, _)| {
            let before = text[..*start].chars().next_back();
            let after = text[start + name.len()..].chars().next();
            !before.is_some_and(of_name) && !after.is_some_and(of_name)
        })
        .count();
    name == "forward" || uses > 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::torch::Argument;

    fn function(name: &str, arguments: &[(&str, &str)], returns: &str) -> Function {
        Function {
            name: name.to_owned(),
            arguments: arguments
                .iter()
                .map(|(name, ty)| Argument {
                    name: (*name).to_owned(),
                    ty: (*ty).to_owned(),
                })
                .collect(),
            returns: returns.to_owned(),
            operations: Vec::new(),
        }
    }

    fn minimal() -> Vec<Function> {
        vec![
            function("init", &[("cfg", NUMBERS)], TENSORS),
            function("loss", &[("batch", TENSORS), ("p", TENSORS)], "Tensor"),
        ]
    }

    #[test]
    fn a_hook_gets_what_it_names_in_its_own_order() {
        let hooks = read(&minimal(), "def init(cfg)\ndef loss(batch, p)\n").unwrap();
        assert_eq!(hooks["loss"].slots, [Slot::Batch, Slot::Parameters]);
    }

    #[test]
    fn a_misspelt_hook_is_an_error_not_a_function_that_never_runs() {
        let mut functions = minimal();
        functions.push(function("agument", &[("batch", TENSORS)], TENSORS));
        let text = "def init(cfg)\ndef loss(batch, p)\ndef agument(batch)\n";
        let failure = read(&functions, text).unwrap_err();
        assert!(
            failure
                .message
                .starts_with("program.py:3:5: `agument` is neither"),
            "{failure}"
        );
    }

    #[test]
    fn unknown_arguments_and_other_types_are_named_with_their_line() {
        let mut functions = minimal();
        functions[1].arguments[0].name = "data".to_owned();
        let failure = read(&functions, "def init(cfg)\ndef loss(data, p)\n").unwrap_err();
        assert!(
            failure
                .message
                .starts_with("program.py:2:5: `loss` asks for `data`"),
            "{failure}"
        );
        functions = minimal();
        functions[1].returns = "float".to_owned();
        let failure = read(&functions, "def init(cfg)\n\ndef loss(batch, p)\n").unwrap_err();
        assert!(
            failure
                .message
                .starts_with("program.py:3:5: `loss` returns Tensor"),
            "{failure}"
        );
    }
}
