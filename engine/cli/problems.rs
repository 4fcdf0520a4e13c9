//! Problems of a spec, shown: as text for people, as JSON and SARIF for programs, as commands for GitHub.
//!
//! The only file that knows `miette`, which draws the snippets. It does not know how problems are found.

use std::collections::BTreeMap;
use std::fmt::Write;

use kyobashi_engine::spec::{Checked, Label, Problem, Severity};
use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteDiagnostic, NamedSource};
use serde_json::{Value, json};

use crate::arguments::Format;

/// Problems shown as text; people mend the first ones and check again.
const MOST: usize = 20;

/// Bytes of a line that is drawn; a longer one says nothing to anybody.
const LONGEST_LINE: usize = 400;

/// The columns that snippets are wrapped to.
const WIDTH: usize = 100;

/// All problems of a check, in a format.
pub(crate) fn render(checked: &Checked, format: Format, color: bool) -> String {
    match format {
        Format::Text => text(checked, color),
        Format::Json => lines(&json(&checked.problems)),
        Format::Sarif => lines(&sarif(&checked.problems)),
        Format::Github => github(&checked.problems),
    }
}

fn lines(value: &Value) -> String {
    let text = serde_json::to_string_pretty(value).expect("a JSON value can be written");
    format!("{text}\n")
}

fn text(checked: &Checked, color: bool) -> String {
    let problems = &checked.problems;
    let mut out = String::new();
    for problem in problems.iter().take(MOST) {
        header(&mut out, problem, color);
        for (file, labels) in by_file(&problem.labels) {
            if let Some(source) = checked.sources.get(file) {
                out += &snippet(file, source, &labels, color);
            }
        }
        if let Some(help) = &problem.help {
            let (on, off) = paint(color, "36");
            let _ = writeln!(out, "  {on}help{off}: {help}");
        }
        out.push('\n');
    }
    if problems.len() > MOST {
        let _ = writeln!(out, "and {} more\n", problems.len() - MOST);
    }
    if !problems.is_empty() {
        let _ = writeln!(out, "{}", summary(problems));
    }
    out
}

