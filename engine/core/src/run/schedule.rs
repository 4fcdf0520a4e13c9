//! The schedule: a pure machine. [`Input`]s in, [`Effect`]s out; no clock, no disk, no thread.
//!
//! ```text
//! Waiting ──last dependency settled──▶ Looking ──hit──────────────────────▶ Done
//!    │                                   └─miss─▶ Queued ──resources──▶ Running ─┬▶ Done
//!    ├─when false, or needs a skipped output─▶ Skipped                           └▶ Failed
//!    └─what it needs failed─▶ Cut
//! ```
//! Every node counts the dependencies that have not settled; a node is looked at once, when its
//! counter reaches zero. It does not know what a key is, nor how anything is run.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use petgraph::Direction;

use super::already::Already;
use super::effect::{Effect, Input, Urgency};
use super::queue::Queue;
use super::room::{Room, Taken};
use crate::plan::join::Fate;
use crate::plan::{
    Blocked, Cause, FrameId, Graph, Growth, NodeId, NodeKind, Scope, Settled, Sources, Turned, grow,
};
use crate::spec::{Fan, OnError, Spec, Stage};

/// The state of a run.
pub struct Schedule<'a> {
    pub spec: &'a Spec,
    pub sources: &'a Sources,
    pub graph: Graph,
    pub results: Vec<Settled>,
    waiting_for: Vec<u32>,
    /// Nodes whose dependents were counted down: a settled one is, but not at once.
    told: Vec<bool>,
    effects: VecDeque<Effect>,
    settled_now: Vec<NodeId>,
    /// Missed nodes that have no place in the queue yet.
    missed: Vec<NodeId>,
    queue: Queue,
    urgency: Urgency<'a>,
    room: Room,
    running: BTreeMap<NodeId, Taken>,
    /// Nodes that have not settled.
    open: usize,
    /// Nodes that are calls.
    calls: u64,
    stopped: bool,
    /// What need not be gone through.
    already: Option<&'a Already>,
}

impl<'a> Schedule<'a> {
    /// A schedule over what is known of the spec. `urgency` says which of two waiting nodes runs first
    /// (the greater). What is there `already` is settled from the beginning.
    pub fn new(
        spec: &'a Spec,
        sources: &'a Sources,
        urgency: Urgency<'a>,
        already: Option<&'a Already>,
    ) -> Self {
        let (graph, edges) = grow(spec, sources);
        let mut schedule = Self {
            spec,
            sources,
            graph,
            results: Vec::new(),
            waiting_for: Vec::new(),
            told: Vec::new(),
            effects: VecDeque::new(),
            settled_now: Vec::new(),
            missed: Vec::new(),
            queue: Queue::default(),
            urgency,
            room: Room::new(&spec.pools),
            running: BTreeMap::new(),
            open: 0,
            calls: already.map_or(0, |already| already.known),
            stopped: false,
            already,
        };
        schedule.count(0, &edges);
        schedule.settle_all();
        schedule
    }

    /// The next thing to do, if any.
    pub fn next_effect(&mut self) -> Option<Effect> {
        if self.effects.is_empty() && !self.stopped {
            self.admit();
        }
        self.effects.pop_front()
    }

    /// Takes the effects that follow as long as they are looks, at most so many.
    pub fn next_looks(&mut self, most: usize) -> Vec<NodeId> {
        let look = |effect: &Effect| match effect {
            Effect::Look(id) => Some(*id),
            _ => None,
        };
        let looks: Vec<_> = self.effects.iter().map_while(look).take(most).collect();
        self.effects.drain(..looks.len());
        looks
    }

    /// Takes one input.
    pub fn feed(&mut self, input: Input) {
        match input {
            Input::Done(id, outputs) => self.settle(id, Settled::Done(outputs)),
            Input::Unknown(id) => self.settle(id, Settled::Unknown),
            Input::Skipped(id) => self.settle(id, Settled::Skipped),
            Input::Failed(id, message) => {
                let address = self.graph.address(self.spec, id);
                self.settle(id, Settled::Failed(Arc::new(Cause { address, message })));
            }
            Input::Missed(id) => self.missed.push(id),
            Input::Stop => self.stopped = true,
        }
        self.settle_all();
    }

    /// Whether every node has settled.
    #[must_use]
    pub fn finished(&self) -> bool {
        self.open == 0
    }

    /// The nodes that hold resources.
    #[must_use]
    pub fn running_nodes(&self) -> Vec<NodeId> {
        self.running.keys().copied().collect()
    }

