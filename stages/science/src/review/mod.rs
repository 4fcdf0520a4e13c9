//! Judging papers: automatic checks of a draft against its results, the screening for what speaks to a
//! reviewer, the summary of reviews, the meta-review, and the ranking of papers by comparing them.

mod aggregate;
mod checks;
mod claim;
mod evidence;
mod faults;
mod finding;
mod meta;
mod number;
mod quoted;
mod rank;
mod screen;
mod statistic;
mod structure;

pub(crate) use aggregate::Aggregate;
pub(crate) use checks::Checks;
pub(crate) use claim::{Way, way};
pub(crate) use faults::{faults, faults_of_part};
pub(crate) use finding::{Finding, RowName, Severity};
pub(crate) use meta::Meta;
pub(crate) use rank::{Compare, Rank};
pub(crate) use screen::{Screen, Suspect};
pub(crate) use statistic::Statistic;
