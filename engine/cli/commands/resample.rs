//! `kyo resample`

use kyobashi_engine::spec::{Generation, Keys};
use kyobashi_science::Providers;
use serde_json::json;

use crate::arguments::{Global, Resample};
use crate::exit::{self, Code, Stopped};
use crate::surroundings::Surroundings;
use crate::workspace::{self, Catalogue};
use crate::{generations, talk};

pub(super) fn resample(global: &Global, arguments: &Resample) -> Result<Code, Stopped> {
    let surroundings = Surroundings::read();
    let catalogue = Catalogue::new(Providers::default());
    let pipeline = &arguments.pipeline;
    let spec = workspace::spec(global, pipeline, &catalogue, &surroundings, Keys::Unasked)?;
    let Some(stage) = &arguments.stage else {
        return list(global, &spec.generations);
    };
    generations::known(&spec, stage)?;
    let (before, wish) =
        generations::wish(&spec, &pipeline.file, stage, arguments.sample, arguments.to)?;
    let file = generations::beside(&pipeline.file);
    if global.json {
        talk::json(&json!({ "file": file, "before": before, "now": wish }))?;
        return Ok(exit::DONE);
    }
    talk::data(&line(&wish))?;
    let run = format!("kyo run {}", pipeline.file.display());
    let known = wish.generation < wish.newest || arguments.to.is_some();
    talk::say(
        global,
        &match known {
            true => format!(
                "Written to {}. `{run}` takes the stored replies.",
                file.display()
            ),
            false => format!(
                "Written to {}. `{run}` asks afresh; `--to {before}` goes back, and pays nothing.",
                file.display()
            ),
        },
    );
    Ok(exit::DONE)
}

fn list(global: &Global, wishes: &[Generation]) -> Result<Code, Stopped> {
    if global.json {
        talk::json(&wishes)?;
        return Ok(exit::DONE);
    }
    for wish in wishes {
        talk::data(&line(wish))?;
    }
    if wishes.is_empty() {
        talk::say(global, "Every stage takes the first replies of its model.");
    }
    Ok(exit::DONE)
}

fn line(wish: &Generation) -> String {
    let sample = wish.sample.map(|sample| format!(", sample {sample}"));
    format!(
        "{}{}  generation {} of 0 to {}",
        wish.stage,
        sample.unwrap_or_default(),
        wish.generation,
        wish.newest
    )
}
