//! Which of the stage runs that wait goes first: the one at the head of the longest chain of work. Pure.
//!
//! The length of a chain is the sum of what its stage runs took the last time. One that was never run
//! counts as the mean of its stage, else of all, else 1 s, so that without any record the longest chain
//! by count goes first.

use std::collections::{BTreeMap, HashMap};

use petgraph::Direction;

use crate::plan::{Graph, NodeId, NodeKind};
use crate::spec::{Spec, StageId, Work};

/// What stage runs took the last time, by address, in seconds.
pub type Durations = BTreeMap<String, f64>;

/// The urgencies found so far.
pub(super) struct Order {
    recorded: Durations,
    of_stage: HashMap<StageId, f64>,
    /// Seconds of a stage run of which nothing is known.
    usual: f64,
    /// By node: the seconds from its start to the end of its longest chain.
    ahead: Vec<Option<f64>>,
}

impl Order {
    pub(super) fn new(recorded: Durations) -> Self {
        let usual = match recorded.len() {
            0 => 1.0,
            count => recorded.values().sum::<f64>() / count as f64,
        };
        Self {
            recorded,
            of_stage: HashMap::new(),
            usual,
            ahead: Vec::new(),
        }
    }

    /// The greater goes first. What was found stays: a graph only grows behind what has settled.
    pub(super) fn urgency(&mut self, spec: &Spec, graph: &Graph, id: NodeId) -> u64 {
        self.ahead.resize(graph.nodes.node_count(), None);
        // By hand, because a chain may be longer than the stack is deep.
        let mut open = vec![id];
        while let Some(&at) = open.last() {
            let mut longest = 0.0_f64;
            let mut whole = true;
            for next in graph.nodes.neighbors_directed(at, Direction::Outgoing) {
                match self.ahead[next.index()] {
                    Some(seconds) => longest = longest.max(seconds),
                    None => {
                        open.push(next);
                        whole = false;
                    }
                }
            }
            if whole {
                open.pop();
                self.ahead[at.index()] = Some(longest + self.own(spec, graph, at));
            }
        }
        let seconds = self.ahead[id.index()].unwrap_or(0.0);
        (seconds.max(0.0) * 1000.0) as u64
    }

    /// What a node takes itself. An unopened fan-out counts as one of its members.
    fn own(&mut self, spec: &Spec, graph: &Graph, id: NodeId) -> f64 {
        let node = graph.node(id);
        match node.kind {
            NodeKind::Call if self.recorded.is_empty() => self.usual,
            NodeKind::Call => {
                let known = self.recorded.get(&graph.address(spec, id)).copied();
                known.unwrap_or_else(|| self.mean(spec, node.stage))
            }
            NodeKind::OpenFan { .. } => self.mean(spec, node.stage),
            _ => 0.0,
        }
    }

    /// The mean of a stage's recorded runs; a group's stages are counted as if one followed the other.
    fn mean(&mut self, spec: &Spec, stage: StageId) -> f64 {
        if let Some(known) = self.of_stage.get(&stage) {
            return *known;
        }
        let mean = match &spec.stage(stage).work {
            Work::Group { stages, .. } => stages.iter().map(|inner| self.mean(spec, *inner)).sum(),
            _ => {
                let path = &spec.stage(stage).path;
                let runs = self.recorded.iter();
                let runs = runs.filter(|(address, _)| is_of(address, path));
                let (sum, count) = runs.fold((0.0, 0_u32), |(sum, count), (_, seconds)| {
                    (sum + seconds, count + 1)
                });
                match count {
                    0 => self.usual,
                    count => sum / f64::from(count),
                }
            }
        };
        self.of_stage.insert(stage, mean);
        mean
    }
}

/// Whether an address is of a stage: `study[dual].first/reviewer[sample=3]` is of
/// `study/first/reviewer`.
fn is_of(address: &str, path: &str) -> bool {
    let mut path = path.chars();
    let mut depth = 0_u32;
    let mut after_bracket = false;
    for c in address.chars() {
        match c {
            '[' => depth += 1,
            ']' => {
                depth = depth.saturating_sub(1);
                after_bracket = true;
            }
            _ if depth > 0 => {}
            c => {
                let c = if c == '.' && after_bracket { '/' } else { c };
                after_bracket = false;
                if path.next() != Some(c) {
                    return false;
                }
            }
        }
    }
    path.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_of_the_stage_that_its_names_spell() {
        let address = "study[dual.scale].first/reviewer[sample=3]";
        assert!(is_of(address, "study/first/reviewer"));
        assert!(!is_of(address, "study/first"));
        assert!(!is_of("study", "study/first"));
        assert!(is_of("a.b", "a.b"), "a name may hold a point");
    }
}
