//! Typst source to a laid-out document, a PDF and page images. Problems of Typst come back with their
//! place in the draft.

use std::num::NonZeroUsize;

use kyobashi_stage::Failure;
use typst::WorldExt;
use typst::diag::{SourceDiagnostic, Warned};
use typst::foundations::{Label, Selector, Smart, Value};
use typst::introspection::{Introspector, MetadataElem};
use typst::utils::{PicoStr, Scalar};
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, PdfStandard, PdfStandards};
use typst_render::RenderOptions;

use crate::draft::place::{Problem, failure};
use crate::typeset::world::Memory;
use crate::typeset::writer::Writer;

/// Lays a paper out.
///
/// # Errors
/// Every error of Typst, at its place in the draft; one without a place is a fault of the press.
pub(crate) fn layout(
    memory: &Memory,
    writer: &Writer,
    draft: &str,
) -> Result<PagedDocument, Failure> {
    let Warned { output, .. } = typst::compile::<PagedDocument>(memory);
    // Cached pieces of papers that were not set lately are dropped, or the memory of a long run grows.
    typst::comemo::evict(8);
    output.map_err(|errors| {
        let problems: Result<Vec<Problem>, Failure> = errors
            .iter()
            .map(|error| problem(memory, writer, error))
            .collect();
        problems.map_or_else(|bug| bug, |problems| failure(draft, &problems))
    })
}

fn problem(memory: &Memory, writer: &Writer, error: &SourceDiagnostic) -> Result<Problem, Failure> {
    let place = |span| memory.range(span).and_then(|range| writer.origin(&range));
    let own = memory.is_main(error.span.id()).then(|| place(error.span));
    // An error inside the template is the fault of the call that led there.
    let called = error
        .trace
        .iter()
        .find(|point| memory.is_main(point.span.id()))
        .and_then(|point| place(point.span.into()));
    let Some(at) = own.flatten().or(called) else {
        let message = format!("the house style does not compile: {}", error.message);
        return Err(Failure::bug(message));
    };
    let problem = Problem::new(at..at + 1, error.message.to_string());
    Ok(match error.hints.first() {
        Some(hint) => problem.help(hint.v.to_string()),
        None => problem,
    })
}

/// The places in the draft of formulas and tables that are wider than their column.
pub(crate) fn overfull(document: &PagedDocument) -> Vec<usize> {
    let Some(label) = Label::new(PicoStr::intern("overfull")) else {
        return Vec::new();
    };
    let mut places: Vec<usize> = document
        .introspector()
        .query(&Selector::Label(label))
        .iter()
        .filter_map(
            |content| match &content.to_packed::<MetadataElem>()?.value {
                Value::Int(at) => usize::try_from(*at).ok(),
                _ => None,
            },
        )
        .collect();
    places.sort_unstable();
    places.dedup();
    places
}

/// The page on which a shown number stands, from 1.
pub(crate) fn page(document: &PagedDocument, number: usize) -> Option<usize> {
    let label = Label::new(PicoStr::intern(&format!("number-{number}")))?;
    let introspector = document.introspector();
    let location = introspector.query_label(label).ok()?.location()?;
    introspector.page(location).map(NonZeroUsize::get)
}

/// The PDF of a paper by PDF/UA-1, which screen readers can read; what does not keep to it is written without
/// that claim, with what stands against it.
///
/// # Errors
/// What the PDF writer refused.
pub(crate) fn accessible(
    document: &PagedDocument,
    ident: &str,
) -> Result<(Vec<u8>, Option<String>), Failure> {
    let standards = PdfStandards::new(&[PdfStandard::Ua_1])
        .map_err(|error| Failure::bug(format!("PDF/UA-1: {}", error.message())))?;
    match written(document, ident, standards) {
        Ok(pdf) => Ok((pdf, None)),
        Err(why) => Ok((pdf(document, ident)?, Some(why))),
    }
}

/// The PDF.
///
/// # Errors
/// What the PDF writer refused.
pub(crate) fn pdf(document: &PagedDocument, ident: &str) -> Result<Vec<u8>, Failure> {
    written(document, ident, PdfStandards::default())
        .map_err(|why| Failure::new(format!("cannot write the PDF: {why}")))
}

fn written(
    document: &PagedDocument,
    ident: &str,
    standards: PdfStandards,
) -> Result<Vec<u8>, String> {
    let options = PdfOptions {
        standards,
        ident: Smart::Custom(ident.to_owned()),
        creator: Smart::Custom(Some("Kyobashi".to_owned())),
        ..PdfOptions::default()
    };
    typst_pdf::pdf(document, &options).map_err(|errors| {
        let messages: Vec<String> = errors
            .iter()
            .map(|error| error.message.to_string())
            .collect();
        messages.join("; ")
    })
}

/// The pages as PNG.
///
/// # Errors
/// What the PNG encoder refused.
pub(crate) fn pages(
    document: &PagedDocument,
    pixels_per_point: f64,
) -> Result<Vec<Vec<u8>>, Failure> {
    let options = RenderOptions {
        pixel_per_pt: Scalar::new(pixels_per_point),
        ..RenderOptions::default()
    };
    document
        .pages()
        .iter()
        .map(|page| {
            typst_render::render(page, &options)
                .encode_png()
                .map_err(|error| Failure::bug(format!("cannot encode a page: {error}")))
        })
        .collect()
}

/// A figure as PNG, drawn by the same engine and fonts as the paper.
///
/// # Errors
/// SVG that Typst cannot draw.
pub(crate) fn image(svg: &str, pixels_per_point: f64) -> Result<Vec<u8>, Failure> {
    let document = alone(svg.as_bytes(), "3pt")?;
    pages(&document, pixels_per_point)?
        .into_iter()
        .next()
        .ok_or_else(|| Failure::bug("the figure has no page"))
}

/// A figure as PDF of its own size, for LaTeX.
///
/// # Errors
/// SVG that Typst cannot draw.
pub(crate) fn vector(figure: &[u8]) -> Result<Vec<u8>, Failure> {
    pdf(&alone(figure, "0pt")?, "figure")
}

fn alone(figure: &[u8], margin: &str) -> Result<PagedDocument, Failure> {
    let name = if figure.starts_with(b"\x89PNG") {
        "figure.png"
    } else {
        "figure.svg"
    };
    let main = format!(
        "#set page(width: auto, height: auto, margin: {margin})\n#image(\"{name}\", alt: \"figure\")\n"
    );
    let mut memory = Memory::new(main);
    memory.add(name, figure.to_vec());
    let Warned { output, .. } = typst::compile::<PagedDocument>(&memory);
    output.map_err(|errors| {
        let first = errors.first().map(|error| error.message.to_string());
        Failure::new(format!(
            "cannot draw the figure: {}",
            first.unwrap_or_default()
        ))
    })
}
