//! `review/checks`: the rubric of automatic checks, of use for every paper whoever wrote it.
//!
//! Each check reads the draft, its results and the typeset text; none gives a score.

use kyobashi_stage::{Call, Context, Failure, Output, Outputs, Port, Signature, Stage};
use serde_json::Value;

use super::finding::Finding;
use super::{evidence, number, structure};
use crate::paper::comparison;
use crate::paper::draft::Draft;

pub(crate) struct Checks;

impl Stage for Checks {
    fn signature(&self) -> Signature {
        Signature {
            ins: vec![
                Port::new("draft", "text", "the paper as Markdown"),
                Port::new("text", "text", "the typeset paper as plain text"),
                Port::new(
                    "numbers",
                    "json",
                    "the numbers of the typeset paper, by `paper/set`",
                ),
            ],
            with: vec![Port::new(
                "results",
                "json",
                "the documents that the paper was written from",
            )],
            outs: vec![Port::new(
                "findings",
                "json",
                "list of {check, passed, severity, place, message, remedy, quote, rows, subject}",
            )],
            ..Signature::new("review/checks", 2, "Check a paper against its results")
        }
    }

    fn run(&self, call: &Call, _: &dyn Context) -> Result<Outputs, Failure> {
        let findings = check(
            &call.text("draft")?,
            &call.text("text")?,
            &call.value("numbers")?,
            &call.value("results")?,
        )?;
        let value =
            serde_json::to_value(findings).map_err(|error| Failure::bug(error.to_string()))?;
        Ok(Outputs::from([(
            "findings".to_owned(),
            Output::value(value),
        )]))
    }
}

/// Every check, in the order in which a reader would ask.
///
/// # Errors
/// If the results hold no comparison.
pub(crate) fn check(
    draft: &str,
    text: &str,
    numbers: &Value,
    results: &Value,
) -> Result<Vec<Finding>, Failure> {
    let draft = Draft::read(draft);
    let comparison = comparison(results)?;
    Ok([
        structure::refers(&draft),
        number::traced(&draft, results),
        number::resolved(&draft, results, numbers),
        evidence::claims(&draft, &comparison),
        evidence::baseline(&draft),
        evidence::complete(&draft, &comparison),
        evidence::intervals(&draft, &comparison),
        evidence::losses(&draft, &comparison),
        evidence::runs(&comparison),
        evidence::seeds(&draft),
        evidence::summary(&draft, &comparison),
        structure::sections(&draft),
        structure::limitations(&draft, &comparison),
        structure::figures(&draft),
        structure::tables(&draft),
        structure::labels(&draft),
        structure::placeholders(&draft, text),
    ]
    .concat())
}
