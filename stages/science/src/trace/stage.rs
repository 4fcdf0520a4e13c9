//! `review/numbers`: where every number of a paper leads, whoever wrote the paper.

use kyobashi_stage::{Call, Context, Failure, Output, Outputs, Port, Signature, Stage};

use super::evidence::Evidence;
use super::plain::Dialect;
use super::{judge, markdown, report, results, tex};

pub(crate) struct Numbers;

/// Larger papers are books, or no papers.
const MOST_BYTES: usize = 32 << 20;

impl Stage for Numbers {
    fn signature(&self) -> Signature {
        Signature {
            ins: vec![
                Port::new(
                    "paper",
                    "file",
                    "the paper as LaTeX, Markdown or plain text",
                ),
                Port::new(
                    "results",
                    "dir",
                    "what was measured: JSON, CSV, notes and logs",
                ),
                Port::new(
                    "literals",
                    "file?",
                    "the settings of the experiments: JSON, YAML or source",
                ),
            ],
            outs: vec![
                Port::new(
                    "report",
                    "json",
                    "{summary, warnings, numbers: [{text, line, col, class, verdict, source?, why, …}]}",
                ),
                Port::new(
                    "markdown",
                    "text",
                    "the same for people, what is wrong first",
                ),
            ],
            ..Signature::new(
                "review/numbers",
                8,
                "Trace every number of a paper to the results",
            )
        }
    }

    fn run(&self, call: &Call, _: &dyn Context) -> Result<Outputs, Failure> {
        let path = call.path("paper")?;
        let name = "the paper";
        let bytes = std::fs::read(path)
            .map_err(|error| Failure::new(format!("cannot read {}: {error}", path.display())))?;
        let (text, mut warnings) = text(bytes, name)?;
        let dialect = Dialect::of(&text);
        let blocks = match dialect {
            Dialect::Tex => tex::read(&text),
            _ => markdown::read(&text, dialect),
        };
        let mut results = results::read(call.path("results")?, &text);
        if call.has("literals") {
            let path = call.path("literals")?;
            let name = "the file of literals";
            let content = std::fs::read(path).map_err(|error| {
                Failure::new(format!("cannot read {}: {error}", path.display()))
            })?;
            let settings =
                results::settings(&String::from_utf8_lossy(&content), "literals", "json");
            if settings.is_empty() {
                warnings.push(format!("{name} holds no settings"));
            }
            results.settings.extend(settings);
        }
        warnings.append(&mut results.warnings);
        if results.values.is_empty() {
            warnings.push(format!(
                "the folder of results holds no values ({} files were read)",
                results.files
            ));
        }
        let (values, settings) = (results.values.len(), results.settings.len());
        let mut evidence = Evidence::of(results);
        let entries = judge::judge(&text, &blocks, &mut evidence);
        if entries.is_empty() {
            warnings.push("the paper holds no numbers".to_owned());
        }
        let document = report::document(&entries, values, settings, &warnings);
        let markdown = report::markdown(&entries, &document);
        Ok(Outputs::from([
            ("report".to_owned(), Output::value(document)),
            ("markdown".to_owned(), Output::bytes(markdown)),
        ]))
    }
}

/// The text of a paper, also of one in Latin-1.
fn text(bytes: Vec<u8>, name: &str) -> Result<(String, Vec<String>), Failure> {
    if bytes.len() > MOST_BYTES {
        return Err(Failure::new(format!(
            "{name} has {} MB, more than {} MB",
            bytes.len() >> 20,
            MOST_BYTES >> 20
        )));
    }
    if bytes.contains(&0) || bytes.starts_with(b"%PDF") {
        return Err(Failure::new(format!("{name} is no text")).help("the paper is read as LaTeX (.tex), Markdown (.md) or plain text (.txt); give its source, not its PDF"));
    }
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(Failure::new(format!("{name} is empty")));
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok((text, Vec::new())),
        Err(error) => {
            let text = error.into_bytes().into_iter().map(char::from).collect();
            Ok((
                text,
                vec![format!("{name} is not UTF-8 and was read as Latin-1")],
            ))
        }
    }
}
