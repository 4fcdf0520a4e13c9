//! A prompt: a MiniJinja file filled with what its stage was given.
//!
//! Values enter as they are, texts and tables by their content, folders as a map from path to content,
//! and the cells of a matrix as `{at, value}`. A name that is not there is an error, not an empty text.

use std::collections::BTreeMap;
use std::path::Path;

use kyobashi_stage::{Call, Datum, Failure};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior};
use serde_json::{Map, Value, json};

/// Bytes that one input may bring into a prompt: more than any model reads.
const MOST: u64 = 8 << 20;

/// What a prompt can name: the inputs and the settings of a call.
///
/// # Errors
/// If a file cannot be read, is not text, or is too large.
pub(crate) fn names(call: &Call) -> Result<Map<String, Value>, Failure> {
    let mut names = Map::new();
    for (name, datum) in call.with.iter().chain(&call.ins) {
        if matches!(name.as_str(), "prompt" | "system" | "images") {
            continue;
        }
        names.insert(name.clone(), shown(name, datum)?);
    }
    Ok(names)
}

/// The prompt in the file of a port, filled in.
///
/// # Errors
/// Where in the prompt something is missing or wrong.
pub(crate) fn fill(call: &Call, port: &str, names: &Map<String, Value>) -> Result<String, Failure> {
    let text = call.text(port)?;
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    // A `{% … %}` on a line of its own leaves no empty line.
    let syntax = SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .build()
        .map_err(|error| Failure::bug(error.to_string()))?;
    environment.set_syntax(syntax);
    let filled = environment.render_named_str(port, &text, Serde(names));
    let filled = filled.map_err(|error| {
        let line = error
            .line()
            .map(|line| format!(", line {line}"))
            .unwrap_or_default();
        let detail = error.detail().map_or_else(
            || error.kind().to_string(),
            |detail| format!("{}: {detail}", error.kind()),
        );
        Failure::new(format!("the `{port}`{line}: {detail}"))
            .help("a prompt names what stands under `in:` and `with:`, field by field")
    })?;
    Ok(filled.trim().to_owned())
}

fn shown(name: &str, datum: &Datum) -> Result<Value, Failure> {
    Ok(match datum {
        Datum::Value { value } => value.clone(),
        Datum::File { path, .. } => Value::String(text(name, path)?),
        Datum::Dir { path, .. } => {
            let mut files = BTreeMap::new();
            folder(name, path, path, &mut files)?;
            json!(files)
        }
        Datum::List { items } => items
            .iter()
            .map(|item| shown(name, item))
            .collect::<Result<Vec<_>, _>>()?
            .into(),
        Datum::Grid { cells, .. } => cells
            .iter()
            .map(|cell| Ok(json!({"at": cell.at, "value": shown(name, &cell.datum)?})))
            .collect::<Result<Vec<_>, Failure>>()?
            .into(),
    })
}

fn text(name: &str, path: &Path) -> Result<String, Failure> {
    let large = std::fs::metadata(path).is_ok_and(|metadata| metadata.len() > MOST);
    if large {
        return Err(Failure::new(format!(
            "`{name}` is too large for a prompt: more than {} MiB",
            MOST >> 20
        )));
    }
    let bytes = std::fs::read(path)
        .map_err(|error| Failure::new(format!("cannot read `{name}`: {error}")))?;
    String::from_utf8(bytes).map_err(|_| {
        Failure::new(format!("`{name}` is not text, so it cannot enter a prompt"))
            .help("pictures are given as `images:`")
    })
}

fn folder(
    name: &str,
    root: &Path,
    dir: &Path,
    files: &mut BTreeMap<String, String>,
) -> Result<(), Failure> {
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            folder(name, root, &path, files)?;
            continue;
        }
        let own = path
            .strip_prefix(root)
            .unwrap_or(&path)
            .display()
            .to_string();
        // Pictures and weights beside the texts are not for a prompt.
        if let Ok(text) = text(&format!("{name}/{own}"), &path) {
            files.insert(own, text);
        }
    }
    Ok(())
}

/// A paper as it stands between `<paper>` and `</paper>`: it cannot close its own delimiter.
pub(crate) fn enclosed(paper: &str) -> String {
    let open = paper
        .replace("</paper>", "</ paper>")
        .replace("<paper>", "< paper>");
    open.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(prompt: &str, ins: &[(&str, Value)]) -> Call {
        let data = |pairs: &[(&str, Value)]| {
            let pairs = pairs.iter();
            pairs
                .map(|(name, value)| ((*name).to_owned(), Datum::value(value.clone())))
                .collect()
        };
        Call {
            uses: "llm/chat".to_owned(),
            ins: data(ins),
            with: data(&[("prompt", prompt.into()), ("sample", 2.into())]),
            model: None,
            outs: Vec::new(),
            shapes: BTreeMap::new(),
        }
    }

    fn filled(prompt: &str, ins: &[(&str, Value)]) -> Result<String, Failure> {
        let call = call(prompt, ins);
        fill(&call, "prompt", &names(&call)?)
    }

    #[test]
    fn inputs_enter_by_value_and_a_missing_field_is_an_error_with_its_line() {
        let review = (
            "review",
            json!({"summary": "short & <b>", "points": ["a", "b"]}),
        );
        let text = filled(
            "{{ review.summary }} {{ sample }}\n{% for p in review.points %}\n- {{ p }}\n{% endfor %}",
            std::slice::from_ref(&review),
        );
        assert_eq!(text.unwrap(), "short & <b> 2\n- a\n- b");
        let error = filled("one\n{{ review.sumary }}", &[review]).err().unwrap();
        assert!(error.message.contains("line 2"), "{error:?}");
    }
}
