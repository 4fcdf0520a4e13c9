//! Statistics of runs: estimates over seeds, comparisons of two variants, the ranking of ideas.

mod aggregate;
mod compare;
mod document;
mod estimate;
mod improvement;
mod leaderboard;
mod preferred;
mod studies;
mod table;
mod tally;

pub(crate) use document::plain;
pub use document::{
    Comparison, Counts, Direction, ENOUGH, Place, Row, Summary, SummaryRow, Verdict,
};
pub use estimate::{Estimate, TooFew, student_quantile, welch};
pub use improvement::Improvement;

pub(crate) use aggregate::{Aggregate, summarise};
pub(crate) use compare::{Compare, compare, word};
pub(crate) use improvement::improvement;
pub(crate) use leaderboard::{Board, BoardRow, Leaderboard, calibrated, judgement, verdict};
pub(crate) use preferred::{Preferred, Ranking, Share, preferred};
pub(crate) use studies::Studies;
pub(crate) use table::{csv, markdown, number};
pub(crate) use tally::Tally;
