//! What the schedule is told, and what it asks for.

use std::sync::Arc;

use crate::artifact::Artifacts;
use crate::plan::{Graph, NodeId};

/// What the world tells the schedule.
#[derive(Debug)]
pub enum Input {
    /// The store has the result, or the stage ended well.
    Done(NodeId, Arc<Artifacts>),
    /// The store has no result: the node waits for its resources.
    Missed(NodeId),
    Failed(NodeId, String),
    /// It needs an output that was not made.
    Skipped(NodeId),
    /// Only while planning: it would run.
    Unknown(NodeId),
    /// Start nothing more.
    Stop,
}

/// What the schedule asks of the world.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Resolve the call of the node and look it up.
    Look(NodeId),
    /// Run it now; its resources are taken.
    Run(NodeId),
    /// It will not run: its `when` is false, or an output that it needs was skipped (none), or what
    /// it needs failed (the address).
    Skipped(NodeId, Option<String>),
    /// A node that is no call failed: a list could not be computed, a repeat used up its rounds.
    Broken(NodeId, String),
    /// More calls are known now.
    Grown,
}

/// Which of two waiting nodes runs first: the one with the greater number.
pub type Urgency<'a> = Box<dyn FnMut(&Graph, NodeId) -> u64 + Send + 'a>;
