//! Words as LaTeX that shows them as they are.

/// Signs that pdfLaTeX has no glyph for under their own name, as LaTeX that works in text and in maths.
const SIGNS: &[(char, &str)] = &[
    ('\\', r"\textbackslash{}"),
    ('{', r"\{"),
    ('}', r"\}"),
    ('$', r"\$"),
    ('&', r"\&"),
    ('#', r"\#"),
    ('%', r"\%"),
    ('_', r"\_"),
    ('^', r"\textasciicircum{}"),
    ('~', r"\textasciitilde{}"),
    ('<', r"\ensuremath{<}"),
    ('>', r"\ensuremath{>}"),
    ('|', r"\ensuremath{|}"),
    ('"', "''"),
    ('\u{a0}', "~"),
    ('−', r"\ensuremath{-}"),
    ('×', r"\ensuremath{\times}"),
    ('±', r"\ensuremath{\pm}"),
    ('≈', r"\ensuremath{\approx}"),
    ('≤', r"\ensuremath{\leq}"),
    ('≥', r"\ensuremath{\geq}"),
    ('→', r"\ensuremath{\to}"),
    ('·', r"\ensuremath{\cdot}"),
    ('°', r"\ensuremath{^\circ}"),
    ('∞', r"\ensuremath{\infty}"),
    ('α', r"\ensuremath{\alpha}"),
    ('β', r"\ensuremath{\beta}"),
    ('γ', r"\ensuremath{\gamma}"),
    ('δ', r"\ensuremath{\delta}"),
    ('ε', r"\ensuremath{\varepsilon}"),
    ('η', r"\ensuremath{\eta}"),
    ('θ', r"\ensuremath{\theta}"),
    ('λ', r"\ensuremath{\lambda}"),
    ('μ', r"\ensuremath{\mu}"),
    ('π', r"\ensuremath{\pi}"),
    ('σ', r"\ensuremath{\sigma}"),
    ('τ', r"\ensuremath{\tau}"),
    ('φ', r"\ensuremath{\varphi}"),
    ('ω', r"\ensuremath{\omega}"),
    ('Δ', r"\ensuremath{\Delta}"),
    ('Σ', r"\ensuremath{\Sigma}"),
];

const RAISED: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];

/// Words for text mode.
pub(crate) fn words(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        if c == '⁻' || RAISED.contains(&c) {
            out.push_str(r"\ensuremath{^{");
            let mut next = Some(c);
            while let Some(c) = next {
                match RAISED.iter().position(|raised| *raised == c) {
                    Some(digit) => out.push_str(&digit.to_string()),
                    None => out.push('-'),
                }
                next = rest.next_if(|c| *c == '⁻' || RAISED.contains(c));
            }
            out.push_str("}}");
            continue;
        }
        if c == '%' {
            crate::typeset::writer::join(&mut out, "~");
        }
        match SIGNS.iter().find(|(sign, _)| *sign == c) {
            Some((_, latex)) => out.push_str(latex),
            None if c == '\n' => out.push(' '),
            // After `\item` and at the end of a row it would begin an option.
            None if c == '[' => out.push_str("{[}"),
            None => out.push(c),
        }
    }
    out
}

/// An address as words: a line may end after each of its signs, best after those that part it.
pub(crate) fn breakable(text: &str) -> String {
    let mut signs = text.chars().peekable();
    let mut out = String::new();
    while let Some(c) = signs.next() {
        out.push_str(&words(&c.to_string()));
        // `//` stays together.
        if signs.peek().is_some_and(|next| c != '/' || *next != '/') {
            let penalty = if "/.?&=#-_:".contains(c) { 50 } else { 500 };
            out.push_str(&format!("\\breakhere{{{penalty}}}"));
        }
    }
    out
}

/// A name in `\label` or a key: signs that end or comment a line are written as a dash.
pub(crate) fn name(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_alphanumeric() || ":-.".contains(c) {
                c
            } else {
                '-'
            }
        })
        .collect()
}

/// An address in `\href`.
pub(crate) fn address(url: &str) -> String {
    let mut out = String::new();
    for c in url.chars() {
        match c {
            '%' | '#' | '&' | '_' => {
                out.push('\\');
                out.push(c);
            }
            '\\' | '{' | '}' | '^' | '~' => out.push_str(&format!("\\%{:02X}", c as u32)),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_end_a_line_after_each_sign() {
        assert_eq!(
            breakable("a_b//c"),
            r"a\breakhere{500}\_\breakhere{50}b\breakhere{500}//\breakhere{50}c"
        );
    }

    #[test]
    fn no_sign_of_words_is_taken_for_latex() {
        assert_eq!(words("50% of a_b & #1"), r"50\% of a\_b \& \#1");
        assert_eq!(words("the 95 % level"), r"the 95~\% level");
        assert_eq!(words("[x] done"), "{[}x] done");
        assert_eq!(words(r"\input{x}"), r"\textbackslash{}input\{x\}");
        assert_eq!(
            words("−1.5 × 10⁻⁴"),
            r"\ensuremath{-}1.5 \ensuremath{\times} 10\ensuremath{^{-4}}"
        );
    }
}
