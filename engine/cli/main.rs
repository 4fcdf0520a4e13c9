//! `kyo`: the only crate that prints, reads the environment and draws progress.
//!
//! In reading order: [`arguments`], [`surroundings`] (what the environment gives), [`workspace`] (a
//! checked spec with its store), `commands/` (one file per command), and the observers of a run:
//! [`progress`], [`journal`], [`lines`].

mod arguments;
mod begun;
mod commands;
mod compare;
mod compiled;
mod deliver;
mod exit;
mod gathered;
mod generations;
mod history;
mod journal;
mod kept;
mod lines;
mod lsp;
mod machine;
mod made_from;
mod makers;
mod outline;
mod past;
mod place;
mod problems;
mod progress;
mod refresh;
mod report;
mod rocrate;
mod schema;
mod settings;
mod setup;
mod summary;
mod surroundings;
mod talk;
mod unchanged;
mod watched;
mod workspace;

use std::process::ExitCode;

use clap::Parser;

use crate::arguments::Arguments;

/// As the first argument: wait for the end of the process that started this one, and end what its
/// scripts left running in the folder that follows.
pub(crate) const KEEP: &str = "--keep-watch-over";

fn main() -> ExitCode {
    let mut words = std::env::args_os().skip(1);
    if words.next().is_some_and(|word| word == KEEP) {
        if let Some(folder) = words.next() {
            kyobashi_engine::exec::keeper::keep(folder.as_ref());
        }
        return ExitCode::SUCCESS;
    }
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are not mistakes.
            let code = if error.use_stderr() {
                exit::WRONG_USE
            } else {
                exit::DONE
            };
            let printed = error.print().is_ok();
            let empty = std::env::var_os("KYO_STORE").is_some_and(|store| store.is_empty());
            if empty && error.kind() == clap::error::ErrorKind::InvalidValue {
                talk::hint(
                    "the variable KYO_STORE is empty: let it name a folder, or `unset KYO_STORE`",
                );
            }
            return match printed {
                true => code.into(),
                false => exit::DONE.into(),
            };
        }
    };
    talk::start_log(&arguments.global);
    match commands::run(&arguments) {
        Ok(code) => code.into(),
        Err(stopped) => stopped.report(&arguments.global).into(),
    }
}
