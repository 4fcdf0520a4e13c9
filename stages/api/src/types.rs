//! The types of the pipeline language (`docs/reference/types.md`), how they are written, and which
//! value may stand where. It does not know how values are stored.

use std::fmt;

/// A type of the pipeline language.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Type {
    /// Unknown because of an earlier problem, or deliberately open; fits everywhere.
    Any,
    Bool,
    Int,
    Float,
    Str,
    /// A UTF-8 file.
    Text,
    /// Any JSON value.
    Json,
    /// A shape declared under `types:` or built in.
    Named(String),
    /// A CSV file with a header; the columns that are promised, or none if open.
    Table(Vec<String>),
    /// A file, with the extension it must have (`.pdf`), if any.
    File(Option<String>),
    Dir,
    Model,
    List(Box<Type>),
    Optional(Box<Type>),
    /// The result of a matrix: a list that remembers the coordinates of its cells.
    Grid(Box<Type>, Vec<String>),
}

/// Why a type could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeError {
    /// A lower-case fragment: `unknown type `flaot``.
    pub message: String,
    /// Words that would have been accepted.
    pub known: &'static [&'static str],
}

const WORDS: &[&str] = &[
    "bool", "int", "float", "str", "text", "json", "table", "file", "dir", "model", "list", "any",
];

impl Type {
    /// Reads a type as users write it: `list<Idea>`, `table(step, loss)`, `file(.pdf)`, `str?`.
    ///
    /// # Errors
    /// Names the part that is not a type.
    pub fn parse(text: &str) -> Result<Self, TypeError> {
        let text = text.trim();
        if let Some(inner) = text.strip_suffix('?') {
            return Ok(Self::Optional(Box::new(Self::parse(inner)?)));
        }
        if let Some(inner) = text
            .strip_prefix("list<")
            .and_then(|rest| rest.strip_suffix('>'))
        {
            return Ok(Self::List(Box::new(Self::parse(inner)?)));
        }
        if let Some(inner) = text
            .strip_prefix("grid<")
            .and_then(|rest| rest.strip_suffix('>'))
        {
            let (cell, axes) = inner.split_once(';').unwrap_or((inner, ""));
            return Ok(Self::Grid(Box::new(Self::parse(cell)?), words(axes)));
        }
        if let Some(columns) = parenthesised(text, "table") {
            return Ok(Self::Table(words(columns)));
        }
        if let Some(extension) = parenthesised(text, "file") {
            let extension = extension.trim();
            if !extension.starts_with('.') || extension.len() < 2 {
                return Err(TypeError {
                    message: format!(
                        "`{text}`: an extension is written with its dot, as in `file(.pdf)`"
                    ),
                    known: &[],
                });
            }
            return Ok(Self::File(Some(extension.to_owned())));
        }
        Ok(match text {
            "any" => Self::Any,
            "bool" => Self::Bool,
            "int" => Self::Int,
            "float" => Self::Float,
            "str" => Self::Str,
            "text" => Self::Text,
            "json" => Self::Json,
            "table" => Self::Table(Vec::new()),
            "file" => Self::File(None),
            "dir" => Self::Dir,
            "model" => Self::Model,
            name if name.chars().next().is_some_and(char::is_uppercase)
                && name.chars().all(|c| c.is_alphanumeric() || c == '_') =>
            {
                Self::Named(name.to_owned())
            }
            _ => {
                return Err(TypeError {
                    message: format!("unknown type `{text}`"),
                    known: WORDS,
                });
            }
        })
    }

