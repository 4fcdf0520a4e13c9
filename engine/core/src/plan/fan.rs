//! The instances of a matrix or foreach: their variables and their labels. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::evaluate::{Blocked, Scope, shown};
use crate::artifact::{Artifact, Artifacts, Grid, GridCell};
use crate::spec::{Fan, Stage, Template};

/// One instance to be planted.
pub(super) struct Instance {
    pub(super) variables: Vec<(String, Artifact)>,
    pub(super) label: String,
}

/// All instances in order, with labels that differ.
///
/// # Errors
/// [`Blocked::Unknown`] while a list is not known yet.
pub(super) fn instances(scope: &Scope<'_>, stage: &Stage) -> Result<Vec<Instance>, Blocked> {
    let mut instances = match &*stage.fan {
        Fan::Matrix {
            axes,
            exclude,
            include,
        } => {
            let mut cells: Vec<Vec<(String, Artifact)>> = vec![Vec::new()];
            for axis in axes {
                let values = scope.template(&axis.values)?;
                let values = values.members().ok_or_else(|| {
                    Blocked::Problem(format!("the axis `{}` is not a list", axis.name))
                })?;
                cells = cells
                    .into_iter()
                    .flat_map(|cell| {
                        let axis = &axis.name;
                        values.iter().map(move |value| {
                            let mut cell = cell.clone();
                            cell.push((axis.clone(), value.clone()));
                            cell
                        })
                    })
                    .collect();
            }
            for rule in exclude {
                let rule = coordinates(scope, rule)?;
                cells.retain(|cell| {
                    !rule.iter().all(|(name, value)| {
                        cell.iter().any(|(own, is)| own == name && same(is, value))
                    })
                });
            }
            for cell in include {
                let mut cell = coordinates(scope, cell)?;
                // An address names the axes in the matrix's order, however the cell was written.
                cell.sort_by_key(|(name, _)| axes.iter().position(|axis| axis.name == *name));
                cells.push(cell);
            }
            cells
                .into_iter()
                .map(|cell| Instance {
                    label: matrix_label(&cell),
                    variables: cell,
                })
                .collect::<Vec<_>>()
        }
        Fan::Foreach { variable, list, .. } => {
            let members = scope.expression(list)?.members().ok_or_else(|| {
                Blocked::Problem(format!("`foreach` of `{}` is not over a list", stage.path))
            })?;
            let instances = members
                .into_iter()
                .enumerate()
                .map(|(index, member)| Instance {
                    variables: vec![(variable.clone(), member)],
                    label: index.to_string(),
                });
            instances.collect()
        }
        Fan::Once | Fan::Repeat { .. } => Vec::new(),
    };
    if let Fan::Foreach { key: Some(key), .. } = &*stage.fan {
        for instance in &mut instances {
            instance.label = label(scope, key, instance)?;
        }
    }
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    for instance in &mut instances {
        let count = seen.entry(instance.label.clone()).or_insert(0);
        *count += 1;
        if *count > 1 {
            instance.label = format!("{}#{count}", instance.label);
        }
    }
    Ok(instances)
}

/// The key of a foreach instance. It may only look into its own variable and at what is around.
fn label(scope: &Scope<'_>, key: &Template, instance: &Instance) -> Result<String, Blocked> {
    let value = scope.with_variables(&instance.variables, key)?;
    shown(&value)
}

fn coordinates(
    scope: &Scope<'_>,
    cell: &BTreeMap<String, Template>,
) -> Result<Vec<(String, Artifact)>, Blocked> {
    cell.iter()
        .map(|(name, value)| Ok((name.clone(), scope.template(value)?)))
        .collect()
}

fn same(left: &Artifact, right: &Artifact) -> bool {
    match (
        left.plain().and_then(|v| v.as_f64()),
        right.plain().and_then(|v| v.as_f64()),
    ) {
        (Some(a), Some(b)) => a == b,
        _ => left.digest() == right.digest(),
    }
}

fn matrix_label(cell: &[(String, Artifact)]) -> String {
    let parts = cell
        .iter()
        .map(|(name, value)| format!("{name}={}", short(value)));
    parts.collect::<Vec<_>>().join(",")
}

/// A coordinate in an address: a text or number as it is, an object by its `name` or `id`.
fn short(value: &Artifact) -> String {
    match value.plain() {
        Some(Value::String(text)) => text,
        Some(Value::Object(map)) => {
            let word = |name: &str| map.get(name).and_then(Value::as_str);
            match (word("name"), word("provider"), word("id")) {
                (Some(name), _, _) => name.to_owned(),
                (_, Some(provider), Some("") | None) => provider.to_owned(),
                (_, Some(provider), Some(id)) => format!("{provider}/{id}"),
                (_, _, Some(id)) => id.to_owned(),
                _ => value.digest().short(),
            }
        }
        Some(other) => other.to_string(),
        None => value.digest().short(),
    }
}

/// One instance that is done: its variables and its outputs.
pub(super) type Member<'m> = (&'m [(String, Artifact)], &'m Artifacts);

/// Gathers the outputs of the instances that are done: a list for `foreach`, a grid for `matrix`.
/// `members` holds, in order, each instance's variables and outputs.
pub(super) fn gather(stage: &Stage, names: &[String], members: &[Member<'_>]) -> Artifacts {
    let mut gathered = Artifacts::new();
    for name in names {
        let take = |outputs: &Artifacts| outputs.get(name).cloned().unwrap_or(Artifact::Absent);
        let artifact = match &*stage.fan {
            Fan::Matrix { axes, .. } => Artifact::Grid(Arc::new(Grid {
                axes: axes.iter().map(|axis| axis.name.clone()).collect(),
                cells: members
                    .iter()
                    .map(|(variables, outputs)| GridCell {
                        at: Arc::new(
                            variables
                                .iter()
                                .map(|(name, value)| {
                                    let value =
                                        value.plain().unwrap_or_else(|| short(value).into());
                                    (name.clone(), value)
                                })
                                .collect(),
                        ),
                        artifact: take(outputs),
                    })
                    .collect(),
            })),
            _ => Artifact::list(members.iter().map(|(_, outputs)| take(outputs)).collect()),
        };
        gathered.insert(name, artifact);
    }
    gathered
}
