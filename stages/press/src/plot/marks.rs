//! From rows to marks: grouping, averaging over runs, and the refusals that keep a figure from showing
//! less, or something else, than it says.

use std::collections::BTreeMap;

use kyobashi_stage::Failure;

use crate::plot::asked::{Asked, Mark};
use crate::plot::categories::{Order, place};
use crate::plot::drawn::{Figure, Item, Panel, Series};
use crate::plot::frame::{Frame, Row};
use crate::plot::statistics::{Estimate, boxed, estimate};

/// The rows of one mark: by run, because a run counts once however many rows it has.
type Group = BTreeMap<usize, Vec<f64>>;

struct Columns {
    x: usize,
    y: usize,
    color: Option<usize>,
    facet: Option<usize>,
    rows: Option<usize>,
    bounds: Option<(usize, usize)>,
}

/// Computes the marks of a figure.
///
/// # Errors
/// A field that no column has, a value that is not a number, an axis that is neither drawn nor averaged
/// over, or a figure without marks.
pub(crate) fn figure(frame: &Frame, asked: &Asked) -> Result<Figure, Failure> {
    let optional = |setting: &str, name: &Option<String>| -> Result<Option<usize>, Failure> {
        name.as_deref()
            .map(|name| frame.column(setting, name))
            .transpose()
    };
    let columns = Columns {
        x: frame.column("x", &asked.x)?,
        y: frame.column("y", &asked.y)?,
        color: optional("color", &asked.color)?,
        facet: optional("facet", &asked.facet)?,
        rows: optional("rows", &asked.rows)?,
        bounds: match &asked.bounds {
            Some((low, high)) => Some((frame.column("low", low)?, frame.column("high", high)?)),
            None => None,
        },
    };
    every_axis_is_used(frame, asked)?;
    let order = |column: Option<usize>| {
        column.map_or_else(Order::single, |column| Order::of(frame, column))
    };
    let rect = asked.mark == Mark::Rect;
    let facets = order(columns.facet);
    let rows = order(columns.rows);
    let colors = order(columns.color.filter(|_| !rect));
    let xs = if asked.by_category() {
        Order::of(frame, columns.x)
    } else {
        Order::single()
    };
    let ys = if rect {
        Order::of(frame, columns.y)
    } else {
        Order::single()
    };
    let mut skipped = 0;
    let mut thinned = 0;
    let mut panels = Vec::new();
    let cells = rows.names.iter().enumerate();
    let cells = cells.flat_map(|row| {
        facets
            .names
            .iter()
            .enumerate()
            .map(move |facet| (row, facet))
    });
    for ((at, row_name), (facet, name)) in cells {
        let mut all = Vec::new();
        for index in 0..colors.names.len() {
            let rows: Vec<&Row> = frame
                .rows
                .iter()
                .filter(|row| {
                    place(frame, row, columns.rows, &rows) == at
                        && place(frame, row, columns.facet, &facets) == facet
                        && place(frame, row, columns.color.filter(|_| !rect), &colors) == index
                })
                .collect();
            let mut items = items(frame, asked, &columns, &rows, (&xs, &ys), &mut skipped)?;
            if asked.mark == Mark::Point {
                thinned += thin(&mut items);
            }
            if !items.is_empty() {
                all.push(Series { index, items });
            }
        }
        // A panel without marks keeps its place, or those after it would stand in another column.
        if !all.is_empty() || (columns.rows.is_some() && !asked.independent) {
            panels.push(Panel {
                row: row_name.clone(),
                facet: name.clone(),
                series: all,
            });
        }
    }
    let figure = Figure {
        panels,
        series: colors.names,
        x_categories: xs.names,
        y_categories: ys.names,
        skipped,
        thinned,
    };
    if figure.items().next().is_none() {
        return Err(Failure::new(format!(
            "nothing to draw: none of the {} rows has a number in `{}`",
            frame.rows.len(),
            if rect {
                asked.color.as_deref().unwrap_or_default()
            } else {
                &asked.y
            }
        ))
        .help("a figure without marks is an error, not an empty figure"));
    }
    Ok(figure)
}

/// Points of one series in one panel, at most: more hide each other and make files that viewers choke on.
const MOST: usize = 1500;

/// Keeps points evenly in the order of their rows; how many were left out.
fn thin(items: &mut Vec<Item>) -> usize {
    let count = items.len();
    if count <= MOST {
        return 0;
    }
    let mut index = 0;
    items.retain(|_| {
        // Keeps the point at which the kept share reaches the next whole number.
        let kept = (index + 1) * MOST / count > index * MOST / count;
        index += 1;
        kept
    });
    count - items.len()
}

