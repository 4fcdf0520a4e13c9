//! Tables: cells with the words to their left and above them. It does not know what the words mean.

use super::commands::group;
use super::plain::{Cell, Plain};
use super::tex::inline;

/// Where the rows of a LaTeX table begin: after the widths and the columns.
pub(super) fn body(source: &str, name: &str, mut at: usize, to: usize) -> usize {
    let wanted = match name {
        "tabular*" | "tabularx" | "tabulary" => 2,
        _ => 1,
    };
    let mut groups = 0;
    loop {
        let rest = &source[at..to];
        if rest.starts_with('[') || (rest.starts_with('{') && groups < wanted) {
            groups += usize::from(rest.starts_with('{'));
            at = group(source, at).min(to);
        } else {
            return at;
        }
    }
}

/// One cell as written.
struct Raw {
    plain: Plain,
    /// Columns that it spans.
    wide: usize,
    /// Rows that it spans.
    tall: usize,
}

/// The cells of the rows between `from` and `to`.
pub(super) fn read(
    source: &str,
    from: usize,
    to: usize,
    table: usize,
    caption: &str,
) -> Vec<(Plain, Cell)> {
    let mut rows: Vec<Vec<Raw>> = Vec::new();
    let mut row = Vec::new();
    let bytes = source.as_bytes();
    let (mut start, mut at) = (from, from);
    while at < to {
        match bytes[at] {
            b'\\' if source[at..to].starts_with("\\\\") => {
                row.push(raw(source, start, at));
                rows.push(std::mem::take(&mut row));
                at += 2;
                if source[at..to].starts_with('[') {
                    at = group(source, at).min(to);
                }
                start = at;
            }
            b'\\' if source[at..to].starts_with("\\tabularnewline") => {
                row.push(raw(source, start, at));
                rows.push(std::mem::take(&mut row));
                at += "\\tabularnewline".len();
                start = at;
            }
            b'\\' => at += 2,
            b'{' => at = group(source, at).min(to),
            b'%' if !source[..at].ends_with(|c: char| c.is_ascii_digit()) => {
                let rest = &source[at..to];
                at += rest.find('\n').map_or(rest.len(), |end| end + 1);
            }
            b'&' => {
                row.push(raw(source, start, at));
                at += 1;
                start = at;
            }
            _ => at += 1,
        }
    }
    row.push(raw(source, start.min(to), to));
    rows.push(row);
    place(rows, table, caption)
}

fn raw(source: &str, from: usize, to: usize) -> Raw {
    let text = &source[from..to];
    let count = |command: &str| {
        let at = from + text.find(command)? + command.len();
        let mut at = at;
        while source[at..to].starts_with('[') {
            at = group(source, at).min(to);
        }
        let end = group(source, at).min(to);
        source[at..end]
            .trim_matches(['{', '}'])
            .trim()
            .parse::<usize>()
            .ok()
    };
    Raw {
        plain: inline(source, from, to),
        wide: count("\\multicolumn").unwrap_or(1).clamp(1, 64),
        tall: count("\\multirow").unwrap_or(1).clamp(1, 1000),
    }
}

/// The cells of a table that is written with pipes: each line is `(offset, text)`.
pub(super) fn piped(
    lines: &[(usize, &str)],
    table: usize,
    caption: &str,
    read: &dyn Fn(&str, usize) -> Plain,
) -> Vec<(Plain, Cell)> {
    let mut rows = Vec::new();
    for (offset, line) in lines {
        let rule = line.chars().all(|c| "|-: \t+".contains(c));
        if rule {
            continue;
        }
        let mut row = Vec::new();
        let mut at = *offset;
        for (index, part) in line.split('|').enumerate() {
            let outer = part.trim().is_empty()
                && (index == 0 || at + part.len() >= offset + line.trim_end().len());
            if !outer {
                row.push(Raw {
                    plain: read(part, at),
                    wide: 1,
                    tall: 1,
                });
            }
            at += part.len() + 1;
        }
        rows.push(row);
    }
    span(&mut rows);
    place(rows, table, caption)
}

