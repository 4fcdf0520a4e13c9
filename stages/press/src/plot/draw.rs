//! The marks themselves.

use crate::plot::asked::{Asked, Mark};
use crate::plot::axes;
use crate::plot::drawn::{Figure, Item, Panel, Series};
use crate::plot::heat::{Heat, cell, colour_bar, heat};
use crate::plot::layout::{Place, layout};
use crate::plot::spread::{violin, whiskers};
use crate::plot::svg::{Paint, Svg};
use crate::plot::theme;

/// The figure as SVG.
pub(crate) fn draw(figure: &Figure, asked: &Asked) -> String {
    let layout = layout(figure, asked);
    let mut svg = Svg::default();
    for (index, (panel, place)) in figure.panels.iter().zip(&layout.places).enumerate() {
        axes::panel(&mut svg, place, asked, layout.turned, &panel.name());
        // A dot on the edge is not cut in half.
        svg.clip(
            index,
            place.left - 2.0,
            place.top - 3.0,
            place.width + 4.0,
            place.height + 5.0,
        );
        marks(&mut svg, figure, panel, place, asked);
        svg.end();
    }
    if asked.mark == Mark::Rect {
        colour_bar(&mut svg, figure, asked, &layout.places[0], layout.right);
    }
    axes::around(&mut svg, &layout, figure, asked);
    let title = asked
        .title
        .clone()
        .unwrap_or_else(|| format!("{} by {}", asked.y_title, asked.x_title));
    svg.finish(layout.width, layout.height, &title)
}

fn marks(svg: &mut Svg, figure: &Figure, panel: &Panel, place: &Place, asked: &Asked) {
    let heat = heat(figure, place);
    // The first series, the one a figure is about, is drawn last and so on top.
    for series in panel.series.iter().rev() {
        match asked.mark {
            Mark::Line => line(svg, series, place),
            Mark::Point => {
                // Many points are drawn small and faint, so that density shows.
                let count = panel
                    .series
                    .iter()
                    .map(|series| series.items.len())
                    .sum::<usize>() as f64;
                let radius = (26.0 / count.sqrt()).clamp(0.7, 2.2);
                let opacity = (14.0 / count.sqrt()).clamp(0.35, 0.9);
                svg.group(Paint::fill(theme::colour(series.index), opacity));
                for item in &series.items {
                    if let Item::Point { x, y } = item {
                        outline(svg, series.index, place.at(*x, *y), radius, Paint::INHERIT);
                    }
                }
                svg.end();
            }
            _ => {
                for item in &series.items {
                    category(svg, figure, series, item, place, asked, heat);
                }
            }
        }
    }
}

fn line(svg: &mut Svg, series: &Series, place: &Place) {
    let colour = theme::colour(series.index);
    let estimates: Vec<(f64, _)> = series
        .items
        .iter()
        .filter_map(|item| match item {
            Item::Mean { x, estimate } => Some((*x, *estimate)),
            _ => None,
        })
        .collect();
    // On a log axis a bound below zero ends at the bottom of the panel.
    let bounded = |value: f64| {
        if place.y.log {
            value.max(place.y.low)
        } else {
            value
        }
    };
    // A band is drawn over each stretch of neighbouring points that have one.
    for stretch in estimates.split(|(_, estimate)| estimate.band.is_none()) {
        let edge = |high: bool| {
            stretch.iter().filter_map(move |(x, estimate)| {
                let (low, top) = estimate.band?;
                Some(place.at(*x, bounded(if high { top } else { low })))
            })
        };
        let mut outline: Vec<(f64, f64)> = edge(true).collect();
        let mut lower: Vec<(f64, f64)> = edge(false).collect();
        lower.reverse();
        outline.extend(lower);
        if stretch.len() > 1 {
            svg.path(&outline, true, Paint::fill(colour, 0.18));
        }
    }
    let points: Vec<(f64, f64)> = estimates
        .iter()
        .map(|(x, estimate)| place.at(*x, estimate.mean))
        .collect();
    let paint = Paint {
        dashes: theme::dashes(series.index),
        ..Paint::stroke(colour, 1.2)
    };
    svg.path(&points, false, paint);
    if points.len() <= 12 {
        for (x, y) in points {
            shape(svg, series.index, (x, y), 1.7);
        }
    }
}

fn category(
    svg: &mut Svg,
    figure: &Figure,
    series: &Series,
    item: &Item,
    place: &Place,
    asked: &Asked,
    heat: Heat,
) {
    let colour = theme::colour(series.index);
    let count = figure.series.len() as f64;
    let offset = |index: usize| {
        let (middle, slot) = place.slot(index, figure.x_categories.len());
        let each = slot * 0.76 / count;
        (
            middle + (series.index as f64 - (count - 1.0) / 2.0) * each,
            each.min(42.0),
        )
    };
    match item {
        Item::Mean { x, estimate } => {
            let (x, wide) = offset(*x as usize);
            let y = place.across(estimate.mean);
            if asked.mark == Mark::Bar {
                let zero = place.across(0.0);
                let half = wide * 0.45;
                svg.rect(
                    x - half,
                    y.min(zero),
                    2.0 * half,
                    (y - zero).abs(),
                    Paint::fill(colour, 1.0),
                );
            }
            if let Some((low, high)) = estimate.band {
                let low = if place.y.log {
                    low.max(place.y.low)
                } else {
                    low
                };
                let (low, high) = (place.across(low), place.across(high));
                let cap = (wide * 0.16).clamp(1.2, 3.0);
                let stroke = if asked.mark == Mark::Bar {
                    theme::INK
                } else {
                    colour
                };
                let paint = Paint::stroke(stroke, 0.9);
                svg.line((x, low), (x, high), paint);
                svg.line((x - cap, low), (x + cap, low), paint);
                svg.line((x - cap, high), (x + cap, high), paint);
            }
            if asked.mark == Mark::Dot {
                shape(svg, series.index, (x, y), 2.4);
            }
        }
        Item::Spread { x, boxed } => {
            let (x, wide) = offset(*x);
            let half = (wide * 0.42).min(16.0);
            if asked.mark == Mark::Violin {
                violin(svg, boxed, place, x, half, colour);
            } else {
                whiskers(svg, boxed, place, x, half * 0.8, colour);
            }
        }
        Item::Cell { x, y, mean, .. } => cell(svg, figure, place, (*x, *y), *mean, heat),
        Item::Point { .. } => {}
    }
}

/// The mark of a point in the colour of its series.
pub(crate) fn shape(svg: &mut Svg, index: usize, at: (f64, f64), radius: f64) {
    outline(
        svg,
        index,
        at,
        radius,
        Paint::fill(theme::colour(index), 1.0),
    );
}

/// Each series has its own shape, so that it is told apart without colour.
fn outline(svg: &mut Svg, index: usize, (x, y): (f64, f64), radius: f64, paint: Paint<'_>) {
    match index % 4 {
        0 => svg.circle(x, y, radius, paint),
        1 => {
            let side = radius * 0.9;
            svg.rect(x - side, y - side, 2.0 * side, 2.0 * side, paint);
        }
        2 => {
            let r = radius * 1.25;
            let foot = y + r * 0.5;
            svg.path(
                &[(x, y - r), (x + r * 0.87, foot), (x - r * 0.87, foot)],
                true,
                paint,
            );
        }
        _ => {
            let r = radius * 1.25;
            svg.path(
                &[(x, y - r), (x + r, y), (x, y + r), (x - r, y)],
                true,
                paint,
            );
        }
    }
}
