//! `literature/search`: what is published about some words.

use kyobashi_stage::{Call, Context, Failure, Output, Outputs, Port, Signature, Stage};

use super::desk::{Desk, settings};

pub(crate) struct Search;

impl Stage for Search {
    fn signature(&self) -> Signature {
        Signature {
            ins: vec![Port::new(
                "query",
                "str",
                "what to look for, in a few words",
            )],
            with: settings(),
            outs: vec![
                Port::new(
                    "papers",
                    "list<json>",
                    "title, authors, venue, year, citations, abstract, id, url, source",
                ),
                Port::new("searched", "json", "who answered, and who did not and why"),
            ],
            ..Signature::new(
                "literature/search",
                1,
                "Search the literature, or a folder of one's own",
            )
        }
    }

    fn run(&self, call: &Call, context: &dyn Context) -> Result<Outputs, Failure> {
        let desk = Desk::open(call)?;
        if !desk.staffed() {
            return Err(Failure::new("there is nobody to ask").help("set `engine` or `folder`"));
        }
        let found = desk.search(&call.get::<String>("query")?, context)?;
        if found.answered.is_empty() {
            let why: Vec<String> = found
                .failed
                .iter()
                .map(|(name, why)| format!("{name} {why}"))
                .collect();
            return Err(
                Failure::passing(format!("no library answered: {}", why.join("; ")))
                    .help("run again later, raise `deadline`, or search a `folder` of your own"),
            );
        }
        let bug = |error: serde_json::Error| Failure::bug(error.to_string());
        let papers = serde_json::to_value(&found.papers).map_err(bug)?;
        let searched = serde_json::json!({"answered": found.answered, "failed": found.failed});
        Ok(Outputs::from([
            ("papers".to_owned(), Output::value(papers)),
            ("searched".to_owned(), Output::value(searched)),
        ]))
    }
}
