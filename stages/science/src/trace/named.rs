//! The names that a text holds, and whether a value fits them. It does not know how they were found.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::context::{is_baseline, metric_depth};
use super::results::Value;

/// The names that a text holds, per depth.
#[derive(Clone, Debug, Default)]
pub(super) struct Named {
    pub(super) full: Vec<BTreeSet<String>>,
    pub(super) partly: Vec<BTreeSet<String>>,
    /// Per depth, names told at least by half where none is told in full.
    pub(super) half: Vec<BTreeSet<String>>,
    /// In which files the names of the results stand.
    pub(super) homes: Option<Arc<Homes>>,
    /// Whether names told in part count as named.
    pub(super) lenient: bool,
}

/// The files in which each name of a depth stands. Files of one name are one, as those of several runs are.
#[derive(Debug, Default)]
pub(super) struct Homes(BTreeMap<(usize, String), BTreeSet<String>>);

impl Homes {
    pub(super) fn of<'v>(values: impl Iterator<Item = &'v Value>) -> Self {
        let mut homes: BTreeMap<(usize, String), BTreeSet<String>> = BTreeMap::new();
        for value in values {
            for (depth, name) in value.names.iter().enumerate() {
                let own = homes.entry((depth, name.clone())).or_default();
                if !own.contains(home(value)) {
                    own.insert(home(value).to_owned());
                }
            }
        }
        Self(homes)
    }

    fn share(&self, depth: usize, name: &str, value: &Value) -> bool {
        let homes = self.0.get(&(depth, name.to_owned()));
        homes.is_none_or(|homes| homes.contains(home(value)))
    }
}

/// The name of the file that a value stands in. Means of files name their first.
fn home(value: &Value) -> &str {
    let path = value.source.split(": ").next().unwrap_or_default();
    let path = path.rsplit("first ").next().unwrap_or(path);
    path.rsplit('/').next().unwrap_or(path)
}

impl Named {
    /// Names of both; where this says nothing at a depth, those of the other count.
    pub(super) fn or(mut self, other: &Self) -> Self {
        if self.full.is_empty() {
            return other.clone();
        }
        for (mine, theirs) in self.full.iter_mut().zip(&other.full) {
            if mine.is_empty() {
                mine.clone_from(theirs);
            }
        }
        for (mine, theirs) in self.partly.iter_mut().zip(&other.partly) {
            mine.extend(theirs.iter().cloned());
        }
        self
    }

    /// How well a value fits: two for each name told in full, one for each told in part.
    pub(super) fn support(&self, value: &Value) -> usize {
        self.told(&value.names)
    }

    /// How well names fit.
    pub(super) fn told(&self, names: &[String]) -> usize {
        names
            .iter()
            .enumerate()
            .map(|(depth, name)| {
                if self
                    .full
                    .get(depth)
                    .is_some_and(|names| names.contains(name))
                {
                    2
                } else {
                    usize::from(
                        self.partly
                            .get(depth)
                            .is_some_and(|names| names.contains(name)),
                    )
                }
            })
            .sum()
    }

    /// Whether names are told at a depth, and none of them is the value's.
    pub(super) fn another(&self, depth: usize, value: &Value) -> bool {
        let full = self.full.get(depth).filter(|full| !full.is_empty());
        full.is_some_and(|full| !value.names.iter().any(|name| full.contains(name)))
    }

    /// Whether the name of a value at a depth is told at all.
    pub(super) fn tells(&self, depth: usize, value: &Value) -> bool {
        let sets = [self.full.get(depth), self.partly.get(depth)];
        let name = value.names.get(depth);
        let told = |set: &BTreeSet<String>| name.is_some_and(|name| set.contains(name));
        sets.into_iter().flatten().any(told)
    }

    /// Whether the two names that tell two values apart are both told in full.
    pub(super) fn both(&self, a: &Value, b: &Value) -> bool {
        let told = |depth: usize, value: &Value| {
            let names = self.full.get(depth);
            names.is_some_and(|names| names.contains(&value.names[depth]))
        };
        let apart =
            (0..a.names.len().min(b.names.len())).find(|depth| a.names[*depth] != b.names[*depth]);
        apart.is_some_and(|depth| told(depth, a) && told(depth, b))
    }

