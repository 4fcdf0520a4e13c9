//! No room: a limit on the size of files, which every system has, and a disk that is really full,
//! for which the system must let this user mount a small one in a name space of its own.

use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::share::said;

pub(crate) fn file_size_limit() -> String {
    let dir = TempDir::new().unwrap();
    // The limit counts blocks of 512 or 1024 bytes, whichever shell this is. Without the trap the
    // kernel would end the process at the first write beyond it.
    let script = r#"trap "" XFSZ; ulimit -f 8192; exec "$0" child fill "$1" limit"#;
    let mut command = Command::new("sh");
    command
        .args(["-c", script])
        .arg(std::env::current_exe().unwrap())
        .arg(dir.path());
    format!(
        "ok: {}",
        said(command.stdout(Stdio::piped()).spawn().unwrap())
    )
}

pub(crate) fn full_disk() -> String {
    let dir = TempDir::new().unwrap();
    let mounted = |script: &str| {
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "--mount", "sh", "-c"]);
        let script = format!("set -e; mount -t tmpfs -o size=16m none \"$1\"; {script}");
        command
            .arg(script)
            .arg(std::env::current_exe().unwrap())
            .arg(dir.path());
        command
    };
    let allowed = mounted("true").stderr(Stdio::null()).status();
    if !allowed.is_ok_and(|status| status.success()) {
        return "skipped: this system does not let us mount a small disk (unshare, tmpfs)"
            .to_owned();
    }
    let script = r#"head -c 2000000 /dev/zero > "$1/ballast"; exec "$0" child fill "$1" disk"#;
    format!(
        "ok: {}",
        said(mounted(script).stdout(Stdio::piped()).spawn().unwrap())
    )
}
