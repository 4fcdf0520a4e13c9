//! Synthetic data.

mod dino;
mod file;
mod moons;
mod points;

pub(crate) use moons::Moons;
pub(crate) use points::Points;
