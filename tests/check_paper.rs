//! The gate for papers that we did not write: where every number leads.

use serde_json::Value;

use crate::space::Space;

const PAPER: &str = r"\documentclass{article}
\begin{document}
\begin{abstract}
Our method reaches an accuracy of 0.8731 on circles, against 0.8412 for the baseline.
It reduces the loss by 21.4\% on circles.
\end{abstract}
\section{Set-up}
We train with a learning rate of 0.0003 and report the accuracy in Table 1.
\section{Results}
The accuracy of our method on circles is 0.8731, an absolute gain of 0.0319 over the baseline.
An ablation without the gate reaches an accuracy of 0.7946 on circles.
\end{document}
";

pub(crate) fn space() -> Space {
    let space = Space::new();
    space.copy("pipelines", "pipelines");
    let results = |loss: f64, accuracy: f64| {
        serde_json::json!({ "circles": { "means": { "loss": loss, "accuracy": accuracy } } })
            .to_string()
    };
    space
        .write("paper.tex", PAPER)
        .write("runs/run_0/final_info.json", &results(0.5, 0.8412))
        .write("runs/run_1/final_info.json", &results(0.607, 0.8731))
        .write("settings.json", r#"{"learning_rate": 0.0003}"#);
    space
}

fn check(space: &Space, paper: &str) -> Vec<Value> {
    against(space, paper, "runs")
}

/// The numbers of a paper, checked against a folder of results.
fn against(space: &Space, paper: &str, results: &str) -> Vec<Value> {
    checked(space, paper, results, "settings.json")
}

/// The numbers of a paper, checked against a folder of results and a file of settings.
pub(crate) fn checked(space: &Space, paper: &str, results: &str, settings: &str) -> Vec<Value> {
    let source = paper;
    let settings = format!("params.literals={settings}");
    let results = format!("params.results={results}");
    let paper = format!("params.paper={paper}");
    space.run(
        "pipelines/check-paper.yaml",
        &[
            "--set", &paper, "--set", &results, "--set", &settings, "--out", "out",
        ],
    );
    let report: Value = serde_json::from_str(&space.read("out/report.json")).unwrap();
    let numbers = report["numbers"].as_array().unwrap().clone();
    let source = space.read(source);
    for number in &numbers {
        for field in ["text", "line", "col", "class", "verdict", "why"] {
            assert!(number.get(field).is_some(), "no `{field}` in {number}");
        }
        let one_of = |field: &str, known: &[&str]| {
            let word = number[field].as_str().unwrap();
            assert!(known.contains(&word), "`{field}` is `{word}` in {number}");
        };
        one_of("class", &CLASSES);
        one_of("verdict", &VERDICTS);
        stands_at(&source, number);
    }
    numbers
}

/// What the report may call a number, and where it may lead.
const CLASSES: [&str; 8] = [
    "result",
    "derived",
    "configuration",
    "structural",
    "year",
    "name",
    "convention",
    "formula",
];
const VERDICTS: [&str; 5] = [
    "traced",
    "derived",
    "literal",
    "untraced",
    "wrong_direction",
];

/// Line and column of a number, from 1 and in characters, point at its text in the paper. Markup may stand
/// within a number (`10^{-4}`), so what comes before the first sign has to be there.
fn stands_at(source: &str, number: &Value) {
    let place = |field: &str| usize::try_from(number[field].as_u64().unwrap()).unwrap() - 1;
    let line = source
        .lines()
        .nth(place("line"))
        .expect("a line of the paper");
    let there: String = line.chars().skip(place("col")).collect();
    let text = number["text"].as_str().unwrap();
    let signed = text.chars().take(1).filter(|c| !c.is_alphanumeric());
    let digits = text.chars().skip(signed.clone().count());
    let digits = digits.take_while(|c| c.is_alphanumeric() || *c == '.');
    let first: String = signed.chain(digits).collect();
    assert!(
        !first.is_empty() && there.starts_with(first.trim_end_matches('.')),
        "`{text}` is not at `{there}`"
    );
}

/// The verdict on the number that begins so on a line.
pub(crate) fn verdict(numbers: &[Value], line: u64, text: &str) -> String {
    let found = numbers.iter().find(|number| {
        let own = number["text"].as_str().unwrap();
        number["line"] == line && own.starts_with(text)
    });
    let found = found.unwrap_or_else(|| panic!("no {text} on line {line}: {numbers:#?}"));
    found["verdict"].as_str().unwrap().to_owned()
}

#[test]
fn every_number_of_a_paper_is_followed_to_where_it_was_measured() {
    let space = space();
    let numbers = check(&space, "paper.tex");
    assert_eq!(verdict(&numbers, 4, "0.8731"), "traced");
    assert_eq!(verdict(&numbers, 4, "0.8412"), "traced");
    assert_eq!(verdict(&numbers, 8, "0.0003"), "literal");
    assert_eq!(verdict(&numbers, 10, "0.0319"), "derived");
    assert_eq!(verdict(&numbers, 11, "0.7946"), "untraced");
    assert!(space.read("out/report.md").contains("0.7946"));
}

#[test]
fn an_increase_that_is_told_as_a_reduction_is_told() {
    let numbers = check(&space(), "paper.tex");
    assert_eq!(verdict(&numbers, 5, "21.4"), "wrong_direction");
}

#[test]
fn what_is_no_paper_is_refused_and_what_is_missing_is_named() {
    let space = space();
    space.write("empty.tex", "");
    let arguments = |paper: &'static str, results: &'static str| {
        [
            "run",
            "pipelines/check-paper.yaml",
            "--set",
            paper,
            "--set",
            results,
        ]
    };
    let empty = space.kyo(&arguments("params.paper=empty.tex", "params.results=runs"));
    assert_eq!(empty.code, 1, "{}", empty.stderr);
    assert!(empty.stderr.contains("the paper"), "{}", empty.stderr);
    let none = space.kyo(&arguments(
        "params.paper=paper.tex",
        "params.results=nowhere",
    ));
    assert_eq!(none.code, 2, "{}", none.stderr);
    assert!(none.stderr.contains("nowhere"), "{}", none.stderr);
}

const SEEDS: &str = "method,dataset,seed,accuracy
baseline,rings,0,0.8121
baseline,rings,1,0.8157
baseline,rings,2,0.8143
gate,rings,0,0.8402
gate,rings,1,0.8451
gate,rings,2,0.8433
baseline,waves,0,0.7011
baseline,waves,1,0.7052
baseline,waves,2,0.7033
gate,waves,0,0.7344
gate,waves,1,0.7391
gate,waves,2,0.7362
";

const ANOTHER: &str = "# A gate for ResNet-18

## Introduction

Networks of 152 layers were proposed in 2016 [@he2016]. GPT-4 is not used; see Section 4.2.

## Set-up

We train with a batch size of 64 and a learning rate of 0.005.

## Results

| Method | rings (%) | waves (%) |
|---|---|---|
| baseline | 81.4 ± 0.2 | 70.3 ± 0.2 |
| gate | 84.3 ± 0.2 | 73.7 ± 0.2 |
| gate, no skip | 83.1 ± 0.4 | 72.2 ± 0.3 |

The baseline reaches an accuracy of 84.3 % on rings.
With the gate, the accuracies on rings and waves are 84.3 % and 73.7 %, respectively.
With the gate, the accuracies on rings and waves are 73.66 % and 84.29 %, respectively.
The gate gains 3.3 points on waves.
";

#[test]
fn results_in_rows_with_seeds_are_known_by_their_means_and_settings_by_their_names() {
    let space = space();
    space
        .write("rows/all.csv", SEEDS)
        .write("paper.md", ANOTHER)
        .write(
            "settings.json",
            r#"{"lr": 0.0005, "batch_size": 64, "warmup": 0.005}"#,
        );
    let numbers = against(&space, "paper.md", "rows");
    for (line, text, wanted) in [
        (5, "152", "literal"),
        (5, "2016", "literal"),
        (5, "4.2", "literal"),
        (9, "64", "literal"),
        // It is a setting, but not the learning rate.
        (9, "0.005", "untraced"),
        (15, "81.4", "traced"),
        (15, "0.2", "traced"),
        (16, "73.7", "traced"),
        (17, "83.1", "untraced"),
        (17, "0.4", "untraced"),
        // It is measured, but not of the baseline.
        (19, "84.3", "untraced"),
        (20, "84.3", "traced"),
        (20, "73.7", "traced"),
        (21, "73.66", "untraced"),
        (21, "84.29", "untraced"),
        (22, "3.3", "derived"),
    ] {
        assert_eq!(
            verdict(&numbers, line, text),
            wanted,
            "{text} on line {line}"
        );
    }
}

const SWEEP: &str = r#"{"runs": [
 {"id": "a4", "config": {"layers": 4, "optimizer": "adamw", "lr": 0.0006}, "eval": {"valid": {"perplexity": [31.70, 31.80, 31.90]}}, "seconds_per_step": 0.21},
 {"id": "l4", "config": {"layers": 4, "optimizer": "lion", "lr": 0.0002}, "eval": {"valid": {"perplexity": [30.60, 30.80, 31.00]}}, "seconds_per_step": 0.21},
 {"id": "a12", "config": {"layers": 12, "optimizer": "adamw", "lr": 0.0006}, "eval": {"valid": {"perplexity": [23.91, 23.96, 24.01]}}, "seconds_per_step": 0.61},
 {"id": "l12", "config": {"layers": 12, "optimizer": "lion", "lr": 0.0002}, "eval": {"valid": {"perplexity": [22.80, 22.90, 23.00]}}, "seconds_per_step": 0.61}]}"#;

