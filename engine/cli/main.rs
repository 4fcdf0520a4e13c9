//! `kyo`: the only crate that prints, reads the environment and draws progress.
//!
//! In reading order: [`arguments`], [`surroundings`] (what the environment gives), [`workspace`] (a
//! checked spec with its store), `commands/` (one file per command), and the observers of a run:
//! [`progress`], [`journal`], [`lines`].

mod arguments;
mod commands;
mod deliver;
mod exit;
mod journal;
mod lines;
mod outline;
mod past;
mod problems;
mod progress;
mod schema;
mod setup;
mod surroundings;
mod talk;
mod workspace;

use std::process::ExitCode;

use clap::Parser;

use crate::arguments::Arguments;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are not mistakes.
            let code = if error.use_stderr() {
                exit::WRONG_USE
            } else {
                exit::DONE
            };
            return if error.print().is_ok() {
                code.into()
            } else {
                exit::DONE.into()
            };
        }
    };
    talk::start_log(&arguments.global);
    match commands::run(&arguments) {
        Ok(code) => code.into(),
        Err(stopped) => stopped.report(&arguments.global).into(),
    }
}
