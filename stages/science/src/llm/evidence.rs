//! The sentences of the paper that a reviewer rests its review on: asked for as one more field of the
//! form, then looked up in the text that the reviewer read. A quote that is not there stays in the record
//! and is marked, so that people see what a reviewer made up. It does not know whether a quote bears what
//! is said of it.

use serde_json::{Map, Value, json};

use super::form::{Field, Form, Kind};

/// The name of the field, in the form and in the record.
const FIELD: &str = "evidence";

const ASK: &str = "the sentences, table rows or numbers of the paper that your scores rest on, for and against, \
    each copied word for word and nothing else in the string; a quote that is not in the paper is reported as such";

/// Signs that open or close a quotation, as [`plain`] leaves them.
const MARKS: [char; 3] = ['"', '\'', ' '];

/// The form with a field for evidence before its scores; as it is if it has one.
pub(super) fn asked(mut form: Form) -> Form {
    if form.fields.iter().all(|field| field.name != FIELD) {
        // Before the scores, so that a model looks at the paper first and scores after.
        let first_score = form
            .fields
            .iter()
            .position(|field| field.kind == Kind::Score);
        let field = Field {
            name: FIELD.to_owned(),
            ask: ASK.to_owned(),
            kind: Kind::List,
            scale: Map::new(),
            min: 0,
            max: 0,
            choices: Vec::new(),
        };
        form.fields
            .insert(first_score.unwrap_or(form.fields.len()), field);
    }
    form
}

/// Marks every quote of a filled form: `{quotes: [{text, status}], unverified}`, where a status is
/// `verified` or `unverified`. A form without a list of evidence stays as it is.
pub(super) fn marked(fields: &mut Map<String, Value>, paper: &str) {
    let Some(Value::Array(list)) = fields.get(FIELD) else {
        return;
    };
    let paper = [plain(paper), plain(&unbroken(paper))];
    let quotes: Vec<(String, bool)> = list
        .iter()
        .filter_map(Value::as_str)
        .map(|quote| (quote.to_owned(), stands(quote, &paper)))
        .collect();
    let unverified = quotes.iter().filter(|(_, found)| !found).count();
    let quotes: Vec<Value> = quotes
        .into_iter()
        .map(|(text, found)| {
            json!({"text": text, "status": if found { "verified" } else { "unverified" }})
        })
        .collect();
    fields.insert(
        FIELD.to_owned(),
        json!({"quotes": quotes, "unverified": unverified}),
    );
}

/// Whether a quote stands in one reading of the paper as whole words: `0.1` does not stand in `0.12`.
fn stands(quote: &str, readings: &[String]) -> bool {
    let quote = plain(quote);
    let quote = quote.trim_matches(MARKS);
    let word = |sign: Option<char>| sign.is_some_and(char::is_alphanumeric);
    !quote.is_empty()
        && readings.iter().any(|paper| {
            paper.match_indices(quote).any(|(at, _)| {
                let (before, after) = (&paper[..at], &paper[at + quote.len()..]);
                let starts = word(quote.chars().next()) && word(before.chars().next_back());
                let ends = word(quote.chars().next_back()) && word(after.chars().next());
                !starts && !ends
            })
        })
}

/// One space for any white space, and typewriter signs for typographic quotes.
fn plain(text: &str) -> String {
    let signs: String = text
        .chars()
        .filter(|sign| *sign != '\u{ad}')
        .map(|sign| match sign {
            '“' | '”' | '„' | '«' | '»' => '"',
            '‘' | '’' | '‚' => '\'',
            other => other,
        })
        .collect();
    signs.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The text with words put together again that a line break parted.
fn unbroken(text: &str) -> String {
    let mut joined = String::with_capacity(text.len());
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let line = line.trim_end();
        let goes_on = lines.peek().is_some_and(|next| {
            next.trim_start()
                .chars()
                .next()
                .is_some_and(char::is_lowercase)
        });
        match line.strip_suffix('-') {
            Some(part) if goes_on => {
                joined.push_str(part);
                if let Some(next) = lines.peek_mut() {
                    *next = next.trim_start();
                }
            }
            _ => {
                joined.push_str(line);
                joined.push('\n');
            }
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(quote: &str, paper: &str) -> bool {
        let mut fields = Map::from_iter([(FIELD.to_owned(), json!([quote]))]);
        marked(&mut fields, paper);
        fields[FIELD]["unverified"] == 0
    }

    #[test]
    fn a_quote_is_found_through_line_breaks_and_typographic_quotes() {
        let paper = "The “gated” model\n  lowers the posi-\ntive loss by 0.12 nats; it’s state-of-the-\nart.";
        for quote in [
            "The \"gated\" model lowers the positive loss",
            "\"lowers  the positive loss by 0.12 nats\"",
            "it's state-of-the- art",
            "by 0.12 nats;",
        ] {
            assert!(found(quote, paper), "{quote}");
        }
    }

    #[test]
    fn a_quote_that_was_changed_or_cut_within_a_word_is_not_found() {
        let paper = "The loss falls by 0.12 nats on every set.";
        for quote in [
            "falls by 0.1",
            "falls by 0.13 nats",
            "the loss falls by",
            "",
            " “” ",
            "ets.",
        ] {
            assert!(!found(quote, paper), "{quote}");
        }
    }
}
