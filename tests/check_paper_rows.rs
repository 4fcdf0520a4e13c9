//! The gate for papers that we did not write: what it knows of rows and their neighbours, of places of curves, of
//! comparisons, and of settings that stand elsewhere.

use crate::check_paper::{checked, space, verdict};

const SETTINGS: &str = "distill_weight: 0.7\nwidth_mult: 0.5\ninfectious_days: 5\nlora_alpha: 16\n";

const PAPER: &str = r"# Gates

## Experimental setup

The distillation loss has a weight of 0.5 and $\alpha = 32$. The infectious period is 5 days.
Results are averages over 5 seeds.

## Results

| Method | shakespeare | enwik8 | text8 |
|---|---|---|---|
| Baseline | 1.4702 | 1.0055 | 0.9798 |
| Linear | 1.4126 | 0.9941 | 0.9622 |
| Cosine | 1.4558 | 0.9861 | 0.9744 |
| With head | 1.4011 | 0.9995 | 0.9583 |

The gap between training and validation loss on shakespeare is 0.664.
On text8 and enwik8, the baseline has losses of 0.9798 and 1.0055.
The loss of Run 1 on shakespeare is higher than the baseline (1.4126 vs. 1.4702).
The dev error is 27.3 % after 10k steps.

| | 1 week | | 4 weeks | |
|---|---|---|---|---|
| Model | North | South | North | South |
| arima | 31.4 | 27.6 | 84.3 | 75.8 |
| hybrid | 20.7 | 18.9 | 50.4 | 57.6 |
";

/// `final_info.json` of a run, with three repetitions of each loss.
fn run(losses: [f64; 3]) -> String {
    let sets = ["shakespeare", "enwik8", "text8"].iter().zip(losses);
    let info: serde_json::Map<_, _> = sets
        .map(|(set, loss)| {
            let of = |mean: f64| [mean - 0.0012, mean + 0.0003, mean + 0.0009];
            let told = serde_json::json!({
                "means": {"best_val_loss_mean": loss, "final_train_loss_mean": loss - 0.6642},
                "final_info_dict": {"best_val_loss": of(loss), "final_train_loss": of(loss - 0.6642)},
            });
            ((*set).to_owned(), told)
        })
        .collect();
    serde_json::Value::Object(info).to_string()
}

#[test]
fn cells_places_comparisons_and_settings_of_another_name_are_told_apart() {
    let space = space();
    space
        .write("gates.md", PAPER)
        .write("gates.yaml", SETTINGS)
        .write("gates/run_0/final_info.json", &run([1.4702, 1.0055, 0.9798]))
        .write("gates/run_1/final_info.json", &run([1.4126, 0.9941, 0.9622]))
        .write("gates/run_2/final_info.json", &run([1.4558, 0.9995, 0.9744]))
        .write("gates/run_3/final_info.json", &run([1.4011, 0.9861, 0.9583]))
        .write("gates/notes.txt", "## Run 2: Cosine\nenwik8: 0.9995, with the head 0.9861\n")
        .write(
            "gates/dev.log",
            "step 5000 | dev_error 33.16\nstep 10000 | dev_error 27.31\nstep 15000 | dev_error 24.02\n",
        )
        .write(
            "gates/forecasts.csv",
            "model,horizon_weeks,region,wis\n\
             arima,1,North,31.43\narima,1,South,27.62\narima,4,North,84.32\narima,4,South,75.81\n\
             hybrid,1,North,20.72\nhybrid,1,South,18.93\nhybrid,4,North,57.61\nhybrid,4,South,50.44\n",
        );
    let numbers = checked(&space, "gates.md", "gates", "gates.yaml");
    for (line, text, wanted) in [
        // 0.5 is the width, of which the sentence does not speak.
        (5, "0.5", "untraced"),
        (5, "32", "untraced"),
        (5, "5", "literal"),
        // The lists of the files have three members each.
        (6, "5", "untraced"),
        (12, "1.0055", "traced"),
        (13, "0.9941", "traced"),
        // Values of the right column that stand in each other's row.
        (14, "1.4558", "traced"),
        (14, "0.9861", "untraced"),
        (14, "0.9744", "traced"),
        (15, "0.9995", "untraced"),
        (15, "0.9583", "traced"),
        (17, "0.664", "derived"),
        (18, "0.9798", "traced"),
        (18, "1.0055", "traced"),
        (19, "1.4126", "wrong_direction"),
        (20, "27.3", "traced"),
        // A head that spans columns, and a column of numbers that tells rows apart.
        (25, "84.3", "traced"),
        (25, "27.6", "traced"),
        (26, "50.4", "untraced"),
        (26, "57.6", "untraced"),
    ] {
        let found = verdict(&numbers, line, text);
        assert_eq!(found, wanted, "{text} on line {line}: {numbers:#?}");
    }
}
