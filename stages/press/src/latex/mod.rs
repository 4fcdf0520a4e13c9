//! `paper/latex`: the same paper as LaTeX source, for venues that ask for it. Numbers stay macros whose
//! values lie in a file of their own, so that they can be refreshed without touching the prose.
//! `paper/compile`: that source as PDF, where TeX is installed.

mod compile;
mod document;
mod emit;
pub(crate) mod escape;
mod log;
mod stage;

pub(crate) use compile::Compile;
pub(crate) use stage::Latex;
