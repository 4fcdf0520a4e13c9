//! Boxes and violins.

use crate::plot::density::outline;
use crate::plot::layout::Place;
use crate::plot::statistics::Boxed;
use crate::plot::svg::{Paint, Svg};
use crate::plot::theme;

/// A box plot.
pub(crate) fn whiskers(
    svg: &mut Svg,
    boxed: &Boxed,
    place: &Place,
    x: f64,
    half: f64,
    colour: &str,
) {
    let at = |value: f64| place.across(value);
    let stroke = Paint::stroke(colour, 0.9);
    for (from, to) in [(boxed.q1, boxed.low), (boxed.q3, boxed.high)] {
        svg.line((x, at(from)), (x, at(to)), stroke);
        svg.line((x - half * 0.45, at(to)), (x + half * 0.45, at(to)), stroke);
    }
    let body = Paint {
        stroke: colour,
        width: 0.9,
        ..Paint::fill(colour, 0.25)
    };
    svg.rect(
        x - half,
        at(boxed.q3),
        2.0 * half,
        at(boxed.q1) - at(boxed.q3),
        body,
    );
    svg.line(
        (x - half, at(boxed.median)),
        (x + half, at(boxed.median)),
        Paint::stroke(theme::INK, 1.3),
    );
    for outlier in &boxed.outliers {
        svg.circle(x, at(*outlier), 1.3, Paint::stroke(colour, 0.8));
    }
}

/// Values below which a density says more of its kernel than of them.
const FEW: usize = 10;

/// A few values as they are, with their median.
fn few(svg: &mut Svg, boxed: &Boxed, place: &Place, x: f64, half: f64, colour: &str) {
    let median = place.across(boxed.median);
    let wide = half * 0.6;
    svg.line(
        (x - wide, median),
        (x + wide, median),
        Paint::stroke(theme::INK, 1.1),
    );
    for value in &boxed.sorted {
        svg.circle(x, place.across(*value), 1.9, Paint::fill(colour, 0.6));
    }
}

/// A violin with its median and the box of its middle half; of few values, the values.
pub(crate) fn violin(svg: &mut Svg, boxed: &Boxed, place: &Place, x: f64, half: f64, colour: &str) {
    if boxed.n < FEW {
        return few(svg, boxed, place, x, half, colour);
    }
    let outline = outline(&boxed.sorted);
    let side = |sign: f64| {
        outline
            .iter()
            .map(move |(value, density)| (x + sign * density * half, place.across(*value)))
    };
    let mut points: Vec<(f64, f64)> = side(1.0).collect();
    let mut back: Vec<(f64, f64)> = side(-1.0).collect();
    back.reverse();
    points.extend(back);
    if !points.is_empty() {
        svg.path(
            &points,
            true,
            Paint {
                stroke: colour,
                width: 0.9,
                ..Paint::fill(colour, 0.28)
            },
        );
    }
    let at = |value: f64| place.across(value);
    svg.line(
        (x, at(boxed.q1)),
        (x, at(boxed.q3)),
        Paint::stroke(theme::INK, 2.4),
    );
    svg.circle(
        x,
        at(boxed.median),
        1.5,
        Paint {
            stroke: theme::INK,
            width: 0.7,
            ..Paint::fill("#ffffff", 1.0)
        },
    );
}
