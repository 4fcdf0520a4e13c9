//! Synthetic data.

mod dino;
mod points;

pub(crate) use points::Points;
