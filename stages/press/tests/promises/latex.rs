//! The LaTeX twin of a paper.

use std::path::PathBuf;

use kyobashi_stage::{Datum, Failure, Output};
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
    let (_scratch, source) = written(&Desk::default().with("draft", draft).with("typed", "pass"));
    let main = std::fs::read_to_string(source.join("main.tex")).unwrap();
    assert!(main.contains(r"\title{100\% of A\_B \& C}"), "{main}");
    assert!(main.contains(r"50\% of x\_1 \& y \#2 for \$5 \{braces\} \textasciitilde{} \textasciicircum{} \textbackslash{} and \texttt{a\_b\%}."), "{main}");
}

/// The PDF or the failure of a draft's twin; nothing where TeX is not installed.
fn compiled(desk: &Desk) -> Option<Result<Vec<u8>, Failure>> {
    if std::process::Command::new("pdflatex")
        .arg("--version")
        .output()
        .is_err()
    {
        use std::io::Write as _;
        let said = "skipped: pdflatex is not installed (`kyo doctor` says how to get it)\n";
        let _ = std::io::stderr().write_all(said.as_bytes());
        return None;
    }
    let (_scratch, source) = written(desk);
    let scratch = tempfile::tempdir().unwrap();
    let folder = Datum::Dir {
        path: source,
        digest: "0".to_owned(),
    };
    let made = Desk::default()
        .datum("source", folder)
        .datum("draft", desk.given("draft"))
        .run_in("paper/compile", scratch.path());
    Some(made.map(|outputs| {
        let Output::File { path } = &outputs["pdf"] else {
            panic!("a file is written")
        };
        std::fs::read(path).unwrap()
    }))
}

#[test]
fn the_twin_compiles_to_the_same_bytes_where_tex_is_installed() {
    let (_scratch, source) = written(&desk());
    let figure = std::fs::read(source.join("figures/curves.pdf")).unwrap();
    assert!(figure.starts_with(b"%PDF"));
    let Some(first) = compiled(&desk()) else {
        return;
    };
    let first = first.unwrap();
    assert!(first.starts_with(b"%PDF"));
    assert!(
        Some(Ok(first)) == compiled(&desk()),
        "two PDFs of one source differ"
    );
}

#[test]
fn an_unescaped_sign_of_a_cited_work_is_told_as_such() {
    let works = "@misc{a, title={A_strange title}, author={B, C}, year=2020}";
    let draft = "---\ntitle: A\nprovenance: live\n---\n\nSee [@a].\n";
    let desk = Desk::default()
        .with("draft", draft)
        .with("bibliography", works);
    let Some(refused) = compiled(&desk) else {
        return;
    };
    let failure = refused.unwrap_err();
    let place = &failure.places[0];
    assert_eq!(place.file, "works.bib", "{failure:?}");
    assert!(place.message.contains("A_"), "{failure:?}");
    assert!(!failure.message.contains("not defined"), "{failure}");
}

#[test]
fn struck_words_compile_whatever_packages_tex_has() {
    let draft = "---\ntitle: A\nprovenance: live\n---\n\nA ~~struck~~ word.\n\n- [ ] open\n\n| a |\n|-|\n| b |\n| [c] |\n";
    if let Some(made) = compiled(&Desk::default().with("draft", draft)) {
        assert!(made.unwrap().starts_with(b"%PDF"));
    }
}

#[test]
fn a_formula_stands_in_its_paragraph() {
    let draft = "---\ntitle: A\nprovenance: live\n---\n\nWe have\n$$ a = b, $$ {#eq:a}\nwhere $b$ is at the 95 % level.\n\n$$ c $$\n\nThen more.\n";
    let (_scratch, source) = written(&Desk::default().with("draft", draft));
    let paper = std::fs::read_to_string(source.join("main.tex")).unwrap();
    let body = paper.split("We have").nth(1).unwrap();
    let (formula, rest) = body.split_once("Then more").unwrap();
    assert!(
        !formula.split("where").next().unwrap().contains("\n\n"),
        "{formula}"
    );
    assert!(formula.contains(r"the 95~\% level"), "{formula}");
    assert!(
        formula.ends_with("\n\n% draft.md:12\n"),
        "{formula:?} {rest}"
    );
}

#[test]
fn a_long_address_ends_lines_where_it_has_to() {
    let address = format!(
        "https://example.org/{}/{}",
        "a1b2c3".repeat(20),
        "x_y%20z".repeat(9)
    );
    let draft = format!("---\ntitle: A\nprovenance: live\n---\n\nSee <{address}>.\n");
    if let Some(made) = compiled(&Desk::default().with("draft", draft.as_str())) {
        assert!(made.unwrap().starts_with(b"%PDF"));
    }
}

#[test]
fn what_pdflatex_refuses_comes_back_with_its_place_in_the_markdown() {
    // The sign is one that Typst sets and that no font of LaTeX has.
    let draft = "---\ntitle: A\nprovenance: live\n---\n\nOne.\n\nThe sign 水 is\nrefused.\n";
    let Some(refused) = compiled(&Desk::default().with("draft", draft)) else {
        return;
    };
    let failure = refused.unwrap_err();
    let place = &failure.places[0];
    assert_eq!(
        (place.file.as_str(), place.line),
        ("draft.md", 8),
        "{failure:?}"
    );
    assert!(place.message.contains("水"), "{place:?}");
}

#[test]
fn a_line_of_latex_over_the_margin_is_refused_with_its_place() {
    let word = "x".repeat(90);
    let draft = format!("---\ntitle: A\nprovenance: live\n---\n\nOne.\n\nThe `{word}` is.\n");
    let Some(refused) = compiled(&Desk::default().with("draft", draft.as_str())) else {
        return;
    };
    let failure = refused.unwrap_err();
    assert!(
        failure.message.contains("draft.md:8:1: LaTeX: this runs "),
        "{failure}"
    );
}
