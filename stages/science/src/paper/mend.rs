//! Mends a draft by its findings: each change answers one finding and uses the results alone.

use serde_json::Value;

use super::draft::{ABSTRACT, Draft, Kind};
use super::wording::{outcome, sentence};
use crate::review::{Finding, RowName};
use crate::stats::{Comparison, Row};

/// A claim about more results than this is answered by the counts.
const FEW: usize = 3;

/// The draft with everything mended that an edit can mend; findings that need new runs stay as they are.
pub(super) fn mend(
    draft: &str,
    findings: &[Finding],
    comparison: &Comparison,
    results: &Value,
) -> String {
    let mut text = draft.to_owned();
    // Sentences first, while the quotes of the findings still stand in the text.
    for finding in findings.iter().filter(|finding| !finding.passed) {
        let changed = match finding.check.as_str() {
            "claims_supported" => claim(&text, finding, comparison),
            "numbers_traced" | "no_placeholders" => finding
                .quote
                .as_deref()
                .and_then(|quote| swap(&text, quote, "")),
            "references_resolve" => reference(&text, finding),
            _ => None,
        };
        text = changed.unwrap_or(text);
    }
    for finding in findings.iter().filter(|finding| !finding.passed) {
        let changed = match finding.check.as_str() {
            "intervals_reported" => Some(intervals(&text, &finding.rows)),
            "results_complete" | "losses_stated" => told(&text, &finding.rows, comparison),
            "seeds_and_n_named" => seeds(&text, comparison),
            "abstract_states_result" => summary(&text, comparison),
            "limitations_present" => Some(limitations(&text, comparison, results)),
            "figures_referenced" => figure(&text, finding),
            _ => None,
        };
        text = changed.unwrap_or(text);
    }
    super::write::tidy(&text)
}

fn row<'c>(comparison: &'c Comparison, name: &RowName) -> Option<&'c Row> {
    comparison.by.get(&name.place)?.get(&name.metric)
}

/// Replaces an unborne claim by what the intervals bear.
fn claim(text: &str, finding: &Finding, comparison: &Comparison) -> Option<String> {
    let quote = finding.quote.as_deref()?;
    let rows: Vec<(&RowName, &Row)> = finding
        .rows
        .iter()
        .filter_map(|name| Some((name, row(comparison, name)?)))
        .collect();
    let told: Vec<String> = rows.iter().map(|(name, row)| sentence(name, row)).collect();
    let honest = if rows.is_empty() || rows.len() > FEW {
        outcome(comparison)
    } else {
        told.join(" ")
    };
    // Said once is enough.
    let honest = if text.contains(&honest) && in_one_section(text, quote, &honest) {
        String::new()
    } else {
        honest
    };
    swap(text, quote, &honest)
}

fn in_one_section(text: &str, quote: &str, other: &str) -> bool {
    let draft = Draft::read(text);
    let of = |words: &str| {
        draft
            .sentences()
            .iter()
            .find(|sentence| sentence.text == words)
            .map(|sentence| sentence.section.to_owned())
    };
    of(quote).is_some() && of(quote) == of(other)
}

/// Replaces a sentence; a removed one takes the blank before it along.
fn swap(text: &str, old: &str, new: &str) -> Option<String> {
    let at = text.find(old)?;
    let start = if new.is_empty() && text[..at].ends_with(' ') {
        at - 1
    } else {
        at
    };
    Some(format!(
        "{}{new}{}",
        &text[..start],
        &text[at + old.len()..]
    ))
}

/// Takes out the sentence around a reference that leads nowhere.
fn reference(text: &str, finding: &Finding) -> Option<String> {
    let quote = finding.quote.as_deref()?;
    let draft = Draft::read(text);
    let sentence = draft
        .sentences()
        .iter()
        .find(|sentence| sentence.text.contains(quote))?
        .text
        .to_owned();
    swap(text, &sentence, "")
}

/// Shows whole estimates in place of bare means: in tables, or wherever the means stand.
fn intervals(text: &str, rows: &[RowName]) -> String {
    let mut text = text.to_owned();
    for name in rows {
        for document in ["baseline", "trial"] {
            let whole = format!("{document}.by.{}.{}", name.place, name.metric);
            let (bare, full) = (
                format!("\\val{{{whole}.mean}}"),
                format!("\\val{{{whole}}}"),
            );
            let in_table = |line: &str| line.trim_start().starts_with('|') && line.contains(&bare);
            text = if text.lines().any(in_table) {
                let lines = text.split_inclusive('\n');
                lines
                    .map(|line| {
                        if in_table(line) {
                            line.replace(&bare, &full)
                        } else {
                            line.to_owned()
                        }
                    })
                    .collect()
            } else {
                text.replace(&bare, &full)
            };
        }
    }
    text
}

