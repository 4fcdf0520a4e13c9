//! The checker, asked through its front door.

mod examples;
mod hostile;
mod mutants;
mod places;
mod problems;
mod reader;
mod space;
