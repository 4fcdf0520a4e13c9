//! The settings of a figure, read from a call and checked against each other. It does not know the data.

use kyobashi_stage::{Call, Failure};

use crate::check::nearest;
use crate::plot::statistics::Extent;

/// What is drawn for each row or group of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// Mean over runs at each x, with a band.
    Line,
    /// One dot a row.
    Point,
    /// Mean over runs for each category, from zero, with an interval.
    Bar,
    /// Mean over runs for each category as a dot with an interval.
    Dot,
    Box,
    Violin,
    /// The mean of `color` for each pair of categories.
    Rect,
}

/// How long a unit is on each axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Aspect {
    /// Equal for points whose axes span alike, as samples of a plane do; else free.
    Auto,
    Free,
    Equal,
}

/// A figure as declared.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) mark: Mark,
    pub(crate) x: String,
    pub(crate) y: String,
    pub(crate) color: Option<String>,
    pub(crate) facet: Option<String>,
    /// The column whose values are rows of panels, beside those of `facet`.
    pub(crate) rows: Option<String>,
    /// Columns with ready bounds, instead of computed ones.
    pub(crate) bounds: Option<(String, String)>,
    pub(crate) extent: Extent,
    pub(crate) over: Vec<String>,
    pub(crate) labels: Vec<String>,
    pub(crate) title: Option<String>,
    pub(crate) x_title: String,
    pub(crate) y_title: String,
    pub(crate) color_title: Option<String>,
    pub(crate) x_log: bool,
    pub(crate) y_log: bool,
    /// The least and the greatest value that y can have.
    pub(crate) y_range: Option<(f64, f64)>,
    pub(crate) aspect: Aspect,
    pub(crate) independent: bool,
    pub(crate) wide: Option<bool>,
    pub(crate) columns: Option<usize>,
}

const MARKS: [(&str, Mark); 8] = [
    ("line", Mark::Line),
    ("point", Mark::Point),
    ("bar", Mark::Bar),
    ("dot", Mark::Dot),
    ("box", Mark::Box),
    ("violin", Mark::Violin),
    ("rect", Mark::Rect),
    ("heatmap", Mark::Rect),
];

impl Asked {
    /// # Errors
    /// A word that a setting does not know, with the nearest one.
    pub(crate) fn read(call: &Call) -> Result<Self, Failure> {
        let word = |name: &str| -> Result<Option<String>, Failure> {
            call.has(name).then(|| call.get::<String>(name)).transpose()
        };
        let one = |name: &str, known: &[&str]| -> Result<Option<usize>, Failure> {
            let Some(found) = word(name)? else {
                return Ok(None);
            };
            known
                .iter()
                .position(|known| *known == found)
                .map(Some)
                .ok_or_else(|| {
                    let near = nearest(&found, known.iter().copied());
                    let known = known.join(", ");
                    Failure::new(format!("`{name}: {found}` is unknown")).help(match near {
                        Some(near) => format!("did you mean `{near}`? known are {known}"),
                        None => format!("known are {known}"),
                    })
                })
        };
        let marks: Vec<&str> = MARKS.iter().map(|(name, _)| *name).collect();
        let mark = one("mark", &marks)?.map_or(Mark::Line, |index| MARKS[index].1);
        let level: f64 = call.get("level")?;
        if !(0.5..1.0).contains(&level) {
            return Err(Failure::new(format!(
                "`level: {level}` is not between 0.5 and 1"
            )));
        }
        let extent = extent(word("band")?.as_deref().unwrap_or("ci"), level)?;
        let bounds = match (word("low")?, word("high")?) {
            (Some(low), Some(high)) => Some((low, high)),
            (None, None) => None,
            _ => {
                return Err(Failure::new(
                    "`low` and `high` are given together or not at all",
                ));
            }
        };
        let (x, y): (String, String) = (call.get("x")?, call.get("y")?);
        let log = |name: &str| Ok::<bool, Failure>(one(name, &["linear", "log"])? == Some(1));
        let asked = Self {
            mark,
            x_title: titled(word("x_title")?, &x, word("x_unit")?),
            y_title: titled(word("y_title")?, &y, word("y_unit")?),
            x,
            y,
            color: word("color")?,
            color_title: word("color_title")?,
            facet: word("facet")?,
            rows: word("rows")?,
            bounds,
            extent,
            over: call.get("over")?,
            labels: if call.has("labels") {
                call.get("labels")?
            } else {
                Vec::new()
            },
            title: word("title")?,
            x_log: log("x_scale")?,
            y_log: log("y_scale")?,
            y_range: range(call)?,
            aspect: match one("aspect", &["auto", "free", "equal"])? {
                Some(1) => Aspect::Free,
                Some(2) => Aspect::Equal,
                _ => Aspect::Auto,
            },
            independent: one("resolve", &["shared", "independent"])? == Some(1),
            wide: one("size", &["auto", "column", "wide"])?
                .filter(|size| *size > 0)
                .map(|size| size == 2),
            columns: call
                .has("columns")
                .then(|| call.get("columns"))
                .transpose()?,
        };
        asked.consistent()
    }

