//! CSV and Markdown tables of small size.

use kyobashi_stage::{Failure, Output};

/// A CSV file with a header.
///
/// # Errors
/// If a row has another number of cells than the header: a fault of the caller.
pub(crate) fn csv(header: &[String], rows: &[Vec<String>]) -> Result<Output, Failure> {
    let fault = |error: csv::Error| Failure::bug(format!("table: {error}"));
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(header).map_err(fault)?;
    for row in rows {
        writer.write_record(row).map_err(fault)?;
    }
    let bytes = writer
        .into_inner()
        .map_err(|error| Failure::bug(format!("table: {error}")))?;
    Ok(Output::bytes(bytes))
}

/// A number at full precision, or nothing.
pub(crate) fn number(value: Option<f64>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// A Markdown table; pipes inside cells are escaped.
pub(crate) fn markdown(header: &[&str], rows: &[Vec<String>]) -> String {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let mut text = line(header.iter().map(|cell| (*cell).to_owned()).collect());
    text += &line(header.iter().map(|_| "---".to_owned()).collect());
    for row in rows {
        text += &line(
            row.iter()
                .map(|cell| cell.replace('|', "\\|").replace('\n', " "))
                .collect(),
        );
    }
    text
}
