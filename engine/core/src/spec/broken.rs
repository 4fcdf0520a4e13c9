//! What is wrong with a text that is no YAML, and what to write instead. It does not know where.

use granit_parser::ErrorKind;

use super::read::MOST_LEVELS;

/// A code, a message, and the remedy if there is one that mostly helps.
pub(super) struct Told {
    pub code: &'static str,
    pub message: String,
    pub help: Option<&'static str>,
}

impl Told {
    fn new(message: impl Into<String>, help: &'static str) -> Self {
        Self {
            code: "yaml::syntax",
            message: message.into(),
            help: Some(help),
        }
    }
}

/// Puts a fault of the text in words.
pub(super) fn told(kind: &ErrorKind) -> Told {
    match kind {
        ErrorKind::RecursionLimitExceeded => Told {
            code: "limit::nesting",
            message: format!("lists and maps are nested more than {MOST_LEVELS} deep"),
            help: None,
        },
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabAtBlockScalarStart
        | ErrorKind::TabInPlainScalar => Told {
            code: "yaml::tab",
            message: "YAML is indented with spaces, not with tabs".to_owned(),
            help: None,
        },
        ErrorKind::UnknownAnchor => Told {
            code: "yaml::alias",
            message: "no anchor of this name above".to_owned(),
            help: None,
        },
        ErrorKind::MappingValueNotAllowed
        | ErrorKind::InvalidColonPlacement
        | ErrorKind::MappingKeyNotAllowed => Told::new(
            "a `:` that cannot stand here",
            "put a value with `: ` in it in quotes or under `|`; keys of one map start in one column, each with its `:`",
        ),
        ErrorKind::ExpectedBlockMappingKey | ErrorKind::InvalidIndentation => Told::new(
            "this line is indented unlike the lines that it belongs to",
            "start the keys of one map in one column; do not mix `- items` and keys",
        ),
        ErrorKind::ExpectedBlockSequenceEntry => Told::new(
            "this line stands in a list, but is no item of it",
            "start it with `- `, or indent it less",
        ),
        ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey => Told::new(
            "a key without its `:`",
            "write `key: value`, or `key:` before a block",
        ),
        ErrorKind::ExpectedFlowMappingSeparator | ErrorKind::UnexpectedEofFlowMapping => Told::new(
            "a `{` that is not closed",
            "write `,` between entries and `}` after the last",
        ),
        ErrorKind::ExpectedFlowSequenceSeparator | ErrorKind::UnexpectedEofFlowSequence => {
            Told::new(
                "a `[` that is not closed",
                "write `,` between items and `]` after the last",
            )
        }
        ErrorKind::UnclosedFlowCollection { .. } => Told::new(
            kind.to_string(),
            "close it, or put the text in quotes if the bracket belongs to it",
        ),
        ErrorKind::MisplacedFlowCollectionEnd => Told::new(
            "a bracket that closes nothing",
            "take it away, or put the text in quotes if the bracket belongs to it",
        ),
        ErrorKind::MismatchedFlowCollectionEnd { .. } => Told::new(
            "a bracket that is closed by one of another kind",
            "close `[` with `]` and `{` with `}`, the inner one first",
        ),
        ErrorKind::UnclosedQuotedScalar | ErrorKind::InvalidQuotedScalarIndent => Told::new(
            "a quote that is not closed",
            "close it; a text of several lines goes under `|`, indented",
        ),
        ErrorKind::UnknownQuotedScalarEscape => Told::new(
            "a backslash in double quotes that means nothing",
            "write `\\\\` for a backslash, or use single quotes",
        ),
        ErrorKind::UnexpectedCharacter { .. } => Told::new(
            "a plain text cannot start with this character",
            "put the text in quotes",
        ),
        kind => Told {
            code: "yaml::syntax",
            message: kind.to_string(),
            help: None,
        },
    }
}
