//! What is left out for the sake of speed changes nothing: the shell where a script is one command, the
//! check where nothing of a pipeline changed, the commit of its own for each of many results.

use std::collections::BTreeSet;
use std::fs;
use std::process::Stdio;

use crate::space::Space;

/// The id of the process that started the one whose `/proc/self/stat` this is.
fn parent(stat: &str) -> u32 {
    let fields = stat.rsplit_once(')').unwrap().1;
    fields.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn a_script_that_is_one_command_is_started_without_a_shell() {
    let space = Space::new();
    space.write(
        "plain.yaml",
        r#"
kyobashi: 1
name: plain
stages:
  bare:
    run: cp /proc/self/stat "$stat"
    out: {stat: text}
  shell:
    run: cp /proc/self/stat "$stat"; true
    out: {stat: text}
outputs: {bare: "${bare.stat}", shell: "${shell.stat}"}
"#,
    );
    let child = space
        .command(&["run", "plain.yaml", "--out", "out"])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let kyo = child.id();
    assert!(child.wait_with_output().unwrap().status.success());
    assert_eq!(parent(&space.read("out/bare")), kyo);
    assert_ne!(
        parent(&space.read("out/shell")),
        kyo,
        "this one needs a shell"
    );
}

#[test]
fn without_a_shell_a_command_sees_and_says_the_same() {
    let space = Space::new();
    let stages = [
        ("seen", r#"cp /proc/self/environ "$x""#),
        ("missing", r#"no-such-program-here "$x""#),
        ("killed", r#"sh -c 'kill -9 $$'"#),
        ("failed", r#"ls /no/such/file"#),
        ("quoted", r#"ls '/no such' "/${word}/${word}b" /$word.c"#),
    ];
    let text = |tail: &str| {
        let mut text = "kyobashi: 1\nname: same\nstages:\n".to_owned();
        for (name, script) in stages {
            text.push_str(&format!(
                "  {name}:\n    with: {{word: hello}}\n    run: |\n      {script}{tail}\n    \
                 out: {{x: text}}\n    may_fail: true\n"
            ));
        }
        let outputs = stages.map(|(name, _)| {
            format!("{name}_exit: '${{{name}.exit}}', {name}_err: '${{{name}.stderr}}'")
        });
        text + &format!("outputs: {{seen: '${{seen.x}}', {}}}\n", outputs.join(", "))
    };
    space.write("bare.yaml", &text(""));
    space.write("shell.yaml", &text(" ; exit $?"));
    space.run("bare.yaml", &["--out", "bare"]);
    space.run("shell.yaml", &["--out", "shell"]);
    for (name, _) in stages {
        for part in ["exit", "err"] {
            let read = |folder: &str| space.read(&format!("{folder}/{name}_{part}"));
            // `sh -e` ends before `exit`, with the same code; only what it says of a kill is its own.
            if (name, part) != ("killed", "err") {
                assert_eq!(read("bare"), read("shell"), "{name} {part}");
            }
        }
    }
    let names = |file: &str| {
        let text = space.read(file);
        let names = text.split('\0').filter_map(|line| line.split_once('='));
        // What only a shell sets for itself.
        let names = names.map(|(name, _)| name.to_owned());
        let names = names.filter(|name| name != "_" && name != "SHLVL" && name != "OLDPWD");
        names.collect::<BTreeSet<_>>()
    };
    assert_eq!(names("bare/seen"), names("shell/seen"));
    assert_eq!(space.read("bare/killed_exit"), "137");
    assert_eq!(space.read("bare/missing_exit"), "127");
    assert!(space.read("bare/quoted_err").contains("/hello/hellob"));
}

#[test]
fn a_stage_finds_nothing_of_the_one_before_in_its_folder() {
    let space = Space::new();
    for name in ["one", "two", "three"] {
        space.write(&format!("{name}.txt"), name);
    }
    let stage = |name: &str, after: &str, script: &str| {
        format!(
            "  {name}:\n    needs: [{after}]\n    in: {{{name}: {name}.txt}}\n    \
             run: {script} > \"$seen\"\n    out: {{seen: text}}\n"
        )
    };
    let text = [
        "kyobashi: 1\nname: folders\nstages:\n".to_owned(),
        stage("one", "", "ls -A ."),
        stage("two", "one", "ls -A . | tee left"),
        stage("three", "two", "ls -A ."),
        "outputs: {one: '${one.seen}', two: '${two.seen}', three: '${three.seen}'}\n".to_owned(),
    ];
    space.write("p.yaml", &text.concat());
    space.run("p.yaml", &["--jobs=1", "--out", "out"]);
    for name in ["one", "two", "three"] {
        let seen = space.read(&format!("out/{name}"));
        let own = format!(".in-{name}-0.txt");
        let others = seen
            .lines()
            .filter(|&file| file != own && file != "seen" && file != "left");
        assert_eq!(others.collect::<Vec<_>>(), [""; 0], "{name} found {seen}");
        assert!(seen.contains(&own), "{name} found {seen}");
    }
    assert!(!space.read("out/three").contains("left"));
}

/// A pipeline that is long enough to be kept.
pub(crate) fn long(script: &str) -> String {
    let mut text =
        "kyobashi: 1\nname: long\nparams: {n: {type: int, default: 1}}\nstages:\n".to_owned();
    for n in 0..300 {
        text.push_str(&format!(
            "  s{n}:\n    in: {{i: in/{}.txt}}\n    with: {{n: '${{params.n}}'}}\n    run: '{script}'\n    \
             out: {{o: file}}\n",
            n % 3
        ));
    }
    text + "outputs: {o: '${s0.o}'}\n"
}

pub(crate) fn spaced() -> Space {
    let space = Space::new();
    for n in 0..3 {
        space.write(&format!("in/{n}.txt"), &format!("{n}\n"));
    }
    space.write("long.yaml", &long(r#"cp "$i" "$o""#));
    assert_eq!(
        space.run("long.yaml", &[]).ended("ran").len(),
        3,
        "three are different"
    );
    assert_eq!(kept(&space).len(), 1, "the checked pipeline is kept");
    space
}

pub(crate) fn kept(space: &Space) -> Vec<std::path::PathBuf> {
    let folder = fs::read_dir(space.path(".kyobashi/compiled"));
    folder
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().path())
        .collect()
}

#[test]
fn a_pipeline_that_is_kept_notices_every_change() {
    let space = spaced();
    let again = space.run("long.yaml", &[]);
    assert_eq!(again.ended("reused").len(), 300);
    space.write("in/1.txt", "other\n");
    assert_eq!(
        space.run("long.yaml", &[]).ended("ran").len(),
        1,
        "an input"
    );
    assert_eq!(
        space
            .run("long.yaml", &["--set", "params.n=2"])
            .ended("ran")
            .len(),
        3,
        "a setting"
    );
    assert_eq!(
        space.run("long.yaml", &[]).ended("ran").len(),
        0,
        "and back"
    );
    space.write("long.yaml", &long(r#"cat "$i" > "$o""#));
    assert_eq!(
        space.run("long.yaml", &[]).ended("ran").len(),
        3,
        "the text"
    );
    space.write("long.yaml", &long(r#"cp "$i" "$o""#));
    fs::remove_file(space.path("in/2.txt")).unwrap();
    let gone = space.kyo(&["run", "long.yaml"]);
    assert_eq!(gone.code, 2, "{}", gone.stderr);
    assert!(
        gone.stderr.contains("there is no `in/2.txt`"),
        "{}",
        gone.stderr
    );
    fs::create_dir(space.path("in/2.txt")).unwrap();
    let folder = space.kyo(&["run", "long.yaml"]);
    assert_eq!(folder.code, 1, "a folder is not copied: {}", folder.stderr);
}

#[test]
fn a_kept_pipeline_that_is_damaged_or_in_the_way_is_checked_anew() {
    let space = spaced();
    let path = kept(&space).remove(0);
    let whole = fs::read(&path).unwrap();
    for at in [0, 9, whole.len() / 2, whole.len() - 1] {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(&path, &bytes).unwrap();
        // Nothing is left but to check.
        let _ = fs::remove_dir_all(space.path(".kyobashi/unchanged"));
        assert_eq!(
            space.run("long.yaml", &[]).ended("reused").len(),
            300,
            "{at}"
        );
        assert_eq!(fs::read(&path).unwrap(), whole, "kept again");
    }
    fs::write(&path, &whole[..40]).unwrap();
    let _ = fs::remove_dir_all(space.path(".kyobashi/unchanged"));
    assert_eq!(space.run("long.yaml", &[]).ended("reused").len(), 300);
    fs::remove_dir_all(space.path(".kyobashi/compiled")).unwrap();
    fs::write(space.path(".kyobashi/compiled"), "in the way").unwrap();
    assert_eq!(space.run("long.yaml", &[]).ended("reused").len(), 300);
}

#[test]
fn a_pipeline_with_a_warning_tells_it_every_time() {
    let space = spaced();
    space.write("long.yaml", &long("cp in/0.txt \"$o\" || cp \"$i\" \"$o\""));
    for _ in 0..2 {
        let done = space.kyo(&["run", "long.yaml"]);
        assert_eq!(done.code, 0, "{}", done.stderr);
        assert!(
            done.stderr.contains("not an input of the stage"),
            "{}",
            done.stderr
        );
    }
}
