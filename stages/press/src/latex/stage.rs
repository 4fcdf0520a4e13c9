//! The stage type `paper/latex`: its ports, and the folder that it writes.

use kyobashi_stage::{Call, Context, Failure, Output, Outputs, Port, Signature, Stage};

use crate::latex::document::{Style, files};
use crate::paper::stage::Asked;

/// The stage type `paper/latex`.
pub(crate) struct Latex;

impl Stage for Latex {
    fn signature(&self) -> Signature {
        let paper = crate::paper::Set.signature();
        let mut with: Vec<Port> = paper
            .with
            .into_iter()
            .filter(|port| port.name != "style" && port.name != "overfull")
            .collect();
        with.extend([
            Port::or("class", "str", "article", "the document class"),
            Port::or(
                "options",
                "str",
                "10pt,twocolumn",
                "the options of the class",
            ),
            Port::new(
                "preamble",
                "text?",
                "LaTeX before the document: the venue's package",
            ),
            Port::or("style", "str", "plainnat", "the BibTeX style"),
            Port::new(
                "extra",
                "dir?",
                "the venue's own files, put beside the source",
            ),
        ]);
        Signature {
            ins: paper.ins,
            with,
            outs: vec![Port::new(
                "source",
                "dir",
                "main.tex, numbers.tex, figures and works.bib",
            )],
            ..Signature::new(
                "paper/latex",
                5,
                "Writes a paper as LaTeX source for a venue",
            )
        }
    }

    fn run(&self, call: &Call, context: &dyn Context) -> Result<Outputs, Failure> {
        let asked = Asked::read(call)?;
        let style = Style {
            class: word(call, "class")?,
            options: call.get("options")?,
            preamble: if call.has("preamble") {
                call.text("preamble")?
            } else {
                String::new()
            },
            bibliography: word(call, "style")?,
        };
        let source = context.scratch().join("source");
        if call.has("extra") {
            copy(call.path("extra")?, &source)?;
        }
        for (name, content) in files(&asked, &style)? {
            let path = source.join(&name);
            let folder = path.parent().unwrap_or(&source);
            let failed = |error: std::io::Error| {
                Failure::passing(format!("cannot write {}: {error}", path.display()))
            };
            std::fs::create_dir_all(folder).map_err(failed)?;
            std::fs::write(&path, content).map_err(failed)?;
        }
        Ok(Outputs::from([(
            "source".to_owned(),
            Output::Dir { path: source },
        )]))
    }
}

/// A name that stands in braces of LaTeX.
fn word(call: &Call, name: &str) -> Result<String, Failure> {
    let word: String = call.get(name)?;
    if word
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
    {
        Ok(word)
    } else {
        Err(Failure::new(format!(
            "`{name}: {word}` is not the name of a file"
        )))
    }
}

pub(crate) fn copy(from: &std::path::Path, to: &std::path::Path) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        Failure::passing(format!("cannot copy {}: {error}", from.display()))
    };
    std::fs::create_dir_all(to).map_err(failed)?;
    for entry in std::fs::read_dir(from).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let target = to.join(entry.file_name());
        if entry.file_type().map_err(failed)?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), &target).map_err(failed)?;
        }
    }
    Ok(())
}
