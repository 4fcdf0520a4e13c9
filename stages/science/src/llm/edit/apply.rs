//! From a reply to edited texts: all of it or nothing. Pure.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::fence::{Block, blocks};
use super::hunk::{has_hunks, hunks, replaced};

/// The largest file that may be given whole, in bytes: larger ones come back with pieces left out.
const WHOLE: usize = 32 << 10;

/// A whole file that keeps less than this part of its lines was not meant as an edit.
const KEPT: f64 = 0.4;

/// Files of fewer lines than this may change altogether.
const FEW: usize = 10;

/// Lines between these words, each of which stands in a line of its own, stay as they are.
const PROTECT: (&str, &str) = ("kyo:protect", "kyo:end");

/// What an edit may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tier {
    /// Fields of a JSON file, which are there and keep their kind.
    Patch,
    /// A whole file.
    Whole,
    /// SEARCH/REPLACE pieces.
    Replace,
}

/// What may be edited, and how.
pub(super) struct Rules<'r> {
    /// Texts by name.
    pub(super) files: &'r BTreeMap<String, String>,
    pub(super) tiers: &'r [Tier],
}

impl Rules<'_> {
    /// The rules as a model reads them.
    pub(super) fn described(&self) -> String {
        let names: Vec<&str> = self.files.keys().map(String::as_str).collect();
        let mut text = format!(
            "You may edit only: {}. Give each edit as a fenced block whose first line names the file, as in ```{}\n",
            names.join(", "),
            names.first().copied().unwrap_or("file")
        );
        for tier in self.tiers {
            text.push_str(match tier {
                Tier::Patch => "- Settings in a JSON file: a JSON object with only the fields that change.\n",
                Tier::Whole => "- A file as a whole: every line of it, with nothing left out.\n",
                Tier::Replace => "- A part of a file: one or more pieces of the form\n<<<<<<< SEARCH\nlines as they are, which must be in the file exactly once\n=======\nlines as they should be\n>>>>>>> REPLACE\n",
            });
        }
        let (begin, end) = PROTECT;
        if self.files.values().any(|text| text.contains(begin)) {
            text.push_str(&format!(
                "Lines between `{begin}` and `{end}` must stay as they are.\n"
            ));
        }
        text.push_str("If there is nothing more to change, give no block and write DONE on a line of its own.");
        text
    }
}

/// The texts after the edits of a reply; those that it does not name stay.
///
/// # Errors
/// What does not fit, in words that the model can act on; then nothing is applied.
pub(super) fn apply(reply: &str, rules: &Rules<'_>) -> Result<BTreeMap<String, String>, String> {
    let mut after = rules.files.clone();
    let mut edited = false;
    for block in blocks(reply) {
        let name = match rules.files.keys().find(|name| block.named(name)) {
            Some(name) => name,
            None => match other_file(&block) {
                Some(other) => {
                    return Err(format!(
                        "`{other}` is not among the files that may be edited"
                    ));
                }
                // A block without a file is talk.
                None => continue,
            },
        };
        if !block.closed {
            return Err(format!("the block of `{name}` has no end"));
        }
        edited = true;
        let old = &after[name];
        let new = one(name, old, &block.content, rules.tiers)?;
        protected(name, &rules.files[name], &new)?;
        after.insert(name.clone(), new);
    }
    let done = reply
        .lines()
        .any(|line| line.trim().trim_matches('*') == "DONE");
    match (edited, done) {
        (false, false) => Err("it has no block that names a file, and no line DONE".to_owned()),
        (true, _) if after == *rules.files => Err("its edits change nothing".to_owned()),
        _ => Ok(after),
    }
}

/// A file that a block names although it may not be edited.
fn other_file(block: &Block) -> Option<String> {
    let bare = |word: &str| word.trim_matches(['`', '*', ':', '#', ' ', '"']).to_owned();
    let words = block.info.split_whitespace().map(bare);
    let mut words = words.chain([bare(&block.before)]);
    words.find(|word| {
        let (stem, end) = word.rsplit_once('.').unwrap_or((word, ""));
        let path = |c: char| c.is_alphanumeric() || "_-./".contains(c);
        !stem.is_empty() && (1..=5).contains(&end.len()) && word.chars().all(path)
    })
}

