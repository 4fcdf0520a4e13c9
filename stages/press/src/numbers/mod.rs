//! Every number of a paper and where it comes from.

pub(crate) mod calc;
pub(crate) mod format;
pub(crate) mod lookup;
pub(crate) mod measure;
pub(crate) mod record;
pub(crate) mod resolve;
pub(crate) mod typed;
