//! The cases of `tests/data/problems`: a pipeline, and every problem that it must have, with its place
//! and what to do. `BLESS=1 cargo test` writes what is found now; read the difference before keeping it.
//!
//! ```text
//! --- a promise
//! @ a.yaml            the first file is checked; without any, the case is the stages of one
//! $ --set params.n=3  how it is asked
//! >>>
//! code file:line:col message | help
//! ```

use std::fs;
use std::path::Path;

use kyobashi_engine::spec::Keys;

use crate::space::{Ask, Space, told};

fn cases(file: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/problems")
        .join(file);
    let text = fs::read_to_string(&path).unwrap();
    let mut found = String::new();
    for case in text.split("--- ").skip(1) {
        let (question, _) = case.split_once(">>>\n").expect("every case has an answer");
        found += &format!("--- {question}>>>\n{}\n", answer(question));
    }
    let found = format!("{}\n", found.trim_end());
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, &found).unwrap();
    }
    let differs = text
        .lines()
        .zip(found.lines())
        .find(|(kept, found)| kept != found);
    assert!(
        differs.is_none() && text.len() == found.len(),
        "{file}: {differs:#?}\n{found}"
    );
}

fn answer(question: &str) -> String {
    let mut space = Space::folder("bad");
    let mut first = None;
    let (mut set, mut profile, mut values, mut keys) = (Vec::new(), None, None, Keys::Wanted);
    let (_, body) = question.split_once('\n').unwrap();
    let mut files: Vec<(String, String)> = Vec::new();
    for line in body.lines() {
        if let Some(path) = line.strip_prefix("@ ") {
            files.push((path.to_owned(), String::new()));
        } else if let Some(arguments) = line.strip_prefix("$ ") {
            let mut words = arguments.split(' ');
            while let Some(word) = words.next() {
                match word {
                    "--set" => set.push(words.next().unwrap()),
                    "--profile" => profile = words.next(),
                    "--values" => values = words.next(),
                    "--keys" => keys = Keys::Required,
                    "check" => first = words.next().map(str::to_owned),
                    _ => panic!("{word}"),
                }
            }
        } else {
            if files.is_empty() {
                files.push(("a.yaml".to_owned(), "kyobashi: 1\nstages:\n".to_owned()));
            }
            let (_, text) = files.last_mut().unwrap();
            *text += line;
            text.push('\n');
        }
    }
    let file = first.unwrap_or_else(|| files[0].0.clone());
    for (path, text) in files {
        space = space.file(&path, &text);
    }
    let ask = Ask {
        profile,
        values,
        set: &set,
        keys,
    };
    told(&space.ask(&file, &ask).problems).replace(" a.yaml:", " ")
}

#[test]
fn stages_say_what_is_wrong_with_them() {
    cases("stages.txt");
}

#[test]
fn fans_say_what_is_wrong_with_them() {
    cases("fans.txt");
}

#[test]
fn references_and_expressions_say_what_is_wrong_with_them() {
    cases("references.txt");
}

#[test]
fn the_head_of_a_file_says_what_is_wrong_with_it() {
    cases("head.txt");
}

#[test]
fn broken_yaml_says_where_it_is_broken() {
    cases("yaml.txt");
}

#[test]
fn components_say_what_is_wrong_with_them() {
    cases("components.txt");
}

#[test]
fn the_mock_ups_of_the_design_are_told_as_designed() {
    cases("design.txt");
}
