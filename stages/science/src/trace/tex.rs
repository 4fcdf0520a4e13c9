//! Reads LaTeX into blocks: paragraphs, headings, captions, table cells. It knows the commands that
//! papers use and drops the rest; it expands no macros.

use super::commands::{self, HEADINGS, group};
use super::maths;
use super::plain::{Block, CITED, Kind, Plain};

/// Reads a paper.
pub(super) fn read(source: &str) -> Vec<Block> {
    let mut reader = Reader::new(source);
    let body = source.find("\\begin{document}");
    if let Some(at) = body.and_then(|body| source[..body].find("\\title{").map(|at| at + 6)) {
        let end = group(source, at);
        let plain = inline(source, at + 1, end.saturating_sub(1));
        reader.push(Kind::Title, plain);
    }
    let start = body.map_or(0, |at| at + "\\begin{document}".len());
    let end = source.find("\\end{document}").filter(|end| *end > start);
    reader.run(start, end.unwrap_or(source.len()));
    reader.flush();
    reader.blocks
}

/// The plain text of a part of the source, whatever blocks are in it.
pub(super) fn inline(source: &str, from: usize, to: usize) -> Plain {
    let mut reader = Reader::new(source);
    reader.run(from, to.max(from));
    reader.flush();
    let mut out = Plain::default();
    for block in &reader.blocks {
        if !out.text.is_empty() {
            out.space(from);
        }
        out.extend(&block.plain);
    }
    out
}

pub(super) struct Reader<'s> {
    pub(super) source: &'s str,
    pub(super) blocks: Vec<Block>,
    pub(super) open: Plain,
    pub(super) headings: Vec<(usize, String)>,
    /// The caption of the float that is being read.
    pub(super) caption: String,
    pub(super) tables: usize,
}

impl<'s> Reader<'s> {
    fn new(source: &'s str) -> Self {
        Self {
            source,
            blocks: Vec::new(),
            open: Plain::default(),
            headings: Vec::new(),
            caption: String::new(),
            tables: 0,
        }
    }

    pub(super) fn section(&self) -> String {
        let titles: Vec<&str> = self
            .headings
            .iter()
            .map(|(_, title)| title.as_str())
            .collect();
        titles.join(" / ")
    }

    pub(super) fn push(&mut self, kind: Kind, plain: Plain) {
        if plain.text.trim().is_empty() {
            return;
        }
        let section = self.section();
        self.blocks.push(Block {
            kind,
            plain,
            section,
            cell: None,
        });
    }

    pub(super) fn flush(&mut self) {
        let plain = std::mem::take(&mut self.open);
        self.push(Kind::Prose, plain);
    }

    fn run(&mut self, from: usize, to: usize) {
        let bytes = self.source.as_bytes();
        let mut at = from;
        while at < to {
            match bytes[at] {
                b'\\' => at = self.command(at, to),
                b'%' => at = self.percent(at, to),
                b'$' => at = self.dollar(at, to),
                b'{' | b'}' => at += 1,
                b'~' => {
                    // A tie before a number after nothing but a space says `about`.
                    self.open.push('\u{a0}', at);
                    at += 1;
                }
                b'\n' => {
                    let rest = &self.source[at + 1..to];
                    let blank = rest.len() - rest.trim_start_matches([' ', '\t', '\r']).len();
                    if rest[blank..].starts_with('\n') {
                        self.flush();
                    } else {
                        self.open.space(at);
                    }
                    at += 1;
                }
                b'-' => {
                    let dashes = self.source[at..to]
                        .bytes()
                        .take_while(|b| *b == b'-')
                        .count();
                    match dashes {
                        1 => self.open.push('-', at),
                        2 => self.open.push('–', at),
                        _ => self.open.push('—', at),
                    }
                    at += dashes;
                }
                _ => {
                    let Some(letter) = self.source[at..].chars().next() else {
                        return;
                    };
                    self.open.push(letter, at);
                    at += letter.len_utf8();
                }
            }
        }
    }

    /// A comment runs to the end of the line. But a sign right after a digit was meant as a percent
    /// sign, even if TeX drops the line: the reader of the source is to see the number.
    fn percent(&mut self, at: usize, to: usize) -> usize {
        let before = self.source[..at].trim_end_matches(' ');
        if before.ends_with(|c: char| c.is_ascii_digit()) {
            self.open.push('%', at);
            return at + 1;
        }
        let rest = &self.source[at..to];
        at + rest.find('\n').map_or(rest.len(), |end| end + 1)
    }

