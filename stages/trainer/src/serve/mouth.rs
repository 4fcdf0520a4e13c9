//! What the process says: whole lines, by one thread at a time, on what was standard output at the
//! start. Whatever a library prints goes to standard error, the process's log.

use std::fs::File;
use std::io::Write;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use kyobashi_stage::{FromWorker, Note};

/// At most this often, a note of progress is said.
const PAUSE: Duration = Duration::from_millis(100);

/// The way out.
pub(crate) struct Mouth {
    out: Mutex<Out>,
}

struct Out {
    file: File,
    noted: Option<Instant>,
}

impl Mouth {
    /// Keeps standard output for itself and turns descriptor 1 to standard error.
    pub(crate) fn take_stdout() -> std::io::Result<Self> {
        let file = File::from(nix::unistd::dup(std::io::stdout())?);
        nix::unistd::dup2_stdout(std::io::stderr())?;
        Ok(Self {
            out: Mutex::new(Out { file, noted: None }),
        })
    }

    /// Says a line.
    pub(crate) fn say(&self, what: &FromWorker) {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        out.noted = None;
        write(&mut out.file, what);
    }

    /// Says a note, unless one was said just now; messages and last steps are always said.
    pub(crate) fn note(&self, note: Note) {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        let always = note.message.is_some() || note.step == note.total;
        if !always && out.noted.is_some_and(|noted| noted.elapsed() < PAUSE) {
            return;
        }
        out.noted = Some(Instant::now());
        write(&mut out.file, &FromWorker::Note { note });
    }
}

fn write(file: &mut File, what: &FromWorker) {
    let Ok(mut line) = serde_json::to_vec(what) else {
        return leave(70);
    };
    line.push(b'\n');
    // Nobody listens any more: there is nothing left to do.
    if file.write_all(&line).is_err() {
        leave(0);
    }
}

/// Ends the process at once. The ordinary way out would run libtorch's destructors while another
/// thread is inside it.
#[expect(
    unsafe_code,
    reason = "`_exit` is the only way out that runs no destructor"
)]
pub(crate) fn leave(status: i32) {
    // SAFETY: does not return and touches no memory of ours.
    unsafe { nix::libc::_exit(status) }
}