    /// Whether a value of this type may stand where `wanted` is asked for: `int` as `float`, `str` as
    /// `text`, `file(.x)` as `file`, `T` as `T?`, a grid as a list, any shape as `json`; nothing else.
    #[must_use]
    pub fn fits(&self, wanted: &Self) -> bool {
        match (self, wanted) {
            (Self::Any, _) | (_, Self::Any) => true,
            (have, want) if have == want => true,
            (Self::Optional(have), Self::Optional(want)) => have.fits(want),
            (Self::Optional(_), _) => false,
            (have, Self::Optional(want)) => have.fits(want),
            (Self::Int, Self::Float)
            | (Self::Str, Self::Text)
            | (Self::File(Some(_)) | Self::Text | Self::Table(_), Self::File(None))
            | (Self::Named(_) | Self::Bool | Self::Int | Self::Float | Self::Str, Self::Json) => {
                true
            }
            (Self::Table(have), Self::Table(want)) => {
                want.iter().all(|column| have.contains(column))
            }
            (Self::List(have), Self::List(want)) | (Self::Grid(have, _), Self::List(want)) => {
                have.fits(want)
            }
            (Self::Grid(have, a), Self::Grid(want, b)) => a == b && have.fits(want),
            (Self::List(have) | Self::Grid(have, _), Self::Json) => have.fits(&Self::Json),
            _ => false,
        }
    }

    /// The type of a list's or grid's members, or of what is optional; else the type itself.
    #[must_use]
    pub fn member(&self) -> &Self {
        match self {
            Self::List(inner) | Self::Grid(inner, _) | Self::Optional(inner) => inner,
            other => other,
        }
    }

    /// Whether a value of this type lives in a file or folder rather than in the record itself.
    #[must_use]
    pub fn is_path(&self) -> bool {
        match self {
            Self::Text | Self::Table(_) | Self::File(_) | Self::Dir => true,
            Self::Optional(inner) => inner.is_path(),
            _ => false,
        }
    }
}

fn parenthesised<'t>(text: &'t str, word: &str) -> Option<&'t str> {
    text.strip_prefix(word)?
        .strip_prefix('(')?
        .strip_suffix(')')
}

fn words(text: &str) -> Vec<String> {
    text.split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

impl fmt::Display for Type {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => out.write_str("any"),
            Self::Bool => out.write_str("bool"),
            Self::Int => out.write_str("int"),
            Self::Float => out.write_str("float"),
            Self::Str => out.write_str("str"),
            Self::Text => out.write_str("text"),
            Self::Json => out.write_str("json"),
            Self::Named(name) => out.write_str(name),
            Self::Table(columns) if columns.is_empty() => out.write_str("table"),
            Self::Table(columns) => write!(out, "table({})", columns.join(", ")),
            Self::File(None) => out.write_str("file"),
            Self::File(Some(extension)) => write!(out, "file({extension})"),
            Self::Dir => out.write_str("dir"),
            Self::Model => out.write_str("model"),
            Self::List(item) => write!(out, "list<{item}>"),
            Self::Optional(inner) => write!(out, "{inner}?"),
            Self::Grid(cell, axes) => write!(out, "grid<{cell}; {}>", axes.join(", ")),
        }
    }
}

impl serde::Serialize for Type {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Type {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Self::parse(&text).map_err(|error| serde::de::Error::custom(error.message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_written_type_reads_back_as_itself() {
        for text in [
            "bool",
            "list<Idea>",
            "table(step, loss)",
            "file(.pdf)",
            "str?",
            "grid<Metrics; lr, seed>",
            "list<list<int>>",
            "dir",
            "model",
            "json",
        ] {
            assert_eq!(Type::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn only_the_listed_conversions_are_implicit() {
        let fits = |a: &str, b: &str| Type::parse(a).unwrap().fits(&Type::parse(b).unwrap());
        assert!(fits("int", "float") && fits("str", "text") && fits("file(.pdf)", "file"));
        assert!(fits("str", "str?") && fits("grid<Idea; seed>", "list<json>"));
        assert!(!fits("float", "int") && !fits("int", "str") && !fits("str?", "str"));
        assert!(!fits("file", "file(.pdf)") && !fits("table(a)", "table(a, b)"));
    }
}
