//! Every code that `kyo check` can tell, each with an example: the cases of the checker's own tests.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

use regex::Regex;

use crate::space::home;

/// What the part of a code before `::` is about.
const GROUPS: &[(&str, &str)] = &[
    ("component", "Files with `inputs:`, which others import."),
    ("defaults", "Rules by stage type."),
    ("expr", "The form of expressions in `${ }`."),
    ("file", "Files that a pipeline names."),
    ("foreach", "Fan-outs over a list."),
    ("graph", "What depends on what."),
    ("import", "Imports."),
    ("limit", "Sizes that no pipeline needs."),
    ("matrix", "Fan-outs over combinations."),
    ("model", "Roles and who plays them."),
    ("param", "Parameters."),
    ("pool", "What stages occupy while they run."),
    ("port", "Inputs, settings and outputs of stage types."),
    ("profile", "Profiles."),
    ("prompt", "Prompt files."),
    ("ref", "References to what is not there."),
    ("repeat", "Loops."),
    ("run", "Scripts."),
    ("secret", "Secrets."),
    ("set", "Values from outside."),
    ("spec", "Keys and their values."),
    ("type", "Types."),
    ("yaml", "YAML itself."),
];

/// Codes whose examples would fill pages or depend on the machine, in words.
const IN_WORDS: &[(&str, &str)] = &[
    (
        "limit::aliases",
        "Aliases that would grow a small file into a huge one.",
    ),
    (
        "limit::imports",
        "Imports of imports, deeper than anyone can follow.",
    ),
    (
        "limit::nesting",
        "Lists and maps in each other, deeper than anyone can follow.",
    ),
    (
        "limit::nodes",
        "A file with more values than can be checked while one types.",
    ),
    (
        "limit::problems",
        "Only the first problems are told; mend them, then check again.",
    ),
    (
        "limit::size",
        "A pipeline, a prompt or a file of data that is too large to be one.",
    ),
    (
        "limit::stages",
        "More stages, with those of imports, than can be checked while one types.",
    ),
    (
        "pool::machine",
        "Under `pools:` stands a name that the machine itself gives, such as `cpu`.",
    ),
    (
        "pool::twice",
        "A thing stands in its pool twice, so two stage runs would have it at once.",
    ),
    (
        "pool::unmet",
        "A stage asks for more than there is here, so it could never run.",
    ),
];

/// Shown per code.
const MOST: usize = 3;

struct Case {
    source: String,
    message: String,
    help: String,
}

pub(super) fn text() -> String {
    let mut cases = cases();
    for (code, words) in IN_WORDS {
        cases.entry((*code).to_owned()).or_default().push(Case {
            source: String::new(),
            message: (*words).to_owned(),
            help: String::new(),
        });
    }
    let known = codes();
    let shown: BTreeSet<String> = cases.keys().cloned().collect();
    let without: Vec<&String> = known.difference(&shown).collect();
    assert!(
        without.is_empty(),
        "codes without a case in engine/core/tests/data/problems: {without:?}"
    );
    let mut page = String::from(
        "# Problems\n\nThe codes that stand in brackets in `error[code] file:line:col`, each with examples. Made from the cases of the checker's tests, which have stage types of their own. A case without `kyobashi: 1` is a part of `stages:`.\n",
    );
    let mut last = "";
    for (code, cases) in &cases {
        let (group, _) = code.split_once("::").unwrap();
        let says = GROUPS.iter().find(|(name, _)| *name == group);
        let (group, says) =
            says.unwrap_or_else(|| panic!("what is `{group}::` about? add it to GROUPS"));
        if last != *group {
            let _ = write!(page, "\n## {group}\n\n{says}\n");
            last = group;
        }
        let _ = write!(page, "\n### {code}\n");
        for case in cases.iter().take(MOST) {
            let _ = write!(page, "\n{}\n", sentence(case));
            if !case.source.is_empty() {
                let _ = write!(page, "\n```text\n{}\n```\n", case.source);
            }
        }
    }
    page
}

fn sentence(case: &Case) -> String {
    let message = escape(&case.message);
    if IN_WORDS.iter().any(|(_, words)| *words == case.message) {
        return message;
    }
    match case.help.as_str() {
        "" => format!("> {message}"),
        help => format!("> {message}\\\n> help: {}", escape(help)),
    }
}

/// Outside of code, a `<` would begin a tag.
fn escape(text: &str) -> String {
    let mut inside = false;
    let mut out = String::new();
    for letter in text.chars() {
        match letter {
            '`' => inside = !inside,
            '<' | '*' | '[' if !inside => out.push('\\'),
            _ => {}
        }
        out.push(letter);
    }
    out
}

/// The cases by code; short sources first come first.
fn cases() -> BTreeMap<String, Vec<Case>> {
    let mut found: BTreeMap<String, Vec<Case>> = BTreeMap::new();
    let told = Regex::new(r"^(?:warning )?([a-z]+::[a-z_]+) (?:.*?:)?\d+:\d+ (.*)$").unwrap();
    let folder = home().join("engine/core/tests/data/problems");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        for case in text.split("--- ").skip(1) {
            let (question, answer) = case.split_once(">>>\n").unwrap();
            let source = source(question);
            for line in answer.lines() {
                let Some(parts) = told.captures(line) else {
                    continue;
                };
                let (message, help) = parts[2].split_once(" | ").unwrap_or((&parts[2], ""));
                let cases = found.entry(parts[1].to_owned()).or_default();
                if cases.iter().all(|case| case.message != message) {
                    cases.push(Case {
                        source: source.clone(),
                        message: message.to_owned(),
                        help: help.to_owned(),
                    });
                }
            }
        }
    }
    for cases in found.values_mut() {
        cases.sort_by_key(|case| {
            (
                case.source.is_empty(),
                case.source.lines().count() > 12,
                case.source.lines().count(),
            )
        });
    }
    found
}

/// A case as one would write it: files by their names, without what only the test needs.
fn source(question: &str) -> String {
    let (_, body) = question.split_once('\n').unwrap();
    let mut text = String::new();
    for line in body.lines() {
        match (line.strip_prefix("@ "), line.strip_prefix("$ ")) {
            (Some(file), _) if !body.contains("$ check") => {
                let _ = writeln!(text, "# {file}");
            }
            (Some(_), _) => {}
            (_, Some(arguments)) => {
                let _ = writeln!(text, "$ kyo check a.yaml {arguments}");
            }
            _ => {
                let _ = writeln!(text, "{line}");
            }
        }
    }
    // A case that asks about a file of its own beside the tests cannot be read without it.
    if body.contains("$ check") || text.lines().count() > 30 {
        return String::new();
    }
    text.trim_end().to_owned()
}

/// Every code in the sources of the checker.
fn codes() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let code = Regex::new(r#""([a-z]+::[a-z_]+)""#).unwrap();
    gather(&home().join("engine/core/src"), &code, &mut found);
    assert!(found.len() > 50, "{found:?}");
    found
}

fn gather(dir: &Path, code: &Regex, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            gather(&path, code, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let text = text.split("#[cfg(test)]").next().unwrap();
            found.extend(code.captures_iter(text).map(|parts| parts[1].to_owned()));
        }
    }
}
