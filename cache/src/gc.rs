//! Collecting what nobody needs: rows by age and size, then the blobs that no row names.
//!
//! Rows go first, in one commit, then their blobs: a crash between leaves blobs without rows,
//! which the next collection takes. A run that works meanwhile is safe: what it put or touched is
//! younger than the grace or than its session, and a blob that is missing after all is a miss.
//! Which runs are to be kept is the caller's business: it names their keys.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use crate::claim::Claims;
use crate::inventory::{Holder, Inventory, Name, Sum};
use crate::objects::mtime_ns;
use crate::session::remove_all;
use crate::store::{Inner, locked};
use crate::tree::manifest;
use crate::{Digest, Key, Kind, Store, StoreError, walk};

/// What to collect.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The records of these keys stay, whatever the rest says: those of kept runs, running runs
    /// and pins.
    pub keep: BTreeSet<(Kind, Key)>,
    /// These blobs and trees stay, also without a record: what the logs of kept runs name.
    pub keep_blobs: BTreeSet<Digest>,
    /// Records that were not used on the last so many days, today among them, go: with 0 all that
    /// are not kept. Absent, none goes for its age.
    pub unused_days: Option<u32>,
    /// While the blobs are more than this many bytes together, the least recently used records
    /// go, of those the ones that are the quickest to make again for their bytes.
    pub max_bytes: Option<u64>,
    /// Blobs without a record that are younger than this stay: a run may be about to name them.
    pub grace: Duration,
}

impl Default for Policy {
    fn default() -> Policy {
        Policy {
            keep: BTreeSet::new(),
            keep_blobs: BTreeSet::new(),
            unused_days: None,
            max_bytes: None,
            grace: Duration::from_secs(3600),
        }
    }
}

/// Whether to collect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sweep {
    /// Only say what would go.
    Dry,
    /// Collect.
    Now,
}

/// What went, or would go.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Swept {
    /// Records of stages that go, and what it would take to make them again.
    pub stages: Sum,
    /// Records of calls that go, and what it would take to make them again.
    pub calls: Sum,
    /// Of the records above, those that could not be reused anyway, because a blob is missing.
    pub broken: u64,
    /// Blobs that go.
    pub blobs: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Records that stay.
    pub kept_records: u64,
    /// Bytes of the blobs that stay.
    pub kept_bytes: u64,
}

impl Store {
    /// Collects what `policy` does not keep, or only says what that would be.
    ///
    /// # Errors
    /// [`StoreError::Collecting`] where another process collects at this moment.
    pub fn gc(&self, policy: &Policy, sweep: Sweep) -> Result<Swept, StoreError> {
        let inner = &*self.inner;
        if sweep == Sweep::Dry {
            let inventory = Inventory::read(inner)?;
            return Ok(choose(inner, &inventory, policy)?.swept);
        }
        let claims = inner.claims()?;
        let _one_thread = locked(&inner.collecting);
        let Some(_one_process) = claims.lock_collection()? else {
            return Err(StoreError::Collecting {
                path: inner.folders.dir.clone(),
            });
        };
        let inventory = Inventory::read(inner)?;
        let chosen = choose(inner, &inventory, policy)?;
        inner.drop_rows(chosen.rows.iter().map(|holder| (holder.at, holder.row.id)))?;
        for (path, digest) in walk::trees(&inner.folders)? {
            let young = fs::symlink_metadata(&path)
                .is_ok_and(|found| mtime_ns(&found) >= chosen.spare_from_ns);
            if chosen.blobs.contains(&(digest, true)) && !young {
                remove_all(&path)?;
            }
        }
        for name in &chosen.blobs {
            let Some(object) = inventory.objects.get(name) else {
                continue;
            };
            // It may have been put again since it was listed.
            let young = fs::symlink_metadata(&object.path)
                .is_ok_and(|found| mtime_ns(&found) >= chosen.spare_from_ns);
            if !young {
                remove_all(&object.path)?;
            }
        }
        inner.shrink_index();
        Ok(chosen.swept)
    }
}

struct Chosen<'a> {
    rows: Vec<&'a Holder>,
    blobs: BTreeSet<Name>,
    /// Blobs without a row stay from this time on, in nanoseconds since 1970.
    spare_from_ns: i64,
    swept: Swept,
}

