//! Papers that a reviewer may know from its training, through the front door: told apart by date where dates are
//! there, and `unknown` where they are not.

use crate::reviewer_benchmark::{FILES, RATINGS, REVIEWS, metrics, near, score, space};

#[test]
fn papers_that_the_reviewer_may_know_from_its_training_are_told_apart_and_nothing_is_guessed() {
    let dated = |line: &str, date: &str| format!("{line}\t{date}\n");
    let dates = [
        "year",
        "2021",
        "2024-02",
        "2023-10",
        "2021",
        "2024",
        "2023",
        "2025-01-31",
        "2020",
        "2020",
        "soon",
    ];
    let ratings: String = RATINGS
        .lines()
        .zip(dates)
        .map(|(line, date)| dated(line, date))
        .collect();
    let space = space(&ratings, REVIEWS);
    score(&space, &["--set", "params.cutoff=2023-10"]);
    let found = metrics(&space);
    // Before: a, c, d. After: b, e, g. Of f it is not known, as the month is missing.
    let told = &found["contamination"];
    let counts = ["before", "after", "unknown"].map(|key| told[key].as_u64().unwrap());
    assert_eq!(counts, [3, 3, 1]);
    // Before: a is right, c missed, d let in. After: all right.
    near(&told["balanced_accuracy_before"]["value"], 0.25);
    near(&told["balanced_accuracy_after"]["value"], 1.0);
    let summary = space.read("out/summary.md");
    for said in [
        "3 of 7 papers are from before the reviewer's training cut-off (2023-10), 3 from after it, of 1 it is not known",
        "`year` is `soon`, which is no date",
    ] {
        assert!(summary.contains(said), "{said}\n{summary}");
    }
    // A year is no score of anybody.
    assert_eq!(found["counts"]["papers"], 7);
    score(&space, &[]);
    assert!(
        space
            .read("out/summary.md")
            .contains("unknown, because the training cut-off")
    );
    let undated = crate::reviewer_benchmark::space(RATINGS, REVIEWS);
    score(&undated, &["--set", "params.cutoff=2023-10"]);
    assert!(
        undated
            .read("out/summary.md")
            .contains("no column `date` or `year`")
    );
    let run = [
        "run",
        "pipelines/reviewer-benchmark.yaml",
        "--set",
        "params.cutoff=lately",
    ];
    let done = undated.kyo(&[&run[..], &FILES[..]].concat());
    assert_eq!(done.code, 1);
    assert!(
        done.stderr.contains("`cutoff: lately` is no date"),
        "{}",
        done.stderr
    );
}