    /// The depth at which the text names something else than the value's name.
    pub(super) fn against(&self, value: &Value, matters: &dyn Fn(usize) -> bool) -> Option<usize> {
        let metric = metric_depth(value);
        (0..self.full.len()).find(|depth| {
            let name = value.names.get(*depth);
            let within = |names: &BTreeSet<String>| name.is_some_and(|name| names.contains(name));
            if !matters(*depth) {
                return false;
            }
            // Files name the same things at different depths.
            if value
                .names
                .iter()
                .any(|name| self.full[*depth].contains(name))
            {
                return false;
            }
            if !self.full[*depth].is_empty() {
                // What only other files name says nothing against a value of this one.
                if let Some(homes) = &self.homes
                    && !self.full[*depth]
                        .iter()
                        .any(|name| homes.share(*depth, name, value))
                {
                    return false;
                }
                let partly = self.lenient && within(&self.partly[*depth]);
                return !(partly || within(&self.full[*depth]));
            }
            // A column `Inference speed` is not about losses, even if it names its metric in part.
            let half = self.half.get(*depth).filter(|names| !names.is_empty());
            !self.lenient && *depth == metric && half.is_some_and(|names| !within(names))
        })
    }

    /// Whether names told by half, where none is told in full, are of other values: `debiased:` is not `bpr`.
    pub(super) fn halves_against(&self, value: &Value) -> bool {
        self.half.iter().enumerate().any(|(depth, half)| {
            let untold = self.full.get(depth).is_none_or(BTreeSet::is_empty);
            let own = value
                .names
                .get(depth)
                .is_some_and(|name| half.contains(name));
            untold && !half.is_empty() && !own
        })
    }

    /// Whether the text names the baseline, at the depth of the runs.
    pub(super) fn names_baseline(&self, run: usize) -> bool {
        let names = [self.full.get(run), self.partly.get(run)];
        names
            .into_iter()
            .flatten()
            .flatten()
            .any(|name| is_baseline(name))
    }

    /// Whether some name of what a finding rests on is told, at least in part.
    pub(super) fn speaks(&self, finding: &super::entry::Finding) -> bool {
        let sets = self.full.iter().zip(&self.partly);
        let base = finding.base.as_ref();
        base.is_some_and(|base| {
            let told =
                |(name, (full, partly)): (&String, (&BTreeSet<String>, &BTreeSet<String>))| {
                    full.contains(name) || partly.contains(name)
                };
            base.names.iter().zip(sets).any(told)
        })
    }

    /// Without the positions of curves: of several of these in a sentence each belongs to one number.
    pub(super) fn unplaced(mut self) -> Self {
        for names in &mut self.full {
            names.retain(|name| super::positions::numbered(name).is_none());
        }
        self
    }

    /// Names told in part are named too.
    pub(super) fn lenient(self) -> Self {
        Self {
            lenient: true,
            ..self
        }
    }

    /// Names told by half count only at depths of which `other` tells nothing, not even in part: a head
    /// `Inference speed` is about speeds, also in a row `Multi-style`.
    pub(super) fn halves_of(mut self, other: &Self) -> Self {
        for (depth, mine) in self.half.iter_mut().enumerate() {
            if other
                .partly
                .get(depth)
                .is_some_and(|names| !names.is_empty())
            {
                *mine = other.half.get(depth).cloned().unwrap_or_default();
            }
        }
        self
    }

    /// The names told in full at a depth.
    pub(super) fn at(&self, depth: usize) -> String {
        let names = self.full.get(depth).into_iter().flatten();
        let all: Vec<&str> = names.map(String::as_str).collect();
        if all.is_empty() {
            let half = self.half.get(depth).into_iter().flatten();
            return half.map(String::as_str).collect::<Vec<_>>().join(", ");
        }
        all.join(", ")
    }
}
