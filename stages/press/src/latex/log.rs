//! What TeX wrote about a paper, led back to the Markdown. It knows the log's form and the comments
//! `% draft.md:12` that the emitter puts before each block; it does not know what a paper means.

use kyobashi_stage::Place;

use crate::draft::place::{DRAFT, line_col};

/// What one run of TeX found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) errors: Vec<Place>,
    /// Lines over the margin: by how many points, and where.
    pub(crate) overfull: Vec<(f64, Place)>,
}

/// What is said of a citation without its work.
const UNDEFINED: &str = "is cited but not defined";

/// Reads a log that was written with `-file-line-error` and long lines.
///
/// `main` is the source that was compiled, `draft` the Markdown that it was made from, where that is known.
pub(crate) fn read(log: &str, main: &str, draft: Option<&str>) -> Found {
    let mut found = Found::default();
    let lines: Vec<&str> = log.lines().collect();
    for (index, line) in lines.iter().enumerate() {
        if let Some(file) = absent(line) {
            found.errors.push(placed(
                1,
                1,
                format!("LaTeX: the file {file} is not installed"),
                Some("the package of TeX Live that has it is missing here: `apt search`, `tlmgr search --file`".to_owned()),
            ));
            // What follows is about the same.
            break;
        } else if let Some((number, message)) = of_works(line) {
            let start = format!("l.{number} ");
            let near = lines[index..]
                .iter()
                .take(12)
                .find_map(|line| line.strip_prefix(&start))
                .unwrap_or_default();
            // The references were not read to their end, so that citations are missing too.
            found
                .errors
                .retain(|error| !error.message.ends_with(UNDEFINED));
            let near = near.trim_end().trim_start_matches("\\newblock ");
            found.errors.push(Place {
                file: "works.bib".to_owned(),
                ..placed(
                    1,
                    1,
                    format!("LaTeX: {message} at `{near}`"),
                    Some("in a field of BibTeX, `_`, `^`, `#`, `%`, `&` and `$` are written with a backslash".to_owned()),
                )
            });
            break;
        } else if let Some((number, message)) = error(line) {
            let number = number.max(1);
            // The line that begins with `l.12` ends where TeX stopped reading.
            let start = format!("l.{number} ");
            let stopped = lines[index..]
                .iter()
                .take(12)
                .find_map(|line| line.strip_prefix(&start));
            let (line, col) = place(main, draft, number, stopped.and_then(last_token));
            let help = help(&message).map(str::to_owned);
            let message = match stopped.and_then(last_token) {
                Some(token) if token.starts_with('\\') => format!("LaTeX: {message} `{token}`"),
                _ => format!("LaTeX: {message}"),
            };
            found.errors.push(placed(line, col, message, help));
        } else if let Some((points, number)) = overfull(line) {
            let (line, col) = place(main, draft, number, None);
            let message = format!("LaTeX: this runs {points:.0} pt over the margin");
            let help = "shorten the line, or break the formula or the table".to_owned();
            found
                .overfull
                .push((points, placed(line, col, message, Some(help))));
        } else if let Some((what, number)) = undefined(line) {
            let token = format!("@{what}");
            let (line, col) = place(main, draft, number, Some(&token));
            found.errors.push(placed(
                line,
                col,
                format!("LaTeX: `{what}` {UNDEFINED}"),
                None,
            ));
        }
    }
    found.errors.dedup();
    found
}

fn placed(line: usize, col: usize, message: String, help: Option<String>) -> Place {
    Place {
        file: DRAFT.to_owned(),
        line,
        col,
        message,
        help,
    }
}

/// ``! LaTeX Error: File `ulem.sty' not found.``, with or without the place before it.
fn absent(line: &str) -> Option<&str> {
    let (file, rest) = line.split_once("LaTeX Error: File `")?.1.split_once('\'')?;
    rest.starts_with(" not found").then_some(file)
}

/// `./main.bbl:14: Missing $ inserted.`
fn of_works(line: &str) -> Option<(usize, &str)> {
    let (_, rest) = line.split_once(".bbl:")?;
    let (number, message) = rest.split_once(": ")?;
    Some((number.parse().ok()?, message.trim().trim_end_matches('.')))
}

/// `./main.tex:12: Undefined control sequence.`
fn error(line: &str) -> Option<(usize, String)> {
    let rest = line.strip_prefix("./").unwrap_or(line);
    let (file, rest) = rest.split_once(".tex:")?;
    let (number, message) = rest.split_once(": ")?;
    let number = number.parse().ok()?;
    let plain = file
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
    let message = message
        .trim()
        .trim_end_matches('.')
        .replace("LaTeX Error: ", "");
    (plain && !message.starts_with("==>")).then_some((number, message))
}

