//! Names of files that no archive takes as they are.

use std::path::Path;

use crate::space::Space;

#[test]
fn files_whose_names_become_the_same_are_all_in_the_crate() {
    let space = Space::new();
    space.write(
        "odd.yaml",
        r#"
kyobashi: 1
name: odd
stages:
  a:
    run: |
      for name in ' ' '?' 'a b.txt' 'a_b.txt' 'ü'; do echo "$name" > "$o/$name"; done
      mkdir "$o/x "; echo 1 > "$o/x"; echo 2 > "$o/x /y"
    out: {o: dir}
outputs: {o: "${a.o}"}
"#,
    );
    space.run("odd.yaml", &[]);
    let done = space.kyo(&["export", "last", "--out", "crate"]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    let mut found = Vec::new();
    below(&space.path("crate/outputs/o"), &mut found);
    found.sort();
    let all = [" \n", "1\n", "2\n", "?\n", "a b.txt\n", "a_b.txt\n", "ü\n"];
    assert_eq!(found, all);
}

fn below(folder: &Path, into: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => below(&path, into),
            false => into.push(std::fs::read_to_string(&path).unwrap()),
        }
    }
}
