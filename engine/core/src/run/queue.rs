//! Stage runs that wait for room, the most urgent first. Pure.
//!
//! Nodes that take the same wait in one line, so that only the heads of the lines are looked at. What
//! the most urgent node lacks is held back from all that are less urgent: a stage that needs every core
//! gets them, however many small ones there are.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};

use super::room::{Amounts, Room, Taken, amounts};
use crate::plan::NodeId;
use crate::spec::Stage;

/// The nodes that wait.
#[derive(Default)]
pub(super) struct Queue {
    lines: Vec<Line>,
    /// The line of each set of amounts, by their text.
    of: HashMap<String, usize>,
}

struct Line {
    wanted: Amounts,
    nodes: BTreeSet<(Reverse<u64>, NodeId)>,
}

impl Queue {
    /// Puts a node in. The greater `urgency` goes first, then the earlier node.
    pub(super) fn push(&mut self, id: NodeId, stage: &Stage, urgency: u64) {
        let wanted = &stage.policy.resources.0;
        // Most stages take nothing but their core; these need no text.
        let text = match wanted.is_empty() && !stage.asks() {
            true => String::new(),
            false => format!("{} {wanted:?}", stage.asks()),
        };
        let lines = &mut self.lines;
        let line = *self.of.entry(text).or_insert_with(|| {
            lines.push(Line {
                wanted: amounts(stage),
                nodes: BTreeSet::new(),
            });
            lines.len() - 1
        });
        self.lines[line].nodes.insert((Reverse(urgency), id));
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.lines.iter().all(|line| line.nodes.is_empty())
    }

    /// The most urgent node for which there is room, with what it takes.
    pub(super) fn pop(&mut self, room: &mut Room) -> Option<(NodeId, Taken)> {
        let heads = self.lines.iter().enumerate();
        let mut heads: Vec<_> = heads
            .filter_map(|(at, line)| Some((*line.nodes.first()?, at)))
            .collect();
        heads.sort_unstable();
        let mut held_back: BTreeSet<&str> = BTreeSet::new();
        let mut found = None;
        for (head, at) in heads {
            let wanted = &self.lines[at].wanted;
            let lacks = room.lacks(wanted);
            let waits = wanted.keys().any(|name| held_back.contains(name.as_str()));
            if lacks.is_empty() && !waits {
                found = Some((head, at));
                break;
            }
            held_back.extend(lacks);
        }
        let (head, at) = found?;
        let line = &mut self.lines[at];
        line.nodes.remove(&head);
        Some((head.1, room.take(&line.wanted)))
    }
}
