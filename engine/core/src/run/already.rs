//! What a run need not go through, because it is known that all of it would be reused: it is told as an
//! earlier run told it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::event::Totals;
use crate::artifact::{Artifact, Artifacts};
use crate::plan::Settled;
use crate::spec::StageId;

/// Stage runs that are told and not gone through.
#[derive(Default)]
pub struct Already {
    /// By the index of a stage in the spec: whether its runs are among them.
    pub stages: Vec<bool>,
    /// What became of those stages of the top level that others read.
    pub results: BTreeMap<StageId, Known>,
    /// The outputs of the pipeline that depend on nothing else.
    pub outputs: BTreeMap<String, Artifact>,
    /// How many stage runs there are, and what they come to.
    pub known: u64,
    pub totals: Totals,
    /// Their events, as JSON lines.
    pub lines: Vec<u8>,
}

/// What became of a stage.
pub struct Known {
    /// None where it was skipped.
    pub outputs: Option<Arc<Artifacts>>,
    /// The worst provenance of it and its inputs, as the event of its end says it.
    pub provenance: Option<String>,
}

impl Already {
    /// How the runs of a stage have settled; none if they have to be gone through.
    pub(super) fn settled(&self, stage: StageId) -> Option<Settled> {
        if !*self.stages.get(stage.index())? {
            return None;
        }
        Some(match self.results.get(&stage) {
            Some(Known { outputs: None, .. }) => Settled::Skipped,
            Some(Known {
                outputs: Some(outputs),
                ..
            }) => Settled::Done(outputs.clone()),
            // Nobody reads it.
            None => Settled::Done(Arc::default()),
        })
    }
}
