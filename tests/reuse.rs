//! What is reused is proved by what did not run.

use std::fs;

use crate::space::Space;

const CHAIN: &str = r#"
kyobashi: 1
name: chain
params: {who: world}
stages:
  greet:
    in: {source: source.txt}
    with: {who: "${params.who}"}
    run: 'echo "$(cat "$source") $who" > "$text"'
    out: {text: text}
  words:
    in: {text: "${greet.text}"}
    run: 'wc -w < "$text" > "$count"'
    out: {count: int}
  report:
    in: {count: "${words.count}"}
    run: 'echo "words: $count" > "$report"'
    out: {report: text}
outputs:
  report: ${report.report}
"#;

fn chain() -> Space {
    let space = Space::new();
    space
        .write("chain.yaml", CHAIN)
        .write("source.txt", "hello");
    space
}

#[test]
fn the_second_run_runs_nothing() {
    let space = chain();
    assert_eq!(
        space
            .run("chain.yaml", &["--out", "out"])
            .ended("ran")
            .len(),
        3
    );
    assert_eq!(space.read("out/report"), "words: 2\n");
    let again = space.run("chain.yaml", &[]);
    assert_eq!(again.ended("ran"), [""; 0]);
    assert_eq!(again.totals()["reused"], 3);
}

#[test]
fn a_comment_or_a_new_name_reruns_nothing() {
    let space = chain();
    space.run("chain.yaml", &[]);
    let renamed = CHAIN
        .replace("words:\n", "tally: # it counts\n")
        .replace("words.count", "tally.count");
    assert_ne!(renamed, CHAIN);
    space.write("chain.yaml", &renamed);
    let again = space.run("chain.yaml", &[]);
    assert_eq!(again.ended("ran"), [""; 0]);
    assert_eq!(again.ended("reused"), ["greet", "report", "tally"]);
}

#[test]
fn equal_content_stops_the_wave() {
    let space = chain();
    space.run("chain.yaml", &[]);
    // Another word, but as many words as before.
    let done = space.run("chain.yaml", &["--set", "params.who=moon"]);
    assert_eq!(done.ended("ran"), ["greet", "words"]);
    assert_eq!(done.ended("reused"), ["report"]);
}

#[test]
fn going_back_to_an_old_input_runs_nothing() {
    let space = chain();
    space.run("chain.yaml", &[]);
    space.write("source.txt", "good morning");
    assert_eq!(
        space.run("chain.yaml", &[]).ended("ran"),
        ["greet", "report", "words"]
    );
    space.write("source.txt", "hello");
    assert_eq!(space.run("chain.yaml", &[]).ended("ran"), [""; 0]);
}

#[test]
fn a_failed_stage_is_all_that_is_retried() {
    let space = Space::new();
    space.write(
        "flaky.yaml",
        r#"
kyobashi: 1
name: flaky
stages:
  first:
    run: 'echo 1 > "$x"'
    out: {x: int}
  second:
    in: {x: "${first.x}", switch: switch.txt}
    run: 'test "$(cat "$switch")" = on || { echo "the switch is off" >&2; exit 3; }; echo "$x" > "$y"'
    out: {y: int}
  beside:
    run: 'echo 5 > "$z"'
    out: {z: int}
  last:
    in: {y: "${second.y}"}
    run: 'echo "$y" > "$w"'
    out: {w: int}
"#,
    );
    space.write("switch.txt", "off");
    let failed = space.kyo(&["run", "flaky.yaml", "--json"]);
    assert_eq!(failed.code, 1);
    assert_eq!(failed.ended("ran"), ["beside", "first"]);
    assert_eq!(failed.ended("failed"), ["second"]);
    assert_eq!(failed.ended("skipped"), ["last"]);
    assert!(
        failed.stdout.contains("the switch is off"),
        "{}",
        failed.stdout
    );
    assert!(failed.stdout.contains("exit code 3"), "{}", failed.stdout);
    let quiet = space.kyo(&["run", "flaky.yaml", "--quiet"]);
    assert!(quiet.stderr.contains("FAILED   second"), "{}", quiet.stderr);
    space.write("switch.txt", "on");
    let mended = space.run("flaky.yaml", &[]);
    assert_eq!(mended.ended("ran"), ["last", "second"]);
    assert_eq!(mended.ended("reused"), ["beside", "first"]);
}

#[test]
fn equal_calls_run_once() {
    let space = Space::new();
    space.write(
        "twins.yaml",
        r#"
kyobashi: 1
name: twins
stages:
  many:
    matrix: {n: [1, 2, 3, 4, 5, 6]}
    run: 'echo same > "$text"'
    out: {text: text}
"#,
    );
    let done = space.run("twins.yaml", &["--jobs", "4"]);
    assert_eq!(done.ended("ran").len(), 1);
    assert_eq!(done.ended("reused").len(), 5);
}

#[test]
fn a_float_that_was_kept_is_the_same_float() {
    let space = Space::new();
    space.write(
        "floats.yaml",
        r#"
kyobashi: 1
name: floats
stages:
  many:
    run: |
      awk 'BEGIN { srand(7); printf "["; for (i = 0; i < 500; i++) printf "%.17g,", rand() * 3; print "0.5]" }' > "$numbers"
    out: {numbers: "list<float>"}
  after:
    with: {numbers: "${many.numbers}", mean: "${mean(many.numbers)}"}
    run: 'echo "$mean" > "$text"'
    out: {text: text}
"#,
    );
    assert_eq!(
        space.run("floats.yaml", &[]).ended("ran"),
        ["after", "many"]
    );
    assert_eq!(space.run("floats.yaml", &[]).ended("ran"), [""; 0]);
}

#[test]
fn a_damaged_copy_of_a_source_is_made_again_from_the_source() {
    let space = Space::new();
    space.write(
        "count.yaml",
        "kyobashi: 1\nname: count\nparams: {n: 1}\nstages:\n  text:\n    in: {i: words.txt}\n    \
         with: {n: '${params.n}'}\n    run: cat \"$i\" > \"$o\"\n    out: {o: text}\n  bare:\n    \
         in: {i: words}\n    with: {n: '${params.n}'}\n    run: cat \"$i\" > \"$o\"\n    out: {o: text}\n\
         outputs: {text: '${text.o}', bare: '${bare.o}'}\n",
    );
    let (text, bare) = ("the words of a text\n", "bare words\n");
    space.write("words.txt", text).write("words", bare);
    space.run("count.yaml", &[]);
    let blob = |text: &str| {
        let digest = blake3::hash(text.as_bytes()).to_hex().to_string();
        space.path(&format!(
            ".kyobashi/objects/{}/{}",
            &digest[..2],
            &digest[2..]
        ))
    };
    let damages = [
        (text, "the w"),
        (text, "the wordS of a text\n"),
        (bare, ""),
        (bare, "bare words\nand more\n"),
    ];
    for (number, (whole, damaged)) in damages.into_iter().enumerate() {
        let path = blob(whole);
        fs::remove_file(&path).unwrap();
        fs::write(&path, damaged).unwrap();
        let n = format!("params.n={}", number + 2);
        let done = space.run("count.yaml", &["--set", &n, "--out", "out"]);
        assert_eq!(done.ended("ran").len(), 2, "{damaged}");
        assert_eq!(space.read("out/text"), text, "{damaged}");
        assert_eq!(space.read("out/bare"), bare, "{damaged}");
    }
}
