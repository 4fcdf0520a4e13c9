//! Ends everything that a script started, however deep, also what left its process group or session.
//!
//! Three things find a process: it descends from the script; or it carries the attempt's scratch folder
//! in its environment ([`MARK`]); or, its parent having ended, it has become a child of this process
//! ([`adopt`]) and is nobody's whom we know. The first and the second also work from another process
//! when this one was killed ([`end_marked`], called by the keeper).

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;

/// The environment variable with the scratch folder of the attempt.
pub const MARK: &str = "KYO_SCRATCH";

/// Rounds of looking and killing. A process that forks while it is looked for is found in a later one.
const ROUNDS: u32 = 500;

/// Between two rounds, so that what was killed has time to go.
const PAUSE: Duration = Duration::from_millis(2);

/// Child processes of this one that are no leftovers: workers, the keeper.
static KNOWN: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());

/// Makes this process the parent of every descendant that loses its own.
pub fn adopt() {
    // Where the system cannot do that, leftovers are found by their mark alone.
    let _ = nix::sys::prctl::set_child_subreaper(true);
}

/// A child of this process that is not a leftover of a script.
pub(super) fn know(pid: u32) {
    if let (Ok(mut known), Ok(pid)) = (KNOWN.lock(), i32::try_from(pid)) {
        known.insert(pid);
    }
}

/// Kills a process group with all that descends from its leader. Does not wait.
pub(super) fn kill_all(leader: i32) {
    if leader > 0 {
        let below = Processes::read().below(&BTreeSet::from([leader]));
        end_group(leader);
        below.into_iter().for_each(end);
    }
}

/// After a script has ended: ends what it left running. Costs one small read when that is nothing.
pub(super) fn sweep(leader: i32, scratch: &Path) {
    end_group(leader);
    let left = orphans();
    if left.is_empty() {
        return;
    }
    if left.iter().any(|pid| is_marked(*pid, scratch)) {
        end_marked(scratch);
    }
    for pid in orphans() {
        // It has ended, or it goes on; either is well.
        let _ = waitpid(Pid::from_raw(pid), Some(WaitPidFlag::WNOHANG));
    }
}

/// Ends every process that carries this folder, or one in it, and all that descends from them.
/// Returns when there is none left.
pub fn end_marked(folder: &Path) {
    rounds(|all| {
        let marked = all.parents.keys().copied();
        marked.filter(|pid| is_marked(*pid, folder)).collect()
    });
}

/// The last thing: ends what scripts left to this process, marked or not.
pub fn end_orphans() {
    if !orphans().is_empty() {
        rounds(|_| orphans());
    }
}

/// Kills what `find` finds, with its descendants, until it finds nothing.
fn rounds(find: impl Fn(&Processes) -> BTreeSet<i32>) {
    let own = std::process::id().cast_signed();
    for _ in 0..ROUNDS {
        let all = Processes::read();
        let mut found = find(&all);
        found.remove(&own);
        if found.is_empty() {
            return;
        }
        found.extend(all.below(&found));
        for pid in found {
            end(pid);
            let _ = waitpid(Pid::from_raw(pid), Some(WaitPidFlag::WNOHANG));
        }
        std::thread::sleep(PAUSE);
    }
}

/// Children of this process's first thread, to which the system gives orphans, less those that are
/// known.
fn orphans() -> BTreeSet<i32> {
    let own = std::process::id();
    let text = std::fs::read_to_string(format!("/proc/{own}/task/{own}/children"));
    let mut found: BTreeSet<i32> = text
        .unwrap_or_default()
        .split_whitespace()
        .filter_map(|pid| pid.parse().ok())
        .collect();
    if let (false, Ok(known)) = (found.is_empty(), KNOWN.lock()) {
        found.retain(|pid| !known.contains(pid));
    }
    found
}

/// Whether a process was started with this folder, or one in it, as its scratch folder.
fn is_marked(pid: i32, folder: &Path) -> bool {
    let Ok(environment) = std::fs::read(format!("/proc/{pid}/environ")) else {
        return false;
    };
    let folder = folder.as_os_str().as_encoded_bytes();
    environment.split(|byte| *byte == 0).any(|variable| {
        let value = variable
            .strip_prefix(MARK.as_bytes())
            .and_then(|rest| rest.strip_prefix(b"="));
        let rest = value.and_then(|value| value.strip_prefix(folder));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
    })
}

fn end_group(leader: i32) {
    if leader > 0 {
        // It may have ended by itself; then there is nothing to kill.
        let _ = nix::sys::signal::killpg(Pid::from_raw(leader), Signal::SIGKILL);
    }
}

fn end(pid: i32) {
    if pid > 1 {
        let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
    }
}

/// The processes of the machine and their parents, as they were a moment ago.
struct Processes {
    parents: BTreeMap<i32, i32>,
}

impl Processes {
    fn read() -> Self {
        let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        let parents = entries.filter_map(|entry| {
            let pid: i32 = entry.file_name().to_str()?.parse().ok()?;
            let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
            // `pid (name) state parent …`; a name may hold anything, also brackets.
            let mut rest = stat.rsplit_once(')')?.1.split_whitespace();
            let state = rest.next()?;
            let parent = rest.next()?.parse().ok()?;
            // What has ended and waits to be seen cannot be killed again.
            (state != "Z").then_some((pid, parent))
        });
        Self {
            parents: parents.collect(),
        }
    }

    /// Everything that descends from these.
    fn below(&self, roots: &BTreeSet<i32>) -> BTreeSet<i32> {
        let mut found = roots.clone();
        loop {
            let before = found.len();
            for (pid, parent) in &self.parents {
                if found.contains(parent) {
                    found.insert(*pid);
                }
            }
            if found.len() == before {
                return &found - roots;
            }
        }
    }
}
