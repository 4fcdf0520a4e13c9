//! Two runs side by side, as their journals and the store tell them: what they were asked for and made
//! from, and what came of it. It prints nothing.

mod meaning;
mod result;
mod spec;
mod value;

use kyobashi_cache::Store;
use serde::Serialize;

pub(crate) use meaning::Meanings;
pub(crate) use result::{Made, StageChange, What};
pub(crate) use spec::{Change, Edited, sources};
pub(crate) use value::{Leaf, estimate};

use crate::exit::Stopped;
use crate::history::Told;

/// What differs between two runs; what does not is only counted.
#[derive(Serialize)]
pub(crate) struct Comparison {
    pub(crate) old: Side,
    pub(crate) new: Side,
    /// Words of the command line.
    pub(crate) asked: Vec<Change>,
    /// Files of the pipeline, with their lines.
    pub(crate) files: Vec<Edited>,
    /// Parameters, models, facts of the machine, the version of the program.
    pub(crate) settings: Vec<Change>,
    /// Files and folders that the pipeline names as data.
    pub(crate) data: Vec<Change>,
    pub(crate) stages: Vec<StageChange>,
    /// The pipeline's outputs.
    pub(crate) outputs: Vec<Made>,
    pub(crate) unchanged: Unchanged,
}

/// One of the two runs.
#[derive(Serialize)]
pub(crate) struct Side {
    pub(crate) run: u64,
    pub(crate) pipeline: String,
    pub(crate) file: Option<String>,
    pub(crate) at_ms: Option<u64>,
    pub(crate) outcome: &'static str,
    pub(crate) seconds: f64,
    pub(crate) usd: f64,
}

/// What is the same, counted.
#[derive(Default, Serialize)]
pub(crate) struct Unchanged {
    pub(crate) files: u64,
    pub(crate) settings: u64,
    pub(crate) data: u64,
    pub(crate) stages: u64,
    /// Of these, those that were made from something else, with an equal result.
    pub(crate) cut_off: u64,
    pub(crate) outputs: u64,
}

/// Compares two runs of one store.
///
/// # Errors
/// When the store cannot be read.
pub(crate) fn compare(store: &Store, old: &Told, new: &Told) -> Result<Comparison, Stopped> {
    let mut unchanged = Unchanged::default();
    let meanings = Meanings::of(store, [old, new])?;
    Ok(Comparison {
        old: side(old),
        new: side(new),
        asked: spec::asked(old, new),
        files: spec::files(store, old, new, &mut unchanged.files),
        settings: spec::settings(old, new, &mut unchanged.settings),
        data: spec::data(store, old, new, &mut unchanged.data),
        stages: result::stages(store, old, new, &meanings, &mut unchanged)?,
        outputs: result::outputs(store, old, new, &meanings, &mut unchanged.outputs),
        unchanged,
    })
}

fn side(told: &Told) -> Side {
    let sum = told.sum();
    Side {
        run: told.number,
        pipeline: told.pipeline().to_owned(),
        file: told.begun.as_ref().map(|begun| begun.file.clone()),
        at_ms: told.begun.as_ref().map(|begun| begun.at_ms),
        outcome: told.outcome(),
        seconds: sum.seconds,
        usd: sum.usd,
    }
}