/// Averages must not mix what the reader takes for one thing.
fn every_axis_is_used(frame: &Frame, asked: &Asked) -> Result<(), Failure> {
    if !asked.averages() {
        return Ok(());
    }
    for axis in &frame.axes {
        let drawn = [
            Some(&asked.x),
            Some(&asked.y),
            asked.color.as_ref(),
            asked.facet.as_ref(),
            asked.rows.as_ref(),
        ];
        if drawn.contains(&Some(axis)) || asked.over.contains(axis) {
            continue;
        }
        let column = frame.column("axis", axis)?;
        let values = frame.distinct(column);
        if values.len() > 1 {
            return Err(Failure::new(format!(
                "the figure would average over `{axis}` ({})",
                values.join(", ")
            ))
            .help(format!(
                "set `color: {axis}` or `facet: {axis}` to tell them apart, or add `{axis}` to `over` to average"
            )));
        }
    }
    Ok(())
}

fn items(
    frame: &Frame,
    asked: &Asked,
    columns: &Columns,
    rows: &[&Row],
    (xs, ys): (&Order, &Order),
    skipped: &mut usize,
) -> Result<Vec<Item>, Failure> {
    let value = if asked.mark == Mark::Rect {
        columns.color.unwrap_or(columns.y)
    } else {
        columns.y
    };
    let mut points = Vec::new();
    // Keys are sorted by the bits of x, which for numbers of one sign is not their order; sorted below.
    let mut groups: BTreeMap<(u64, usize), Group> = BTreeMap::new();
    let mut bounds: BTreeMap<(u64, usize), Option<(f64, f64)>> = BTreeMap::new();
    for row in rows {
        let x = if asked.by_category() {
            Some(place(frame, row, Some(columns.x), xs) as f64)
        } else {
            frame.number(row, columns.x)?
        };
        let (Some(x), Some(y)) = (x, frame.number(row, value)?) else {
            *skipped += 1;
            continue;
        };
        // A logarithm of nothing is not drawn, and is said to be left out.
        if (asked.x_log && x <= 0.0) || (asked.y_log && asked.mark != Mark::Rect && y <= 0.0) {
            *skipped += 1;
            continue;
        }
        if asked.mark == Mark::Point {
            points.push(Item::Point { x, y });
            continue;
        }
        let second = if asked.mark == Mark::Rect {
            place(frame, row, Some(columns.y), ys)
        } else {
            0
        };
        let key = (x.to_bits(), second);
        groups
            .entry(key)
            .or_default()
            .entry(row.run)
            .or_default()
            .push(y);
        if let Some((low, high)) = columns.bounds {
            let pair = frame.number(row, low)?.zip(frame.number(row, high)?);
            if bounds.insert(key, pair).is_some() {
                return Err(Failure::new(format!(
                    "`low` and `high` are given, but more than one row has `{}: {}`",
                    asked.x,
                    frame.text(row, columns.x)
                )));
            }
        }
    }
    let mut out = points;
    for ((bits, second), group) in groups {
        let x = f64::from_bits(bits);
        let runs: Vec<f64> = group
            .values()
            .map(|rows| rows.iter().sum::<f64>() / rows.len() as f64)
            .collect();
        out.push(match asked.mark {
            Mark::Box | Mark::Violin => {
                let values: Vec<f64> = group.into_values().flatten().collect();
                Item::Spread {
                    x: x as usize,
                    boxed: boxed(&values),
                }
            }
            Mark::Rect => {
                let mean = estimate(&runs, asked.extent).mean;
                Item::Cell {
                    x: x as usize,
                    y: second,
                    mean,
                    n: runs.len(),
                }
            }
            _ => {
                let estimate = match bounds.get(&(bits, second)) {
                    Some(band) => Estimate {
                        mean: runs[0],
                        band: *band,
                        n: runs.len(),
                    },
                    None => estimate(&runs, asked.extent),
                };
                Item::Mean { x, estimate }
            }
        });
    }
    if asked.mark == Mark::Line {
        let x = |item: &Item| match item {
            Item::Mean { x, .. } => *x,
            _ => 0.0,
        };
        out.sort_by(|a, b| x(a).total_cmp(&x(b)));
    }
    Ok(out)
}
