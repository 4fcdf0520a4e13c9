//! The language through the front door: fan-outs, gathers, groups, loops, skips.

use serde_json::Value;

use crate::space::Space;

fn output(space: &Space, name: &str) -> Value {
    let all: Value = serde_json::from_str(&space.read("out/outputs.json")).unwrap();
    all[name].clone()
}

#[test]
fn a_matrix_runs_its_product_and_gathers_a_grid() {
    let space = Space::new();
    space.write(
        "m.yaml",
        r#"
kyobashi: 1
name: m
params: {seeds: [1, 2]}
stages:
  cell:
    matrix:
      a: [10, 20]
      seed: ${params.seeds}
      exclude: [{a: 20, seed: 2}]
      include: [{seed: 7, a: 5}]
    with: {a: "${a}", seed: "${seed}"}
    run: 'echo $((a + seed)) > "$sum"'
    out: {sum: int}
outputs:
  sums: ${cell.sum}
  most: ${max(cell.sum)}
"#,
    );
    let done = space.run("m.yaml", &["--out", "out"]);
    assert_eq!(
        done.ended("ran"),
        [
            "cell[a=10,seed=1]",
            "cell[a=10,seed=2]",
            "cell[a=20,seed=1]",
            "cell[a=5,seed=7]"
        ]
    );
    assert_eq!(output(&space, "sums"), serde_json::json!([11, 12, 21, 12]));
    assert_eq!(output(&space, "most"), 21);
    let more = space.run("m.yaml", &["--set", "params.seeds=[1, 2, 3]"]);
    assert_eq!(
        more.ended("ran"),
        ["cell[a=10,seed=3]", "cell[a=20,seed=3]"]
    );
}

#[test]
fn a_foreach_over_a_result_opens_when_it_is_known() {
    let space = Space::new();
    space.write(
        "f.yaml",
        r#"
kyobashi: 1
name: f
types: {Fruit: {name: str, grams: int}}
stages:
  list:
    run: 'echo "[{\"name\":\"fig\",\"grams\":50},{\"name\":\"plum\",\"grams\":70},{\"name\":\"pip\",\"grams\":1}]" > "$fruits"'
    out: {fruits: "list<Fruit>"}
  each:
    foreach: {fruit: "${list.fruits}"}
    key: ${fruit.name}
    when: ${fruit.grams > 10}
    stages:
      weigh:
        with: {grams: "${fruit.grams}"}
        run: 'echo $((grams * 2)) > "$double"'
        out: {double: int}
    out: {double: "${weigh.double}"}
  total:
    with: {all: "${each.double}"}
    run: 'cat "$all" > "$text"'
    out: {text: text}
outputs: {doubles: "${each.double}", sizes: "${len(each.double)}"}
"#,
    );
    let done = space.run("f.yaml", &["--out", "out"]);
    assert_eq!(
        done.ended("ran"),
        ["each[fig].weigh", "each[plum].weigh", "list", "total"]
    );
    assert_eq!(output(&space, "doubles"), serde_json::json!([100, 140]));
    assert_eq!(output(&space, "sizes"), 2);
}

#[test]
fn a_repeat_carries_values_and_reuses_its_rounds() {
    let space = Space::new();
    let text = r#"
kyobashi: 1
name: r
params: {goal: 20}
stages:
  grow:
    repeat:
      max: 9
      until: ${double.n >= params.goal}
      carry: {n: 1}
    stages:
      double:
        with: {n: "${carry.n}"}
        run: 'echo $((n * 2)) > "$n_out"; cp "$n_out" "$n"'
        out: {n: int, n_out: int}
    next: {n: "${double.n}"}
    out: {n: "${double.n}"}
outputs: {n: "${grow.n}"}
"#;
    // An output may not have the name of a setting: the script could not tell them apart.
    space.write(
        "r.yaml",
        &text
            .replace("cp \"$n_out\" \"$n\"", "true")
            .replace("n: int, ", "")
            .replace("double.n}", "double.n_out}")
            .replace("double.n >=", "double.n_out >="),
    );
    let done = space.run("r.yaml", &["--out", "out"]);
    assert_eq!(output(&space, "n"), 32);
    assert_eq!(done.ended("ran").len(), 5);
    assert!(done.ended("ran").contains(&"grow[3].double".to_owned()));
    let further = space.run("r.yaml", &["--set", "params.goal=100", "--out", "out"]);
    assert_eq!(output(&space, "n"), 128);
    assert_eq!(
        (further.ended("reused").len(), further.ended("ran").len()),
        (5, 2)
    );
}

