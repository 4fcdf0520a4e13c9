//! Figures: bands are the right ones, and nothing is drawn that is not what it says.

use kyobashi_stage::{Datum, Failure, Outputs};
use serde_json::json;

use crate::desk::{Desk, bytes, grid, list, text};

fn desk(mark: &str, x: &str, y: &str, data: Datum) -> Desk {
    Desk::default()
        .datum("data", data)
        .with("mark", mark)
        .with("x", x)
        .with("y", y)
}

fn plot(desk: &Desk) -> Result<Outputs, Failure> {
    desk.run("report/plot")
}

fn rows(outputs: &Outputs) -> Vec<Vec<String>> {
    let table = text(outputs, "table");
    table
        .lines()
        .map(|line| line.split(',').map(str::to_owned).collect())
        .collect()
}

fn curves() -> Datum {
    grid(
        "dataset",
        &[
            ("circle", 0, "step,loss\n0,1.0\n1,0.5\n"),
            ("circle", 1, "step,loss\n0,2.0\n1,0.5\n"),
            ("circle", 2, "step,loss\n0,3.0\n1,0.5\n"),
            ("dino", 0, "step,loss\n0,4.0\n1,2.0\n"),
        ],
    )
}

#[test]
fn bands_are_the_t_interval_over_runs() {
    let outputs = plot(&desk("line", "step", "loss", curves()).with("color", "dataset")).unwrap();
    let rows = rows(&outputs);
    assert_eq!(rows[0], ["dataset", "step", "loss", "low", "high", "n"]);
    // By hand: mean 2, s = 1, n = 3, t(2, 97.5 %) = 4.302653, half width 4.302653 / √3 = 2.484138.
    let low: f64 = rows[1][3].parse().unwrap();
    let high: f64 = rows[1][4].parse().unwrap();
    assert!(
        (low - (2.0 - 2.484_138)).abs() < 1e-5 && (high - (2.0 + 2.484_138)).abs() < 1e-5,
        "{rows:?}"
    );
    assert_eq!(rows[2][3..], ["0.5", "0.5", "3"]);
    // One run says nothing of spread.
    assert_eq!(rows[3], ["dino", "0", "4", "", "", "1"]);
}

#[test]
fn a_band_ends_where_y_ends_and_the_table_has_all_of_it() {
    let data = grid(
        "dataset",
        &[
            ("circle", 0, "step,accuracy\n0,0.0\n1,0.1\n"),
            ("circle", 1, "step,accuracy\n0,1.0\n1,0.9\n"),
        ],
    );
    let asked = || desk("line", "step", "accuracy", data.clone());
    // Labels of ticks below zero begin with a minus sign.
    // Labels of ticks below zero begin with a minus sign.
    let below = |outputs: &Outputs| text(outputs, "figure").contains(">\u{2212}");
    let free = plot(&asked()).unwrap();
    let kept = plot(&asked().with("y_range", [0.0, 1.0])).unwrap();
    assert!(below(&free) && !below(&kept));
    assert_eq!(text(&free, "table"), text(&kept, "table"));
    let failure = plot(&asked().with("y_range", [0.6, 1.0])).unwrap_err();
    assert!(
        failure
            .message
            .contains("0.5 is outside of `y_range: [0.6, 1]`")
    );
    let failure = plot(&asked().with("y_range", [1.0, 0.0])).unwrap_err();
    assert!(failure.help.unwrap().contains("the smaller one first"));
}

#[test]
fn a_run_counts_once_however_many_rows_it_has() {
    let data = grid(
        "dataset",
        &[("a", 0, "y\n1\n3\n"), ("a", 1, "y\n4\n4\n4\n")],
    );
    let rows = rows(&plot(&desk("bar", "dataset", "y", data)).unwrap());
    assert_eq!(rows[1][..2], ["a", "3"]);
    assert_eq!(rows[1][4], "2");
}

#[test]
fn an_axis_that_is_neither_drawn_nor_averaged_is_refused() {
    let failure = plot(&desk("line", "step", "loss", curves())).unwrap_err();
    assert_eq!(
        failure.message,
        "the figure would average over `dataset` (circle, dino)"
    );
    assert!(
        plot(&desk("line", "step", "loss", curves()).with("over", json!(["seed", "dataset"])))
            .is_ok()
    );
    let both = desk("line", "step", "loss", list(&["step,loss\n0,1\n"]))
        .datum("reference", list(&["step,loss\n0,2\n"]));
    assert!(
        plot(&both)
            .unwrap_err()
            .message
            .contains("average over `series` (data, reference)")
    );
    assert!(
        plot(
            &both
                .with("color", "series")
                .with("labels", json!(["trial", "baseline"]))
        )
        .is_ok()
    );
}

