//! LaTeX maths to Typst maths. The work is done by `mitex`; what it writes and Typst 0.15 lacks is
//! defined in `maths.typ`, and symbols whose names changed since are renamed here.

use crate::draft::mask::pieces;

/// Symbols under the name that mitex writes, and under the one that Typst 0.15 knows.
const RENAMED: &[(&str, &str)] = &[
    ("diff", "partial"),
    ("sect", "inter"),
    ("sect.big", "inter.big"),
    ("sect.double", "inter.double"),
    ("sect.sq", "inter.sq"),
    ("angle.l", "chevron.l"),
    ("angle.r", "chevron.r"),
    ("planck.reduce", "planck"),
    ("ohm.inv", "Omega.inv"),
    ("plus.circle", "plus.o"),
    ("plus.circle.big", "plus.o.big"),
    ("minus.circle", "minus.o"),
    ("times.circle", "times.o"),
    ("times.circle.big", "times.o.big"),
    ("dot.circle", "dot.o"),
    ("dot.circle.big", "dot.o.big"),
    ("dash.circle", "dash.o"),
    ("ast.circle", "ast.op.o"),
    ("circle.nested", "compose.o"),
    ("arrow.l.dash", "arrow.l.dashed"),
    ("arrow.r.dash", "arrow.r.dashed"),
    ("bracket.l.double", "bracket.l.stroked"),
    ("bracket.r.double", "bracket.r.stroked"),
    ("set", "setof"),
];

/// Environments that are lines of a displayed formula, which Typst aligns without any function.
const LINES: [&str; 8] = [
    "aligned",
    "align*",
    "align",
    "equation*",
    "equation",
    "gathered",
    "gather",
    "split",
];

/// The Typst maths of a formula (without dollar signs); `number` writes the Typst of a number in it.
///
/// # Errors
/// What mitex said, as a lower-case fragment.
pub(crate) fn convert(latex: &str, number: &dyn Fn(usize) -> String) -> Result<String, String> {
    let mut numbers = Vec::new();
    let mut source = String::new();
    for piece in pieces(unwrapped(latex.trim())) {
        match piece {
            Ok(text) => source.push_str(text),
            Err(index) => {
                source.push_str(&format!("\\text{{KYO{}KYO}}", numbers.len()));
                numbers.push(index);
            }
        }
    }
    if source.len() > LONGEST {
        return Err(format!("it has more than {LONGEST} characters"));
    }
    if let Some(at) = comment(&source) {
        let rest: String = source[at..].chars().take(12).collect();
        return Err(format!(
            "`{rest}`: an unescaped `%` hides what follows it; write `\\%`"
        ));
    }
    if nesting(&source) > DEEPEST {
        return Err("it is nested too deeply".to_owned());
    }
    // mitex indexes into what it did not check; its panic is the formula's fault, not the press's.
    let converted = std::panic::catch_unwind(|| mitex::convert_math(&source, None))
        .unwrap_or_else(|_| Err("it is not complete".to_owned()))
        .map_err(|error| error.strip_prefix("error: ").unwrap_or(&error).to_owned())?;
    let mut out = renamed(&converted);
    for (place, index) in numbers.iter().enumerate() {
        out = out.replace(&format!("#textmath[KYO{place}KYO];"), &number(*index));
    }
    Ok(out)
}

/// Where a `%` stands that no backslash escapes.
fn comment(source: &str) -> Option<usize> {
    source.match_indices('%').map(|(at, _)| at).find(|at| {
        let slashes = source[..*at]
            .bytes()
            .rev()
            .take_while(|byte| *byte == b'\\');
        slashes.count() % 2 == 0
    })
}

/// Formulas of papers nest a dozen levels at most; recursion on many thousand would end the process.
const DEEPEST: usize = 60;
const LONGEST: usize = 20_000;

/// How deep a formula nests at most: braces and the like, and commands that take the command after them.
fn nesting(source: &str) -> usize {
    let (mut depth, mut most, mut run, mut greedy) = (0usize, 0usize, 0usize, 0usize);
    let mut rest = source.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\\' => {
                let mut name = String::new();
                while let Some(letter) = rest.next_if(char::is_ascii_alphabetic) {
                    name.push(letter);
                }
                match name.as_str() {
                    "" => drop(rest.next()),
                    "begin" | "left" => depth += 1,
                    "end" | "right" => depth = depth.saturating_sub(1),
                    // A switch such as `\bf` takes all that follows, however much stands between.
                    _ if SWITCHES.contains(&name.as_str()) => greedy += 1,
                    _ => {}
                }
                run += 1;
            }
            '{' | '[' | '(' => depth += 1,
            '}' | ']' | ')' => {
                depth = depth.saturating_sub(1);
                run = 0;
            }
            '^' | '_' => run += 1,
            c if c.is_whitespace() => {}
            _ => run = 0,
        }
        most = most.max(depth + run + greedy);
    }
    most
}

const SWITCHES: [&str; 16] = [
    "bf",
    "rm",
    "it",
    "sf",
    "tt",
    "cal",
    "frak",
    "color",
    "displaystyle",
    "textstyle",
    "scriptstyle",
    "scriptscriptstyle",
    "over",
    "atop",
    "choose",
    "brack",
];

fn unwrapped(latex: &str) -> &str {
    for name in LINES {
        let inner = latex
            .strip_prefix(&format!("\\begin{{{name}}}"))
            .and_then(|rest| rest.strip_suffix(&format!("\\end{{{name}}}")));
        if let Some(inner) = inner
            && !inner.contains(&format!("\\begin{{{name}}}"))
        {
            return inner;
        }
    }
    latex
}

/// Replaces whole names only; words in `[…]` are text and stay.
fn renamed(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    let mut text = 0usize;
    while let Some(c) = rest.chars().next() {
        let part = |c: char| c.is_alphanumeric() || c == '.';
        let length = if c.is_alphabetic() {
            rest.find(|c: char| !part(c)).unwrap_or(rest.len())
        } else {
            match c {
                '[' if out.ends_with(char::is_alphabetic) => text += 1,
                ']' if text > 0 && !out.ends_with('\\') => text -= 1,
                _ => {}
            }
            c.len_utf8()
        };
        let name = &rest[..length];
        let new = RENAMED
            .iter()
            .find(|(old, _)| text == 0 && *old == name)
            .map_or(name, |(_, new)| *new);
        out.push_str(new);
        rest = &rest[length..];
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_are_renamed_but_words_are_not() {
        let none = |_: usize| String::new();
        let out = convert(r"\partial x \text{a diff of}", &none).unwrap();
        assert!(
            out.contains("partial") && out.contains("a diff of"),
            "{out}"
        );
    }

    #[test]
    fn numbers_stand_in_formulas() {
        let shown = |index: usize| format!("#num({index})");
        let latex = format!("\\eta = {}", crate::draft::mask::token(7));
        assert!(convert(&latex, &shown).unwrap().contains("#num(7)"));
    }

    #[test]
    fn an_unknown_command_is_refused() {
        assert!(convert(r"\foo{x}", &|_| String::new()).is_err());
    }
}
