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

/// What is read when libraries are loaded, before anything of ours runs. libgomp: spinning threads of two
/// trainers on shared cores are some twenty times slower than sleeping ones. The C library: memory that a
/// step gives back is kept for the next, which else takes a fault of a page each time.
const ENVIRONMENT: [(&str, &str); 2] = [
    ("OMP_WAIT_POLICY", "PASSIVE"),
    (
        "GLIBC_TUNABLES",
        "glibc.malloc.mmap_threshold=33554432:glibc.malloc.trim_threshold=4294967296:glibc.malloc.arena_max=1",
    ),
];

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let result = match arguments.as_slice() {
        [] => set_environment().and_then(|()| on_large_stack(serve::serve)),
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

/// Starts this binary anew with [`ENVIRONMENT`], unless whoever started it set all of it.
fn set_environment() -> Result<(), String> {
    let missing: Vec<_> = ENVIRONMENT
        .into_iter()
        .filter(|(name, _)| std::env::var_os(name).is_none())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let error = Command::new(own).envs(missing).exec();
    Err(error.to_string())
}
