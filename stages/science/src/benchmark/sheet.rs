//! Rows of a file with a header, separated by commas or tabs. It knows no column.

use std::path::Path;

use kyobashi_stage::Failure;

/// A table as text.
#[derive(Debug)]
pub(crate) struct Sheet {
    /// As written.
    pub(crate) header: Vec<String>,
    pub(crate) rows: Vec<Row>,
}

/// One row with the line it begins on.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) line: u64,
    pub(crate) cells: Vec<String>,
}

impl Sheet {
    /// Reads a table. Tabs separate where the header has one.
    ///
    /// # Errors
    /// If it is no table, has no row, or names a column twice; `what` says which file it is.
    pub(crate) fn read(text: &str, what: &str) -> Result<Self, Failure> {
        let text = text.trim_start_matches('\u{feff}');
        let first = text.lines().next().unwrap_or_default();
        let delimiter = if first.contains('\t') { b'\t' } else { b',' };
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .flexible(true)
            .from_reader(text.as_bytes());
        let unreadable = |error: csv::Error| {
            Failure::new(format!("the {what} are not a table: {error}"))
                .help("write one row a paper, with a header, separated by commas or tabs")
        };
        let header: Vec<String> = reader
            .headers()
            .map_err(unreadable)?
            .iter()
            .map(|name| name.trim().to_owned())
            .collect();
        for (place, name) in header.iter().enumerate() {
            if header[..place]
                .iter()
                .any(|other| plain(other) == plain(name))
            {
                return Err(Failure::new(format!(
                    "the {what} name the column `{name}` twice"
                )));
            }
        }
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = record.map_err(unreadable)?;
            rows.push(Row {
                line: record.position().map_or(0, csv::Position::line),
                cells: record.iter().map(str::to_owned).collect(),
            });
        }
        if rows.is_empty() {
            return Err(Failure::new(format!("the {what} have no row")));
        }
        Ok(Self { header, rows })
    }

    /// The place of a column, whatever its capitals and spaces.
    pub(crate) fn column(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|own| plain(own) == plain(name))
    }

    /// The place of a column that must be there.
    ///
    /// # Errors
    /// Names the columns that are there.
    pub(crate) fn need(&self, name: &str, what: &str) -> Result<usize, Failure> {
        self.column(name).ok_or_else(|| {
            Failure::new(format!("the {what} have no column `{name}`"))
                .help(format!("their columns are {}", self.header.join(", ")))
        })
    }
}

impl Row {
    /// The text of a cell; empty where the row is too short.
    pub(crate) fn cell(&self, place: usize) -> &str {
        self.cells.get(place).map_or("", |text| text.trim())
    }
}

/// A name as forms write it: `Ethical Concerns` is `ethical_concerns`.
pub(crate) fn plain(name: &str) -> String {
    name.trim().to_lowercase().replace([' ', '-'], "_")
}

/// The whole of a file as text.
///
/// # Errors
/// If it cannot be read, or is not UTF-8.
pub(crate) fn text(path: &Path, what: &str) -> Result<String, Failure> {
    let bytes = std::fs::read(path)
        .map_err(|error| Failure::new(format!("cannot read the {what}: {error}")))?;
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Failure::new(format!("the {what} are not UTF-8 text (byte {at})"))
    })
}