    fn consistent(self) -> Result<Self, Failure> {
        if self.mark == Mark::Rect && self.color.is_none() {
            return Err(Failure::new(
                "`mark: rect` needs `color`: the column whose mean fills the cells",
            ));
        }
        if self.mark == Mark::Bar && self.y_log {
            return Err(
                Failure::new("bars start at zero, which a log scale does not have")
                    .help("`mark: dot` shows the same means with their intervals"),
            );
        }
        if self.rows.is_some() && self.columns.is_some() {
            return Err(Failure::new(
                "`rows` says how panels stand, and so does `columns`: give one of them",
            ));
        }
        if self.columns == Some(0) {
            return Err(Failure::new("`columns: 0` leaves no room for a panel"));
        }
        Ok(self)
    }

    /// Whether x holds categories rather than a measure.
    pub(crate) fn by_category(&self) -> bool {
        !matches!(self.mark, Mark::Line | Mark::Point)
    }

    /// Whether rows are averaged over runs.
    pub(crate) fn averages(&self) -> bool {
        matches!(self.mark, Mark::Line | Mark::Bar | Mark::Dot | Mark::Rect)
    }
}

/// The setting `y_range`.
fn range(call: &Call) -> Result<Option<(f64, f64)>, Failure> {
    if !call.has("y_range") {
        return Ok(None);
    }
    match call.get::<Vec<f64>>("y_range")?.as_slice() {
        [low, high] if low < high => Ok(Some((*low, *high))),
        given => Err(Failure::new(format!(
            "`y_range: {given:?}` is not a least and a greatest value"
        ))
        .help("write two numbers, the smaller one first, as in `y_range: [0, 1]`")),
    }
}

/// `ci`, `ci90`, `stderr`, `stdev` or `none`; `ci` alone has the level of the setting `level`.
fn extent(word: &str, level: f64) -> Result<Extent, Failure> {
    match word {
        "ci" => return Ok(Extent::Interval(level)),
        "stderr" => return Ok(Extent::StandardError),
        "stdev" => return Ok(Extent::Deviation),
        "none" => return Ok(Extent::None),
        _ => {}
    }
    let percent = word
        .strip_prefix("ci")
        .and_then(|digits| digits.parse::<f64>().ok());
    match percent.filter(|percent| (50.0..100.0).contains(percent)) {
        Some(percent) => Ok(Extent::Interval(percent / 100.0)),
        None => Err(Failure::new(format!("`band: {word}` is unknown"))
            .help("known are ci, ci95 (any level from 50), stderr, stdev, none")),
    }
}

/// `Training loss (nats)`; without a title, the name of the column with spaces.
fn titled(title: Option<String>, column: &str, unit: Option<String>) -> String {
    let title = title.unwrap_or_else(|| column.replace('_', " "));
    match unit {
        Some(unit) => format!("{title} ({unit})"),
        None => title,
    }
}
