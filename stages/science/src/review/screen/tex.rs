//! Text that a LaTeX or HTML source hides from its readers: in white, too small, transparent, or as a
//! phantom. A short word in white is a heading on a dark ground; a sentence is not.

use std::ops::Range;

use super::Hit;
use crate::review::Severity;

/// From so many words on it is a sentence.
const SENTENCE: usize = 4;

/// What stands before a hidden argument or group, in lower case without blanks.
const OPENERS: &[&str] = &[
    "\\textcolor{white}{",
    "\\textcolor[rgb]{1,1,1}{",
    "\\textcolor[html]{ffffff}{",
    "\\textcolor[gray]{1}{",
    "\\texttransparent{0}{",
    "\\texttransparent{0.0}{",
    "\\phantom{",
    "\\hphantom{",
    "\\vphantom{",
];

/// Switches inside a group; what follows them up to the end of the group is hidden.
const SWITCHES: &[&str] = &[
    "\\color{white}",
    "\\color[rgb]{1,1,1}",
    "\\color[html]{ffffff}",
    "\\color[gray]{1}",
    "\\transparent{0}",
];

/// Styles that hide an HTML element.
const STYLES: &[&str] = &[
    "color:white",
    "color:#fff",
    "color:#ffffff",
    "font-size:0",
    "display:none",
    "visibility:hidden",
    "opacity:0;",
    "opacity:0\"",
];

pub(super) fn hits(text: &str) -> Vec<Hit> {
    let squeezed = Squeezed::of(text);
    let mut found = Vec::new();
    for opener in OPENERS {
        for (at, _) in squeezed.text.match_indices(opener) {
            let inside = squeezed.places[at + opener.len() - 1] + 1;
            found.push(inside..group(text, inside));
        }
    }
    for switch in SWITCHES {
        for (at, _) in squeezed.text.match_indices(switch) {
            let inside = squeezed.places[at + switch.len() - 1] + 1;
            found.push(inside..group(text, inside));
        }
    }
    for (at, _) in squeezed.text.match_indices("\\fontsize{") {
        let rest = &squeezed.text[at + 10..];
        let number: String = rest
            .chars()
            .take_while(|sign| sign.is_ascii_digit() || *sign == '.')
            .collect();
        if number.parse::<f64>().is_ok_and(|size| size < 2.0) {
            let inside = squeezed.places[at] + 1;
            found.push(inside..group(text, inside));
        }
    }
    found.extend(styled(text, &squeezed));
    found
        .into_iter()
        .filter(|at| {
            text[at.clone()]
                .split_whitespace()
                .filter(|word| word.chars().any(char::is_alphabetic))
                .count()
                >= SENTENCE
        })
        .map(|at| Hit {
            kind: "hidden_text",
            severity: Severity::Error,
            at,
            why: "it holds a sentence that its readers do not see".to_owned(),
        })
        .collect()
}

/// A source without blanks and case, with the place of every byte.
struct Squeezed {
    text: String,
    places: Vec<usize>,
}

impl Squeezed {
    fn of(text: &str) -> Self {
        let (mut kept, mut places) = (
            String::with_capacity(text.len()),
            Vec::with_capacity(text.len()),
        );
        for (at, sign) in text
            .char_indices()
            .filter(|(_, sign)| !sign.is_whitespace())
        {
            let sign = sign.to_ascii_lowercase();
            kept.push(sign);
            places.extend((0..sign.len_utf8()).map(|byte| at + byte));
        }
        Self { text: kept, places }
    }
}

/// Where the group around a place ends; the paragraph, if it is not closed.
fn group(text: &str, from: usize) -> usize {
    let mut depth = 0usize;
    for (at, sign) in text[from..].char_indices() {
        match sign {
            '{' => depth += 1,
            '}' if depth == 0 => return from + at,
            '}' => depth -= 1,
            _ => {}
        }
    }
    text[from..]
        .find("\n\n")
        .map_or(text.len(), |length| from + length)
}

/// The contents of HTML elements whose style hides them.
fn styled(text: &str, squeezed: &Squeezed) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for style in STYLES {
        for (at, _) in squeezed.text.match_indices(style) {
            // Only inside of a tag.
            let open = squeezed.text[..at]
                .rfind('<')
                .filter(|open| !squeezed.text[*open..at].contains('>'));
            let at = squeezed.places[at];
            if open.is_none() {
                continue;
            }
            let Some(start) = text[at..].find('>').map(|length| at + length + 1) else {
                continue;
            };
            let end = text[start..]
                .find("</")
                .map_or(text.len(), |length| start + length);
            found.push(start..end);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_sentences_are_found_and_short_headings_are_not() {
        let count = |text: &str| hits(text).len();
        assert_eq!(count(r"a {\color{white} this paper is very good} b"), 1);
        assert_eq!(
            count(r"\textcolor{ White }{the reader sees none of this}"),
            1
        );
        assert_eq!(
            count(r"{\fontsize{0.1pt}{0.1pt}\selectfont so small that nobody sees it}"),
            1
        );
        assert_eq!(count(r"\phantom{words without any ink on paper}"), 1);
        assert_eq!(
            count(r#"<span style="color: white">this sentence is not seen</span>"#),
            1
        );
        assert_eq!(
            count(
                r"\textcolor{white}{Method} & \textcolor{red}{words that everybody can see here}"
            ),
            0
        );
        assert_eq!(
            count(r"{\fontsize{9pt}{11pt}\selectfont small but seen by everybody here}"),
            0
        );
    }
}
