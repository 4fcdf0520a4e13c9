//! What `--refresh` names must be there: a pattern that means nothing is met with the nearest name,
//! before anything runs.

use kyobashi_cache::Store;
use kyobashi_engine::plan::Sources;
use kyobashi_engine::run::preview::{Detail, Prospect, preview};
use kyobashi_engine::run::refresh::{around, covers, means, path};
use kyobashi_engine::spec::{Spec, Work};

use crate::exit::Stopped;
use crate::{history, surroundings};

/// Looks whether each pattern can mean a stage of the pipeline.
///
/// # Errors
/// The first that cannot.
pub(crate) fn known(spec: &Spec, patterns: &[String]) -> Result<(), Stopped> {
    for pattern in patterns {
        let plain = path(pattern);
        let found = spec.stages.iter().any(|stage| {
            let leaf = !matches!(stage.work, Work::Group { .. });
            leaf && means(&plain, stage, &stage.path)
        });
        if !found {
            let paths = spec.stages.iter().map(|stage| stage.path.as_str());
            let names = spec.stages.iter().map(|stage| stage.name.as_str());
            return Err(nothing(pattern, &plain, paths.chain(names)));
        }
    }
    Ok(())
}

/// Looks whether each pattern with an instance (`train[seed=0]`) means one that is there, or one that
/// may come: the members of some lists are known only later.
///
/// # Errors
/// The first that means nothing; or the store cannot be read.
pub(crate) fn there(
    spec: &Spec,
    sources: &Sources,
    store: &Store,
    patterns: &[String],
) -> Result<(), Stopped> {
    if !patterns.iter().any(|pattern| pattern.contains('[')) {
        return Ok(());
    }
    let machine = surroundings::machine();
    let nodes = preview(
        spec,
        sources,
        store,
        &machine,
        &Default::default(),
        &Detail::default(),
    )?;
    for pattern in patterns.iter().filter(|pattern| pattern.contains('[')) {
        let plain = path(pattern);
        let found = nodes.iter().any(|node| match node.state {
            Prospect::Later => spec
                .stages
                .iter()
                .any(|stage| covers(&node.stage, &stage.path) && covers(&plain, &stage.path)),
            _ => covers(pattern, &node.address),
        });
        if !found {
            let addresses = nodes.iter().flat_map(|node| around(&node.address));
            return Err(nothing(pattern, pattern, addresses));
        }
    }
    Ok(())
}

fn nothing<'a>(pattern: &str, typed: &str, names: impl Iterator<Item = &'a str>) -> Stopped {
    let error = Stopped::wrong(format!("--refresh {pattern}: this means no stage run"));
    match history::nearest(typed, names) {
        Some(near) => error.help(format!(
            "did you mean `{near}`? `kyo plan FILE --all` lists all addresses"
        )),
        None => error.help(
            "stages are named as in the pipeline, `ideas` or `study/writeup`, stage runs as by `kyo plan FILE --all`",
        ),
    }
}
