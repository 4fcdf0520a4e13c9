//! Papers as files: their text, in reading order, and what a file holds without showing it.
//!
//! [`pdf`] draws the pages onto nothing and keeps every letter with its place, size and ink; [`lines`]
//! makes words and lines of letters. What the text says is not known here.

mod lines;
mod pdf;
mod read;

pub(crate) use pdf::Unshown;
pub(crate) use read::{Read, read};
