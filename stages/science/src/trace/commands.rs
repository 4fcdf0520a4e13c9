//! What LaTeX commands and environments are to a reader of numbers. Commands that are not here are dropped
//! and their groups read.

/// Environments whose numbers are no claims: code, drawings, the list of works.
pub(super) const SKIPPED: [&str; 14] = [
    "verbatim",
    "Verbatim",
    "lstlisting",
    "minted",
    "algorithm",
    "algorithmic",
    "algorithm2e",
    "tikzpicture",
    "thebibliography",
    "filecontents",
    "filecontents*",
    "comment",
    "CCSXML",
    "pgfplots",
];

/// Environments of displayed maths.
pub(super) const DISPLAYED: [&str; 9] = [
    "equation",
    "align",
    "gather",
    "displaymath",
    "eqnarray",
    "multline",
    "math",
    "flalign",
    "alignat",
];

pub(super) const TABULARS: [&str; 8] = [
    "tabular",
    "tabular*",
    "tabularx",
    "tabulary",
    "longtable",
    "tblr",
    "array",
    "supertabular",
];

pub(super) const HEADINGS: [(&str, usize); 7] = [
    ("chapter", 0),
    ("section", 1),
    ("subsection", 2),
    ("subsubsection", 3),
    ("paragraph", 4),
    ("subparagraph", 5),
    ("title", 0),
];

/// How the groups of commands are taken: dropped (`-`) or read (`+`), in order; optional groups are dropped.
const COMMANDS: [(&str, &str); 8] = [
    (
        "-",
        "ref eqref autoref cref Cref pageref nameref label includegraphics url input \
        include bibliography bibliographystyle usepackage RequirePackage documentclass \
        vspace hspace vspace* hspace* cmidrule cline texttt verb lstinline path color \
        rowcolor cellcolor columncolor def si unit pagestyle thispagestyle hypersetup \
        graphicspath captionsetup linespread author affiliation email date thanks",
    ),
    (
        "-+",
        "href scalebox rotatebox raisebox parbox textcolor colorbox texorpdfstring",
    ),
    (
        "--",
        "setlength addtolength setcounter rule newcommand renewcommand providecommand \
        newcommand* newtheorem fontsize renewcommand*",
    ),
    ("--+", "multirow multicolumn resizebox"),
    ("+", "makebox hyperref"),
    ("---", "definecolor addcontentsline"),
    ("++", "SI qty"),
    ("", "arraystretch"),
];

/// How the groups of a command are taken, if it is known.
pub(super) fn kinds(name: &str, plain: &str) -> Option<&'static str> {
    let known = |names: &str| {
        names
            .split(' ')
            .any(|known| known == name || known == plain)
    };
    COMMANDS
        .iter()
        .find(|(_, names)| known(names))
        .map(|(kinds, _)| *kinds)
}

/// The end of the brace or bracket group that opens at `at` (after its closing sign); the end of the
/// source if it is not closed.
pub(super) fn group(source: &str, at: usize) -> usize {
    let bytes = source.as_bytes();
    let (open, close) = match bytes.get(at) {
        Some(b'{') => (b'{', b'}'),
        Some(b'[') => (b'[', b']'),
        _ => return at,
    };
    let mut depth = 0usize;
    let mut here = at;
    while here < bytes.len() {
        match bytes[here] {
            b'\\' => here += 1,
            letter if letter == open => depth += 1,
            letter if letter == close => {
                depth -= 1;
                if depth == 0 {
                    return here + 1;
                }
            }
            _ => {}
        }
        here += 1;
    }
    source.len()
}
