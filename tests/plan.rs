//! `kyo plan` and `kyo why` say what would run, and why, before it does.

use serde_json::Value;

use crate::space::Space;

/// Every state that a plan knows, in one pipeline.
const STATES: &str = r#"
kyobashi: 1
name: states
params: {word: one, shown: true}
stages:
  names:
    in: {list: names.json}
    run: cp "$list" "$names"
    out: {names: list<str>}
  each:
    foreach: {name: "${names.names}"}
    key: ${name}
    with: {name: "${name}", word: "${params.word}"}
    run: printf '%s %s' "$word" "$name" > "$text"
    out: {text: text}
  all:
    in: {texts: "${each.text}"}
    run: cat "$texts" > "$text"
    out: {text: text}
  kept:
    cache: frozen
    with: {word: "${params.word}"}
    run: printf '%s' "$word" > "$text"
    out: {text: text}
  extra:
    when: ${params.shown}
    run: echo extra > "$text"
    out: {text: text}
"#;

fn space() -> Space {
    let space = Space::new();
    space
        .write("s.yaml", STATES)
        .write("names.json", r#"["ada", "bob"]"#);
    space
}

fn plan(space: &Space, more: &[&str]) -> Vec<Value> {
    let done = space.kyo(&[&["plan", "s.yaml", "--json"], more].concat());
    assert_eq!(done.code, 0, "{}", done.stderr);
    serde_json::from_str(&done.stdout).unwrap()
}

fn node<'p>(plan: &'p [Value], address: &str) -> &'p Value {
    let found = plan.iter().find(|node| node["address"] == address);
    found.unwrap_or_else(|| panic!("{address} is not in {plan:?}"))
}

#[test]
fn a_first_plan_says_what_is_known_only_later() {
    let plan = plan(&space(), &[]);
    assert_eq!(node(&plan, "names")["state"], "run");
    assert_eq!(node(&plan, "names")["because"][0]["field"], "new");
    let each = node(&plan, "each");
    assert_eq!(each["state"], "later");
    assert_eq!(each["because"][0]["new"], "${names.names}");
    assert_eq!(each["because"][0]["place"]["line"], 11);
}

#[test]
fn a_plan_names_each_change_with_its_values_and_its_place() {
    let space = space();
    space.run("s.yaml", &[]);
    for node in plan(&space, &[]) {
        assert_eq!(node["state"], "reused", "{node}");
        assert_eq!(node["because"], Value::Array(Vec::new()), "{node}");
    }
    let plan = plan(
        &space,
        &["--set", "params.word=two", "--set", "params.shown=false"],
    );
    assert_eq!(node(&plan, "names")["state"], "reused");
    let ada = node(&plan, "each[ada]");
    assert_eq!(ada["state"], "run");
    let because = &ada["because"][0];
    assert_eq!(because["field"], "with.word");
    assert_eq!(because["name"], "params.word");
    assert_eq!(because["old"]["value"], "one");
    assert_eq!(because["new"]["value"], "two");
    assert_eq!(because["place"]["file"], "command line");
    let all = node(&plan, "all");
    assert_eq!(all["state"], "perhaps");
    assert_eq!(all["because"][0]["field"], "in.texts");
    assert_eq!(node(&plan, "kept")["state"], "frozen");
    let extra = node(&plan, "extra");
    assert_eq!(extra["state"], "skipped");
    assert_eq!(extra["because"][0]["new"], "${params.shown}");
}

#[test]
fn a_plan_for_people_has_one_line_for_all_instances_of_a_stage() {
    let space = space();
    space.run("s.yaml", &[]);
    let said = space
        .kyo(&["plan", "s.yaml", "--set", "params.word=two"])
        .stdout;
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines[0].starts_with("against run 1, "), "{said}");
    assert!(lines[0].ends_with(": 1 change"), "{said}");
    assert_eq!(lines[1], "  params.word  one -> two  command line:1:19");
    assert!(
        said.contains("> each   2 run      with.word (params.word) changed\n"),
        "{said}"
    );
    assert!(
        said.contains("? all    1 perhaps  if in.texts differs\n"),
        "{said}"
    );
    assert!(
        said.contains("! kept   1 frozen   kept although with.word (params.word) changed\n"),
        "{said}"
    );
    assert!(
        said.contains("2 reused, 2 run, 1 perhaps, 1 frozen"),
        "{said}"
    );
    let all = space
        .kyo(&["plan", "s.yaml", "--set", "params.word=two", "--all"])
        .stdout;
    assert!(all.contains("> each[ada]  1 run"), "{all}");
}

