//! Paths that stand in a spec: which strings are paths, whether the right thing is there, and JSON
//! files that stand for values.

use std::path::Path;

use kyobashi_stage::{Shape, Type};
use serde_json::Value;
use std::collections::BTreeMap;

use super::super::report::Issue;
use super::super::source::Span;
use super::super::{FileKind, Template};
use super::reference::absent;
use super::state::Check;
use super::value::{Strings, bounds};

/// A JSON file that stands for a value becomes part of the spec, so its size is limited.
const MOST_JSON_BYTES: usize = 16 << 20;

/// Whether a string is meant as a path.
pub(super) fn meant(
    check: &mut Check<'_>,
    span: Span,
    text: &str,
    want: &Type,
    strings: Strings,
) -> bool {
    let scalar = matches!(
        want,
        Type::Str | Type::Bool | Type::Int | Type::Float | Type::Model
    );
    match strings {
        Strings::Values => want.is_path(),
        Strings::Paths => !scalar,
        Strings::PathsIfThere if scalar || text.is_empty() => false,
        Strings::PathsIfThere => {
            // Where a string would not do, a path was meant even if nothing is there.
            let path = check.beside(span.file, text);
            check.look(&path).is_some() || !Type::Str.fits(want)
        }
    }
}

/// A path beside the file that wrote it, as what is wanted, and its type.
pub(super) fn path(check: &mut Check<'_>, span: Span, text: &str, want: &Type) -> (Template, Type) {
    let path = check.beside(span.file, text);
    let Some(kind) = check.look(&path) else {
        missing(check, span, text, &path);
        return (absent(), want.clone());
    };
    let extension = path
        .extension()
        .map(|extension| format!(".{}", extension.to_string_lossy()));
    let ty = match (want, kind) {
        (Type::Any | Type::Dir, FileKind::Dir) => Type::Dir,
        (Type::Any, FileKind::File) => Type::File(extension.clone()),
        (_, FileKind::Dir) => {
            let message = format!("`{text}` is a folder, {want} is wanted");
            check.error("file::kind", span, "a folder", message);
            return (absent(), want.clone());
        }
        (Type::Dir, FileKind::File) => {
            check.error(
                "file::kind",
                span,
                "a file",
                format!("`{text}` is a file, a folder is wanted"),
            );
            return (absent(), want.clone());
        }
        (Type::File(Some(wanted)), FileKind::File) if extension.as_ref() != Some(wanted) => {
            let message = format!("`{text}` is not a `{wanted}` file");
            check.error("file::extension", span, "another kind of file", message);
            return (absent(), want.clone());
        }
        (Type::Text | Type::Table(_) | Type::File(_), FileKind::File) => want.clone(),
        (_, FileKind::File) if holds_files(want) => {
            let message = format!("`{text}` is one file, {want} is wanted");
            let issue = Issue::error("file::kind", span, "one file", message);
            check.report.add(issue.help(format!("write `[{text}]`")));
            return (absent(), want.clone());
        }
        (_, FileKind::File) => return (json(check, span, text, &path, want), want.clone()),
    };
    (Template::Path(path, ty.clone()), ty)
}

/// Whether a type is a list of what JSON cannot hold.
fn holds_files(want: &Type) -> bool {
    match want {
        Type::Optional(inner) => holds_files(inner),
        Type::List(item) => matches!(**item, Type::File(_) | Type::Table(_) | Type::Dir),
        _ => false,
    }
}

/// The folder of a path, which is here where none is named.
fn folder(path: &Path) -> &Path {
    let folder = path.parent();
    folder
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// The name in the folder of a path that its own was most likely meant to be.
pub(super) fn nearest_beside(check: &Check<'_>, path: &Path) -> Option<String> {
    let names = check.question.files.list(folder(path));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let nearest = check
        .report
        .nearest(&name, names.iter().map(String::as_str));
    nearest.map(str::to_owned)
}

/// Tells a path at which nothing is.
pub(super) fn missing(check: &mut Check<'_>, span: Span, text: &str, path: &Path) {
    let folder = folder(path);
    let help = if check.look(folder) == Some(FileKind::Dir) {
        nearest_beside(check, path).map(|nearest| {
            let meant = Path::new(text).with_file_name(nearest);
            format!("did you mean `{}`?", meant.display())
        })
    } else {
        Some(format!("there is no folder `{}`", folder.display()))
    };
    let message = format!("there is no `{text}` beside this file");
    let issue = Issue::error("file::missing", span, "not found", message);
    check.report.add(issue.help(help));
}

/// The value in a JSON file. It enters the spec as if it had been written there.
fn json(check: &mut Check<'_>, span: Span, text: &str, path: &Path, want: &Type) -> Template {
    let content = match check.question.files.read(path) {
        Ok(content) if content.len() <= MOST_JSON_BYTES => content,
        Ok(_) => {
            let message = format!("`{text}` is too large to stand for a value");
            check.error("limit::size", span, "too large", message);
            return absent();
        }
        Err(error) => {
            check.error(
                "file::unreadable",
                span,
                "here",
                format!("cannot read `{text}`: {error}"),
            );
            return absent();
        }
    };
    let value: Value = match serde_json::from_str(&content) {
        Ok(value) => value,
        Err(error) => {
            let message = format!("`{text}` is not JSON: {error}");
            let issue = Issue::error("file::json", span, format!("{want} is wanted"), message);
            check.report.add(issue);
            return absent();
        }
    };
    match conform(&check.shapes, &value, want, text) {
        Ok(()) => Template::Literal(value),
        Err(message) => {
            check.error("file::json", span, "does not fit", message);
            absent()
        }
    }
}

/// Whether plain data is of a type; if not, which part is not. `at` is the path so far.
pub(super) fn conform(
    shapes: &BTreeMap<String, Shape>,
    value: &Value,
    want: &Type,
    at: &str,
) -> Result<(), String> {
    let fits = match (want, value) {
        (Type::Any | Type::Json, _) | (Type::Optional(_), Value::Null) => true,
        (Type::Optional(inner), _) => return conform(shapes, value, inner, at),
        (Type::Bool, _) => value.is_boolean(),
        (Type::Int, _) => value.is_i64() || value.is_u64(),
        (Type::Float, _) => value.is_number(),
        (Type::Str, _) => value.is_string(),
        (Type::List(item), Value::Array(items)) => {
            for (index, member) in items.iter().enumerate() {
                conform(shapes, member, item, &format!("{at}[{index}]"))?;
            }
            true
        }
        (Type::Named(name), Value::Object(fields)) => {
            let Some(shape) = shapes.get(name) else {
                return Ok(());
            };
            for (key, field) in &shape.fields {
                let at = format!("{at}.{key}");
                match fields.get(key) {
                    Some(value) => {
                        conform(shapes, value, &field.ty, &at)?;
                        if let Some(message) = bounds(value, field) {
                            return Err(format!("`{at}` {message}"));
                        }
                    }
                    None if matches!(field.ty, Type::Optional(_)) => {}
                    None => return Err(format!("`{at}` is missing")),
                }
            }
            match fields
                .keys()
                .find(|key| !shape.open && !shape.fields.contains_key(*key))
            {
                Some(key) => return Err(format!("`{name}` has no field `{key}`")),
                None => true,
            }
        }
        _ => false,
    };
    if fits {
        Ok(())
    } else {
        Err(format!("`{at}` must be {want}"))
    }
}
