//! `kyo doctor`

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
            "pdflatex",
            "only for `paper/compile`; papers need no TeX (Debian: apt install texlive-latex-extra)",
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
        }
    }
    for (name, url) in local_servers(&surroundings) {
        let served = kyobashi_science::served(&url);
        add(
            &name,
            served.is_some(),
            said(&name, &url, served.as_deref()),
        );
    }
    findings
}

/// Where a model server of this machine may be, by name: the providers that are known, and the usual ports
/// of llama.cpp, vLLM and LM Studio.
fn local_servers(surroundings: &Surroundings) -> Vec<(String, String)> {
    let local = |url: &str| {
        ["://127.", "://localhost", "://[::1]"]
            .iter()
            .any(|host| url.contains(host))
    };
    let known = surroundings.providers.iter();
    let mut found: Vec<_> = known
        .filter(|(_, provider)| local(&provider.endpoint))
        .map(|(name, provider)| (name.clone(), provider.endpoint.clone()))
        .collect();
    for (name, port) in [("llama.cpp", 8080), ("vllm", 8000), ("lmstudio", 1234)] {
        let url = format!("http://127.0.0.1:{port}/v1");
        if !found.iter().any(|(_, known)| *known == url) {
            found.push((name.to_owned(), url));
        }
    }
    found
}

/// What a local server has, and what to type to use it.
fn said(name: &str, url: &str, models: Option<&[String]>) -> String {
    let Some(models) = models else {
        return format!("no model server answers at {url}");
    };
    let Some(first) = models.first() else {
        return format!("answers at {url} and has no model: `ollama pull NAME` fetches one");
    };
    let provider = if name.contains('.') { "local" } else { name };
    let set = format!("--set 'models.*={provider}/{first}'");
    let how = match ["ollama", "openai", "anthropic"].contains(&name) {
        true => set,
        false => {
            format!("providers: {{{provider}: {{base_url: \"{url}\"}}}} in the file, then {set}")
        }
    };
    let more = match models.len() {
        1 => String::new(),
        many => format!(" and {} more", many - 1),
    };
    format!("{first}{more} at {url}: {how}")
}
