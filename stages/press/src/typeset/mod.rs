//! From the tree of a paper to Typst, and from Typst to PDF and page images.

#[cfg(test)]
mod audit;
pub(crate) mod boxes;
pub(crate) mod emit;
pub(crate) mod maths;
pub(crate) mod print;
pub(crate) mod world;
pub(crate) mod writer;
