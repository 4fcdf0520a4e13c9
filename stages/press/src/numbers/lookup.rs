//! Paths into the results: `comparison.by.circle.loss.difference`. A key may itself hold dots (a
//! coordinate such as `0.001`), so every way of cutting the path is tried, shortest keys first.

use serde_json::Value;

/// A value that a path leads to, and the object that holds it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found<'v> {
    pub(crate) value: &'v Value,
    pub(crate) parent: Option<&'v Value>,
    /// The key of the value in its parent.
    pub(crate) key: &'v str,
}

/// The document (first key) and the value of a path.
pub(crate) fn find<'v>(results: &'v Value, path: &str) -> Option<(&'v str, Found<'v>)> {
    let object = results.as_object()?;
    for (name, document) in object {
        let Some(rest) = path.strip_prefix(name.as_str()) else {
            continue;
        };
        let whole = Found {
            value: document,
            parent: None,
            key: name,
        };
        let found = match rest.strip_prefix('.') {
            Some(rest) => descend(document, rest),
            None if rest.is_empty() => Some(whole),
            None => None,
        };
        if let Some(found) = found {
            return Some((name, found));
        }
    }
    None
}

fn descend<'v>(value: &'v Value, path: &str) -> Option<Found<'v>> {
    let step = |key: &'v str, inner: &'v Value, rest: &str| {
        if rest.is_empty() {
            return Some(Found {
                value: inner,
                parent: Some(value),
                key,
            });
        }
        descend(inner, rest.strip_prefix('.')?)
    };
    match value {
        Value::Object(object) => {
            let mut keys: Vec<(&String, &Value)> = object
                .iter()
                .filter(|(key, _)| !key.is_empty() && path.starts_with(key.as_str()))
                .collect();
            keys.sort_by_key(|(key, _)| key.len());
            keys.into_iter()
                .find_map(|(key, inner)| step(key, inner, &path[key.len()..]))
        }
        Value::Array(items) => {
            let end = path.find('.').unwrap_or(path.len());
            let item = items.get(path[..end].parse::<usize>().ok()?)?;
            step("", item, &path[end..])
        }
        _ => None,
    }
}

/// At most this many paths are compared for the nearest name.
const MOST: usize = 20_000;

/// The path of the results that is most like `path`, if any is like it.
pub(crate) fn nearest(results: &Value, path: &str) -> Option<String> {
    let mut paths = Vec::new();
    list(results, String::new(), &mut paths);
    paths
        .into_iter()
        .map(|known| (strsim::normalized_damerau_levenshtein(&known, path), known))
        .filter(|(likeness, _)| *likeness > 0.5)
        .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(&a.1)))
        .map(|(_, known)| known)
}

fn list(value: &Value, path: String, out: &mut Vec<String>) {
    if out.len() >= MOST {
        return;
    }
    let join = |key: &str| match path.as_str() {
        "" => key.to_owned(),
        path => format!("{path}.{key}"),
    };
    match value {
        Value::Object(object) => {
            for (key, inner) in object {
                list(inner, join(key), out);
            }
        }
        Value::Array(items) => {
            for (index, inner) in items.iter().enumerate() {
                list(inner, join(&index.to_string()), out);
            }
        }
        _ => {}
    }
    if !path.is_empty() {
        out.push(path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn keys_with_dots_and_array_indices_are_found() {
        let results = json!({"trial": {"by": {"circle/0.001": {"loss": 1}, "circle/0": {"loss": 3}}, "rows": [{"n": 2}]}});
        let get = |path: &str| find(&results, path).map(|(_, found)| found.value.clone());
        assert_eq!(get("trial.by.circle/0.001.loss"), Some(json!(1)));
        assert_eq!(get("trial.by.circle/0.loss"), Some(json!(3)));
        assert_eq!(get("trial.rows.0.n"), Some(json!(2)));
        assert_eq!(get("trial.rows.1.n"), None);
        assert_eq!(get("tria"), None);
    }

    #[test]
    fn the_nearest_path_is_named() {
        let results = json!({"trial": {"by": {"circle": {"eval_loss": 1, "train_loss": 2}}}});
        assert_eq!(
            nearest(&results, "trial.by.circel.eval_loss").as_deref(),
            Some("trial.by.circle.eval_loss")
        );
        assert_eq!(nearest(&results, "zzz"), None);
    }
}
