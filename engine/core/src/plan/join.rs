//! What becomes of a node when everything that it waits for has settled. Pure.

use std::sync::Arc;

use petgraph::Direction;
use petgraph::visit::EdgeRef;
use serde_json::json;

use super::evaluate::{Blocked, Cause, Scope, Settled};
use super::fan;
use super::graph::{Edge, FrameKind, NodeId, NodeKind};
use crate::artifact::{Artifact, Artifacts};
use crate::spec::{Fan, OnError, Stage, Work};

/// What becomes of a node.
pub enum Fate {
    /// It can do its work.
    Ready,
    Skipped,
    Cut(Arc<Cause>),
    /// Only while planning.
    Unknown,
}

impl Scope<'_> {
    /// The fate of a node, from the nodes that it waits for.
    #[must_use]
    pub fn fate(&self, id: NodeId) -> Fate {
        let node = self.graph.node(id);
        let stage = self.spec.stage(node.stage);
        let tolerant = node.kind == NodeKind::JoinFan && stage.policy.on_error == OnError::Continue;
        let (mut skipped, mut unknown) = (false, false);
        for edge in self.graph.nodes.edges_directed(id, Direction::Incoming) {
            let member = *edge.weight() == Edge::Member;
            match self
                .results
                .get(edge.source().index())
                .unwrap_or(&Settled::Not)
            {
                Settled::Failed(cause) | Settled::Cut(cause) if !(tolerant && member) => {
                    return Fate::Cut(cause.clone());
                }
                Settled::Skipped => skipped |= *edge.weight() == Edge::Hard,
                Settled::Not | Settled::Unknown => unknown = true,
                _ => {}
            }
        }
        if skipped {
            Fate::Skipped
        } else if unknown {
            Fate::Unknown
        } else {
            Fate::Ready
        }
    }

    /// The outputs of a join.
    ///
    /// # Errors
    /// [`Blocked`] when an output of a group cannot be computed.
    pub fn joined(&self, id: NodeId) -> Result<Artifacts, Blocked> {
        let node = self.graph.node(id);
        let stage = self.spec.stage(node.stage);
        match node.kind {
            NodeKind::JoinGroup { body } => Scope {
                frame: body,
                ..*self
            }
            .outputs(stage),
            _ if matches!(*stage.fan, Fan::Repeat { .. }) => Ok(self.last_turn(id)),
            _ => Ok(self.gathered(id, stage)),
        }
    }

    /// A repeat is worth what its last round is worth.
    fn last_turn(&self, join: NodeId) -> Artifacts {
        let turns = self
            .graph
            .nodes
            .neighbors_directed(join, Direction::Incoming);
        let last = turns
            .filter_map(|turn| match self.graph.node(turn).kind {
                NodeKind::Turn { round, .. } => Some((round, turn)),
                _ => None,
            })
            .max();
        match last.and_then(|(_, turn)| self.results.get(turn.index())) {
            Some(Settled::Done(outputs)) => outputs.as_ref().clone(),
            _ => Artifacts::new(),
        }
    }

    fn gathered(&self, join: NodeId, stage: &Stage) -> Artifacts {
        let mut members: Vec<NodeId> = self
            .graph
            .nodes
            .edges_directed(join, Direction::Incoming)
            .filter(|edge| *edge.weight() == Edge::Member)
            .map(|edge| edge.source())
            .collect();
        members.sort_unstable();
        let (mut done, mut failed) = (Vec::new(), Vec::new());
        for member in members {
            let variables = match &self.graph.frame(self.graph.node(member).frame).kind {
                FrameKind::Instance { variables, .. } => variables.as_slice(),
                _ => &[],
            };
            match self.results.get(member.index()) {
                Some(Settled::Done(outputs)) => done.push((variables, outputs.as_ref())),
                Some(Settled::Failed(cause) | Settled::Cut(cause)) => failed.push(json!({
                    "address": self.graph.address(self.spec, member),
                    "failed": cause.address,
                    "message": cause.message,
                })),
                _ => {}
            }
        }
        let mut gathered = fan::gather(stage, &output_names(stage), &done);
        if stage.policy.on_error == OnError::Continue {
            gathered.insert("failed", Artifact::value(failed));
        }
        gathered
    }
}

/// The names of what one instance of a stage makes.
fn output_names(stage: &Stage) -> Vec<String> {
    let mut names: Vec<String> = match &stage.work {
        Work::Run { outs, .. } | Work::Uses { outs, .. } => {
            outs.iter().map(|port| port.name.clone()).collect()
        }
        Work::Group { out, .. } => out.iter().map(|binding| binding.name.clone()).collect(),
    };
    if stage.policy.may_fail {
        names.extend(["ok", "exit", "stderr"].map(str::to_owned));
        names.sort();
        names.dedup();
    }
    names
}
