//! What people said of the papers: their scores and the decision that was taken.

use std::collections::BTreeMap;

use kyobashi_stage::Failure;

use super::contamination::Date;
use super::dirt::{Dirty, accepts, number};
use super::sheet::{Row, Sheet};

/// The name of this file in messages.
const WHAT: &str = "ratings";

/// One paper as people judged it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Rated {
    pub(crate) scores: Vec<f64>,
    pub(crate) accepted: bool,
    /// When the paper was made public, if the table says so.
    pub(crate) date: Option<Date>,
}

/// Every paper by its id.
#[derive(Debug)]
pub(crate) struct Ratings {
    pub(crate) papers: BTreeMap<String, Rated>,
    pub(crate) dirty: Vec<Dirty>,
    /// Columns that hold neither id nor decision nor scores.
    pub(crate) ignored: Vec<String>,
    /// Whether there is a column `date` or `year`.
    pub(crate) dated: bool,
}

impl Ratings {
    /// Reads a table with `paper_id`, `decision` and any number of columns of scores. A cell without a
    /// score is no fault: papers have different numbers of reviewers.
    ///
    /// # Errors
    /// If a column is missing or no row can be used.
    pub(crate) fn read(text: &str, bounds: [f64; 2]) -> Result<Self, Failure> {
        let sheet = Sheet::read(text, WHAT)?;
        let id = sheet.need("paper_id", WHAT)?;
        let decision = sheet.need("decision", WHAT)?;
        let date = sheet.column("date").or_else(|| sheet.column("year"));
        let known = [Some(id), Some(decision), date];
        let others = (0..sheet.header.len()).filter(|place| !known.contains(&Some(*place)));
        let (columns, ignored): (Vec<usize>, Vec<usize>) =
            others.partition(|place| holds_scores(&sheet, *place));
        let mut found = Self {
            papers: BTreeMap::new(),
            dirty: Vec::new(),
            ignored: ignored
                .into_iter()
                .map(|place| sheet.header[place].clone())
                .collect(),
            dated: date.is_some(),
        };
        for row in &sheet.rows {
            let paper = row.cell(id).to_owned();
            let mut dirt = |place: usize, why: &str| {
                found.dirty.push(dirty(&sheet, row, &paper, place, why));
            };
            if paper.is_empty() {
                dirt(id, "is missing");
                continue;
            }
            if found.papers.contains_key(&paper) {
                dirt(id, "was rated before");
                continue;
            }
            let Some(accepted) = accepts(row.cell(decision)) else {
                dirt(decision, "is neither Accept nor Reject");
                continue;
            };
            let mut scores = Vec::new();
            for place in columns.iter().filter(|place| !row.cell(**place).is_empty()) {
                match number(row.cell(*place), bounds) {
                    Ok(score) => scores.push(score),
                    Err(why) => dirt(*place, &why),
                }
            }
            let written = date
                .map(|place| (place, row.cell(place)))
                .filter(|(_, text)| !text.is_empty());
            let date = written.and_then(|(_, text)| Date::read(text));
            if let Some((place, _)) = written.filter(|_| date.is_none()) {
                dirt(place, "is no date: a year, `2023-10` or `2023-10-31`");
            }
            found.papers.insert(
                paper,
                Rated {
                    scores,
                    accepted,
                    date,
                },
            );
        }
        if found.papers.is_empty() {
            return Err(unusable(&found.dirty));
        }
        Ok(found)
    }
}

/// Most of a column of scores is numbers; a stray word in it is dirt, a column of words is another thing.
fn holds_scores(sheet: &Sheet, place: usize) -> bool {
    let cells = || {
        sheet
            .rows
            .iter()
            .map(move |row| row.cell(place))
            .filter(|cell| !cell.is_empty())
    };
    let numbers = cells().filter(|cell| cell.parse::<f64>().is_ok()).count();
    numbers * 2 > cells().count()
}

fn dirty(sheet: &Sheet, row: &Row, paper: &str, place: usize, why: &str) -> Dirty {
    Dirty {
        file: WHAT,
        line: row.line,
        paper_id: paper.to_owned(),
        column: sheet.header[place].clone(),
        value: row.cell(place).to_owned(),
        why: why.to_owned(),
    }
}

fn unusable(dirty: &[Dirty]) -> Failure {
    let first = dirty.first().map(Dirty::sentence).unwrap_or_default();
    Failure::new(format!(
        "no row of the {WHAT} can be used; the first: {first}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_decisions_and_dirt_are_told_apart() {
        let text = "paper_id\t0\t1\tdecision\ttitle\na\t6\t\tAccept (Oral)\tOne\nb\tnan\t3\tReject\tTwo\n\
                    c\t4\t11\tReject\tThree\nb\t8\t8\tAccept\tTwo\nd\t5\t5\tWithdrawn\tFour\n";
        let found = Ratings::read(text, [1.0, 10.0]).unwrap();
        assert_eq!(
            found.papers["a"],
            Rated {
                scores: vec![6.0],
                accepted: true,
                date: None
            }
        );
        assert_eq!(found.papers["b"].scores, [3.0]);
        assert_eq!(found.papers.len(), 3);
        assert_eq!(found.ignored, ["title"]);
        let dirt: Vec<(u64, &str)> = found
            .dirty
            .iter()
            .map(|dirty| (dirty.line, dirty.column.as_str()))
            .collect();
        assert_eq!(dirt, [(3, "0"), (4, "1"), (5, "paper_id"), (6, "decision")]);
    }

    #[test]
    fn a_missing_column_is_named_with_those_that_are_there() {
        let failure = Ratings::read("id,decision\na,Accept\n", [1.0, 10.0]).unwrap_err();
        assert!(failure.message.contains("`paper_id`"), "{failure}");
        assert!(failure.help.unwrap().contains("id, decision"));
    }
}
