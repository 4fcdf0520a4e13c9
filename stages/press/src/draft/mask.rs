//! Takes the references (`\val{…}`, `\calc{…}{…}`, …) out of Markdown before it is parsed, so that
//! underscores, pipes and stars inside them cannot become emphasis or table cells. Each leaves a
//! token of private-use characters, which Markdown passes on untouched in prose, bold, links, tables
//! and maths. It does not know what a reference stands for.

use std::ops::Range;

use crate::draft::place::Problem;

/// Opens a token; its index follows in decimal digits.
pub(crate) const OPEN: char = '\u{E000}';
/// Closes a token.
pub(crate) const CLOSE: char = '\u{E001}';

/// What a macro asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Macro {
    /// `\val{reference}{format}`: a result.
    Val,
    /// `\calc{expression}{why}{format}`: derived from results.
    Calc,
    /// `\change{from}{to}{format}`: the size of a change with its direction word.
    Change,
    /// `\cfg{key}{format}`: a setting.
    Cfg,
    /// `\unknown{what}`: the writer says that this is not known.
    Unknown,
}

impl Macro {
    /// Every macro by its name, with the least and most arguments.
    pub(crate) const ALL: [(&'static str, Self, usize, usize); 5] = [
        ("val", Self::Val, 1, 2),
        ("calc", Self::Calc, 1, 3),
        ("change", Self::Change, 2, 3),
        ("cfg", Self::Cfg, 1, 2),
        ("unknown", Self::Unknown, 1, 1),
    ];
}

/// One use of a macro.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Use {
    pub(crate) name: Macro,
    pub(crate) args: Vec<String>,
    /// Bytes of the text that it was found in.
    pub(crate) at: Range<usize>,
}

/// Text with its references taken out.
#[derive(Debug)]
pub(crate) struct Masked {
    pub(crate) text: String,
    pub(crate) uses: Vec<Use>,
    /// Where each token stands in `text`, in order.
    tokens: Vec<Range<usize>>,
}

impl Masked {
    /// The offset in the original text of an offset in the masked text.
    pub(crate) fn original(&self, offset: usize) -> usize {
        let after = self.tokens.partition_point(|token| token.end <= offset);
        match self.tokens.get(after) {
            Some(token) if token.start <= offset => self.uses[after].at.start,
            _ if after == 0 => offset,
            _ => self.uses[after - 1].at.end + (offset - self.tokens[after - 1].end),
        }
    }
}

/// Takes the references out of `text`.
pub(crate) fn mask(text: &str, problems: &mut Vec<Problem>) -> Masked {
    let mut masked = Masked {
        text: String::with_capacity(text.len()),
        uses: Vec::new(),
        tokens: Vec::new(),
    };
    for (at, private) in text.match_indices([OPEN, CLOSE]) {
        problems.push(Problem::new(
            at..at + private.len(),
            "a private-use character cannot be typeset",
        ));
    }
    let mut rest = 0;
    while let Some(found) = text[rest..].find('\\') {
        let at = rest + found;
        let Some((name, _, least, most)) = named(&text[at + 1..]) else {
            // A backslash and what it escapes stay together, so that `\\val` is not a macro.
            let step = text[at + 1..].chars().next().map_or(0, char::len_utf8);
            masked.text.push_str(&text[rest..at + 1 + step]);
            rest = at + 1 + step;
            continue;
        };
        masked.text.push_str(&text[rest..at]);
        let (args, end) = arguments(text, at + 1 + name.len(), most);
        if args.len() < least {
            problems.push(
                Problem::new(at..end, format!("`\\{name}` lacks an argument in braces"))
                    .help(usage(name)),
            );
            rest = end.max(at + 1 + name.len());
            continue;
        }
        let start = masked.text.len();
        masked.text.push_str(&token(masked.uses.len()));
        masked.tokens.push(start..masked.text.len());
        let kind = named(name).map_or(Macro::Val, |(_, kind, _, _)| kind);
        masked.uses.push(Use {
            name: kind,
            args,
            at: at..end,
        });
        rest = end;
    }
    masked.text.push_str(&text[rest..]);
    masked
}

/// The token of an index.
pub(crate) fn token(index: usize) -> String {
    format!("{OPEN}{index}{CLOSE}")
}

/// How a macro is written.
pub(crate) fn usage(name: &str) -> String {
    match name {
        "val" => r"write `\val{reference}{format}`, as in `\val{trial.by.circle.loss}{.3}`",
        "calc" => r"write `\calc{expression}{why}`, as in `\calc{trial.a - trial.b}{the gap}`",
        "change" => r"write `\change{from}{to}`, both references",
        "cfg" => r"write `\cfg{key}`",
        _ => r"write `\unknown{what is not known}`",
    }
    .to_owned()
}

/// Splits text at tokens: `Ok(text)` or `Err(index)`.
pub(crate) fn pieces(text: &str) -> Vec<Result<&str, usize>> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(open) = rest.find(OPEN) {
        let Some(close) = rest[open..].find(CLOSE) else {
            break;
        };
        if open > 0 {
            out.push(Ok(&rest[..open]));
        }
        let digits = &rest[open + OPEN.len_utf8()..open + close];
        if let Ok(index) = digits.parse() {
            out.push(Err(index));
        }
        rest = &rest[open + close + CLOSE.len_utf8()..];
    }
    if !rest.is_empty() {
        out.push(Ok(rest));
    }
    out
}

fn named(rest: &str) -> Option<(&'static str, Macro, usize, usize)> {
    let end = rest
        .find(|c: char| !c.is_ascii_alphabetic())
        .unwrap_or(rest.len());
    Macro::ALL
        .into_iter()
        .find(|(name, ..)| *name == &rest[..end])
}

/// The brace groups that follow directly, braces inside them balanced; and where they end.
fn arguments(text: &str, from: usize, most: usize) -> (Vec<String>, usize) {
    let mut args = Vec::new();
    let mut end = from;
    while args.len() < most && text[end..].starts_with('{') {
        let mut depth = 0usize;
        let mut close = None;
        for (offset, c) in text[end..].char_indices() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                close = Some(end + offset);
                break;
            }
        }
        let Some(close) = close else { break };
        args.push(text[end + 1..close].trim().to_owned());
        end = close + 1;
    }
    (args, end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_taken_out_and_offsets_lead_back() {
        let text = r"a \val{x_1.y}{.3} b | \calc{(a + b)/2}{mean *of* both} c";
        let mut problems = Vec::new();
        let masked = mask(text, &mut problems);
        assert!(problems.is_empty());
        assert_eq!(masked.uses[0].args, ["x_1.y", ".3"]);
        assert_eq!(masked.uses[1].name, Macro::Calc);
        assert!(!masked.text.contains('_') && !masked.text.contains('*'));
        let c = masked.text.rfind('c').unwrap();
        assert_eq!(masked.original(c), text.rfind('c').unwrap());
        assert_eq!(masked.original(2), 2);
    }

    #[test]
    fn a_macro_without_its_braces_is_a_problem() {
        let mut problems = Vec::new();
        mask(r"see \val and \change{a}", &mut problems);
        assert_eq!(problems.len(), 2);
        assert_eq!(problems[0].at.start, 4);
    }

    #[test]
    fn an_escaped_backslash_or_a_longer_name_is_no_macro() {
        let mut problems = Vec::new();
        let masked = mask(r"\\val{x} \value{x}", &mut problems);
        assert!(masked.uses.is_empty() && problems.is_empty());
    }
}
