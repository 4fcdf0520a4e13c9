//! `llm/edit`: a model changes files of a folder. It hands over patches of settings, whole files or
//! SEARCH/REPLACE pieces; all of a reply is applied or nothing, and it is told what did not fit. Attempts are
//! nodes of a `repeat`: this stage runs nothing of what it edits.

mod apply;
mod hunk;

use std::collections::BTreeMap;
use std::path::Path;

use kyobashi_stage::{Call, Context, Failure, Output, Outputs, Port, Signature, Stage};

use self::apply::{Rules, Tier, apply};
use super::ask::Ask;
use super::client::Client;
use super::prompt::{fill, names};
use super::talk::{converse, model, set, settings};

/// How often a model is told why its edit does not fit.
const REASKS: usize = 2;

pub(crate) struct Edit(pub(crate) Client);

impl Stage for Edit {
    fn signature(&self) -> Signature {
        Signature {
            ins: vec![Port::new("workspace", "dir", "the folder that is edited")],
            with: settings(vec![
                Port::new("prompt", "text", "the prompt, a MiniJinja file"),
                Port::new("system", "text?", "standing instructions, a MiniJinja file"),
                Port::new(
                    "files",
                    "list<str>",
                    "the files that may be edited, as paths in the folder",
                ),
                Port::or(
                    "edits",
                    "list<str>",
                    vec!["whole", "replace"],
                    "what a reply may hold: `patch` (of a JSON file, for fields that are there), `whole` (files), `replace` (SEARCH/REPLACE)",
                ),
            ]),
            outs: vec![
                Port::new("workspace", "dir", "the folder with the edits"),
                Port::new(
                    "diff",
                    "text",
                    "the edits as a unified diff; empty if there are none",
                ),
                Port::new("said", "text", "the whole reply"),
                Port::new(
                    "done",
                    "bool",
                    "whether the model has nothing more to change",
                ),
            ],
            model: true,
            open_ins: true,
            ..Signature::new("llm/edit", 1, "Let a model edit files of a folder")
        }
    }

    fn run(&self, call: &Call, context: &dyn Context) -> Result<Outputs, Failure> {
        let model = model(call)?;
        let names = names(call)?;
        let files: Vec<String> = call.get("files")?;
        let tiers = tiers(&call.get::<Vec<String>>("edits")?)?;
        let folder = call.path("workspace")?;
        let before = texts(folder, &files)?;
        let rules = Rules {
            files: &before,
            tiers: &tiers,
        };
        let system = if call.has("system") {
            fill(call, "system", &names)?
        } else {
            String::new()
        };
        let prompt = fill(call, "prompt", &names)?;
        let prompt = format!("{prompt}\n\n{}", rules.described());
        let mut ask = Ask {
            settings: set(call, model)?,
            sample: call.get("sample")?,
            ..Ask::new(&system, &prompt)
        };
        let read = |reply: &str| {
            let after = apply(reply, &rules)?;
            Ok(((reply.to_owned(), after), false))
        };
        let (said, after) = converse(&self.0, model, &mut ask, context, REASKS, &read)?;
        let edited = context.scratch().join("edited");
        copy(folder, &edited)?;
        let mut diff = String::new();
        for (name, text) in &after {
            let old = before.get(name).map_or("", String::as_str);
            if old == text {
                continue;
            }
            let mut options = diffy::DiffOptions::new();
            options
                .set_original_filename(format!("a/{name}"))
                .set_modified_filename(format!("b/{name}"));
            diff.push_str(&options.create_patch(old, text).to_string());
            std::fs::write(edited.join(name), text)?;
        }
        Ok(Outputs::from([
            ("workspace".to_owned(), Output::Dir { path: edited }),
            ("done".to_owned(), Output::value(diff.is_empty())),
            ("diff".to_owned(), Output::bytes(diff)),
            ("said".to_owned(), Output::bytes(said)),
        ]))
    }
}

fn tiers(words: &[String]) -> Result<Vec<Tier>, Failure> {
    let tier = |word: &String| match word.as_str() {
        "patch" => Ok(Tier::Patch),
        "whole" => Ok(Tier::Whole),
        "replace" => Ok(Tier::Replace),
        _ => Err(Failure::new(format!("`{word}` is no kind of edit"))
            .help("`edits:` takes `patch`, `whole` and `replace`")),
    };
    words.iter().map(tier).collect()
}

/// The files that may be edited, with their texts.
fn texts(folder: &Path, files: &[String]) -> Result<BTreeMap<String, String>, Failure> {
    let mut texts = BTreeMap::new();
    for name in files {
        let inside = Path::new(name)
            .components()
            .all(|part| matches!(part, std::path::Component::Normal(_)));
        if !inside || name.is_empty() {
            return Err(Failure::new(format!(
                "`{name}` under `files:` is not a path in the folder"
            )));
        }
        let text = std::fs::read_to_string(folder.join(name)).map_err(|error| {
            Failure::new(format!("`{name}` under `files:`: {error}"))
                .help("`files:` names text files of the workspace")
        })?;
        texts.insert(name.clone(), text);
    }
    Ok(texts)
}

/// Copies a folder, whose files are read-only, to one whose files can be written.
fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type()?.is_dir() {
            copy(&source, &target)?;
        } else {
            let executable = is_executable(&source)?;
            std::fs::write(&target, std::fs::read(&source)?)?;
            if executable {
                make_executable(&target)?;
            }
        }
    }
    Ok(())
}

#[cfg(unix)]
fn is_executable(path: &Path) -> Result<bool, Failure> {
    use std::os::unix::fs::PermissionsExt;
    Ok(std::fs::metadata(path)?.permissions().mode() & 0o111 != 0)
}

#[cfg(unix)]
fn make_executable(path: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::PermissionsExt;
    Ok(std::fs::set_permissions(
        path,
        std::fs::Permissions::from_mode(0o755),
    )?)
}
