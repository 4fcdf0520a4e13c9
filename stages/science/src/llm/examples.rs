//! Papers with reviews, shown to a reviewer before its own paper: a folder with one folder each, in the
//! order of their names, holding `paper.md` and `review.json`. It does not know how they are shown.

use std::path::{Path, PathBuf};

use kyobashi_stage::Failure;
use serde::Serialize;
use serde_json::Value;

use super::form::Form;

/// One paper with its review.
#[derive(Debug, Serialize)]
pub(super) struct Example {
    /// The name of its folder.
    pub(super) name: String,
    pub(super) paper: String,
    /// The filled form, in the order of the form's fields.
    pub(super) review: String,
}

/// The first `n` examples of a folder.
///
/// # Errors
/// If there are fewer, or one lacks a file or does not fill in the form.
pub(super) fn examples(folder: &Path, n: usize, form: &Form) -> Result<Vec<Example>, Failure> {
    let mut folders: Vec<PathBuf> = std::fs::read_dir(folder)?
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    if folders.len() < n {
        return Err(Failure::new(format!(
            "{n} examples of reviews were asked for, and the folder holds {}",
            folders.len()
        ))
        .help("lower `examples`, or add folders with a `paper.md` and a `review.json` each"));
    }
    folders.truncate(n);
    folders.iter().map(|path| example(path, form)).collect()
}

fn example(path: &Path, form: &Form) -> Result<Example, Failure> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let read = |file: &str| {
        std::fs::read_to_string(path.join(file)).map_err(|error| {
            Failure::new(format!("example `{name}`: cannot read `{file}`: {error}"))
        })
    };
    let broken = |why: String| Failure::new(format!("example `{name}`: its `review.json` {why}"));
    let value: Value = serde_json::from_str(&read("review.json")?)
        .map_err(|error| broken(format!("is no JSON: {error}")))?;
    form.check(&value)
        .map_err(|why| broken(format!("does not fill in the form `{}`: {why}", form.name)))?;
    let fields = form.fields.iter().map(|field| {
        let shown = value.get(&field.name).unwrap_or(&Value::Null).to_string();
        format!("  \"{}\": {shown}", field.name)
    });
    Ok(Example {
        name: name.clone().into_owned(),
        paper: read("paper.md")?.trim().to_owned(),
        review: format!("{{\n{}\n}}", fields.collect::<Vec<_>>().join(",\n")),
    })
}
