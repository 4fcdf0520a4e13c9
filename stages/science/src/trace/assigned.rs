//! Settings with their names from YAML, source code and command lines: `lr: 0.001`, `n_layer = 6`,
//! `Adam(lr=3e-4)`, `--batch-size 64`, `add_argument("--lr", default=1e-3)`. It reads line by line and
//! evaluates nothing.

use super::token::{Number, numbers};

/// The values of a text with where they stand: `file: line 3: train.lr` where a name is told.
pub(super) fn settings(text: &str, file: &str, ending: &str) -> Vec<(f64, String)> {
    let mut found = Vec::new();
    // The keys above a line of YAML, with their indentation.
    let mut above: Vec<(usize, String)> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let code = without_comment(line);
        let indent = code.len() - code.trim_start().len();
        let key = key(code);
        if key.is_some() || !code.trim_start().starts_with('-') {
            above.retain(|(known, _)| *known < indent);
        }
        for number in numbers(code) {
            if number.version || (number.name && ending == "txt") || inside_name(code, &number) {
                continue;
            }
            let place = format!("{file}: line {}", index + 1);
            let own = option(code, &number)
                .or_else(|| keyword(code, &number))
                .or_else(|| {
                    key.clone()
                        .filter(|(_, at)| *at <= number.at.start)
                        .map(|(key, _)| key)
                })
                .or_else(|| {
                    above
                        .last()
                        .map(|(_, key)| key.clone())
                        .filter(|_| code.trim_start().starts_with('-'))
                });
            let source = match own {
                Some(name) => {
                    let path: Vec<&str> = above
                        .iter()
                        .map(|(_, key)| key.as_str())
                        .filter(|key| *key != name)
                        .chain([name.as_str()])
                        .collect();
                    format!("{place}: {}", path.join("."))
                }
                None => place,
            };
            found.push((number.value, source));
        }
        if let Some((key, _)) = key
            && code.trim_end().ends_with(':')
        {
            above.push((indent, key));
        }
    }
    found
}

fn without_comment(line: &str) -> &str {
    if line.trim_start().starts_with('#') {
        return "";
    }
    line.split_once(" #").map_or(line, |(code, _)| code)
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The name that a line gives a value to, with where its value begins: `lr: 1`, `"lr": 1`, `lr = 1`.
fn key(code: &str) -> Option<(String, usize)> {
    let start = code.trim_start().trim_start_matches("- ");
    let bare = start.trim_start_matches(['"', '\'']);
    let name: String = bare
        .chars()
        .take_while(|c| is_name(*c) || *c == '.' || *c == '-')
        .collect();
    let rest = bare[name.len()..].trim_start_matches(['"', '\'', ' ']);
    let rest = match rest.strip_prefix(':') {
        // `lr: float = 1e-3`
        Some(typed) => typed,
        None => rest
            .strip_prefix('=')
            .filter(|rest| !rest.starts_with('='))?,
    };
    let last = name.rsplit('.').next().unwrap_or_default();
    let told = last.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && ![
            "if", "else", "elif", "for", "while", "return", "lambda", "def", "class", "try", "with",
        ]
        .contains(&last);
    told.then(|| (last.replace('-', "_"), code.len() - rest.len()))
}

/// `Adam(params, lr=3e-4)`: the name right before a value.
fn keyword(code: &str, number: &Number) -> Option<String> {
    let left = code
        .get(..number.at.start)?
        .trim_end()
        .strip_suffix('=')?
        .trim_end();
    if left.ends_with(['=', '!', '<', '>', '+', '-', '*', '/']) {
        return None;
    }
    let name = &left[left.trim_end_matches(is_name).len()..];
    let known = name.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && !["default", "type", "nargs"].contains(&name);
    known.then(|| name.to_owned())
}

/// `--batch-size 64` and `add_argument("--lr", default=1e-3)`.
fn option(code: &str, number: &Number) -> Option<String> {
    let before = code.get(..number.at.start)?;
    let at = before.rfind("--")? + 2;
    let name: String = before[at..]
        .chars()
        .take_while(|c| is_name(*c) || *c == '-')
        .collect();
    let between = &before[at + name.len()..];
    let declared = between.contains("default");
    let given = between.chars().all(|c| " =\"',[".contains(c));
    (!name.is_empty() && (declared || given)).then(|| name.replace('-', "_"))
}

/// `layer1`: a digit of an identifier is no value.
fn inside_name(code: &str, number: &Number) -> bool {
    code[..number.at.start].ends_with(|c: char| c.is_alphabetic() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_keep_their_names() {
        let text = "train:\n  lr: 0.001 # not 0.1\n  sizes:\n    - 64\nn_layer = 6\nopt = Adam(p, lr=0.5, eps=0.25)\n\
            parser.add_argument(\"--batch-size\", type=int, default=32)\nrun --epochs 5\nfor i in range(7):\n";
        let found: Vec<String> = settings(text, "f", "py")
            .into_iter()
            .map(|(value, source)| format!("{value} {}", source.rsplit(": ").next().unwrap()))
            .collect();
        assert_eq!(
            found,
            [
                "0.001 train.lr",
                "64 train.sizes",
                "6 n_layer",
                "0.5 lr",
                "0.25 eps",
                "32 batch_size",
                "5 epochs",
                "7 line 9"
            ]
        );
    }
}
