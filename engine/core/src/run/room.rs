//! What is free of each pool, and who has what. Pure. It does not know who is more urgent.

use std::collections::{BTreeMap, BTreeSet};

use crate::spec::{MODEL_POOL, Pool, Stage};

/// What a stage takes of each pool.
pub(super) type Amounts = BTreeMap<String, f64>;

/// What a stage run has while it runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Taken {
    pub amounts: BTreeMap<String, f64>,
    /// Of indexed pools: which things.
    pub things: BTreeMap<String, Vec<String>>,
}

/// What is free.
#[derive(Clone, Debug, Default)]
pub(super) struct Room {
    sums: Amounts,
    /// The names of an indexed pool in their order, and whether each is free.
    things: BTreeMap<String, Vec<(String, bool)>>,
}

/// Amounts of floating point are compared with this slack: 0.1 + 0.2 of a pool of 0.3 fit.
const SLACK: f64 = 1e-9;

/// What a stage takes: one core unless it says otherwise, or a place among those that ask models, who
/// wait for others and need no core.
pub(super) fn amounts(stage: &Stage) -> Amounts {
    let mut amounts = stage.policy.resources.0.clone();
    let usual = if stage.asks() { MODEL_POOL } else { "cpu" };
    amounts.entry(usual.to_owned()).or_insert(1.0);
    amounts
}

impl Room {
    /// Everything is free.
    pub(super) fn new(pools: &BTreeMap<String, Pool>) -> Self {
        let mut room = Self::default();
        for (name, pool) in pools {
            match pool {
                Pool::Sum(size) => drop(room.sums.insert(name.clone(), *size)),
                Pool::Indexed(names) => {
                    let names = names.iter().map(|name| (name.clone(), true));
                    room.things.insert(name.clone(), names.collect());
                }
            }
        }
        room
    }

    /// The pools of which there is too little now. A pool that nobody sized has no limit.
    pub(super) fn lacks<'w>(&self, wanted: &'w Amounts) -> BTreeSet<&'w str> {
        let lacks = |name: &str, amount: f64| match (self.sums.get(name), self.things.get(name)) {
            (Some(free), _) => amount > *free + SLACK,
            (_, Some(things)) => {
                let free = things.iter().filter(|(_, free)| *free).count();
                amount > free as f64 + SLACK
            }
            _ => false,
        };
        let lacking = wanted.iter().filter(|(name, amount)| lacks(name, **amount));
        lacking.map(|(name, _)| name.as_str()).collect()
    }

    /// Takes what [`Room::lacks`] found to be there.
    pub(super) fn take(&mut self, wanted: &Amounts) -> Taken {
        let mut taken = Taken {
            amounts: wanted.clone(),
            things: BTreeMap::new(),
        };
        for (name, amount) in wanted {
            if let Some(free) = self.sums.get_mut(name) {
                *free -= amount;
            } else if let Some(things) = self.things.get_mut(name) {
                let free = things.iter_mut().filter(|(_, free)| *free);
                let mine = free.take(amount.ceil() as usize).map(|(thing, free)| {
                    *free = false;
                    thing.clone()
                });
                taken.things.insert(name.clone(), mine.collect());
            }
        }
        taken
    }

    /// Gives back what was taken.
    pub(super) fn give_back(&mut self, taken: &Taken) {
        for (name, amount) in &taken.amounts {
            if let Some(free) = self.sums.get_mut(name) {
                *free += amount;
            }
        }
        for (name, mine) in &taken.things {
            for (thing, free) in self.things.get_mut(name).into_iter().flatten() {
                *free |= mine.contains(thing);
            }
        }
    }
}
