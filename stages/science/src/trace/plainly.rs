//! Numbers of kinds that need no origin: names, versions, years, the numbers of parts, conventions.

use super::around::Around;
use super::entry::{Class, Finding};
use super::kind::{Place, SMALL};
use super::plain::Kind;
use super::token::{Number, Share};
use super::words;

/// Kinds that need no origin.
pub(super) fn plain(number: &Number, around: &Around<'_>, place: &Place<'_>) -> Option<Finding> {
    let (before, after) = (around.before, around.after);
    if place.formula {
        return Some(Finding::literal(Class::Formula, "part of a formula"));
    }
    if number.version {
        return Some(Finding::literal(Class::Name, "a version"));
    }
    if number.name {
        return Some(Finding::literal(Class::Name, "part of a name"));
    }
    if number.share == Share::None
        && let Some(name) = words::versioned(before)
    {
        return Some(Finding::literal(
            Class::Name,
            format!("a version or model of {name}"),
        ));
    }
    if place.block == Kind::Heading && place.first && number.share == Share::None {
        return Some(Finding::literal(
            Class::Structural,
            "the number of a heading",
        ));
    }
    if number.whole && number.share == Share::None {
        if place.first && after.starts_with(['.', ')', ':']) {
            return Some(Finding::literal(
                Class::Structural,
                "the number of a list item",
            ));
        }
        let only = around.sentence.trim().trim_end_matches(['.', ')', ':']);
        if only.bytes().all(|byte| byte.is_ascii_digit()) && place.block == Kind::Prose {
            return Some(Finding::literal(
                Class::Structural,
                "the number of a list item",
            ));
        }
        if let Some(part) = words::part(before)
            .filter(|part| number.value < 100.0 || part.to_lowercase().starts_with("seed"))
        {
            return Some(Finding::literal(
                Class::Structural,
                format!("the number of a {}", part.to_lowercase()),
            ));
        }
        let listed =
            before.trim_end().ends_with('(') && after.starts_with(')') && number.value <= SMALL;
        if listed {
            return Some(Finding::literal(
                Class::Structural,
                "the number of a list item",
            ));
        }
        if year(number, around) {
            return Some(Finding::literal(Class::Year, "a year"));
        }
    }
    if number.share == Share::None
        && number.value < 100.0
        && number.step >= 0.01
        && let Some(part) = words::part(before).filter(|part| words::divided(part))
    {
        return Some(Finding::literal(
            Class::Structural,
            format!("the number of a {}", part.to_lowercase()),
        ));
    }
    let low = before.to_lowercase();
    if [
        "arxiv:",
        "arxiv: ",
        "doi:",
        "doi: ",
        "isbn ",
        "github.com",
        "issue #",
        "pmid:",
    ]
    .iter()
    .any(|mark| low.ends_with(mark))
    {
        return Some(Finding::literal(Class::Name, "the number of a document"));
    }
    let given = words::tokens(around.sentence).next().map(|(_, word)| word);
    let supposed =
        given.is_some_and(|word| ["Let", "Suppose", "Assume", "Given", "Denote"].contains(&word));
    if supposed && before.trim_end().ends_with(['=', '≈', '≤', '≥', '<', '>']) {
        return Some(Finding::literal(Class::Formula, "supposed, not measured"));
    }
    if sized(number, around, super::kind::set_up(place.section)) {
        return Some(Finding::literal(Class::Name, "the size of a model, by its words").warning());
    }
    if let Some(finding) = split(number, around) {
        return Some(finding);
    }
    convention(number, around)
}

/// `BERT-base has 110M parameters`: a size of a model with a name, told in millions or billions.
fn sized(number: &Number, around: &Around<'_>, set_up: bool) -> bool {
    let next = words::tokens(around.after)
        .next()
        .map(|(_, word)| word.to_lowercase());
    let counts = next.is_some_and(|next| next.starts_with("param")) && number.step >= 1e5;
    let clause = around.before.rsplit([';', ',']).next().unwrap_or_default();
    let own = words::tokens(clause)
        .any(|(_, word)| ["we", "our", "ours"].contains(&word.to_lowercase().as_str()));
    let named = words::tokens(clause)
        .any(|(_, word)| word.chars().filter(|c| c.is_uppercase()).count() > 1);
    counts && ((named && !own) || set_up)
}

