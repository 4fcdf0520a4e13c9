//! Builds the trainer against a libtorch, with cargo.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::{Found, Place, Progress, SetupError, trainer_path};

/// Builds the trainer and returns its path. Cargo does nothing where nothing changed.
///
/// # Errors
/// What cargo said last.
pub(crate) fn build(
    place: &Place,
    libtorch: &Found,
    see: &mut dyn FnMut(Progress),
) -> Result<PathBuf, SetupError> {
    let manifest = place.home.join("Cargo.toml");
    if !manifest.is_file() {
        return Err(SetupError::new(
            format!("the sources are not at {}", place.home.display()),
            "set KYO_HOME to the folder with Kyobashi's Cargo.toml",
        ));
    }
    see(Progress::Step(
        "building the trainer (minutes the first time)".to_owned(),
    ));
    let mut cargo = Command::new(&place.cargo)
        .args([
            "build",
            "--release",
            "--package",
            "kyobashi-trainer",
            "--manifest-path",
        ])
        .arg(&manifest)
        .arg("--target-dir")
        .arg(place.home.join("target"))
        .env("LIBTORCH", &libtorch.dir)
        // A torch from Python is told apart by these alone.
        .env_remove("LIBTORCH_USE_PYTORCH")
        .current_dir(&place.home)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| {
            let cargo = place.cargo.display();
            SetupError::new(
                format!("cannot start {cargo}: {error}"),
                "install Rust with its cargo",
            )
        })?;
    let mut last = Vec::new();
    if let Some(said) = cargo.stderr.take() {
        for line in BufReader::new(said).lines().map_while(Result::ok) {
            see(Progress::Line(line.trim().to_owned()));
            last.push(line);
        }
    }
    let status = cargo
        .wait()
        .map_err(|error| SetupError::new(format!("cargo was lost: {error}"), "run it again"))?;
    if !status.success() {
        let last = last[last.len().saturating_sub(20)..].join("\n");
        return Err(SetupError::new(
            format!("the trainer could not be built:\n{last}"),
            "a C++ compiler is needed (Debian: `apt-get install g++`)",
        ));
    }
    Ok(trainer_path(&place.home))
}
