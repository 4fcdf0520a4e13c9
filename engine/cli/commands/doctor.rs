//! `kyo doctor`

use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use serde::Serialize;

use crate::arguments::Global;
use crate::exit::{self, Code, Stopped};
use crate::setup;
use crate::surroundings::{self, Surroundings};
use crate::talk;

/// One thing that is here or not.
#[derive(Serialize)]
struct Finding {
    what: String,
    here: bool,
    /// The version or the place; or what it is for and how to get it.
    detail: String,
}

pub(super) fn doctor(global: &Global) -> Result<Code, Stopped> {
    let findings = findings();
    if global.json {
        talk::json(&findings)?;
        return Ok(exit::DONE);
    }
    for finding in &findings {
        let sign = if finding.here { "ok     " } else { "missing" };
        talk::data(&format!("{sign} {:16} {}", finding.what, finding.detail))?;
    }
    Ok(exit::DONE)
}

fn findings() -> Vec<Finding> {
    let home = surroundings::home();
    let surroundings = Surroundings::read();
    let mut findings = Vec::new();
    let mut add = |what: &str, here: bool, detail: String| {
        findings.push(Finding {
            what: what.to_owned(),
            here,
            detail,
        });
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    add("cores", true, format!("{cores}"));
    match setup::find(&super::setup::place()) {
        Ok(Some(found)) => add(
            "libtorch",
            true,
            format!(
                "{} in {} ({})",
                setup::LIBTORCH_VERSION,
                found.dir.display(),
                found.origin
            ),
        ),
        Ok(None) => add(
            "libtorch",
            false,
            format!("{} trains; `kyo setup` fetches it", setup::LIBTORCH_VERSION),
        ),
        Err(error) => add("libtorch", false, format!("{error}; {}", error.help)),
    }
    let trainer = setup::trainer_path(&home);
    match trainer.exists() {
        true => add("trainer", true, trainer.display().to_string()),
        false => add(
            "trainer",
            false,
            "runs trainings; `kyo setup` builds it".to_owned(),
        ),
    }
    for (program, why) in [
        (
            "python3",
            "needed once by `kyo setup` to fetch libtorch with pip",
        ),
        ("c++", "needed once by `kyo setup` to build the trainer"),
        (
            "latexmk",
            "only for LaTeX output; papers need no TeX (Debian: texlive-latex-extra latexmk)",
        ),
    ] {
        match setup::on_path(program, surroundings.variables.get("PATH")) {
            Some(path) => add(program, true, path.display().to_string()),
            None => add(program, false, why.to_owned()),
        }
    }
    for (name, provider) in &surroundings.providers {
        if let Some(variable) = &provider.key_env {
            let detail = match provider.key_present {
                true => format!("{variable} is set; {}", provider.endpoint),
                false => format!("set {variable} to use `--set models.reviewer={name}/NAME`"),
            };
            add(name, provider.key_present, detail);
        } else if !provider.endpoint.is_empty() {
            let answers = answers(&provider.endpoint);
            let detail = match answers {
                true => format!(
                    "answers at {}: `--set models.*={name}/NAME`",
                    provider.endpoint
                ),
                false => format!("nothing answers at {}", provider.endpoint),
            };
            add(name, answers, detail);
        }
    }
    findings
}

/// Whether something listens on a local model server's port.
fn answers(endpoint: &str) -> bool {
    let host = endpoint
        .split("://")
        .nth(1)
        .and_then(|rest| rest.split('/').next());
    let Some(addresses) = host.and_then(|host| host.to_socket_addrs().ok()) else {
        return false;
    };
    addresses
        .filter(|address| address.ip().is_loopback())
        .any(|address| TcpStream::connect_timeout(&address, Duration::from_millis(300)).is_ok())
}
