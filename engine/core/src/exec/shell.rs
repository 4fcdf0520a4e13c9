//! Runs a `run:` stage: the script verbatim, in a process group of its own, in its scratch folder.
//!
//! Data and settings reach it as environment variables: a file or folder as its path, a scalar as its
//! text, anything else as JSON. The name of an output is the path to write.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use kyobashi_stage::{Call, Datum, Failure, Output, Outputs, Port, Type};
use serde_json::Value;

use super::{Job, Script};
use crate::spec::SHELL;

/// How much of a command's log a failure quotes, bytes.
const TAIL: u64 = 4096;

/// Free bytes under which a disk counts as full.
const LEAST: u64 = 64 * 1024;

/// Runs the script and collects what it wrote.
pub(super) fn run(
    job: &Job,
    script: &Script,
    environment: &BTreeMap<String, String>,
) -> Result<Outputs, Failure> {
    // What the script says goes into the log in its order; where it is an output, it is kept apart.
    let errors = match script.may_fail {
        true => Some(apart(&job.scratch)?),
        false => None,
    };
    let stderr = errors.as_ref().unwrap_or(&job.log).try_clone()?;
    let mut variables = Variables::new();
    for (name, value) in environment {
        variables.insert(name.clone(), value.into());
    }
    for (name, datum) in job.call.ins.iter().chain(&job.call.with) {
        variables.insert(name.clone(), variable(datum, &job.scratch, name)?);
    }
    let things = super::things::variables(&job.things);
    let texts = things.into_iter();
    let texts = texts.chain(script.env.clone()).chain(job.secrets.clone());
    variables.extend(texts.map(|(name, text)| (name, text.into())));
    variables.insert(super::tree::MARK.to_owned(), job.scratch.clone().into());
    for port in outputs(&job.call, script) {
        let path = job.scratch.join(out_name(port));
        if port.ty == Type::Dir {
            std::fs::create_dir_all(&path)?;
        }
        variables.insert(port.name.clone(), path.into());
    }
    let (mut child, bare) = start(job, script, &variables, &stderr)?;
    let leader = child.id().cast_signed();
    job.cancel.watch(leader);
    let status = child.wait();
    job.cancel.unwatch();
    super::tree::sweep(leader, &job.scratch);
    let status = status?;
    if let Some(mut errors) = errors.as_ref() {
        errors.rewind()?;
        std::io::copy(&mut errors, &mut &job.log)?;
    }
    if job.cancel.asked() {
        return Err(quoting("cancelled".to_owned(), &job.log));
    }
    if !status.success() && !script.may_fail {
        let how = match (status.code(), status.signal()) {
            (Some(code), _) => format!("exit code {code}"),
            (None, Some(signal)) => format!("killed by signal {signal}"),
            _ => "ended abnormally".to_owned(),
        };
        let failure = quoting(how, &job.log);
        return Err(match full(&job.scratch) {
            true => failure.help(format!(
                "the disk of {} is full: free some space, or choose another place with `--store`",
                job.scratch.display()
            )),
            false => failure,
        });
    }
    let mut made = Outputs::new();
    for port in outputs(&job.call, script) {
        match read(port, &job.scratch.join(out_name(port))) {
            Ok(output) => {
                made.insert(port.name.clone(), output);
            }
            Err(_) if script.may_fail && !status.success() => {}
            Err(failure) => {
                return Err(Failure {
                    message: quoting(failure.message, &job.log).message,
                    ..failure
                });
            }
        }
    }
    if script.may_fail {
        made.insert("ok".to_owned(), Output::value(status.success()));
        let code = match status.signal() {
            // As the shell says it.
            Some(signal) if bare => 128 + signal,
            _ => status.code().unwrap_or(-1),
        };
        made.insert("exit".to_owned(), Output::value(code));
        let stderr = errors.as_ref().map(tail).transpose()?;
        made.insert(
            "stderr".to_owned(),
            Output::bytes(stderr.unwrap_or_default()),
        );
    }
    Ok(made)
}

/// What a script finds in its environment.
type Variables = BTreeMap<String, OsString>;

/// Starts the script. Says whether that was done without a shell.
fn start(
    job: &Job,
    script: &Script,
    variables: &Variables,
    stderr: &File,
) -> Result<(Child, bool), Failure> {
    let path = variables.get("PATH").map(OsString::as_os_str);
    let launch = |program: &str, arguments: &[OsString], bare: bool| {
        let found = super::program::find(program, path);
        let mut command = Command::new(found.as_deref().unwrap_or(Path::new(program)));
        command.arg0(program).args(arguments);
        command.current_dir(&job.scratch);
        command.env_clear().envs(variables);
        if bare {
            // A shell would have said so.
            command.env("PWD", &job.scratch);
        }
        command
            .stdin(Stdio::null())
            .stdout(job.log.try_clone()?)
            .stderr(stderr.try_clone()?)
            .process_group(0);
        command.spawn()
    };
    if script.shell == SHELL
        && let Some(words) = super::plain::words(&script.text, |name| {
            variables.get(name).map(OsString::as_os_str)
        })
        && let Some((program, arguments)) = words.split_first()
        && let Some(program) = program.to_str()
        && super::program::find(program, path).is_some()
        // What cannot be started in this way is left to the shell, which says why in its own words.
        && let Ok(child) = launch(program, arguments, true)
    {
        return Ok((child, true));
    }
    let [program, arguments @ ..] = script.shell.as_slice() else {
        return Err(Failure::new("`shell` is empty"));
    };
    let mut arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
    arguments.push(OsString::from(&script.text));
    let child = launch(program, &arguments, false)
        .map_err(|error| Failure::new(format!("cannot start `{program}`: {error}")))?;
    Ok((child, false))
}