    /// What a running node has.
    #[must_use]
    pub fn taken(&self, id: NodeId) -> Taken {
        self.running.get(&id).cloned().unwrap_or_default()
    }

    /// How many nodes hold resources.
    #[must_use]
    pub fn running(&self) -> usize {
        self.running.len()
    }

    /// Calls known so far.
    #[must_use]
    pub fn known(&self) -> u64 {
        self.calls
    }

    /// The place from which a node's expressions are seen.
    #[must_use]
    pub fn scope(&self, id: NodeId) -> Scope<'_> {
        self.seen_from(self.graph.node(id).frame)
    }

    /// The top of the pipeline, from which its outputs are seen.
    #[must_use]
    pub fn top(&self) -> Scope<'_> {
        self.seen_from(self.graph.top())
    }

    fn seen_from(&self, frame: FrameId) -> Scope<'_> {
        let (spec, sources) = (self.spec, self.sources);
        Scope {
            spec,
            graph: &self.graph,
            results: &self.results,
            sources,
            frame,
            extra: &[],
        }
    }

    /// The stage of a node.
    #[must_use]
    pub fn stage(&self, id: NodeId) -> &'a Stage {
        self.spec.stage(self.graph.node(id).stage)
    }

    /// Counts new edges, and visits new nodes that wait for nothing.
    fn count(&mut self, old: usize, edges: &[(NodeId, NodeId)]) {
        let nodes = self.graph.nodes.node_count();
        self.open += nodes - old;
        self.results.resize(nodes, Settled::Not);
        self.waiting_for.resize(nodes, 0);
        self.told.resize(nodes, false);
        if let Some(already) = self.already {
            for index in old..nodes {
                if let Some(settled) = already.settled(self.graph.node(NodeId::new(index)).stage) {
                    self.results[index] = settled;
                    self.told[index] = true;
                    self.open -= 1;
                }
            }
        }
        for (from, to) in edges {
            if !self.told[from.index()] {
                self.waiting_for[to.index()] += 1;
            }
        }
        for index in old..nodes {
            if !matches!(self.results[index], Settled::Not) {
                continue;
            }
            let call = self.graph.node(NodeId::new(index)).kind == NodeKind::Call;
            self.calls += u64::from(call);
            if self.waiting_for[index] == 0 {
                self.visit(NodeId::new(index));
            }
        }
    }

    /// The one place where a node settles.
    fn settle(&mut self, id: NodeId, settled: Settled) {
        if !matches!(self.results[id.index()], Settled::Not) {
            return;
        }
        self.put_back(id);
        let alone = self.graph.node(id).kind == NodeKind::Call
            && matches!(*self.stage(id).fan, Fan::Once)
            && self.stage(id).policy.on_error == OnError::Continue;
        self.results[id.index()] = match settled {
            // A lone stage that may fail in peace is to the rest like one that was skipped.
            Settled::Failed(_) | Settled::Cut(_) if alone => Settled::Skipped,
            settled => settled,
        };
        self.open -= 1;
        self.settled_now.push(id);
    }

    /// Counts down the dependents of what settled, until nothing more follows.
    fn settle_all(&mut self) {
        while let Some(id) = self.settled_now.pop() {
            self.told[id.index()] = true;
            let mut dependents = self
                .graph
                .nodes
                .neighbors_directed(id, Direction::Outgoing)
                .detach();
            while let Some(dependent) = dependents.next_node(&self.graph.nodes) {
                let counter = &mut self.waiting_for[dependent.index()];
                *counter -= 1;
                if *counter == 0 {
                    self.visit(dependent);
                }
            }
        }
    }

    /// A node has nothing more to wait for.
    fn visit(&mut self, id: NodeId) {
        let kind = self.graph.node(id).kind;
        match self.scope(id).fate(id) {
            Fate::Cut(cause) => {
                if kind == NodeKind::Call {
                    self.effects
                        .push_back(Effect::Skipped(id, Some(cause.address.clone())));
                }
                self.settle(id, Settled::Cut(cause));
            }
            Fate::Skipped => self.skip(id),
            Fate::Unknown if kind == NodeKind::Call => self.effects.push_back(Effect::Look(id)),
            Fate::Unknown => self.settle(id, Settled::Unknown),
            Fate::Ready => match kind {
                NodeKind::Call => match self.gate(id) {
                    Ok(true) | Err(Blocked::Unknown) => self.effects.push_back(Effect::Look(id)),
                    Ok(false) | Err(Blocked::Absent) => self.skip(id),
                    Err(Blocked::Problem(text)) => self.break_off(id, format!("`when`: {text}")),
                },
                NodeKind::OpenFan { .. } | NodeKind::OpenGroup { .. } => self.open(id),
                NodeKind::Turn { .. } => self.turn(id),
                NodeKind::JoinFan | NodeKind::JoinGroup { .. } => {
                    let joined = self.scope(id).joined(id);
                    match joined {
                        Ok(outputs) => self.settle(id, Settled::Done(Arc::new(outputs))),
                        Err(Blocked::Unknown) => self.settle(id, Settled::Unknown),
                        Err(Blocked::Absent) => self.settle(id, Settled::Skipped),
                        Err(Blocked::Problem(text)) => self.break_off(id, text),
                    }
                }
            },
        }
    }

    fn skip(&mut self, id: NodeId) {
        if self.graph.node(id).kind == NodeKind::Call {
            self.effects.push_back(Effect::Skipped(id, None));
        }
        self.settle(id, Settled::Skipped);
    }

    fn break_off(&mut self, id: NodeId, message: String) {
        self.effects.push_back(Effect::Broken(id, message.clone()));
        let address = self.graph.address(self.spec, id);
        self.settle(id, Settled::Failed(Arc::new(Cause { address, message })));
    }

    fn gate(&self, id: NodeId) -> Result<bool, Blocked> {
        match &self.stage(id).when {
            Some(when) => self.scope(id).condition(when),
            None => Ok(true),
        }
    }

    fn open(&mut self, id: NodeId) {
        let whole_stage_gated = match self.graph.node(id).kind {
            NodeKind::OpenFan { .. } => matches!(*self.stage(id).fan, Fan::Repeat { .. }),
            _ => true,
        };
        if whole_stage_gated {
            match self.gate(id) {
                Ok(true) => {}
                Ok(false) | Err(Blocked::Absent) => return self.skip(id),
                Err(Blocked::Unknown) => return self.settle(id, Settled::Unknown),
                Err(Blocked::Problem(text)) => {
                    return self.break_off(id, format!("`when`: {text}"));
                }
            }
        }
        match self.growth(|growth| growth.open(id)) {
            Ok(()) => self.settle(id, Settled::Done(Arc::default())),
            Err(Blocked::Unknown) => self.settle(id, Settled::Unknown),
            Err(Blocked::Absent) => self.skip(id),
            Err(Blocked::Problem(text)) => self.break_off(id, text),
        }
    }

    fn turn(&mut self, id: NodeId) {
        match self.growth(|growth| growth.turn(id)) {
            Ok(Turned::Over(outputs)) => self.settle(id, Settled::Done(Arc::new(outputs))),
            Ok(Turned::Again) => self.settle(id, Settled::Done(Arc::default())),
            Ok(Turned::UsedUp(rounds)) => {
                self.break_off(id, format!("`until` was not reached in {rounds} rounds"));
            }
            Err(Blocked::Unknown) => self.settle(id, Settled::Unknown),
            Err(Blocked::Absent) => self.skip(id),
            Err(Blocked::Problem(text)) => self.break_off(id, text),
        }
    }

    /// Lets the graph grow; new members are counted before the opener settles, so that a join never
    /// sees itself complete too early.
    fn growth<T>(&mut self, act: impl FnOnce(&mut Growth<'_>) -> T) -> T {
        let old = self.graph.nodes.node_count();
        let mut growth = Growth::new(self.spec, self.sources, &mut self.graph, &self.results);
        let answer = act(&mut growth);
        let edges = growth.edges;
        if self.graph.nodes.node_count() > old {
            self.effects.push_back(Effect::Grown);
        }
        self.count(old, &edges);
        answer
    }

    /// Starts queued nodes for which there is room.
    fn admit(&mut self) {
        let alone = self.missed.len() == 1 && self.queue.is_empty();
        for id in std::mem::take(&mut self.missed) {
            // One that waits alone is the most urgent, and urgency has to be worked out.
            let urgency = if alone {
                0
            } else {
                (self.urgency)(&self.graph, id)
            };
            let stage = self.spec.stage(self.graph.node(id).stage);
            self.queue.push(id, stage, urgency);
        }
        while let Some((id, taken)) = self.queue.pop(&mut self.room) {
            self.running.insert(id, taken);
            self.effects.push_back(Effect::Run(id));
        }
    }

    /// A node is tried again: it waits in the queue, and its resources are free meanwhile.
    pub fn put_back(&mut self, id: NodeId) {
        if let Some(taken) = self.running.remove(&id) {
            self.room.give_back(&taken);
        }
    }
}
