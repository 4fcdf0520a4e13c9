//! Inline maths of TeX as plain text: numbers stay numbers (`$3 \times 10^{-4}$`, `$0.5 \pm 0.1$`),
//! everything else is marked as a formula. It typesets nothing.

use super::plain::Plain;

/// Stands for a symbol that is no number.
const SYMBOL: char = 'ξ';

/// Letters that settings are called by.
pub(super) const GREEK: [(char, &str); 12] = [
    ('α', "alpha"),
    ('β', "beta"),
    ('γ', "gamma"),
    ('δ', "delta"),
    ('ε', "epsilon"),
    ('η', "eta"),
    ('θ', "theta"),
    ('λ', "lambda"),
    ('μ', "mu"),
    ('ρ', "rho"),
    ('σ', "sigma"),
    ('τ', "tau"),
];

/// Commands that stay visible.
const SIGNS: [(&str, &str); 26] = [
    ("times", "×"),
    ("pm", "±"),
    ("mp", "±"),
    ("cdot", "·"),
    ("approx", "≈"),
    ("sim", "~"),
    ("simeq", "≈"),
    ("leq", "≤"),
    ("le", "≤"),
    ("geq", "≥"),
    ("ge", "≥"),
    ("ll", "<"),
    ("gg", ">"),
    ("lt", "<"),
    ("gt", ">"),
    ("to", "→"),
    ("rightarrow", "→"),
    ("downarrow", "↓"),
    ("uparrow", "↑"),
    ("Delta", "Δ"),
    ("percent", "%"),
    ("ldots", "…"),
    ("dots", "…"),
    ("quad", " "),
    ("qquad", " "),
    ("degree", "°"),
];

/// Commands whose argument is words.
const WORDS: [&str; 12] = [
    "text",
    "mathrm",
    "textrm",
    "textbf",
    "mathbf",
    "textit",
    "mathit",
    "boldsymbol",
    "bm",
    "operatorname",
    "num",
    "textsc",
];

/// The sign of a command, if it is one that stays visible.
pub(super) fn sign(name: &str) -> Option<&'static str> {
    SIGNS
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, sign)| *sign)
}

/// Reads the maths `source`, whose first byte stands at `offset`, into `out`.
pub(super) fn read(source: &str, offset: usize, out: &mut Plain) {
    let flat = flatten(source, offset);
    // `K = 4`: the symbol is a formula, the value is a number.
    let split = flat
        .text
        .char_indices()
        .rfind(|(_, letter)| "=≈<>≤≥~".contains(*letter))
        .map(|(at, letter)| at + letter.len_utf8());
    let start = out.text.len();
    let numeric_from = if numeric(&flat.text) {
        Some(0)
    } else {
        split.filter(|at| numeric(&flat.text[*at..]))
    };
    out.extend(&flat);
    let end = out.text.len();
    match numeric_from {
        Some(0) => {}
        Some(from) => out.formulas.push(start..start + from),
        None => out.formulas.push(start..end),
    }
}

/// Commands become signs or symbols, braces go, `^{-4}` becomes `^-4`.
fn flatten(source: &str, offset: usize) -> Plain {
    let mut out = Plain::default();
    let mut letters = source.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        let place = offset + at;
        match letter {
            '\\' => {
                let rest = &source[at + 1..];
                let length = rest
                    .find(|c: char| !c.is_ascii_alphabetic())
                    .unwrap_or(rest.len());
                let name = &rest[..length];
                if name.is_empty() {
                    match rest.chars().next() {
                        Some('%') => out.push('%', place),
                        Some(',' | ';' | ':' | '!' | ' ') => out.push('\u{2009}', place),
                        _ => {}
                    }
                    letters.next();
                    continue;
                }
                for _ in 0..length {
                    letters.next();
                }
                match sign(name) {
                    Some(sign) => out.add(sign, place),
                    None if WORDS.contains(&name) => {}
                    None => {
                        let letter = GREEK.iter().find(|(_, greek)| *greek == name);
                        out.push(letter.map_or(SYMBOL, |(letter, _)| *letter), place);
                    }
                }
            }
            '{' | '}' | '$' => {}
            '\n' => out.push(' ', place),
            letter => out.push(letter, place),
        }
    }
    out
}

/// Whether it is numbers, signs and words only.
fn numeric(text: &str) -> bool {
    if !text.contains(|c: char| c.is_ascii_digit())
        || text.contains([SYMBOL, '_', '|', '!', '…'])
        || GREEK.iter().any(|(letter, _)| text.contains(*letter))
    {
        return false;
    }
    let powers = text.match_indices('^').all(|(at, _)| {
        let base = text[..at].trim_end();
        base.ends_with("10")
            && !base[..base.len() - 2].ends_with(|c: char| c.is_ascii_digit() || c == '.')
    });
    let letters = text
        .split(|c: char| !c.is_alphabetic())
        .filter(|word| !word.is_empty())
        .all(|word| word.chars().count() > 1 || "xsehkKMB".contains(word));
    powers && letters
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_and_symbols_are_formulas() {
        for (source, shown, formula) in [
            (r"3 \times 10^{-4}", "3 × 10^-4", false),
            (r"0.98 \pm 0.01", "0.98 ± 0.01", false),
            (r"\sim 40\%", "~ 40%", false),
            (r"10^{-3}", "10^-3", false),
            (r"\mathbb{R}^2", "ξR^2", true),
            (r"x_1 + 2", "x_1 + 2", true),
        ] {
            let mut out = Plain::default();
            read(source, 0, &mut out);
            assert_eq!(out.text, shown);
            let at = out.text.find(|c: char| c.is_ascii_digit()).unwrap();
            assert_eq!(out.is_formula(at), formula, "{source}");
        }
        let mut out = Plain::default();
        read("K_2 = 4", 0, &mut out);
        assert!(out.is_formula(2) && !out.is_formula(6), "{out:?}");
    }
}
