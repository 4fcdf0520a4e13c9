//! `paper/read`: the text of a paper, whatever kind of file it is.

use kyobashi_stage::{Call, Context, Failure, Note, Output, Outputs, Port, Signature, Stage};
use serde_json::json;

use super::pdf::{Document, pdf};

pub(crate) struct Read;

impl Stage for Read {
    fn signature(&self) -> Signature {
        Signature {
            ins: vec![
                Port::new(
                    "paper",
                    "file?",
                    "a paper: PDF, plain text, Markdown or LaTeX",
                ),
                Port::new("folder", "dir?", "in its place, a folder that holds it"),
            ],
            with: vec![Port::new(
                "name",
                "str?",
                "the name of its file in the folder",
            )],
            outs: vec![
                Port::new("text", "text", "its text, in reading order"),
                Port::new(
                    "hidden",
                    "json",
                    "text that a PDF file holds and does not show: [{page, text, why}]",
                ),
            ],
            ..Signature::new("paper/read", 1, "Read the text of a paper")
        }
    }

    fn run(&self, call: &Call, context: &dyn Context) -> Result<Outputs, Failure> {
        let (bytes, name) = file(call)?;
        let document = read(bytes, &name)?;
        for message in document.notes() {
            context.note(Note {
                message: Some(message),
                ..Note::default()
            });
        }
        Ok(Outputs::from([
            ("text".to_owned(), Output::bytes(document.text)),
            ("hidden".to_owned(), Output::value(json!(document.hidden))),
        ]))
    }
}

/// The file that is read, and what it is called in messages.
fn file(call: &Call) -> Result<(Vec<u8>, String), Failure> {
    if call.has("paper") {
        return Ok((std::fs::read(call.path("paper")?)?, "the paper".to_owned()));
    }
    if !call.has("folder") || !call.has("name") {
        return Err(Failure::new("no paper is given")
            .help("give a `paper`, or a `folder` and the `name` of a file in it"));
    }
    let name: String = call.get("name")?;
    let plain = std::path::Path::new(&name).components().count() == 1 && !name.contains("..");
    if !plain {
        return Err(Failure::new(format!(
            "`{name}` is not the name of a file in the folder"
        )));
    }
    let bytes = std::fs::read(call.path("folder")?.join(&name))
        .map_err(|error| Failure::new(format!("cannot read `{name}`: {error}")))?;
    Ok((bytes, name))
}

/// Reads a file by what it holds, not by its name.
///
/// # Errors
/// If it is a broken PDF file, or neither PDF nor UTF-8 text.
pub(crate) fn read(bytes: Vec<u8>, name: &str) -> Result<Document, Failure> {
    // Some servers put a line in front.
    if bytes
        .iter()
        .take(1024)
        .collect::<Vec<_>>()
        .windows(5)
        .any(|sign| sign.iter().copied().eq(b"%PDF-"))
    {
        return pdf(bytes, name);
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        Failure::new(format!(
            "{name} is neither a PDF file nor UTF-8 text (byte {})",
            error.utf8_error().valid_up_to()
        ))
        .help("save it as PDF, or as text in UTF-8")
    })?;
    if text.trim().is_empty() {
        return Err(Failure::new(format!("{name} is empty")));
    }
    Ok(Document {
        text,
        pages: 1,
        ..Document::default()
    })
}

impl Document {
    /// What a reader of the log should know.
    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.scan {
            notes
                .push("the file is a scan; its text is what a program recognised in it".to_owned());
        }
        if self.unknown > 0 {
            notes.push(format!(
                "{} letters are left out: the file does not say which they are",
                self.unknown
            ));
        }
        if !self.hidden.is_empty() {
            notes.push(format!(
                "the file holds text that it does not show, in {} places",
                self.hidden.len()
            ));
        }
        notes
    }
}
