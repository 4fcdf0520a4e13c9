//! The published literature: four public libraries and a folder of one's own behind one way of asking.
//!
//! [`Desk`] asks one [`Library`] after another until one answers. An answer is a keyed call to the world,
//! so a query is sent once in a store's life. A library that is busy, broken or away is given up after a
//! bounded time, and the answer says so: nothing here waits without end, and "nothing was found" is never
//! said where nothing was searched.

mod arxiv;
mod crossref;
mod desk;
mod fetch;
mod folder;
mod library;
mod openalex;
mod search;
mod semantic_scholar;
mod verify;

pub(crate) use desk::{Desk, Found, settings};
pub(crate) use library::Paper;
pub(crate) use search::Search;
pub(crate) use verify::Verify;
