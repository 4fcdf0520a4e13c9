//! `--refresh`: exactly what is named is made again, what is equal stops there, and a name that means
//! nothing is told before anything runs.

use crate::space::{Done, Space};

const STUDY: &str = r#"
kyobashi: 1
name: study
params: {names: [ada, bob]}
stages:
  data:
    run: 'echo data >> "$HOME/begun"; echo 1 > "$x"'
    out: {x: text}
  each:
    foreach: {name: "${params.names}"}
    key: ${name}
    stages:
      train:
        matrix: {lr: [0.1, 0.2], seed: [0, 1]}
        in: {x: "${data.x}"}
        with: {lr: "${lr}", seed: "${seed}", name: "${name}"}
        run: 'echo "train $name $lr $seed" >> "$HOME/begun"; cat "$x" > "$y"'
        out: {y: text}
      mean:
        in: {all: "${train.y}"}
        with: {name: "${name}"}
        run: 'echo "mean $name" >> "$HOME/begun"; wc -c < "$all" > "$z"'
        out: {z: int}
    out: {z: "${mean.z}"}
  noise:
    in: {x: "${data.x}"}
    run: 'echo noise >> "$HOME/begun"; wc -l < "$HOME/begun" > "$z"'
    out: {z: int}
  last:
    in: {noise: "${noise.z}", all: "${each.z}"}
    run: 'echo last >> "$HOME/begun"; echo "$noise" > "$z"'
    out: {z: int}
"#;

fn study() -> Space {
    let mut space = Space::new();
    let home = space.path("").display().to_string();
    space.set("HOME", &home);
    space.write("study.yaml", STUDY);
    assert_eq!(space.run("study.yaml", &[]).ended("ran").len(), 13);
    space
}

fn refreshed(space: &Space, patterns: &[&str]) -> Done {
    let words: Vec<&str> = patterns
        .iter()
        .flat_map(|pattern| ["--refresh", pattern])
        .collect();
    let before = space.read("begun").lines().count();
    let done = space.run("study.yaml", &words);
    let begun = space.read("begun").lines().count() - before;
    assert_eq!(
        begun,
        done.ended("ran").len(),
        "what is told to have run was run"
    );
    done
}

#[test]
fn exactly_what_is_named_is_made_again_and_what_is_equal_stops_there() {
    let space = study();
    let all = |name: &str| -> Vec<String> {
        let cells = [
            "lr=0.1,seed=0",
            "lr=0.1,seed=1",
            "lr=0.2,seed=0",
            "lr=0.2,seed=1",
        ];
        cells
            .iter()
            .map(|cell| format!("each[{name}].train[{cell}]"))
            .collect()
    };
    for (patterns, ran) in [
        (
            &["each[ada].train[lr=0.1,seed=1]"][..],
            vec!["each[ada].train[lr=0.1,seed=1]".to_owned()],
        ),
        (
            &["each[*].train[*,seed=1]"],
            [
                "each[ada].train[lr=0.1,seed=1]",
                "each[ada].train[lr=0.2,seed=1]",
                "each[bob].train[lr=0.1,seed=1]",
                "each[bob].train[lr=0.2,seed=1]",
            ]
            .map(str::to_owned)
            .to_vec(),
        ),
        (&["each[bob].train"], all("bob")),
        (
            &["each[bob]"],
            [&["each[bob].mean".to_owned()], &all("bob")[..]].concat(),
        ),
        (
            &["each/mean"],
            vec!["each[ada].mean".to_owned(), "each[bob].mean".to_owned()],
        ),
        (
            &["mean"],
            vec!["each[ada].mean".to_owned(), "each[bob].mean".to_owned()],
        ),
        (&["train"], [all("ada"), all("bob")].concat()),
        (
            &["d*", "*/mean"],
            vec![
                "data".to_owned(),
                "each[ada].mean".to_owned(),
                "each[bob].mean".to_owned(),
            ],
        ),
    ] {
        let done = refreshed(&space, patterns);
        assert_eq!(done.ended("ran"), ran, "{patterns:?}");
        assert_eq!(done.ended("reused").len(), 13 - ran.len(), "{patterns:?}");
    }
    // What comes out differently runs on, as far as it differs; that is kept then.
    assert_eq!(
        refreshed(&space, &["noise"]).ended("ran"),
        ["last", "noise"]
    );
    assert_eq!(refreshed(&space, &[]).ended("ran"), [""; 0]);
    assert_eq!(refreshed(&space, &["*"]).ended("ran").len(), 13);
}

