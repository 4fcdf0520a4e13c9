//! The names that a stage takes from around it: what may be an edge of the graph. Known from the text
//! alone, before any name is resolved.

use std::collections::HashSet;

use super::super::source::Span;
use super::super::written::{Form, Written};
use super::draft::{Draft, Fan, Kind};
use super::form::RESERVED;

/// The names that a stage takes from around it.
pub(super) fn heads(draft: &Draft) -> Vec<(String, Span)> {
    let mut heads: Vec<(String, Span)> = draft.needs.clone();
    let mut outside = Heads::default();
    let mut inside = Heads::default();
    match draft.fan() {
        Fan::Once => {}
        Fan::Matrix {
            axes,
            exclude,
            include,
            ..
        } => {
            inside
                .bound
                .extend(axes.iter().map(|axis| axis.name.as_str()));
            let cells = exclude.iter().chain(include).flatten();
            axes.iter()
                .chain(cells)
                .for_each(|given| outside.see(&given.value));
        }
        Fan::Foreach {
            variable,
            list,
            key,
            ..
        } => {
            inside.bound.push(variable);
            outside.see(list);
            key.iter().for_each(|key| inside.see(key));
        }
        Fan::Repeat {
            max,
            until,
            carry,
            next,
            ..
        } => {
            max.iter().for_each(|max| outside.see(max));
            carry.iter().for_each(|given| outside.see(&given.value));
            until.iter().for_each(|until| inside.see(until));
            next.iter().for_each(|given| inside.see(&given.value));
        }
    }
    let group = matches!(draft.kind, Kind::Group { .. });
    for given in draft.ins.iter().chain(&draft.with).chain(&draft.env) {
        inside.see(&given.value);
    }
    if group {
        draft.out.iter().for_each(|given| inside.see(&given.value));
    }
    draft
        .model
        .iter()
        .chain(&draft.when)
        .for_each(|value| inside.see(value));
    if let Kind::Group { stages } = &draft.kind {
        inside
            .bound
            .extend(stages.iter().map(|stage| stage.name.as_str()));
        let inner = stages.iter().flat_map(|stage| stage.heads.iter().cloned());
        inside.found.extend(inner);
    }
    let found = outside.found.len() + inside.found.len();
    heads.extend(outside.found);
    if found <= FEW {
        // Nearly every stage: a set would cost more than it saves.
        let free = |(name, _): &(String, Span)| !inside.bound.contains(&name.as_str());
        for head in inside.found.into_iter().filter(free) {
            if !heads.iter().any(|(name, _)| *name == head.0) {
                heads.push(head);
            }
        }
        return heads;
    }
    let bound: HashSet<&str> = inside.bound.iter().copied().collect();
    let free = |(name, _): &(String, Span)| !bound.contains(name.as_str());
    heads.extend(inside.found.into_iter().filter(free));
    let mut seen = HashSet::new();
    heads.retain(|(name, _)| seen.insert(name.clone()));
    heads
}

/// Below this many names a scan finds repetitions faster than a set.
const FEW: usize = 8;

#[derive(Default)]
struct Heads<'d> {
    bound: Vec<&'d str>,
    found: Vec<(String, Span)>,
}

impl Heads<'_> {
    fn see(&mut self, value: &Written) {
        if matches!(value.what, Form::Literal(_)) {
            return;
        }
        value.each_path(&mut |path, span| {
            if !RESERVED.contains(&path.head.as_str()) {
                self.found.push((path.head.clone(), span));
            }
        });
    }
}
