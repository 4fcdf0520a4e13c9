//! Whether what a page shows is what a command prints. Times differ from run to run and are not compared,
//! the last digits of long numbers differ between machines and are not either; a line `...` stands for any lines, `[..]` for any text within a line.

use std::sync::LazyLock;

use regex::{Captures, Regex};

static TIMES: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\d{4}-\d\d-\d\d \d\d:\d\d|\d+(\.\d+)? (ms|s|min|h)\b( \d+ (s|min)\b)?")
        .expect("the pattern is a constant")
});

static LONG: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\d+\.\d{9,}").expect("the pattern is a constant"));

/// Compares line by line; with `any_order` the lines of both are sorted first.
pub(super) fn same(shown: &str, printed: &str, any_order: bool) -> bool {
    let mut shown: Vec<String> = shown.lines().map(plain).collect();
    let mut printed: Vec<String> = printed.lines().map(plain).collect();
    if any_order {
        shown.sort();
        printed.sort();
    }
    lines(&shown, &printed)
}

fn plain(line: &str) -> String {
    let line = TIMES.replace_all(line.trim_end(), "<time>");
    let line = LONG.replace_all(&line, |number: &Captures<'_>| {
        number[0]
            .parse::<f64>()
            .map_or_else(|_| number[0].to_owned(), |number| format!("{number:.8}"))
    });
    line.into_owned()
}

fn lines(shown: &[String], printed: &[String]) -> bool {
    match shown.split_first() {
        None => printed.is_empty(),
        Some((first, rest)) if first == "..." => {
            (0..=printed.len()).any(|skipped| lines(rest, &printed[skipped..]))
        }
        Some((first, rest)) => printed
            .split_first()
            .is_some_and(|(line, more)| like(first, line) && lines(rest, more)),
    }
}

fn like(shown: &str, line: &str) -> bool {
    let mut parts = shown.split("[..]");
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = line.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[test]
fn elisions_and_times_are_not_compared() {
    assert!(same("a 0.1 s\n", "a 12 s\n", false));
    assert!(same(
        "at 2026-11-23 13:07\n",
        "at 2027-01-01 00:00\n",
        false
    ));
    assert!(same("a\n...\nz\n", "a\nb\nc\nz\n", false));
    assert!(same("in [..]: 3 [..]\n", "in x/y: 3 lines\n", false));
    assert!(same("0.10000000000000001\n", "0.1000000000000002\n", false));
    assert!(same("b\na\n", "a\nb\n", true));
    for (shown, printed) in [
        ("a\n", "b\n"),
        ("a\n", "a\nb\n"),
        ("a\n...\n", "b\n"),
        ("a [..] z", "a z"),
    ] {
        assert!(!same(shown, printed, false), "{shown:?} is not {printed:?}");
    }
}