/// A head `| | 1 week | | 4 weeks | |` above another head: what stands before empty cells spans them.
fn span(rows: &mut [Vec<Raw>]) {
    let [first, second, ..] = rows else { return };
    let text = |raw: &Raw| raw.plain.text.trim().to_owned();
    let heads = [&*first, &*second].iter().all(|row| {
        let mut inner = row.iter().skip(1).map(text).filter(|text| !text.is_empty());
        inner.clone().next().is_some() && inner.all(|text| wordy(&text))
    });
    let full = second.iter().skip(1).all(|raw| !text(raw).is_empty());
    if !heads || !full || first.len() != second.len() {
        return;
    }
    let mut kept: Vec<Raw> = Vec::new();
    for (at, raw) in std::mem::take(first).into_iter().enumerate() {
        match kept.last_mut().filter(|_| at > 1 && text(&raw).is_empty()) {
            Some(last) => last.wide += 1,
            None => kept.push(raw),
        }
    }
    *first = kept;
}

/// Whether a text says no value.
fn wordy(text: &str) -> bool {
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    let digits = text.chars().filter(char::is_ascii_digit).count();
    letters > 0 && letters >= digits
}

fn place(rows: Vec<Vec<Raw>>, table: usize, caption: &str) -> Vec<(Plain, Cell)> {
    let mut out = Vec::new();
    // Per column: the words above, and what spans down from above.
    let mut above: Vec<String> = Vec::new();
    let mut spanning: Vec<(usize, String)> = Vec::new();
    let mut banner = String::new();
    let mut in_head = true;
    for (number, row) in rows.into_iter().enumerate() {
        let filled = row
            .iter()
            .filter(|raw| !raw.plain.text.trim().is_empty())
            .count();
        if filled == 0 {
            continue;
        }
        let columns: usize = row.iter().map(|raw| raw.wide).sum();
        let head = in_head
            && row.iter().skip(usize::from(columns > 1)).all(|raw| {
                let text = raw.plain.text.trim();
                text.is_empty() || wordy(text)
            });
        in_head = head;
        // A row of one spanning cell names the rows below it.
        let first = row
            .iter()
            .map(|raw| raw.plain.text.trim())
            .find(|text| !text.is_empty());
        if !head
            && filled == 1
            && columns > 1
            && first.is_some_and(wordy)
            && row.iter().any(|raw| raw.wide > 1 || columns > 2)
        {
            banner = first.unwrap_or_default().to_owned();
        }
        let mut left = banner.clone();
        let mut column = 0;
        for raw in row {
            let text = raw.plain.text.trim().to_owned();
            if above.len() < column + raw.wide {
                above.resize(column + raw.wide, String::new());
                spanning.resize(column + raw.wide, (0, String::new()));
            }
            if head {
                for words in &mut above[column..column + raw.wide] {
                    if !words.is_empty() && !text.is_empty() {
                        words.push_str(" / ");
                    }
                    words.push_str(&text);
                }
            } else if raw.tall > 1 {
                spanning[column] = (raw.tall, text.clone());
            }
            let span = &mut spanning[column];
            let label = if text.is_empty() && span.0 > 0 {
                span.1.clone()
            } else {
                text.clone()
            };
            span.0 = span.0.saturating_sub(1);
            let cell = Cell {
                table,
                row: number,
                column,
                head,
                rows: left.clone(),
                columns: above[column].clone(),
                caption: caption.to_owned(),
            };
            if !head && (wordy(&label) || (column == 0 && !label.is_empty())) {
                if !left.is_empty() {
                    left.push_str(" / ");
                }
                left.push_str(&label);
            }
            column += raw.wide;
            if !text.is_empty() {
                out.push((raw.plain, cell));
            }
        }
    }
    out
}
