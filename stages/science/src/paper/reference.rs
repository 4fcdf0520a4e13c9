//! References in a draft (`\val{path}{format}` and its kin) and the results that they lead to.
//!
//! It does not format numbers; that is the press's work.

use std::ops::Range;

use serde_json::Value;

/// One use of a macro in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    /// `val`, `calc`, `change`, `cfg` or `unknown`.
    pub(crate) name: &'static str,
    pub(crate) args: Vec<String>,
    /// Bytes of the text it was found in.
    pub(crate) at: Range<usize>,
}

/// The macros of a draft with the most arguments that each takes.
const MACROS: [(&str, usize); 5] = [
    ("val", 2),
    ("calc", 3),
    ("change", 3),
    ("cfg", 2),
    ("unknown", 1),
];

/// The references of a text, in order.
pub(crate) fn references(text: &str) -> Vec<Reference> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(offset) = text[from..].find('\\') {
        let at = from + offset;
        let rest = &text[at + 1..];
        let word = rest
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(rest.len());
        let Some((name, most)) = MACROS.into_iter().find(|(name, _)| *name == &rest[..word]) else {
            from = at + 1 + rest.chars().next().map_or(0, char::len_utf8);
            continue;
        };
        let mut end = at + 1 + word;
        let mut args = Vec::new();
        while args.len() < most {
            let Some(close) = group(&text[end..]) else {
                break;
            };
            args.push(text[end + 1..end + close].trim().to_owned());
            end += close + 1;
        }
        if !args.is_empty() {
            found.push(Reference {
                name,
                args,
                at: at..end,
            });
        }
        from = end;
    }
    found
}

/// Where the brace group that opens a text closes.
fn group(text: &str) -> Option<usize> {
    let mut depth = 0usize;
    for (at, letter) in text.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return (letter == '}').then_some(at);
        }
    }
    None
}

impl Reference {
    /// The paths into the results that this reference rests on.
    pub(crate) fn paths(&self) -> Vec<String> {
        match self.name {
            "val" => vec![self.args[0].clone()],
            "change" => self.args.iter().take(2).cloned().collect(),
            "calc" => paths_of(&self.args[0]),
            "cfg" => vec![self.args[0].clone()],
            _ => Vec::new(),
        }
    }

    /// Whether it is the measured result of a run, not a setting or a gap.
    pub(crate) fn is_result(&self) -> bool {
        matches!(self.name, "val" | "calc" | "change")
    }
}

/// The words of an expression that begin with a letter and hold a dot.
fn paths_of(expression: &str) -> Vec<String> {
    expression
        .split(|c: char| c.is_whitespace() || "+*/(),{}".contains(c))
        .filter(|word| word.contains('.') && word.starts_with(|c: char| c.is_ascii_alphabetic()))
        .map(str::to_owned)
        .collect()
}

/// The value of a path. A key may itself hold dots (a coordinate such as `0.001`), so every way of
/// cutting the path is tried, shortest keys first.
pub(crate) fn find<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    if path.is_empty() {
        return Some(value);
    }
    let rest = |path: &'_ str, used: usize| -> Option<usize> {
        match path.as_bytes().get(used) {
            None => Some(used),
            Some(b'.') => Some(used + 1),
            Some(_) => None,
        }
    };
    match value {
        Value::Object(fields) => {
            let mut keys: Vec<&String> = fields
                .keys()
                .filter(|key| !key.is_empty() && path.starts_with(key.as_str()))
                .collect();
            keys.sort_by_key(|key| key.len());
            keys.into_iter()
                .find_map(|key| find(&fields[key], &path[rest(path, key.len())?..]))
        }
        Value::Array(items) => {
            let end = path.find('.').unwrap_or(path.len());
            find(
                items.get(path[..end].parse::<usize>().ok()?)?,
                &path[rest(path, end)?..],
            )
        }
        _ => None,
    }
}

/// Replaces the references of a text by blanks of the same length in bytes, so that offsets hold.
pub(crate) fn blank(text: &str) -> String {
    let mut out = text.to_owned();
    for reference in references(text) {
        let width = reference.at.len();
        out.replace_range(reference.at, &" ".repeat(width));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn references_are_found_with_their_arguments_and_paths() {
        let text = r"from \val{a.b}{.3} by \change{a.b}{c.d} and \calc{(a.b + c.0.d)/2}{mean} or \value{x} \val";
        let found = references(text);
        assert_eq!(found.len(), 3);
        assert_eq!(found[0].args, ["a.b", ".3"]);
        assert_eq!(found[1].paths(), ["a.b", "c.d"]);
        assert_eq!(found[2].paths(), ["a.b", "c.0.d"]);
        assert_eq!(&text[found[0].at.clone()], r"\val{a.b}{.3}");
        assert_eq!(blank(text).len(), text.len());
    }

    #[test]
    fn paths_lead_through_keys_with_dots_and_list_places() {
        let results =
            json!({"by": {"lr/0.001": {"kl": {"mean": 1}}, "lr/0": 2}, "rows": [{"n": 3}]});
        assert_eq!(find(&results, "by.lr/0.001.kl.mean"), Some(&json!(1)));
        assert_eq!(find(&results, "by.lr/0"), Some(&json!(2)));
        assert_eq!(find(&results, "rows.0.n"), Some(&json!(3)));
        assert_eq!(find(&results, "rows.1.n"), None);
        assert_eq!(find(&results, "b"), None);
    }
}
