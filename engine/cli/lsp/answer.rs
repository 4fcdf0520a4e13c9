//! Problems, hovers and definitions from one check of what is open.

use std::collections::BTreeMap;
use std::path::Path;

use kyobashi_engine::spec::{Checked, Label, Mention, Place, Problem, Severity};
use lsp_types::{
    Diagnostic, DiagnosticRelatedInformation, DiagnosticSeverity, GotoDefinitionParams, Hover,
    HoverContents, HoverParams, Location, MarkupContent, MarkupKind, NumberOrString, Position,
    Range, TextDocumentPositionParams, Uri,
};

use super::open::{self, Open};
use super::place;

/// The problems of every open pipeline, by the address of the file that they stand in. An open pipeline
/// without problems has an empty list.
pub(super) fn problems(open: &Open) -> BTreeMap<String, Vec<Diagnostic>> {
    let mut all: BTreeMap<String, Vec<Diagnostic>> = BTreeMap::new();
    for file in open.pipelines() {
        all.entry(open::uri(file).unwrap_or_default()).or_default();
        let checked = open.check(file);
        for problem in &checked.problems {
            // Somebody who edits a component knows that it is one.
            if problem.code == "component::alone" {
                continue;
            }
            let Some(diagnostic) = diagnostic(&checked, problem) else {
                continue;
            };
            let Some(uri) = open::uri(Path::new(&*problem.labels[0].place.file)) else {
                continue;
            };
            let list = all.entry(uri).or_default();
            if !list.contains(&diagnostic) {
                list.push(diagnostic);
            }
        }
    }
    all.remove("");
    all
}

fn diagnostic(checked: &Checked, problem: &Problem) -> Option<Diagnostic> {
    let (first, others) = problem.labels.split_first()?;
    let related: Vec<_> = others
        .iter()
        .filter_map(|label| {
            let location = Location {
                uri: address(&label.place)?,
                range: range(checked, label),
            };
            Some(DiagnosticRelatedInformation {
                location,
                message: label.text.clone(),
            })
        })
        .collect();
    let message = match &problem.help {
        Some(help) => format!("{}\n{help}", problem.message),
        None => problem.message.clone(),
    };
    Some(Diagnostic {
        range: range(checked, first),
        severity: Some(match problem.severity {
            Severity::Error => DiagnosticSeverity::ERROR,
            Severity::Warning => DiagnosticSeverity::WARNING,
        }),
        code: Some(NumberOrString::String(problem.code.to_owned())),
        source: Some("kyo".to_owned()),
        message,
        related_information: (!related.is_empty()).then_some(related),
        ..Diagnostic::default()
    })
}

fn range(checked: &Checked, label: &Label) -> Range {
    let text = checked.sources.get(&*label.place.file);
    text.map_or_else(Range::default, |text| {
        place::range(text, label.start, label.end)
    })
}

fn address(place: &Place) -> Option<Uri> {
    open::uri(Path::new(&*place.file))?.parse().ok()
}

/// The type of the reference under the pointer.
pub(super) fn hover(open: &Open, asked: &HoverParams) -> Option<Hover> {
    let (checked, mention) = under(open, &asked.text_document_position_params)?;
    Some(Hover {
        contents: HoverContents::Markup(MarkupContent {
            kind: MarkupKind::Markdown,
            value: format!("`{}`", mention.label.text),
        }),
        range: Some(range(&checked, &mention.label)),
    })
}

/// Where what a reference names is written.
pub(super) fn definition(open: &Open, asked: &GotoDefinitionParams) -> Option<Location> {
    let (_, mention) = under(open, &asked.text_document_position_params)?;
    let target = mention.target?;
    let at = |n: usize| u32::try_from(n.saturating_sub(1)).unwrap_or(u32::MAX);
    let position = Position::new(at(target.line), at(target.col));
    Some(Location {
        uri: address(&target)?,
        range: Range::new(position, position),
    })
}

/// The shortest reference that covers a position.
fn under(open: &Open, asked: &TextDocumentPositionParams) -> Option<(Checked, Mention)> {
    let file = open::path(&asked.text_document.uri)?;
    let at = place::byte(open.text(&file)?, asked.position);
    let checked = open.check(&file);
    let name = file.to_string_lossy();
    let covers = |label: &Label| *label.place.file == *name && label.start <= at && at <= label.end;
    let mention = checked
        .mentions
        .iter()
        .filter(|mention| covers(&mention.label))
        .min_by_key(|mention| mention.label.end - mention.label.start)?
        .clone();
    Some((checked, mention))
}
