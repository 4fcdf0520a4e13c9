//! Spec → graph: plants the stages of a scope, and opens what depends on results (a `foreach` over a
//! list known only at run time, a gated group, the next round of a `repeat`) when they are there.
//!
//! Pure. It does not know states or counters; it reports the edges that it made, and the schedule
//! counts them.

use std::collections::HashMap;

use super::evaluate::{Blocked, Scope, Settled, Sources};
use super::fan;
use super::graph::{Edge, Frame, FrameId, FrameKind, Graph, Node, NodeId, NodeKind};
use super::references;
use crate::artifact::Artifacts;
use crate::spec::{AtMax, Fan, Spec, Stage, StageId, Work};

/// Grows a [`Graph`].
pub struct Growth<'a> {
    pub spec: &'a Spec,
    pub sources: &'a Sources,
    pub graph: &'a mut Graph,
    pub results: &'a [Settled],
    /// Edges made since the growth began, for the schedule's counters.
    pub edges: Vec<(NodeId, NodeId)>,
    unwired: Vec<NodeId>,
}

/// What the end of a round leads to.
pub enum Turned {
    /// The repeat is over; these are its outputs.
    Over(Artifacts),
    /// The next round was planted.
    Again,
    /// Every round was used and `at_max: fail` stands.
    UsedUp(u32),
}

/// The graph of a spec as far as it is known before anything ran.
pub fn grow(spec: &Spec, sources: &Sources) -> (Graph, Vec<(NodeId, NodeId)>) {
    let mut graph = Graph::new();
    let mut growth = Growth::new(spec, sources, &mut graph, &[]);
    let top = growth.graph.add_frame(Frame {
        parent: None,
        stage: None,
        kind: FrameKind::Body {
            faces: HashMap::new(),
        },
    });
    growth.fill(top, &spec.top, None);
    growth.wire();
    let edges = growth.edges;
    (graph, edges)
}

impl<'a> Growth<'a> {
    /// A growth of `graph`, with the results so far.
    pub fn new(
        spec: &'a Spec,
        sources: &'a Sources,
        graph: &'a mut Graph,
        results: &'a [Settled],
    ) -> Self {
        Self {
            spec,
            sources,
            graph,
            results,
            edges: Vec::new(),
            unwired: Vec::new(),
        }
    }

    /// Opens a node of kind `OpenFan`, `OpenGroup`; its member nodes are added before its join.
    ///
    /// # Errors
    /// [`Blocked`] when the list, the matrix or the carried values cannot be computed.
    pub fn open(&mut self, id: NodeId) -> Result<(), Blocked> {
        let node = self.graph.node(id).clone();
        let stage = self.spec.stage(node.stage);
        match node.kind {
            NodeKind::OpenGroup { join } => {
                if let NodeKind::JoinGroup { body } = self.graph.node(join).kind
                    && let Work::Group { stages, .. } = &stage.work
                {
                    self.fill(body, stages, Some(join));
                }
            }
            NodeKind::OpenFan { join } => match &*stage.fan {
                Fan::Repeat { carry, .. } => {
                    let scope = self.scope(node.frame);
                    let first = carry
                        .iter()
                        .map(|carry| Ok((carry.name.clone(), scope.template(&carry.first)?)));
                    let first = first.collect::<Result<Vec<_>, Blocked>>()?;
                    self.round(stage, node.frame, join, 1, first);
                }
                _ => {
                    let instances = fan::instances(&self.scope(node.frame), stage)?;
                    self.spread(stage, node.frame, join, instances);
                }
            },
            _ => {}
        }
        self.wire();
        Ok(())
    }

    /// Ends a round.
    ///
    /// # Errors
    /// [`Blocked`] when `until`, `next` or `out` cannot be computed.
    pub fn turn(&mut self, id: NodeId) -> Result<Turned, Blocked> {
        let node = self.graph.node(id).clone();
        let stage = self.spec.stage(node.stage);
        let (
            NodeKind::Turn { join, round, body },
            Fan::Repeat {
                max,
                until,
                at_max,
                carry,
            },
        ) = (node.kind, &*stage.fan)
        else {
            return Err(Blocked::Problem("a turn belongs to a repeat".to_owned()));
        };
        let inside = self.scope(body);
        let over = match until {
            Some(until) => inside.condition(until)?,
            None => false,
        };
        let max = self
            .scope(node.frame)
            .template(max)?
            .plain()
            .and_then(|max| max.as_u64());
        let last = u64::from(round) >= max.unwrap_or(1);
        if !over && last && *at_max == AtMax::Fail {
            return Ok(Turned::UsedUp(round));
        }
        if over || last {
            return Ok(Turned::Over(inside.outputs(stage)?));
        }
        let next = carry
            .iter()
            .map(|carry| Ok((carry.name.clone(), inside.template(&carry.next)?)))
            .collect::<Result<Vec<_>, Blocked>>()?;
        self.round(stage, node.frame, join, round + 1, next);
        self.wire();
        Ok(Turned::Again)
    }

