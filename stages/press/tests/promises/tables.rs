//! Tables of means: every cell is the estimate of its place, and what is marked as the best is the best.

use kyobashi_stage::{Datum, Failure, Outputs};

use crate::desk::{Desk, text};

/// Three optimisers by two rates; sgd was not run at the small one. Standard errors of 0.01 and five runs.
const SUMMARY: &str = "\
optimizer,lr,metric,n,mean,stderr,low,high,level
sgd,0.1,accuracy,5,0.800,0.01,0.772,0.828,0.95
adam,0.1,accuracy,5,0.900,0.01,0.872,0.928,0.95
adam,0.01,accuracy,5,0.890,0.01,0.862,0.918,0.95
a|b_c,0.1,accuracy,5,0.700,0.01,0.672,0.728,0.95
a|b_c,0.01,accuracy,1,0.750,,,,0.95
sgd,0.1,loss,5,2.0,0.1,1.7,2.3,0.95
adam,0.1,loss,5,1.0,0.1,0.7,1.3,0.95
";

fn desk(summary: &str) -> Desk {
    Desk::default()
        .datum("summary", Datum::value(summary))
        .with("rows", "optimizer")
        .with("cols", "lr")
        .with("cell", "accuracy")
}

fn table(desk: &Desk) -> Result<Outputs, Failure> {
    desk.run("report/table")
}

#[test]
fn cells_hold_means_with_half_their_interval_and_the_best_is_marked() {
    let outputs = table(&desk(SUMMARY).with("best", "max")).unwrap();
    // Numbers are ordered by size. The Welch interval of 0.900 − 0.890 has the half width
    // t(8) · 0.01414 = 0.0326 and includes zero; that of 0.900 − 0.800 does not.
    assert_eq!(
        text(&outputs, "markdown"),
        "| optimizer | lr = 0.01 | lr = 0.1 |\n\
         | --- | ---: | ---: |\n\
         | sgd | – | 0.800 ± 0.028 |\n\
         | adam | _0.890 ± 0.028_ | **0.900 ± 0.028** |\n\
         | a\\|b_c | 0.750 ± – | 0.700 ± 0.028 |\n\
         \n\
         accuracy: mean ± half of the 95 % interval, n = 1 to 5. Best in bold; in italics what cannot be \
         told from it (Welch's interval of the difference). –: not run, or one run alone.\n"
    );
    let latex = text(&outputs, "latex");
    assert!(
        latex.contains("\\textbf{0.900 \\ensuremath{\\pm} 0.028}"),
        "{latex}"
    );
    assert!(latex.contains("a\\ensuremath{|}b\\_c &"), "{latex}");
}

#[test]
fn the_lowest_is_the_best_of_what_should_be_low() {
    let one = desk(SUMMARY)
        .with("cell", "loss")
        .with("format", "{mean:.1} (n = {n})");
    let outputs = table(&one.with("best", "min")).unwrap();
    let markdown = text(&outputs, "markdown");
    assert!(
        markdown.contains("| adam | **1.0 (n = 5)** |\n\n"),
        "{markdown}"
    );
    assert!(markdown.contains("| sgd | 2.0 (n = 5) |"), "{markdown}");
}

#[test]
fn what_is_not_there_is_named_with_what_is() {
    for (name, value, message) in [
        (
            "rows",
            "optimiser",
            "`rows: optimiser`: the tables have no column",
        ),
        ("cols", "rate", "`cols: rate`: the tables have no column"),
        (
            "cell",
            "acuracy",
            "`cell: acuracy`: there is no such metric",
        ),
        ("format", "{men:.3}", "there is no field `men`"),
        ("format", "{mean:3}", "a format is"),
        ("format", "{mean", "a brace is not closed"),
        ("format", "mean", "it shows no field"),
        ("best", "highest", "`best: highest` is unknown"),
    ] {
        let failure = table(&desk(SUMMARY).with(name, value)).unwrap_err();
        assert!(failure.to_string().contains(message), "{name}: {failure}");
    }
    let failure = table(&desk("step,loss\n1,2\n")).unwrap_err();
    assert!(failure.help.unwrap().contains("`stats/aggregate`"));
}

#[test]
fn two_means_never_share_a_cell() {
    let summary = SUMMARY
        .replace("optimizer,", "depth,optimizer,")
        .replace("\nsgd", "\n1,sgd")
        .replace("\nadam", "\n1,adam")
        .replace("\na|b", "\n1,a|b");
    table(&desk(&summary)).unwrap();
    let twice = format!("{summary}2,sgd,0.1,accuracy,5,0.5,0.1,0.4,0.6,0.95\n");
    let failure = table(&desk(&twice)).unwrap_err();
    assert!(
        failure.message.contains("also varies along depth"),
        "{failure}"
    );
}
