//! `llm/review`: one review of one paper, by a model that fills in a form, or by the automatic checks.
//!
//! The checks give no score and no decision, so nobody can mistake them for a reviewer. The paper goes
//! into the prompt as delimited data, and what the checks found goes along.

use std::collections::BTreeMap;

use kyobashi_stage::{
    Call, Context, Failure, Model, Note, Output, Outputs, Port, Signature, Stage,
};
use minijinja::value::Serde;
use serde_json::{Map, Value, json};

use super::ask::{Ask, Turn};
use super::client::{Client, complete};
use super::form::Form;
use super::json::last_object;
use super::talk::set;
use crate::review::{Finding, Severity};

const SYSTEM: &str = include_str!("../../../../pipelines/prompts/review_system.md");
const PROMPT: &str = include_str!("../../../../pipelines/prompts/review.md");

/// How often a model is told what was wrong with its form.
const REASKS: usize = 2;

pub(crate) struct Review(pub(crate) Client);

impl Stage for Review {
    fn signature(&self) -> Signature {
        Signature {
            ins: vec![
                Port::new("text", "text", "the paper as plain text"),
                Port::new("findings", "json", "what `review/checks` found"),
            ],
            with: vec![
                Port::new("form", "file(.json)", "the review form"),
                Port::or(
                    "sample",
                    "int",
                    0,
                    "which of several reviews by the same model this is",
                ),
                Port::new(
                    "temperature",
                    "float?",
                    "as sent to the model; not sent if absent",
                ),
                Port::or(
                    "max_tokens",
                    "int",
                    4096,
                    "the longest reply; the model's own setting wins",
                ),
                Port::new(
                    "instructions",
                    "text?",
                    "standing instructions to the reviewer, in place of the built-in ones",
                ),
            ],
            outs: vec![Port::new(
                "review",
                "Review",
                "the filled form, or the list of checks",
            )],
            model: true,
            ..Signature::new("llm/review", 1, "Review a paper")
        }
    }

    fn run(&self, call: &Call, context: &dyn Context) -> Result<Outputs, Failure> {
        let findings: Vec<Finding> = call.get("findings")?;
        let model = call
            .model
            .as_ref()
            .ok_or_else(|| Failure::bug("`llm/review` was called without a model"))?;
        let review = if model.is_baseline() {
            checks(&findings, call.get("sample")?)
        } else {
            self.by_model(call, model, &findings, context)?
        };
        Ok(Outputs::from([(
            "review".to_owned(),
            Output::value(Value::Object(review)),
        )]))
    }
}

impl Review {
    fn by_model(
        &self,
        call: &Call,
        model: &Model,
        findings: &[Finding],
        context: &dyn Context,
    ) -> Result<Map<String, Value>, Failure> {
        let text = call.text("form")?;
        let form: Form = serde_json::from_str(&text)
            .map_err(|error| Failure::new(format!("the form cannot be read: {error}")))?;
        let sample: u64 = call.get("sample")?;
        let system = if call.has("instructions") {
            call.text("instructions")?
        } else {
            SYSTEM.to_owned()
        };
        let mut ask = Ask {
            schema: Some(form.schema()),
            settings: set(call, model)?,
            sample,
            ..Ask::new(
                system.trim(),
                &prompt(&form, &call.text("text")?, findings)?,
            )
        };
        let mut complaint = String::new();
        for _ in 0..=REASKS {
            let reply = complete(self.0.ask(model, &ask, context)?)?;
            match last_object(&reply, |value| form.check(&form.named(value))) {
                Ok(found) => {
                    let mut review = head(&form.name, model, self.0.provenance(model), sample);
                    review.insert("repaired".to_owned(), found.repaired.into());
                    if let Value::Object(fields) = form.named(&found.value) {
                        review.extend(fields);
                    }
                    review.extend(outcome(findings));
                    return Ok(review);
                }
                Err(why) => {
                    context.note(Note {
                        message: Some(format!("the form is not valid: {why}")),
                        ..Note::default()
                    });
                    ask.turns.push(Turn::model(&reply));
                    ask.turns.push(Turn::user(&format!(
                        "That form is not valid: {why}. Reply with the whole corrected form as one JSON object and nothing else."
                    )));
                    complaint = why;
                }
            }
        }
        Err(Failure::new(format!(
            "{model} did not fill in the form after {} tries: {complaint}",
            REASKS + 1
        ))
        .help("try another sample, or a model that can hold its reply to a schema"))
    }
}

fn prompt(form: &Form, paper: &str, findings: &[Finding]) -> Result<String, Failure> {
    let failed: Vec<&str> = findings
        .iter()
        .filter(|finding| !finding.passed)
        .map(|finding| finding.message.as_str())
        .collect();
    // The paper cannot close its own delimiter.
    let paper = paper
        .replace("</paper>", "</ paper>")
        .replace("<paper>", "< paper>");
    let facts = json!({
        "title": form.title,
        "form": form.described(),
        "paper": paper.trim(),
        "failed": failed,
        "checks": findings.len(),
    });
    minijinja::Environment::new()
        .render_str(PROMPT, Serde(facts))
        .map_err(|error| Failure::bug(format!("the review prompt: {error:#}")))
}

fn head(form: &str, model: &Model, provenance: &str, sample: u64) -> Map<String, Value> {
    let head = [
        ("form", json!(form)),
        ("reviewer", json!(model.to_string())),
        ("provenance", json!(provenance)),
        ("sample", json!(sample)),
    ];
    head.into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// A review by the checks alone.
fn checks(findings: &[Finding], sample: u64) -> Map<String, Value> {
    let baseline = Model {
        provider: kyobashi_stage::BASELINE.to_owned(),
        id: String::new(),
        endpoint: String::new(),
        settings: BTreeMap::new(),
    };
    let mut review = head("checks", &baseline, "baseline", sample);
    review.extend(outcome(findings));
    review
}

/// What the checks found: names of those passed, and those failed with place and remedy.
fn outcome(findings: &[Finding]) -> Map<String, Value> {
    let passed: Vec<&str> = findings
        .iter()
        .filter(|finding| finding.passed)
        .map(|finding| finding.check.as_str())
        .collect();
    let failed: Vec<Value> = findings
        .iter()
        .filter(|finding| !finding.passed)
        .map(|finding| {
            json!({
                "check": finding.check,
                "severity": match finding.severity { Severity::Error => "error", Severity::Warning => "warning" },
                "place": finding.place,
                "message": finding.message,
                "remedy": finding.remedy,
            })
        })
        .collect();
    Map::from_iter([
        ("passed".to_owned(), json!(passed)),
        ("failed".to_owned(), json!(failed)),
    ])
}
