//! `review/papers`: which papers of a folder can be reviewed and scored: those that have a file and a known
//! decision. A paper without either would be paid for and not counted.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use kyobashi_stage::{Call, Context, Failure, Note, Output, Outputs, Port, Signature, Stage};
use serde_json::{Value, json};

use super::ratings::Ratings;
use super::sheet::text;

/// Kinds of files that are papers, those first that are taken where there are several of one paper.
const KINDS: [&str; 4] = ["pdf", "tex", "md", "txt"];

/// Any number counts here: what people scored is judged when it is used.
const ANY: [f64; 2] = [f64::NEG_INFINITY, f64::INFINITY];

pub(crate) struct Papers;

impl Stage for Papers {
    fn signature(&self) -> Signature {
        Signature {
            ins: vec![
                Port::new(
                    "folder",
                    "dir?",
                    "papers, each called after its id: `ID.pdf`, `.tex`, `.md` or `.txt`",
                ),
                Port::new("ratings", "file", "a table with `paper_id` and `decision`"),
            ],
            with: vec![Port::new(
                "most",
                "int?",
                "papers at most, as many accepted as rejected ones as there are",
            )],
            outs: vec![
                Port::new(
                    "papers",
                    "list<Paper>",
                    "each with its `paper_id` and the name of its `file`",
                ),
                Port::new(
                    "left_out",
                    "json",
                    "{without_file, without_rating}: ids that are in only one of both",
                ),
            ],
            ..Signature::new("review/papers", 1, "List the papers that can be scored")
        }
    }

    fn run(&self, call: &Call, context: &dyn Context) -> Result<Outputs, Failure> {
        let ratings = Ratings::read(&text(call.path("ratings")?, "ratings")?, ANY)?;
        let files = if call.has("folder") {
            files(call.path("folder")?)?
        } else {
            BTreeMap::new()
        };
        let rated: BTreeSet<&String> = ratings.papers.keys().collect();
        let there: BTreeSet<&String> = files.keys().collect();
        if call.has("folder") && rated.is_disjoint(&there) {
            let first =
                |ids: &BTreeSet<&String>| ids.first().map_or("none", |id| id.as_str()).to_owned();
            return Err(Failure::new("no paper of the folder has a known decision").help(format!(
                "a file is called after the `paper_id` of its row: the files begin with `{}`, the ratings with `{}`",
                first(&there),
                first(&rated)
            )));
        }
        let mut kinds = [true, false].map(|kind| {
            let own = |id: &&&String| ratings.papers[id.as_str()].accepted == kind;
            rated
                .intersection(&there)
                .copied()
                .filter(|id| own(&id))
                .collect::<Vec<_>>()
        });
        if call.has("most") {
            let most: usize = call.get("most")?;
            let half = most / 2;
            let [accepted, rejected] = [kinds[0].len(), kinds[1].len()];
            let first = half.max(most.saturating_sub(rejected)).min(accepted);
            kinds[0].truncate(first);
            kinds[1].truncate(most - first);
        }
        let mut chosen = kinds.concat();
        chosen.sort();
        let left = |ids: Vec<&&String>| -> Vec<String> {
            ids.into_iter().map(ToString::to_string).collect()
        };
        let without_rating = left(there.difference(&rated).collect());
        if !without_rating.is_empty() {
            context.note(Note {
                message: Some(format!(
                    "{} papers of the folder have no known decision and are not reviewed",
                    without_rating.len()
                )),
                ..Note::default()
            });
        }
        let papers: Vec<Value> = chosen
            .iter()
            .map(|id| json!({"paper_id": id, "file": files[*id]}))
            .collect();
        let left_out = json!({
            "without_file": left(rated.difference(&there).collect()),
            "without_rating": without_rating,
        });
        Ok(Outputs::from([
            ("papers".to_owned(), Output::value(json!(papers))),
            ("left_out".to_owned(), Output::value(left_out)),
        ]))
    }
}

/// The files of a folder by the ids of their papers.
fn files(folder: &Path) -> Result<BTreeMap<String, String>, Failure> {
    let mut found: BTreeMap<String, (usize, String)> = BTreeMap::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let part = |part: Option<&std::ffi::OsStr>| Some(part?.to_str()?.to_owned());
        let (Some(id), Some(kind), Some(name)) = (
            part(path.file_stem()),
            part(path.extension()),
            part(path.file_name()),
        ) else {
            continue;
        };
        let Some(rank) = KINDS.iter().position(|known| *known == kind.to_lowercase()) else {
            continue;
        };
        if found.get(&id).is_none_or(|(other, _)| rank < *other) {
            found.insert(id, (rank, name));
        }
    }
    Ok(found
        .into_iter()
        .map(|(id, (_, name))| (id, name))
        .collect())
}
