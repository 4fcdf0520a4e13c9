//! Where panels, axes, legend and titles stand. All lengths in points, y downwards as in SVG.

use std::collections::BTreeSet;

use crate::plot::asked::{Asked, Aspect, Mark};
use crate::plot::drawn::{Figure, Item, Panel};
use crate::plot::scale::{Scale, Tick};
use crate::plot::theme::{self, width};

/// One panel's rectangle and scales.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
    pub(crate) x: Scale,
    pub(crate) y: Scale,
    pub(crate) x_ticks: Vec<Tick>,
    pub(crate) y_ticks: Vec<Tick>,
    pub(crate) x_labelled: bool,
    pub(crate) y_labelled: bool,
}

impl Place {
    pub(crate) fn at(&self, x: f64, y: f64) -> (f64, f64) {
        (self.left + self.x.share(x) * self.width, self.across(y))
    }

    pub(crate) fn across(&self, y: f64) -> f64 {
        self.top + (1.0 - self.y.share(y)) * self.height
    }

    /// The middle of a category and the width that is its own.
    pub(crate) fn slot(&self, index: usize, count: usize) -> (f64, f64) {
        let slot = self.width / count as f64;
        (self.left + (index as f64 + 0.5) * slot, slot)
    }
}

/// The whole figure.
#[derive(Debug)]
pub(crate) struct Layout {
    pub(crate) width: f64,
    pub(crate) height: f64,
    pub(crate) places: Vec<Place>,
    /// Entries of the legend: series and the point where its key starts.
    pub(crate) legend: Vec<(usize, f64, f64)>,
    /// Whether category labels are turned, because they would touch.
    pub(crate) turned: bool,
    /// The left end and baseline of the figure's title.
    pub(crate) title: (f64, f64),
    /// The right edge of the panels.
    pub(crate) right: f64,
}

/// The width of a category's name, in points; longer ones lose their middle.
const LONGEST: f64 = 76.0;
/// Between panels, at least.
const GAP: f64 = 9.0;
const KEY: f64 = 14.0;
/// The room of a heat map's colour scale with its labels.
pub(crate) const COLOUR_BAR: f64 = 37.0;

