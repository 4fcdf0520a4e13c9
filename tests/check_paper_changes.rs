//! The gate for papers that we did not write: changes of which the sentence tells the size alone, and what
//! it must not take for one.

use crate::check_paper::{checked, space, verdict};

const SETTINGS: &str = "epsilon: 0.1\nbatch_size: 64\neval_iters: 200\nlearning_rate: 0.001\n";

const PAPER: &str = r"# Orthogonal starts

## Experimental setup

The learning rate is 0.002. The loss is estimated on 200 batches.

## Results

| Method | Division | Subtraction | Permutation |
|---|---|---|---|
| Linear 0.0 to 0.3 | 4200 | 4720 | 3.6% |
| Orthogonal | 2570 | 2790 | 6.4% |

Caption: steps to the end, and final validation accuracy on permutations.

Run 1 has fewer steps than the baseline on division (a reduction of 38.8%), followed by subtraction (40.9%).
Division takes 510 steps more in Run 1 than in Run 2, subtraction 660 steps more.
The run with the deeper denoiser needs 51.0% fewer steps on division.
In Run 1, division needs 45.3% fewer steps.
Relative to Run 2, Run 1 lowers the steps on subtraction by 31.0%.
The accuracy on permutations in Run 2 is 8.9 times that of the baseline.
The grid variance on division in Run 1 is 0.0031.

Without exploration ($\epsilon = 0$) nothing is learned.

The accuracy on permutations is 0.321 in Run 2 and 0.064 in Run 1, so the depth accounts for 0.257.
The steps improved from an average of 5473 to 4287 in Run 1. Our study is limited to seven tasks.
";

/// `final_info.json` of a run.
fn run(steps: [f64; 2], accuracy: f64, variance: f64) -> String {
    let of = |steps: f64| serde_json::json!({"means": {"val_steps": steps, "final_val_acc": 1.0, "grid_variance": variance}});
    serde_json::json!({
        "x_div_y": of(steps[0]),
        "x_minus_y": of(steps[1]),
        "permutation": {"means": {"val_steps": 7500.0, "final_val_acc": accuracy, "grid_variance": variance}},
    })
    .to_string()
}

#[test]
fn sizes_of_changes_are_found_by_what_the_words_around_them_name() {
    let space = space();
    space
        .write("starts.md", PAPER)
        .write("starts.yaml", SETTINGS)
        .write("starts/run_0/final_info.json", &run([4200.0, 4720.0], 0.036, 0.0047))
        .write("starts/run_1/final_info.json", &run([2570.0, 2790.0], 0.064, 0.0031))
        .write("starts/run_2/final_info.json", &run([2060.0, 2130.0], 0.321, 0.0026))
        .write(
            "starts/notes.txt",
            "## Run 0: Baseline\n## Run 1: Orthogonal start\n## Run 2: Orthogonal start with a 5-layer denoiser\n",
        );
    let numbers = checked(&space, "starts.md", "starts", "starts.yaml");
    for (line, text, wanted) in [
        // Twice the rate is another rate; `batch_size` does not count batches.
        (5, "0.002", "untraced"),
        (5, "200", "literal"),
        // Steps are never told in per cent, though the caption names them.
        (11, "0.0", "literal"),
        (11, "3.6", "traced"),
        (12, "6.4", "traced"),
        (16, "38.8", "derived"),
        (16, "40.9", "derived"),
        (17, "510", "derived"),
        (17, "660", "derived"),
        // A run by words that its title alone has.
        (18, "51.0", "derived"),
        (19, "45.3", "untraced"),
        // Against Run 2 the steps of Run 1 are more, not fewer.
        (20, "31.0", "untraced"),
        (21, "8.9", "derived"),
        (22, "0.0031", "traced"),
        (24, "0", "literal"),
        (26, "0.257", "derived"),
        // The first of two means is no size of a change.
        (27, "5473", "derived"),
        (27, "4287", "derived"),
        (27, "seven", "untraced"),
    ] {
        let found = verdict(&numbers, line, text);
        assert_eq!(found, wanted, "{text} on line {line}: {numbers:#?}");
    }
    // For people: by what is to be done, each number in bold within its sentence.
    let report = space.read("out/report.md");
    let at = |text: &str| {
        report
            .find(text)
            .unwrap_or_else(|| panic!("no {text}: {report}"))
    };
    assert!(at("## Changes that do not follow") < at("division needs **45.3%** fewer steps"));
    assert!(at("**45.3%**") < at("## Settings and counts that are others"));
    assert!(at("## Settings and counts") < at("The learning rate is **0.002**."));
}