/// `80/20` and `70/15/15`: the parts of a whole.
fn split(number: &Number, around: &Around<'_>) -> Option<Finding> {
    if !number.whole || number.share != Share::None {
        return None;
    }
    let part = |c: char| c.is_ascii_digit() || c == '/';
    let before = &around.before[around.before.trim_end_matches(part).len()..];
    let after = around.after;
    let after = &after[..after.find(|c| !part(c)).unwrap_or(after.len())];
    let all = format!("{before}{}{after}", number.value);
    let sum: Option<f64> = all.split('/').map(|part| part.parse::<f64>().ok()).sum();
    (all.contains('/') && sum == Some(100.0))
        .then(|| Finding::literal(Class::Configuration, "a part of a split").warning())
}

fn year(number: &Number, around: &Around<'_>) -> bool {
    if !(1900.0..=2100.0).contains(&number.value)
        || number.figures > 4
        || around.sentence[number.at.clone()].contains(',')
    {
        return false;
    }
    let before = around.before.trim_end();
    let after = around.after.trim_start();
    if spanned(before, after) {
        return true;
    }
    let word = before
        .trim_end_matches('.')
        .rsplit(|c: char| !c.is_alphanumeric())
        .next()
        .unwrap_or_default()
        .to_lowercase();
    let months = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ];
    let dated = [
        "in", "since", "until", "during", "al", "©", "year", "early", "late", "iclr", "neurips",
        "icml", "acl", "cvpr", "emnlp",
    ]
    .contains(&word.as_str())
        || months.iter().any(|month| word.starts_with(month));
    // `in 2000 steps` counts; `in 2017 the` does not.
    let counted = words::tokens(after)
        .next()
        .filter(|_| after.starts_with(|c: char| c.is_alphabetic()))
        .is_some_and(|(_, next)| words::counted(next));
    dated && !counted
        || (before.ends_with([',', '('])
            && after.starts_with([')', ';', ',', 'a', 'b'])
            && !counted)
}

/// Whether another year stands at the other end of a span: `1989–2003`, `between 2000 and 2020`.
fn spanned(before: &str, after: &str) -> bool {
    let joined = ["–", "—", "-", "to", "and", "through", "until"];
    let year = |digits: &str| {
        digits.len() == 4
            && digits
                .parse::<u32>()
                .is_ok_and(|year| (1900..=2100).contains(&year))
    };
    let ahead = joined
        .iter()
        .find_map(|join| after.strip_prefix(join))
        .is_some_and(|rest| {
            let rest = rest.trim_start();
            let end = rest
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(rest.len());
            year(&rest[..end])
        });
    let behind = joined
        .iter()
        .find_map(|join| before.strip_suffix(join))
        .is_some_and(|rest| {
            let rest = rest.trim_end();
            let start = rest.trim_end_matches(|c: char| c.is_ascii_digit()).len();
            year(&rest[start..])
        });
    ahead || behind
}

fn convention(number: &Number, around: &Around<'_>) -> Option<Finding> {
    let next: String = around
        .after
        .chars()
        .take(28)
        .collect::<String>()
        .to_lowercase();
    let before: String = around
        .before
        .chars()
        .rev()
        .take(24)
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
        .collect::<String>()
        .to_lowercase();
    if number.share == Share::Percent && (80.0..100.0).contains(&number.value) {
        let interval = words::tokens(&next).any(|(_, word)| {
            ["ci", "cis", "level"].contains(&word)
                || ["interval", "confidence", "credible"]
                    .iter()
                    .any(|stem| word.starts_with(stem))
        });
        if interval || before.ends_with("confidence of ") || before.trim_end().ends_with("ci") {
            return Some(Finding::literal(
                Class::Convention,
                "the level of an interval",
            ));
        }
    }
    let level = [0.05, 0.01, 0.001, 0.1]
        .iter()
        .any(|known: &f64| (known - number.value).abs() < 1e-12);
    if level && (before.ends_with("level of ") || before.ends_with("significance of ")) {
        return Some(Finding::literal(
            Class::Convention,
            "a level of significance",
        ));
    }
    if number.share == Share::Percent && number.value == 100.0 {
        return Some(Finding::literal(Class::Convention, "the whole").warning());
    }
    let bounds = before.trim_end().ends_with('[')
        || before.trim_end().ends_with("[0,")
        || before.trim_end().ends_with("[-1,")
        || before.trim_end().ends_with("(0,")
        || before.ends_with("between 0 and ");
    if bounds && (number.value == 0.0 || number.value.abs() == 1.0) {
        return Some(Finding::literal(Class::Convention, "the end of a range"));
    }
    None
}
