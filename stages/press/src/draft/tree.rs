//! A draft as a tree: what both emitters (Typst and LaTeX) and the plain text are made from. Places
//! are byte offsets of the draft. Numbers are indices into the list of resolved numbers.

/// A part of the flow of a paper.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Block {
    Heading {
        /// From 1.
        level: u8,
        label: Option<String>,
        content: Vec<Inline>,
        at: usize,
    },
    Paragraph(Vec<Inline>),
    List {
        /// The first number, for a numbered list.
        start: Option<u64>,
        items: Vec<Vec<Block>>,
    },
    Quote(Vec<Block>),
    Code {
        language: String,
        text: String,
        at: usize,
    },
    Table {
        align: Vec<Align>,
        head: Vec<Vec<Inline>>,
        rows: Vec<Vec<Vec<Inline>>>,
        caption: Vec<Inline>,
        label: Option<String>,
        at: usize,
    },
    Figure {
        name: String,
        /// Whether it spans both columns, if the draft says so.
        wide: Option<bool>,
        caption: Vec<Inline>,
        at: usize,
    },
    Maths {
        latex: String,
        label: Option<String>,
        at: usize,
    },
    Rule,
}

/// A part of a line.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Inline {
    Text {
        text: String,
        at: usize,
    },
    Emphasis(Vec<Inline>),
    Strong(Vec<Inline>),
    Strike(Vec<Inline>),
    Code(String),
    Maths {
        latex: String,
        at: usize,
    },
    /// Maths set off from the line; a paragraph is cut at it.
    Display {
        latex: String,
        at: usize,
    },
    Link {
        url: String,
        content: Vec<Inline>,
    },
    Number(usize),
    Unknown {
        what: String,
        at: usize,
    },
    Cite {
        keys: Vec<Key>,
        at: usize,
    },
    Footnote(Vec<Block>),
    Break,
}

/// One work of a citation, or one label of a cross reference (`fig:`, `tab:`, `sec:`, `eq:`).
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Key {
    pub(crate) key: String,
    /// What follows the key: `p. 3`.
    pub(crate) detail: Option<String>,
}

impl Key {
    /// Whether it names a part of this paper, not a work.
    pub(crate) fn is_internal(&self) -> bool {
        ["fig:", "tab:", "sec:", "eq:"]
            .iter()
            .any(|prefix| self.key.starts_with(prefix))
    }
}

/// Alignment of a table column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Centre,
    Right,
}

/// The words of inlines without their markup; `number` gives what a number shows.
pub(crate) fn words(inlines: &[Inline], number: &dyn Fn(usize) -> String) -> String {
    let mut out = String::new();
    for inline in inlines {
        match inline {
            Inline::Text { text, .. } => out.push_str(text),
            Inline::Code(text) => out.push_str(text),
            Inline::Emphasis(inner) | Inline::Strong(inner) | Inline::Strike(inner) => {
                out.push_str(&words(inner, number));
            }
            Inline::Link { content, .. } => out.push_str(&words(content, number)),
            Inline::Maths { latex, .. } | Inline::Display { latex, .. } => {
                out.push_str(&maths_words(latex, number))
            }
            Inline::Number(index) => out.push_str(&number(*index)),
            Inline::Unknown { what, .. } => out.push_str(&format!("[not known: {what}]")),
            Inline::Cite { keys, .. } => {
                let keys: Vec<&str> = keys.iter().map(|key| key.key.as_str()).collect();
                out.push_str(&format!("[{}]", keys.join("; ")));
            }
            Inline::Footnote(_) => {}
            Inline::Break => out.push(' '),
        }
    }
    out
}

/// LaTeX with its numbers written out.
pub(crate) fn maths_words(latex: &str, number: &dyn Fn(usize) -> String) -> String {
    crate::draft::mask::pieces(latex)
        .into_iter()
        .map(|piece| piece.map_or_else(number, str::to_owned))
        .collect()
}
