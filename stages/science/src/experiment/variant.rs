//! `experiment/variant`: the program and the settings of one idea, or of the baseline.

use std::collections::BTreeMap;
use std::path::PathBuf;

use kyobashi_stage::{Call, Context, Failure, Output, Outputs, Port, Signature, Stage};
use serde_json::{Map, Value, json};

use crate::shapes::Idea;
use crate::template::Template;

pub(crate) struct Variant;

impl Stage for Variant {
    fn signature(&self) -> Signature {
        Signature {
            ins: vec![
                Port::new("template", "dir", "the template folder"),
                Port::new("idea", "Idea?", "the idea; the baseline if absent"),
                Port::new(
                    "diff",
                    "text?",
                    "a unified diff, applied to the program; settings of its own may come with it",
                ),
            ],
            with: vec![
                Port::or(
                    "overrides",
                    "json",
                    json!({}),
                    "settings that win over the template's, for both variants alike: `{steps: 500}`",
                ),
                Port::or(
                    "config",
                    "json",
                    json!({}),
                    "settings of this variant alone, over those of the idea",
                ),
            ],
            outs: vec![
                Port::new("program", "file(.py)", "the program text"),
                Port::new("config", "json", "every setting of the run"),
            ],
            ..Signature::new(
                "experiment/variant",
                1,
                "Resolve an idea to a program and its settings",
            )
        }
    }

    fn run(&self, call: &Call, context: &dyn Context) -> Result<Outputs, Failure> {
        let template = Template::read(call.path("template")?)?;
        let idea: Option<Idea> = if call.has("idea") {
            Some(call.get("idea")?)
        } else {
            None
        };
        let (program, mut config) = resolve(&template, idea.as_ref(), call.get("overrides")?)?;
        let own: Map<String, Value> = call.get("config")?;
        for (key, value) in own {
            if !call.has("diff") && idea.as_ref().is_none_or(|idea| idea.program.is_none()) {
                template.knows(&key)?;
            }
            config.insert(key, value);
        }
        let path = context.scratch().join("program.py");
        if call.has("diff") {
            let text = patched(&std::fs::read_to_string(program)?, &call.text("diff")?)?;
            std::fs::write(&path, text)?;
        } else {
            std::fs::copy(program, &path)?;
        }
        Ok(BTreeMap::from([
            ("program".to_owned(), Output::File { path }),
            ("config".to_owned(), Output::value(config)),
        ]))
    }
}

/// A text after a unified diff.
///
/// # Errors
/// If the diff is none, changes nothing, or was made of another text.
fn patched(text: &str, diff: &str) -> Result<String, Failure> {
    let patch = diffy::Patch::from_str(diff)
        .map_err(|error| Failure::new(format!("`diff` is no unified diff: {error}")))?;
    if patch.hunks().is_empty() {
        return Err(Failure::new("`diff` changes nothing")
            .help("`diff -u program.py changed.py` makes a unified diff"));
    }
    diffy::apply(text, &patch).map_err(|error| {
        Failure::new(format!(
            "`diff` does not fit the template's program: {error}"
        ))
        .help("it was made of another text; make it anew of this one")
    })
}

/// The program file and every setting of an idea, or of the baseline.
///
/// # Errors
/// If a setting is unknown, or is set by the idea and by `overrides`.
pub(super) fn resolve(
    template: &Template,
    idea: Option<&Idea>,
    overrides: Map<String, Value>,
) -> Result<(PathBuf, Map<String, Value>), Failure> {
    let mut config = template.config_of(idea)?;
    let changed = idea.and_then(|idea| idea.config.as_ref());
    for (key, value) in overrides {
        template.knows(&key)?;
        if changed.is_some_and(|patch| patch.contains_key(&key)) {
            return Err(Failure::new(format!(
                "`overrides` sets `{key}`, which is what the idea changes"
            ))
            .help("the comparison would be of the baseline with itself"));
        }
        config.insert(key, value);
    }
    Ok((template.program_of(idea)?, config))
}

#[cfg(test)]
mod tests {
    use super::patched;

    const TEXT: &str = "a\nb\nc\n";

    #[test]
    fn a_diff_is_applied_where_its_lines_stand() {
        let diff = "--- one\n+++ two\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n";
        assert_eq!(patched(TEXT, diff).unwrap(), "a\nB\nc\n");
        let moved = patched(&format!("x\ny\n{TEXT}"), diff).unwrap();
        assert_eq!(moved, "x\ny\na\nB\nc\n");
    }

    #[test]
    fn a_diff_of_another_text_and_one_that_is_none_are_refused() {
        let other = "--- one\n+++ two\n@@ -1,3 +1,3 @@\n a\n-q\n+B\n c\n";
        assert!(patched(TEXT, other).unwrap_err().message.contains("fit"));
        assert!(patched(TEXT, "hello").is_err());
        assert!(patched(TEXT, "--- one\n+++ two\n@@ nonsense\n").is_err());
    }
}
