//! Data of the templates: synthetic point sets, tables of equations, texts.

mod characters;
mod dino;
mod equations;
mod file;
mod moons;
mod points;
mod set;
mod text;

pub(crate) use characters::Characters;
pub(crate) use moons::Moons;
pub(crate) use points::Points;
pub(crate) use set::Set;
pub(crate) use text::Text;
