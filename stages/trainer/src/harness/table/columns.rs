//! CSV with a header: the features as `x`, what is predicted as `y`.

use std::collections::{BTreeMap, BTreeSet};

use kyobashi_stage::Failure;
use tch::Tensor;

use super::Read;
use crate::harness::ours;

/// Which columns become what.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub(crate) struct Columns {
    /// The columns of `x`; every other one if empty.
    pub(crate) features: Vec<String>,
    /// The column of a number that is predicted: `y`, f32.
    pub(crate) target: Option<String>,
    /// The column of a class that is predicted: `y`, i64.
    pub(crate) label: Option<String>,
}

impl Columns {
    /// A setting that names columns, if one does.
    pub(super) fn asked(&self) -> Option<&'static str> {
        [
            ("features", !self.features.is_empty()),
            ("target", self.target.is_some()),
            ("label", self.label.is_some()),
        ]
        .into_iter()
        .find_map(|(name, given)| given.then_some(name))
    }
}

/// The values of the label in the training rows, with their numbers.
pub(super) type Classes = BTreeMap<String, i64>;

/// Classes that are told by name.
const TOLD: usize = 20;

/// Reads a table. The first file of a training decides which class has which number.
///
/// # Errors
/// A column that is not there, or a cell that is no number, with its line.
pub(super) fn read(
    text: &str,
    columns: &Columns,
    classes: &mut Option<Classes>,
) -> Result<Read, Failure> {
    let sheet = Sheet::read(text)?;
    let predicted = match (&columns.target, &columns.label) {
        (Some(_), Some(_)) => {
            return Err(
                Failure::new("`target` and `label` both name what is predicted")
                    .help("`target` is a number, `label` a class"),
            );
        }
        (target, label) => target.as_ref().or(label.as_ref()),
    };
    let chosen: Vec<usize> = if columns.features.is_empty() {
        let others = |name: &&String| Some(*name) != predicted;
        let others = sheet
            .head
            .iter()
            .enumerate()
            .filter(|(_, name)| others(name));
        others.map(|(place, _)| place).collect()
    } else {
        let places = columns
            .features
            .iter()
            .map(|name| sheet.column("features", name));
        places.collect::<Result<_, _>>()?
    };
    if chosen.is_empty() {
        return Err(Failure::new("it has no column for `x`"));
    }
    let mut x = Vec::with_capacity(sheet.rows.len() * chosen.len());
    for row in &sheet.rows {
        for place in &chosen {
            x.push(sheet.number(row, *place)?);
        }
    }
    let shape = [sheet.rows.len() as i64, chosen.len() as i64];
    let x = Tensor::f_from_slice(&x)
        .and_then(|x| x.f_reshape(shape))
        .map_err(ours)?;
    let mut tensors = vec![("x".to_owned(), x)];
    let mut said = Vec::new();
    if let Some(name) = &columns.target {
        let place = sheet.column("target", name)?;
        let y: Vec<f32> = sheet
            .rows
            .iter()
            .map(|row| sheet.number(row, place))
            .collect::<Result<_, _>>()?;
        tensors.push(("y".to_owned(), Tensor::f_from_slice(&y).map_err(ours)?));
    } else if let Some(name) = &columns.label {
        let place = sheet.column("label", name)?;
        if classes.is_none() {
            let found = sheet.classes(place)?;
            said.push(told(name, &found));
            *classes = Some(found.into_iter().zip(0..).collect());
        }
        let known = classes.get_or_insert_default();
        let y: Vec<i64> = sheet
            .rows
            .iter()
            .map(|row| sheet.class(row, place, known))
            .collect::<Result<_, _>>()?;
        tensors.push(("y".to_owned(), Tensor::f_from_slice(&y).map_err(ours)?));
    }
    Ok((tensors, said))
}

fn told(label: &str, classes: &[String]) -> String {
    let named: Vec<String> = classes
        .iter()
        .take(TOLD)
        .enumerate()
        .map(|(number, class)| format!("{number} = {class}"))
        .collect();
    let more = classes.len().saturating_sub(TOLD);
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    format!("classes of `{label}`: {}{more}", named.join(", "))
}

