//! Generations: a fresh reply of a model is asked for without losing the old one. The generation enters the
//! key of a stage run and of its calls, so that all of them live side by side and going back is free.
//!
//! It does not know where the user's wishes are kept.

use super::refresh::means;
use super::schedule::Schedule;
use crate::artifact::Artifact;
use crate::exec::prepare;
use crate::plan::key::{Machine, Resolved};
use crate::plan::{Graph, NodeId};
use crate::spec::{Generation, Spec, Stage, Work};

/// A node's call, field by field, with the generation that the user wants.
pub(super) fn resolved(schedule: &Schedule<'_>, id: NodeId, machine: &Machine) -> Resolved {
    let resolved = Resolved::of(&schedule.scope(id), schedule.stage(id), machine);
    if schedule.spec.generations.is_empty() {
        return resolved;
    }
    let generation = wanted(schedule.spec, &schedule.graph, id, &resolved);
    resolved.of_generation(generation)
}

/// Whether runs of a stage ask a model, if a model plays the role.
#[must_use]
pub fn asks(stage: &Stage) -> bool {
    matches!(&stage.work, Work::Uses { signature, .. } if signature.model)
}

/// Whether two wishes can mean the same stage run.
#[must_use]
pub fn meet(spec: &Spec, one: &Generation, other: &Generation) -> bool {
    let apart = |(one, other)| one != other;
    if one.sample.zip(other.sample).is_some_and(apart) {
        return false;
    }
    let means = |wish: &Generation, stage: &Stage| {
        means(&super::refresh::path(&wish.stage), stage, &stage.path)
    };
    spec.stages
        .iter()
        .any(|stage| asks(stage) && means(one, stage) && means(other, stage))
}

/// The generation of a stage run: what the last wish that means it says; 0 where nobody answers but the
/// baseline, which has nothing else to say.
fn wanted(spec: &Spec, graph: &Graph, id: NodeId, resolved: &Resolved) -> u64 {
    let stage = spec.stage(graph.node(id).stage);
    let model = prepare::model(resolved).ok().flatten();
    if !asks(stage) || model.is_none_or(|model| model.is_baseline()) {
        return 0;
    }
    let address = graph.address(spec, id);
    let sample = resolved.get("with.sample").and_then(Artifact::plain);
    let sample = sample.and_then(|value| value.as_u64());
    let mut wishes = spec.generations.iter().rev();
    let wish = wishes.find(|wish| {
        wish.sample.is_none_or(|own| sample == Some(own)) && means(&wish.stage, stage, &address)
    });
    wish.map_or(0, |wish| wish.generation)
}
