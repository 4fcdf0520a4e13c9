//! Judging papers: automatic checks of a draft against its results, and the summary of reviews.

mod aggregate;
mod checks;
mod claim;
mod evidence;
mod faults;
mod finding;
mod number;
mod structure;

pub(crate) use aggregate::Aggregate;
pub(crate) use checks::Checks;
pub(crate) use claim::{Way, way};
pub(crate) use faults::{faults, faults_of_part};
pub(crate) use finding::{Finding, RowName, Severity};
