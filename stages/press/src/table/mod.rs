//! `report/table`: means over runs as a table of two axes, in Markdown and LaTeX. The summary becomes
//! cells ([`cells`]), a pattern says how a cell is shown ([`pattern`]), [`emit`] writes the texts.

mod cells;
mod emit;
mod pattern;
mod stage;

pub(crate) use stage::Table;