    fn scope(&self, frame: FrameId) -> Scope<'_> {
        Scope {
            spec: self.spec,
            graph: self.graph,
            results: self.results,
            sources: self.sources,
            frame,
            extra: &[],
        }
    }

    /// Plants the stages of a body; `join` waits for all of them.
    fn fill(&mut self, body: FrameId, stages: &[StageId], join: Option<NodeId>) {
        for &id in stages {
            let face = self.plant(self.spec.stage(id), body);
            self.graph.set_face(body, id, face);
            if let Some(join) = join {
                self.connect(face, join, Edge::Member);
            }
        }
    }

    /// Plants one stage and returns the node that stands for its result.
    fn plant(&mut self, stage: &Stage, frame: FrameId) -> NodeId {
        match &*stage.fan {
            Fan::Once => self.plant_one(stage, frame),
            Fan::Repeat { .. } => {
                let join = self.add(stage, frame, NodeKind::JoinFan);
                self.opener(stage, frame, join);
                join
            }
            Fan::Matrix { .. } | Fan::Foreach { .. } => {
                let join = self.add(stage, frame, NodeKind::JoinFan);
                match fan::instances(&self.scope(frame), stage) {
                    Ok(instances) => self.spread(stage, frame, join, instances),
                    // The list is known later, or cannot be computed, which opening it will report.
                    Err(_) => self.opener(stage, frame, join),
                }
                join
            }
        }
    }

    fn opener(&mut self, stage: &Stage, frame: FrameId, join: NodeId) {
        let open = self.add(stage, frame, NodeKind::OpenFan { join });
        self.connect(open, join, Edge::Hard);
    }

    fn spread(
        &mut self,
        stage: &Stage,
        frame: FrameId,
        join: NodeId,
        instances: Vec<fan::Instance>,
    ) {
        for instance in instances {
            let kind = FrameKind::Instance {
                variables: instance.variables,
                label: instance.label,
            };
            let own = self.graph.add_frame(Frame {
                parent: Some(frame),
                stage: Some(stage.id),
                kind,
            });
            let face = self.plant_one(stage, own);
            self.connect(face, join, Edge::Member);
        }
    }

    fn plant_one(&mut self, stage: &Stage, frame: FrameId) -> NodeId {
        let Work::Group { stages, .. } = &stage.work else {
            return self.add(stage, frame, NodeKind::Call);
        };
        let body = self.body(stage, frame);
        let join = self.add(stage, frame, NodeKind::JoinGroup { body });
        if stage.when.is_some() || !stage.needs.is_empty() {
            let open = self.add(stage, frame, NodeKind::OpenGroup { join });
            self.connect(open, join, Edge::Hard);
        } else {
            self.fill(body, stages, Some(join));
        }
        join
    }

    /// The frame for the inside of a group, with the wall of a component where there is one.
    fn body(&mut self, stage: &Stage, frame: FrameId) -> FrameId {
        let mut parent = frame;
        if matches!(
            stage.work,
            Work::Group {
                inputs: Some(_),
                ..
            }
        ) {
            parent = self.graph.add_frame(Frame {
                parent: Some(parent),
                stage: Some(stage.id),
                kind: FrameKind::Component,
            });
        }
        self.graph.add_frame(Frame {
            parent: Some(parent),
            stage: Some(stage.id),
            kind: FrameKind::Body {
                faces: HashMap::new(),
            },
        })
    }

    fn round(
        &mut self,
        stage: &Stage,
        frame: FrameId,
        join: NodeId,
        number: u32,
        carry: Vec<(String, crate::artifact::Artifact)>,
    ) {
        let Work::Group { stages, .. } = &stage.work else {
            return;
        };
        let round = self.graph.add_frame(Frame {
            parent: Some(frame),
            stage: Some(stage.id),
            kind: FrameKind::Round { carry, number },
        });
        let body = self.body(stage, round);
        let turn = self.add(
            stage,
            frame,
            NodeKind::Turn {
                join,
                round: number,
                body,
            },
        );
        self.connect(turn, join, Edge::Member);
        self.fill(body, stages, Some(turn));
    }

    fn add(&mut self, stage: &Stage, frame: FrameId, kind: NodeKind) -> NodeId {
        let id = self.graph.nodes.add_node(Node {
            stage: stage.id,
            frame,
            kind,
        });
        if matches!(
            kind,
            NodeKind::Call | NodeKind::OpenFan { .. } | NodeKind::OpenGroup { .. }
        ) {
            self.unwired.push(id);
        }
        id
    }

    fn connect(&mut self, from: NodeId, to: NodeId, edge: Edge) {
        self.graph.nodes.add_edge(from, to, edge);
        self.edges.push((from, to));
    }

    /// Adds the edges of data and of `needs`, once every face of the new bodies is known.
    fn wire(&mut self) {
        for id in std::mem::take(&mut self.unwired) {
            let node = self.graph.node(id).clone();
            let stage = self.spec.stage(node.stage);
            let mut found = references::Found::new(self.scope(node.frame));
            match node.kind {
                NodeKind::Call => found.call(stage),
                NodeKind::OpenGroup { .. } => found.gate(stage),
                NodeKind::OpenFan { .. } => found.fan(stage),
                _ => {}
            }
            let edges: Vec<_> = found.edges().collect();
            for (from, edge) in edges {
                self.connect(from, id, edge);
            }
        }
    }
}

impl Scope<'_> {
    /// The outputs of a group, seen from inside it.
    ///
    /// # Errors
    /// [`Blocked::Unknown`] or a problem; an absent output stays absent.
    pub fn outputs(&self, stage: &Stage) -> Result<Artifacts, Blocked> {
        let Work::Group { out, .. } = &stage.work else {
            return Ok(Artifacts::new());
        };
        let mut outputs = Artifacts::new();
        for binding in out {
            let artifact = match self.binding(binding) {
                Err(Blocked::Absent) => crate::artifact::Artifact::Absent,
                other => other?,
            };
            outputs.insert(&binding.name, artifact);
        }
        Ok(outputs)
    }
}