/// Lays a figure out.
pub(crate) fn layout(figure: &Figure, asked: &Asked) -> Layout {
    let count = figure.panels.len();
    let in_row = asked.rows.as_ref().map(|_| {
        let facets: BTreeSet<&str> = figure.panels.iter().map(|one| one.facet.as_str()).collect();
        facets.len()
    });
    let one_row = in_row.unwrap_or(count);
    let wide = one_row > 2 || (one_row == 1 && crowded(figure, asked));
    let wide = asked.wide.unwrap_or(wide);
    let total = if wide { theme::PAGE } else { theme::COLUMN };
    let columns = in_row.or(asked.columns);
    let columns = columns.unwrap_or(if wide { 4 } else { 2 }).min(count);
    let rows = count.div_ceil(columns);
    let rect = asked.mark == Mark::Rect;
    let equal = equal(figure, asked);
    let scales: Vec<(Scale, Scale)> = (0..count)
        .map(|index| scales(figure, asked, index, equal))
        .collect();
    let y_names: Vec<Vec<Tick>> = scales
        .iter()
        .map(|(_, y)| match rect {
            true => names(&figure.y_categories)
                .into_iter()
                .map(|tick| Tick {
                    label: theme::shortened(&tick.label, theme::TICK, LONGEST),
                    ..tick
                })
                .collect(),
            false => y.ticks(5),
        })
        .collect();
    let label_width = y_names
        .iter()
        .flatten()
        .map(|tick| width(&tick.label, theme::TICK))
        .fold(0.0, f64::max);
    let own = asked.independent && !rect;
    let x_names: Vec<String> = figure
        .x_categories
        .iter()
        .map(|name| theme::shortened(name, theme::TICK, LONGEST))
        .collect();
    let axis = label_width + 6.0;
    let longest = x_names
        .iter()
        .map(|name| width(name, theme::TICK))
        .fold(0.0, f64::max);
    let mut left = theme::LABEL + 5.0 + if own { 0.0 } else { axis };
    // The first and last labels of an x axis reach half their width beyond it.
    let beyond = match asked.by_category() {
        true => 4.0,
        false => scales
            .iter()
            .flat_map(|(x, _)| x.ticks(4))
            .map(|tick| width(&tick.label, theme::TICK) / 2.0)
            .fold(4.0, f64::max),
    };
    let bar = if rect { COLOUR_BAR } else { beyond };
    let gap = GAP.max(2.0 * beyond + 1.0);
    let each = if own { axis } else { 0.0 };
    let panel_from =
        |left: f64| (total - left - bar - gap * (columns - 1) as f64) / columns as f64 - each;
    let slot = panel_from(left) / figure.x_categories.len() as f64;
    let turned = asked.by_category() && longest > slot - 3.0;
    if turned {
        // Labels turned by 40° reach to the left by cos 40°, the first one beyond its panel.
        left = left.max(longest * 0.766 - slot / 2.0 - each + 2.0);
    }
    let panel = panel_from(left);
    // Labels turned by 40° reach down by sin 40°.
    let foot = if turned {
        longest * 0.643 + 9.0
    } else {
        theme::TICK + 5.0
    };
    let height = if equal {
        panel
    } else if rect {
        (figure.y_categories.len() as f64 * 16.0).clamp(60.0, panel * 1.1)
    } else if columns == 1 {
        panel * 0.62
    } else {
        (panel * 0.8).max(72.0)
    };
    let mut top = 3.0;
    let title_at = (left + each, top + theme::TITLE * 0.8);
    if asked.title.is_some() {
        top += theme::TITLE + 5.0;
    }
    let (legend, legend_height) = legend(figure, asked, left + each, top, total - 4.0);
    top += legend_height;
    if rect && asked.facet.is_none() && asked.rows.is_none() {
        // The title of the colours stands above their scale.
        top += theme::LABEL + 2.0;
    }
    let head = if asked.facet.is_some() || asked.rows.is_some() {
        theme::LABEL + 4.0
    } else {
        0.0
    };
    let mut places = Vec::new();
    for (index, (x, y)) in scales.into_iter().enumerate() {
        let (row, column) = (index / columns, index % columns);
        // In a last row that is not full, the panels above the gap carry the labels themselves.
        let last = index + columns >= count;
        let above: f64 = head + height + if own || rows == 1 { foot } else { 8.0 };
        let x_ticks = if asked.by_category() {
            let slot = panel / x_names.len() as f64;
            thinned(names(&x_names), if turned { slot / APART } else { 1.0 })
        } else {
            x.ticks(if equal { 5 } else { (panel / 38.0) as usize })
        };
        places.push(Place {
            left: left + each + column as f64 * (panel + gap + each),
            top: top + head + row as f64 * above,
            width: panel,
            height,
            x,
            y,
            x_ticks,
            y_ticks: match rect {
                true => {
                    let slot = height / figure.y_categories.len() as f64;
                    thinned(y_names[index].clone(), slot / (theme::TICK + 0.5))
                }
                false => y_names[index].clone(),
            },
            x_labelled: last || own,
            y_labelled: column == 0 || own,
        });
    }
    let bottom = places
        .iter()
        .map(|place| place.top + place.height)
        .fold(0.0, f64::max);
    let right = places
        .iter()
        .map(|place| place.left + place.width)
        .fold(0.0, f64::max);
    let note = if figure.note().is_some() {
        theme::TICK + 3.0
    } else {
        0.0
    };
    Layout {
        width: total,
        height: bottom + foot + theme::LABEL + 5.0 + note,
        places,
        legend,
        turned,
        title: title_at,
        right,
    }
}

/// Axes that span up to this many times as much as the other are taken for the same plane.
const ALIKE: f64 = 1.6;

/// Whether a unit is as long on both axes.
fn equal(figure: &Figure, asked: &Asked) -> bool {
    if asked.by_category() || asked.x_log || asked.y_log {
        return false;
    }
    let span = |values: &mut dyn Iterator<Item = f64>| {
        let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(value), high.max(value))
        });
        high - low
    };
    let x = span(&mut figure.items().map(abscissa));
    let y = span(&mut figure.items().flat_map(heights));
    match asked.aspect {
        Aspect::Equal => true,
        Aspect::Free => false,
        Aspect::Auto => {
            asked.mark == Mark::Point && x > 0.0 && y > 0.0 && (x / y).max(y / x) <= ALIKE
        }
    }
}

