//! What people and programs see of problems. The texts stand in `shown/`; `BLESS=1 cargo test` writes
//! them anew: read the difference before keeping it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use kyobashi_engine::spec::{Checked, FileKind, Files, Keys, Question, check};

use super::*;

struct Space(BTreeMap<PathBuf, String>);

impl Files for Space {
    fn read(&self, path: &Path) -> std::io::Result<String> {
        let file = self.0.get(path).cloned();
        file.ok_or_else(|| std::io::Error::from(std::io::ErrorKind::NotFound))
    }

    fn look(&self, path: &Path) -> Option<FileKind> {
        self.0.contains_key(path).then_some(FileKind::File)
    }

    fn list(&self, _: &Path) -> Vec<String> {
        Vec::new()
    }
}

fn checked(files: &[(&str, &str)], set: &[&str]) -> Checked {
    let set: Vec<String> = set.iter().map(|set| (*set).to_owned()).collect();
    let space = files
        .iter()
        .map(|(path, text)| (PathBuf::from(path), (*text).to_owned()));
    check(&Question {
        file: Path::new(files[0].0),
        profile: None,
        values: None,
        set: &set,
        signatures: &BTreeMap::new(),
        shapes: &BTreeMap::new(),
        providers: &BTreeMap::new(),
        files: &Space(space.collect()),
        keys: Keys::Required,
        pools: &|_| None,
        editor: None,
    })
}

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A faulty pipeline of the checker's tests.
fn bad(name: &str) -> Checked {
    let text = std::fs::read_to_string(here("engine/core/tests/data/bad").join(name)).unwrap();
    checked(&[(name, &text), ("tools/experiment.py", "")], &[])
}

fn same(name: &str, found: &str) {
    let path = here("engine/cli/problems/shown").join(name);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, found).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap();
    assert_eq!(found, kept, "{name} is shown in another way");
}

fn shown(checked: &Checked) -> String {
    render(checked, Format::Text, false)
}

#[test]
fn a_circle_is_drawn_with_every_edge() {
    same("cycle.txt", &shown(&bad("cycle.yaml")));
}

#[test]
fn wide_characters_do_not_move_the_caret() {
    same("misc.txt", &shown(&bad("misc.yaml")));
}

#[test]
fn an_unquoted_reference_is_underlined_whole() {
    same("flow.txt", &shown(&bad("flow.yaml")));
}

#[test]
fn a_label_in_another_file_has_a_snippet_of_its_own() {
    let main = "kyobashi: 1\nimport: {c: c.yaml}\nstages:\n  s: {uses: c}\n";
    let component = "kyobashi: 1\ninputs:\n  n: int\nstages: {}\n";
    let found = checked(&[("a.yaml", main), ("c.yaml", component)], &["params.x=1"]);
    same("component.txt", &shown(&found));
}

fn many() -> Checked {
    let stages: String = (0..27)
        .map(|stage| format!("  s{stage}: {{run: echo, memory: 1}}\n"))
        .collect();
    checked(
        &[("a.yaml", &format!("kyobashi: 1\nstages:\n{stages}"))],
        &[],
    )
}

#[test]
fn twenty_problems_are_shown_and_the_rest_is_counted() {
    let text = shown(&many());
    assert_eq!(text.matches("error[spec::unknown_key]").count(), 20);
    assert!(text.ends_with("\nand 7 more\n\n27 errors\n"), "{text}");
}

#[test]
fn a_very_long_line_is_named_and_not_drawn() {
    let line = format!("x: {}", "y".repeat(1000));
    let found = checked(
        &[(
            "a.yaml",
            &format!("kyobashi: 1\nstages: {{}}\n{{{line}}}\n"),
        )],
        &[],
    );
    assert!(!shown(&found).contains("yyyy"));
}

#[test]
fn colour_is_only_where_it_is_asked_for() {
    let found = bad("flow.yaml");
    assert!(!shown(&found).contains('\u{1b}'));
    let colored = render(&found, Format::Text, true);
    assert!(
        colored.starts_with("\u{1b}[1;31merror[yaml::unquoted_ref]\u{1b}[0m flow.yaml:8:13  "),
        "{colored}"
    );
}

#[test]
fn json_is_an_array_of_six_fields() {
    let found: Value =
        serde_json::from_str(&render(&bad("flow.yaml"), Format::Json, true)).unwrap();
    let wanted = json!([{
        "code": "yaml::unquoted_ref",
        "file": "flow.yaml",
        "line": 8,
        "col": 13,
        "message": "`${…}` must be quoted inside [ ] and { }",
        "help": "write \"${a.t}\"",
    }]);
    assert_eq!(found, wanted);
    assert_eq!(
        render(
            &checked(&[("a.yaml", "kyobashi: 1\nstages: {}\n")], &[]),
            Format::Json,
            false
        ),
        "[]\n"
    );
}

#[test]
fn json_holds_every_problem() {
    let found: Value = serde_json::from_str(&render(&many(), Format::Json, false)).unwrap();
    assert_eq!(found.as_array().unwrap().len(), 27);
}

#[test]
fn sarif_points_at_rules_and_at_every_place() {
    let found: Value =
        serde_json::from_str(&render(&bad("cycle.yaml"), Format::Sarif, false)).unwrap();
    let run = &found["runs"][0];
    let result = &run["results"][0];
    assert_eq!(run["tool"]["driver"]["rules"][0]["id"], result["ruleId"]);
    assert_eq!(
        (&result["ruleId"], &result["level"]),
        (&json!("graph::cycle"), &json!("error"))
    );
    let region = &result["locations"][0]["physicalLocation"]["region"];
    assert_eq!(*region, json!({"startLine": 11, "startColumn": 15}));
    assert_eq!(result["relatedLocations"].as_array().unwrap().len(), 2);
    assert_eq!(uri("図/a b.yaml"), "%E5%9B%B3/a%20b.yaml");
}

#[test]
fn sarif_gives_the_command_line_no_file() {
    let found = checked(&[("a.yaml", "kyobashi: 1\nstages: {}\n")], &["params.x=1"]);
    let found: Value = serde_json::from_str(&render(&found, Format::Sarif, false)).unwrap();
    assert_eq!(found["runs"][0]["results"][0]["locations"], json!([]));
}

#[test]
fn github_gets_one_escaped_line_for_each_problem() {
    let text = render(&bad("misc.yaml"), Format::Github, false);
    assert_eq!(text.lines().count(), 5);
    let first = "::error file=misc.yaml,line=5,col=45,title=ref%3A%3Aunknown_param::no param `lrr`%0Ahelp: did you mean `lr`?";
    assert_eq!(text.lines().next(), Some(first));
    assert!(text.contains("::warning file=misc.yaml,line=6,col=52,"));
}
