//! The front matter of a draft: YAML between two `---` lines. It does not know the body.

use serde::Deserialize;

use crate::draft::place::Problem;

/// What the front matter says.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Matter {
    pub(crate) title: Option<String>,
    #[serde(default)]
    pub(crate) authors: Vec<String>,
    /// Markdown; may hold references.
    #[serde(rename = "abstract")]
    pub(crate) summary: Option<String>,
    pub(crate) provenance: Option<Provenance>,
    #[serde(default)]
    pub(crate) keywords: Vec<String>,
    /// `2026-01-31`. Without one the document carries none: the press has no clock.
    pub(crate) date: Option<String>,
}

/// Who wrote, in the order from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Provenance {
    Live,
    Local,
    Scripted,
    Baseline,
}

impl Provenance {
    pub(crate) const ALL: [(&'static str, Self); 4] = [
        ("live", Self::Live),
        ("local", Self::Local),
        ("scripted", Self::Scripted),
        ("baseline", Self::Baseline),
    ];

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Local => "local",
            Self::Scripted => "scripted",
            Self::Baseline => "baseline",
        }
    }

    /// What the first page and the metadata say; nothing for a live model.
    pub(crate) fn sentence(self) -> Option<&'static str> {
        match self {
            Self::Live => None,
            Self::Local => Some(
                "Written with a language model that ran locally. Experimental numbers are from real runs.",
            ),
            Self::Scripted => Some(
                "Produced with SCRIPTED model replies, not by a live language model. Experimental numbers are from real runs.",
            ),
            Self::Baseline => Some(
                "Produced WITHOUT a language model: ideas enumerated from a declared space, prose from templates, scores from automatic checks. Experimental numbers are from real runs.",
            ),
        }
    }
}

/// The front matter, and the byte where the body starts.
pub(crate) fn read(draft: &str, problems: &mut Vec<Problem>) -> (Matter, usize) {
    let Some(first) = opening(draft) else {
        return (Matter::default(), 0);
    };
    let mut at = first;
    for line in draft[first..].split_inclusive('\n') {
        if matches!(line.trim_end(), "---" | "...") {
            let body = at + line.len();
            return match serde_yaml::from_str::<Option<Matter>>(&draft[first..at]) {
                Ok(matter) => (matter.unwrap_or_default(), body),
                Err(error) => {
                    let start = error
                        .location()
                        .map_or(first, |location| first + location.index().min(at - first));
                    problems.push(
                        Problem::new(start..start + 1, format!("front matter: {error}")).help(
                            "its keys are title, authors (a list), abstract, provenance, keywords and date",
                        ),
                    );
                    (Matter::default(), body)
                }
            };
        }
        at += line.len();
    }
    problems.push(
        Problem::new(0..3, "the front matter does not end")
            .help("close it with a line of three dashes"),
    );
    (Matter::default(), draft.len())
}

fn opening(draft: &str) -> Option<usize> {
    let end = draft.find('\n').map_or(draft.len(), |newline| newline + 1);
    (draft[..end].trim_end() == "---").then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_starts_after_the_front_matter() {
        let draft = "---\ntitle: A\nprovenance: baseline\n---\nBody\n";
        let mut problems = Vec::new();
        let (matter, body) = read(draft, &mut problems);
        assert_eq!(&draft[body..], "Body\n");
        assert_eq!(matter.title.as_deref(), Some("A"));
        assert_eq!(matter.provenance, Some(Provenance::Baseline));
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line() {
        let draft = "---\ntitle: A\ntitel: B\n---\n";
        let mut problems = Vec::new();
        read(draft, &mut problems);
        assert!(problems[0].message.contains("titel"), "{problems:?}");
    }
}
