//! Texts that were written to hurt: every one is turned away, or read, with bounded work and no panic.

use std::collections::BTreeSet;

use kyobashi_engine::spec::Checked;

use crate::space::Space;

fn codes(text: String) -> BTreeSet<&'static str> {
    let checked = Space::default().file("a.yaml", &text).check("a.yaml");
    assert!(checked.problems.len() <= 501, "problems are limited");
    checked
        .problems
        .iter()
        .map(|problem| problem.code)
        .collect()
}

fn only(text: String) -> &'static str {
    let codes = codes(text);
    assert_eq!(codes.len(), 1, "{codes:?}");
    codes.into_iter().next().unwrap()
}

fn run_with(part: &str) -> String {
    format!("kyobashi: 1\nstages:\n  a:\n    run: echo\n    {part}\n")
}

#[test]
fn deep_nesting_is_turned_away() {
    assert_eq!(only("- ".repeat(50_000)), "limit::nesting");
    assert_eq!(only("[".repeat(1_000_000)), "limit::nesting");
    assert_eq!(only("{a: ".repeat(100_000)), "limit::nesting");
    assert_eq!(only("? ".repeat(100_000)), "yaml::key");
}

#[test]
fn aliases_cannot_multiply() {
    let mut text =
        "a: &a [\"lol\",\"lol\",\"lol\",\"lol\",\"lol\",\"lol\",\"lol\",\"lol\",\"lol\"]\n"
            .to_owned();
    for (before, name) in ('a'..'i').zip('b'..='i') {
        let nine = [format!("*{before}").as_str(); 9].join(",");
        text += &format!("{name}: &{name} [{nine}]\n");
    }
    assert_eq!(only(text), "limit::aliases");
    let anchors: String = (0..60).map(|level| format!("&a{level} [")).collect();
    let wide = format!(
        "kyobashi: 1\nx: {anchors}{}{}\n",
        "1,".repeat(9_000),
        "]".repeat(60)
    );
    assert!(!codes(wide).contains("limit::nodes"));
}

#[test]
fn very_many_keys_are_counted_and_not_shown() {
    let mut keys = String::from("kyobashi: 1\n");
    for key in 0..200_000 {
        keys += &format!("key{key}: {key}\n");
    }
    let codes = codes(keys);
    assert!(
        codes.contains("spec::unknown_key") && codes.contains("limit::problems"),
        "{codes:?}"
    );
}

#[test]
fn a_file_has_a_size_and_a_number_of_values() {
    assert_eq!(only("#".repeat(5 << 20)), "limit::size");
    assert_eq!(only(format!("[{}]", "a,".repeat(300_000))), "limit::nodes");
}

#[test]
fn repeated_faults_stop_the_reading() {
    let duplicates = codes("a: 1\n".repeat(200_000));
    assert_eq!(Vec::from_iter(duplicates), ["yaml::duplicate_key"]);
    let tags = codes(format!("[{}]", "!x a,".repeat(200_000)));
    assert_eq!(Vec::from_iter(tags), ["yaml::tag"]);
}

#[test]
fn long_expressions_types_and_names_are_turned_away() {
    let deep = format!("when: ${{{}true", "(".repeat(100_000)) + &")".repeat(100_000) + "}";
    assert_eq!(only(run_with(&deep)), "expr::syntax");
    assert_eq!(
        only(run_with(&format!(
            "when: ${{{}1 > 0}}",
            "1+".repeat(100_000)
        ))),
        "expr::syntax"
    );
    assert_eq!(
        only(run_with(&format!("when: ${{{}true}}", "!".repeat(100_000)))),
        "expr::syntax"
    );
    assert_eq!(
        only(run_with(&format!(
            "out: {{x: \"{}\"}}",
            "list<".repeat(100_000)
        ))),
        "type::unknown"
    );
    assert_eq!(
        only(run_with(&format!(
            "out: {{x: \"int{}\"}}",
            "?".repeat(100_000)
        ))),
        "type::unknown"
    );
    assert_eq!(
        only(run_with(&format!(
            "with: {{x: \"${{a{}}}\"}}",
            ".b".repeat(100_000)
        ))),
        "expr::syntax"
    );
}

#[test]
fn ten_thousand_unknown_names_do_not_become_a_hundred_million_comparisons() {
    let mut text = String::from("kyobashi: 1\nstages:\n");
    for stage in 0..10_000 {
        text += &format!("  s{stage}: {{run: echo, in: {{x: \"${{t{stage}.x}}\"}}}}\n");
    }
    let checked: Checked = Space::default().file("a.yaml", &text).check("a.yaml");
    assert_eq!(checked.problems.len(), 501);
    assert_eq!(
        checked.problems[500].message,
        "9500 more problems are not shown"
    );
    assert_eq!(
        checked.problems[0].labels[0].place.line, 3,
        "the first faults are kept"
    );
}

#[test]
fn a_chain_of_ten_thousand_stages_needs_no_deep_stack() {
    let mut text = String::from("kyobashi: 1\nstages:\n  s0: {run: echo, out: {x: text}}\n");
    for stage in 1..10_000 {
        let before = stage - 1;
        // Backwards in the file, so that the order is found and not given.
        text += &format!(
            "  s{stage}: {{run: echo, in: {{y: \"${{s{before}.x}}\"}}, out: {{x: text}}}}\n"
        );
    }
    let lines: Vec<&str> = text.lines().collect();
    let mut backwards = lines[..2].join("\n");
    for line in lines[2..].iter().rev() {
        backwards += "\n";
        backwards += line;
    }
    for text in [text.clone(), backwards] {
        let checked = Space::default().file("a.yaml", &text).check("a.yaml");
        assert!(checked.problems.is_empty());
        assert_eq!(checked.spec.unwrap().stages.len(), 10_000);
    }
    let circle = text.replace(
        "  s0: {run: echo,",
        "  s0: {run: echo, in: {y: \"${s9999.x}\"},",
    );
    assert_eq!(only(circle), "graph::cycle");
}

#[test]
fn components_cannot_multiply_without_end() {
    let mut space = Space::default();
    for level in 0..20 {
        let next = level + 1;
        let head = if level == 0 { "" } else { "inputs: {}\n" };
        let text = format!(
            "kyobashi: 1\n{head}import: {{c: c{next}.yaml}}\nstages:\n  a: {{uses: c}}\n  b: {{uses: c}}\n"
        );
        space = space.file(&format!("c{level}.yaml"), &text);
    }
    let checked = space
        .file("c20.yaml", "kyobashi: 1\ninputs: {}\nstages: {}\n")
        .check("c0.yaml");
    let codes: BTreeSet<&str> = checked
        .problems
        .iter()
        .map(|problem| problem.code)
        .collect();
    assert!(
        codes.contains("limit::stages") || codes.contains("limit::imports"),
        "{codes:?}"
    );
    assert!(checked.spec.is_none());
}

#[test]
fn a_long_line_has_columns_at_the_cost_of_a_short_one() {
    let mut text = String::from("{kyobashi: 1, stages: {");
    for stage in 0..20_000 {
        text += &format!("s{stage}: {{run: echo, out: {{あ: text}}}},");
    }
    text += "}}";
    assert!(codes(text).contains("run::name"));
}
