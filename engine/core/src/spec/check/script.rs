//! `run:` stages: names that become environment variables, and what people write into scripts that
//! a shell will not do. The script itself is never changed.

use std::collections::BTreeMap;

use super::super::FileKind;
use super::super::report::Issue;
use super::super::source::Span;
use super::super::token::is_name;
use super::super::written::references;
use super::draft::Draft;
use super::form::RESERVED;
use super::scope::{Named, Scope};
use super::state::Check;

/// Variables that the shell or the loader reads.
const TAKEN: &[&str] = &[
    "PATH",
    "HOME",
    "IFS",
    "PWD",
    "OLDPWD",
    "SHELL",
    "USER",
    "ENV",
    "PS1",
    "PS2",
    "PS4",
    "CDPATH",
    "TMPDIR",
    "BASH_ENV",
    "SHELLOPTS",
];

/// At most this many warnings for one script.
const MOST: usize = 20;

/// Checks the names that a script sees as variables.
pub(super) fn names(check: &mut Check<'_>, draft: &Draft) {
    let mut seen: BTreeMap<&str, Span> = BTreeMap::new();
    let all = draft
        .ins
        .iter()
        .chain(&draft.with)
        .chain(&draft.out)
        .chain(&draft.env);
    for given in all {
        let name = given.name.as_str();
        let ascii = is_name(name) && name.is_ascii();
        if !ascii {
            let message = format!("`{name}` cannot be a variable of a script");
            let issue = Issue::error("run::name", given.at, "not a variable", message);
            check
                .report
                .add(issue.help(
                    "use ASCII letters, digits and `_`; a shell prints `$名前` as it stands",
                ));
        } else if TAKEN.contains(&name) || name.starts_with("LD_") || name.starts_with("DYLD_") {
            let message = format!("`{name}` would replace a variable that the shell needs");
            let issue = Issue::error("run::name", given.at, "taken", message);
            check.report.add(issue.help("give it another name"));
        } else if let Some(first) = seen.insert(name, given.at) {
            let message = format!("the script would see two variables `{name}`");
            let issue = Issue::error("run::name", given.at, "second", message);
            check.report.add(issue.also(first, "first"));
        }
    }
}

/// Finds references, which a shell does not fill in, and files that are not inputs.
pub(super) fn lint(
    check: &mut Check<'_>,
    scope: &Scope<'_>,
    draft: &Draft,
    script: &str,
    span: Span,
) {
    template(check, scope, draft, script, span);
    unlisted(check, draft, script, span);
}

fn template(check: &mut Check<'_>, scope: &Scope<'_>, draft: &Draft, script: &str, span: Span) {
    if !script.contains("${") {
        return;
    }
    let source = check.sources.slice(span).to_owned();
    let own = |name: &str| {
        let all = draft
            .ins
            .iter()
            .chain(&draft.with)
            .chain(&draft.out)
            .chain(&draft.env);
        all.into_iter().any(|given| given.name == name)
    };
    for found in references(script, &source).into_iter().take(MOST) {
        let Some(Ok(inner)) = found.inner else {
            continue;
        };
        let head = inner.split(['.', '[']).next().unwrap_or("").trim();
        let dotted = inner.trim_start_matches(head).starts_with('.');
        let variable = !dotted
            && inner == head
            && !own(head)
            && matches!(scope.named(head), Some(Named::Variable(_)));
        if !is_name(head) || !(dotted || variable) {
            continue;
        }
        let place = match found.place {
            Some(at) => {
                let first = span.start as usize + at;
                Span::new(span.file, first, first + (found.end - found.start))
            }
            None => span,
        };
        let last = inner.rsplit('.').next().unwrap_or("");
        let name = if is_name(last) && last.is_ascii() {
            last
        } else {
            "value"
        };
        let stage = !RESERVED.contains(&head) && matches!(scope.named(head), Some(Named::Stage(_)));
        let key = if stage { "in" } else { "with" };
        let message = "`run:` is handed to the shell as it stands; references are not filled in";
        let issue = Issue::error("run::template", place, "will not be replaced", message);
        let help = format!("add `{name}: ${{{inner}}}` under `{key}:` and write \"${name}\" here");
        check.report.add(issue.help(help));
    }
}

/// Words of a script that are files beside the spec but not inputs.
fn unlisted(check: &mut Check<'_>, draft: &Draft, script: &str, span: Span) {
    let given: Vec<&str> = draft
        .ins
        .iter()
        .filter_map(|given| given.value.string())
        .collect();
    let separator = |c: char| c.is_whitespace() || "'\"`;|&<>()=,".contains(c);
    let mut told: Vec<&str> = Vec::new();
    for word in script.split(separator) {
        let candidate = word.contains(['.', '/'])
            && !word.contains(['$', '*', '?', '{', '\\', ':'])
            && !word.starts_with(['/', '-'])
            && !word.trim_matches(['.', '/']).is_empty()
            && word.len() < 256;
        if !candidate || told.contains(&word) || given.contains(&word) {
            continue;
        }
        if told.len() >= MOST {
            return;
        }
        let path = check.beside(span.file, word);
        if check.look(&path) != Some(FileKind::File) {
            continue;
        }
        told.push(word);
        let source = check.sources.slice(span);
        let place = match source.find(word) {
            Some(at) => {
                let first = span.start as usize + at;
                Span::new(span.file, first, first + word.len())
            }
            None => span,
        };
        let message =
            format!("`{word}` is a file beside this pipeline, but not an input of the stage");
        let issue = Issue::warning(
            "run::unlisted_file",
            place,
            "edits to this file would not rerun the stage",
            message,
        );
        check.report.add(issue.help(format!(
            "add `script: {word}` under `in:` and write \"$script\" here"
        )));
    }
}