/// `Overfull \hbox (15.3pt too wide) in paragraph at lines 45--46`
fn overfull(line: &str) -> Option<(f64, usize)> {
    let rest = line.strip_prefix("Overfull \\hbox (")?;
    let (points, rest) = rest.split_once("pt too wide)")?;
    let digits: String = rest
        .chars()
        .skip_while(|c| !c.is_ascii_digit())
        .take_while(char::is_ascii_digit)
        .collect();
    Some((points.parse().ok()?, digits.parse().ok()?))
}

/// ``LaTeX Warning: Citation `ho' on page 1 undefined on input line 12.``
fn undefined(line: &str) -> Option<(&str, usize)> {
    let rest = line.split_once("Warning: ")?.1;
    let rest = rest
        .strip_prefix("Citation `")
        .or_else(|| rest.strip_prefix("Reference `"))?;
    let (what, rest) = rest.split_once('\'')?;
    let number = rest.split_once("undefined on input line ")?.1;
    Some((what, number.trim_end_matches('.').parse().ok()?))
}

/// The last command or word before the place where TeX stopped.
fn last_token(stopped: &str) -> Option<&str> {
    let stopped = stopped.trim_end();
    let word = stopped.rsplit(char::is_whitespace).next()?;
    let token = match word.rfind('\\') {
        Some(at) => &word[at..],
        None => word,
    };
    (token.len() > 1).then_some(token)
}

/// Line and column of the draft of a line of the source: the block's, or the token's behind it.
fn place(main: &str, draft: Option<&str>, number: usize, token: Option<&str>) -> (usize, usize) {
    let mark = format!("% {DRAFT}:");
    let lines: Vec<&str> = main.lines().take(number).collect();
    let marked = lines.iter().rev().find_map(|line| line.strip_prefix(&mark));
    let block: usize = marked
        .and_then(|text| text.trim().parse().ok())
        .unwrap_or(1);
    let (Some(draft), Some(token)) = (draft, token) else {
        return (block, 1);
    };
    let start: usize = draft
        .split_inclusive('\n')
        .take(block - 1)
        .map(str::len)
        .sum();
    match draft[start..].find(token) {
        Some(at) => line_col(draft, start + at),
        None => (block, 1),
    }
}

/// How the most frequent errors are mended.
fn help(message: &str) -> Option<&'static str> {
    let known = [
        (
            "Undefined control sequence",
            "write it with commands of amsmath and amssymb, or in words",
        ),
        ("Missing $ inserted", "put the formula between dollar signs"),
        ("Extra }", "count the braces of the formula"),
        ("Missing }", "count the braces of the formula"),
        ("not found", "the venue's files belong into `extra`"),
        (
            "Unicode character",
            "write the sign as a formula, such as `$\\alpha$`",
        ),
    ];
    let (_, help) = known.iter().find(|(part, _)| message.contains(part))?;
    Some(help)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIN: &str =
        "\\begin{document}\n% draft.md:3\nOne.\n\n% draft.md:7\nThe value $\\foo{x}$ is.\n";
    const DRAFT_TEXT: &str = "a\nb\nOne.\n\n# Two\n\nThe value\n$\\foo{x}$ is.\n";

    #[test]
    fn an_error_of_tex_comes_back_with_its_place_in_the_markdown() {
        let log = "./main.tex:6: Undefined control sequence.\nl.6 The value $\\foo\n                   {x}$ is.\n";
        let found = read(log, MAIN, Some(DRAFT_TEXT));
        let error = &found.errors[0];
        assert_eq!((error.line, error.col), (8, 2));
        assert_eq!(error.message, "LaTeX: Undefined control sequence `\\foo`");
        let blind = read(log, MAIN, None);
        assert_eq!((blind.errors[0].line, blind.errors[0].col), (7, 1));
    }

    #[test]
    fn lines_over_the_margin_and_undefined_citations_have_places_too() {
        let log = "Overfull \\hbox (15.3pt too wide) in paragraph at lines 6--7\nPackage natbib Warning: Citation `ho' on page 1 undefined on input line 3.\n";
        let found = read(log, MAIN, None);
        assert_eq!((found.overfull[0].0, found.overfull[0].1.line), (15.3, 7));
        assert_eq!(found.errors[0].line, 3);
        assert!(found.errors[0].message.contains("`ho`"));
    }
}
