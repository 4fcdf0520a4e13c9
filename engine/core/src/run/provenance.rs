//! Who answered: live < local < scripted < baseline. Every result takes the worst of its inputs.

use kyobashi_stage::{BASELINE, Model};
use petgraph::Direction;

use crate::plan::{Graph, NodeId, NodeKind};

/// The rank of a model; 0 is kept for results in which no model took part.
pub(super) fn rank(model: &Model) -> u8 {
    let local = ["://127.", "://localhost", "://[::1]"];
    match model.provider.as_str() {
        BASELINE => 4,
        "mock" | "scripted" => 3,
        "ollama" => 2,
        _ if local.iter().any(|host| model.endpoint.contains(host)) => 2,
        _ => 1,
    }
}

/// The words of the ranks from 1 upwards.
const WORDS: [&str; 4] = ["live", "local", "scripted", "baseline"];

/// The word of a rank, if a model took part.
pub(super) fn word(rank: u8) -> Option<&'static str> {
    let index = usize::from(rank).checked_sub(1)?;
    WORDS.get(index).copied()
}

/// The rank that a word says; 0 for none.
pub(super) fn rank_of(said: Option<&str>) -> u8 {
    let index = WORDS.iter().position(|word| Some(*word) == said);
    index.map_or(0, |index| index as u8 + 1)
}

/// The ranks that are known, by node.
#[derive(Default)]
pub(super) struct Ranks(Vec<Option<u8>>);

impl Ranks {
    pub(super) fn get(&self, id: NodeId) -> Option<u8> {
        self.0.get(id.index()).copied().flatten()
    }

    pub(super) fn insert(&mut self, id: NodeId, rank: u8) {
        if self.0.len() <= id.index() {
            self.0.resize(id.index() + 1, None);
        }
        self.0[id.index()] = Some(rank);
    }
}

/// The worst rank among what a node reads; joins and openers pass on what they read themselves.
pub(super) fn upstream(graph: &Graph, id: NodeId, known: &mut Ranks) -> u8 {
    let mut worst = 0;
    for from in graph.nodes.neighbors_directed(id, Direction::Incoming) {
        let rank = match known.get(from) {
            Some(rank) => rank,
            None if graph.node(from).kind == NodeKind::Call => 0,
            None => {
                let rank = upstream(graph, from, known);
                known.insert(from, rank);
                rank
            }
        };
        worst = worst.max(rank);
    }
    worst
}
