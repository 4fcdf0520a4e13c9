//! Notes on a paper that somebody else wrote: it is cut into passages, and every sentence of the notes
//! carries the passage that it rests on.

mod passage;
mod read;

pub(crate) use read::Read;
