//! The store: results of keyed calls by key, blobs and trees by digest, and the runs that made
//! them. It survives `kill -9` and power loss, several processes use it at once, and nothing
//! half-written is ever read from it.
//!
//! It knows nothing of pipelines, graphs or stages: a key is a digest, outputs are a text.
//!
//! # What is where
//! ```text
//! <store>/                   the part that can be shared between workspaces
//!   version                  what wrote it; anything else is refused
//!   index.sqlite             the records (tables and columns: src/index.rs)
//!   removal                  when records were last taken out
//!   locks                    never any content: one locked byte per claim and per session
//!   objects/ab/cdef…         blobs, named by the blake3 of their bytes; read-only
//!   objects/ab/cdef….tree    manifests of trees, named by the blake3 of the manifest
//!   trees/<digest>/          trees made visible for readers, links to the blobs; read-only
//!   tmp/<session>/           files that are not whole yet; a dead session's are removed
//! <workspace>/               the part of one workspace (the same folder, unless told otherwise)
//!   stat                     digests of files by their stat
//!   runs/<n>/events.jsonl    the log of a run; locked while the run is alive
//!   runs/<n>/pin             the name of a run that every collection keeps
//! ```
//!
//! # The order of writes
//! A blob is written under a temporary name, then renamed; then the row of the record that names
//! it is committed. The row is the commit point: without it, nothing has happened. A record is
//! reused only while all its blobs are there with their sizes, so a blob that is missing makes a
//! miss, never an error.
//!
//! | after | a saved record | a blob | temporary files |
//! |---|---|---|---|
//! | `kill -9` | is there | is whole or absent | removed when the next process writes |
//! | power loss | is there if it was flushed, or saved durably | checked at the next opening if it was not flushed | removed at the next opening |
//! | full disk | as before; the new one is an error | as before | removed at once |
//!
//! # Threads
//! One thread commits records ([`Claim::save_then`] does not wait for it), one flushes about once
//! a second. Both start with the first write and end with the last clone of the [`Store`].

mod claim;
mod clock;
mod digest;
mod error;
mod flush;
mod folders;
mod gc;
mod hash;
mod index;
mod inventory;
mod look;
mod objects;
mod place;
mod record;
mod runs;
mod save;
mod session;
mod standing;
mod stat;
mod store;
mod tree;
mod verify;
mod walk;
mod whole;
mod writer;

pub use claim::Waiter;
pub use clock::Clock;
pub use digest::{Digest, Key, Kind};
pub use error::StoreError;
pub use gc::{Policy, Sweep, Swept};
pub use inventory::{Stats, Sum};
pub use look::Lookup;
pub use objects::{How, Stored};
pub use place::Editable;
pub use record::{Entry, Record};
pub use runs::{RunDir, Runs};
pub use save::Claim;
pub use standing::Standing;
pub use stat::Stat;
pub use store::{Access, Options, Store};
pub use tree::{Mode, Tree, TreeEntry};
pub use verify::{Fault, Repair, Verified};