/// The outputs that the script itself writes.
fn outputs<'a>(call: &'a Call, script: &Script) -> impl Iterator<Item = &'a Port> {
    let given = script.may_fail;
    call.outs
        .iter()
        .filter(move |port| !(given && matches!(port.name.as_str(), "ok" | "exit" | "stderr")))
}

/// The file name of an output: its name, with the extension that its type asks for.
fn out_name(port: &Port) -> String {
    match &port.ty {
        Type::File(Some(extension)) => format!("{}{extension}", port.name),
        _ => port.name.clone(),
    }
}

/// An input as the text of an environment variable.
fn variable(datum: &Datum, scratch: &Path, name: &str) -> Result<std::ffi::OsString, Failure> {
    Ok(match datum {
        Datum::File { path, .. } | Datum::Dir { path, .. } => path.clone().into_os_string(),
        Datum::Value {
            value: Value::String(text),
        } => text.into(),
        Datum::Value { value: Value::Null } => String::new().into(),
        Datum::Value {
            value: value @ (Value::Bool(_) | Value::Number(_)),
        } => value.to_string().into(),
        // Structures can be long: they come as a file.
        Datum::Value { value } => {
            let path = scratch.join(format!(".{name}.json"));
            std::fs::write(&path, value.to_string())?;
            path.into_os_string()
        }
        Datum::List { .. } | Datum::Grid { .. } => {
            let path = scratch.join(format!(".{name}.json"));
            std::fs::write(&path, listed(datum).to_string())?;
            path.into_os_string()
        }
    })
}

/// A list as JSON: files by their paths, cells with their coordinates.
fn listed(datum: &Datum) -> Value {
    match datum {
        Datum::Value { value } => value.clone(),
        Datum::File { path, .. } | Datum::Dir { path, .. } => path.display().to_string().into(),
        Datum::List { items } => items.iter().map(listed).collect(),
        Datum::Grid { cells, .. } => cells
            .iter()
            .map(|cell| serde_json::json!({ "at": cell.at, "value": listed(&cell.datum) }))
            .collect(),
    }
}

/// Reads an output as its type says.
fn read(port: &Port, path: &Path) -> Result<Output, Failure> {
    let name = &port.name;
    let Ok(found) = path.metadata() else {
        if path.is_symlink() {
            let told = format!("output `{name}` is a symbolic link that leads to no file");
            return Err(Failure::new(told).help(format!(
                "write the output `{name}` itself to the path in ${name}"
            )));
        }
        return match port.ty {
            Type::Optional(_) => Ok(Output::value(Value::Null)),
            _ => Err(Failure::new(format!("the script did not write `${name}`"))
                .help(format!("write the output `{name}` to the path in ${name}"))),
        };
    };
    // To open a pipe would wait for its writer, and a device may have no end.
    if port.ty != Type::Dir && !found.is_file() {
        let (what, help) = match found.is_dir() {
            true => ("a folder", format!("declare it as `{name}: dir`")),
            false => (
                "a pipe, a socket or a device",
                format!("write a file to the path in ${name}"),
            ),
        };
        let told = format!("output `{name}` is {what}, and declared as {}", port.ty);
        return Err(Failure::new(told).help(help));
    }
    match &port.ty {
        Type::Dir => Ok(Output::Dir {
            path: path.to_owned(),
        }),
        Type::Text | Type::Table(_) | Type::File(_) => Ok(Output::File {
            path: path.to_owned(),
        }),
        ty => {
            let text = std::fs::read_to_string(path)
                .map_err(|error| Failure::new(format!("output `{name}`: {error}")))?;
            let text = text.trim();
            let value = match ty {
                Type::Str => Some(Value::from(text)),
                Type::Int => text.parse::<i64>().ok().map(Value::from),
                Type::Float => text
                    .parse::<f64>()
                    .ok()
                    .filter(|x| x.is_finite())
                    .map(Value::from),
                _ => serde_json::from_str(text).ok(),
            };
            value.map(Output::value).ok_or_else(|| {
                let start: String = text.chars().take(60).collect();
                Failure::new(format!("output `{name}` is not {ty}: `{start}`"))
            })
        }
    }
}

/// A failure that another try may not meet, with the end of the log.
fn quoting(how: String, log: &File) -> Failure {
    // A log that cannot be read takes nothing from what is known.
    let said = tail(log).unwrap_or_default();
    match said.trim_end() {
        "" => Failure::passing(how),
        said => Failure::passing(format!("{how}\n{said}")),
    }
}

/// Whether less is free on the disk of a folder than a script's own messages need.
pub(crate) fn full(dir: &Path) -> bool {
    nix::sys::statvfs::statvfs(dir)
        .is_ok_and(|disk| disk.blocks_available() * disk.fragment_size() < LEAST)
}

/// A file for the standard error of a script that may fail.
fn apart(scratch: &Path) -> std::io::Result<File> {
    let path = scratch.join(".stderr");
    let mut options = File::options();
    options.create_new(true).read(true).append(true).open(path)
}

/// The end of a log, as text.
fn tail(mut file: &File) -> std::io::Result<String> {
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
    let mut bytes = Vec::new();
    file.take(TAIL).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
