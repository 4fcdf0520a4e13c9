//! What the trainer can do, as the engine checks it. `describe.json` holds the same and is read by the
//! engine where libtorch is absent; a test keeps the two equal.

use kyobashi_stage::{Description, Port, Signature, WIRE_VERSION};

/// The stage type that trains a program.
pub(crate) const TRAIN_PROGRAM: &str = "train/program";

/// The stage type that trains a program on data of a user's own.
pub(crate) const TRAIN_TABLE: &str = "train/table";

/// Everything that this process runs.
pub(crate) fn description() -> Description {
    Description {
        wire: WIRE_VERSION,
        stages: vec![train_program(), train_table()],
    }
}

fn train_program() -> Signature {
    Signature {
        ins: vec![
            program(),
            Port::new(
                "data",
                "file(.safetensors)",
                "tensors with equally many rows; `batch` holds rows of each",
            ),
        ],
        with: vec![config(), seed()],
        outs: outs(
            "table",
            "step; loss, the mean since the point before; the latest evaluation's measures by name",
        ),
        machine: true,
        ..Signature::new(
            TRAIN_PROGRAM,
            4,
            "Trains a program on libtorch and measures what it learned",
        )
    }
}

fn train_table() -> Signature {
    let none = serde_json::json!([]);
    Signature {
        ins: vec![
            program(),
            Port::new(
                "train",
                "file",
                "safetensors, npz, npy or CSV: tensors with equally many rows, or a table",
            ),
            Port::new(
                "valid",
                "file?",
                "the rows for evaluation; a share of `train` is set aside if absent",
            ),
        ],
        with: vec![
            config(),
            Port::or(
                "features",
                "list<str>",
                none.clone(),
                "of a CSV file, the columns of `x`; every other one if empty",
            ),
            Port::new(
                "target",
                "str?",
                "of a CSV file, the column of the number that is predicted: `y`",
            ),
            Port::new(
                "label",
                "str?",
                "of a CSV file, the column of the class that is predicted: `y`, from 0",
            ),
            Port::or(
                "standardize",
                "list<str>",
                none,
                "tensors brought to mean 0 and deviation 1 of the training rows, as a rule `[x]`",
            ),
            seed(),
        ],
        outs: outs(
            "table(step, loss, eval_loss)",
            "mean training loss since the point before, and the latest evaluation",
        ),
        machine: true,
        ..Signature::new(
            TRAIN_TABLE,
            4,
            "Trains a program on data of your own and evaluates it on rows set aside",
        )
    }
}

fn program() -> Port {
    Port::new(
        "program",
        "file(.py)",
        "TorchScript text with the hooks init, loss and perhaps others",
    )
}

fn config() -> Port {
    Port::or(
        "config",
        "json",
        serde_json::json!({}),
        "settings of the harness and numbers of the program",
    )
}

fn seed() -> Port {
    Port::or(
        "seed",
        "int",
        0,
        "determines split, batches, first weights, noise and samples",
    )
}

fn outs(curves: &str, curves_doc: &str) -> Vec<Port> {
    vec![
        Port::new(
            "metrics",
            "Metrics",
            "eval_loss, what `evaluate` measures, kl if the program samples, train_loss, parameters",
        ),
        Port::new("curves", curves, curves_doc),
        Port::new(
            "samples",
            "table(x, y)",
            "points that `sample` drew; no rows if the program draws none in the plane",
        ),
        Port::new(
            "drawn",
            "file(.safetensors)",
            "tensor `drawn`, [n, coordinates]: what `sample` returned; [0, 0] if the program draws nothing",
        ),
        Port::new(
            "weights",
            "file(.safetensors)",
            "parameters and constants by name, averaged ones as `ema.<name>`",
        ),
    ]
}
