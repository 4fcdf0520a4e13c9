//! Trainings on data of a user's own, and the ablation study that is made of them.

use crate::flow::set_up;
use crate::space::{Done, Space};

fn space() -> Space {
    set_up();
    let space = Space::new();
    space.copy("examples", "examples");
    space
}

/// The bodies of a Markdown table's rows.
fn rows(table: &str) -> Vec<Vec<String>> {
    table
        .lines()
        .skip(2)
        .filter(|line| line.starts_with('|'))
        .map(|line| {
            line.trim_matches('|')
                .split('|')
                .map(|cell| cell.trim().to_owned())
                .collect()
        })
        .collect()
}

fn failures(done: &Done) -> String {
    done.events()
        .iter()
        .filter_map(|event| event["failure"]["message"].as_str().map(str::to_owned))
        .collect()
}

#[test]
fn an_ablation_ends_in_a_table_and_a_figure_and_a_seed_more_runs_its_trainings_alone() {
    let space = space();
    let file = "examples/ablation.yaml";
    let smoke = ["--profile", "smoke", "--out", "out"];
    let first = space.run(file, &smoke);
    // Three optimisers by three rates by two seeds, less the excluded pair of trainings.
    assert_eq!(first.count("ran")["train/table"], 16);
    let table = space.read("out/table.md");
    let rows = rows(&table);
    assert_eq!(rows.len(), 3, "{table}");
    assert_eq!(
        (rows[0][0].as_str(), rows[0][1].as_str()),
        ("sgd", "–"),
        "{table}"
    );
    assert!(
        table.contains("95 % interval") && table.contains("n = 2"),
        "{table}"
    );
    assert_eq!(
        table.matches("**").count(),
        2,
        "one cell is the best: {table}"
    );
    assert!(
        space
            .read("out/table.tex")
            .contains("\\begin{tabular}{lrrr}")
    );
    let figure = space.read("out/figure.svg");
    assert!(figure.contains("validation loss (nats)") && !figure.contains("NaN"));

    let more = space.run(
        file,
        &["--profile", "smoke", "--set", "params.seeds=[0, 1, 2]"],
    );
    assert_eq!(more.count("ran")["train/table"], 8, "the new seed alone");
    assert!(!more.count("ran").contains_key("data/moons"));
}

#[test]
fn a_csv_file_is_trained_on_and_another_one_takes_its_place_by_a_parameter() {
    let space = space();
    let file = "examples/own-data.yaml";
    let few = ["--set", "params.seeds=[0, 1]", "--out", "out"];
    let done = space.run(file, &few);
    assert_eq!(done.count("ran")["train/table"], 6);
    let best = rows(&space.read("out/table.md"))
        .into_iter()
        .last()
        .unwrap();
    let percent: f64 = best[1]
        .trim_matches(['*', '_'])
        .split('%')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    assert!(percent > 70.0, "three kinds by chance are 33 %: {best:?}");

    let mut other = "width,height,species\n".to_owned();
    for row in 0..60 {
        let wide = if row % 2 == 0 { "wide" } else { "tall" };
        let (width, height) = if row % 2 == 0 {
            (9 + row % 5, 2)
        } else {
            (3, 8 + row % 7)
        };
        other += &format!("{width},{height},{wide}\n");
    }
    space.write("mine.csv", &other);
    let mine = [
        "--set",
        "params.table=mine.csv",
        "--set",
        "params.label=species",
    ];
    let done = space.run(file, &[&few[..], &mine].concat());
    assert_eq!(done.count("ran")["train/table"], 6);
    let best = rows(&space.read("out/table.md"))
        .into_iter()
        .last()
        .unwrap();
    assert!(best[1].contains("100.0%"), "two kinds far apart: {best:?}");
    // A cell that is no number is found by its line, and nothing else is disturbed.
    space.write("mine.csv", &other.replacen("\n3,8,tall", "\n3,n/a,tall", 1));
    let run = ["run", file, "--json"];
    let broken = space.kyo(&[&run[..], &few, &mine].concat());
    assert_eq!(broken.code, 1);
    let said = failures(&broken);
    assert!(
        said.contains("column `height`: `n/a` is no finite number"),
        "{said}"
    );
}

#[test]
fn a_cell_that_is_no_number_is_told_with_the_users_file_not_its_place_in_the_store() {
    let space = space();
    let rows: String = (0..20).map(|row| format!("{row},{}\n", row % 2)).collect();
    space.write("own table.csv", &format!("size,kind\n{rows}large,1\n"));
    let table = format!("params.table={}", space.path("own table.csv").display());
    let failed = space.kyo(&["run", "examples/own-data.yaml", "--json", "--set", &table]);
    let told = failures(&failed);
    assert!(
        told.contains("own table.csv: line 22, column `size`: `large`"),
        "{told}"
    );
    assert!(!told.contains("objects/"), "{told}");
}
