//! The files of a LaTeX paper: `main.tex`, `numbers.tex`, figures as PDF, `works.bib`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use kyobashi_stage::Failure;
use serde_json::Value;

use crate::latex::emit::Emitter;
use crate::latex::escape::{name, words};
use crate::numbers::record::Number;
use crate::paper::manuscript::{Manuscript, manuscript};
use crate::paper::stage::Asked;
use crate::typeset::print;

/// What a venue asks for.
pub(crate) struct Style {
    pub(crate) class: String,
    pub(crate) options: String,
    /// LaTeX before `\begin{document}`: the venue's own package.
    pub(crate) preamble: String,
    pub(crate) bibliography: String,
}

const PACKAGES: &str = r"\usepackage[T1]{fontenc}
\usepackage[utf8]{inputenc}
\IfFileExists{lmodern.sty}{\usepackage{lmodern}}{}
\usepackage{amsmath,amssymb}
\usepackage{graphicx,booktabs,longtable,array,xcolor}
\usepackage[numbers,sort&compress]{natbib}
";

const MARGINS: &str = r"\usepackage[a4paper,hmargin=18mm,top=19mm,bottom=24mm]{geometry}";

const MACROS: &str = r"\usepackage[hidelinks]{hyperref}
% The file's identity would hold the folder in which it was compiled.
\ifdefined\pdftrailerid\pdftrailerid{}\fi
% What spans both columns may stand at the foot of its own page, and pages of floats begin at the top.
\IfFileExists{stfloats.sty}{\usepackage{stfloats}}{}
\makeatletter\setlength{\@fptop}{0pt}\setlength{\@dblfptop}{0pt}\makeatother
\IfFileExists{fvextra.sty}{\usepackage{fvextra}\fvset{breaklines,breakanywhere}}{\usepackage{fancyvrb}}
\DefineVerbatimEnvironment{code}{Verbatim}{fontsize=\footnotesize}
% Within an address; a little stretch, so that lines end at the margin.
\newcommand{\breakhere}[1]{\penalty#1\hskip0pt plus 0.2pt\relax}
\pdfstringdefDisableCommands{\def\breakhere#1{}}
% A number of the paper: its value is in numbers.tex, its origin in the appendix. In formulas it does not link.
\newcommand{\defval}[2]{\expandafter\gdef\csname val@#1\endcsname{#2}}
\DeclareRobustCommand{\val}[1]{\ifmmode\csname val@#1\endcsname\else\hyperlink{number.#1}{\textcolor[HTML]{1F4E79}{\csname val@#1\endcsname}}\fi}
\pdfstringdefDisableCommands{\def\val#1{#1}}
\newcommand{\unknown}[1]{\textit{[not known: #1]}}
\newcommand{\origin}[6]{\hypertarget{number.#1}{#1} & \csname val@#1\endcsname & {\ttfamily\scriptsize #2} & {\ttfamily\scriptsize #3} & #4 & #5 & {\ttfamily\scriptsize #6} \\}
\input{numbers}
";

/// Every file of the paper by its path.
///
/// # Errors
/// All problems of the draft at once; a figure that cannot be drawn.
pub(crate) fn files(asked: &Asked, style: &Style) -> Result<BTreeMap<String, Vec<u8>>, Failure> {
    let manuscript = manuscript(asked)?;
    let mut out = BTreeMap::new();
    for (figure, content) in &asked.figures {
        let pdf = print::vector(content)?;
        if out
            .insert(format!("figures/{}.pdf", name(figure)), pdf)
            .is_some()
        {
            return Err(Failure::new(format!(
                "two figures would be named `{}`",
                name(figure)
            )));
        }
    }
    out.insert(
        "numbers.tex".to_owned(),
        numbers(&manuscript.numbers).into_bytes(),
    );
    out.insert(
        "main.tex".to_owned(),
        main(asked, &manuscript, style).into_bytes(),
    );
    if let Some(works) = &asked.bibliography {
        out.insert("works.bib".to_owned(), works.clone().into_bytes());
    }
    Ok(out)
}

fn main(asked: &Asked, manuscript: &Manuscript, style: &Style) -> String {
    let wide = |figure: &str| {
        asked
            .figures
            .iter()
            .any(|(name, content)| name == figure && crate::input::is_wide(content))
    };
    let mut emitter = Emitter {
        draft: &asked.draft,
        numbers: &manuscript.numbers,
        wide: &wide,
        out: String::new(),
    };
    let title = emitter.inlines(&manuscript.title);
    if !manuscript.summary.is_empty() {
        emitter.out.push_str("\\begin{abstract}\n");
        emitter.blocks(&manuscript.summary);
        emitter.out.push_str("\\end{abstract}\n\n");
    }
    emitter.blocks(&manuscript.body);
    let authors: Vec<String> = manuscript
        .authors(asked)
        .iter()
        .map(|author| words(author))
        .collect();
    let word = manuscript.provenance.word();
    let sentence = manuscript.provenance.sentence();
    let keywords: Vec<String> = manuscript
        .matter
        .keywords
        .iter()
        .map(String::as_str)
        .chain([format!("provenance: {word}").as_str()])
        .chain(sentence)
        .map(|keyword| words(keyword).replace(',', ";"))
        .collect();
    // A package that few papers need is asked for only by those.
    let strikes = if emitter.out.contains("\\sout{") {
        "\\IfFileExists{ulem.sty}{\\usepackage[normalem]{ulem}}{\\newcommand{\\sout}{\\textcolor{gray}}}\n"
    } else {
        ""
    };
    let options = if style.options.is_empty() {
        String::new()
    } else {
        format!("[{}]", style.options)
    };
    // A venue's package sets the margins; those of LaTeX itself leave no room for two columns.
    let preamble = if style.preamble.is_empty() {
        MARGINS
    } else {
        &style.preamble
    };
    let mut out = format!(
        "\\documentclass{options}{{{}}}\n{PACKAGES}{strikes}{preamble}\n{MACROS}",
        style.class
    );
    let _ = writeln!(
        out,
        "\\hypersetup{{pdfauthor={{{}}},pdfkeywords={{{}}}}}\n\\title{{{title}}}\n\\author{{{}}}\n\\date{{{}}}\n\\begin{{document}}\n\\maketitle",
        authors.join(", "),
        keywords.join(", "),
        authors.join(" \\and "),
        manuscript
            .matter
            .date
            .as_deref()
            .map(words)
            .unwrap_or_default(),
    );
    if let Some(sentence) = sentence {
        let _ = writeln!(
            out,
            "\\noindent\\fbox{{\\parbox{{\\dimexpr\\linewidth-2\\fboxsep-2\\fboxrule}}{{\\small\\textbf{{Provenance: {word}.}} {}}}}}\n",
            words(sentence)
        );
    }
    out.push_str(&emitter.out);
    if asked.bibliography.is_some() {
        let _ = writeln!(
            out,
            // No entry goes on in the next column.
            "\\bibliographystyle{{{}}}\n\\begingroup\\interlinepenalty=10000\n\\bibliography{{works}}\n\\endgroup\n",
            style.bibliography
        );
    }
    if !manuscript.numbers.is_empty() {
        out.push_str(APPENDIX);
    }
    out.push_str("\\end{document}\n");
    out
}

const APPENDIX: &str = r"\clearpage\onecolumn\appendix
\section*{Where the numbers come from}
Every number in colour is a reference that was resolved when the paper was typeset; nobody typed it.
Each links to its row here. \emph{Document} is the stage output that holds the value, \emph{digest} the start of the blake3 of that output.
{\small
\begin{longtable}{r>{\raggedright\arraybackslash}p{0.19\linewidth}>{\raggedright\arraybackslash}p{0.27\linewidth}rrll}
\toprule
\textbf{\#} & \textbf{Shown} & \textbf{Reference} & \textbf{Full precision} & \textbf{\emph{n}} & \textbf{Document} & \textbf{Digest} \\
\midrule
\endhead
\origins
\bottomrule
\end{longtable}}
";

/// The values of all numbers, and their rows of the appendix.
fn numbers(numbers: &[Number]) -> String {
    let mut values = String::from(
        "% Written by Kyobashi: the numbers of the paper. To refresh them, write this file again.\n",
    );
    let mut rows = String::from("\\newcommand{\\origins}{%\n");
    let mut last = 0;
    for number in numbers {
        if number.row <= last {
            continue;
        }
        last = number.row;
        let value = match &number.value {
            Value::String(word) => words(word),
            other => words(&other.to_string()),
        };
        let reference = match &number.why {
            Some(why) => format!("{} ({why})", number.reference),
            None => number.reference.clone(),
        };
        let _ = writeln!(
            values,
            "\\defval{{{}}}{{{}}}",
            number.row,
            words(&number.shown)
        );
        let _ = writeln!(
            rows,
            "\\origin{{{}}}{{{}}}{{{value}}}{{{}}}{{{}}}{{{}}}%",
            number.row,
            // A reference has no spaces to break at.
            words(&reference).replace('.', ".\\allowbreak{}"),
            number.n.map_or(String::new(), |n| n.to_string()),
            words(&number.document),
            number.digest.get(..10).unwrap_or(&number.digest),
        );
    }
    rows.push_str("}\n");
    values + &rows
}
