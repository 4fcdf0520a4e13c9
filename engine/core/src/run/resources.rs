//! What stages take of the machine, and what it has. Pure.

use std::collections::BTreeMap;

use super::drive::RunError;
use crate::spec::Spec;

/// Named amounts: of the machine, or of one stage.
pub type Amounts = BTreeMap<String, f64>;

/// What a stage takes: one core unless it says otherwise.
#[must_use]
pub fn amounts(wanted: &Amounts) -> Amounts {
    let mut amounts = wanted.clone();
    amounts.entry("cpus".to_owned()).or_insert(1.0);
    amounts
}

/// What there is for the stages of a spec.
///
/// # Errors
/// The stage that asks for more than the machine has.
pub(super) fn available(spec: &Spec, machine: &Amounts) -> Result<Amounts, RunError> {
    let have = pools(spec, machine);
    satisfiable(spec, &have)?;
    Ok(have)
}

/// What the machine has, and of each pool that it does not know as much as the greediest stage asks for:
/// a pool of one licence then lets one stage run at a time.
fn pools(spec: &Spec, machine: &Amounts) -> Amounts {
    let mut have = machine.clone();
    for stage in &spec.stages {
        for (name, wanted) in &stage.policy.resources.0 {
            if !machine.contains_key(name) {
                let own = have.entry(name.clone()).or_insert(*wanted);
                *own = own.max(*wanted);
            }
        }
    }
    have
}

fn satisfiable(spec: &Spec, have: &Amounts) -> Result<(), RunError> {
    for stage in &spec.stages {
        for (name, wanted) in &stage.policy.resources.0 {
            let own = have.get(name).copied().unwrap_or(0.0);
            if *wanted > own + 1e-9 {
                return Err(RunError::Unsatisfiable(format!(
                    "stage `{}` asks for {wanted} {name}, and there are {own} here",
                    stage.path
                )));
            }
        }
    }
    Ok(())
}
