//! Which generations of replies count: a small file beside the pipeline, which `kyo resample` writes and
//! which is committed with it. It does not know what a generation does; the engine does.

use std::path::{Path, PathBuf};

use kyobashi_engine::run::generation::{asks, meet};
use kyobashi_engine::run::refresh::{means, path};
use kyobashi_engine::spec::{Generation, Spec};
use serde::{Deserialize, Serialize};

use crate::exit::Stopped;
use crate::history;

/// The first lines of the file.
const HEAD: &str =
    "# Written by `kyo resample`: which replies of models count. Commit it beside the pipeline.\n";

/// The file.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wishes {
    resampled: Vec<Generation>,
}

/// Where the wishes of a pipeline are kept: `judge.resample.yaml` beside `judge.yaml`.
pub(crate) fn beside(pipeline: &Path) -> PathBuf {
    pipeline.with_extension("resample.yaml")
}

/// Puts the wishes of its user into a pipeline.
///
/// # Errors
/// When the file cannot be read, or a wish means no stage of the pipeline that asks a model.
pub(crate) fn put(mut spec: Spec, pipeline: &Path) -> Result<Spec, Stopped> {
    let file = beside(pipeline);
    spec.generations = read(&file)?;
    for wish in &spec.generations {
        let wrong = |error: Stopped| Stopped {
            message: format!("{}: {}", file.display(), error.message),
            ..error
        };
        known(&spec, &wish.stage).map_err(wrong)?;
    }
    Ok(spec)
}

fn read(file: &Path) -> Result<Vec<Generation>, Stopped> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Stopped::wrong(format!("{}: {error}", file.display()))),
    };
    let wrong = |error: String| {
        Stopped::wrong(format!("{}: {error}", file.display())).help(
            "`kyo resample` writes this file; mend it, or remove it to take the first replies again",
        )
    };
    let wishes: Wishes = serde_yaml::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    if let Some(wish) = wishes
        .resampled
        .iter()
        .find(|wish| wish.generation > wish.newest)
    {
        return Err(wrong(format!(
            "`{}` wants generation {}, and the newest is {}",
            wish.stage, wish.generation, wish.newest
        )));
    }
    Ok(wishes.resampled)
}

/// Writes the wishes; the file appears whole or not at all.
///
/// # Errors
/// When it cannot be written.
fn write(file: &Path, resampled: Vec<Generation>) -> Result<(), Stopped> {
    let text = serde_yaml::to_string(&Wishes { resampled }).map_err(Stopped::fault)?;
    let wrong = |error: std::io::Error| Stopped::wrong(format!("{}: {error}", file.display()));
    let temp = file.with_extension(format!("yaml.{}", std::process::id()));
    std::fs::write(&temp, format!("{HEAD}{text}")).map_err(wrong)?;
    std::fs::rename(&temp, file).map_err(wrong)
}

/// Wishes for the replies of a stage: fresh ones, or those of generation `to`. What it was and what it is
/// now.
///
/// # Errors
/// When there was never such a generation, or the file cannot be written.
pub(crate) fn wish(
    spec: &Spec,
    pipeline: &Path,
    stage: &str,
    sample: Option<u64>,
    to: Option<u64>,
) -> Result<(u64, Generation), Stopped> {
    let mut new = Generation {
        stage: stage.to_owned(),
        sample,
        ..Generation::default()
    };
    let mut wishes = spec.generations.clone();
    let near: Vec<&Generation> = wishes.iter().filter(|old| meet(spec, old, &new)).collect();
    let before = near.last().map_or(0, |old| old.generation);
    let newest = near.iter().map(|old| old.newest).max().unwrap_or(0);
    match to {
        Some(to) if to > newest => {
            return Err(Stopped::wrong(format!(
                "`{stage}` has no generation {to}: the newest is {newest}"
            ))
            .help("without `--to` a fresh one is asked for"));
        }
        Some(to) => (new.generation, new.newest) = (to, newest),
        None => (new.generation, new.newest) = (newest + 1, newest + 1),
    }
    wishes.retain(|old| (&old.stage, old.sample) != (&new.stage, new.sample));
    wishes.push(new.clone());
    write(&beside(pipeline), wishes)?;
    Ok((before, new))
}

/// Looks whether a pattern can mean a stage that asks a model.
///
/// # Errors
/// If it means none, with the nearest that there is.
pub(crate) fn known(spec: &Spec, pattern: &str) -> Result<(), Stopped> {
    let plain = path(pattern);
    let meant = |asking: bool| {
        let mut stages = spec.stages.iter();
        stages.any(|stage| (!asking || asks(stage)) && means(&plain, stage, &stage.path))
    };
    if meant(true) {
        return Ok(());
    }
    let asking = || spec.stages.iter().filter(|stage| asks(stage));
    let all: Vec<&str> = asking().map(|stage| stage.path.as_str()).collect();
    if meant(false) {
        let help = match all.is_empty() {
            true => "no stage of this pipeline asks a model; `--refresh` runs any stage again"
                .to_owned(),
            false => format!("these stages do: {}", all.join(", ")),
        };
        return Err(Stopped::wrong(format!("`{pattern}` asks no model")).help(help));
    }
    let names = asking().flat_map(|stage| [stage.name.as_str(), stage.path.as_str()]);
    let error = Stopped::wrong(format!("`{pattern}` means no stage"));
    Err(match history::nearest(&plain, names) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error.help(format!("these stages ask a model: {}", all.join(", "))),
    })
}
