//! `kyobashi-trainer`: trains programs on libtorch, in a process of its own, because what can crash or
//! hold a GPU must not take the engine with it. `--describe` prints its stage signatures; without
//! arguments it speaks the wire of `kyobashi_stage` on standard input and output.
//!
//! wire ([`serve`]) → job ([`harness`]) → program text ([`program`]) → libtorch ([`torch`]).

mod harness;
mod program;
mod serve;
mod signatures;
mod torch;

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

/// libgomp reads this when it is loaded. Spinning threads of two trainers on shared cores are some
/// twenty times slower than sleeping ones.
const WAITING: (&str, &str) = ("OMP_WAIT_POLICY", "PASSIVE");

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let result = match arguments.as_slice() {
        [] => wait_passively().and_then(|()| on_large_stack(serve::serve)),
        [only] if only == "--describe" => describe(),
        _ => Err("usage: kyobashi-trainer [--describe]; it is started by `kyo`".to_owned()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            let _ = writeln!(std::io::stderr(), "kyobashi-trainer: {message}");
            ExitCode::from(70)
        }
    }
}

/// Runs the work on a thread whose stack holds the deepest program (`program::text`). The memory is
/// only taken when it is used.
fn on_large_stack(work: fn() -> Result<(), String>) -> Result<(), String> {
    let thread = std::thread::Builder::new()
        .name("trainer".to_owned())
        .stack_size(2 << 30)
        .spawn(work)
        .map_err(|error| error.to_string())?;
    let panicked = |_| Err("the trainer panicked".to_owned());
    thread.join().unwrap_or_else(panicked)
}

fn describe() -> Result<(), String> {
    let text = serde_json::to_string_pretty(&signatures::description())
        .map_err(|error| error.to_string())?;
    writeln!(std::io::stdout(), "{text}").map_err(|error| error.to_string())
}

/// Starts this binary anew with the waiting policy, unless whoever started it set one.
fn wait_passively() -> Result<(), String> {
    if std::env::var_os(WAITING.0).is_some() {
        return Ok(());
    }
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let error = Command::new(own).env(WAITING.0, WAITING.1).exec();
    Err(error.to_string())
}
