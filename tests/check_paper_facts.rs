//! The gate for papers that we did not write: what it knows of cases, counts, units, intervals and names.

use crate::check_paper::{checked, space, verdict};

const SETTINGS: &str = "hidden_size: 256 # not 512
dropout: 0.4
optimiser:
  learning_rate: 0.0005
  weight_decay: 0.1
epochs: 30
repetitions: 4
";

const FACTS: &str = r#"{"auroc": {"lstm": 0.8123, "hybrid": 0.8466},
 "auroc_ci95": {"lstm": [0.8014, 0.8231], "hybrid": [0.8377, 0.8552]},
 "latency_ms": {"lstm": 1840.0, "hybrid": 2315.0},
 "bias_percent": {"lstm": -21.4, "hybrid": -6.3},
 "wilcoxon_p": 0.0031, "test": {"cases": 3164, "positive": 711}}"#;

const PAPER: &str = "# Rain

## Set-up

The hidden size is 256, with a dropout of 0.1 and a learning rate of 0.0005.
Everything was repeated 5 times for 30 epochs, in the years 1989–2003.

## Results

The test has 4 alpine and 7 lowland basins, drawn from all 3 regions.

| Model | Alpine NSE | Lowland NSE |
|---|---|---|
| LSTM | 0.700 | 0.620 |
| Ours | 0.760 | 0.720 |

The LSTM reaches an AUROC of 0.812 [0.801, 0.823], ours 0.847 [0.838, 0.865] (p = 0.003).
The bias shrinks from -21.4 % to -6.3 %, and the latency of the LSTM is 1.84 s.
Of all cases, 22.5 % are positive. In lowland basins, ours has an NSE of 0.720.
A test with p = 0.02 agrees. The median NSE of the LSTM in alpine basins is 0.705.
";

/// Eight basins of two regions, four each, with the scores of two models.
fn basins() -> String {
    let mut rows = "basin,region,model,nse\n".to_owned();
    let scores = [0.68, 0.69, 0.72, 0.71];
    for (region, lstm, hybrid) in [("alpine", 0.0, 0.06), ("lowland", -0.08, 0.02)] {
        for (index, score) in scores.iter().enumerate() {
            let basin = format!("{region}-gauge-{index}");
            rows += &format!("{basin},{region},lstm,{:.4}\n", score + lstm);
            rows += &format!("{basin},{region},hybrid,{:.4}\n", score + hybrid);
        }
    }
    rows
}

#[test]
fn cases_counts_units_intervals_and_names_are_compared_with_the_results() {
    let space = space();
    space
        .write("rain.md", PAPER)
        .write("rain.yaml", SETTINGS)
        .write("rain/basins.csv", &basins())
        .write("rain/facts.json", FACTS);
    let numbers = checked(&space, "rain.md", "rain", "rain.yaml");
    for (line, text, wanted) in [
        (5, "256", "literal"),
        // The weight decay, and no dropout.
        (5, "0.1", "untraced"),
        (5, "0.0005", "literal"),
        (6, "5", "untraced"),
        (6, "30", "literal"),
        (6, "1989", "literal"),
        (6, "2003", "literal"),
        (10, "7", "untraced"),
        (10, "3", "untraced"),
        // Means over basins, none of which the paper names.
        (14, "0.700", "traced"),
        (14, "0.620", "traced"),
        (15, "0.760", "traced"),
        (15, "0.720", "traced"),
        (17, "0.812", "traced"),
        (17, "0.801", "traced"),
        (17, "0.823", "traced"),
        (17, "0.838", "traced"),
        (17, "0.865", "untraced"),
        (17, "0.003", "traced"),
        (18, "-21.4", "traced"),
        (18, "-6.3", "traced"),
        (18, "1.84", "traced"),
        (19, "22.5", "derived"),
        (19, "0.720", "traced"),
        (20, "0.02", "untraced"),
    ] {
        let found = verdict(&numbers, line, text);
        assert_eq!(found, wanted, "{text} on line {line}: {numbers:#?}");
    }
}
