//! `paper/improve`: the next version of a draft, from what checks and reviewers found.

use kyobashi_stage::{Call, Context, Failure, Output, Outputs, Port, Signature, Stage};
use serde_json::Value;

use super::mend::mend;
use super::{comparison, points};
use crate::author::baseline_only;
use crate::review::Finding;

pub(crate) struct Improve;

impl Stage for Improve {
    fn signature(&self) -> Signature {
        Signature {
            ins: vec![
                Port::new("draft", "text", "the draft that was reviewed"),
                Port::new("findings", "json", "what `review/checks` found in it"),
                Port::new("review", "json", "the summary of its reviews"),
            ],
            with: vec![Port::new(
                "results",
                "json",
                "the documents that the paper was written from",
            )],
            outs: vec![Port::new("draft", "text", "the improved draft")],
            model: true,
            ..Signature::new(
                "paper/improve",
                1,
                "Improve a draft by what its review found",
            )
        }
    }

    fn run(&self, call: &Call, _: &dyn Context) -> Result<Outputs, Failure> {
        baseline_only(call)?;
        let draft = call.text("draft")?;
        let findings: Vec<Finding> = call.get("findings")?;
        let review: Value = call.value("review")?;
        let results: Value = call.value("results")?;
        let draft = improve(&draft, &findings, &review, &results)?;
        Ok(Outputs::from([("draft".to_owned(), Output::bytes(draft))]))
    }
}

/// Mends what the findings name, and answers what model reviewers criticised.
///
/// # Errors
/// If the results hold no comparison.
pub(crate) fn improve(
    draft: &str,
    findings: &[Finding],
    review: &Value,
    results: &Value,
) -> Result<String, Failure> {
    let comparison = comparison(results)?;
    let mut text = mend(draft, findings, &comparison, results);
    if let Some(section) = points::section(review) {
        let draft = super::draft::Draft::read(&text);
        let before = draft
            .headings()
            .into_iter()
            .find(|(_, title)| title.to_lowercase().contains("reference"))
            .map_or(text.len(), |(part, _)| part.at.start);
        text = format!(
            "{}\n\n{section}\n{}",
            text[..before].trim_end(),
            &text[before..]
        );
    }
    Ok(super::write::tidy(&text))
}
