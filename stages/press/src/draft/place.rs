//! Places in a draft, and problems that quote them. It does not know what a draft means.

use std::fmt::Write as _;
use std::ops::Range;

use kyobashi_stage::{Failure, Place};

/// The name under which a draft is quoted; the file that it came from has a name of the store's.
pub(crate) const DRAFT: &str = "draft.md";

/// Something wrong at a place of the draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// Bytes of the draft.
    pub(crate) at: Range<usize>,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

impl Problem {
    pub(crate) fn new(at: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            at,
            message: message.into(),
            help: None,
        }
    }

    #[must_use]
    pub(crate) fn help(self, help: impl Into<String>) -> Self {
        Self {
            help: Some(help.into()),
            ..self
        }
    }
}

/// Line and column of a byte offset, both from 1; columns count characters.
pub(crate) fn line_col(text: &str, offset: usize) -> (usize, usize) {
    let offset = floor(text, offset);
    let before = &text[..offset];
    let line = before.matches('\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (line, text[start..offset].chars().count() + 1)
}

/// One failure that shows every problem in the order of the draft, the first one on its first line.
pub(crate) fn failure(text: &str, problems: &[Problem]) -> Failure {
    let mut sorted: Vec<&Problem> = problems.iter().collect();
    sorted.sort_by_key(|problem| (problem.at.start, problem.at.end));
    sorted.dedup();
    let mut message = String::new();
    for problem in &sorted {
        if !message.is_empty() {
            message.push('\n');
        }
        message.push_str(&quoted(text, problem));
    }
    let places = sorted.iter().map(|problem| placed(text, problem));
    let failure = Failure::new(message.trim_end()).at(places.collect());
    match sorted.iter().find_map(|problem| problem.help.clone()) {
        Some(help) => failure.help(help),
        None => failure,
    }
}

fn placed(text: &str, problem: &Problem) -> Place {
    let (line, col) = line_col(text, problem.at.start);
    Place {
        file: DRAFT.to_owned(),
        line,
        col,
        message: problem.message.clone(),
        help: problem.help.clone(),
    }
}

/// `draft.md:12:8: message`, the line itself, carets under the place, and the help.
fn quoted(text: &str, problem: &Problem) -> String {
    let start = floor(text, problem.at.start);
    let end = floor(text, problem.at.end.max(start));
    let (line, col) = line_col(text, start);
    let from = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
    let to = text[start..]
        .find('\n')
        .map_or(text.len(), |newline| start + newline);
    let width = text[start..end.clamp(start, to)].chars().count().max(1);
    let number = line.to_string();
    let gutter = " ".repeat(number.len());
    let mut out = format!("{DRAFT}:{line}:{col}: {}\n", problem.message);
    let _ = writeln!(out, "{number} | {}", &text[from..to]);
    let _ = writeln!(
        out,
        "{gutter} | {}{}",
        " ".repeat(col - 1),
        "^".repeat(width)
    );
    if let Some(help) = &problem.help {
        let _ = writeln!(out, "{gutter} = help: {help}");
    }
    out
}

fn floor(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_quotes_its_line_with_carets_under_the_place() {
        let text = "one\ntwo µ three\n";
        let at = text.find("three").unwrap();
        let failure = failure(text, &[Problem::new(at..at + 5, "no such number")]);
        assert_eq!(
            failure.message,
            "draft.md:2:7: no such number\n2 | two µ three\n  |       ^^^^^"
        );
        let place = &failure.places[0];
        assert_eq!(
            (place.line, place.col, place.message.as_str()),
            (2, 7, "no such number")
        );
    }
}
