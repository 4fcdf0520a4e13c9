//! `paper/improve`: the next version of a draft, from what checks and reviewers found.

use kyobashi_stage::{Call, Context, Failure, Output, Outputs, Port, Signature, Stage};
use serde_json::Value;

use super::author::Author;
use super::mend::mend;
use super::{comparison, points, works};
use crate::llm::{Client, longest, set, settings};
use crate::review::Finding;

pub(crate) struct Improve(pub(crate) Client);

impl Stage for Improve {
    fn signature(&self) -> Signature {
        Signature {
            ins: vec![
                Port::new("draft", "text", "the draft that was reviewed"),
                Port::new("findings", "json", "what `review/checks` found in it"),
                Port::new("review", "json", "the summary of its reviews"),
                Port::new(
                    "bibliography",
                    "text?",
                    "BibTeX of the works that it may cite",
                ),
            ],
            with: longest(
                settings(vec![Port::new(
                    "results",
                    "json",
                    "the documents that the paper was written from",
                )]),
                16_000,
            ),
            outs: vec![Port::new("draft", "text", "the improved draft")],
            model: true,
            ..Signature::new(
                "paper/improve",
                2,
                "Improve a draft by what its review found",
            )
        }
    }

    fn run(&self, call: &Call, context: &dyn Context) -> Result<Outputs, Failure> {
        let draft = call.text("draft")?;
        let findings: Vec<Finding> = call.get("findings")?;
        let review: Value = call.value("review")?;
        let results: Value = call.value("results")?;
        let draft = match call.model.as_ref().filter(|model| !model.is_baseline()) {
            Some(model) => {
                let known = works::cited(call)?;
                let author = Author {
                    client: &self.0,
                    model,
                    settings: set(call, model)?,
                    sample: call.get("sample")?,
                    results: &results,
                    context,
                };
                author.improve(&draft, &findings, &review, &known)?
            }
            None => improve(&draft, &findings, &review, &results)?,
        };
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
