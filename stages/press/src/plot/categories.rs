//! The order of categories: numbers by size, words as they appear.

use crate::plot::frame::{Frame, Row};

/// Names in the order in which they are drawn.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) names: Vec<String>,
}

impl Order {
    /// The one unnamed category of a figure without this channel.
    pub(crate) fn single() -> Self {
        Self {
            names: vec![String::new()],
        }
    }

    pub(crate) fn of(frame: &Frame, column: usize) -> Self {
        Self {
            names: frame.distinct(column),
        }
    }
}

/// The place of a row's category.
pub(crate) fn place(frame: &Frame, row: &Row, column: Option<usize>, order: &Order) -> usize {
    let Some(column) = column else {
        return 0;
    };
    let text = frame.text(row, column);
    order
        .names
        .iter()
        .position(|name| name == text)
        .unwrap_or(0)
}
