//! The contract between the engine and the stages: what a stage type says of itself
//! ([`Signature`]), what it is asked ([`Call`]), what it may use while it works ([`Context`])
//! and what it answers ([`Outputs`] or a [`Failure`]).
//!
//! This crate knows nothing of the engine, of the cache, or of any particular stage.

mod call;
mod context;
mod datum;
mod failure;
mod model;
mod shape;
mod signature;
mod types;
mod wire;

pub use call::{Call, Output, Outputs};
pub use context::{Context, MODEL_CALL, Note, Outbox, Price, Reply, Request, Tokens};
pub use datum::{Cell, Datum};
pub use failure::{Failure, Place, Retry};
pub use model::{BASELINE, Model};
pub use shape::{check_value, declared, named_shapes};
pub use signature::{Field, Names, Port, Shape, Signature};
pub use types::{Type, TypeError};
pub use wire::{Checkpoints, Description, FromWorker, ToWorker, WIRE_VERSION};

/// A stage type that runs inside the engine's process, on a blocking thread.
pub trait Stage: Send + Sync {
    /// What the stage type says of itself; the same at every call.
    fn signature(&self) -> Signature;

    /// Does the work. Must depend on nothing but `call` and on what it obtains by
    /// [`Context::call`]: no clock, no environment variable, no file outside its inputs.
    fn run(&self, call: &Call, context: &dyn Context) -> Result<Outputs, Failure>;
}
