//! From a manuscript to everything that a paper gives: PDF, pages, text, numbers.

use kyobashi_stage::Failure;
use serde_json::{Value, json};

use crate::check::Warning;
use crate::draft::place::{Problem, failure};
use crate::draft::tree::words;
use crate::numbers::record::Number;
use crate::paper::manuscript::{Manuscript, manuscript};
use crate::paper::source::source;
use crate::paper::stage::{Asked, Stance};
use crate::text::Text;
use crate::typeset::{boxes, print};

/// Two pixels a point (144 a inch) are enough to read every sign of a page on a screen.
const PIXELS_PER_POINT: f64 = 2.0;

const OVERFULL: &str = "this is wider than its column and runs over it";
const SHORTER: &str =
    "break the formula with `aligned` and `\\\\`; give the table fewer or shorter columns";

/// A typeset paper.
pub(crate) struct Paper {
    pub(crate) pdf: Vec<u8>,
    pub(crate) text: String,
    pub(crate) numbers: Value,
    pub(crate) pages: Vec<Vec<u8>>,
    /// Where the numbers stand on the pages.
    pub(crate) areas: Value,
}
/// Sets a paper.
///
/// # Errors
/// All problems of the draft at once, each with its place.
pub(crate) fn set(asked: &Asked) -> Result<Paper, Failure> {
    let manuscript = manuscript(asked)?;
    let text = text(asked, &manuscript);
    let (mut memory, writer) = source(asked, &manuscript)?;
    let Manuscript {
        mut numbers,
        warnings,
        provenance,
        ..
    } = manuscript;
    let list = |numbers: &[Number], warnings: &[Warning]| json!({"provenance": provenance.word(), "numbers": numbers, "warnings": warnings});
    // The pages are not in the attached list: they are known only after the list is attached.
    let attached = format!("{:#}", list(&numbers, &warnings));
    memory.add("numbers.json", attached.into_bytes());
    let document = print::layout(&memory, &writer, &asked.draft)?;
    let mut warnings = warnings;
    let over = print::overfull(&document);
    match asked.overfull {
        Stance::Refuse if !over.is_empty() => {
            let problem = |at: &usize| Problem::new(*at..at + 1, OVERFULL).help(SHORTER);
            let problems: Vec<Problem> = over.iter().map(problem).collect();
            return Err(failure(&asked.draft, &problems));
        }
        Stance::Warn => warnings.extend(
            over.into_iter()
                .map(|at| Warning::at(&asked.draft, at, OVERFULL.to_owned())),
        ),
        Stance::Pass | Stance::Refuse => {}
    }
    for (index, number) in numbers.iter_mut().enumerate() {
        number.page = print::page(&document, index);
    }
    let rows = numbers.iter().map(|number| number.row).max().unwrap_or(0);
    let ident = blake3::hash(writer.text.as_bytes()).to_hex().to_string();
    let (pdf, against) = print::accessible(&document, &ident)?;
    warnings.extend(against.map(|why| Warning {
        message: format!("the PDF does not keep to PDF/UA-1: {why}"),
        line: None,
        col: None,
    }));
    Ok(Paper {
        pdf,
        areas: json!({"pages": boxes::sizes(&document), "areas": boxes::areas(&document, rows)}),
        pages: print::pages(&document, PIXELS_PER_POINT)?,
        text,
        numbers: list(&numbers, &warnings),
    })
}

fn text(asked: &Asked, manuscript: &Manuscript) -> String {
    let mut text = Text::new(&manuscript.numbers, &manuscript.works, &manuscript.body);
    let shown = |index: usize| manuscript.numbers[index].shown.clone();
    text.line(&words(&manuscript.title, &shown));
    text.line(&manuscript.authors(asked).join(", "));
    if let Some(sentence) = manuscript.provenance.sentence() {
        text.line(&format!(
            "\nProvenance: {}. {sentence}",
            manuscript.provenance.word()
        ));
    }
    if !manuscript.summary.is_empty() {
        text.line("\nAbstract\n");
        text.blocks(&manuscript.summary);
    }
    text.blocks(&manuscript.body);
    text.finish()
}
