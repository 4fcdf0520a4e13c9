//! Which stage runs are made anew although their results are there: patterns over names, paths and
//! addresses. It does not know what is in the store.

use crate::plan::Graph;
use crate::spec::{Spec, Stage};

/// Whether a pattern of `--refresh` means this stage run.
///
/// A pattern is the bare name of a stage or group, its path (`study/writeup`), an address
/// (`study[learned_gate].writeup`), or one of the latter two with `*` for any characters. The path or
/// address of a group or fan-out means everything in it.
#[must_use]
pub fn means(pattern: &str, stage: &Stage, address: &str) -> bool {
    let named = stage.path.split('/').any(|name| name == pattern);
    named || covers(pattern, &stage.path) || covers(pattern, address)
}

/// Whether a pattern names this path or address, or something around it.
#[must_use]
pub fn covers(pattern: &str, whole: &str) -> bool {
    around(whole).any(|part| like(pattern, part))
}

/// A path or address, and the groups, fan-outs and instances around it, the outermost first.
pub fn around(whole: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_usize;
    let ends = whole.char_indices().filter_map(move |(at, letter)| {
        // Within a mark nothing ends: `lr=0.1` is one value.
        let end = depth == 0 && matches!(letter, '[' | '/' | '.');
        match letter {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        end.then_some(at)
    });
    ends.chain([whole.len()]).map(|end| &whole[..end])
}

/// The address without the marks of instances and rounds, which is the path of the stage.
#[must_use]
pub fn path(address: &str) -> String {
    let mut path = String::new();
    let mut depth = 0_usize;
    for letter in address.chars() {
        match letter {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            '.' => path.push('/'),
            letter => path.push(letter),
        }
    }
    path
}

/// Whether any pattern means a node.
pub(super) fn any(
    patterns: &[String],
    spec: &Spec,
    graph: &Graph,
    id: crate::plan::NodeId,
) -> bool {
    if patterns.is_empty() {
        return false;
    }
    let stage = spec.stage(graph.node(id).stage);
    let address = graph.address(spec, id);
    patterns
        .iter()
        .any(|pattern| means(pattern, stage, &address))
}

/// Whether `text` is like `pattern`, in which `*` stands for any characters.
fn like(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_characters() {
        for (pattern, text) in [
            ("train", "train"),
            ("tr*", "train"),
            ("*", "train"),
            ("train[*,seed=0]", "train[lr=0.1,seed=0]"),
            ("study[*].first/*", "study[gate].first/reviewer"),
        ] {
            assert!(like(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("train", "trainer"),
            ("*er", "train"),
            ("train[*,seed=0]", "train[lr=0.1,seed=01]"),
            ("a*b*a", "aba b"),
        ] {
            assert!(!like(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn a_fan_out_or_group_means_all_within_it() {
        for pattern in ["study", "study[gate]", "study[gate].first", "stu*"] {
            assert!(
                covers(pattern, "study[gate].first/reviewer[sample=3]"),
                "{pattern}"
            );
        }
        for pattern in ["study[ga", "stud", "first", "study[gate].fir", "*=0"] {
            assert!(
                !covers(pattern, "study[gate].first/reviewer[sample=3]"),
                "{pattern}"
            );
        }
        assert!(!covers("train[lr=0", "train[lr=0.1,seed=0]"));
    }

    #[test]
    fn an_address_leads_to_its_path() {
        assert_eq!(
            path("study[gate].first/reviewer[sample=3]"),
            "study/first/reviewer"
        );
        assert_eq!(path("train[lr=0.1,seed=0]"), "train");
        assert_eq!(path("plain"), "plain");
    }
}