fn one(name: &str, old: &str, content: &str, tiers: &[Tier]) -> Result<String, String> {
    let may = |tier| tiers.contains(&tier);
    if has_hunks(content) {
        if !may(Tier::Replace) {
            return Err(format!("`{name}`: SEARCH/REPLACE is not asked for here"));
        }
        let mut text = old.to_owned();
        for hunk in hunks(content)? {
            text = replaced(name, &text, &hunk)?;
        }
        return Ok(text);
    }
    if may(Tier::Patch) && name.ends_with(".json") {
        return patched(name, old, content);
    }
    if may(Tier::Whole) {
        return whole(name, old, content);
    }
    Err(format!(
        "`{name}`: give SEARCH/REPLACE pieces, not the whole file"
    ))
}

/// Settings with the fields of a patch over them.
fn patched(name: &str, old: &str, content: &str) -> Result<String, String> {
    let mut settings: Value =
        serde_json::from_str(old).map_err(|error| format!("`{name}` is not JSON: {error}"))?;
    let patch: Value = serde_json::from_str(content)
        .map_err(|error| format!("the patch of `{name}` is not JSON: {error}"))?;
    over(name, &mut settings, &patch)?;
    let mut text = serde_json::to_string_pretty(&settings).map_err(|error| error.to_string())?;
    text.push('\n');
    Ok(text)
}

fn over(path: &str, old: &mut Value, new: &Value) -> Result<(), String> {
    let kind = |value: &Value| match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    match (&mut *old, new) {
        (Value::Object(fields), Value::Object(patch)) => {
            for (field, value) in patch {
                let known = fields.keys().cloned().collect::<Vec<_>>().join(", ");
                let place = fields
                    .get_mut(field)
                    .ok_or_else(|| format!("`{path}` has no field `{field}`; it has {known}"))?;
                over(&format!("{path}: {field}"), place, value)?;
            }
            Ok(())
        }
        (old, new) if kind(old) == kind(new) || old.is_null() => {
            *old = new.clone();
            Ok(())
        }
        (old, new) => Err(format!("`{path}` is {}, not {}", kind(old), kind(new))),
    }
}

fn whole(name: &str, old: &str, content: &str) -> Result<String, String> {
    if old.len() > WHOLE {
        return Err(format!(
            "`{name}` is too long to be given whole ({} bytes): give SEARCH/REPLACE pieces",
            old.len()
        ));
    }
    let elided = content.lines().find(|line| {
        let line = line.trim().to_lowercase();
        let words = [
            "unchanged",
            "rest of",
            "existing code",
            "remains",
            "same as before",
        ];
        let dots = line.contains("...") || line.contains('…');
        dots && words.iter().any(|word| line.contains(word))
    });
    if let Some(line) = elided {
        return Err(format!(
            "`{name}`: `{}` stands for lines that are left out; give them all",
            line.trim()
        ));
    }
    let lines: Vec<&str> = old
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let new: std::collections::BTreeSet<&str> = content.lines().map(str::trim).collect();
    let kept = lines.iter().filter(|line| new.contains(*line)).count();
    if lines.len() >= FEW && (kept as f64) < KEPT * lines.len() as f64 {
        return Err(format!(
            "`{name}` keeps only {kept} of its {} lines; give the whole file with the edit in it",
            lines.len()
        ));
    }
    Ok(content.to_owned())
}

/// Refuses an edit of what is protected.
fn protected(name: &str, old: &str, new: &str) -> Result<(), String> {
    match regions(old) == regions(new) {
        true => Ok(()),
        false => Err(format!(
            "`{name}`: the lines between `{}` and `{}` must stay as they are, with these marks",
            PROTECT.0, PROTECT.1
        )),
    }
}