#[test]
fn a_misspelt_field_names_the_nearest_column() {
    let failure =
        plot(&desk("line", "step", "los", curves()).with("color", "dataset")).unwrap_err();
    assert_eq!(failure.message, "`y: los`: the tables have no column `los`");
    assert_eq!(
        failure.help.unwrap(),
        "did you mean `loss`? the columns are step, loss, dataset, seed"
    );
    let failure =
        plot(&desk("line", "step", "loss", curves()).with("color", "datast")).unwrap_err();
    assert!(failure.message.contains("`color: datast`"));
    let failure = plot(&desk("lin", "step", "loss", curves())).unwrap_err();
    assert!(failure.help.unwrap().contains("did you mean `line`?"));
}

#[test]
fn a_figure_without_marks_is_refused() {
    let empty = desk("line", "step", "loss", list(&["step,loss\n0,\n1,nan\n"]));
    assert!(
        plot(&empty)
            .unwrap_err()
            .message
            .starts_with("nothing to draw: none of the 2 rows has a number in `loss`")
    );
    assert!(plot(&desk("point", "x", "y", list(&["x,y\n"]))).is_err());
    assert!(
        plot(&desk(
            "line",
            "step",
            "loss",
            list(&["step,loss\n0,high\n"])
        ))
        .unwrap_err()
        .message
        .contains("`high`")
    );
}

#[test]
fn rows_without_a_value_are_said_to_be_left_out() {
    let figure = text(
        &plot(&desk(
            "line",
            "step",
            "loss",
            list(&["step,loss\n0,1\n1,nan\n2,3\n"]),
        ))
        .unwrap(),
        "figure",
    );
    assert!(figure.contains("1 row without a value that can be drawn"));
}

#[test]
fn every_mark_is_drawn_in_equal_bytes() {
    let table = "a,b,v\nx,p,1\nx,p,2\nx,q,3\ny,p,4\ny,q,9\ny,q,5\n";
    for mark in ["bar", "dot", "box", "violin", "rect"] {
        let base = match mark {
            "rect" => desk(mark, "a", "b", list(&[table])).with("color", "v"),
            _ => desk(mark, "a", "v", list(&[table])).with("color", "b"),
        };
        let (first, second) = (plot(&base).unwrap(), plot(&base).unwrap());
        assert_eq!(first, second);
        assert!(bytes(&first, "png").starts_with(b"\x89PNG"));
        let figure = text(&first, "figure");
        assert!(
            figure.contains(">x</text>") && figure.contains(">y</text>"),
            "{mark}: text stays text"
        );
    }
}

#[test]
fn ready_bounds_are_drawn_as_they_are() {
    let table = "d,mean,lo,hi\na,1,0.5,1.5\nb,2,,\n";
    let ready = desk("dot", "d", "mean", list(&[table]))
        .with("low", "lo")
        .with("high", "hi");
    let rows = rows(&plot(&ready).unwrap());
    assert_eq!(rows[1], ["a", "1", "0.5", "1.5", "1"]);
    assert_eq!(rows[2], ["b", "2", "", "", "1"]);
}

#[test]
fn a_log_axis_leaves_out_what_has_no_logarithm() {
    let outputs =
        plot(&desk("line", "s", "v", list(&["s,v\n1,10\n2,0\n3,1000\n"])).with("y_scale", "log"))
            .unwrap();
    assert_eq!(rows(&outputs).len(), 3);
    assert!(text(&outputs, "figure").contains("10<") || text(&outputs, "figure").contains("100<"));
    assert!(plot(&desk("bar", "s", "v", list(&["s,v\n1,10\n"])).with("y_scale", "log")).is_err());
}

#[test]
fn the_level_of_a_band_can_be_written_in_its_name() {
    // t(2, 95 %) = 2.919986 for a band of 90 %.
    let outputs = plot(
        &desk("line", "step", "loss", curves())
            .with("color", "dataset")
            .with("band", "ci90"),
    )
    .unwrap();
    let low: f64 = rows(&outputs)[1][3].parse().unwrap();
    assert!(
        (low - (2.0 - 2.919_986 / 3f64.sqrt())).abs() < 1e-5,
        "{low}"
    );
    assert!(plot(&desk("line", "step", "loss", curves()).with("band", "ci200")).is_err());
}

#[test]
fn too_many_points_are_thinned_and_the_figure_says_so() {
    let table = (0..4000).fold("x,y\n".to_owned(), |table, i| {
        table + &format!("{},{}\n", i % 63, i % 64)
    });
    let outputs = plot(&desk("point", "x", "y", list(&[&table]))).unwrap();
    assert_eq!(rows(&outputs).len(), 1501);
    assert!(text(&outputs, "figure").contains("1500 of 4000 points shown"));
}

