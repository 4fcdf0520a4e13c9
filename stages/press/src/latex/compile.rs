//! The stage type `paper/compile`: LaTeX source to PDF by the TeX of this machine. What TeX finds wrong
//! comes back as places in the Markdown.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use kyobashi_stage::{Call, Context, Failure, Output, Outputs, Place, Port, Signature, Stage};
use serde_json::json;

use crate::latex::log::{Found, read};

/// Runs of TeX after which a paper whose references still move is given up; most papers need three.
const MOST_RUNS: usize = 5;

/// How long one run may take: a paper of fifty pages takes seconds.
const LONGEST: Duration = Duration::from_secs(120);

/// The stage type `paper/compile`.
pub(crate) struct Compile;

impl Stage for Compile {
    fn signature(&self) -> Signature {
        Signature {
            ins: vec![
                Port::new("source", "dir", "the folder that `paper/latex` made"),
                Port::new(
                    "draft",
                    "text?",
                    "the Markdown that it was made from: gives errors their column",
                ),
            ],
            with: vec![Port::or(
                "overfull",
                "float",
                json!(10.0),
                "by how many points a line may run over the margin",
            )],
            outs: vec![
                Port::new(
                    "pdf",
                    "file(.pdf)",
                    "the paper as the venue's style sets it",
                ),
                Port::new(
                    "warnings",
                    "json",
                    "lines that run over the margin by less than that",
                ),
            ],
            ..Signature::new(
                "paper/compile",
                1,
                "Compiles the LaTeX of a paper with pdflatex",
            )
        }
    }

    fn run(&self, call: &Call, context: &dyn Context) -> Result<Outputs, Failure> {
        let draft = call.has("draft").then(|| call.text("draft")).transpose()?;
        let allowed: f64 = call.get("overfull")?;
        let folder = context.scratch().join("tex");
        crate::latex::stage::copy(call.path("source")?, &folder)?;
        let main = text(&folder.join("main.tex"))?;
        let mut log = String::new();
        for number in 0..MOST_RUNS {
            let done = tex(&folder, context)?;
            log = text(&folder.join("main.log")).unwrap_or_default();
            if !done {
                return Err(refused(read(&log, &main, draft.as_deref()).errors, &log));
            }
            if number == 0 && folder.join("works.bib").is_file() {
                bibtex(&folder, context)?;
            } else if number > 0 && !moves(&log) {
                break;
            }
        }
        let Found {
            mut errors,
            overfull,
        } = read(&log, &main, draft.as_deref());
        let (over, warnings): (Vec<_>, Vec<_>) = overfull
            .into_iter()
            .partition(|(points, _)| *points > allowed);
        errors.extend(over.into_iter().map(|(_, place)| place));
        if !errors.is_empty() {
            return Err(refused(errors, &log));
        }
        let warnings: Vec<Place> = warnings.into_iter().map(|(_, place)| place).collect();
        let path = folder.join("main.pdf");
        Ok(Outputs::from([
            ("pdf".to_owned(), Output::File { path }),
            ("warnings".to_owned(), Output::value(json!(warnings))),
        ]))
    }
}

/// Whether references moved, so that another run is needed.
fn moves(log: &str) -> bool {
    log.contains("Rerun to get") || log.contains("Rerun LaTeX") || log.contains("(re)run")
}

fn refused(places: Vec<Place>, log: &str) -> Failure {
    if places.is_empty() {
        let lines: Vec<&str> = log.lines().collect();
        let end = lines[lines.len().saturating_sub(20)..].join("\n");
        return Failure::new(format!("pdflatex did not finish:\n{end}"));
    }
    let told: Vec<String> = places
        .iter()
        .map(|place| {
            format!(
                "{}:{}:{}: {}",
                place.file, place.line, place.col, place.message
            )
        })
        .collect();
    let help = places.iter().find_map(|place| place.help.clone());
    let failure = Failure::new(told.join("\n")).at(places);
    match help {
        Some(help) => failure.help(help),
        None => failure,
    }
}

fn text(path: &Path) -> Result<String, Failure> {
    let bytes = std::fs::read(path)
        .map_err(|error| Failure::new(format!("cannot read {}: {error}", path.display())))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// One run of pdflatex; whether it ended well.
fn tex(folder: &Path, context: &dyn Context) -> Result<bool, Failure> {
    let arguments = [
        "-interaction=nonstopmode",
        "-halt-on-error",
        "-file-line-error",
        "-no-shell-escape",
        "main.tex",
    ];
    program("pdflatex", &arguments, folder, context)
}

fn bibtex(folder: &Path, context: &dyn Context) -> Result<(), Failure> {
    if program("bibtex", &["main"], folder, context)? {
        return Ok(());
    }
    let log = text(&folder.join("main.blg")).unwrap_or_default();
    let cited = text(&folder.join("main.aux"))
        .unwrap_or_default()
        .contains("\\citation{");
    let told: Vec<&str> = log
        .lines()
        .filter(|line| !line.starts_with("This is"))
        .take(6)
        .collect();
    // A paper that cites nothing has no bibliography, which BibTeX takes for an error.
    if cited {
        return Err(Failure::new(format!("bibtex: {}", told.join("; "))));
    }
    Ok(())
}

/// Runs a program of TeX. It reads and writes nothing outside `folder` and TeX's own tree, and the PDF
/// holds no clock: the same source gives the same bytes.
fn program(
    name: &str,
    arguments: &[&str],
    folder: &Path,
    context: &dyn Context,
) -> Result<bool, Failure> {
    let started = Command::new(name)
        .args(arguments)
        .current_dir(folder)
        .env("openin_any", "p")
        .env("openout_any", "p")
        .env("SOURCE_DATE_EPOCH", "0")
        .env("FORCE_SOURCE_DATE", "1")
        .env("max_print_line", "10000")
        .env("error_line", "254")
        .env("half_error_line", "238")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let mut child = started.map_err(|error| {
        Failure::new(format!("cannot start `{name}`: {error}")).help(
            "`kyo doctor` says how to get TeX (Debian: apt install texlive-latex-extra); `paper/set` needs none",
        )
    })?;
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status.success());
        }
        let late = begun.elapsed() > LONGEST;
        if late || context.cancelled() {
            child.kill()?;
            child.wait()?;
            return Err(Failure::passing(match late {
                true => format!("`{name}` took longer than {} s", LONGEST.as_secs()),
                false => format!("`{name}` was stopped"),
            }));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}
