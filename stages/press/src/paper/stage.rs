//! The stage type `paper/set`: its ports, and what it reads from a call.

use kyobashi_stage::{Call, Context, Failure, Output, Outputs, Port, Signature, Stage};
use serde_json::{Value, json};

use crate::draft::matter::Provenance;
use crate::paper::set::set;

/// The stage type `paper/set`.
pub(crate) struct Set;

impl Stage for Set {
    fn signature(&self) -> Signature {
        Signature {
            ins: vec![
                Port::new("draft", "text", "Markdown with references"),
                Port::new(
                    "figures",
                    "list<file(.svg)>?",
                    "the figures, in the order of `figure_names`",
                ),
            ],
            with: vec![
                Port::or(
                    "results",
                    "json",
                    json!({}),
                    "the documents that references lead into, by name",
                ),
                Port::or(
                    "figure_names",
                    "list<str>",
                    json!([]),
                    "what the draft calls the figures",
                ),
                Port::new("title", "str?", "instead of the front matter's"),
                Port::new("authors", "list<str>?", "instead of the front matter's"),
                Port::new(
                    "provenance",
                    "str?",
                    "live, local, scripted or baseline; the worse of this and the front matter's counts",
                ),
                Port::new(
                    "bibliography",
                    "text?",
                    "BibTeX of the works that the draft cites",
                ),
                Port::or(
                    "claims",
                    "str",
                    "refuse",
                    "what becomes of a claim of direction that the results do not bear out: refuse, warn or pass",
                ),
                Port::or(
                    "typed",
                    "str",
                    "refuse",
                    "what becomes of a decimal, a percentage, a multiple or a whole number of the results that was typed and is no setting: refuse, warn or pass",
                ),
                Port::or(
                    "overfull",
                    "str",
                    "refuse",
                    "what becomes of a formula or table that runs over its column: refuse, warn or pass",
                ),
                Port::or(
                    "style",
                    "str",
                    "ieee",
                    "the citation style, by the name of its CSL file",
                ),
            ],
            outs: vec![
                Port::new(
                    "pdf",
                    "file(.pdf)",
                    "the paper; every number links to its origin",
                ),
                Port::new("text", "text", "the paper in plain text, in reading order"),
                Port::new(
                    "numbers",
                    "json",
                    "every number with its reference, full value and digest; warnings",
                ),
                Port::new("pages", "list<file(.png)>", "the pages as images"),
                Port::new(
                    "areas",
                    "json",
                    "where each number stands on the pages, in points: by these a report makes them clickable",
                ),
            ],
            ..Signature::new(
                "paper/set",
                7,
                "Typesets a paper whose numbers all lead to their origin",
            )
        }
    }

    fn run(&self, call: &Call, _: &dyn Context) -> Result<Outputs, Failure> {
        let paper = set(&Asked::read(call)?)?;
        let pages = paper.pages.into_iter().map(Output::bytes).collect();
        Ok(Outputs::from([
            ("pdf".to_owned(), Output::bytes(paper.pdf)),
            ("text".to_owned(), Output::bytes(paper.text)),
            ("numbers".to_owned(), Output::value(paper.numbers)),
            ("areas".to_owned(), Output::value(paper.areas)),
            ("pages".to_owned(), Output::List { items: pages }),
        ]))
    }
}

/// What becomes of something that a paper should not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stance {
    Pass,
    Warn,
    Refuse,
}

/// The stance that a setting asks for.
fn stance(call: &Call, name: &str) -> Result<Stance, Failure> {
    match call.get::<String>(name)?.as_str() {
        "pass" => Ok(Stance::Pass),
        "warn" => Ok(Stance::Warn),
        "refuse" => Ok(Stance::Refuse),
        other => Err(Failure::new(format!("`{name}: {other}` is unknown"))
            .help("one of refuse, warn and pass")),
    }
}

/// Everything that a paper is made from.
pub(crate) struct Asked {
    pub(crate) draft: String,
    pub(crate) results: Value,
    /// Name and content, in the order given.
    pub(crate) figures: Vec<(String, Vec<u8>)>,
    pub(crate) title: Option<String>,
    pub(crate) authors: Option<Vec<String>>,
    pub(crate) provenance: Option<Provenance>,
    pub(crate) bibliography: Option<String>,
    pub(crate) style: String,
    pub(crate) claims: Stance,
    pub(crate) typed: Stance,
    /// Whether the press's own fonts print it; TeX has fonts of its own.
    pub(crate) own_fonts: bool,
    pub(crate) overfull: Stance,
}
impl Asked {
    /// # Errors
    /// Inputs that do not fit together.
    pub(crate) fn read(call: &Call) -> Result<Self, Failure> {
        let names: Vec<String> = call.get("figure_names")?;
        let mut files = Vec::new();
        if call.has("figures") {
            for member in call.datum("figures")?.members() {
                files.push(crate::input::bytes(member, "figures")?);
            }
        }
        if names.len() != files.len() {
            return Err(Failure::new(format!(
                "{} figures were given and {} names",
                files.len(),
                names.len()
            ))
            .help("`figure_names` lists one name for each figure, in order"));
        }
        let optional = |name: &str| -> Result<Option<String>, Failure> {
            call.has(name).then(|| call.text(name)).transpose()
        };
        let results = call.value("results")?;
        if !results.is_object() {
            let message = "`results` is no object of documents by name".to_owned();
            return Err(Failure::new(message).help(
                "write `results: {trial: ${trial.summary}}`; references begin with `trial.`",
            ));
        }
        let provenance = match optional("provenance")? {
            None => None,
            Some(word) => Some(
                Provenance::ALL
                    .into_iter()
                    .find(|(known, _)| *known == word)
                    .ok_or_else(|| {
                        Failure::new(format!("unknown provenance `{word}`"))
                            .help("one of live, local, scripted and baseline")
                    })?
                    .1,
            ),
        };
        Ok(Self {
            draft: call.text("draft")?,
            results,
            figures: names.into_iter().zip(files).collect(),
            title: optional("title")?,
            authors: call
                .has("authors")
                .then(|| call.get("authors"))
                .transpose()?,
            provenance,
            bibliography: optional("bibliography")?,
            style: call.get("style")?,
            claims: stance(call, "claims")?,
            typed: stance(call, "typed")?,
            own_fonts: call.has("overfull"),
            // Lines are TeX's own matter in a paper that TeX will set.
            overfull: match call.has("overfull") {
                true => stance(call, "overfull")?,
                false => Stance::Pass,
            },
        })
    }
}
