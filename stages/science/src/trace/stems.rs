//! Words in the one form in which names of files and words of papers can be compared.

use std::collections::BTreeSet;

/// Words of names that tell nothing apart.
pub(super) const EMPTY: [&str; 26] = [
    "mean", "avg", "average", "final", "value", "values", "score", "per", "of", "the", "num",
    "number", "best", "overall", "std", "stderr", "total", "info", "dict", "result", "metric",
    "max", "min", "last", "sem", "ci",
];

/// Words that papers and files write differently.
const ALIKE: [(&str, &str); 36] = [
    ("throughput", "token"),
    ("tok", "token"),
    ("validation", "val"),
    ("evaluation", "eval"),
    ("training", "train"),
    ("trained", "train"),
    ("accuracy", "acc"),
    ("accuracies", "acc"),
    ("perplexity", "ppl"),
    ("addition", "plus"),
    ("add", "plus"),
    ("subtraction", "minus"),
    ("subtract", "minus"),
    ("sub", "minus"),
    ("division", "div"),
    ("divide", "div"),
    ("divided", "div"),
    ("multiplication", "mul"),
    ("multiply", "mul"),
    ("error", "err"),
    ("deviation", "std"),
    ("parameter", "param"),
    ("losses", "loss"),
    ("testing", "test"),
    ("inferencing", "inference"),
    ("sec", "second"),
    ("diverse", "diversity"),
    ("times", "time"),
    ("memory", "mem"),
    ("permutations", "permutation"),
    ("grokking", "grok"),
    ("kullback", "kl"),
    ("bitsperbyte", "bpb"),
    ("consistencies", "consistency"),
    ("similarities", "similarity"),
    ("steps", "step"),
];

/// A text with signs between single letters as words: `x/y` is `x div y`.
fn spelt(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let single = |at: Option<usize>, step: isize| {
        let is = |at: Option<usize>| {
            at.and_then(|at| letters.get(at))
                .is_some_and(|c| c.is_alphanumeric())
        };
        at.is_some_and(|at| letters.get(at).is_some_and(|c| c.is_ascii_lowercase()))
            && !is(at.and_then(|at| at.checked_add_signed(step)))
    };
    for (at, letter) in letters.iter().enumerate() {
        let word = match letter {
            '/' | '÷' => "div",
            '+' => "plus",
            '-' | '−' => "minus",
            _ => {
                out.push(*letter);
                continue;
            }
        };
        let gap = usize::from(letters.get(at + 1) == Some(&' '));
        let before = at.checked_sub(1 + usize::from(at > 0 && letters[at - 1] == ' '));
        if single(before, -1) && single(Some(at + 1 + gap), 1) {
            out.push(' ');
            out.push_str(word);
            out.push(' ');
        } else {
            out.push(*letter);
        }
    }
    out
}

/// The stems of a text's words.
pub(super) fn stems(text: &str) -> Vec<String> {
    let text = &spelt(text);
    let mut spaced = String::with_capacity(text.len() + 8);
    let mut before = ' ';
    for letter in text.chars() {
        if letter.is_uppercase() && before.is_lowercase() {
            spaced.push(' ');
        }
        spaced.push(letter);
        before = letter;
    }
    spaced
        .to_lowercase()
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(stem)
        .collect()
}

/// The initials of each three to five words of a text that stand together: `rtf` for `real-time factor`.
pub(super) fn initials(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for clause in text.split(|c: char| !c.is_alphanumeric() && c != ' ' && c != '-') {
        let words: Vec<char> = clause
            .split([' ', '-'])
            .filter_map(|word| word.chars().next())
            .flat_map(char::to_lowercase)
            .collect();
        for length in 3..=5 {
            found.extend(
                words
                    .windows(length)
                    .map(|some| some.iter().collect::<String>()),
            );
        }
    }
    found
}

/// What is left of a name's word that ends as a deed does: `fused`, `fusion` and `fusing` are one. Nothing
/// for other words, so that `tested` does not name `test`.
pub(super) fn deed(stem: &str) -> Option<&str> {
    let rest = ["ing", "ed", "ion"]
        .iter()
        .find_map(|end| stem.strip_suffix(end))?;
    (rest.chars().count() >= 3).then_some(rest)
}

fn stem(word: &str) -> String {
    let alike = |word: &str| {
        ALIKE
            .iter()
            .find(|(long, _)| *long == word)
            .map(|(_, short)| (*short).to_owned())
    };
    if let Some(short) = alike(word) {
        return short;
    }
    if let Some(rest) = word.strip_suffix("ies").filter(|rest| rest.len() > 3) {
        return format!("{rest}y");
    }
    let single = word
        .strip_suffix('s')
        .filter(|rest| rest.len() > 2 && !rest.ends_with(['s', 'u', 'i']));
    match single {
        Some(rest) => alike(rest).unwrap_or_else(|| rest.to_owned()),
        None => word.to_owned(),
    }
}
