//! The reference of the book is made from the code: help texts, the schema of files, the signatures of
//! stage types, the cases of the checker's own tests. Each test compares the page in memory with the one
//! in the repository; `BLESS=1 cargo test reference` writes the pages.

#[path = "reference/commands.rs"]
mod commands;
#[path = "reference/file_keys.rs"]
mod file_keys;
#[path = "reference/problems.rs"]
mod problems;
#[path = "reference/stage_types.rs"]
mod stage_types;

use crate::space::home;

/// Compares a page with the one in the repository.
fn page(name: &str, text: &str) {
    let path = home().join("docs/reference").join(name);
    let text = format!("{}\n", text.trim_end());
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = kept
        .lines()
        .zip(text.lines())
        .find(|(kept, text)| kept != text);
    assert!(
        kept == text,
        "docs/reference/{name} is not what the code says: {differs:#?}\n`BLESS=1 cargo test reference` writes it"
    );
}

/// A cell of a Markdown table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

#[test]
fn the_commands_are_as_their_help_says() {
    page("commands.md", &commands::text());
    page("exit-codes.md", &commands::exit_codes());
}

#[test]
fn the_keys_of_files_are_those_of_the_schema() {
    page("file-keys.md", &file_keys::text());
}

#[test]
fn every_stage_type_is_shown_with_its_ports() {
    page("stage-types.md", &stage_types::text());
}

#[test]
fn every_problem_is_shown_by_an_example() {
    page("problems.md", &problems::text());
}
