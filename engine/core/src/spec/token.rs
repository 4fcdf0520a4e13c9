//! The words of an expression. It does not know grammar or names.

use serde_json::Value;

use super::node::resolve;

/// A word of an expression with its bytes in the expression's text.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub what: Word,
    pub start: usize,
    pub end: usize,
}

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Word {
    /// A number or a quoted text.
    Literal(Value),
    Name(String),
    Symbol(&'static str),
    End,
}

/// A text that is no expression: what is wrong, where (bytes), and what to write instead.
#[derive(Debug)]
pub(super) struct Fault {
    pub message: String,
    pub help: Option<String>,
    pub start: usize,
    pub end: usize,
}

impl Fault {
    pub(super) fn new(start: usize, end: usize, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: None,
            start,
            end,
        }
    }

    pub(super) fn help(self, help: impl Into<String>) -> Self {
        Self {
            help: Some(help.into()),
            ..self
        }
    }
}

/// Longer symbols first, so that `<=` is not read as `<`.
const SYMBOLS: &[&str] = &[
    "&&", "||", "==", "!=", "<=", ">=", "<", ">", "!", "+", "-", "*", "/", "(", ")", "[", "]", ",",
    ".",
];

/// What people write out of habit, and what it is here.
const HABITS: &[(&str, &str)] = &[
    ("=", "=="),
    ("&", "&&"),
    ("|", "||"),
    ("and", "&&"),
    ("or", "||"),
    ("not", "!"),
];

/// Cuts an expression into words; the last is [`Word::End`].
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, Fault> {
    let mut tokens = Vec::new();
    let mut at = 0;
    loop {
        let rest = &text[at..];
        let skipped = rest.len() - rest.trim_start().len();
        at += skipped;
        let rest = &text[at..];
        let Some(first) = rest.chars().next() else {
            tokens.push(Token {
                what: Word::End,
                start: at,
                end: at,
            });
            return Ok(tokens);
        };
        let (what, length) = if first.is_alphabetic() || first == '_' {
            name(rest, at)?
        } else if first.is_ascii_digit() {
            digits(rest, at)?
        } else if first == '\'' || first == '"' {
            quoted(rest, first, at)?
        } else {
            symbol(rest, first, at)?
        };
        tokens.push(Token {
            what,
            start: at,
            end: at + length,
        });
        at += length;
    }
}

/// Whether a text is a name of the language: a word of any script.
pub(super) fn is_name(text: &str) -> bool {
    text.chars()
        .next()
        .is_some_and(|c| c.is_alphabetic() || c == '_')
        && text.chars().all(is_word)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn length_of(text: &str, fits: impl Fn(char) -> bool) -> usize {
    text.find(|c| !fits(c)).unwrap_or(text.len())
}

fn habit(word: &str, at: usize) -> Option<Fault> {
    let (_, right) = HABITS.iter().find(|(wrong, _)| *wrong == word)?;
    let message = format!("`{word}` is not an operator");
    Some(Fault::new(at, at + word.len(), message).help(format!("write `{right}`")))
}

fn name(rest: &str, at: usize) -> Result<(Word, usize), Fault> {
    let length = length_of(rest, is_word);
    let word = &rest[..length];
    if let Some(fault) = habit(word, at) {
        return Err(fault);
    }
    let what = match word {
        "true" => Word::Literal(Value::Bool(true)),
        "false" => Word::Literal(Value::Bool(false)),
        "null" => Word::Literal(Value::Null),
        "in" => Word::Symbol("in"),
        _ => Word::Name(word.to_owned()),
    };
    Ok((what, length))
}

fn digits(rest: &str, at: usize) -> Result<(Word, usize), Fault> {
    let bytes = rest.as_bytes();
    let mut length = 0;
    while let Some(byte) = bytes.get(length) {
        let sign = matches!(byte, b'+' | b'-')
            && length > 0
            && matches!(bytes[length - 1], b'e' | b'E')
            && !rest.starts_with("0x");
        if byte.is_ascii_alphanumeric() || *byte == b'.' || *byte == b'_' || sign {
            length += 1;
        } else {
            break;
        }
    }
    match resolve(&rest[..length]) {
        Some(value @ Value::Number(_)) => Ok((Word::Literal(value), length)),
        _ => Err(Fault::new(
            at,
            at + length,
            format!("`{}` is not a number", &rest[..length]),
        )),
    }
}

fn quoted(rest: &str, quote: char, at: usize) -> Result<(Word, usize), Fault> {
    let mut text = String::new();
    let mut chars = rest.char_indices().skip(1);
    while let Some((index, c)) = chars.next() {
        if c == quote {
            return Ok((Word::Literal(Value::String(text)), index + 1));
        }
        if c != '\\' {
            text.push(c);
            continue;
        }
        match chars.next() {
            Some((_, 'n')) => text.push('\n'),
            Some((_, 't')) => text.push('\t'),
            Some((_, c @ ('\\' | '\'' | '"'))) => text.push(c),
            other => {
                let end = other.map_or(rest.len(), |(index, c)| index + c.len_utf8());
                let message = "only \\n, \\t, \\\\, \\' and \\\" may follow a backslash";
                return Err(Fault::new(at + index, at + end, message));
            }
        }
    }
    Err(Fault::new(at, at + rest.len(), "the quote is not closed"))
}

fn symbol(rest: &str, first: char, at: usize) -> Result<(Word, usize), Fault> {
    if let Some(symbol) = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)) {
        return Ok((Word::Symbol(symbol), symbol.len()));
    }
    let word = &rest[..first.len_utf8()];
    if let Some(fault) = habit(word, at) {
        return Err(fault);
    }
    let fault = Fault::new(
        at,
        at + word.len(),
        format!("`{first}` has no meaning here"),
    );
    Err(match first {
        '?' | ':' => fault.help("write `if(condition, a, b)`"),
        '%' => fault.help("there is no remainder; use `- * / +`"),
        '{' | '}' | '$' => fault.help("references are not nested"),
        _ => fault,
    })
}
