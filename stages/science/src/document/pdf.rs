//! The text of a PDF file. Pages are drawn by an interpreter onto a device that only listens, so a letter
//! is known with the place, the size and the colour in which a reader would see it.
//!
//! Text that a reader would not see (no ink, white on white, smaller than a point, off the page) is kept
//! apart. Where most of the text is drawn without ink, the file is a scan with a layer of recognised text,
//! and that layer is its text. Text under a figure that was painted over it is not recognised as hidden.

use std::sync::Arc;

use hayro_interpret::font::{FontData, Glyph};
use hayro_interpret::hayro_cmap::BfString;
use hayro_interpret::{
    BlendMode, ClipPath, Context as Interpreter, Device, GlyphDrawMode, Image, InterpreterCache,
    InterpreterSettings, Paint, PathDrawMode, SoftMask, TransformExt, interpret_page,
};
use hayro_syntax::{DecryptionError, LoadPdfError, Pdf};
use kurbo::{Affine, BezPath, Point, Rect, Shape};
use kyobashi_stage::Failure;
use serde::{Deserialize, Serialize};

use super::lines::{Letter, lines};

/// Smaller letters than this, in points, nobody reads.
const TINY: f64 = 1.2;
/// A colour whose every part is above this is white.
const WHITE: f32 = 0.96;
/// Ink that is thinner than this is none.
const CLEAR: f32 = 0.05;
/// Letters that a hidden text has at least: less is the white label of a plot.
const LETTERS: usize = 12;

/// Text that a file holds and does not show.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Unshown {
    /// From 1.
    pub(crate) page: usize,
    pub(crate) text: String,
    /// A fragment: `is white on white`.
    pub(crate) why: String,
}

/// What stands in a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Document {
    pub(crate) text: String,
    pub(crate) hidden: Vec<Unshown>,
    pub(crate) pages: usize,
    /// Letters of which the file does not say which they are.
    pub(crate) unknown: usize,
    /// Whether the text is a layer that was recognised in a scan.
    pub(crate) scan: bool,
}

/// Reads a PDF file.
///
/// # Errors
/// If it is none, is broken, is locked by a password, or holds pictures only.
pub(crate) fn pdf(bytes: Vec<u8>, name: &str) -> Result<Document, Failure> {
    // The interpreter is young, and files come from anywhere: what it cannot bear is a failure of the file.
    let read = std::panic::AssertUnwindSafe(|| drawn(bytes, name));
    std::panic::catch_unwind(read).unwrap_or_else(|_| {
        Err(Failure::new(format!(
            "{name} cannot be read: it breaks the reader of PDF files"
        ))
        .help("print it to a new PDF file, or give its text as a .txt file"))
    })
}

fn drawn(bytes: Vec<u8>, name: &str) -> Result<Document, Failure> {
    let pdf = Pdf::new(bytes).map_err(|error| match error {
        LoadPdfError::Decryption(DecryptionError::PasswordProtected) => {
            Failure::new(format!("{name} is locked by a password")).help("save it without one")
        }
        LoadPdfError::Decryption(_) => {
            Failure::new(format!("{name} is encrypted in a way that cannot be read"))
                .help("save it without encryption")
        }
        LoadPdfError::Invalid => {
            Failure::new(format!("{name} is broken: its pages cannot be found"))
                .help("fetch it again, or print it to a new PDF file")
        }
    })?;
    let settings = InterpreterSettings {
        font_resolver: Arc::new(|_| stand_in()),
        ..InterpreterSettings::default()
    };
    let cache = InterpreterCache::new();
    let mut pages = Vec::new();
    for page in pdf.pages().iter() {
        let (width, height) = page.render_dimensions();
        let bounds = Rect::new(0.0, 0.0, f64::from(width), f64::from(height));
        let start = page.initial_transform(true).to_kurbo();
        let mut context = Interpreter::new(start, bounds, &cache, pdf.xref(), settings.clone());
        let mut listener = Listener {
            bounds,
            ..Listener::default()
        };
        interpret_page(page, &mut context, &mut listener);
        pages.push(listener);
    }
    document(pages, name)
}

