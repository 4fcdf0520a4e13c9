//! Writes SVG: text stays text, numbers have two decimals, so that equal figures are equal bytes. Our
//! own because the plotting crates looked at (kuva, plotters, charming) fix fonts, sizes or facets that
//! the paper's theme decides; what is needed of SVG is five elements.

use std::fmt::Write as _;

use crate::plot::theme;

/// An SVG being written; coordinates in points.
#[derive(Debug, Default)]
pub(crate) struct Svg {
    body: String,
}

/// Where a text stands relative to its point.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// How a shape is drawn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint<'p> {
    pub(crate) fill: &'p str,
    pub(crate) opacity: f64,
    pub(crate) stroke: &'p str,
    pub(crate) width: f64,
    pub(crate) dashes: &'p str,
}

impl<'p> Paint<'p> {
    pub(crate) fn fill(fill: &'p str, opacity: f64) -> Self {
        Self {
            fill,
            opacity,
            stroke: "none",
            width: 0.0,
            dashes: "",
        }
    }

    pub(crate) fn stroke(stroke: &'p str, width: f64) -> Self {
        Self {
            fill: "none",
            opacity: 1.0,
            stroke,
            width,
            dashes: "",
        }
    }

    /// What the enclosing group says.
    pub(crate) const INHERIT: Paint<'static> = Paint {
        fill: "",
        opacity: 1.0,
        stroke: "none",
        width: 0.0,
        dashes: "",
    };

    fn attributes(&self) -> String {
        if self.fill.is_empty() {
            return String::new();
        }
        let mut out = format!(" fill=\"{}\"", self.fill);
        if self.opacity < 1.0 {
            let _ = write!(out, " fill-opacity=\"{}\"", round(self.opacity));
        }
        if self.stroke != "none" {
            let _ = write!(
                out,
                " stroke=\"{}\" stroke-width=\"{}\"",
                self.stroke,
                round(self.width)
            );
            out.push_str(" stroke-linejoin=\"round\"");
        }
        if !self.dashes.is_empty() {
            let _ = write!(out, " stroke-dasharray=\"{}\"", self.dashes);
        }
        out
    }
}

impl Svg {
    pub(crate) fn line(&mut self, a: (f64, f64), b: (f64, f64), paint: Paint<'_>) {
        // Renderers warn of a line without length, such as the whisker of an interval of no width.
        if a != b {
            self.path(&[a, b], false, paint);
        }
    }

    pub(crate) fn path(&mut self, points: &[(f64, f64)], closed: bool, paint: Paint<'_>) {
        let mut data = String::new();
        for (index, (x, y)) in points.iter().enumerate() {
            let sign = if index == 0 { "M" } else { "L" };
            let _ = write!(data, "{sign}{} {}", round(*x), round(*y));
        }
        if closed {
            data.push('Z');
        }
        let _ = writeln!(self.body, "<path d=\"{data}\"{}/>", paint.attributes());
    }

    pub(crate) fn rect(&mut self, x: f64, y: f64, width: f64, height: f64, paint: Paint<'_>) {
        // Renderers warn of a bar without height, which cannot be seen anyway.
        if width < 0.005 || height < 0.005 {
            return;
        }
        let _ = writeln!(
            self.body,
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"{}/>",
            round(x),
            round(y),
            round(width),
            round(height),
            paint.attributes()
        );
    }

    pub(crate) fn circle(&mut self, x: f64, y: f64, radius: f64, paint: Paint<'_>) {
        let _ = writeln!(
            self.body,
            "<circle cx=\"{}\" cy=\"{}\" r=\"{}\"{}/>",
            round(x),
            round(y),
            round(radius),
            paint.attributes()
        );
    }

    pub(crate) fn text(&mut self, at: (f64, f64), text: &str, style: Words<'_>) {
        let anchor = match style.anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let turn = if style.turn == 0.0 {
            String::new()
        } else {
            format!(
                " transform=\"rotate({} {} {})\"",
                round(style.turn),
                round(at.0),
                round(at.1)
            )
        };
        let weight = if style.bold {
            " font-weight=\"600\""
        } else {
            ""
        };
        let _ = writeln!(
            self.body,
            "<text x=\"{}\" y=\"{}\" font-size=\"{}\" text-anchor=\"{anchor}\" fill=\"{}\"{weight}{turn}>{}</text>",
            round(at.0),
            round(at.1),
            round(style.size),
            style.fill,
            escaped(text)
        );
    }

    /// Opens a group that draws nothing outside a rectangle.
    pub(crate) fn clip(&mut self, id: usize, x: f64, y: f64, width: f64, height: f64) {
        let _ = writeln!(
            self.body,
            "<clipPath id=\"panel{id}\"><rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/></clipPath>\n<g clip-path=\"url(#panel{id})\">",
            round(x),
            round(y),
            round(width),
            round(height)
        );
    }

    /// Opens a group whose shapes inherit a paint.
    pub(crate) fn group(&mut self, paint: Paint<'_>) {
        let _ = writeln!(self.body, "<g{}>", paint.attributes());
    }

    pub(crate) fn end(&mut self) {
        self.body.push_str("</g>\n");
    }

    /// The whole file; `title` is read by screen readers.
    pub(crate) fn finish(self, width: f64, height: f64, title: &str) -> String {
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w}pt\" height=\"{h}pt\" viewBox=\"0 0 {w} {h}\" font-family=\"{}\">\n<title>{}</title>\n{}</svg>\n",
            theme::FAMILY,
            escaped(title),
            self.body,
            w = round(width),
            h = round(height),
        )
    }
}

/// How a text is set.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Words<'w> {
    pub(crate) size: f64,
    pub(crate) anchor: Anchor,
    pub(crate) fill: &'w str,
    pub(crate) bold: bool,
    /// Degrees, clockwise.
    pub(crate) turn: f64,
}

impl Words<'_> {
    pub(crate) fn new(size: f64, anchor: Anchor) -> Self {
        Words {
            size,
            anchor,
            fill: theme::INK,
            bold: false,
            turn: 0.0,
        }
    }
}

fn round(value: f64) -> String {
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" {
        "0".to_owned()
    } else {
        text.to_owned()
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
