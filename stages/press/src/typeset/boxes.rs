//! Where the shown numbers stand on the pages, so that a page's image can be clicked. It knows frames and
//! links; it does not know what a number is.

use std::collections::HashMap;

use serde::Serialize;
use typst::foundations::Label;
use typst::introspection::{Introspector, Location};
use typst::layout::{Frame, FrameItem, Point, Transform};
use typst::model::Destination;
use typst::utils::PicoStr;
use typst_layout::PagedDocument;

/// A part of a shown number on one line, in points from the page's upper left corner.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Area {
    /// The number's row of the appendix, from 1.
    pub(crate) row: usize,
    /// From 1.
    pub(crate) page: usize,
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

/// Width and height of the pages, in points.
pub(crate) fn sizes(document: &PagedDocument) -> Vec<[f64; 2]> {
    let size = |frame: &Frame| [frame.width().to_pt(), frame.height().to_pt()];
    document
        .pages()
        .iter()
        .map(|page| size(&page.frame))
        .collect()
}

/// The areas of the numbers that link to the rows `1..=rows`, page by page.
pub(crate) fn areas(document: &PagedDocument, rows: usize) -> Vec<Area> {
    let introspector = document.introspector();
    let place = |row: usize| {
        let label = Label::new(PicoStr::intern(&format!("row-{row}")))?;
        introspector.query_label(label).ok()?.location()
    };
    let rows: HashMap<Location, usize> = (1..=rows)
        .filter_map(|row| Some((place(row)?, row)))
        .collect();
    let mut found = Vec::new();
    for (index, page) in document.pages().iter().enumerate() {
        let mut see = |row: usize, at: Point, end: Point| {
            found.push(Area {
                row,
                page: index + 1,
                x: rounded(at.x.to_pt()),
                y: rounded(at.y.to_pt()),
                width: rounded((end.x - at.x).to_pt()),
                height: rounded((end.y - at.y).to_pt()),
            });
        };
        links(&page.frame, Transform::identity(), &rows, &mut see);
    }
    found
}

fn links(
    frame: &Frame,
    moved: Transform,
    rows: &HashMap<Location, usize>,
    see: &mut dyn FnMut(usize, Point, Point),
) {
    for (at, item) in frame.items() {
        match item {
            FrameItem::Group(group) => {
                let inner = moved
                    .pre_concat(Transform::translate(at.x, at.y))
                    .pre_concat(group.transform);
                links(&group.frame, inner, rows, see);
            }
            FrameItem::Link(Destination::Location(to), size) => {
                if let Some(row) = rows.get(to) {
                    see(
                        *row,
                        at.transform(moved),
                        (*at + size.to_point()).transform(moved),
                    );
                }
            }
            _ => {}
        }
    }
}

/// A hundredth of a point is less than any screen shows.
fn rounded(points: f64) -> f64 {
    (points * 100.0).round() / 100.0
}
