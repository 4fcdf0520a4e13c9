//! Runs calls in worker processes that speak the wire of `kyobashi_stage`: one JSON value a line.
//!
//! A pool keeps idle workers warm. What crashes or is killed is a [`Failure`] of that one call.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;

use kyobashi_stage::{Checkpoints, Failure, FromWorker, Outputs, ToWorker, WIRE_VERSION};

use super::{GRACE, Job, Notes};

/// The least seconds between two checkpoints; a training whose checkpoints cost much waits longer.
const CHECKPOINT_EVERY: f64 = 1.0;

/// Warm workers of one program.
pub struct Pool {
    program: PathBuf,
    environment: Vec<(String, String)>,
    /// Where the workers' standard error goes.
    log: PathBuf,
    idle: Mutex<Vec<Worker>>,
}

struct Worker {
    child: Child,
    /// The graphics processors and other things that it was started with: a process cannot change them.
    things: BTreeMap<String, Vec<String>>,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Pool {
    /// A pool that starts `program` with `environment` added to this process's.
    #[must_use]
    pub fn new(program: PathBuf, environment: Vec<(String, String)>, log: PathBuf) -> Self {
        Self {
            program,
            environment,
            log,
            idle: Mutex::new(Vec::new()),
        }
    }

    pub(super) fn run(&self, job: &Job, notes: &Notes) -> Result<Outputs, Failure> {
        let mut worker = self.take(&job.things)?;
        job.cancel
            .watch(i32::try_from(worker.child.id()).unwrap_or(0));
        let answer = worker.ask(job, notes);
        job.cancel.unwatch();
        match answer {
            Ok(answer) => {
                if let Ok(mut idle) = self.idle.lock() {
                    idle.push(worker);
                }
                answer
            }
            Err(error) => Err(worker.lost(&error, &self.log)),
        }
    }

    fn take(&self, things: &BTreeMap<String, Vec<String>>) -> Result<Worker, Failure> {
        if let Ok(mut idle) = self.idle.lock() {
            while let Some(at) = idle.iter().position(|worker| worker.things == *things) {
                let mut worker = idle.swap_remove(at);
                if matches!(worker.child.try_wait(), Ok(None)) {
                    return Ok(worker);
                }
            }
        }
        self.start(things)
    }

    fn start(&self, things: &BTreeMap<String, Vec<String>>) -> Result<Worker, Failure> {
        let program = self.program.display();
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(&self.log)?;
        let mut child = Command::new(&self.program)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .envs(super::things::variables(things))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .process_group(0)
            .spawn()
            .map_err(|error| {
                Failure::new(format!("cannot start {program}: {error}")).help("run `kyo setup`")
            })?;
        super::tree::know(child.id());
        let (Some(to), Some(from)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Failure::bug("a worker without pipes"));
        };
        let mut worker = Worker {
            child,
            things: things.clone(),
            to,
            from: BufReader::new(from),
        };
        match worker.hear() {
            Ok(FromWorker::Ready {
                wire: WIRE_VERSION, ..
            }) => Ok(worker),
            Ok(FromWorker::Ready { wire, .. }) => Err(Failure::new(format!(
                "{program} speaks version {wire} of the wire, not {WIRE_VERSION}"
            ))
            .help("run `kyo setup` to build it anew")),
            Ok(_) => Err(Failure::bug(format!(
                "{program} did not say that it is ready"
            ))),
            Err(error) => Err(worker.lost(&error, &self.log)),
        }
    }
}

impl Worker {
    /// One call. The outer error means that the worker is lost.
    fn ask(&mut self, job: &Job, notes: &Notes) -> std::io::Result<Result<Outputs, Failure>> {
        let ask = ToWorker::Run {
            call: job.call.clone(),
            scratch: job.scratch.clone(),
            threads: job.threads,
            checkpoints: job.checkpoints.as_ref().map(|dir| Checkpoints {
                dir: dir.clone(),
                every: CHECKPOINT_EVERY,
            }),
        };
        let mut line = serde_json::to_vec(&ask)?;
        line.push(b'\n');
        self.to.write_all(&line)?;
        self.to.flush()?;
        loop {
            match self.hear()? {
                FromWorker::Note { note } => notes(note),
                FromWorker::Done { outputs } => return Ok(Ok(outputs)),
                FromWorker::Failed { failure } => return Ok(Err(failure)),
                FromWorker::Ready { .. } => {}
            }
        }
    }

    fn hear(&mut self) -> std::io::Result<FromWorker> {
        let mut line = String::new();
        if self.from.read_line(&mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        Ok(serde_json::from_str(&line)?)
    }

    /// The worker ended, or said something that is not of the wire.
    fn lost(mut self, error: &std::io::Error, log: &std::path::Path) -> Failure {
        drop(self.to);
        let mut waited = std::time::Duration::ZERO;
        let step = std::time::Duration::from_millis(20);
        let status = loop {
            match self.child.try_wait() {
                Ok(Some(status)) => break Some(status),
                Ok(None) if waited < GRACE => {
                    std::thread::sleep(step);
                    waited += step;
                }
                _ => {
                    let _ = self.child.kill();
                    break self.child.wait().ok();
                }
            }
        };
        let how = status.map_or_else(|| error.to_string(), |status| status.to_string());
        let mut failure = Failure::passing(format!("the worker process ended: {how}"));
        if let Ok(text) = std::fs::read_to_string(log) {
            let mut last: Vec<_> = text.lines().rev().take(5).collect();
            last.reverse();
            if !last.is_empty() {
                failure.message = format!("{}\n{}", failure.message, last.join("\n"));
            }
        }
        // A kill by the kernel is mostly a lack of memory.
        if how.contains("SIGKILL") || how.contains("signal: 9") {
            failure = failure
                .help("the machine may be out of memory: run fewer jobs at once (`--jobs 1`)");
        }
        failure
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        if let Ok(mut idle) = self.idle.lock() {
            for worker in idle.drain(..) {
                // A worker exits when its input closes; it is not left behind as a zombie.
                let Worker {
                    mut child,
                    to,
                    from,
                    ..
                } = worker;
                drop((to, from));
                let _ = child.wait();
            }
        }
    }
}
