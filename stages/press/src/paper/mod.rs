//! `paper/set`: a draft, its figures and its results become a PDF, page images, plain text and the list
//! of every number. It knows no particular experiment.

pub(crate) mod manuscript;
mod set;
mod source;
pub(crate) mod stage;

pub(crate) use stage::Set;
