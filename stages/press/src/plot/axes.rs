//! Axes, titles and legend of a figure.

use crate::plot::asked::{Asked, Mark};
use crate::plot::drawn::Figure;
use crate::plot::layout::{Layout, Place};
use crate::plot::svg::{Anchor, Paint, Svg, Words};
use crate::plot::theme;

/// Grid lines, spines, ticks and their labels of one panel; drawn before the marks.
pub(crate) fn panel(svg: &mut Svg, place: &Place, asked: &Asked, turned: bool, name: &str) {
    let (left, right) = (place.left, place.left + place.width);
    let bottom = place.top + place.height;
    let rect = asked.mark == Mark::Rect;
    let spine = Paint::stroke(theme::INK, 0.6);
    for tick in &place.y_ticks {
        let y = if rect {
            cell_middle(place, tick.at)
        } else {
            place.across(tick.at)
        };
        if !rect && !tick.label.is_empty() {
            svg.line((left, y), (right, y), Paint::stroke(theme::GRID, 0.5));
        }
        if place.y_labelled {
            let length = if tick.label.is_empty() { 1.6 } else { 2.6 };
            if !rect {
                svg.line((left - length, y), (left, y), spine);
            }
            let style = Words::new(theme::TICK, Anchor::End);
            if !tick.label.is_empty() {
                svg.text((left - 4.2, y + theme::TICK * 0.32), &tick.label, style);
            }
        }
    }
    for tick in &place.x_ticks {
        let x = if asked.by_category() {
            place.slot(tick.at as usize, place.x_ticks.len()).0
        } else {
            place.at(tick.at, 0.0).0
        };
        if asked.mark == Mark::Point && !tick.label.is_empty() {
            svg.line((x, place.top), (x, bottom), Paint::stroke(theme::GRID, 0.5));
        }
        if !asked.by_category() {
            let length = if tick.label.is_empty() { 1.6 } else { 2.6 };
            svg.line((x, bottom), (x, bottom + length), spine);
        }
        if place.x_labelled && !tick.label.is_empty() {
            x_label(svg, x, bottom, &tick.label, turned);
        }
    }
    if !rect {
        svg.path(
            &[(left, place.top), (left, bottom), (right, bottom)],
            false,
            spine,
        );
    }
    if asked.facet.is_some() {
        let style = Words {
            bold: true,
            ..Words::new(theme::LABEL, Anchor::Middle)
        };
        let name = theme::shortened(name, theme::LABEL, place.width);
        svg.text((f64::midpoint(left, right), place.top - 4.0), &name, style);
    }
}

fn x_label(svg: &mut Svg, x: f64, bottom: f64, label: &str, turned: bool) {
    if turned {
        let style = Words {
            turn: -40.0,
            ..Words::new(theme::TICK, Anchor::End)
        };
        svg.text((x + 2.0, bottom + 7.5), label, style);
    } else {
        svg.text(
            (x, bottom + theme::TICK + 2.6),
            label,
            Words::new(theme::TICK, Anchor::Middle),
        );
    }
}

/// The middle of a row of a heat map; the first category is at the top.
fn cell_middle(place: &Place, index: f64) -> f64 {
    place.top + (index + 0.5) * place.height / place.y_ticks.len() as f64
}

/// Axis titles, legend and title of the whole figure.
pub(crate) fn around(svg: &mut Svg, layout: &Layout, figure: &Figure, asked: &Asked) {
    let places = &layout.places;
    let left = places
        .iter()
        .map(|place| place.left)
        .fold(f64::INFINITY, f64::min);
    let top = places
        .iter()
        .map(|place| place.top)
        .fold(f64::INFINITY, f64::min);
    let bottom = places
        .iter()
        .map(|place| place.top + place.height)
        .fold(0.0, f64::max);
    let note = if figure.note().is_some() {
        theme::TICK + 3.0
    } else {
        0.0
    };
    let style = Words::new(theme::LABEL, Anchor::Middle);
    svg.text(
        (
            f64::midpoint(left, layout.right),
            layout.height - 3.5 - note,
        ),
        &asked.x_title,
        style,
    );
    let turned = Words {
        turn: -90.0,
        ..style
    };
    svg.text(
        (theme::LABEL, f64::midpoint(top, bottom)),
        &asked.y_title,
        turned,
    );
    if let Some(title) = &asked.title {
        let style = Words {
            bold: true,
            ..Words::new(theme::TITLE, Anchor::Start)
        };
        svg.text(layout.title, title, style);
    }
    for (index, x, y) in &layout.legend {
        key(svg, asked.mark, *index, *x, *y);
        let room = layout.width - 4.0 - x - 18.0;
        svg.text(
            (x + 18.0, *y),
            &theme::shortened(&figure.series[*index], theme::LABEL, room),
            Words::new(theme::LABEL, Anchor::Start),
        );
    }
    if let Some(text) = figure.note() {
        let style = Words {
            fill: theme::QUIET,
            ..Words::new(theme::TICK, Anchor::Start)
        };
        svg.text((left, layout.height - 2.5), &text, style);
    }
}

/// The key of a series: what its marks look like.
fn key(svg: &mut Svg, mark: Mark, index: usize, x: f64, y: f64) {
    let colour = theme::colour(index);
    let middle = y - theme::LABEL * 0.28;
    match mark {
        Mark::Line => {
            svg.rect(x, middle - 3.0, 14.0, 6.0, Paint::fill(colour, 0.18));
            let paint = Paint {
                dashes: theme::dashes(index),
                ..Paint::stroke(colour, 1.3)
            };
            svg.line((x, middle), (x + 14.0, middle), paint);
        }
        Mark::Point | Mark::Dot => crate::plot::draw::shape(svg, index, (x + 11.0, middle), 2.3),
        _ => svg.rect(x + 5.0, middle - 3.2, 9.0, 6.4, Paint::fill(colour, 1.0)),
    }
}