/// How far apart labels turned by 40° have to begin, in points: their height over sin 40°.
const APART: f64 = theme::TICK * 1.5;

/// Whether the categories of one panel would not stand beside one another in a column, even turned.
fn crowded(figure: &Figure, asked: &Asked) -> bool {
    let around = 2.0 * COLOUR_BAR;
    asked.by_category() && (theme::COLUMN - around) / (figure.x_categories.len() as f64) < APART
}

/// Labels of which each has room: every second, third, … where one has only this share of what it needs.
fn thinned(ticks: Vec<Tick>, room: f64) -> Vec<Tick> {
    let step = (1.0 / room).ceil().max(1.0) as usize;
    let some = |(index, tick): (usize, Tick)| match index % step {
        0 => tick,
        _ => Tick {
            label: String::new(),
            ..tick
        },
    };
    ticks.into_iter().enumerate().map(some).collect()
}

/// Category labels as ticks at whole numbers.
fn names(categories: &[String]) -> Vec<Tick> {
    categories
        .iter()
        .enumerate()
        .map(|(index, name)| Tick {
            at: index as f64,
            label: name.clone(),
        })
        .collect()
}

fn scales(figure: &Figure, asked: &Asked, index: usize, equal: bool) -> (Scale, Scale) {
    let panels: Vec<&Panel> = match asked.independent {
        true => vec![&figure.panels[index]],
        false => figure.panels.iter().collect(),
    };
    let items = || {
        panels
            .iter()
            .flat_map(|panel| &panel.series)
            .flat_map(|series| &series.items)
    };
    if asked.by_category() {
        let x = Scale {
            low: -0.5,
            high: figure.x_categories.len() as f64 - 0.5,
            log: false,
        };
        let y = Scale::of(
            items().flat_map(heights),
            asked.y_log,
            asked.mark == Mark::Bar,
            0.06,
        );
        return (x, y);
    }
    let air = if asked.mark == Mark::Line { 0.0 } else { 0.04 };
    let mut x = Scale::of(items().map(abscissa), asked.x_log, false, air);
    let mut y = Scale::of(items().flat_map(heights), asked.y_log, false, 0.05);
    if equal {
        let half = (x.high - x.low).max(y.high - y.low) / 2.0;
        for scale in [&mut x, &mut y] {
            let middle = (scale.low + scale.high) / 2.0;
            (scale.low, scale.high) = (middle - half, middle + half);
        }
    }
    (x, y)
}

fn abscissa(item: &Item) -> f64 {
    match item {
        Item::Mean { x, .. } | Item::Point { x, .. } => *x,
        Item::Spread { x, .. } | Item::Cell { x, .. } => *x as f64,
    }
}

/// Every height that a mark reaches.
fn heights(item: &Item) -> Vec<f64> {
    match item {
        Item::Mean { estimate, .. } => {
            let mut out = vec![estimate.mean];
            out.extend(estimate.band.iter().flat_map(|(low, high)| [*low, *high]));
            out
        }
        Item::Point { y, .. } => vec![*y],
        Item::Spread { boxed, .. } => boxed.sorted.clone(),
        Item::Cell { y, .. } => vec![*y as f64],
    }
}

/// Keys in lines that end before `right`; and the height that they take.
fn legend(
    figure: &Figure,
    asked: &Asked,
    left: f64,
    top: f64,
    right: f64,
) -> (Vec<(usize, f64, f64)>, f64) {
    let told = asked.color == asked.facet || asked.color == asked.rows;
    if figure.series.len() < 2 || asked.mark == Mark::Rect || told {
        return (Vec::new(), 0.0);
    }
    let line = theme::LABEL + 3.5;
    let mut out = Vec::new();
    let (mut x, mut y) = (left, top);
    for (index, name) in figure.series.iter().enumerate() {
        let name = theme::shortened(name, theme::LABEL, right - left - KEY - 4.0);
        let wide = KEY + 4.0 + width(&name, theme::LABEL) + 9.0;
        if x > left && x + wide - 9.0 > right {
            x = left;
            y += line;
        }
        out.push((index, x, y + theme::LABEL * 0.75));
        x += wide;
    }
    (out, y - top + line + 2.0)
}
