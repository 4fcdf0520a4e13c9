//! Papers ranked by comparing them two at a time, which judges agree on more than on scores.
//!
//! [`compare`] asks a model which of two papers is the better one, in one order; [`stage`] takes the answers of
//! both orders together: a pair counts only if the same paper wins in both. [`bradley_terry`] turns wins into
//! strengths with intervals, and knows nothing of papers.

mod bradley_terry;
mod compare;
mod stage;

use serde::{Deserialize, Serialize};

pub(crate) use compare::Compare;
pub(crate) use stage::Rank;

/// One answer: which of two papers is better, as they stood in one order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    first: String,
    second: String,
    /// The name of the better one; none where no model was asked.
    better: Option<String>,
    reason: String,
    /// `provider/model`, or `baseline`.
    judge: String,
    provenance: String,
}
