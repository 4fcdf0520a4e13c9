//! What the trainer promises, each shown on the real binary over its wire.
#![expect(clippy::unwrap_used, reason = "a test that meets an error has failed")]

mod determinism;
mod diffusion;
mod gradients;
mod grokking;
mod hooks;
mod input;
mod limits;
mod programs;
mod resume;
mod sequences;
mod stack;
mod table;
mod worker;
