//! Which stage needs which: the order in which stages are checked, and circles, by name.
//! References from inside a group count as needs of the group.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};

use petgraph::Direction;
use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;

use super::super::report::{Issue, Report};
use super::super::source::Span;
use super::draft::Draft;

/// Orders stages of one level so that each comes after what it needs. Circles are told.
pub(super) fn order(report: &mut Report, drafts: &[Draft]) -> Vec<usize> {
    let index: HashMap<&str, usize> = drafts
        .iter()
        .enumerate()
        .map(|(at, draft)| (draft.name.as_str(), at))
        .collect();
    let mut graph: DiGraph<(), Span> = DiGraph::with_capacity(drafts.len(), drafts.len());
    for _ in drafts {
        graph.add_node(());
    }
    for (user, draft) in drafts.iter().enumerate() {
        for (name, span) in &draft.heads {
            if let Some(used) = index.get(name.as_str()) {
                graph.add_edge(NodeIndex::new(user), NodeIndex::new(*used), *span);
            }
        }
    }
    let order = in_order(&graph);
    if order.len() < drafts.len() {
        circles(report, drafts, &graph);
    }
    // What waits for a circle is checked too, in the order of the file.
    let mut placed = vec![false; drafts.len()];
    order.iter().for_each(|at| placed[*at] = true);
    let rest = (0..drafts.len()).filter(|at| !placed[*at]);
    order.iter().copied().chain(rest).collect()
}

/// Every stage that waits for no circle, after what it needs and otherwise in the order of the file, so
/// that problems come in that order.
fn in_order(graph: &DiGraph<(), Span>) -> Vec<usize> {
    let mut waiting = vec![0_usize; graph.node_count()];
    for edge in graph.edge_references() {
        waiting[edge.source().index()] += 1;
    }
    let free = |(at, count): (usize, &usize)| (*count == 0).then_some(Reverse(at));
    let mut ready: BinaryHeap<Reverse<usize>> =
        waiting.iter().enumerate().filter_map(free).collect();
    let mut order = Vec::with_capacity(waiting.len());
    while let Some(Reverse(used)) = ready.pop() {
        order.push(used);
        for user in graph.neighbors_directed(NodeIndex::new(used), Direction::Incoming) {
            waiting[user.index()] -= 1;
            if waiting[user.index()] == 0 {
                ready.push(Reverse(user.index()));
            }
        }
    }
    order
}

fn circles(report: &mut Report, drafts: &[Draft], graph: &DiGraph<(), Span>) {
    // Not Tarjan's: petgraph's is recursive, and a chain of 10,000 stages would need a stack as deep.
    for mut component in kosaraju_scc(graph) {
        component.sort();
        let first = component[0];
        if component.len() > 1 || graph.contains_edge(first, first) {
            circle(report, drafts, graph, &component);
        }
    }
}

/// Tells the shortest circle through the first stage of a component.
fn circle(
    report: &mut Report,
    drafts: &[Draft],
    graph: &DiGraph<(), Span>,
    component: &[NodeIndex],
) {
    let first = component[0];
    let mut came_from: HashMap<NodeIndex, NodeIndex> = HashMap::new();
    let mut queue = VecDeque::from([first]);
    // Backwards along needs: from a stage to those that use it, until the first is met again.
    while let Some(node) = queue.pop_front() {
        if came_from.contains_key(&first) {
            break;
        }
        for user in graph.neighbors_directed(node, Direction::Incoming) {
            if component.binary_search(&user).is_ok() && !came_from.contains_key(&user) {
                came_from.insert(user, node);
                queue.push_back(user);
            }
        }
    }
    let mut round = vec![first];
    let mut at = first;
    while let Some(before) = came_from.get(&at) {
        round.push(*before);
        at = *before;
        if at == first {
            break;
        }
    }
    round.reverse();
    let name = |node: &NodeIndex| drafts[node.index()].name.as_str();
    let chain: Vec<&str> = round.iter().map(name).collect();
    let mut marks = round.windows(2).filter_map(|pair| {
        let edge = graph.find_edge(pair[1], pair[0])?;
        let label = format!("`{}` needs `{}`", name(&pair[1]), name(&pair[0]));
        Some((graph[edge], label))
    });
    let Some((span, label)) = marks.next() else {
        return;
    };
    let message = if chain.len() == 2 {
        format!("stage `{}` waits for itself", chain[0])
    } else {
        format!("stages wait for each other: {}", chain.join(" -> "))
    };
    let mut issue = Issue::error("graph::cycle", span, label, message);
    for (span, label) in marks {
        issue = issue.also(span, label);
    }
    report
        .add(issue.help("break the circle, or carry the value from round to round with `repeat:`"));
}
