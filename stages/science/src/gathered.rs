//! The members of an input that may come as one list value, as a list of data or as a grid.

use kyobashi_stage::{Call, Cell, Datum, Failure};
use serde_json::Value;

/// The members of an input with their coordinates; a list that is one plain value is taken apart.
pub(crate) fn cells(call: &Call, name: &str) -> Result<Vec<Cell>, Failure> {
    Ok(apart(call.datum(name)?))
}

/// The same of a datum.
pub(crate) fn apart(datum: &Datum) -> Vec<Cell> {
    match datum {
        Datum::Value {
            value: Value::Array(items),
        } => items
            .iter()
            .map(|item| Cell {
                at: Default::default(),
                datum: Datum::value(item.clone()),
            })
            .collect(),
        Datum::Value { value: Value::Null } => Vec::new(),
        other => other.cells(),
    }
}