/// The protected lines, with their marks; a region that is not closed goes to the end.
fn regions(text: &str) -> Vec<&str> {
    let mut inside = false;
    let mut found = Vec::new();
    for line in text.lines() {
        inside |= line.contains(PROTECT.0);
        if inside {
            found.push(line);
        }
        if line.contains(PROTECT.1) {
            inside = false;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(reply: &str, file: (&str, &str), tiers: &[Tier]) -> Result<String, String> {
        let files = BTreeMap::from([(file.0.to_owned(), file.1.to_owned())]);
        let rules = Rules {
            files: &files,
            tiers,
        };
        apply(reply, &rules).map(|after| after[file.0].clone())
    }

    const ALL: &[Tier] = &[Tier::Patch, Tier::Whole, Tier::Replace];

    #[test]
    fn a_patch_changes_fields_that_are_there_and_keeps_their_kind() {
        let file = ("c.json", r#"{"lr": 0.1, "net": {"width": 8}}"#);
        let patch = |text: &str| edit(&format!("```c.json\n{text}\n```\n"), file, ALL);
        let new: Value =
            serde_json::from_str(&patch(r#"{"net": {"width": 16}}"#).unwrap()).unwrap();
        assert_eq!(new, serde_json::json!({"lr": 0.1, "net": {"width": 16}}));
        assert!(
            patch(r#"{"rate": 1}"#)
                .unwrap_err()
                .contains("it has lr, net")
        );
        assert!(
            patch(r#"{"lr": "fast"}"#)
                .unwrap_err()
                .contains("is a number, not a text")
        );
    }

    #[test]
    fn a_whole_file_with_lines_left_out_is_refused() {
        let old: String = (0..20).map(|n| format!("x{n} = {n}\n")).collect();
        let file = ("a.py", old.as_str());
        let reply = |text: &str| edit(&format!("```python a.py\n{text}```\n"), file, ALL);
        assert_eq!(
            reply(&old.replace("x3 = 3", "x3 = 4")).unwrap(),
            old.replace("x3 = 3", "x3 = 4")
        );
        assert!(
            reply("x0 = 1\n")
                .unwrap_err()
                .contains("keeps only 0 of its 20 lines")
        );
        let lazy = format!("{old}# ... rest of the code unchanged\n");
        assert!(reply(&lazy).unwrap_err().contains("left out"));
    }

    #[test]
    fn all_of_a_reply_fits_or_nothing_is_applied() {
        let reply = "```a.py\n<<<<<<< SEARCH\na\n=======\nb\n>>>>>>> REPLACE\n<<<<<<< SEARCH\nz\n=======\ny\n>>>>>>> REPLACE\n```\n";
        assert!(
            edit(reply, ("a.py", "a\nc\n"), ALL)
                .unwrap_err()
                .contains("does not have")
        );
        assert_eq!(edit(reply, ("a.py", "a\nz\n"), ALL).unwrap(), "b\ny\n");
        assert!(edit(reply, ("a.py", "a\nz\n"), &[Tier::Whole]).is_err());
    }

    #[test]
    fn what_is_protected_and_files_of_others_stay() {
        let old = "a = 1\n# kyo:protect\nlimit = 5\n# kyo:end\n";
        let reply = |search: &str, new: &str| {
            format!("```a.py\n<<<<<<< SEARCH\n{search}\n=======\n{new}\n>>>>>>> REPLACE\n```\n")
        };
        assert!(edit(&reply("a = 1", "a = 2"), ("a.py", old), ALL).is_ok());
        for (search, new) in [
            ("limit = 5", "limit = 9"),
            ("# kyo:protect", ""),
            ("# kyo:end", ""),
        ] {
            assert!(
                edit(&reply(search, new), ("a.py", old), ALL)
                    .unwrap_err()
                    .contains("must stay")
            );
        }
        let other = "```eval.py\nscore = 1\n```\n";
        assert!(
            edit(other, ("a.py", old), ALL)
                .unwrap_err()
                .contains("`eval.py` is not among")
        );
    }

    #[test]
    fn a_reply_without_an_edit_says_that_it_is_done() {
        assert_eq!(
            edit("All is well.\nDONE\n", ("a.py", "a\n"), ALL).unwrap(),
            "a\n"
        );
        assert!(edit("All is well.", ("a.py", "a\n"), ALL).is_err());
    }
}
