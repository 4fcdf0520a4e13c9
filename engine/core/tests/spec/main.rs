//! The checker, asked through its front door.

#![expect(
    clippy::unwrap_used,
    reason = "what a test stands on is there, or the test fails"
)]

mod examples;
mod hostile;
mod mutants;
mod places;
mod problems;
mod reader;
mod space;
