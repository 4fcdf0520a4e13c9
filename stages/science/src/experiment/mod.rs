//! Experiments on one idea: a program and its settings are edited, run, noted down, and edited again.
//!
//! What was done is handed on as a list of [`Run`]s, so that a round of the loop is keyed by all that its
//! author has seen. The stages do not train; they stand before and after those that do.

mod chosen;
mod edit;
mod history;
mod note;
mod outcome;
mod reply;
mod variant;

pub(crate) use chosen::Chosen;
pub(crate) use edit::Edit;
pub(crate) use note::Noting;
pub(crate) use outcome::Outcome;
pub(crate) use variant::Variant;
