//! What is drawn: panels of series of marks, in data units, and the same as a table.

use kyobashi_stage::Failure;

use crate::plot::asked::{Asked, Mark};
use crate::plot::statistics::{Boxed, Estimate};

/// A whole figure in data units.
#[derive(Debug)]
pub(crate) struct Figure {
    pub(crate) panels: Vec<Panel>,
    /// Names of the series, in the order of their colours; one empty name if there is no `color`.
    pub(crate) series: Vec<String>,
    /// Names of the x categories, if x holds categories; same for y of a heat map.
    pub(crate) x_categories: Vec<String>,
    pub(crate) y_categories: Vec<String>,
    /// Rows without a finite value, which are not drawn.
    pub(crate) skipped: usize,
    /// Points that are left out because there are too many to be seen.
    pub(crate) thinned: usize,
}

/// One small multiple.
#[derive(Debug)]
pub(crate) struct Panel {
    /// Its value of `rows` and of `facet`; empty where there is none.
    pub(crate) row: String,
    pub(crate) facet: String,
    pub(crate) series: Vec<Series>,
}

/// The marks of one colour.
#[derive(Debug)]
pub(crate) struct Series {
    /// Place in [`Figure::series`].
    pub(crate) index: usize,
    pub(crate) items: Vec<Item>,
}

/// One mark. Categories are places in the figure's lists.
#[derive(Clone, Debug)]
pub(crate) enum Item {
    /// A mean at x (a measure or a category).
    Mean {
        x: f64,
        estimate: Estimate,
    },
    Point {
        x: f64,
        y: f64,
    },
    Spread {
        x: usize,
        boxed: Boxed,
    },
    Cell {
        x: usize,
        y: usize,
        mean: f64,
        n: usize,
    },
}

impl Panel {
    /// What stands above it.
    pub(crate) fn name(&self) -> String {
        match (self.row.as_str(), self.facet.as_str()) {
            (row, "") => row.to_owned(),
            ("", facet) => facet.to_owned(),
            (row, facet) => format!("{row}, {facet}"),
        }
    }
}

impl Figure {
    pub(crate) fn items(&self) -> impl Iterator<Item = &Item> {
        self.panels
            .iter()
            .flat_map(|panel| &panel.series)
            .flat_map(|series| &series.items)
    }

    /// Lets the bands end where y ends: half of an interval may lie where no value can be.
    ///
    /// # Errors
    /// A mean, a point or a middle half outside of the range: then it is not the range of y.
    pub(crate) fn keep_within(&mut self, (low, high): (f64, f64)) -> Result<(), Failure> {
        let inside = |value: f64| {
            if (low..=high).contains(&value) {
                return Ok(());
            }
            Err(
                Failure::new(format!("{value} is outside of `y_range: [{low}, {high}]`"))
                    .help("give the range that y can have at all, or none"),
            )
        };
        let items = self.panels.iter_mut().flat_map(|panel| &mut panel.series);
        for item in items.flat_map(|series| &mut series.items) {
            match item {
                Item::Mean { estimate, .. } => {
                    inside(estimate.mean)?;
                    estimate.band = estimate
                        .band
                        .map(|(from, to)| (from.clamp(low, high), to.clamp(low, high)));
                }
                Item::Point { y, .. } => inside(*y)?,
                Item::Spread { boxed, .. } => {
                    inside(boxed.q1)?;
                    inside(boxed.q3)?;
                }
                Item::Cell { .. } => {}
            }
        }
        Ok(())
    }

    /// What a reader must be told of what is not drawn.
    pub(crate) fn note(&self) -> Option<String> {
        let mut parts = Vec::new();
        if self.skipped > 0 {
            let rows = if self.skipped == 1 { "row" } else { "rows" };
            parts.push(format!(
                "{} {rows} without a value that can be drawn",
                self.skipped
            ));
        }
        if self.thinned > 0 {
            let shown = self.items().count();
            let all = shown + self.thinned;
            parts.push(format!("{shown} of {all} points shown"));
        }
        (!parts.is_empty()).then(|| parts.join("; "))
    }

    /// What was drawn, as CSV.
    ///
    /// # Errors
    /// Never in practice: the table is written to memory.
    pub(crate) fn table(&self, asked: &Asked) -> Result<Vec<u8>, Failure> {
        let mut out = csv::Writer::from_writer(Vec::new());
        let failed = |error: csv::Error| Failure::bug(format!("cannot write the table: {error}"));
        let rect = asked.mark == Mark::Rect;
        let mut head: Vec<&str> = Vec::new();
        head.extend(asked.rows.as_deref());
        head.extend(asked.facet.as_deref());
        let color = asked.color.as_deref();
        let color = color.filter(|color| !rect && asked.rows.as_deref() != Some(*color));
        head.extend(color);
        head.push(&asked.x);
        head.extend(match asked.mark {
            Mark::Line | Mark::Bar | Mark::Dot => vec![asked.y.as_str(), "low", "high", "n"],
            Mark::Point => vec![asked.y.as_str()],
            Mark::Box | Mark::Violin => {
                vec![
                    "n",
                    "whisker_low",
                    "q1",
                    "median",
                    "q3",
                    "whisker_high",
                    "outliers",
                ]
            }
            Mark::Rect => vec![
                asked.y.as_str(),
                asked.color.as_deref().unwrap_or_default(),
                "n",
            ],
        });
        out.write_record(&head).map_err(failed)?;
        for panel in &self.panels {
            for series in &panel.series {
                for item in &series.items {
                    let mut row = Vec::new();
                    row.extend(asked.rows.as_ref().map(|_| panel.row.clone()));
                    row.extend(asked.facet.as_ref().map(|_| panel.facet.clone()));
                    row.extend(color.map(|_| self.series[series.index].clone()));
                    row.extend(self.cells(item, asked));
                    out.write_record(&row).map_err(failed)?;
                }
            }
        }
        out.into_inner()
            .map_err(|error| Failure::bug(format!("cannot write the table: {error}")))
    }

    fn cells(&self, item: &Item, asked: &Asked) -> Vec<String> {
        match item {
            Item::Mean { x, estimate } => {
                let x = match asked.by_category() {
                    true => self.x_categories[*x as usize].clone(),
                    false => x.to_string(),
                };
                let (low, high) = estimate
                    .band
                    .map_or((String::new(), String::new()), |(low, high)| {
                        (low.to_string(), high.to_string())
                    });
                vec![
                    x,
                    estimate.mean.to_string(),
                    low,
                    high,
                    estimate.n.to_string(),
                ]
            }
            Item::Point { x, y } => vec![x.to_string(), y.to_string()],
            Item::Spread { x, boxed } => {
                let numbers = [boxed.low, boxed.q1, boxed.median, boxed.q3, boxed.high];
                let mut row = vec![self.x_categories[*x].clone(), boxed.n.to_string()];
                row.extend(numbers.iter().map(f64::to_string));
                row.push(boxed.outliers.len().to_string());
                row
            }
            Item::Cell { x, y, mean, n } => vec![
                self.x_categories[*x].clone(),
                self.y_categories[*y].clone(),
                mean.to_string(),
                n.to_string(),
            ],
        }
    }
}