/// `2 errors, 1 warning`.
fn summary(problems: &[Problem]) -> String {
    let warnings = problems
        .iter()
        .filter(|problem| problem.severity == Severity::Warning);
    let warnings = warnings.count();
    let counted = |count: usize, word: &str| match count {
        0 => None,
        1 => Some(format!("1 {word}")),
        _ => Some(format!("{count} {word}s")),
    };
    let counts = [
        counted(problems.len() - warnings, "error"),
        counted(warnings, "warning"),
    ];
    counts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn paint(color: bool, code: &str) -> (String, &'static str) {
    if color {
        (format!("\x1b[{code}m"), "\x1b[0m")
    } else {
        (String::new(), "")
    }
}

/// The line that can be clicked and searched for.
fn header(out: &mut String, problem: &Problem, color: bool) {
    let (word, code) = match problem.severity {
        Severity::Error => ("error", "1;31"),
        Severity::Warning => ("warning", "1;33"),
    };
    let (on, off) = paint(color, code);
    let _ = writeln!(
        out,
        "{on}{word}[{}]{off} {}  {}",
        problem.code,
        at(problem),
        problem.message
    );
}

fn at(problem: &Problem) -> String {
    match problem.labels.first() {
        Some(Label { place, .. }) => format!("{}:{}:{}", place.file, place.line, place.col),
        None => String::new(),
    }
}

/// Labels file by file, the file of the first label first.
fn by_file(labels: &[Label]) -> Vec<(&str, Vec<&Label>)> {
    let mut files: Vec<(&str, Vec<&Label>)> = Vec::new();
    for label in labels {
        match files
            .iter_mut()
            .find(|(file, _)| **file == *label.place.file)
        {
            Some((_, labels)) => labels.push(label),
            None => files.push((&label.place.file, vec![label])),
        }
    }
    files
}

/// The marked lines of one file.
fn snippet(file: &str, source: &str, labels: &[&Label], color: bool) -> String {
    let too_long = labels
        .iter()
        .any(|label| line_length(source, label.start) > LONGEST_LINE);
    let unmarked = labels.iter().all(|label| label.end <= label.start);
    if too_long || unmarked {
        return String::new();
    }
    let spans = labels.iter().map(|label| {
        let text = (!label.text.is_empty()).then(|| label.text.clone());
        LabeledSpan::new(text, label.start, label.end - label.start)
    });
    let diagnostic = miette::Report::new(MietteDiagnostic::new("").with_labels(spans))
        .with_source_code(NamedSource::new(file, source.to_owned()));
    let theme = if color {
        GraphicalTheme::unicode()
    } else {
        GraphicalTheme::unicode_nocolor()
    };
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(WIDTH)
        .with_links(false)
        .without_primary_span_start();
    let mut drawn = String::new();
    if handler
        .render_report(&mut drawn, diagnostic.as_ref())
        .is_err()
    {
        return String::new();
    }
    // Our own header stands above, so miette's goes: everything before the first frame.
    let frame = drawn.lines().skip_while(|line| !line.contains("╭─"));
    frame.map(|line| format!("{}\n", line.trim_end())).collect()
}

fn line_length(source: &str, at: usize) -> usize {
    let before = source
        .get(..at)
        .and_then(|text| text.rfind('\n'))
        .map_or(0, |end| end + 1);
    let after = source.get(at..).and_then(|text| text.find('\n'));
    after.map_or(source.len(), |length| at + length) - before
}

/// `[{code, file, line, col, message, help}]`.
fn json(problems: &[Problem]) -> Value {
    let problems = problems.iter().map(|problem| {
        let place = problem.labels.first().map(|label| &label.place);
        json!({
            "code": problem.code,
            "file": place.map(|place| &place.file),
            "line": place.map(|place| place.line),
            "col": place.map(|place| place.col),
            "message": problem.message,
            "help": problem.help,
        })
    });
    Value::Array(problems.collect())
}

/// SARIF 2.1.0 (OASIS), as GitHub and editors read it.
fn sarif(problems: &[Problem]) -> Value {
    let mut rules: BTreeMap<&str, usize> =
        problems.iter().map(|problem| (problem.code, 0)).collect();
    for (index, (_, rule)) in rules.iter_mut().enumerate() {
        *rule = index;
    }
    let results = problems.iter().map(|problem| {
        let mut result = json!({
            "ruleId": problem.code,
            "ruleIndex": rules[problem.code],
            "level": level(problem.severity),
            "message": { "text": sentence(problem) },
            "locations": [],
        });
        let mut labels = problem.labels.iter().filter_map(location);
        result["locations"] = labels.next().into_iter().collect();
        let related: Vec<Value> = labels.collect();
        if !related.is_empty() {
            result["relatedLocations"] = Value::Array(related);
        }
        result
    });
    let results: Vec<Value> = results.collect();
    let rules: Vec<Value> = rules.keys().map(|code| json!({ "id": code })).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "kyo",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

/// The message with what to do.
fn sentence(problem: &Problem) -> String {
    match &problem.help {
        Some(help) => format!("{}\nhelp: {help}", problem.message),
        None => problem.message.clone(),
    }
}

/// Where a label is, for SARIF; nothing for the command line, which is no file.
fn location(label: &Label) -> Option<Value> {
    let place = &label.place;
    if &*place.file == "command line" {
        return None;
    }
    let mut location = json!({ "physicalLocation": {
        "artifactLocation": { "uri": uri(&place.file) },
        "region": { "startLine": place.line, "startColumn": place.col },
    } });
    if !label.text.is_empty() {
        location["message"] = json!({ "text": label.text });
    }
    Some(location)
}

/// A relative reference (RFC 3986): everything but unreserved characters and `/` as `%XX`.
fn uri(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}

/// Workflow commands, which GitHub shows beside the lines of a pull request.
fn github(problems: &[Problem]) -> String {
    let mut out = String::new();
    for problem in problems {
        let mut properties = String::new();
        if let Some(Label { place, .. }) = problem.labels.first() {
            let file = escaped(&place.file).replace(':', "%3A").replace(',', "%2C");
            let _ = write!(
                properties,
                "file={file},line={},col={},",
                place.line, place.col
            );
        }
        let title = problem.code.replace(':', "%3A");
        let message = escaped(&sentence(problem));
        let _ = writeln!(
            out,
            "::{} {properties}title={title}::{message}",
            level(problem.severity)
        );
    }
    out
}

fn escaped(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

#[cfg(test)]
#[path = "problems/tests.rs"]
mod tests;
