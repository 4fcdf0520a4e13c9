//! `llm/review`: one review of one paper, by a model that fills in a form, or by the automatic checks.
//!
//! The checks give no score and no decision, so nobody can mistake them for a reviewer. The paper goes
//! into the prompt as delimited data, and what the checks found goes along. A reviewer may be shown other
//! papers with their reviews, and may look at its own review again.

use std::collections::BTreeMap;

use kyobashi_stage::{
    Call, Context, Failure, Model, Note, Output, Outputs, Port, Signature, Stage,
};
use minijinja::value::Serde;
use serde_json::{Map, Value, json};

use super::ask::{Ask, Turn};
use super::client::{Client, complete};
use super::evidence;
use super::examples::{Example, examples};
use super::form::Form;
use super::json::last_object;
use super::prompt::enclosed;
use super::talk::set;
use crate::review::{Finding, Severity};

const SYSTEM: &str = include_str!("../../../../pipelines/prompts/review_system.md");
const PROMPT: &str = include_str!("../../../../pipelines/prompts/review.md");
const REFLECT: &str = include_str!("../../../../pipelines/prompts/review_reflect.md");

/// How often a model is told what was wrong with its form.
const REASKS: usize = 2;

pub(crate) struct Review(pub(crate) Client);

impl Stage for Review {
    fn signature(&self) -> Signature {
        Signature {
            ins: vec![
                Port::new("text", "text", "the paper as plain text"),
                Port::new("findings", "json", "what `review/checks` found"),
                Port::new(
                    "screening",
                    "json?",
                    "what `review/screen` found, for the record",
                ),
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
                    "paper_id",
                    "str?",
                    "which paper this is, for the record; the model is not told",
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
                Port::or(
                    "reflections",
                    "int",
                    0,
                    "how often the model looks at its review again, at most; it ends earlier where nothing changes",
                ),
                Port::or(
                    "examples",
                    "int",
                    0,
                    "how many papers with reviews it is shown first",
                ),
                Port::new(
                    "example_folder",
                    "dir?",
                    "where these stand: a folder each with `paper.md` and `review.json`",
                ),
                Port::or(
                    "evidence",
                    "bool",
                    false,
                    "whether it has to quote the paper; quotes that are not there are marked",
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
            ..Signature::new("llm/review", 2, "Review a paper")
        }
    }

    fn run(&self, call: &Call, context: &dyn Context) -> Result<Outputs, Failure> {
        let findings: Vec<Finding> = call.get("findings")?;
        let model = call
            .model
            .as_ref()
            .ok_or_else(|| Failure::bug("`llm/review` was called without a model"))?;
        let mut review = if model.is_baseline() {
            checks(&findings, call.get("sample")?)
        } else {
            self.by_model(call, model, &findings, context)?
        };
        for name in ["screening", "paper_id"] {
            if call.has(name) {
                review.insert(name.to_owned(), call.value(name)?);
            }
        }
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
        let shown = shown(call, &form)?;
        let form = if call.get("evidence")? {
            evidence::asked(form)
        } else {
            form
        };
        let paper = call.text("text")?;
        let system = if call.has("instructions") {
            call.text("instructions")?
        } else {
            SYSTEM.to_owned()
        };
        let mut ask = Ask {
            schema: Some(form.schema()),
            settings: set(call, model)?,
            sample,
            ..Ask::new(system.trim(), &prompt(&form, &paper, findings, &shown)?)
        };
        let first = self
            .filled(model, &mut ask, &form, context)?
            .map_err(|complaint| {
                Failure::new(format!(
                    "{model} did not fill in the form after {} tries: {complaint}",
                    REASKS + 1
                ))
                .help("try another sample, or a model that can hold its reply to a schema")
            })?;
        let rounds: u64 = call.get("reflections")?;
        let (last, used) = self.reflect(model, &mut ask, &form, first, rounds, context)?;
        let mut review = head(&form.name, model, self.0.provenance(model), sample);
        review.insert("repaired".to_owned(), last.repaired.into());
        let names: Vec<&str> = shown.iter().map(|one| one.name.as_str()).collect();
        // An object, so that nobody takes a count for a score.
        let effort = json!({
            "examples": names, "reflections": used, "of": rounds, "done": last.done && used > 0,
        });
        review.insert("effort".to_owned(), effort);
        let mut fields = last.fields;
        if call.get("evidence")? {
            evidence::marked(&mut fields, &paper);
        }
        review.extend(fields);
        review.extend(outcome(findings));
        Ok(review)
    }

    /// Lets the reviewer look at its review again, until it is done or the rounds are. A round whose form
    /// stays invalid changes nothing: the review before it is valid.
    fn reflect(
        &self,
        model: &Model,
        ask: &mut Ask,
        form: &Form,
        first: Filled,
        rounds: u64,
        context: &dyn Context,
    ) -> Result<(Filled, u64), Failure> {
        let mut last = first;
        if rounds > 0 {
            ask.schema = Some(form.schema_with_done());
        }
        for round in 1..=rounds {
            let facts = json!({"round": round, "rounds": rounds});
            ask.turns.push(Turn::model(&last.reply));
            ask.turns.push(Turn::user(&rendered(REFLECT, facts)?));
            let before = ask.turns.len();
            match self.filled(model, ask, form, context)? {
                Ok(mut next) => {
                    next.done |= next.fields == last.fields;
                    last = next;
                }
                Err(_) => {
                    note(context, "the review before this round is kept");
                    return Ok((last, round));
                }
            }
            // Forms that had to be asked for again are no part of what follows.
            ask.turns.truncate(before);
            if last.done {
                return Ok((last, round));
            }
        }
        Ok((last, rounds))
    }

    /// The form as the model fills it in, or what is still wrong with it after the last try.
    fn filled(
        &self,
        model: &Model,
        ask: &mut Ask,
        form: &Form,
        context: &dyn Context,
    ) -> Result<Result<Filled, String>, Failure> {
        let mut complaint = String::new();
        for _ in 0..=REASKS {
            let reply = complete(self.0.ask(model, ask, context)?)?;
            match last_object(&reply, |value| form.check(&bare(form, value))) {
                Ok(found) => {
                    let said = found.value.get("done").and_then(Value::as_bool);
                    let words = reply.to_lowercase().contains("i am done");
                    let fields = match bare(form, &found.value) {
                        Value::Object(fields) => fields,
                        _ => Map::new(),
                    };
                    return Ok(Ok(Filled {
                        done: said.unwrap_or(words),
                        repaired: found.repaired,
                        fields,
                        reply,
                    }));
                }
                Err(why) => {
                    note(context, &format!("the form is not valid: {why}"));
                    ask.turns.push(Turn::model(&reply));
                    ask.turns.push(Turn::user(&format!(
                        "That form is not valid: {why}. Reply with the whole corrected form as one JSON object and nothing else."
                    )));
                    complaint = why;
                }
            }
        }
        Ok(Err(complaint))
    }
}

/// A valid form, and the reply that it stands in.
struct Filled {
    fields: Map<String, Value>,
    reply: String,
    repaired: bool,
    /// Whether the reviewer would leave it so.
    done: bool,
}

/// The form under its own names, without the word that ends the reflections.
fn bare(form: &Form, value: &Value) -> Value {
    let mut named = form.named(value);
    if let Value::Object(fields) = &mut named {
        fields.remove("done");
    }
    named
}

fn shown(call: &Call, form: &Form) -> Result<Vec<Example>, Failure> {
    match call.get::<usize>("examples")? {
        0 => Ok(Vec::new()),
        _ if !call.has("example_folder") => Err(Failure::new(
            "examples of reviews were asked for, and no `example_folder` is given",
        )
        .help("name a folder, or set `examples: 0`")),
        n => examples(call.path("example_folder")?, n, form),
    }
}

fn note(context: &dyn Context, message: &str) {
    context.note(Note {
        message: Some(message.to_owned()),
        ..Note::default()
    });
}

fn prompt(
    form: &Form,
    paper: &str,
    findings: &[Finding],
    shown: &[Example],
) -> Result<String, Failure> {
    let failed: Vec<&str> = findings
        .iter()
        .filter(|finding| !finding.passed)
        .map(|finding| finding.message.as_str())
        .collect();
    let facts = json!({
        "title": form.title,
        "form": form.described(),
        "examples": shown,
        "paper": enclosed(paper),
        "failed": failed,
        "checks": findings.len(),
    });
    rendered(PROMPT, facts)
}

fn rendered(prompt: &str, facts: Value) -> Result<String, Failure> {
    minijinja::Environment::new()
        .render_str(prompt, Serde(facts))
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
