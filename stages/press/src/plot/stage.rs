//! The stage type `report/plot`: its ports, and the way from inputs to outputs.

use kyobashi_stage::{
    Call, Context, Failure, Names, Note, Output, Outputs, Port, Signature, Stage,
};
use serde_json::json;

use crate::plot::asked::Asked;
use crate::plot::draw::draw;
use crate::plot::frame::Frame;
use crate::plot::frame::SERIES;
use crate::plot::marks::figure;
use crate::typeset::print;

/// The stage type `report/plot`.
pub(crate) struct Plot;

/// 300 pixels an inch, what journals ask for.
const PIXELS_PER_POINT: f64 = 300.0 / 72.0;

/// Columns of the data, or the one that tells data and reference apart.
fn columns() -> Names {
    Names::ColumnsOr("data".to_owned(), vec![SERIES.to_owned()])
}

impl Stage for Plot {
    fn signature(&self) -> Signature {
        Signature {
            ins: vec![
                Port::new(
                    "data",
                    "list<table>",
                    "tables; the coordinates of a grid become columns",
                ),
                Port::new(
                    "reference",
                    "list<table>?",
                    "tables to compare with; they become a `series` of their own",
                ),
            ],
            with: vec![
                Port::new(
                    "mark",
                    "str",
                    "line, point, bar, dot, box, violin or rect (heat map)",
                ),
                Port::new("x", "str", "the column of the x axis").naming(columns()),
                Port::new("y", "str", "the column of the y axis").naming(columns()),
                Port::new(
                    "color",
                    "str?",
                    "the column that tells series apart; of a heat map, the value",
                )
                .naming(columns()),
                Port::new("facet", "str?", "the column of the small multiples").naming(columns()),
                Port::new(
                    "rows",
                    "str?",
                    "the column of the rows of panels; those of `facet` stand side by side",
                )
                .naming(columns()),
                Port::or(
                    "band",
                    "str",
                    "ci",
                    "what a band shows: ci (Student's t), ci90, stderr, stdev, none",
                ),
                Port::or("level", "float", 0.95, "the level of `ci`"),
                Port::new("low", "str?", "a column with ready lower bounds").naming(columns()),
                Port::new("high", "str?", "a column with ready upper bounds").naming(columns()),
                Port::or(
                    "over",
                    "list<str>",
                    json!(["seed"]),
                    "axes whose cells are averaged",
                )
                .naming(Names::AxesOf("data".to_owned())),
                Port::or(
                    "labels",
                    "list<str>",
                    json!([]),
                    "the names of `data` and `reference`",
                ),
                Port::new(
                    "title",
                    "str?",
                    "stands above the figure; papers use captions instead",
                ),
                Port::new("x_title", "str?", "instead of the column's name"),
                Port::new("y_title", "str?", "instead of the column's name"),
                Port::new("color_title", "str?", "of a heat map's scale"),
                Port::new("x_unit", "str?", "in parentheses after the title"),
                Port::new("y_unit", "str?", "in parentheses after the title"),
                Port::or("x_scale", "str", "linear", "linear or log"),
                Port::or("y_scale", "str", "linear", "linear or log"),
                Port::new(
                    "y_range",
                    "list<float>?",
                    "least and greatest value that y can have, as [0, 1] of a share: bands end there",
                ),
                Port::or(
                    "aspect",
                    "str",
                    "auto",
                    "equal: one unit is as long on both axes; free; auto: equal for points in a plane",
                ),
                Port::or(
                    "resolve",
                    "str",
                    "shared",
                    "independent: each panel has axes of its own",
                ),
                Port::or("size", "str", "auto", "column (84 mm) or wide (174 mm)"),
                Port::new("columns", "int?", "panels side by side"),
            ],
            outs: vec![
                Port::new("figure", "file(.svg)", "the figure; its text is text"),
                Port::new("png", "file(.png)", "the same at 300 pixels an inch"),
                Port::new("table", "table", "every number that was drawn"),
            ],
            ..Signature::new(
                "report/plot",
                3,
                "Draws a figure that is checked against its tables",
            )
        }
    }

    fn run(&self, call: &Call, context: &dyn Context) -> Result<Outputs, Failure> {
        let asked = Asked::read(call)?;
        let mut frame = frame(call, &asked)?;
        frame.tell_apart(&asked.over);
        let mut figure = figure(&frame, &asked)?;
        let table = figure.table(&asked)?;
        if let Some(range) = asked.y_range {
            figure.keep_within(range)?;
        }
        if let Some(message) = figure.note() {
            context.note(Note {
                message: Some(message),
                ..Note::default()
            });
        }
        let svg = draw(&figure, &asked);
        let png = print::image(&svg, PIXELS_PER_POINT)?;
        Ok(Outputs::from([
            ("table".to_owned(), Output::bytes(table)),
            ("png".to_owned(), Output::bytes(png)),
            ("figure".to_owned(), Output::bytes(svg)),
        ]))
    }
}

fn frame(call: &Call, asked: &Asked) -> Result<Frame, Failure> {
    let mut frame = Frame::default();
    let data = call.cells("data")?;
    if !call.has("reference") {
        frame.add(&data, asked.labels.first().map(String::as_str))?;
        return Ok(frame);
    }
    let [first, second] = match asked.labels.as_slice() {
        [] => ["data".to_owned(), "reference".to_owned()],
        [first, second] if first != second => [first.clone(), second.clone()],
        _ => {
            return Err(Failure::new(
                "`labels` names `data` and `reference`: two different words",
            ));
        }
    };
    frame.add(&data, Some(&first))?;
    frame.add(&call.cells("reference")?, Some(&second))?;
    Ok(frame)
}
