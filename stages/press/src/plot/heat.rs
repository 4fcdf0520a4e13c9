//! Heat maps.

use crate::plot::asked::Asked;
use crate::plot::drawn::{Figure, Item};
use crate::plot::layout::{COLOUR_BAR, Place};
use crate::plot::scale::Scale;
use crate::plot::svg::{Anchor, Paint, Svg, Words};
use crate::plot::theme;

/// What all cells of a heat map have in common.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heat {
    /// The least and the greatest value.
    pub(crate) bounds: (f64, f64),
    /// The size of the values in points; none where one of them has no room: either all are written or none.
    size: Option<f64>,
}

/// Text below this size, in points, is not read.
const READABLE: f64 = 4.8;

/// Measures the cells of a panel.
pub(crate) fn heat(figure: &Figure, place: &Place) -> Heat {
    let wide = place.width / figure.x_categories.len() as f64;
    let high = place.height / figure.y_categories.len() as f64;
    let widest = figure
        .items()
        .filter_map(|item| match item {
            Item::Cell { mean, .. } => Some(theme::width(&shown(*mean), 1.0)),
            _ => None,
        })
        .fold(0.0, f64::max);
    let size = theme::TICK.min(high * 0.6).min((wide - 3.0) / widest);
    Heat {
        bounds: range(figure),
        size: (size >= READABLE).then_some(size),
    }
}

fn shown(mean: f64) -> String {
    crate::numbers::format::Format::default().show(mean)
}

/// A cell with its value, where there is room for the values.
pub(crate) fn cell(
    svg: &mut Svg,
    figure: &Figure,
    place: &Place,
    (x, y): (usize, usize),
    mean: f64,
    heat: Heat,
) {
    let wide = place.width / figure.x_categories.len() as f64;
    let high = place.height / figure.y_categories.len() as f64;
    let (left, top) = (place.left + x as f64 * wide, place.top + y as f64 * high);
    let (colour, dark) = theme::ramp(share(mean, heat.bounds));
    svg.rect(
        left + 0.4,
        top + 0.4,
        wide - 0.8,
        high - 0.8,
        Paint::fill(&colour, 1.0),
    );
    if let Some(size) = heat.size {
        let fill = if dark { "#ffffff" } else { theme::INK };
        let style = Words {
            fill,
            ..Words::new(size, Anchor::Middle)
        };
        svg.text(
            (left + wide / 2.0, top + high / 2.0 + size * 0.33),
            &shown(mean),
            style,
        );
    }
}

/// The least and the greatest value of a heat map.
fn range(figure: &Figure) -> (f64, f64) {
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
