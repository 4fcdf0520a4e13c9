//! Values that a form does not allow, each with its place. They are named and counted, never mended.

use serde::Serialize;

/// One value that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Dirty {
    /// `ratings` or `reviews`.
    pub(crate) file: &'static str,
    /// The line of a table, from 1 with the header; the place in a list of reviews, from 1.
    pub(crate) line: u64,
    /// Empty if the row does not name its paper.
    pub(crate) paper_id: String,
    pub(crate) column: String,
    pub(crate) value: String,
    /// A fragment: `is not between 1 and 4`.
    pub(crate) why: String,
}

impl Dirty {
    /// One line for people.
    pub(crate) fn sentence(&self) -> String {
        let paper = match self.paper_id.as_str() {
            "" => String::new(),
            paper => format!(" ({paper})"),
        };
        format!(
            "{} line {}{paper}: `{}` is `{}`, which {}",
            self.file, self.line, self.column, self.value, self.why
        )
    }
}

/// The number in a cell, if it lies between the bounds.
///
/// # Errors
/// Why it is not such a number, as a fragment for [`Dirty::why`].
pub(crate) fn number(text: &str, [least, most]: [f64; 2]) -> Result<f64, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("is missing".to_owned());
    }
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() && (least..=most).contains(&value) => Ok(value),
        Ok(value) if value.is_finite() => Err(format!("is not between {least} and {most}")),
        _ => Err("is not a number".to_owned()),
    }
}

/// Whether a decision is to accept: `Accept (Poster)`, `reject`; none for any other word.
pub(crate) fn accepts(text: &str) -> Option<bool> {
    let text = text.trim().to_lowercase();
    if text.starts_with("accept") {
        Some(true)
    } else if text.starts_with("reject") {
        Some(false)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_outside_its_scale_or_no_number_is_dirty() {
        assert_eq!(number(" 4.0", [1.0, 4.0]), Ok(4.0));
        assert_eq!(
            number("5", [1.0, 4.0]),
            Err("is not between 1 and 4".to_owned())
        );
        for word in ["nan", "NaN", "inf", "three"] {
            assert_eq!(number(word, [1.0, 4.0]), Err("is not a number".to_owned()));
        }
        assert_eq!(number("", [1.0, 4.0]), Err("is missing".to_owned()));
        assert_eq!(accepts("Accept (Oral)"), Some(true));
        assert_eq!(accepts("Withdrawn"), None);
    }
}
