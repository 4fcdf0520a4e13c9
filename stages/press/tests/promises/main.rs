//! What the press promises, tested through its stages as the engine would call them.

mod desk;
mod figures;
mod latex;
mod papers;