#[test]
fn one_failed_idea_does_not_stop_the_others() {
    let space = Space::new();
    space.write(
        "c.yaml",
        r#"
kyobashi: 1
name: c
stages:
  each:
    foreach: {n: "${range(4)}"}
    on_error: continue
    with: {n: "${n}"}
    run: 'test "$n" != 2; echo "$n" > "$same"'
    out: {same: int}
outputs: {good: "${each.same}", failed: "${each.failed}"}
"#,
    );
    let done = space.kyo(&["run", "c.yaml", "--json", "--out", "out"]);
    assert_eq!(done.code, 1);
    assert_eq!(output(&space, "good"), serde_json::json!([0, 1, 3]));
    assert_eq!(output(&space, "failed")[0]["address"], "each[2]");
}

#[test]
fn a_failure_can_be_read_as_data() {
    let space = Space::new();
    space.write(
        "d.yaml",
        r#"
kyobashi: 1
name: d
stages:
  try:
    run: 'echo "no luck" >&2; exit 7'
    out: {x: int}
    may_fail: true
  after:
    in: {log: "${try.stderr}"}
    with: {code: "${try.exit}", x: "${default(try.x, -1)}"}
    run: 'echo "$code $x $(cat "$log")" > "$text"'
    out: {text: text}
outputs: {text: "${after.text}", ok: "${try.ok}"}
"#,
    );
    space.run("d.yaml", &["--out", "out"]);
    assert_eq!(space.read("out/text"), "7 -1 no luck\n");
    assert_eq!(output(&space, "ok"), false);
}

#[test]
fn the_schema_offers_every_stage_type() {
    let done = Space::new().kyo(&["schema"]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    let schema: Value = serde_json::from_str(&done.stdout).unwrap();
    let offered = schema["definitions"]["Stage"]["properties"]["uses"].to_string();
    for name in ["train/program", "llm/review", "paper/set"] {
        assert!(offered.contains(name), "{offered}");
    }
}

#[test]
fn beside_an_empty_board_no_best_paper_is_looked_for() {
    // As the flow does when every idea was dropped or failed.
    let flow = std::fs::read_to_string(crate::space::home().join("pipelines/ai-scientist.yaml"));
    let when = "when: ${len(study.pdf) > 0}";
    assert!(flow.unwrap().contains(when));
    let space = Space::new();
    space.write(
        "empty.yaml",
        &r#"
kyobashi: 1
name: empty
params: {ideas: {type: list<json>, default: []}}
stages:
  study:
    foreach: {idea: "${params.ideas}"}
    on_error: continue
    run: 'echo never > "$pdf"'
    out: {pdf: file(.pdf), idea: Idea, review: json, comparison: json}
  board:
    uses: stats/leaderboard
    in: {ideas: "${study.idea}", comparisons: "${study.comparison}", reviews: "${study.review}"}
    with: {sort: kl, directions: {kl: lower}}
  best:
    WHEN
    uses: paper/best
    in: {papers: "${study.pdf}", board: "${board.board}"}
outputs: {paper.pdf: "${best.pdf}", board.json: "${board.board}"}
"#
        .replace("WHEN", when),
    );
    let done = space.run("empty.yaml", &["--out", "out"]);
    assert_eq!(done.ended("skipped"), ["best"]);
    assert!(space.read("out/board.json").contains("\"rows\": []"));
    assert!(!space.path("out/paper.pdf").exists());
}

#[test]
fn a_json_parameter_may_name_a_file_whose_content_counts_and_not_its_name() {
    let space = Space::new();
    space.write(
        "p.yaml",
        r#"
kyobashi: 1
name: p
params: {list: {type: json, default: []}}
stages:
  count:
    with: {list: "${params.list}"}
    run: cat "$list" > "$text"
    out: {text: text}
outputs: {text: "${count.text}"}
"#,
    );
    space.write("a.json", "[1, 2]").write("b.json", " [1,2]\n");
    let run = |set: &str| space.run("p.yaml", &["--set", set, "--out", "out"]);
    run("params.list=a.json");
    assert_eq!(space.read("out/text").trim(), "[1,2]");
    assert_eq!(run("params.list=b.json").ended("ran"), [""; 0]);
    assert_eq!(run("params.list=[1, 2]").ended("ran"), [""; 0]);
    space.write("b.json", "[3]");
    assert_eq!(run("params.list=b.json").ended("ran"), ["count"]);
    let done = space.kyo(&["check", "p.yaml", "--set", "params.list=c.json"]);
    assert_eq!(done.code, 2);
    assert!(
        done.stderr.contains("there is no `c.json`"),
        "{}",
        done.stderr
    );
}
