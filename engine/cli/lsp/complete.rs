//! What could stand at the cursor: a word that nobody uses is written there, the text is checked, and
//! what the checker compares that word with is the answer. So completion knows what the checker knows.

use lsp_types::{
    CompletionItem, CompletionItemKind, CompletionParams, CompletionTextEdit, TextEdit,
};

use super::open::{self, Open};
use super::place;

/// Written at the cursor. It is a name in every place that takes one.
const CURSOR: &str = "kyo_cursor";

/// The names that could stand at the cursor, in the order of the alphabet; none outside of pipelines.
pub(super) fn complete(open: &Open, asked: &CompletionParams) -> Option<Vec<CompletionItem>> {
    let asked = &asked.text_document_position;
    let file = open::path(&asked.text_document.uri)?;
    let text = open.text(&file)?;
    let at = place::byte(text, asked.position);
    let word = Word::at(text, at);
    let checked = open.check_instead(&file, &word.replaced(text), CURSOR);
    let mut names = checked.candidates;
    names.extend(word.roots(text));
    names.sort_unstable();
    names.dedup();
    let range = place::range(text, word.start, word.end);
    let kind = if word.inside {
        CompletionItemKind::VARIABLE
    } else {
        CompletionItemKind::PROPERTY
    };
    let item = |name: String| CompletionItem {
        kind: Some(kind),
        text_edit: Some(CompletionTextEdit::Edit(TextEdit {
            range,
            new_text: name.clone(),
        })),
        label: name,
        ..CompletionItem::default()
    };
    Some(names.into_iter().map(item).collect())
}

/// The word around the cursor, in bytes, and what it stands in.
struct Word {
    start: usize,
    end: usize,
    /// Inside of `${ }`.
    inside: bool,
    /// Whether that `${` has no `}` on its line yet.
    unclosed: bool,
    /// Whether it is a key without its colon yet.
    key: bool,
}

impl Word {
    fn at(text: &str, at: usize) -> Self {
        let line_start = text[..at].rfind('\n').map_or(0, |end| end + 1);
        let line_end = text[at..].find('\n').map_or(text.len(), |end| at + end);
        let (before, after) = (&text[line_start..at], &text[at..line_end]);
        let inside = match (before.rfind("${"), before.rfind('}')) {
            (Some(open), Some(close)) => open > close,
            (open, _) => open.is_some(),
        };
        let part =
            |c: char| c.is_alphanumeric() || c == '_' || (!inside && matches!(c, '/' | '-' | '*'));
        let start = at
            - before
                .chars()
                .rev()
                .take_while(|c| part(*c))
                .map(char::len_utf8)
                .sum::<usize>();
        let end = at
            + after
                .chars()
                .take_while(|c| part(*c))
                .map(char::len_utf8)
                .sum::<usize>();
        let rest = &text[end..line_end];
        let alone = text[line_start..start]
            .trim_start_matches(['-', ' '])
            .is_empty();
        Self {
            start,
            end,
            inside,
            // A `"` before the next `}` ends the text that the reference stands in.
            unclosed: inside
                && !rest
                    .find(['}', '"'])
                    .is_some_and(|at| rest[at..].starts_with('}')),
            key: !inside && alone && rest.trim().is_empty(),
        }
    }

    /// The text with [`CURSOR`] in place of the word, and so much more that it can be read.
    fn replaced(&self, text: &str) -> String {
        let more = match (self.unclosed, self.key) {
            (true, _) => "}",
            (_, true) => ": 0",
            _ => "",
        };
        format!("{}{CURSOR}{more}{}", &text[..self.start], &text[self.end..])
    }

    /// The first words of a reference that are neither stages nor variables.
    fn roots(&self, text: &str) -> Vec<String> {
        if !self.inside || text[..self.start].ends_with('.') {
            return Vec::new();
        }
        let has = |key: &str| text.lines().any(|line| line.trim_start().starts_with(key));
        let mut roots = Vec::new();
        if text.lines().any(|line| line.starts_with("inputs:")) {
            roots.push("inputs".to_owned());
        } else {
            roots.extend(["models", "params"].map(str::to_owned));
        }
        if has("repeat:") {
            roots.push("carry".to_owned());
        }
        roots
    }
}
