//! How good a reviewer is: its reviews of papers whose decisions are known, scored.
//!
//! `review/score` reads ratings by people ([`ratings`]) and reviews by a reviewer ([`reviews`]), matches
//! them by paper ([`judged`]), counts right and wrong decisions ([`measures`]), and says how far chance
//! alone could have moved each figure ([`bootstrap`]). A value that the form does not allow is dirty: it
//! is named and counted, and never enters a mean. [`calibration`] says what a score of this reviewer means ([`calibrated`]: as a file),
//! and [`papers`] which papers of a folder can be reviewed. Nothing here knows how the reviews were made.

mod bootstrap;
mod calibrate;
mod calibrated;
mod calibration;
mod contamination;
mod correlation;
mod dirt;
mod document;
mod judged;
mod measures;
mod papers;
mod ratings;
mod reviews;
mod scale;
mod score;
mod sheet;
mod spread;
mod tables;

pub(crate) use calibrate::Calibrate;
pub(crate) use calibrated::{Calibrated, Meaning};
pub(crate) use papers::Papers;
pub(crate) use score::Score;