#[test]
fn a_name_that_means_nothing_is_met_with_the_nearest_before_anything_runs() {
    let space = study();
    for (pattern, near) in [
        ("meen", "did you mean `mean`?"),
        ("each/trian", "did you mean `each/train`?"),
        ("each[adda].train", "did you mean `each[ada].train"),
        (
            "each[ada].train[lr=0.3,seed=0]",
            "did you mean `each[ada].train[lr=0.",
        ),
        ("zzz*", "kyo plan FILE --all"),
        ("", "kyo plan FILE --all"),
    ] {
        let done = space.kyo(&[
            "run",
            "study.yaml",
            "--refresh",
            "data",
            "--refresh",
            pattern,
        ]);
        assert_eq!(done.code, 2, "{pattern}");
        assert!(
            done.stderr.contains("means no stage run"),
            "{}",
            done.stderr
        );
        assert!(done.stderr.contains(near), "{pattern}\n{}", done.stderr);
    }
    assert!(!space.path(".kyobashi/runs/2").exists(), "nothing ran");
}

#[test]
fn an_instance_that_is_known_only_later_can_be_named() {
    let mut space = Space::new();
    let home = space.path("").display().to_string();
    space.set("HOME", &home);
    space.write(
        "later.yaml",
        r#"
kyobashi: 1
name: later
params: {n: 2}
stages:
  names:
    with: {n: "${params.n}"}
    run: 'test "$n" = 2 && echo "[\"ada\", \"bob\"]" > "$names" || echo "[\"bob\", \"eve\"]" > "$names"'
    out: {names: list<str>}
  each:
    foreach: {name: "${names.names}"}
    key: ${name}
    with: {name: "${name}"}
    run: 'echo "$name" > "$x"'
    out: {x: text}
"#,
    );
    space.run("later.yaml", &[]);
    let done = space.run(
        "later.yaml",
        &["--set", "params.n=3", "--refresh", "each[bob]"],
    );
    assert_eq!(done.ended("ran"), ["each[bob]", "each[eve]", "names"]);
}

#[test]
fn what_is_frozen_stays_until_it_is_refreshed_and_then_stays_so() {
    let space = Space::new();
    space.write(
        "frozen.yaml",
        r#"
kyobashi: 1
name: frozen
params: {word: one}
stages:
  corpus:
    cache: frozen
    with: {word: "${params.word}"}
    run: 'echo "$word" > "$text"'
    out: {text: text}
  length:
    in: {text: "${corpus.text}"}
    run: 'wc -c < "$text" > "$n"'
    out: {n: int}
outputs: {text: "${corpus.text}"}
"#,
    );
    let run = |more: &[&str]| space.run("frozen.yaml", &[&["--out", "out"], more].concat());
    assert_eq!(run(&[]).ended("ran"), ["corpus", "length"]);
    let other = ["--set", "params.word=three"];
    assert_eq!(run(&other).ended("ran"), [""; 0], "frozen");
    assert_eq!(space.read("out/text"), "one\n");
    let done = run(&[&other[..], &["--refresh", "corpus"]].concat());
    assert_eq!(done.ended("ran"), ["corpus", "length"]);
    assert_eq!(space.read("out/text"), "three\n");
    // The new result is the frozen one now, whatever is asked for.
    for words in [&other[..], &[], &["--set", "params.word=seven"]] {
        assert_eq!(run(words).ended("ran"), [""; 0]);
        assert_eq!(space.read("out/text"), "three\n");
    }
    // Refreshed with an equal result, nothing else runs.
    let done = run(&[&other[..], &["--refresh", "c*"]].concat());
    assert_eq!(done.ended("ran"), ["corpus"]);
}
