//! Where the numbers of a paper lead: every number of a paper that anyone wrote is read, told what kind it
//! is of, and looked up in the results and settings of its experiments.
//!
//! The path: [`plain`] blocks from [`tex`] or [`markdown`] → numbers by [`token`] → [`judge`], which asks
//! [`words`] what they are, [`context`] what they are about, [`evidence`] what agrees with them → entries
//! → report. It knows values and words, not meaning.

mod aliases;
mod around;
mod assigned;
mod beside;
mod cells;
mod change;
mod changes;
mod commands;
mod comparisons;
mod conditions;
mod context;
mod counts;
mod directions;
mod entry;
mod environments;
mod evidence;
mod fit;
mod gaps;
mod grouped;
mod implied;
mod judge;
mod keyed;
mod kind;
mod lookup;
mod markdown;
mod maths;
mod metrics;
mod named;
mod parts;
mod plain;
mod plainly;
mod positions;
mod pvalues;
mod records;
mod refuted;
mod repeated;
mod report;
mod rest;
mod results;
mod rows;
mod scales;
mod series;
mod shown;
mod spreads;
mod stage;
mod stems;
mod strength;
mod suffix;
mod table;
mod tex;
pub(crate) mod token;
mod told;
pub(crate) mod words;

pub(crate) use stage::Numbers;