/// What separates columns in files that are called CSV and are none.
const OTHERS: [(char, &str); 3] = [(';', "semicolons"), ('\t', "tabs"), ('|', "bars")];

/// A CSV file: its header and its rows, each with its line.
struct Sheet {
    head: Vec<String>,
    rows: Vec<(u64, csv::StringRecord)>,
}

impl Sheet {
    fn read(text: &str) -> Result<Self, Failure> {
        // A byte order mark is what spreadsheets put before a table.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let wrong = |error: csv::Error| Failure::new(format!("it is no CSV: {error}"));
        let mut reader = csv::ReaderBuilder::new()
            .trim(csv::Trim::All)
            .from_reader(text.as_bytes());
        let head: Vec<String> = reader
            .headers()
            .map_err(wrong)?
            .iter()
            .map(str::to_owned)
            .collect();
        if let [only] = head.as_slice()
            && let Some((mark, name)) = OTHERS.iter().find(|(mark, _)| only.contains(*mark))
        {
            return Err(Failure::new(format!(
                "its columns are separated by {name}, not by commas"
            ))
            .help(format!(
                "write `{}`, and numbers with a point: 0.5",
                only.replace(*mark, ",")
            )));
        }
        if let Some(twice) = head
            .iter()
            .enumerate()
            .find(|(at, name)| head[..*at].contains(name))
        {
            return Err(Failure::new(format!("two columns are named `{}`", twice.1)));
        }
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = record.map_err(wrong)?;
            let line = record.position().map_or(0, csv::Position::line);
            rows.push((line, record));
        }
        if head.iter().all(|name| name.parse::<f64>().is_ok()) && !head.is_empty() {
            return Err(Failure::new(
                "its first line is a row of numbers, not the names of columns",
            )
            .help("write a header: `x0,x1,y`"));
        }
        Ok(Self { head, rows })
    }

    fn column(&self, setting: &str, name: &str) -> Result<usize, Failure> {
        self.head
            .iter()
            .position(|known| known == name)
            .ok_or_else(|| {
                Failure::new(format!("`{setting}` names `{name}`, which is no column"))
                    .help(format!("its columns are {}", self.head.join(", ")))
            })
    }

    fn number(&self, row: &(u64, csv::StringRecord), place: usize) -> Result<f32, Failure> {
        let text = row.1.get(place).unwrap_or_default();
        let number = text.parse::<f32>().ok().filter(|number| number.is_finite());
        number.ok_or_else(|| {
            let column = &self.head[place];
            let what = if text.is_empty() {
                "the cell is empty".to_owned()
            } else {
                format!("`{text}` is no finite number")
            };
            Failure::new(format!("line {}, column `{column}`: {what}", row.0)).help(format!(
                "leave `{column}` out by listing the others in `features`, name it as `label` if it \
                 is a class, or mend the file"
            ))
        })
    }

    /// The distinct values of a column: numbers by their size, words by their letters.
    fn classes(&self, place: usize) -> Result<Vec<String>, Failure> {
        let mut found = BTreeSet::new();
        for (line, record) in &self.rows {
            let value = record.get(place).unwrap_or_default();
            if value.is_empty() {
                let column = &self.head[place];
                return Err(Failure::new(format!(
                    "line {line}, column `{column}`: the cell is empty"
                )));
            }
            found.insert(value);
        }
        let mut found: Vec<String> = found.into_iter().map(str::to_owned).collect();
        let size = |text: &String| text.parse::<f64>().ok().filter(|number| number.is_finite());
        if found.iter().all(|text| size(text).is_some()) {
            found.sort_by(|one, other| {
                size(one)
                    .unwrap_or_default()
                    .total_cmp(&size(other).unwrap_or_default())
            });
        }
        Ok(found)
    }

    fn class(
        &self,
        row: &(u64, csv::StringRecord),
        place: usize,
        classes: &Classes,
    ) -> Result<i64, Failure> {
        let value = row.1.get(place).unwrap_or_default();
        classes.get(value).copied().ok_or_else(|| {
            Failure::new(format!(
                "line {}, column `{}`: the class `{value}` is not among the training rows",
                row.0, self.head[place]
            ))
        })
    }
}
