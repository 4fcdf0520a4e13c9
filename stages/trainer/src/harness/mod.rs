//! Training as every experiment gets it: data, split, seeds, batches, optimiser, schedule, averaging,
//! evaluation and limits. The program supplies `init`, `loss` and what else it defines; it cannot reach
//! any of this. Wires and processes are not known here.

mod average;
mod batches;
mod checkpoint;
mod data;
mod evaluate;
mod finish;
mod kl;
mod optimise;
mod random;
mod schedule;
mod settings;
mod stack;
mod table;
mod tensors;
mod train;

use std::collections::BTreeMap;
use std::path::Path;

use kyobashi_stage::{Checkpoints, Failure, Note};
use tch::{Device, Tensor};

use crate::program::Program;
use crate::torch::TorchError;

/// What a training may ask of its surroundings while it runs.
pub(crate) trait Surroundings {
    /// Whether to go on with a step.
    ///
    /// # Errors
    /// The failure to end with: cancelled, or out of time.
    fn go_on(&self, step: u64) -> Result<(), Failure>;

    /// Starts the clock of the whole training.
    fn limit(&self, seconds: f64);

    /// Progress.
    fn note(&self, note: Note);

    /// Seconds since the training began, for the estimate of what is left; never part of a result.
    fn seconds(&self) -> f64;
}

/// What to train.
pub(crate) struct Job<'j> {
    pub(crate) program: &'j str,
    pub(crate) data: Source<'j>,
    pub(crate) config: &'j serde_json::Value,
    pub(crate) seed: i64,
    /// What tells the data from other data.
    pub(crate) data_digest: &'j str,
    /// Where to save how far the training is, if anywhere.
    pub(crate) checkpoints: Option<&'j Checkpoints>,
}

/// Where the rows come from.
pub(crate) enum Source<'j> {
    /// A safetensors file, whose tensors are taken as they are.
    Tensors(&'j Path),
    /// Files of a user's own.
    Table(Table<'j>),
}

impl Job<'_> {
    /// What is trained, in short: checkpoints of anything else are refused.
    fn identity(&self) -> String {
        self.identity_of(self.seed)
    }

    /// The same with another seed.
    fn identity_of(&self, seed: i64) -> String {
        let read = match &self.data {
            Source::Tensors(_) => serde_json::Value::Null,
            Source::Table(table) => serde_json::json!([table.columns, table.standardize]),
        };
        let document = serde_json::json!([self.program, self.config, seed, read]);
        blake3::hash(document.to_string().as_bytes()).to_string()
    }
}

/// A point of the curve.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Point {
    /// Steps done.
    pub(crate) step: u64,
    /// The mean training loss since the point before.
    pub(crate) loss: f64,
    /// The latest evaluation, if there was one.
    pub(crate) measured: BTreeMap<String, f64>,
}

/// What came out.
pub(crate) struct Outcome {
    pub(crate) metrics: BTreeMap<String, f64>,
    pub(crate) curve: Vec<Point>,
    /// Drawn points, if the program draws points of two coordinates.
    pub(crate) samples: Vec<[f64; 2]>,
    /// All that `sample` returned, [n, coordinates]; [0, 0] if the program draws nothing.
    pub(crate) drawn: Tensor,
    /// Parameters and constants by name; averaged ones as `ema.<name>`.
    pub(crate) weights: Vec<(String, Tensor)>,
}

pub(crate) use stack::Kept;
pub(crate) use table::{Columns, Table};
pub(crate) use tensors::save;

/// Trains a program. `kept` holds what an earlier call trained along with its own seed.
///
/// # Errors
/// Whatever is wrong with the program, the config or the data; divergence; cancellation; limits.
pub(crate) fn run(
    job: &Job,
    kept: &mut Kept,
    surroundings: &dyn Surroundings,
) -> Result<Outcome, Failure> {
    let program = Program::read(job.program)?;
    let settings = settings::Settings::read(job.config, &program)?;
    surroundings.limit(settings.max_seconds);
    for key in &settings.unread {
        surroundings.note(message(&format!("nothing reads `{key}` of `config`")));
    }
    if settings.stack > 1
        && let Some(outcome) = kept.run(job, &program, &settings, surroundings)
    {
        return outcome;
    }
    let (
        Ready {
            settings,
            data,
            device,
        },
        said,
    ) = ready(job, settings, job.seed)?;
    for line in said {
        surroundings.note(message(&line));
    }
    let mut training = train::Training::start(&program, &settings, &data, job.seed, device)?;
    training.resume(job, surroundings);
    training.run(job, surroundings)
}

/// What a training of one seed starts from.
struct Ready {
    settings: settings::Settings,
    data: data::Data,
    device: Device,
}

/// Reads the data for a seed, and what there is to say about them.
fn ready(
    job: &Job,
    mut settings: settings::Settings,
    seed: i64,
) -> Result<(Ready, Vec<String>), Failure> {
    let device = device(&settings.device)?;
    let (data, said) = match &job.data {
        Source::Tensors(path) => {
            let rows = data::Rows::read(path, device)?;
            settings.numbers.extend(rows.facts().map_err(ours)?);
            let mut data = data::Data::split(rows, settings.validation, seed, device)?;
            data.windows(&settings)?;
            (data, Vec::new())
        }
        Source::Table(table) => {
            table.settle(&mut settings, job.config)?;
            table.read(&mut settings, seed, device)?
        }
    };
    let ready = Ready {
        settings,
        data,
        device,
    };
    Ok((ready, said))
}

fn device(wanted: &str) -> Result<Device, Failure> {
    let cuda = tch::Cuda::is_available();
    match wanted {
        "auto" if cuda => Ok(Device::Cuda(0)),
        "auto" | "cpu" => Ok(Device::Cpu),
        "cuda" if cuda => Ok(Device::Cuda(0)),
        "cuda" => Err(
            Failure::new("`device: cuda` was asked for, but libtorch finds no GPU")
                .help("`kyo doctor` shows what libtorch finds; `device: auto` takes what there is"),
        ),
        other => Err(Failure::new(format!(
            "`device` of `config` is one of auto, cpu, cuda, not `{other}`"
        ))),
    }
}

/// A failure of libtorch outside of any program.
fn ours(error: impl Into<TorchError>) -> Failure {
    crate::program::failure(&error.into(), "")
}

/// A line for the log.
fn message(text: &str) -> Note {
    Note {
        message: Some(text.to_owned()),
        ..Note::default()
    }
}

/// The failure of a loss that is not finite; `losses` are the latest, up to and with it.
fn diverged(step: u64, losses: &[f64]) -> Failure {
    let from = losses.len().saturating_sub(5);
    let last: Vec<String> = losses[from..]
        .iter()
        .map(|loss| format!("{loss:.4e}"))
        .collect();
    Failure::new(format!(
        "diverged at step {step}: the loss is {}; the last losses were {}",
        losses.last().copied().unwrap_or(f64::NAN),
        last.join(", ")
    ))
    .help("a lower `lr`, more `warmup` or a `clip` often helps")
}
