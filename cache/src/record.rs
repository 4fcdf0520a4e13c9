//! What the store keeps of one keyed call.
//!
//! Does not read inside `outputs`, `recipe` and `note`: they are the caller's own JSON.

use std::sync::Arc;

use crate::Digest;

/// The result of one keyed call.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    /// The caller's own account of the outputs; small values stand in it.
    pub outputs: String,
    /// All that `outputs` names in the store, files and trees. A record is complete, and so can
    /// be reused, while all of them are there.
    pub blobs: Vec<Digest>,
    /// The readable pre-image of the key. Left empty by [`Store::look`](crate::Store::look) and
    /// [`Store::peek`](crate::Store::peek), because recipes would be most of what they read;
    /// [`Store::history`](crate::Store::history) has it.
    pub recipe: String,
    /// What making it cost, in US dollars.
    pub usd: f64,
    /// How long making it took, in seconds.
    pub seconds: f64,
    /// When its making began, in milliseconds since 1970, UTC.
    pub started_at_ms: u64,
    /// Anything else: provenance, environment, run. Not part of any key.
    pub note: String,
}

/// One row of the index: a record, and where it stands among the others of its key.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The row's number; a newer row has a higher one, and no number is used twice.
    pub id: i64,
    /// Whether all its blobs are in the store with their sizes.
    pub complete: bool,
    /// The record, with its recipe.
    pub record: Record,
}

/// One blob of a record, as the index keeps it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Part {
    pub(crate) digest: Digest,
    /// In bytes; of a tree, the size of its manifest.
    pub(crate) size: u64,
    pub(crate) tree: bool,
}

/// A row as it is read from the index.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) id: i64,
    pub(crate) record: Record,
    pub(crate) parts: Vec<Part>,
    /// The day (since 1970) on which it was last used, as the index has it.
    pub(crate) used_day: i64,
}

/// What memory has of a row. A run saves thousands and hardly ever reads one of them again.
#[derive(Debug)]
pub(crate) struct Mark {
    pub(crate) id: i64,
    pub(crate) parts: Box<[Part]>,
    /// As in [`Row`].
    pub(crate) used_day: i64,
    /// None where it was saved by this process: it stands in the index.
    pub(crate) record: Option<Arc<Record>>,
}

impl From<Row> for Mark {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            parts: row.parts.into(),
            used_day: row.used_day,
            record: Some(row.record.into()),
        }
    }
}

/// Bytes of one part in the index: tree flag, digest, size.
const PART: usize = 1 + 32 + 8;

pub(crate) fn pack(parts: &[Part]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(parts.len() * PART);
    for part in parts {
        bytes.push(u8::from(part.tree));
        bytes.extend_from_slice(part.digest.as_bytes());
        bytes.extend_from_slice(&part.size.to_le_bytes());
    }
    bytes
}

/// `None` where the bytes are not what [`pack`] writes.
pub(crate) fn unpack(bytes: &[u8]) -> Option<Vec<Part>> {
    if !bytes.len().is_multiple_of(PART) {
        return None;
    }
    bytes
        .chunks_exact(PART)
        .map(|part| {
            let (tree, rest) = part.split_first()?;
            let (digest, size) = rest.split_at(32);
            Some(Part {
                digest: Digest::from_bytes(digest.try_into().ok()?),
                size: u64::from_le_bytes(size.try_into().ok()?),
                tree: match tree {
                    0 => false,
                    1 => true,
                    _ => return None,
                },
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_survive_packing() {
        let parts = vec![
            Part {
                digest: Digest::of(b"a"),
                size: 0,
                tree: false,
            },
            Part {
                digest: Digest::of(b"b"),
                size: u64::MAX,
                tree: true,
            },
        ];
        assert_eq!(unpack(&pack(&parts)), Some(parts.clone()));
        assert_eq!(unpack(&pack(&parts)[1..]), None);
    }
}
