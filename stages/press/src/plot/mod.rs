//! `report/plot`: declared figures in the Vega-Lite vocabulary. Tables become a frame, the frame becomes
//! marks (all statistics happen there), marks become SVG. Nothing is drawn that is not in the output
//! table.

mod asked;
mod axes;
mod categories;
mod density;
mod draw;
mod drawn;
mod frame;
mod heat;
mod layout;
mod marks;
mod scale;
mod spread;
mod stage;
mod statistics;
mod svg;
mod theme;

pub(crate) use frame::Frame;
pub(crate) use stage::Plot;
