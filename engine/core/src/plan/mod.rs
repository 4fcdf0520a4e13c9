//! Spec → [`Graph`]: which nodes there are, what each reads, and what makes two runs of a node the same.
//!
//! In reading order: [`graph`] (nodes, frames, addresses), `grow` (spec → graph), `references` (edges),
//! `fan` (instances), `touched` (what follows from changed files), [`evaluate`] and `functions` (values of expressions), [`key`] (the table of what
//! enters a key). Everything here is pure.

pub mod evaluate;
mod fan;
mod functions;
pub mod graph;
mod grow;
pub mod join;
pub mod key;
mod reads;
mod references;
pub mod sources;
mod touched;

pub use evaluate::{Blocked, Cause, Scope, Settled, Sources};
pub use graph::{Edge, FrameId, Graph, NodeId, NodeKind};
pub use grow::{Growth, Turned, grow};
pub use touched::{Touched, touched};
