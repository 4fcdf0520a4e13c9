//! SEARCH/REPLACE pieces: what is searched for must be there exactly once. Pure.

/// One piece.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Hunk {
    search: Vec<String>,
    replace: Vec<String>,
}

/// Whether a block holds such pieces.
pub(super) fn has_hunks(text: &str) -> bool {
    text.lines().any(|line| is(line, '<', "SEARCH"))
}

fn is(line: &str, sign: char, word: &str) -> bool {
    let rest = line.trim_end().trim_start_matches(sign);
    let count = line.chars().take_while(|c| *c == sign).count();
    count >= 5 && rest.trim() == word
}

/// The pieces of a block.
///
/// # Errors
/// If one is not closed.
pub(super) fn hunks(text: &str) -> Result<Vec<Hunk>, String> {
    let mut found = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if !is(line, '<', "SEARCH") {
            continue;
        }
        let mut part = |end: &dyn Fn(&str) -> bool, what: &str| {
            let mut part = Vec::new();
            loop {
                match lines.next() {
                    Some(line) if end(line) => return Ok(part),
                    Some(line) => part.push(line.to_owned()),
                    None => return Err(format!("a SEARCH/REPLACE piece has no `{what}` line")),
                }
            }
        };
        let search = part(&|line| is(line, '=', ""), "=======")?;
        let replace = part(&|line| is(line, '>', "REPLACE"), ">>>>>>> REPLACE")?;
        found.push(Hunk { search, replace });
    }
    Ok(found)
}

/// The text with a piece replaced. Blanks at the ends of lines and the kind of line ends do not count; a
/// piece that is indented otherwise as a whole fits too.
///
/// # Errors
/// If it is not there, with the nearest lines, or there more than once.
pub(super) fn replaced(name: &str, text: &str, hunk: &Hunk) -> Result<String, String> {
    let windows = text.contains("\r\n");
    let lines: Vec<&str> = text.lines().collect();
    if hunk.search.iter().all(|line| line.trim().is_empty()) {
        return Err(format!(
            "`{name}`: a SEARCH is empty; quote the lines that change"
        ));
    }
    let mut places = at(&lines, &hunk.search, &|line| line.trim_end().to_owned());
    let mut shift = None;
    if places.is_empty() {
        let indent = |lines: &[&str]| {
            let filled = lines.iter().filter(|line| !line.trim().is_empty());
            filled
                .map(|line| line.len() - line.trim_start().len())
                .min()
        };
        let search: Vec<&str> = hunk.search.iter().map(String::as_str).collect();
        let own = indent(&search).unwrap_or(0);
        let bare = |lines: &[&str]| -> Vec<String> {
            let least = indent(lines).unwrap_or(0);
            lines
                .iter()
                .map(|line| line.get(least..).unwrap_or("").trim_end().to_owned())
                .collect()
        };
        let wanted = bare(&search);
        places = (0..lines.len().saturating_sub(search.len() - 1))
            .filter(|start| bare(&lines[*start..*start + search.len()]) == wanted)
            .collect();
        if let [start] = places[..] {
            let there = &lines[start..start + search.len()];
            let first = there.iter().find(|line| !line.trim().is_empty());
            let blanks = first.map_or("", |line| {
                &line[..indent(there).unwrap_or(0).min(line.len())]
            });
            shift = Some((own, blanks.to_owned()));
        }
    }
    match places[..] {
        [start] => {
            let new = hunk.replace.iter().map(|line| match &shift {
                Some((own, blanks)) if !line.trim().is_empty() => {
                    format!("{blanks}{}", line.get(*own..).unwrap_or(line.trim_start()))
                }
                _ => line.clone(),
            });
            let head = lines[..start].iter().map(|line| (*line).to_owned());
            let tail = lines[start + hunk.search.len()..].iter();
            let all: Vec<String> = head
                .chain(new)
                .chain(tail.map(|line| (*line).to_owned()))
                .collect();
            let end = if windows { "\r\n" } else { "\n" };
            let mut joined = all.join(end);
            if (text.ends_with('\n') || text.is_empty()) && !joined.is_empty() {
                joined.push_str(end);
            }
            Ok(joined)
        }
        [] => Err(format!(
            "`{name}` does not have these lines:\n{}\nThe nearest that it has:\n{}",
            hunk.search.join("\n"),
            nearest(&lines, &hunk.search)
        )),
        _ => Err(format!(
            "`{name}` has these lines {} times; quote more of what is around them:\n{}",
            places.len(),
            hunk.search.join("\n")
        )),
    }
}

fn at(lines: &[&str], search: &[String], like: &dyn Fn(&str) -> String) -> Vec<usize> {
    let wanted: Vec<String> = search.iter().map(|line| like(line)).collect();
    (0..lines.len().saturating_sub(search.len() - 1))
        .filter(|start| {
            let there = &lines[*start..*start + search.len()];
            there
                .iter()
                .zip(&wanted)
                .all(|(line, wanted)| like(line) == *wanted)
        })
        .collect()
}

/// As many lines as were searched for, where they are most like them.
fn nearest(lines: &[&str], search: &[String]) -> String {
    let score = |start: usize| -> f64 {
        let there = lines[start..].iter().zip(search);
        there
            .map(|(line, wanted)| strsim::normalized_levenshtein(line.trim(), wanted.trim()))
            .sum()
    };
    let best = (0..lines.len()).max_by(|a, b| score(*a).total_cmp(&score(*b)));
    best.map_or_else(String::new, |start| {
        lines[start..lines.len().min(start + search.len())].join("\n")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(text: &str, search: &str, replace: &str) -> Result<String, String> {
        let block = format!("<<<<<<< SEARCH\n{search}\n=======\n{replace}\n>>>>>>> REPLACE\n");
        let hunks = hunks(&block).unwrap();
        replaced("a.py", text, &hunks[0])
    }

    #[test]
    fn a_piece_that_is_there_once_is_replaced_whatever_the_line_ends_and_trailing_blanks() {
        assert_eq!(edit("a\nb\nc\n", "b", "x\ny").unwrap(), "a\nx\ny\nc\n");
        assert_eq!(
            edit("a\r\nb\r\nc\r\n", "b", "x").unwrap(),
            "a\r\nx\r\nc\r\n"
        );
        assert_eq!(edit("a  \nb\n", "a\nb ", "x").unwrap(), "x\n");
    }

    #[test]
    fn a_piece_that_is_indented_otherwise_as_a_whole_fits() {
        let text = "def f():\n    if x:\n        y = 1\n";
        let found = edit(text, "if x:\n    y = 1", "if x:\n    y = 2").unwrap();
        assert_eq!(found, "def f():\n    if x:\n        y = 2\n");
    }

    #[test]
    fn a_piece_that_is_there_twice_or_not_is_refused_with_what_to_do() {
        assert!(edit("a\na\n", "a", "b").unwrap_err().contains("2 times"));
        let lack = edit("value = 1\nother = 2\n", "valeu = 1", "x").unwrap_err();
        assert!(
            lack.contains("The nearest that it has:\nvalue = 1"),
            "{lack}"
        );
        assert!(hunks("<<<<<<< SEARCH\na\n").is_err());
    }
}
