//! Papers as drafts: how a draft is read, written, mended and chosen.

pub(crate) mod draft;
pub(crate) mod reference;
mod sentence;

mod facts;
mod wording;
mod write;

mod author;
mod cite;
mod sections;
mod works;

mod improve;
mod mend;
mod points;
mod repair;

mod best;

pub(crate) use best::Best;
pub(crate) use facts::{comparison, label};
pub(crate) use improve::Improve;
pub(crate) use repair::Repair;
pub(crate) use sentence::sentences;
pub(crate) use wording::format;
pub(crate) use write::Write;
