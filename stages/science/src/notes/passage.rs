//! A paper as numbered passages, and its captions. It reads plain text, Markdown and LaTeX only as far as
//! headings and empty lines go.

use serde::Serialize;

/// The longest passage, in words; a longer paragraph is cut.
const LONGEST: usize = 180;

/// The shortest passage, in words; what is shorter belongs to no argument.
const SHORTEST: usize = 6;

/// A piece of a paper.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Passage {
    /// From 1.
    pub(super) id: usize,
    /// The heading that it stands under.
    pub(super) section: String,
    pub(super) text: String,
    /// `Figure 2`, `Table 1`: if it is a caption.
    pub(super) caption: Option<String>,
}

/// Cuts a paper into passages.
pub(super) fn passages(paper: &str) -> Vec<Passage> {
    let mut found: Vec<Passage> = Vec::new();
    let mut section = String::new();
    for block in paper
        .replace('\r', "")
        .replace('\u{c}', "\n\n")
        .split("\n\n")
    {
        let mut text = block.trim();
        if let Some((name, rest)) = heading(text) {
            section = name;
            text = rest.trim();
        }
        if section.to_lowercase().starts_with("references") {
            continue;
        }
        let words: Vec<&str> = text.split_whitespace().collect();
        let caption = caption(&words);
        if words.len() < SHORTEST && caption.is_none() {
            continue;
        }
        for piece in words.chunks(LONGEST) {
            found.push(Passage {
                id: found.len() + 1,
                section: section.clone(),
                text: piece.join(" "),
                caption: caption.clone(),
            });
        }
    }
    found
}

/// A heading at the beginning of a block, and what follows it.
fn heading(block: &str) -> Option<(String, &str)> {
    let (line, rest) = block.split_once('\n').unwrap_or((block, ""));
    let line = line.trim();
    if let Some(name) = line.strip_prefix('#') {
        let name = name.trim_start_matches('#').split("{#").next()?.trim();
        return Some((name.to_owned(), rest));
    }
    for command in ["\\section{", "\\subsection{", "\\section*{"] {
        if let Some(name) = line.strip_prefix(command) {
            return Some((name.split('}').next()?.to_owned(), rest));
        }
    }
    // A numbered heading of plain text: `3 Method`, `3.1 Data`.
    let (number, name) = line.split_once(' ')?;
    let numbered = number.starts_with(|sign: char| sign.is_ascii_digit())
        && number
            .chars()
            .all(|sign| sign.is_ascii_digit() || sign == '.');
    let titled = name.starts_with(char::is_uppercase) && name.split_whitespace().count() <= 8;
    let plain = !name.ends_with(['.', ',', ';', ':']);
    (numbered && titled && plain).then(|| (name.trim().to_owned(), rest))
}

/// The name of a figure or table whose caption the words are: `Figure 2:`, `Table 1.`
fn caption(words: &[&str]) -> Option<String> {
    let kind = match *words.first()? {
        "Figure" | "Fig." => "Figure",
        "Table" => "Table",
        _ => return None,
    };
    let number = words.get(1)?;
    let digits = number.trim_end_matches([':', '.', '|']);
    let marked = digits.len() < number.len() && !digits.is_empty();
    let counted = digits.chars().all(|sign| sign.is_ascii_alphanumeric());
    (marked && counted && digits.starts_with(|sign: char| sign.is_ascii_digit() || sign == 'S'))
        .then(|| format!("{kind} {digits}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAPER: &str = "# Method\n\nWe train a small network by the gradient of its loss.\n\nFigure 2: The loss falls over the steps of training.\n\n3.1 Data\nTen thousand points are drawn from a circle each time.\n\nReferences\n\n# References\n\nA. Smith. A paper about something that is long enough. 2020.";

    #[test]
    fn a_paper_is_cut_by_its_headings_and_captions_are_known() {
        let found = passages(PAPER);
        let shown: Vec<(usize, &str, Option<&str>)> = found
            .iter()
            .map(|passage| {
                (
                    passage.id,
                    passage.section.as_str(),
                    passage.caption.as_deref(),
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                (1, "Method", None),
                (2, "Method", Some("Figure 2")),
                (3, "Data", None)
            ]
        );
    }

    #[test]
    fn a_long_paragraph_becomes_several_passages() {
        let found = passages(&"word ".repeat(400));
        assert_eq!(found.len(), 3);
    }
}