fn document(pages: Vec<Listener>, name: &str) -> Result<Document, Failure> {
    let all = || pages.iter().flat_map(|page| &page.letters);
    let inkless = all().filter(|(_, why)| *why == Some(NO_INK)).count();
    let scan = inkless * 2 > all().count();
    let mut document = Document {
        pages: pages.len(),
        unknown: pages.iter().map(|page| page.unknown).sum(),
        scan,
        ..Document::default()
    };
    let mut texts = Vec::new();
    for (number, page) in pages.into_iter().enumerate() {
        let mut shown = Vec::new();
        let mut hidden: Vec<(&'static str, Vec<Letter>)> = Vec::new();
        for (letter, why) in page.letters {
            match why.filter(|why| !(scan && *why == NO_INK)) {
                None => shown.push(letter),
                Some(why) => match hidden.iter_mut().find(|(known, _)| *known == why) {
                    Some((_, letters)) => letters.push(letter),
                    None => hidden.push((why, vec![letter])),
                },
            }
        }
        texts.push(lines(&shown));
        for (why, letters) in hidden {
            let text = lines(&letters);
            if text.chars().filter(|sign| sign.is_alphabetic()).count() >= LETTERS {
                let page = number + 1;
                document.hidden.push(Unshown {
                    page,
                    text,
                    why: why.to_owned(),
                });
            }
        }
    }
    document.text = texts.join("\n\n").trim().to_owned() + "\n";
    if document.text.trim().is_empty() {
        return Err(Failure::new(format!(
            "{name} holds no text on its {} pages, only pictures",
            document.pages
        ))
        .help("let a program recognise its text first, as `ocrmypdf` does"));
    }
    Ok(document)
}

/// A font in place of one that the file names and does not hold: which letters stand where is known without.
fn stand_in() -> Option<(FontData, u32)> {
    let font = typst_assets::fonts().next()?;
    Some((Arc::new(font), 0))
}

const NO_INK: &str = "is drawn without ink";

/// A device that draws nothing and remembers letters.
#[derive(Default)]
struct Listener {
    bounds: Rect,
    letters: Vec<(Letter, Option<&'static str>)>,
    /// Where something dark lies, on which white is seen.
    grounds: Vec<Rect>,
    unknown: usize,
}

impl Listener {
    fn hidden(
        &self,
        letter: &Letter,
        paint: &Paint<'_>,
        invisible: bool,
        measured: bool,
    ) -> Option<&'static str> {
        let middle = Point::new(letter.x + letter.size / 4.0, letter.y - letter.size / 4.0);
        let inked = match paint {
            Paint::Color(color) => Some(color.to_rgba().components()),
            Paint::Pattern(_) => None,
        };
        let white = |[red, green, blue, _]: [f32; 4]| red.min(green).min(blue) > WHITE;
        if invisible {
            Some(NO_INK)
        } else if inked.is_some_and(|[.., alpha]| alpha < CLEAR) {
            Some("is transparent")
        } else if measured && letter.size < TINY {
            Some("is smaller than anybody can read")
        } else if !self.bounds.inflate(2.0, 2.0).contains(middle) {
            Some("lies outside of the page")
        } else if inked.is_some_and(white)
            && !self.grounds.iter().any(|ground| ground.contains(middle))
        {
            Some("is white on white")
        } else {
            None
        }
    }
}

impl<'a> Device<'a> for Listener {
    fn set_soft_mask(&mut self, _: Option<SoftMask<'a>>) {}
    fn set_blend_mode(&mut self, _: BlendMode) {}
    fn draw_path(
        &mut self,
        path: &BezPath,
        transform: Affine,
        paint: &Paint<'a>,
        mode: &PathDrawMode,
    ) {
        let dark = match paint {
            Paint::Color(color) => {
                let [red, green, blue, alpha] = color.to_rgba().components();
                alpha > 0.2 && red.min(green).min(blue) < 0.85
            }
            Paint::Pattern(_) => true,
        };
        if dark && matches!(mode, PathDrawMode::Fill(_)) {
            self.grounds.push((transform * path.clone()).bounding_box());
        }
    }
    fn push_clip_path(&mut self, _: &ClipPath) {}
    fn push_transparency_group(&mut self, _: f32, _: Option<SoftMask<'a>>, _: BlendMode) {}
    fn draw_glyph(
        &mut self,
        glyph: &Glyph<'a>,
        transform: Affine,
        glyph_transform: Affine,
        paint: &Paint<'a>,
        mode: &GlyphDrawMode,
    ) {
        let full = transform * glyph_transform;
        let [a, b, c, d, x, y] = full.as_coeffs();
        let text = match glyph.as_unicode() {
            Some(BfString::Char(sign)) => sign.to_string(),
            Some(BfString::String(text)) => text,
            None => {
                self.unknown += 1;
                return;
            }
        };
        // A glyph is drawn in thousandths of its size.
        let size = (a * d - b * c).abs().sqrt() * 1000.0;
        let (advance, measured) = match glyph {
            Glyph::Outline(outline) => (outline.advance_width(), true),
            Glyph::Type3(_) => (None, false),
        };
        let letter = Letter {
            text,
            x,
            y,
            direction: b.atan2(a),
            size: if measured { size } else { size.max(8.0) },
            width: f64::from(advance.unwrap_or(500.0)) / 1000.0 * a.hypot(b) * 1000.0,
        };
        // Letters that are filled and then drawn around come twice.
        let twice = |(last, _): &(Letter, Option<&'static str>)| {
            last.text == letter.text && (last.x - x).abs() + (last.y - y).abs() < 1e-6
        };
        if matches!(mode, GlyphDrawMode::Stroke(_)) && self.letters.last().is_some_and(twice) {
            return;
        }
        let invisible = matches!(mode, GlyphDrawMode::Invisible);
        let why = self.hidden(&letter, paint, invisible, measured);
        self.letters.push((letter, why));
    }
    fn draw_image(&mut self, _: Image<'a, '_>, transform: Affine) {
        // A picture is drawn into the unit square.
        self.grounds
            .push(transform.transform_rect_bbox(Rect::new(0.0, 0.0, 1.0, 1.0)));
    }
    fn pop_clip_path(&mut self) {}
    fn pop_transparency_group(&mut self) {}
}
