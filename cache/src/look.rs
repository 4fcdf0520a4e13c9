//! Looking: is there a complete record, and if not, who may make it?
//!
//! ```text
//!            look: no complete record in memory
//!                      |
//!          held by another thread? --- yes --> Busy(Waiter)
//!                      | no
//!          locked by another process? - yes --> Busy(Waiter)
//!                      | no
//!          in the index by now? ------- yes --> Hit
//!                      | no
//!                 Miss(Claim) --save--> committed, released
//!                      '-------drop---> released
//! ```

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use crate::claim::Taken;
use crate::record::{Mark, Part};
use crate::store::{Inner, locked, size_of};
use crate::{Claim, Entry, Key, Kind, Record, Store, StoreError, Waiter, tree};

/// What came of a look.
#[must_use]
pub enum Lookup {
    /// There is a complete record.
    Hit(Record),
    /// There is none, and making it is now the caller's alone.
    Miss(Claim),
    /// There is none, but another thread or process makes it.
    Busy(Waiter),
}

impl Store {
    /// Reads the records of all stages into memory in one go, for the looks and peeks that follow.
    pub fn preload(&self) -> Result<(), StoreError> {
        let moment = self.inner.moment()?;
        let mut rows = HashMap::new();
        self.inner.index.scan(Some(Kind::Stage), |kind, key, row| {
            rows.insert((kind, key), Arc::new(row.into()));
        })?;
        *self
            .inner
            .known
            .write()
            .unwrap_or_else(PoisonError::into_inner) = rows;
        *locked(&self.inner.preloaded_at) = Some(moment);
        self.inner.preloaded.store(true, Ordering::Release);
        Ok(())
    }

    /// Forgets the records that are in memory and leaves that memory to the end of the process, which
    /// gives all of it back at one go. Nothing that was saved is lost.
    pub fn leave_records(&self) {
        let known = self.inner.known.write();
        std::mem::forget(std::mem::take(
            &mut *known.unwrap_or_else(PoisonError::into_inner),
        ));
    }

    /// The newest complete record, without a claim. After [`Store::preload`], a stage's record
    /// that another process saved since is not seen.
    pub fn peek(&self, kind: Kind, key: &Key) -> Result<Option<Arc<Record>>, StoreError> {
        let whole = self.inner.preloaded.load(Ordering::Acquire) && kind == Kind::Stage;
        match self.inner.recall(kind, key)? {
            Found::Complete(record) => Ok(Some(record)),
            Found::Nothing if whole => Ok(None),
            Found::Nothing | Found::InTheIndex => self.inner.fetch(kind, key),
        }
    }

    /// The newest complete record, or the claim to make it, or whom to wait for.
    ///
    /// A claim keeps all others from making the record, so ask when the work can begin.
    pub fn look(&self, kind: Kind, key: &Key) -> Result<Lookup, StoreError> {
        if let Found::Complete(record) = self.inner.recall(kind, key)? {
            return Ok(Lookup::Hit(Arc::unwrap_or_clone(record)));
        }
        let Some(claims) = &self.inner.claims else {
            return match self.inner.fetch(kind, key)? {
                Some(record) => Ok(Lookup::Hit(Arc::unwrap_or_clone(record))),
                None => Err(self.inner.read_only()),
            };
        };
        let held = match claims.take(kind, *key)? {
            Taken::Busy(waiter) => return Ok(Lookup::Busy(waiter)),
            Taken::Held(held) => held,
        };
        // Only now nobody else can add one.
        match self.inner.fetch(kind, key)? {
            Some(record) => Ok(Lookup::Hit(Arc::unwrap_or_clone(record))),
            None => Ok(Lookup::Miss(Claim {
                store: self.clone(),
                held,
            })),
        }
    }

    /// Claims a key whatever the store has: for work that is to be done anew. Never a hit.
    pub fn claim(&self, kind: Kind, key: &Key) -> Result<Lookup, StoreError> {
        let claims = self
            .inner
            .claims
            .as_ref()
            .ok_or_else(|| self.inner.read_only())?;
        Ok(match claims.take(kind, *key)? {
            Taken::Busy(waiter) => Lookup::Busy(waiter),
            Taken::Held(held) => Lookup::Miss(Claim {
                store: self.clone(),
                held,
            }),
        })
    }

    /// Shows the newest complete record of every key of a kind, with its recipe, in the order of the keys.
    pub fn each(&self, kind: Kind, mut see: impl FnMut(Key, Entry)) -> Result<(), StoreError> {
        let mut keys = std::collections::BTreeSet::new();
        self.inner.index.scan(Some(kind), |_, key, _| {
            keys.insert(key);
        })?;
        for key in keys {
            let newest = self.history(kind, &key)?;
            if let Some(entry) = newest.into_iter().find(|entry| entry.complete) {
                see(key, entry);
            }
        }
        Ok(())
    }

    /// All records of a key, newest first, each with its recipe.
    pub fn history(&self, kind: Kind, key: &Key) -> Result<Vec<Entry>, StoreError> {
        let rows = self.inner.index.rows(kind, key)?;
        rows.into_iter()
            .map(|row| {
                let complete = self.inner.complete(&row.parts)?;
                let recipe = self.inner.index.recipe(row.id)?;
                Ok(Entry {
                    id: row.id,
                    complete,
                    record: Record {
                        recipe,
                        ..row.record
                    },
                })
            })
            .collect()
    }
}

/// What memory has of a key.
enum Found {
    Complete(Arc<Record>),
    /// The index says more: of a row that was saved by this process, or whether an older one than what
    /// memory has is complete.
    InTheIndex,
    Nothing,
}

impl Inner {
    fn recall(&self, kind: Kind, key: &Key) -> Result<Found, StoreError> {
        let mark = {
            let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
            match known.get(&(kind, *key)) {
                Some(mark) => Arc::clone(mark),
                None => return Ok(Found::Nothing),
            }
        };
        let Some(record) = &mark.record else {
            return Ok(Found::InTheIndex);
        };
        if !self.complete(&mark.parts)? {
            return Ok(Found::InTheIndex);
        }
        self.see_used(&mark);
        Ok(Found::Complete(Arc::clone(record)))
    }

    fn fetch(&self, kind: Kind, key: &Key) -> Result<Option<Arc<Record>>, StoreError> {
        for row in self.index.rows(kind, key)? {
            if self.complete(&row.parts)? {
                let mark = Mark::from(row);
                self.see_used(&mark);
                let record = mark.record.clone();
                let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
                known.insert((kind, *key), Arc::new(mark));
                return Ok(record);
            }
        }
        Ok(None)
    }

    /// Whether all blobs are there with their sizes, and of the trees all files.
    pub(crate) fn complete(&self, parts: &[Part]) -> Result<bool, StoreError> {
        for part in parts {
            if part.tree {
                if !tree::complete(self, &part.digest)? {
                    return Ok(false);
                }
            } else if size_of(&self.folders.blob(&part.digest)) != Some(part.size) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn see_used(&self, row: &Mark) {
        if let Some(flusher) = &self.flusher
            && row.used_day != self.clock.today()
        {
            flusher.see_used(row.id);
        }
    }
}
