//! What the trainer can do, as the engine checks it. `describe.json` holds the same and is read by the
//! engine where libtorch is absent; a test keeps the two equal.

use kyobashi_stage::{Description, Port, Signature, WIRE_VERSION};

/// The stage type that trains a program.
pub(crate) const TRAIN_PROGRAM: &str = "train/program";

/// Everything that this process runs.
pub(crate) fn description() -> Description {
    Description {
        wire: WIRE_VERSION,
        stages: vec![train_program()],
    }
}

fn train_program() -> Signature {
    Signature {
        ins: vec![
            Port::new(
                "program",
                "file(.py)",
                "TorchScript text with the hooks init, loss and perhaps others",
            ),
            Port::new(
                "data",
                "file(.safetensors)",
                "tensors with equally many rows; `batch` holds rows of each",
            ),
        ],
        with: vec![
            Port::or(
                "config",
                "json",
                serde_json::json!({}),
                "settings of the harness and numbers of the program",
            ),
            Port::or(
                "seed",
                "int",
                0,
                "determines split, batches, first weights, noise and samples",
            ),
        ],
        outs: vec![
            Port::new(
                "metrics",
                "Metrics",
                "eval_loss, what `evaluate` measures, kl if the program samples, train_loss, parameters",
            ),
            Port::new(
                "curves",
                "table(step, loss)",
                "mean training loss since the point before",
            ),
            Port::new(
                "samples",
                "table(x, y)",
                "points that `sample` drew; no rows if the program draws none in the plane",
            ),
            Port::new(
                "weights",
                "file(.safetensors)",
                "parameters and constants by name, averaged ones as ema.<name>",
            ),
        ],
        machine: true,
        ..Signature::new(
            TRAIN_PROGRAM,
            1,
            "Trains a program on libtorch and measures what it learned",
        )
    }
}
