//! Heat maps.

use crate::plot::asked::Asked;
use crate::plot::drawn::{Figure, Item};
use crate::plot::layout::{COLOUR_BAR, Place};
use crate::plot::scale::Scale;
use crate::plot::svg::{Anchor, Paint, Svg, Words};
use crate::plot::theme;

/// A cell with its value, where there is room for it.
pub(crate) fn cell(
    svg: &mut Svg,
    figure: &Figure,
    place: &Place,
    (x, y): (usize, usize),
    mean: f64,
    bounds: (f64, f64),
) {
    let wide = place.width / figure.x_categories.len() as f64;
    let high = place.height / figure.y_categories.len() as f64;
    let (left, top) = (place.left + x as f64 * wide, place.top + y as f64 * high);
    let (colour, dark) = theme::ramp(share(mean, bounds));
    svg.rect(
        left + 0.4,
        top + 0.4,
        wide - 0.8,
        high - 0.8,
        Paint::fill(&colour, 1.0),
    );
    let text = crate::numbers::format::Format::default().show(mean);
    let size = theme::TICK.min(high * 0.6);
    if theme::width(&text, size) < wide - 4.0 && size > 5.0 {
        let fill = if dark { "#ffffff" } else { theme::INK };
        let style = Words {
            fill,
            ..Words::new(size, Anchor::Middle)
        };
        svg.text(
            (left + wide / 2.0, top + high / 2.0 + size * 0.33),
            &text,
            style,
        );
    }
}

/// The least and the greatest value of a heat map.
pub(crate) fn range(figure: &Figure) -> (f64, f64) {
    figure
        .items()
        .filter_map(|item| match item {
            Item::Cell { mean, .. } => Some(*mean),
            _ => None,
        })
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), mean| {
            (low.min(mean), high.max(mean))
        })
}

fn share(value: f64, (low, high): (f64, f64)) -> f64 {
    if high > low {
        (value - low) / (high - low)
    } else {
        0.5
    }
}

/// The scale of a heat map's colours, right of its panels.
pub(crate) fn colour_bar(svg: &mut Svg, figure: &Figure, asked: &Asked, place: &Place, right: f64) {
    const STEPS: usize = 32;
    let bounds = range(figure);
    let x = right + 8.0;
    let step = place.height / STEPS as f64;
    for index in 0..STEPS {
        let (colour, _) = theme::ramp(1.0 - (index as f64 + 0.5) / STEPS as f64);
        svg.rect(
            x,
            place.top + index as f64 * step,
            6.0,
            step + 0.1,
            Paint::fill(&colour, 1.0),
        );
    }
    let scale = Scale {
        low: bounds.0,
        high: bounds.1,
        log: false,
    };
    if bounds.1 > bounds.0 {
        for tick in scale.ticks(4) {
            let y = place.top + (1.0 - scale.share(tick.at)) * place.height;
            svg.text(
                (x + 8.5, y + theme::TICK * 0.32),
                &tick.label,
                Words::new(theme::TICK, Anchor::Start),
            );
        }
    }
    let title = asked
        .color_title
        .clone()
        .or_else(|| asked.color.clone())
        .unwrap_or_default()
        .replace('_', " ");
    let end = right + COLOUR_BAR - 2.0;
    svg.text(
        (end, place.top - 4.5),
        &title,
        Words::new(theme::TICK, Anchor::End),
    );
}
