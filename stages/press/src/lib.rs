//! The press: declared figures (`report/plot`), tables of means (`report/table`) and papers in which every number is traced to its source
//! (`paper/set`), also as LaTeX (`paper/latex`, `paper/compile`). The only crate that links typst. It knows nothing of the engine, of the cache, of
//! models or of any particular experiment.

mod bibliography;
mod check;
mod claims;
mod draft;
mod input;
mod latex;
mod numbers;
mod paper;
mod plot;
mod table;
mod text;
mod typeset;

use kyobashi_stage::Stage;

/// The stage types of this crate.
#[must_use]
pub fn stages() -> Vec<Box<dyn Stage>> {
    vec![
        Box::new(plot::Plot),
        Box::new(table::Table),
        Box::new(paper::Set),
        Box::new(latex::Latex),
        Box::new(latex::Compile),
    ]
}
