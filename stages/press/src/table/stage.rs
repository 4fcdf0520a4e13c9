//! The stage type `report/table`: its ports, and the way from inputs to outputs.

use kyobashi_stage::{Call, Context, Failure, Names, Output, Outputs, Port, Signature, Stage};

use super::cells::{Asked, Best, Cells};
use super::emit;
use super::pattern::Pattern;

/// The stage type `report/table`.
pub(crate) struct Table;

impl Stage for Table {
    fn signature(&self) -> Signature {
        let columns = || Names::ColumnsOf("summary".to_owned());
        Signature {
            ins: vec![Port::new(
                "summary",
                "table",
                "the `table` of `stats/aggregate`",
            )],
            with: vec![
                Port::new("rows", "str", "the axis of the rows").naming(columns()),
                Port::new(
                    "cols",
                    "str?",
                    "the axis of the columns; one column if absent",
                )
                .naming(columns()),
                Port::new("cell", "str", "the metric that fills the cells"),
                Port::or(
                    "format",
                    "str",
                    "{mean:.3} ± {ci:.3}",
                    "how a cell is shown: mean, ci (half the interval), stderr, low, high, n",
                ),
                Port::or(
                    "best",
                    "str",
                    "none",
                    "max or min: the best mean is bold, what cannot be told from it is italic",
                ),
            ],
            outs: vec![
                Port::new("markdown", "text", "the table and a line on what it shows"),
                Port::new("latex", "text", "the same as a tabular of booktabs"),
            ],
            ..Signature::new(
                "report/table",
                2,
                "Sets means over runs as a table with their intervals",
            )
        }
    }

    fn run(&self, call: &Call, _: &dyn Context) -> Result<Outputs, Failure> {
        let pattern = Pattern::read(&call.get::<String>("format")?)?;
        let best: String = call.get("best")?;
        let asked = Asked {
            rows: call.get("rows")?,
            cols: call.get("cols")?,
            metric: call.get("cell")?,
            best: match best.as_str() {
                "max" => Some(Best::Max),
                "min" => Some(Best::Min),
                "none" => None,
                other => {
                    return Err(Failure::new(format!("`best: {other}` is unknown"))
                        .help("known are max, min, none"));
                }
            },
        };
        let cells = Cells::read(call.datum("summary")?, &asked)?;
        Ok(Outputs::from([
            (
                "markdown".to_owned(),
                Output::bytes(emit::markdown(&cells, &asked, &pattern)),
            ),
            (
                "latex".to_owned(),
                Output::bytes(emit::latex(&cells, &asked, &pattern)),
            ),
        ]))
    }
}
