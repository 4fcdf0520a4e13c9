//! Prompt files: MiniJinja templates whose variables must be inputs of the stage.

use std::collections::BTreeSet;
use std::path::Path;

use minijinja::Environment;

use super::super::report::Issue;
use super::super::source::{FileId, Span};
use super::state::Check;

/// Bytes of a prompt.
const MOST_BYTES: usize = 1 << 20;

/// Checks a prompt. `inputs` are the names that the stage passes; `span` is where the path is written.
pub(super) fn prompt(check: &mut Check<'_>, path: &Path, inputs: &[&str], span: Span) {
    if !check.prompts.contains_key(path) {
        let read = read(check, path, span);
        check.prompts.insert(path.to_owned(), read);
    }
    let Some(Some((file, used))) = check.prompts.get(path).cloned() else {
        return;
    };
    for name in used {
        if inputs.contains(&name.as_str()) {
            continue;
        }
        let at = first_use(&check.sources.text(file), &name).unwrap_or(0);
        let span = Span::new(file, at, at + name.len());
        let message = format!("this prompt uses `{name}`, which the stage does not pass");
        let issue = Issue::error("prompt::unknown_variable", span, "not an input", message);
        let help = check
            .report
            .suggest(&name, "inputs", inputs.iter().copied());
        let help = help.unwrap_or_else(|| "the stage has no `in:`".to_owned());
        check.report.add(issue.help(help));
    }
}

/// A prompt's text and the variables that it uses.
pub(super) type Prompt = (FileId, BTreeSet<String>);

fn read(check: &mut Check<'_>, path: &Path, span: Span) -> Option<Prompt> {
    let text = match check.question.files.read(path) {
        Ok(text) if text.len() <= MOST_BYTES => text,
        Ok(_) => {
            check.error(
                "limit::size",
                span,
                "too large",
                "a prompt has at most 1 MiB",
            );
            return None;
        }
        Err(error) => {
            let message = format!("cannot read {}: {error}", path.display());
            check.error("file::unreadable", span, "here", message);
            return None;
        }
    };
    let shown = path.display().to_string();
    let folder = path.parent().unwrap_or(Path::new("")).to_owned();
    let file = check.sources.add(shown.clone(), folder, text.clone());
    let environment = Environment::new();
    match environment.template_from_named_str(&shown, &text) {
        Ok(template) => {
            let globals: BTreeSet<&str> = environment.globals().map(|(name, _)| name).collect();
            let used = template.undeclared_variables(false);
            let used = used
                .into_iter()
                .filter(|name| !globals.contains(name.as_str()));
            Some((file, used.collect()))
        }
        Err(error) => {
            let range = error.range().unwrap_or_else(|| line(&text, error.line()));
            let span = Span::new(file, range.start, range.end);
            let message = error
                .detail()
                .unwrap_or("this is not a template")
                .to_owned();
            check.error("prompt::syntax", span, "here", message);
            None
        }
    }
}

fn line(text: &str, number: Option<usize>) -> std::ops::Range<usize> {
    let mut start = 0;
    for (index, line) in text.split('\n').enumerate() {
        if Some(index + 1) == number {
            return start..start + line.len();
        }
        start += line.len() + 1;
    }
    0..0
}

/// The first place inside `{{ }}` or `{% %}` where a name stands by itself.
fn first_use(text: &str, name: &str) -> Option<usize> {
    let mut at = 0;
    while let Some(open) = text[at..]
        .find("{{")
        .into_iter()
        .chain(text[at..].find("{%"))
        .min()
    {
        let start = at + open + 2;
        let end = text[start..]
            .find("}}")
            .into_iter()
            .chain(text[start..].find("%}"))
            .min()
            .map_or(text.len(), |close| start + close);
        let inside = &text[start..end];
        let word = |c: char| c.is_alphanumeric() || c == '_';
        let found = inside.match_indices(name).find(|(index, _)| {
            let before = inside[..*index].chars().next_back();
            let after = inside[index + name.len()..].chars().next();
            !before.is_some_and(|c| word(c) || c == '.') && !after.is_some_and(word)
        });
        if let Some((index, _)) = found {
            return Some(start + index);
        }
        at = end;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_use_is_a_whole_name_inside_braces() {
        let text = "idea {{ x.idea }} {% if ideas %}{{ idea.title }}";
        assert_eq!(first_use(text, "idea"), text.rfind("idea"));
    }
}
