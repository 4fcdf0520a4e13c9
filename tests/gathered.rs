//! What a matrix gathered leads back to the stage runs that made it, for people and for other programs.

use serde_json::{Value, json};

use crate::space::Space;

const GATHERED: &str = r#"
kyobashi: 1
name: gathered
stages:
  cell:
    matrix: {set: [b, a], n: [1, 2]}
    with: {set: "${set}", n: "${n}"}
    run: 'echo "$set $n" > "$page"; echo "$n" > "$count"'
    out: {page: text, count: int}
  book: {in: {pages: "${cell.page}"}, run: 'cat "$pages" > "$book"', out: {book: text}}
  sum: {in: {counts: "${cell.count}"}, run: 'cat "$counts" > "$book"', out: {book: text}}
outputs: {book: "${book.book}", sum: "${sum.book}"}
"#;

#[test]
fn a_gathered_input_names_the_stage_runs_that_made_it() {
    let space = Space::new();
    space.write("gathered.yaml", GATHERED);
    space.run("gathered.yaml", &[]);
    let makers = |output: &str| {
        let cells = ["b,n=1", "b,n=2", "a,n=1", "a,n=2"];
        cells.map(|cell| format!("cell[set={cell}].{output}"))
    };
    for (stage, input, output) in [("book", "in.pages", "page"), ("sum", "in.counts", "count")] {
        let shown = space.kyo(&["show", stage, "--json"]);
        let shown: Value = serde_json::from_str(&shown.stdout).unwrap();
        assert_eq!(shown["from"][input], json!(makers(output)));
        let said = space.kyo(&["show", stage]).stdout;
        assert!(
            said.contains(&format!("  from {}", makers(output).join(", "))),
            "{said}"
        );
    }
    space.kyo(&["export", "last", "--out", "crate"]);
    let text = space.read("crate/ro-crate-metadata.json");
    let text: Value = serde_json::from_str(&text).unwrap();
    let all = text["@graph"].as_array().unwrap();
    let of = |id: &str| all.iter().find(|entity| entity["@id"] == id).unwrap();
    let objects = of("#action/book")["object"].as_array().unwrap();
    for (set, n) in [("b", 1), ("b", 2), ("a", 1), ("a", 2)] {
        let made = &of(&format!("#action/cell_set={set},n={n}"))["result"];
        let pages = made.as_array().unwrap().iter();
        let is_read = |page: &&Value| objects.contains(page);
        assert_eq!(pages.filter(is_read).count(), 1, "{set} {n}: {objects:?}");
    }
}
