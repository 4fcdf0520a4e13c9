//! The arguments of the commands around the calls of models; help texts are the doc comments here.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Pipeline;

/// Ask a model for a fresh reply of a stage; the old ones stay, and going back to them pays nothing
///
/// Examples:
///   kyo resample judge.yaml ask --sample 2
///   kyo resample judge.yaml 'ask[juror=2]'
///   kyo resample judge.yaml ask --sample 2 --to 0
///   kyo resample judge.yaml
///
/// The wish is kept in a small file beside the pipeline (`judge.resample.yaml`), to be committed with it.
/// The next `kyo run` asks; `--to` takes the replies of an earlier generation, 0 being the first. Without
/// STAGE, what is in force is listed.
#[derive(Args, Clone, Debug)]
#[command(verbatim_doc_comment)]
pub(crate) struct Resample {
    #[command(flatten)]
    pub(crate) pipeline: Pipeline,
    /// A stage, group or address, as `kyo run --refresh` takes them
    pub(crate) stage: Option<String>,
    /// Of the stage's samples this one alone
    #[arg(long, value_name = "N", requires = "stage")]
    pub(crate) sample: Option<u64>,
    /// Take the stored replies of this generation, and ask for none
    #[arg(long, value_name = "N", requires = "stage")]
    pub(crate) to: Option<u64>,
}

/// Keep the model calls of a run as a file, or run from such a file with nobody asked
#[derive(Args, Clone, Debug)]
pub(crate) struct Cassette {
    #[command(subcommand)]
    pub(crate) action: CassetteAction,
}

#[derive(Subcommand, Clone, Debug)]
pub(crate) enum CassetteAction {
    Export(Recording),
    Replay(Replay),
}

/// Write the calls of a run to a file: every prompt and every reply, no key
#[derive(Args, Clone, Debug)]
pub(crate) struct Recording {
    /// The file to write
    pub(crate) file: PathBuf,
    /// A run by its number or pin [default: the last]
    #[arg(long, value_name = "RUN")]
    pub(crate) run: Option<String>,
}

/// Run a pipeline with the calls of a file: nobody is asked, no key and no network is needed
#[derive(Args, Clone, Debug)]
pub(crate) struct Replay {
    /// The file that `kyo cassette export` wrote
    pub(crate) cassette: PathBuf,
    #[command(flatten)]
    pub(crate) pipeline: Pipeline,
    /// Put the pipeline's outputs here, by name
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}

/// Say what a run paid for models, per stage and model, and what reuse saved
#[derive(Args, Clone, Debug)]
pub(crate) struct Cost {
    /// The number of the run [default: the last one]
    pub(crate) run: Option<u64>,
}