#[test]
fn seeds_in_one_table_are_runs_as_those_of_many_tables_are() {
    let flat = list(&["step,loss,seed\n0,1.0,0\n0,2.0,1\n0,3.0,2\n1,5.0,0\n1,5.0,0\n"]);
    let rows = rows(&plot(&desk("line", "step", "loss", flat)).unwrap());
    assert_eq!((rows[1][1].as_str(), rows[1][4].as_str()), ("2", "3"));
    let high: f64 = rows[1][3].parse().unwrap();
    assert!((high - (2.0 + 2.484_138)).abs() < 1e-5, "{rows:?}");
    // Two rows of one seed are one run.
    assert_eq!(rows[2][1..], ["5", "", "", "1"]);
}

#[test]
fn a_violin_of_few_values_shows_the_values() {
    let figure = |n: usize| {
        let rows: String = (0..n).map(|row| format!("a,{row}\n")).collect();
        let data = list(&[&format!("kind,score\n{rows}")]);
        text(
            &plot(&desk("violin", "kind", "score", data)).unwrap(),
            "figure",
        )
    };
    assert_eq!(figure(3).matches("<circle").count(), 3);
    assert_eq!(figure(30).matches("<circle").count(), 1, "the median alone");
}

#[test]
fn long_names_stay_within_the_picture_and_keep_their_ends() {
    let rows: String = (0..20)
        .map(|row| format!("a_rather_long_name_of_group_{row},{row}\n"))
        .collect();
    let data = list(&[&format!("kind,score\n{rows}")]);
    let figure = text(
        &plot(&desk("dot", "kind", "score", data)).unwrap(),
        "figure",
    );
    assert!(
        !figure.contains("a_rather_long_name_of_group_1<"),
        "{figure}"
    );
    assert!(figure.contains("…") && figure.contains("_19<"), "{figure}");
}

#[test]
fn rows_of_panels_keep_their_columns_where_a_panel_has_no_marks() {
    let data = list(&["model,set,x,y\nours,a,0,0\nours,b,1,1\nbase,b,2,3\nbase,c,4,4\n"]);
    let by_set = desk("point", "x", "y", data).with("facet", "set");
    let outputs = plot(&by_set.with("rows", "model").with("color", "model")).unwrap();
    let table = rows(&outputs);
    assert_eq!(table[0], ["model", "set", "x", "y"], "colours are the rows");
    assert_eq!(table[1], ["ours", "a", "0", "0"]);
    assert_eq!(table[3], ["base", "b", "2", "3"]);
    let figure = text(&outputs, "figure");
    let left = |name: &str| {
        let head = figure[..figure.find(&format!(">{name}<")).unwrap()]
            .rfind("<text")
            .unwrap();
        let x = &figure[head..][figure[head..].find(" x=\"").unwrap() + 4..];
        x[..x.find('"').unwrap()].parse::<f64>().unwrap()
    };
    assert_eq!(left("ours, b"), left("base, b"));
    assert_eq!(left("ours, a"), left("base, a"), "which has no marks");
    assert!(left("ours, b") < left("base, c"));
    let both = desk("point", "x", "y", list(&["x,y\n1,2\n"]));
    let refused = plot(&both.with("rows", "x").with("columns", 2)).unwrap_err();
    assert!(refused.message.contains("give one of them"), "{refused:?}");
}

#[test]
fn labels_of_many_columns_and_rows_do_not_run_into_one_another() {
    let mut cells = String::from("width,depth,loss\n");
    for width in 0..30 {
        for depth in 0..40 {
            cells += &format!("{width},{depth},{}\n", width * depth);
        }
    }
    let data = || list(&[&cells]);
    let heat = || desk("rect", "width", "depth", data()).with("color", "loss");
    let picture = |desk: &Desk| text(&plot(desk).unwrap(), "figure");
    let labels = |picture: &str, count: u32| {
        (0..count)
            .filter(|name| picture.contains(&format!(">{name}</text>")))
            .count()
    };
    // In a column there is room for few of them; where nobody asked for it, the figure spans the page.
    let wide = picture(&heat());
    assert!(
        wide.contains(">29</text>") && wide.contains(">17</text>"),
        "{wide}"
    );
    let column = picture(&heat().with("size", "column"));
    assert!(
        (5..25).contains(&labels(&column, 30)),
        "{}",
        labels(&column, 30)
    );
    assert!(column.contains(">0</text>"));
}
