//! `kyo setup`

use std::path::PathBuf;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use crate::arguments::Global;
use crate::exit::{OUR_FAULT, STAGE_FAILED, Stopped};
use crate::setup::{self, Place, Progress, SetupError};
use crate::surroundings;
use crate::talk;

/// Provides libtorch and the trainer. Says little where both are there.
pub(super) fn setup(global: &Global) -> Result<(), Stopped> {
    let place = place();
    let begin = Instant::now();
    let mut seen = Seen::new(global);
    let found = setup::provide(&place, &mut |progress| seen.see(progress)).map_err(stopped)?;
    let libtorch = begin.elapsed().as_secs_f64();
    let build = !fresh(&place);
    if build {
        setup::build(&place, &found, &mut |progress| seen.see(progress)).map_err(stopped)?;
    }
    seen.done();
    let built = begin.elapsed().as_secs_f64() - libtorch;
    if global.json {
        talk::json(&json!({
            "libtorch": setup::LIBTORCH_VERSION,
            "origin": found.origin.to_string(),
            "trainer": setup::trainer_path(&place.home),
            "built": build,
            "seconds": libtorch + built,
        }))?;
    }
    if !build {
        return Ok(());
    }
    talk::say(
        global,
        &format!(
            "libtorch {} ({}, {}), trainer ready ({})",
            setup::LIBTORCH_VERSION,
            found.origin,
            talk::duration(libtorch),
            talk::duration(built)
        ),
    );
    Ok(())
}

/// What the environment says of set-up.
pub(super) fn place() -> Place {
    Place {
        home: surroundings::home(),
        libtorch: std::env::var_os("LIBTORCH")
            .filter(|own| !own.is_empty())
            .map(PathBuf::from),
        path: std::env::var("PATH").ok(),
        cargo: std::env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from),
    }
}

/// Whether the trainer is newer than everything that it is built from, so that cargo need not be asked.
fn fresh(place: &Place) -> bool {
    let Ok(built) = setup::trainer_path(&place.home)
        .metadata()
        .and_then(|meta| meta.modified())
    else {
        return false;
    };
    let sources = ["stages/trainer", "stages/api", "Cargo.lock"];
    sources
        .iter()
        .all(|source| older(&place.home.join(source), built))
}

fn older(path: &std::path::Path, than: std::time::SystemTime) -> bool {
    let Ok(meta) = path.metadata() else {
        return false;
    };
    if !meta.is_dir() {
        return meta.modified().is_ok_and(|time| time <= than);
    }
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    entries.into_iter().all(|entry| older(&entry.path(), than))
}

fn stopped(error: SetupError) -> Stopped {
    let code = if error.message.contains("panicked") {
        OUR_FAULT
    } else {
        STAGE_FAILED
    };
    Stopped {
        code,
        message: error.message,
        help: Some(error.help),
        read_only: false,
    }
}

/// Set-up as a bar, or as lines.
struct Seen<'a> {
    global: &'a Global,
    bar: Option<ProgressBar>,
}

impl<'a> Seen<'a> {
    fn new(global: &'a Global) -> Self {
        Self { global, bar: None }
    }

    fn see(&mut self, progress: Progress) {
        match progress {
            Progress::Step(step) if talk::bars(self.global) => {
                self.done();
                let bar = ProgressBar::new_spinner().with_message(step);
                bar.set_style(style("{spinner} {msg}  {prefix}"));
                bar.enable_steady_tick(Duration::from_millis(120));
                self.bar = Some(bar);
            }
            Progress::Step(step) => talk::say(self.global, &step),
            Progress::Bytes { done, total } => {
                if let Some(bar) = &self.bar {
                    if bar.length() != Some(total) {
                        bar.set_style(style(
                            "{spinner} {msg}  {bar:30} {bytes}/{total_bytes} {bytes_per_sec}",
                        ));
                        bar.set_length(total);
                    }
                    bar.set_position(done);
                }
            }
            Progress::Line(line) => {
                if let Some(bar) = &self.bar {
                    bar.set_prefix(line.chars().take(60).collect::<String>());
                }
                tracing::info!("{line}");
            }
        }
    }

    fn done(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the template is a constant")
}
