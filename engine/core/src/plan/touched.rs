//! What has to be gone through again after some files have changed, told from the spec alone. Pure.
//!
//! It is told by stages of the top level: one that names a changed file, or reads another that has to be
//! gone through, has to be gone through with all that is inside it; and so has what it reads, where that
//! is more than one stage run. What it comes to may still be what was there.

use std::collections::BTreeSet;
use std::path::Path;

use super::reads::{Read, of_stage, of_template};
use super::sources::paths_of;
use crate::spec::{Fan, Spec, Stage, StageId, Work};

/// What has to be gone through again, and what that reads.
pub struct Touched<'s> {
    /// By the index of a stage in the spec: whether it has to be gone through.
    pub stages: Vec<bool>,
    /// By the index of an output of the pipeline: whether its value has to be found again.
    pub outputs: Vec<bool>,
    /// Stages of the top level that are one stage run each, need not be gone through, and are read by
    /// what has to be.
    pub read: BTreeSet<StageId>,
    /// The files and folders that those name, and the parameters and outputs of the pipeline.
    pub paths: Vec<&'s Path>,
}

/// What follows from the change of some files; none where a parameter or an output of the pipeline names
/// one of them, so that anything may follow.
#[must_use]
pub fn touched<'s>(spec: &'s Spec, changed: &dyn Fn(&Path) -> bool) -> Option<Touched<'s>> {
    let mut everywhere = false;
    let mut see = |read: Read<'_>| everywhere |= matches!(read, Read::Path(path) if changed(path));
    for param in spec.params.values() {
        of_template(&param.value, &mut see);
    }
    for output in &spec.outputs {
        of_template(&output.value, &mut see);
    }
    if everywhere {
        return None;
    }
    let tops = tops(spec);
    let mut open = Vec::new();
    let mut found = vec![false; spec.stages.len()];
    let mut readers = vec![Vec::new(); spec.stages.len()];
    for (stage, &top) in spec.stages.iter().zip(&tops) {
        of_stage(stage, &mut |read| match read {
            Read::Path(path) => {
                if changed(path) && !std::mem::replace(&mut found[top], true) {
                    open.push(top);
                }
            }
            Read::Stage(id) if tops[id.index()] != top => readers[tops[id.index()]].push(top),
            Read::Stage(_) => {}
        });
    }
    while let Some(top) = open.pop() {
        for &reader in &readers[top] {
            if !std::mem::replace(&mut found[reader], true) {
                open.push(reader);
            }
        }
    }
    let mut read = BTreeSet::new();
    let mut outputs = Vec::new();
    let mut whole = false;
    while !std::mem::replace(&mut whole, true) {
        let again = |id: &StageId| found[tops[id.index()]];
        let by_output = spec.outputs.iter().map(|output| {
            let mut reads = BTreeSet::new();
            of_template(&output.value, &mut |read| {
                if let Read::Stage(id) = read {
                    reads.insert(id);
                }
            });
            reads
        });
        let by_output: Vec<BTreeSet<StageId>> = by_output.collect();
        outputs = by_output
            .iter()
            .map(|reads| reads.iter().any(again))
            .collect();
        let open = by_output.iter().filter(|reads| reads.iter().any(again));
        read = open.flatten().copied().collect();
        for (stage, _) in spec
            .stages
            .iter()
            .zip(&tops)
            .filter(|(_, top)| found[**top])
        {
            of_stage(stage, &mut |found| {
                if let Read::Stage(id) = found {
                    read.insert(id);
                }
            });
        }
        read.retain(|id| !found[tops[id.index()]]);
        // What is more than one stage run comes together only by going through it.
        for id in read.iter().filter(|id| !is_plain(spec.stage(**id))) {
            found[tops[id.index()]] = true;
            whole = false;
        }
    }
    let stages: Vec<bool> = tops.iter().map(|top| found[*top]).collect();
    Some(Touched {
        paths: paths_of(spec, |index| stages[index]),
        stages,
        outputs,
        read,
    })
}

/// Whether a stage is one stage run.
fn is_plain(stage: &Stage) -> bool {
    matches!(*stage.fan, Fan::Once) && !matches!(stage.work, Work::Group { .. })
}

/// By stage: the index of the stage of the top level that it is, or that it is inside of.
fn tops(spec: &Spec) -> Vec<usize> {
    let mut tops = vec![0; spec.stages.len()];
    let mut open: Vec<(StageId, usize)> = spec.top.iter().map(|id| (*id, id.index())).collect();
    while let Some((id, top)) = open.pop() {
        tops[id.index()] = top;
        if let Work::Group { stages, .. } = &spec.stage(id).work {
            open.extend(stages.iter().map(|inner| (*inner, top)));
        }
    }
    tops
}
