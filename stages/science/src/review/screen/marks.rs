//! Signs that only a machine reads: turns of a chat, the end of the paper's own marks, a review form that
//! is filled in already.

use super::Hit;
use crate::review::Severity;

/// Signs by which chat servers divide turns, and by which our prompt divides paper and instructions.
const TURNS: &[&str] = &[
    "<|im_start|>",
    "<|im_end|>",
    "<|system|>",
    "<|user|>",
    "<|assistant|>",
    "<|endoftext|>",
    "<|eot_id|>",
    "<|start_header_id|>",
    "<|end_header_id|>",
    "[inst]",
    "[/inst]",
    "<<sys>>",
    "<</sys>>",
    "<paper>",
    "</paper>",
    "<review>",
    "</review>",
    "<example>",
    "</example>",
    "<system>",
    "</system>",
    "### instruction",
    "### response",
];

/// Fields of review forms.
const FIELDS: &[&str] = &[
    "overall",
    "soundness",
    "presentation",
    "contribution",
    "originality",
    "significance",
    "confidence",
    "decision",
    "quality",
    "clarity",
    "rating",
    "recommendation",
];

/// Bytes within which a form's fields stand together.
const FORM: usize = 1200;

pub(super) fn hits(text: &str) -> Vec<Hit> {
    // Only ASCII changes, so every place is the same in both.
    let lower = text.to_ascii_lowercase();
    let mut found = Vec::new();
    for turn in TURNS {
        // `list<Review>` is a type, `</review>` is an end: ours are written in small letters.
        let own = turn.contains("paper>") || turn.contains("review>") || turn.contains("example>");
        let places = if own { text } else { lower.as_str() };
        for (at, _) in places.match_indices(turn) {
            found.push(Hit {
                kind: "turn_marker",
                severity: if turn.contains("paper>") || turn.contains("review>") {
                    Severity::Error
                } else {
                    Severity::Warning
                },
                at: at..at + turn.len(),
                why: "it holds a sign by which machines divide a talk".to_owned(),
            });
        }
    }
    found.extend(form(&lower));
    found
}

/// The first stretch in which at least three fields of a form are given values as JSON.
fn form(lower: &str) -> Option<Hit> {
    let mut places: Vec<(usize, usize, &str)> = Vec::new();
    for field in FIELDS {
        let quoted = format!("\"{field}\"");
        for (at, _) in lower.match_indices(&quoted) {
            let rest = lower[at + quoted.len()..].trim_start();
            let value = rest.strip_prefix(':').map(str::trim_start);
            if value.is_some_and(|value| {
                value.starts_with(|sign: char| sign.is_ascii_digit() || sign == '"')
            }) {
                let end = lower[at..]
                    .find(['\n', ',', '}'])
                    .map_or(lower.len(), |length| at + length);
                places.push((at, end, field));
            }
        }
    }
    places.sort_unstable();
    let together = |place: &(usize, usize, &str)| {
        let near = places
            .iter()
            .filter(|(at, ..)| (place.0..place.0 + FORM).contains(at));
        let fields: std::collections::BTreeSet<&str> =
            near.clone().map(|(.., field)| *field).collect();
        let end = near.map(|(_, end, _)| *end).max();
        (fields.len() >= 3).then_some(place.0..end?)
    };
    let at = places.iter().find_map(together)?;
    Some(Hit {
        kind: "filled_form",
        severity: Severity::Error,
        at,
        why: "it holds a review form that is filled in".to_owned(),
    })
}
