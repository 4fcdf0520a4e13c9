//! The rows that a figure is drawn from: all tables under each other, the coordinates of their cells as
//! columns. It knows nothing of marks.

use std::collections::{BTreeMap, BTreeSet};

use kyobashi_stage::{Cell, Failure};
use serde_json::Value;

use crate::check::nearest;

/// Rows under named columns. A cell is the text of the CSV.
#[derive(Debug, Default)]
pub(crate) struct Frame {
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Row>,
    /// Columns that are coordinates of cells (`seed`, `dataset`), not of the tables themselves.
    pub(crate) axes: BTreeSet<String>,
}

/// One row and the table that it came from.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) run: usize,
    /// By column of the frame; empty where the row's table lacks the column.
    cells: Vec<String>,
}

/// The column that tells `data` from `reference`.
pub(crate) const SERIES: &str = "series";

impl Frame {
    /// Appends the tables of gathered cells; `series` is the label of all of them, if there are two kinds.
    ///
    /// # Errors
    /// A file that is no CSV, or a coordinate with the name of a column.
    pub(crate) fn add(&mut self, cells: &[Cell], series: Option<&str>) -> Result<(), Failure> {
        for cell in cells {
            let run = self.rows.last().map_or(0, |row| row.run + 1);
            let content = crate::input::bytes(&cell.datum, "data")?;
            let mut reader = csv::Reader::from_reader(content.as_slice());
            let unreadable =
                |error: csv::Error| Failure::new(format!("a table is not CSV: {error}"));
            let head: Vec<String> = reader
                .headers()
                .map_err(unreadable)?
                .iter()
                .map(|name| name.trim().to_owned())
                .collect();
            let mut fixed: Vec<(String, String)> = cell
                .at
                .iter()
                .map(|(axis, value)| (axis.clone(), shown(value)))
                .collect();
            self.axes.extend(cell.at.keys().cloned());
            if let Some(label) = series {
                // Data and reference are told apart like the cells of an axis.
                self.axes.insert(SERIES.to_owned());
                fixed.push((SERIES.to_owned(), label.to_owned()));
            }
            if let Some((axis, _)) = fixed.iter().find(|(axis, _)| head.contains(axis)) {
                return Err(Failure::new(format!(
                    "`{axis}` is a column of the tables and a coordinate of their cells"
                )));
            }
            let places: Vec<usize> = head.iter().map(|name| self.column_or_new(name)).collect();
            let fixed: Vec<(usize, String)> = fixed
                .into_iter()
                .map(|(name, value)| (self.column_or_new(&name), value))
                .collect();
            for record in reader.records() {
                let record = record.map_err(unreadable)?;
                let mut cells = vec![String::new(); self.columns.len()];
                for (place, value) in places.iter().zip(&record) {
                    cells[*place] = value.trim().to_owned();
                }
                for (place, value) in &fixed {
                    cells[*place].clone_from(value);
                }
                self.rows.push(Row { run, cells });
            }
        }
        Ok(())
    }

    /// Tells runs apart by columns of the tables themselves: one table may hold all seeds.
    pub(crate) fn tell_apart(&mut self, over: &[String]) {
        let own = over.iter().filter(|name| !self.axes.contains(*name));
        let columns: Vec<usize> = own
            .filter_map(|name| self.columns.iter().position(|known| known == name))
            .collect();
        let mut runs: BTreeMap<(usize, Vec<String>), usize> = BTreeMap::new();
        for row in &mut self.rows {
            let values = columns.iter().map(|column| row.cells[*column].clone());
            let next = runs.len();
            row.run = *runs.entry((row.run, values.collect())).or_insert(next);
        }
    }

    fn column_or_new(&mut self, name: &str) -> usize {
        match self.columns.iter().position(|known| known == name) {
            Some(place) => place,
            None => {
                self.columns.push(name.to_owned());
                for row in &mut self.rows {
                    row.cells.push(String::new());
                }
                self.columns.len() - 1
            }
        }
    }

    /// The place of a column that the setting `setting` names.
    ///
    /// # Errors
    /// Names the setting, the field and the nearest column.
    pub(crate) fn column(&self, setting: &str, name: &str) -> Result<usize, Failure> {
        if let Some(place) = self.columns.iter().position(|known| known == name) {
            return Ok(place);
        }
        let known = self.columns.join(", ");
        let help = match nearest(name, self.columns.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`? the columns are {known}"),
            None => format!("the columns are {known}"),
        };
        Err(Failure::new(format!(
            "`{setting}: {name}`: the tables have no column `{name}`"
        ))
        .help(help))
    }

    /// The text of a cell.
    pub(crate) fn text<'f>(&self, row: &'f Row, column: usize) -> &'f str {
        row.cells.get(column).map_or("", String::as_str)
    }

    /// The number of a cell: none if it is empty or not finite (a run that diverged).
    ///
    /// # Errors
    /// A cell that holds a word.
    pub(crate) fn number(&self, row: &Row, column: usize) -> Result<Option<f64>, Failure> {
        let text = self.text(row, column);
        if text.is_empty() {
            return Ok(None);
        }
        match text.parse::<f64>() {
            Ok(value) => Ok(value.is_finite().then_some(value)),
            Err(_) => Err(Failure::new(format!(
                "column `{}` holds `{text}`, which is not a number",
                self.columns[column]
            ))),
        }
    }

    /// The distinct texts of a column: numbers in their order, words in the order of appearance.
    pub(crate) fn distinct(&self, column: usize) -> Vec<String> {
        let mut seen = BTreeSet::new();
        let mut out: Vec<String> = Vec::new();
        for row in &self.rows {
            let text = self.text(row, column);
            if seen.insert(text) {
                out.push(text.to_owned());
            }
        }
        let numbers: Option<Vec<f64>> = out.iter().map(|text| text.parse().ok()).collect();
        if numbers.is_some() {
            let value = |text: &String| text.parse::<f64>().unwrap_or(f64::NAN);
            out.sort_by(|a, b| value(a).total_cmp(&value(b)));
        }
        out
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
