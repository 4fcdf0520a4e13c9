//! The LaTeX twin of a paper.

use std::path::PathBuf;

use kyobashi_stage::Output;
use serde_json::{Value, json};

use crate::desk::{Desk, list};

const SVG: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" width="238pt" height="100pt" viewBox="0 0 238 100"><path d="M10 10L228 90" stroke="#0072B2"/></svg>"##;

fn desk() -> Desk {
    Desk::default()
        .with("draft", include_str!("data/draft.md"))
        .with(
            "results",
            serde_json::from_str::<Value>(include_str!("data/results.json")).unwrap(),
        )
        .with("bibliography", include_str!("data/works.bib"))
        .datum("figures", list(&[SVG]))
        .with("figure_names", json!(["curves"]))
}

fn written(desk: &Desk) -> (tempfile::TempDir, PathBuf) {
    let scratch = tempfile::tempdir().unwrap();
    let outputs = desk.run_in("paper/latex", scratch.path()).unwrap();
    let Output::Dir { path } = &outputs["source"] else {
        panic!("a folder is written")
    };
    let path = path.clone();
    (scratch, path)
}

#[test]
fn numbers_are_macros_whose_values_lie_in_a_file_of_their_own() {
    let (_scratch, source) = written(&desk());
    let main = std::fs::read_to_string(source.join("main.tex")).unwrap();
    let numbers = std::fs::read_to_string(source.join("numbers.tex")).unwrap();
    assert!(
        main.contains(r"circle & \val{7} & \textbf{\val{8}} & \val{9} \\"),
        "{main}"
    );
    assert!(
        !main.contains("0.441") && !main.contains("0.409"),
        "no value stands in the prose"
    );
    assert!(numbers.contains(r"\defval{7}{0.441}"), "{numbers}");
    assert!(
        numbers.contains(r"{0.44123}{3}{baseline}{aae1c17734}"),
        "{numbers}"
    );
}

#[test]
fn an_error_of_latex_leads_back_to_the_markdown() {
    let (_scratch, source) = written(&desk());
    let main = std::fs::read_to_string(source.join("main.tex")).unwrap();
    let line = include_str!("data/draft.md")
        .lines()
        .position(|line| line.starts_with("# Results"))
        .unwrap()
        + 1;
    assert!(
        main.contains(&format!("% draft.md:{line}\n\\section{{Results}}")),
        "{main}"
    );
}

#[test]
fn no_sign_of_the_draft_is_lost_to_latex() {
    let draft = "---\ntitle: 100% of A_B & C\nprovenance: live\n---\n\n50% of x_1 & y #2 for $5 {braces} ~ ^ \\\\ and `a_b%`.\n";
    let (_scratch, source) = written(&Desk::default().with("draft", draft));
    let main = std::fs::read_to_string(source.join("main.tex")).unwrap();
    assert!(main.contains(r"\title{100\% of A\_B \& C}"), "{main}");
    assert!(main.contains(r"50\% of x\_1 \& y \#2 for \$5 \{braces\} \textasciitilde{} \textasciicircum{} \textbackslash{} and \texttt{a\_b\%}."), "{main}");
}

#[test]
fn the_twin_compiles_where_tex_is_installed() {
    let (_scratch, source) = written(&desk());
    assert!(
        std::fs::read(source.join("figures/curves.pdf"))
            .unwrap()
            .starts_with(b"%PDF")
    );
    let latexmk = std::process::Command::new("latexmk")
        .args([
            "-pdf",
            "-halt-on-error",
            "-interaction=nonstopmode",
            "main.tex",
        ])
        .current_dir(&source)
        .output();
    // Most machines have no TeX; what can be said without it is said above.
    let Ok(output) = latexmk else { return };
    let log = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{log}");
    let last =
        String::from_utf8_lossy(&std::fs::read(source.join("main.log")).unwrap()).into_owned();
    assert!(!last.contains("undefined"), "{last}");
    assert!(
        std::fs::read(source.join("main.pdf"))
            .unwrap()
            .starts_with(b"%PDF")
    );
}