/// Tells results in the section of results.
fn told(text: &str, rows: &[RowName], comparison: &Comparison) -> Option<String> {
    let sentences: Vec<String> = rows
        .iter()
        .filter_map(|name| Some(sentence(name, row(comparison, name)?)))
        .filter(|sentence| !text.contains(sentence))
        .collect();
    if sentences.is_empty() {
        None
    } else {
        append(text, &["result"], &sentences.join(" "))
    }
}

fn seeds(text: &str, comparison: &Comparison) -> Option<String> {
    let (name, _) = first(comparison)?;
    let path = |side: &str| {
        format!(
            "\\val{{comparison.by.{}.{}.{side}.n}}",
            name.place, name.metric
        )
    };
    let paragraph = format!(
        "**Repetition.** On each point set the baseline is trained {} times and the variant {} times, with different seeds. Estimates are given as mean and interval over these runs, n of them: intervals of a mean are Student's t, those of a difference are Welch's, both at the \\val{{comparison.rows.0.level}}{{%}} level. A direction is claimed only where the interval of the difference excludes zero.",
        path("baseline"),
        path("trial"),
    );
    append(
        text,
        &["set-up", "setup", "experiment", "result"],
        &paragraph,
    )
}

fn first(comparison: &Comparison) -> Option<(RowName, &Row)> {
    let (place, metrics) = comparison.by.iter().next()?;
    let (metric, row) = metrics.iter().next()?;
    Some((
        RowName {
            place: place.clone(),
            metric: metric.clone(),
        },
        row,
    ))
}

fn summary(text: &str, comparison: &Comparison) -> Option<String> {
    let draft = Draft::read(text);
    let part = draft
        .section(ABSTRACT)
        .filter(|part| part.kind == Kind::Prose)
        .last()?;
    Some(format!(
        "{} {}{}",
        &text[..part.at.end],
        outcome(comparison),
        &text[part.at.end..]
    ))
}

const LIMITATIONS: &str = include_str!("../../../../pipelines/prompts/limitations.md");

fn limitations(text: &str, comparison: &Comparison, results: &Value) -> String {
    let mut paragraph = LIMITATIONS.trim().to_owned();
    if comparison.counts.too_few > 0 {
        paragraph += " In \\val{comparison.counts.too_few} comparisons there are too few runs on a side to name a direction at all.";
    }
    if results.get("config").is_none() {
        paragraph += " The settings of the runs are not listed here; they are part of the record of the run.";
    }
    if let Some(done) = append(text, &["limitation"], &paragraph) {
        return done;
    }
    let draft = Draft::read(text);
    let before = draft
        .headings()
        .into_iter()
        .find(|(_, title)| {
            ["conclusion", "reference"]
                .iter()
                .any(|word| title.to_lowercase().contains(word))
        })
        .map_or(text.len(), |(part, _)| part.at.start);
    format!(
        "{}# Limitations {{#sec:limitations}}\n\n{paragraph}\n\n{}",
        &text[..before],
        &text[before..]
    )
}

/// Speaks of a figure just before it is shown.
fn figure(text: &str, finding: &Finding) -> Option<String> {
    let name = finding.subject.as_deref()?;
    let draft = Draft::read(text);
    let (part, _, caption) = draft
        .figures()
        .into_iter()
        .find(|(_, known, _)| *known == name)?;
    if caption.trim().is_empty() || text.contains(&format!("@fig:{name}")) {
        return None;
    }
    // A full stop inside a reference ends no sentence.
    let first = caption.split([';', ':']).next().unwrap_or(caption);
    let first = first.split(". ").next().unwrap_or(first);
    let about = first.trim().trim_end_matches('.');
    let mut about = about.to_owned();
    if let Some(first) = about.chars().next()
        && about.chars().nth(1).is_some_and(char::is_lowercase)
    {
        about.replace_range(..first.len_utf8(), &first.to_lowercase().to_string());
    }
    Some(format!(
        "{}[@fig:{name}] shows {about}.\n\n{}",
        &text[..part.at.start],
        &text[part.at.start..]
    ))
}

/// Adds a paragraph at the end of the first section that has one of the words in its heading.
pub(super) fn append(text: &str, words: &[&str], paragraph: &str) -> Option<String> {
    let draft = Draft::read(text);
    let heading = words.iter().find_map(|word| {
        draft
            .headings()
            .into_iter()
            .find(|(_, title)| title.to_lowercase().contains(word))
            .map(|(part, _)| part.clone())
    })?;
    // Figures and tables float, so the paragraph follows the last prose.
    let last = draft
        .parts
        .iter()
        .filter(|part| part.section == heading.section && part.at.start >= heading.at.start)
        .filter(|part| matches!(part.kind, Kind::Prose | Kind::Heading | Kind::Caption))
        .map(|part| part.at.end)
        .max()?;
    Some(format!("{}\n\n{paragraph}{}", &text[..last], &text[last..]))
}
