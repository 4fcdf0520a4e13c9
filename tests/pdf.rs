//! PDF files through the front door: their text, what they hold without showing it, and files that are none.

use serde_json::Value;

use crate::space::Space;

/// A PDF file of one page with this content. It names its font and does not hold it.
pub(crate) fn pdf(content: &str) -> String {
    let stream = format!(
        "<< /Length {} >>\nstream\n{content}\nendstream",
        content.len()
    );
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 400 400] /Contents 5 0 R /Resources << /Font << /F1 4 0 R >> >> >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        &stream,
    ];
    let mut file = "%PDF-1.4\n".to_owned();
    let mut places = Vec::new();
    for (number, object) in objects.iter().enumerate() {
        places.push(file.len());
        file += &format!("{} 0 obj\n{object}\nendobj\n", number + 1);
    }
    let start = file.len();
    file += &format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for place in &places {
        file += &format!("{place:010} 00000 n \n");
    }
    file + &format!(
        "trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n",
        objects.len() + 1
    )
}

/// Words at a place, after operators that say how they are drawn.
pub(crate) fn line(y: u32, how: &str, words: &str) -> String {
    format!("q {how} BT /F1 12 Tf 20 {y} Td ({words}) Tj ET Q\n")
}

const READ: &str = "kyobashi: 1\nname: read\nparams: {paper: {type: file}}\nstages:\n  read: {uses: paper/read, in: {paper: \"${params.paper}\"}}\noutputs: {text.txt: \"${read.text}\", hidden.json: \"${read.hidden}\"}\n";

fn space(file: &str) -> Space {
    let space = Space::new();
    space.write("read.yaml", READ).write("paper.pdf", file);
    space
}

const RUN: [&str; 5] = [
    "read.yaml",
    "--set",
    "params.paper=paper.pdf",
    "--out",
    "out",
];

#[test]
fn words_and_lines_of_a_page_are_its_text_and_hidden_sentences_are_told_apart() {
    let content = [
        line(360, "", "A gate lowers the loss."),
        line(345, "1 1 1 rg", "Nobody sees this white sentence."),
        line(330, "3 Tr", "Nor this one without any ink."),
        "0 g 10 295 300 30 re f\n".to_owned(),
        line(305, "1 1 1 rg", "White on black is seen."),
        format!(
            "q BT /F1 0.5 Tf 20 280 Td ({}) Tj ET Q\n",
            "So small that nobody reads it."
        ),
        line(900, "", "Far above the edge of the page."),
        line(200, "", "The end."),
    ]
    .concat();
    let space = space(&pdf(&content));
    space.run(RUN[0], &RUN[1..]);
    let text = space.read("out/text.txt");
    assert!(text.starts_with("A gate lowers the loss.\n"), "{text}");
    assert!(
        text.contains("White on black is seen.") && text.trim_end().ends_with("The end."),
        "{text}"
    );
    let hidden: Vec<Value> = serde_json::from_str(&space.read("out/hidden.json")).unwrap();
    let found: Vec<(&str, &str)> = hidden
        .iter()
        .map(|run| (run["why"].as_str().unwrap(), run["text"].as_str().unwrap()))
        .collect();
    assert_eq!(
        found,
        [
            ("is white on white", "Nobody sees this white sentence."),
            ("is drawn without ink", "Nor this one without any ink."),
            (
                "is smaller than anybody can read",
                "So small that nobody reads it."
            ),
            (
                "lies outside of the page",
                "Far above the edge of the page."
            ),
        ]
    );
}

#[test]
fn the_recognised_text_of_a_scan_is_its_text() {
    let space = space(&pdf(&line(300, "3 Tr", "Words that a program recognised.")));
    space.run(RUN[0], &RUN[1..]);
    assert!(
        space
            .read("out/text.txt")
            .contains("that a program recognised")
    );
    assert_eq!(space.read("out/hidden.json").trim(), "[]");
}

#[test]
fn a_file_that_cannot_be_read_is_told_with_what_to_do() {
    for (file, said, remedy) in [
        ("%PDF-1.4\nrubbish", "is broken", "print it to a new PDF"),
        (
            &pdf("0 g 10 10 100 100 re f"),
            "holds no text on its 1 pages",
            "ocrmypdf",
        ),
        ("  \n", "is empty", ""),
    ] {
        let space = space(file);
        let done = space.kyo(&[&["run"], &RUN[..]].concat());
        assert_eq!(done.code, 1, "{}", done.stderr);
        assert!(
            done.stderr.contains(said) && done.stderr.contains(remedy),
            "{}",
            done.stderr
        );
    }
}

#[test]
fn notes_are_made_of_a_pdf_file_as_of_a_text() {
    let space = Space::new();
    space.copy("pipelines", "pipelines");
    let words = "We propose a gate between two denoisers, and the results show a lower loss.";
    space.write("paper.pdf", &pdf(&line(300, "", words)));
    let sets = ["--set", "params.paper=paper.pdf", "--out", "out"];
    space.run("pipelines/reading-notes.yaml", &sets);
    assert!(
        space
            .read("out/notes.md")
            .contains("We propose a gate between two denoisers")
    );
}
