//! The blocks of LaTeX: headings, captions, tables, displayed maths, and what is skipped.

use super::commands::{DISPLAYED, SKIPPED, TABULARS, group};
use super::plain::{Block, Kind};
use super::table;
use super::tex::{Reader, inline};

impl Reader<'_> {
    pub(super) fn end_of(&mut self, at: usize) -> usize {
        let end = group(self.source, at);
        let name = self.source[at..end].trim_matches(['{', '}']);
        if [
            "table",
            "table*",
            "figure",
            "figure*",
            "wraptable",
            "sidewaystable",
        ]
        .contains(&name)
        {
            self.caption.clear();
        }
        if name == "abstract" {
            self.flush();
            self.headings.clear();
        }
        self.flush();
        end
    }

    pub(super) fn heading(&mut self, level: usize, at: usize, to: usize) -> usize {
        self.flush();
        let at = if self.source[at..to].starts_with('[') {
            group(self.source, at)
        } else {
            at
        };
        let end = self.argument(at, to);
        if end <= at + 1 {
            return at;
        }
        let plain = inline(self.source, at + 1, end - 1);
        if level > 0 {
            self.headings.retain(|(known, _)| *known < level);
            self.headings.push((level, plain.text.trim().to_owned()));
        }
        self.push(
            if level == 0 {
                Kind::Title
            } else {
                Kind::Heading
            },
            plain,
        );
        end
    }

    pub(super) fn captioned(&mut self, at: usize, to: usize) -> usize {
        let at = if self.source[at..to].starts_with('[') {
            group(self.source, at)
        } else {
            at
        };
        let end = self.argument(at, to);
        if end > at + 1 {
            self.flush();
            let plain = inline(self.source, at + 1, end - 1);
            self.push(Kind::Caption, plain);
        }
        end
    }

    pub(super) fn environment(&mut self, at: usize, to: usize) -> usize {
        self.flush();
        let after = group(self.source, at).min(to);
        let name = self.source[at..after].trim_matches(['{', '}']).to_owned();
        let plain_name = name.trim_end_matches('*');
        let closing = format!("\\end{{{name}}}");
        let close = self.source[after..to]
            .find(&closing)
            .map(|found| after + found);
        if SKIPPED.contains(&name.as_str()) {
            return close.map_or(to, |close| close + closing.len());
        }
        if DISPLAYED.contains(&plain_name) {
            let close = close.unwrap_or(to);
            self.displayed(after, close);
            return (close + closing.len()).min(to);
        }
        if TABULARS.contains(&name.as_str()) {
            let close = close.unwrap_or(to);
            let body = table::body(self.source, &name, after, close);
            self.tables += 1;
            let section = self.section();
            let cells = table::read(self.source, body, close, self.tables, &self.caption);
            self.blocks
                .extend(cells.into_iter().map(|(plain, cell)| Block {
                    kind: Kind::Cell,
                    plain,
                    section: section.clone(),
                    cell: Some(cell),
                }));
            return (close + closing.len()).min(to);
        }
        if plain_name == "abstract" {
            self.headings = vec![(1, "Abstract".to_owned())];
        }
        if ["table", "figure", "wraptable", "sidewaystable"].contains(&plain_name) {
            let inside = &self.source[after..close.unwrap_or(to)];
            self.caption.clear();
            if let Some(found) = inside.find("\\caption") {
                let mut open = after + found + "\\caption".len();
                if self.source[open..to].starts_with('[') {
                    open = group(self.source, open);
                }
                let end = group(self.source, open);
                if end > open + 1 {
                    self.caption = inline(self.source, open + 1, end - 1).text;
                }
            }
        }
        // Options and width of the environment: `[t]`, `{0.49\textwidth}`.
        let mut end = after;
        while self.source[end..to].starts_with('[')
            || (self.source[end..to].starts_with('{')
                && [
                    "minipage",
                    "subfigure",
                    "wrapfigure",
                    "wraptable",
                    "multicols",
                    "adjustbox",
                    "tabbing",
                ]
                .contains(&plain_name))
        {
            end = group(self.source, end).min(to);
        }
        end
    }
}
