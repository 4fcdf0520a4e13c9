//! Ideas: where they come from, and which of them are new.

mod archive;
mod ask;
mod enumerate;
mod examine;
mod novelty;
mod propose;
mod published;
mod similar;

pub(crate) use archive::Archive;
pub(crate) use novelty::Novelty;
pub(crate) use propose::Propose;
