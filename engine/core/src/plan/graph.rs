//! The graph of nodes, and the frames in which their expressions are seen.
//!
//! A node is small: a stage, a frame and a kind. What a node is called (its address) and what its
//! expressions mean are computed from the frames when asked for.

use std::collections::HashMap;

use petgraph::graph::{DiGraph, NodeIndex};

use crate::artifact::Artifact;
use crate::spec::{Spec, StageId};

/// An index of [`Graph::nodes`].
pub type NodeId = NodeIndex<u32>;

/// The nodes known so far; it grows while the run goes on.
pub struct Graph {
    pub nodes: DiGraph<Node, Edge, u32>,
    pub(super) frames: Vec<Frame>,
}

/// One node.
#[derive(Clone, Debug)]
pub struct Node {
    pub stage: StageId,
    /// Where the stage's expressions are seen from.
    pub frame: FrameId,
    pub kind: NodeKind,
}

/// What a node does when it is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeKind {
    /// Runs a stage: the only kind that has a key, is counted and is shown.
    Call,
    /// Opens a fan-out, or the first round of a repeat, whose result is `join`.
    OpenFan { join: NodeId },
    /// Opens a group that has a `when` or `needs`.
    OpenGroup { join: NodeId },
    /// Ends round `round` of a repeat: its result is `join`, or the next round is opened.
    Turn {
        join: NodeId,
        round: u32,
        body: FrameId,
    },
    /// Gathers the instances of a fan-out.
    JoinFan,
    /// Gathers the outputs of a group.
    JoinGroup { body: FrameId },
}

/// How a node depends on another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// The output must be there.
    Hard,
    /// Read only through `default(…)`: a skipped output is well.
    Soft,
    /// From an instance to the join of its fan-out, or from an opener to its join.
    Member,
}

/// An index of the graph's frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FrameId(pub(super) u32);

/// A place from which names are seen.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) parent: Option<FrameId>,
    pub(super) stage: Option<StageId>,
    pub(super) kind: FrameKind,
}

#[derive(Debug)]
pub(super) enum FrameKind {
    /// The stages of a file or group: which node stands for each.
    Body { faces: HashMap<StageId, NodeId> },
    /// One instance of a matrix or foreach. `label` is what stands in brackets in the address.
    Instance {
        variables: Vec<(String, Artifact)>,
        label: String,
    },
    /// One round of a repeat.
    Round {
        carry: Vec<(String, Artifact)>,
        number: u32,
    },
    /// The inside of a component: nothing around is seen but its inputs.
    Component,
}

impl Graph {
    pub(super) fn new() -> Self {
        Self {
            nodes: DiGraph::default(),
            frames: Vec::new(),
        }
    }

    /// The frame of the top level.
    #[must_use]
    pub fn top(&self) -> FrameId {
        FrameId(0)
    }

    /// A node by its id.
    #[must_use]
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id]
    }

    pub(super) fn frame(&self, id: FrameId) -> &Frame {
        &self.frames[id.0 as usize]
    }

    pub(super) fn add_frame(&mut self, frame: Frame) -> FrameId {
        let id = u32::try_from(self.frames.len()).expect("fewer than 2^32 frames");
        self.frames.push(frame);
        FrameId(id)
    }

    pub(super) fn set_face(&mut self, body: FrameId, stage: StageId, face: NodeId) {
        if let FrameKind::Body { faces } = &mut self.frames[body.0 as usize].kind {
            faces.insert(stage, face);
        }
    }

    /// The node that stands for the result of a stage, seen from a frame.
    pub(crate) fn face(&self, from: FrameId, stage: StageId) -> Option<NodeId> {
        self.outwards(from)
            .find_map(|(_, frame)| match &frame.kind {
                FrameKind::Body { faces } => faces.get(&stage).copied(),
                _ => None,
            })
    }

    /// The frames from `id` outwards.
    pub(super) fn outwards(&self, id: FrameId) -> impl Iterator<Item = (FrameId, &Frame)> {
        let mut next = Some(id);
        std::iter::from_fn(move || {
            let id = next?;
            let frame = self.frame(id);
            next = frame.parent;
            Some((id, frame))
        })
    }

    /// The stable address of a node: `study[dual_scale].first/reviewer[sample=3]`.
    #[must_use]
    pub fn address(&self, spec: &Spec, id: NodeId) -> String {
        let node = self.node(id);
        let mut parts = vec![(node.stage, String::new())];
        for (_, frame) in self.outwards(node.frame) {
            let part = parts.last_mut().expect("it starts with one part");
            match (&frame.kind, frame.stage) {
                // An instance lies just outside the body of its stage, or just outside the node itself.
                (FrameKind::Instance { label, .. }, _) => part.1 = format!("[{label}]"),
                (FrameKind::Round { number, .. }, _) => part.1 = format!("[{number}]"),
                (FrameKind::Body { .. }, Some(stage)) => parts.push((stage, String::new())),
                (FrameKind::Body { .. } | FrameKind::Component, _) => {}
            }
        }
        let mut address = String::new();
        for (index, (stage, label)) in parts.iter().rev().enumerate() {
            if index > 0 {
                address.push(if address.ends_with(']') { '.' } else { '/' });
            }
            address.push_str(&spec.stage(*stage).name);
            address.push_str(label);
        }
        address
    }
}