const SWEPT: &str = "# Does Lion scale down?

At 12 layers Lion lowers the perplexity from 23.96 to 22.90; at 4 layers it is 30.80.

We use a margin with mu = 0.03 throughout.

| layers | AdamW | Lion |
|---|---|---|
| 4 | 31.80 (0.10) | 30.80 (0.20) |
| 12 | 23.96 (0.05) | 22.90 (0.17) |

At 4 layers AdamW ends at 30.80.
";

#[test]
fn records_are_told_apart_by_their_settings_and_spreads_may_stand_in_brackets() {
    let space = space();
    space
        .write("swept.md", SWEPT)
        .write("sweep/runs.json", SWEEP)
        .write("settings.json", r#"{"mu": 0.07}"#);
    let numbers = against(&space, "swept.md", "sweep");
    for (line, text) in [
        (3, "23.96"),
        (3, "22.90"),
        (3, "30.80"),
        (9, "31.80"),
        (9, "0.10"),
        (9, "0.20"),
        (10, "22.90"),
        (10, "0.05"),
    ] {
        assert_eq!(
            verdict(&numbers, line, text),
            "traced",
            "{text} on line {line}"
        );
    }
    // The spread of another mean, the setting's value wrong by a digit, and a value of the other optimiser.
    for (line, text) in [(10, "0.17"), (5, "0.03"), (12, "30.80")] {
        assert_eq!(
            verdict(&numbers, line, text),
            "untraced",
            "{text} on line {line}"
        );
    }
}

/// Three rows of one table, with changes whose ends only the table shows.
const TABLE: &str = "# Weights

## Results

| | Books NDCG | Games NDCG |
|:--|--:|--:|
| BPR | 0.0868 | 0.1142 |
| SASRec | 0.1193 | 0.1562 |
| + debiasing | 0.1251 | 0.1633 |

Debiasing adds 0.0058 NDCG on Books and loses nothing on Games.

Debiasing adds 0.0094 NDCG on Books over the row above.
";

#[test]
fn a_change_may_have_its_ends_in_a_table_and_another_size_leads_nowhere() {
    let space = space();
    let record = |model: &str, negatives: u64, dataset: &str, ndcg: f64| {
        serde_json::json!({
            "model": model, "dataset": dataset, "metrics": { "ndcg": ndcg, "hits": ndcg * 1.7 },
            "config": { "negatives": negatives }
        })
    };
    let records = serde_json::json!([
        record("bpr", 1, "books", 0.08684),
        record("bpr", 1, "games", 0.11418),
        record("sasrec", 128, "books", 0.11934),
        record("sasrec", 128, "games", 0.15617),
        record("sasrec-debiased", 128, "books", 0.12506),
        record("sasrec-debiased", 128, "games", 0.16333),
    ]);
    space
        .write("table.md", TABLE)
        .write("ranks/all.json", &records.to_string());
    let numbers = against(&space, "table.md", "ranks");
    // The means differ by 0.0057: only the rounded values of the table lead to 0.0058.
    assert_eq!(verdict(&numbers, 11, "0.0058"), "derived");
    assert_eq!(verdict(&numbers, 13, "0.0094"), "untraced");
}
