//! Parameters, their gradients and their update. A network is a set of parameters with a loss of its
//! own; the main network has `loss`, and `loss_critic` makes the parameters `critic.…` another one.

use kyobashi_stage::Failure;
use tch::{Kind, Tensor};

use super::ours;
use super::settings::{Optimizer, Settings};
use crate::program::{Program, Slot};
use crate::torch::{self, Adam, List, TorchError, Value};

/// The parameters of one loss.
pub(crate) struct Network {
    /// Empty for the main network.
    pub(crate) name: String,
    /// Its rate relative to the main one, and every how many steps it is updated.
    pub(crate) rate: f64,
    pub(crate) every: u64,
    pub(crate) parameters: List,
    /// Whether the first dimension of every tensor is that of the seeds, each with a norm of its own.
    pub(crate) stacked: bool,
    parts: Vec<Part>,
}

/// Parameters that share their factors, with the optimiser's memory of them.
struct Part {
    factors: Factors,
    indices: Vec<usize>,
    parameters: List,
    first: List,
    second: List,
    steps: List,
    /// The optimiser's memory once more, by name.
    named: Vec<(String, Tensor)>,
}

/// What the hook `group` says of a parameter, relative to the config.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Factors {
    lr: f64,
    weight_decay: f64,
}

/// Parts the trainable parameters into networks; `named` holds all of `p` in its order.
///
/// # Errors
/// If the hook `group` fails or names another factor, or a network has no parameters.
pub(crate) fn networks(
    program: &Program,
    settings: &Settings,
    config: &Value,
    named: &[(String, Tensor)],
) -> Result<Vec<Network>, Failure> {
    let extra: Vec<&str> = program.networks().map(|(name, _)| name).collect();
    let owner = |name: &str| {
        let first = name.split('.').next().unwrap_or_default();
        extra
            .iter()
            .find(|network| **network == first && name.contains('.'))
            .copied()
    };
    let mut networks = Vec::new();
    for network in std::iter::once(None).chain(extra.iter().copied().map(Some)) {
        let own: Vec<&(String, Tensor)> = named
            .iter()
            .filter(|(name, _)| is_trained(name) && owner(name) == network)
            .collect();
        if own.is_empty() {
            let whose = network.map_or_else(
                || {
                    "the program has no parameters: `init` returned only names that begin with `_`"
                        .to_owned()
                },
                |name| format!("`loss_{name}` has no parameters: none is named `{name}.…`"),
            );
            return Err(Failure::new(whose));
        }
        let number = |key: String, or: f64| settings.numbers.get(&key).copied().unwrap_or(or);
        let name = network.unwrap_or_default().to_owned();
        networks.push(Network {
            rate: network.map_or(1.0, |name| {
                number(format!("lr_{name}"), settings.lr) / settings.lr
            }),
            every: network
                .map_or(1.0, |name| number(format!("every_{name}"), 1.0))
                .max(1.0) as u64,
            parameters: List::new(own.iter().map(|(_, tensor)| tensor)),
            stacked: false,
            parts: parts(program, config, &own)?,
            name,
        });
    }
    Ok(networks)
}

/// Whether a tensor of `p` is trained; constants have names that begin with `_`.
pub(crate) fn is_trained(name: &str) -> bool {
    !name.starts_with('_')
}

fn parts(
    program: &Program,
    config: &Value,
    own: &[&(String, Tensor)],
) -> Result<Vec<Part>, Failure> {
    let mut groups: Vec<(Factors, Vec<usize>)> = Vec::new();
    for (index, (name, _)) in own.iter().enumerate() {
        let factors = factors(program, config, name)?;
        match groups.iter_mut().find(|(known, _)| *known == factors) {
            Some((_, indices)) => indices.push(index),
            None => groups.push((factors, vec![index])),
        }
    }
    let mut parts = Vec::with_capacity(groups.len());
    for (factors, indices) in groups {
        let tensors: Vec<&Tensor> = indices.iter().map(|index| &own[*index].1).collect();
        let mut memory = [Vec::new(), Vec::new(), Vec::new()];
        for tensor in &tensors {
            let zeros = || tensor.f_detach().and_then(|tensor| tensor.f_zeros_like());
            memory[0].push(zeros().map_err(ours)?);
            memory[1].push(zeros().map_err(ours)?);
            let count = Tensor::f_zeros([] as [i64; 0], (Kind::Float, tensor.device()));
            memory[2].push(count.map_err(ours)?);
        }
        let mut named = Vec::new();
        for (role, tensors) in ["first", "second", "steps"].iter().zip(&memory) {
            for (index, tensor) in indices.iter().zip(tensors) {
                named.push((format!("{role}.{}", own[*index].0), tensor.shallow_clone()));
            }
        }
        let [first, second, steps] = memory.map(|tensors| List::new(&tensors));
        parts.push(Part {
            factors,
            parameters: List::new(tensors.iter().copied()),
            first,
            second,
            steps,
            named,
            indices,
        });
    }
    Ok(parts)
}

fn factors(program: &Program, config: &Value, name: &str) -> Result<Factors, Failure> {
    let mut factors = Factors {
        lr: 1.0,
        weight_decay: 1.0,
    };
    let Some(hook) = program.hook("group") else {
        return Ok(factors);
    };
    let name_value = Value::text(name).map_err(ours)?;
    let offer = [(Slot::Name, &name_value), (Slot::Config, config)];
    for (key, factor) in program.call(hook, &offer)?.to_numbers().map_err(ours)? {
        match key.as_str() {
            "lr" => factors.lr = factor,
            "weight_decay" => factors.weight_decay = factor,
            _ => {
                return Err(Failure::new(format!(
                    "`group` returned `{key}` for `{name}`; it may return `lr` and `weight_decay`, \
                     factors of the config's values"
                )));
            }
        }
    }
    Ok(factors)
}

impl Network {
    /// What the optimiser remembers, by name.
    pub(crate) fn memory(&self) -> impl Iterator<Item = &(String, Tensor)> {
        self.parts.iter().flat_map(|part| &part.named)
    }

    /// One update by the gradient of `loss` at the learning rate `lr`.
    pub(crate) fn update(
        &mut self,
        loss: &Tensor,
        lr: f64,
        settings: &Settings,
    ) -> Result<(), TorchError> {
        let gradients = torch::gradients(loss, &self.parameters)?;
        if settings.clip > 0.0 && self.stacked {
            torch::clip_each(&gradients, settings.clip)?;
        } else if settings.clip > 0.0 {
            torch::clip(&gradients, settings.clip)?;
        }
        for part in &mut self.parts {
            part.update(&gradients.pick(&part.indices), lr * self.rate, settings)?;
        }
        Ok(())
    }
}

impl Part {
    fn update(&mut self, gradients: &List, lr: f64, settings: &Settings) -> Result<(), TorchError> {
        let lr = lr * self.factors.lr;
        let weight_decay = settings.weight_decay * self.factors.weight_decay;
        match settings.optimizer {
            Optimizer::Sgd => {
                let with = [lr, settings.momentum, weight_decay];
                torch::sgd(&self.parameters, gradients, &self.first, with)
            }
            Optimizer::AdamW | Optimizer::Adam => {
                let with = Adam {
                    lr,
                    beta1: settings.beta1,
                    beta2: settings.beta2,
                    weight_decay,
                    epsilon: settings.epsilon,
                    decoupled: settings.optimizer == Optimizer::AdamW,
                };
                let memory = [&self.first, &self.second, &self.steps];
                torch::adam(&self.parameters, gradients, memory, with)
            }
        }
    }
}
