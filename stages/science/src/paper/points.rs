//! The section *Points raised in review*: what model reviewers criticised, and an honest answer to each.
//!
//! The answers are chosen by the words of the remark; where nothing was done, they say so.

use serde_json::Value;

/// The most remarks that are answered.
const MOST: usize = 10;
/// The longest quotation, in characters.
const LONGEST: usize = 400;

/// Words of a remark, and what can honestly be said about it.
const ANSWERS: [(&[&str], &str); 6] = [
    (
        &[
            "seed",
            "statistic",
            "variance",
            "significan",
            "error bar",
            "confidence",
            "interval",
            "noise",
            "runs",
        ],
        "Every compared mean stands with its interval and number of runs, and a direction is claimed only where the interval of the difference excludes zero. No further runs were made for this version.",
    ),
    (
        &[
            "related work",
            "literature",
            "citation",
            "prior work",
            "reference",
        ],
        "The literature was not searched for this paper; the works cited are those of the template. This remains a limitation.",
    ),
    (
        &["novel", "incremental", "original", "known"],
        "The idea was compared by code with the other ideas of the study and with the template's known ideas only, so no claim of novelty beyond these is made.",
    ),
    (
        &["baseline", "compar", "state-of-the-art", "alternative"],
        "The comparison is with the unchanged baseline at equal training steps; other methods were not run.",
    ),
    (
        &[
            "dataset",
            "data set",
            "scale",
            "image",
            "real-world",
            "high-dimension",
            "general",
            "toy",
            "simple",
        ],
        "Only the data sets named in the set-up were used, and nothing is claimed beyond them.",
    ),
    (
        &[
            "theor",
            "explain",
            "analysis",
            "ablation",
            "insight",
            "why",
            "intuition",
            "understand",
        ],
        "The paper reports what was measured and offers no explanation beyond it; no further runs were made for this version.",
    ),
];

const OTHERWISE: &str =
    "Nothing was changed on this point: answering it needs new experiments or a human author.";

/// The section, or nothing where no model reviewed.
pub(super) fn section(review: &Value) -> Option<String> {
    let remarks: Vec<&str> = review
        .get("weaknesses")?
        .as_array()?
        .iter()
        .filter_map(|point| point.get("text").unwrap_or(point).as_str())
        .collect();
    let mut seen: Vec<String> = Vec::new();
    for remark in remarks {
        let remark = quotable(remark);
        let known = seen
            .iter()
            .any(|other| strsim::sorensen_dice(other, &remark) > 0.8);
        if !remark.is_empty() && !known && seen.len() < MOST {
            seen.push(remark);
        }
    }
    if seen.is_empty() {
        return None;
    }
    let mut text = "# Points raised in review {#sec:points}\n\nReviewers read an earlier version of this paper. Their remarks are quoted; the answers say what was changed and what was not.\n".to_owned();
    for remark in seen {
        let lower = remark.to_lowercase();
        let answer = ANSWERS
            .iter()
            .find(|(words, _)| words.iter().any(|word| lower.contains(word)))
            .map_or(OTHERWISE, |(_, answer)| answer);
        text += &format!("\n> {remark}\n\n{answer}\n");
    }
    Some(text)
}

/// A remark as one line without signs that Markdown or the press would read.
fn quotable(remark: &str) -> String {
    let words: String = remark
        .chars()
        .map(|letter| {
            if "\\[]{}$<>`*_#|@~^\n\r\t".contains(letter) {
                ' '
            } else {
                letter
            }
        })
        .collect();
    let line = words.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= LONGEST {
        return line;
    }
    format!("{} …", line.chars().take(LONGEST).collect::<String>())
}
