//! What the trainer promises, each shown on the real binary over its wire.

mod determinism;
mod diffusion;
mod hooks;
mod input;
mod limits;
mod programs;
mod worker;
