//! `review/screen`: what a reviewer may read of a paper, and what was found that speaks to the reviewer.

use kyobashi_stage::{Call, Context, Failure, Note, Output, Outputs, Port, Signature, Stage};
use serde_json::{Value, json};

use super::suspect::Suspected;
use super::{Hit, Place, Screened, screen};
use crate::document::Unshown;
use crate::review::{Finding, Severity};

/// The name of the check in findings.
const CHECK: &str = "no_instructions";

/// The longest quotation in the record, in characters.
const LONGEST: usize = 200;

/// The names of the layers.
const CODE: &str = "code";
const MODEL: &str = "model";

pub(crate) struct Screen;

impl Stage for Screen {
    fn signature(&self) -> Signature {
        Signature {
            ins: vec![
                Port::new("text", "text", "the paper as its reviewer would read it"),
                Port::new("draft", "text?", "its source, if that is another text"),
                Port::new(
                    "hidden",
                    "json?",
                    "text that its file holds and does not show, by `paper/read`",
                ),
                Port::new("findings", "json?", "what `review/checks` found"),
                Port::new(
                    "suspected",
                    "json?",
                    "what a model names in the text, by `llm/screen`",
                ),
            ],
            outs: vec![
                Port::new(
                    "text",
                    "text",
                    "the paper with everything masked that was found",
                ),
                Port::new(
                    "findings",
                    "json",
                    "the given findings and that of the screening",
                ),
                Port::new(
                    "screening",
                    "json",
                    "{clean, places: [{kind, severity, source, line, quote, why, layers}], removed_signs, model}",
                ),
            ],
            ..Signature::new(
                "review/screen",
                2,
                "Screen a paper for what speaks to its reviewer",
            )
        }
    }

    fn run(&self, call: &Call, context: &dyn Context) -> Result<Outputs, Failure> {
        let text = call.text("text")?;
        let suspected = suspected(call)?;
        let spans = suspected.as_ref().map_or(&[][..], |found| &found.spans);
        let screened = screen(&text, spans);
        let mut places = placed("text", &text, &screened);
        if call.has("draft") {
            let draft = call.text("draft")?;
            places.extend(placed("draft", &draft, &screen(&draft, &[])));
        }
        if call.has("hidden") {
            let unshown: Vec<Unshown> = call.get("hidden")?;
            places.extend(unshown.iter().map(|run| Place {
                kind: "hidden_text".to_owned(),
                severity: Severity::Error,
                source: format!("page {}", run.page),
                line: None,
                quote: short(&run.text),
                why: format!("it holds text that {}", run.why),
                layers: vec![CODE.to_owned()],
            }));
        }
        let mut findings: Vec<Finding> = if call.has("findings") {
            call.get("findings")?
        } else {
            Vec::new()
        };
        let finding = finding(&places);
        if !finding.passed {
            context.note(Note {
                message: Some(finding.message.clone()),
                ..Note::default()
            });
        }
        findings.push(finding);
        let screening = json!({
            "clean": places.is_empty(),
            "places": places,
            "removed_signs": screened.removed,
            "model": suspected.map(told),
        });
        let findings =
            serde_json::to_value(findings).map_err(|error| Failure::bug(error.to_string()))?;
        Ok(Outputs::from([
            ("text".to_owned(), Output::bytes(screened.text)),
            ("findings".to_owned(), Output::value(findings)),
            ("screening".to_owned(), Output::value(screening)),
        ]))
    }
}

/// What the model layer says; none where there is none.
fn suspected(call: &Call) -> Result<Option<Suspected>, Failure> {
    if !call.has("suspected") {
        return Ok(None);
    }
    serde_json::from_value(call.value("suspected")?)
        .map(Some)
        .map_err(|error| {
            Failure::new(format!("`suspected` cannot be read: {error}"))
                .help("give it what `llm/screen` makes")
        })
}

/// The model layer in the record: who it is, and how far it can be relied on.
fn told(suspected: Suspected) -> Value {
    json!({
        "screener": suspected.screener,
        "provenance": suspected.provenance,
        "named": suspected.spans.len(),
        "dropped": suspected.dropped,
        "probe_named": suspected.probe_named,
    })
}

/// The places of both layers in the order of the text. Where they meet, the place is that of the code, which
/// knows how sure it is.
fn placed(source: &str, text: &str, screened: &Screened) -> Vec<Place> {
    let meet = |one: &Hit, other: &Hit| one.at.start < other.at.end && other.at.start < one.at.end;
    let place = |hit: &Hit, layers: &[&str]| Place {
        kind: hit.kind.to_owned(),
        severity: hit.severity,
        source: source.to_owned(),
        line: Some(text[..hit.at.start].matches('\n').count() + 1),
        quote: short(&text[hit.at.clone()]),
        why: hit.why.clone(),
        layers: layers.iter().map(|layer| (*layer).to_owned()).collect(),
    };
    let by_code = screened.hits.iter().map(|hit| {
        let both = screened.named.iter().any(|named| meet(hit, named));
        let layers = if both { &[CODE, MODEL][..] } else { &[CODE] };
        (hit.at.start, place(hit, layers))
    });
    let alone = screened.named.iter();
    let alone = alone.filter(|named| !screened.hits.iter().any(|hit| meet(hit, named)));
    let by_model = alone.map(|named| (named.at.start, place(named, &[MODEL])));
    let mut places: Vec<(usize, Place)> = by_code.chain(by_model).collect();
    places.sort_by_key(|(start, _)| *start);
    places.into_iter().map(|(_, place)| place).collect()
}

fn short(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= LONGEST {
        return line;
    }
    format!("{} …", line.chars().take(LONGEST).collect::<String>())
}

/// The finding in words that quote nothing of the paper: a reviewer reads them.
fn finding(places: &[Place]) -> Finding {
    let Some(first) = places.first() else {
        return Finding::pass(CHECK, "nothing is addressed to the reviewer");
    };
    let worst = places
        .iter()
        .find(|place| place.severity == Severity::Error);
    let first = worst.unwrap_or(first);
    let line = first.line.map(|line| format!(", line {line}"));
    let message = format!(
        "the paper speaks to its reviewer, not to its readers, in {} place{}; masked before this review. The first ({}{}): {}",
        places.len(),
        if places.len() == 1 { "" } else { "s" },
        first.source,
        line.unwrap_or_default(),
        first.why,
    );
    Finding {
        quote: Some(first.quote.clone()),
        ..Finding::fail(CHECK, first.severity, message, "take it out")
    }
}
