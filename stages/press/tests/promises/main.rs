//! What the press promises, tested through its stages as the engine would call them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod desk;
mod figures;
mod latex;
mod papers;
mod refused;
mod tables;