#[test]
fn a_plan_runs_and_writes_nothing() {
    let space = space();
    plan(&space, &[]);
    assert!(!space.path(".kyobashi").exists(), "not even a store");
    assert_eq!(space.run("s.yaml", &[]).totals()["ran"], 6);
}

#[test]
fn why_asks_for_the_last_run_as_it_was_asked_for() {
    let space = space();
    space.run("s.yaml", &["--set", "params.word=two"]);
    let done = space.kyo(&["why", "each[ada]", "--json"]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    let node: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(node["state"], "reused");
    let fields = node["fields"].as_array().unwrap();
    let word = fields.iter().find(|field| field["field"] == "with.word");
    let word = word.unwrap();
    assert_eq!(word["old"], word["new"]);
    assert_eq!(word["new"]["value"], "two");

    space.write("s.yaml", &STATES.replace("'%s %s'", "'%s and %s'"));
    let said = space.kyo(&["why", "each[bob]"]).stdout;
    assert!(
        said.starts_with("each[bob]  run  run  s.yaml:10:3\n"),
        "{said}"
    );
    let run = said.lines().find(|line| line.contains("* run"));
    assert!(
        run.is_some_and(|run| run.contains("'%s and %s'") && run.ends_with("s.yaml:14:10")),
        "{said}"
    );
    assert!(said.contains("with.word"), "{said}");
    let both = space.kyo(&["why", "s.yaml", "each"]).stdout;
    assert_eq!(both.lines().count(), 2, "{both}");
}

#[test]
fn what_the_last_run_was_given_of_pools_is_given_again() {
    let space = Space::new();
    space.write(
        "pool.yaml",
        r#"
kyobashi: 1
name: pool
pools: {licence: 1}
stages:
  greedy:
    run: 'echo 1 > "$x"'
    out: {x: int}
    resources: {cpu: 3, pools: {licence: 2}}
"#,
    );
    space.run("pool.yaml", &["--pool", "licence=2", "--jobs", "4"]);
    let begun = space.kyo(&["log", "1", "--json"]).stdout;
    let begun: Value = serde_json::from_str(begun.lines().next().unwrap()).unwrap();
    assert_eq!(begun["asked"]["pool"], serde_json::json!(["licence=2"]));
    assert_eq!(begun["asked"]["jobs"], 4);
    let why = space.kyo(&["why", "greedy"]);
    assert_eq!(why.code, 0, "{}", why.stderr);
    let less = space.kyo(&["why", "greedy", "--pool", "licence=1"]);
    assert_eq!(less.code, 2, "what is said now wins: {}", less.stdout);
}

#[test]
fn why_meets_an_unknown_address_with_the_nearest_one() {
    let space = space();
    let early = space.kyo(&["why", "all"]);
    assert_eq!(early.code, 2);
    assert!(
        early.stderr.contains("nothing has run yet"),
        "{}",
        early.stderr
    );
    space.run("s.yaml", &[]);
    let done = space.kyo(&["why", "each[adda]"]);
    assert_eq!(done.code, 2);
    assert!(
        done.stderr.contains("did you mean `each[ada]`?"),
        "{}",
        done.stderr
    );
}

#[test]
fn the_types_that_were_found_can_be_read() {
    let space = space();
    let done = space.kyo(&["check", "s.yaml", "--types"]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert!(
        done.stdout.contains("each foreach[name] -> text: text\n"),
        "{}",
        done.stdout
    );
    let done = space.kyo(&["check", "s.yaml", "--types", "--json"]);
    let types: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(types["stages"]["names"]["out"]["names"], "list<str>");
}
