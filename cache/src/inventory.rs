//! All that a store holds and who names what: the common ground of `gc`, `verify` and `stats`.
//!
//! Decides nothing and changes nothing.

use std::collections::{BTreeMap, HashMap};

use crate::record::Row;
use crate::store::Inner;
use crate::walk::{self, Object};
use crate::{Digest, Key, Kind, StoreError, tree};

/// A file of the store: the digest, and whether it is the manifest of a tree.
pub(crate) type Name = (Digest, bool);

/// How many records there are and what making them took.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sum {
    /// Rows of the index.
    pub records: u64,
    /// Of making them, one after the other.
    pub seconds: f64,
    /// Of making them, in US dollars. What a stage paid for its calls stands in both sums.
    pub usd: f64,
}

impl Sum {
    pub(crate) fn add(&mut self, row: &Row) {
        self.records += 1;
        self.seconds += row.record.seconds;
        self.usd += row.record.usd;
    }
}

/// What a store holds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stats {
    /// Records of stages.
    pub stages: Sum,
    /// Records of calls.
    pub calls: Sum,
    /// Different keys among them.
    pub keys: u64,
    /// Files in the store, manifests of trees among them.
    pub blobs: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Those of them that no record names: inputs that were taken in, and left-overs.
    pub orphans: u64,
    /// Bytes of those.
    pub orphan_bytes: u64,
    /// Bytes of the index with its log.
    pub index_bytes: u64,
}

/// One row with all the files it needs.
pub(crate) struct Holder {
    pub(crate) at: (Kind, Key),
    pub(crate) row: Row,
    pub(crate) names: Vec<Name>,
}

pub(crate) struct Inventory {
    /// Oldest first.
    pub(crate) holders: Vec<Holder>,
    pub(crate) objects: BTreeMap<Name, Object>,
}

impl Inventory {
    /// Reads the rows first: a row that is committed later may name blobs that are not listed,
    /// but no listed row misses a blob that was there.
    pub(crate) fn read(inner: &Inner) -> Result<Inventory, StoreError> {
        let mut holders = Vec::new();
        inner.index.scan(None, |kind, key, row| {
            holders.push(Holder {
                at: (kind, key),
                row,
                names: Vec::new(),
            });
        })?;
        let mut files_of: HashMap<Digest, Vec<Name>> = HashMap::new();
        for holder in &mut holders {
            for part in &holder.row.parts {
                holder.names.push((part.digest, part.tree));
                if part.tree {
                    let files = files_of.entry(part.digest).or_insert_with(|| {
                        // A tree whose manifest cannot be read holds nothing: its record is a miss.
                        let tree = tree::manifest(&inner.folders, &part.digest);
                        tree.map_or(Vec::new(), |tree| {
                            tree.blobs().map(|(digest, _)| (digest, false)).collect()
                        })
                    });
                    holder.names.extend_from_slice(files);
                }
            }
            holder.names.sort_unstable();
            holder.names.dedup();
        }
        let objects = walk::objects(&inner.folders)?;
        let objects = objects
            .into_iter()
            .map(|object| ((object.digest, object.tree), object))
            .collect();
        Ok(Inventory { holders, objects })
    }

    /// How many rows name each file.
    pub(crate) fn uses(&self) -> HashMap<Name, usize> {
        let mut uses = HashMap::new();
        for name in self.holders.iter().flat_map(|holder| &holder.names) {
            *uses.entry(*name).or_default() += 1;
        }
        uses
    }

    pub(crate) fn stats(&self, inner: &Inner) -> Stats {
        let mut stats = Stats::default();
        let mut keys = std::collections::BTreeSet::new();
        for holder in &self.holders {
            match holder.at.0 {
                Kind::Stage => stats.stages.add(&holder.row),
                Kind::Call => stats.calls.add(&holder.row),
            }
            keys.insert(holder.at);
        }
        stats.keys = keys.len() as u64;
        let uses = self.uses();
        for (name, object) in &self.objects {
            stats.blobs += 1;
            stats.bytes += object.size;
            if !uses.contains_key(name) {
                stats.orphans += 1;
                stats.orphan_bytes += object.size;
            }
        }
        let index = inner.index.path().as_os_str();
        for ending in ["", "-wal", "-shm"] {
            let mut path = index.to_owned();
            path.push(ending);
            stats.index_bytes += crate::store::size_of(path.as_ref()).unwrap_or(0);
        }
        stats
    }
}

impl crate::Store {
    /// Counts what is in the store.
    pub fn stats(&self) -> Result<Stats, StoreError> {
        Ok(Inventory::read(&self.inner)?.stats(&self.inner))
    }
}
