//! `paper/best`: the paper of the idea that leads the board.

use kyobashi_stage::{Call, Context, Datum, Failure, Output, Outputs, Port, Signature, Stage};

use crate::stats::Board;

pub(crate) struct Best;

impl Stage for Best {
    fn signature(&self) -> Signature {
        Signature {
            ins: vec![
                Port::new(
                    "papers",
                    "list<file(.pdf)>",
                    "the papers, in the order of the board's ideas",
                ),
                Port::new("board", "json", "the board of `stats/leaderboard`"),
            ],
            outs: vec![Port::new("pdf", "file(.pdf)", "the paper of the first row")],
            ..Signature::new("paper/best", 1, "Pick the paper of the leading idea")
        }
    }

    fn run(&self, call: &Call, _: &dyn Context) -> Result<Outputs, Failure> {
        let board: Board = call.get("board")?;
        let cells = call.cells("papers")?;
        let first = board
            .rows
            .first()
            .ok_or_else(|| Failure::new("the board is empty, so there is no best paper"))?;
        let named = cells.iter().find(|cell| {
            cell.at.values().any(|at| {
                at.as_str() == Some(&first.name)
                    || at.get("name").and_then(|name| name.as_str()) == Some(&first.name)
            })
        });
        let cell = named.or_else(|| cells.get(first.index)).ok_or_else(|| {
            Failure::new(format!(
                "there is no paper for `{}`, which leads the board",
                first.name
            ))
        })?;
        let Datum::File { path, .. } = &cell.datum else {
            return Err(Failure::bug("`papers` holds a value, not a file"));
        };
        let pdf = read(path)?;
        Ok(Outputs::from([("pdf".to_owned(), pdf)]))
    }
}

fn read(path: &std::path::Path) -> Result<Output, Failure> {
    let bytes = std::fs::read(path)
        .map_err(|error| Failure::passing(format!("cannot read {}: {error}", path.display())))?;
    Ok(Output::bytes(bytes))
}