    fn dollar(&mut self, at: usize, to: usize) -> usize {
        let double = self.source[at..to].starts_with("$$");
        let mark = if double { "$$" } else { "$" };
        let start = at + mark.len();
        let mut end = start;
        loop {
            let Some(found) = self.source[end..to].find(mark) else {
                return start;
            };
            end += found;
            if !self.source[..end].ends_with('\\') {
                break;
            }
            end += 1;
        }
        if double {
            self.displayed(start, end);
        } else {
            maths::read(&self.source[start..end], start, &mut self.open);
        }
        end + mark.len()
    }

    pub(super) fn displayed(&mut self, start: usize, end: usize) {
        let mut plain = Plain::default();
        maths::read(&self.source[start..end], start, &mut plain);
        plain.formulas = std::iter::once(0..plain.text.len()).collect();
        self.push(Kind::Formula, plain);
    }

    fn command(&mut self, at: usize, to: usize) -> usize {
        let rest = &self.source[at + 1..to];
        let length = rest
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(rest.len());
        let mut name = &rest[..length];
        let mut end = at + 1 + length;
        if name.is_empty() {
            let Some(letter) = rest.chars().next() else {
                return to;
            };
            end += letter.len_utf8();
            match letter {
                '%' | '$' | '&' | '#' => self.open.push(letter, at),
                '_' => self.open.push('_', at),
                ',' | ';' | ':' | '!' => self.open.push('\u{2009}', at),
                '[' | '(' => return self.bracketed(at, end, to),
                _ => self.open.space(at),
            }
            return end;
        }
        if self.source[end..to].starts_with('*') {
            name = &rest[..=length];
            end += 1;
        }
        let plain_name = name.trim_end_matches('*');
        if plain_name == "begin" {
            return self.environment(end, to);
        }
        if let Some((_, level)) = HEADINGS.iter().find(|(known, _)| *known == plain_name) {
            return self.heading(*level, end, to);
        }
        match plain_name {
            "end" => return self.end_of(end),
            "caption" => return self.captioned(end, to),
            "item" => {
                self.flush();
                return end;
            }
            "par" => self.flush(),
            "footnote" => {
                let close = self.argument(end, to);
                let inner = inline(self.source, end + 1, close.saturating_sub(1).max(end + 1));
                self.push(Kind::Prose, inner);
                return close;
            }
            _ => {}
        }
        if plain_name.to_lowercase().contains("cite") {
            self.open.push(CITED, at);
            return self.groups("-", end, to);
        }
        if let Some(sign) = maths::sign(plain_name) {
            self.open.add(sign, at);
            return end;
        }
        match commands::kinds(name, plain_name) {
            Some(kinds) => self.groups(kinds, end, to),
            None => {
                if self.source[end..to].starts_with('[') && plain_name != "item" {
                    end = group(self.source, end).min(to);
                }
                // A name that ends at a space swallows it.
                end
            }
        }
    }

    fn bracketed(&mut self, at: usize, start: usize, to: usize) -> usize {
        let close = if self.source[at..].starts_with("\\[") {
            "\\]"
        } else {
            "\\)"
        };
        let Some(length) = self.source[start..to].find(close) else {
            return start;
        };
        let end = start + length;
        if close == "\\]" {
            self.displayed(start, end);
        } else {
            maths::read(&self.source[start..end], start, &mut self.open);
        }
        end + 2
    }

    /// The end of one argument in braces, after white space.
    pub(super) fn argument(&self, at: usize, to: usize) -> usize {
        group(self.source, at).min(to)
    }

    /// Drops or reads the groups of a command.
    fn groups(&mut self, kinds: &str, mut at: usize, to: usize) -> usize {
        let mut kinds = kinds.chars();
        let mut next = kinds.next();
        loop {
            let rest = &self.source[at..to];
            if rest.starts_with('[')
                || (rest.starts_with('(') && at > 0 && self.source[..at].ends_with("cmidrule"))
            {
                at = match rest.as_bytes()[0] {
                    b'[' => group(self.source, at).min(to),
                    _ => at + rest.find(')').map_or(rest.len(), |end| end + 1),
                };
                continue;
            }
            let Some(kind) = next else {
                return at;
            };
            if rest.starts_with('{') {
                let end = group(self.source, at).min(to);
                if kind == '+' {
                    let close = end.saturating_sub(1).max(at + 1);
                    self.run(at + 1, close);
                    self.open.space(end);
                }
                at = end;
                next = kinds.next();
            } else if let Some(sign @ ('|' | '!' | '+')) = rest
                .chars()
                .next()
                .filter(|_| self.source[..at].ends_with("verb"))
            {
                let end = rest[1..].find(sign).map_or(rest.len(), |end| end + 2);
                return at + end;
            } else {
                return at;
            }
        }
    }
}
