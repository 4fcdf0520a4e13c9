//! A small process that outlives this one by a moment: when this one is killed, it ends what the scripts
//! of this one left running. It is started with the first script and off its path, so it costs no time.

use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, Once};

use std::os::unix::process::CommandExt;

use super::tree;

/// Starts the keeper, and ends it when it is dropped.
pub struct Keeper {
    /// What to start; it is given the folder of all scratch folders as its last argument, and calls
    /// [`keep`].
    program: PathBuf,
    arguments: Vec<String>,
    folder: PathBuf,
    begun: Once,
    child: Mutex<Option<(Child, ChildStdin)>>,
}

impl Keeper {
    /// A keeper that is not started yet.
    #[must_use]
    pub fn new(program: PathBuf, arguments: Vec<String>, folder: PathBuf) -> Self {
        Self {
            program,
            arguments,
            folder,
            begun: Once::new(),
            child: Mutex::new(None),
        }
    }

    /// Starts it, once.
    pub(super) fn begin(&self) {
        self.begun.call_once(|| {
            let child = Command::new(&self.program)
                .args(&self.arguments)
                .arg(&self.folder)
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                // Ctrl-C is not for it.
                .process_group(0)
                .spawn();
            match child {
                Ok(mut child) => {
                    tree::know(child.id());
                    let pipe = child.stdin.take();
                    if let (Ok(mut own), Some(pipe)) = (self.child.lock(), pipe) {
                        *own = Some((child, pipe));
                    }
                }
                // Only a killed `kyo` would have needed it.
                Err(error) => tracing::debug!("the keeper was not started: {error}"),
            }
        });
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        if let Ok(mut child) = self.child.lock()
            && let Some((mut child, pipe)) = child.take()
        {
            // Before the pipe closes, so that it does not look for leftovers that are not there.
            let _ = child.kill();
            drop(pipe);
            let _ = child.wait();
        }
    }
}

/// What the keeper does: waits until its standard input ends, which is when the process that started it
/// is gone; then ends every process that carries `folder`, and removes the folder.
pub fn keep(folder: &Path) {
    // Whatever ends the reading, the other side is gone.
    let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
    tree::end_marked(folder);
    // The next start sweeps it too.
    let _ = std::fs::remove_dir_all(folder);
}
