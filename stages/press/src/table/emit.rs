//! The texts of a table.

use super::cells::{Asked, Cells, Rank};
use super::pattern::Pattern;
use crate::latex::escape::words;

/// What stands for a combination that was not run.
const ABSENT: &str = "–";

/// The table in Markdown, with a line on what it shows.
pub(super) fn markdown(cells: &Cells, asked: &Asked, pattern: &Pattern) -> String {
    let plain = |text: &str| text.replace('|', "\\|").replace('\n', " ");
    let line = |all: Vec<String>| format!("| {} |\n", all.join(" | "));
    let mut text = line(heads(cells, asked).iter().map(|head| plain(head)).collect());
    let rules = cells.cols.iter().map(|_| "---:".to_owned());
    text += &line(std::iter::once("---".to_owned()).chain(rules).collect());
    for row in &cells.rows {
        let mut all = vec![plain(row)];
        all.extend(shown(cells, asked, pattern, row).map(|(shown, rank)| {
            let shown = plain(&shown);
            match rank {
                Rank::Best => format!("**{shown}**"),
                Rank::Alike => format!("_{shown}_"),
                Rank::Other => shown,
            }
        }));
        text += &line(all);
    }
    format!("{text}\n{}\n", note(cells, asked, pattern))
}

/// The table as a tabular; the line on what it shows is a comment, for the caption.
pub(super) fn latex(cells: &Cells, asked: &Asked, pattern: &Pattern) -> String {
    let columns = "r".repeat(cells.cols.len());
    let mut text = format!(
        "% {}\n% needs \\usepackage{{booktabs}}\n\\begin{{tabular}}{{l{columns}}}\n\\toprule\n",
        note(cells, asked, pattern)
    );
    let line = |all: Vec<String>| format!("{} \\\\\n", all.join(" & "));
    text += &line(heads(cells, asked).iter().map(|head| words(head)).collect());
    text += "\\midrule\n";
    for row in &cells.rows {
        let mut all = vec![words(row)];
        all.extend(shown(cells, asked, pattern, row).map(|(shown, rank)| {
            let shown = words(&shown);
            match rank {
                Rank::Best => format!("\\textbf{{{shown}}}"),
                Rank::Alike => format!("\\textit{{{shown}}}"),
                Rank::Other => shown,
            }
        }));
        text += &line(all);
    }
    text + "\\bottomrule\n\\end{tabular}\n"
}

fn heads(cells: &Cells, asked: &Asked) -> Vec<String> {
    let columns = cells.cols.iter().map(|value| match &asked.cols {
        Some(axis) => format!("{axis} = {value}"),
        None => asked.metric.clone(),
    });
    std::iter::once(asked.rows.clone()).chain(columns).collect()
}

fn shown<'c>(
    cells: &'c Cells,
    asked: &'c Asked,
    pattern: &'c Pattern,
    row: &'c str,
) -> impl Iterator<Item = (String, Rank)> + 'c {
    cells.cols.iter().map(move |col| match cells.get(row, col) {
        Some(estimate) => (pattern.show(estimate), cells.rank(estimate, asked.best)),
        None => (ABSENT.to_owned(), Rank::Other),
    })
}

/// `accuracy: mean ± half of the 95 % interval, n = 5.`
fn note(cells: &Cells, asked: &Asked, pattern: &Pattern) -> String {
    let (low, high) = cells.runs();
    let runs = if low == high {
        format!("n = {low}")
    } else {
        format!("n = {low} to {high}")
    };
    let mut text = format!("{}: {}, {runs}.", asked.metric, pattern.words(cells.level));
    if asked.best.is_some() {
        text += " Best in bold";
        let alike = |estimate| cells.rank(estimate, asked.best) == Rank::Alike;
        if cells.at.values().any(alike) {
            text += "; in italics what cannot be told from it (Welch's interval of the difference)";
        }
        text += ".";
    }
    let absent = cells.at.len() < cells.rows.len() * cells.cols.len();
    text += match (absent, low < 2.0) {
        (true, false) => " –: not run.",
        (true, true) => " –: not run, or one run alone.",
        (false, true) => " –: one run alone.",
        (false, false) => "",
    };
    text
}