fn choose<'a>(
    inner: &Inner,
    inventory: &'a Inventory,
    policy: &Policy,
) -> Result<Chosen<'a>, StoreError> {
    let spare_from_ns = spare_from(inner, policy.grace)?;
    let mut swept = Swept::default();
    let mut left = Left::of(inventory);
    for (name, object) in &inventory.objects {
        // A tree that a run has just taken in needs its files, however old they are.
        let young = object.mtime_ns >= spare_from_ns;
        if name.1 && !left.uses.contains_key(name) && (young || policy.keep_blobs.contains(&name.0))
        {
            left.hold(inner, name)?;
        }
    }
    let mut rows = Vec::new();
    let mut candidates = Vec::new();
    let last_day = policy.unused_days.map_or(i64::MIN, |days| {
        inner.clock.today().saturating_sub(days.into())
    });
    for holder in &inventory.holders {
        if holder
            .names
            .iter()
            .any(|name| !inventory.objects.contains_key(name))
            || !inner.complete(&holder.row.parts)?
        {
            swept.broken += 1;
            left.drop(holder);
            rows.push(holder);
        } else if policy.keep.contains(&holder.at) {
        } else if holder.row.used_day <= last_day {
            left.drop(holder);
            rows.push(holder);
        } else {
            candidates.push(holder);
        }
    }
    // Blobs that no row names go first; only then do rows have to.
    let orphan = |name: &Name, left: &Left<'_>| {
        left.uses.get(name).is_none_or(|uses| *uses == 0)
            && inventory.objects[name].mtime_ns < spare_from_ns
            && !policy.keep_blobs.contains(&name.0)
    };
    if let Some(most) = policy.max_bytes {
        let cost = |holder: &Holder| holder.row.record.seconds / left.size(holder).max(1) as f64;
        let mut costs: Vec<(i64, f64, &Holder)> = candidates
            .into_iter()
            .map(|holder| (holder.row.used_day, cost(holder), holder))
            .collect();
        costs.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        for (_, _, holder) in costs {
            if left.bytes <= most {
                break;
            }
            // A row without blobs frees nothing.
            if !holder.names.is_empty() {
                left.drop(holder);
                rows.push(holder);
            }
        }
    }
    let blobs: BTreeSet<Name> = inventory
        .objects
        .keys()
        .filter(|name| orphan(name, &left))
        .copied()
        .collect();
    for holder in &rows {
        match holder.at.0 {
            Kind::Stage => swept.stages.add(&holder.row),
            Kind::Call => swept.calls.add(&holder.row),
        }
    }
    for (name, object) in &inventory.objects {
        if blobs.contains(name) {
            swept.blobs += 1;
            swept.bytes += object.size;
        } else {
            swept.kept_bytes += object.size;
        }
    }
    swept.kept_records = (inventory.holders.len() - rows.len()) as u64;
    Ok(Chosen {
        rows,
        blobs,
        spare_from_ns,
        swept,
    })
}

/// What is left while rows are dropped one after the other.
struct Left<'a> {
    inventory: &'a Inventory,
    uses: HashMap<Name, usize>,
    /// Of the blobs that rows still name.
    bytes: u64,
}

impl Left<'_> {
    fn of(inventory: &Inventory) -> Left<'_> {
        let uses = inventory.uses();
        let named =
            |(name, object): (&Name, &walk::Object)| uses.contains_key(name).then_some(object.size);
        let bytes = inventory.objects.iter().filter_map(named).sum();
        Left {
            inventory,
            uses,
            bytes,
        }
    }

    /// Keeps a tree that no row names, with its files.
    fn hold(&mut self, inner: &Inner, name: &Name) -> Result<(), StoreError> {
        let files = match manifest(&inner.folders, &name.0) {
            Ok(tree) => tree.blobs().map(|(digest, _)| (digest, false)).collect(),
            Err(StoreError::Missing { .. } | StoreError::Damaged { .. }) => Vec::new(),
            Err(error) => return Err(error),
        };
        for name in files.into_iter().chain([*name]) {
            *self.uses.entry(name).or_default() += 1;
        }
        Ok(())
    }

    fn drop(&mut self, holder: &Holder) {
        for name in &holder.names {
            if let Some(uses) = self.uses.get_mut(name) {
                *uses -= 1;
                if *uses == 0 {
                    let object = self.inventory.objects.get(name);
                    self.bytes -= object.map_or(0, |object| object.size);
                }
            }
        }
    }

    fn size(&self, holder: &Holder) -> u64 {
        let objects = holder
            .names
            .iter()
            .filter_map(|name| self.inventory.objects.get(name));
        objects.map(|object| object.size).sum()
    }
}

/// Blobs that were written or touched since then are spared: since the grace began, or, where a
/// process works on the store, since so long before its first write.
fn spare_from(inner: &Inner, grace: Duration) -> Result<i64, StoreError> {
    let mut from = inner.clock.now_ns();
    for (session, began_ns) in inner.index.sessions()? {
        let lives = |claims: &Arc<Claims>| {
            inner.is_own(session) || claims.session_lives(session).unwrap_or(true)
        };
        if inner.claims.as_ref().is_none_or(lives) {
            from = from.min(began_ns);
        }
    }
    Ok(from.saturating_sub(i64::try_from(grace.as_nanos()).unwrap_or(i64::MAX)))
}

impl Inner {
    /// Deletes rows, from the index and from memory.
    pub(crate) fn drop_rows(
        &self,
        rows: impl Iterator<Item = ((Kind, Key), i64)> + Clone,
    ) -> Result<(), StoreError> {
        self.folders.say_removal(self.clock.now_ns())?;
        self.index.with(|connection| {
            let change = connection.transaction()?;
            {
                let mut record = change.prepare("DELETE FROM record WHERE id = ?1")?;
                let mut recipe = change.prepare("DELETE FROM recipe WHERE id = ?1")?;
                for (_, id) in rows.clone() {
                    record.execute([id])?;
                    recipe.execute([id])?;
                }
            }
            change.commit()
        })?;
        let mut known = self
            .known
            .write()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        for (at, id) in rows {
            if known.get(&at).is_some_and(|row| row.id == id) {
                known.remove(&at);
            }
        }
        Ok(())
    }

    /// Gives the pages of deleted rows back, where that is worth a rewrite of the file.
    fn shrink_index(&self) {
        // Another process may be reading; then the pages are used again instead.
        let _ = self.index.with(|connection| {
            let pages =
                |what| connection.pragma_query_value(None, what, |row| row.get::<_, i64>(0));
            if pages("freelist_count")? * 2 > pages("page_count")? {
                connection.execute_batch("VACUUM")?;
            }
            Ok(())
        });
    }
}
