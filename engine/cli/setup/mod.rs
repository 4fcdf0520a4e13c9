//! What `kyo setup` does: libtorch found or fetched ([`libtorch`]), the trainer built ([`build`]). The
//! environment is given to it; it draws nothing itself.

mod build;
mod libtorch;
mod wheels;

use std::path::{Path, PathBuf};

pub(crate) use build::build;
pub(crate) use libtorch::{Found, find, provide};

/// The one version of libtorch that the trainer is built against.
pub(crate) const LIBTORCH_VERSION: &str = "2.11.0";

/// What set-up is told of the surroundings.
pub(crate) struct Place {
    /// The folder with the sources.
    pub(crate) home: PathBuf,
    /// The variable `LIBTORCH`, if it is set.
    pub(crate) libtorch: Option<PathBuf>,
    /// The variable `PATH`.
    pub(crate) path: Option<String>,
    /// The variable `CARGO`, or `cargo`.
    pub(crate) cargo: PathBuf,
}

/// How far set-up is.
#[derive(Clone, Debug)]
pub(crate) enum Progress {
    /// A new step, in words.
    Step(String),
    /// Bytes of the step, and how many there will be about.
    Bytes { done: u64, total: u64 },
    /// A line of a tool that works for us.
    Line(String),
}

/// Why set-up cannot go on.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct SetupError {
    pub(crate) message: String,
    pub(crate) help: String,
}

impl SetupError {
    pub(crate) fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: help.into(),
        }
    }

    /// An error of the file system, with what was done to which path.
    pub(crate) fn at(what: &str, path: &Path) -> impl Fn(std::io::Error) -> Self {
        let place = format!("cannot {what} {}", path.display());
        move |error| {
            Self::new(
                format!("{place}: {error}"),
                "free space and permissions are the usual causes",
            )
        }
    }
}

/// Where the trainer is, once it is built.
pub(crate) fn trainer_path(home: &Path) -> PathBuf {
    home.join("target/release/kyobashi-trainer")
}

/// A program on `PATH`.
pub(crate) fn on_path(program: &str, path: Option<&String>) -> Option<PathBuf> {
    std::env::split_paths(path?)
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
}
