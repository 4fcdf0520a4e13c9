//! Reads Markdown and plain text into the blocks that LaTeX is read into. It reads only as much of the
//! language as numbers need.

use super::maths;
use super::plain::{Block, CITED, Dialect, Kind, Plain};
use super::table;

/// Reads a paper.
pub(super) fn read(source: &str, dialect: Dialect) -> Vec<Block> {
    let mut reader = Reader {
        source,
        dialect,
        blocks: Vec::new(),
        headings: Vec::new(),
        open: Plain::default(),
        table: Vec::new(),
        tables: 0,
        skip: None,
    };
    let mut at = 0;
    for line in source.split_inclusive('\n') {
        reader.line(line.trim_end_matches(['\n', '\r']), at);
        at += line.len();
    }
    reader.close();
    reader.blocks
}

struct Reader<'s> {
    source: &'s str,
    dialect: Dialect,
    blocks: Vec<Block>,
    headings: Vec<(usize, String)>,
    open: Plain,
    table: Vec<(usize, &'s str)>,
    tables: usize,
    /// What ends the part that is being skipped.
    skip: Option<&'static str>,
}

impl<'s> Reader<'s> {
    fn close(&mut self) {
        if !self.table.is_empty() {
            let lines = std::mem::take(&mut self.table);
            self.tables += 1;
            let caption = self.caption();
            let section = self.section();
            let dialect = self.dialect;
            let read = move |text: &str, at: usize| words(text, at, dialect);
            let cells = table::piped(&lines, self.tables, &caption, &read);
            self.blocks
                .extend(cells.into_iter().map(|(plain, cell)| Block {
                    kind: Kind::Cell,
                    plain,
                    section: section.clone(),
                    cell: Some(cell),
                }));
        }
        let plain = std::mem::take(&mut self.open);
        let low = plain.text.trim_start().to_lowercase();
        let captioned = ["table:", "figure:"]
            .iter()
            .any(|word| low.starts_with(word))
            || (low.starts_with("table ")
                || low.starts_with("figure ")
                || low.starts_with("fig. "))
                && low[..low.len().min(14)].contains([':', '.']);
        self.push(
            if captioned {
                Kind::Caption
            } else {
                Kind::Prose
            },
            plain,
        );
    }

    /// The caption that stands right over a table.
    fn caption(&self) -> String {
        let last = self
            .blocks
            .last()
            .filter(|block| block.kind == Kind::Caption);
        last.map(|block| block.plain.text.clone())
            .unwrap_or_default()
    }

    fn section(&self) -> String {
        let titles: Vec<&str> = self
            .headings
            .iter()
            .map(|(_, title)| title.as_str())
            .collect();
        titles.join(" / ")
    }

    fn push(&mut self, kind: Kind, plain: Plain) {
        let section = self.section();
        let works = section.to_lowercase();
        if plain.text.trim().is_empty()
            || works.starts_with("references")
            || works.contains("bibliography")
        {
            return;
        }
        self.blocks.push(Block {
            kind,
            plain,
            section,
            cell: None,
        });
    }

    fn line(&mut self, line: &'s str, at: usize) {
        let content = line.trim();
        if let Some(end) = self.skip {
            if content.ends_with(end) || (end == "---" && content == "...") {
                self.skip = None;
            }
            return;
        }
        let start = at + (line.len() - line.trim_start().len());
        let markdown = self.dialect == Dialect::Markdown;
        if content.is_empty() {
            return self.close();
        }
        if markdown && at == 0 && content == "---" {
            return self.front();
        }
        for (open, end) in [
            ("```", "```"),
            ("~~~", "~~~"),
            ("<!--", "-->"),
            ("$$", "$$"),
        ] {
            if content.starts_with(open) && markdown {
                self.close();
                if content.len() <= open.len() || !content[open.len()..].contains(end) {
                    self.skip = Some(end);
                }
                return;
            }
        }
        if content.starts_with('|') || (markdown && !self.table.is_empty() && content.contains('|'))
        {
            if self.table.is_empty() {
                self.close();
            }
            return self.table.push((at, line));
        }
        if !self.table.is_empty() {
            self.close();
        }
        if let Some((level, title)) = self.heading(content) {
            self.close();
            self.headings.retain(|(known, _)| *known < level);
            self.headings.push((level, title.to_owned()));
            let plain = words(title, start + (content.len() - title.len()), self.dialect);
            return self.push(Kind::Heading, plain);
        }
        let item = ["- ", "* ", "+ "]
            .iter()
            .any(|mark| content.starts_with(mark));
        if item || numbered(content) {
            self.close();
        } else {
            self.open.space(at);
        }
        self.open.extend(&words(content, start, self.dialect));
    }

    /// Title and abstract of the front matter are read as lines; its other keys are dropped.
    fn front(&mut self) {
        let mut at = 4;
        let mut key = "";
        for line in self
            .source
            .get(4..)
            .unwrap_or_default()
            .split_inclusive('\n')
        {
            if line.trim_end() == "---" {
                break;
            }
            let (name, value) = line.split_once(':').unwrap_or((line, ""));
            let mut text = line;
            let mut offset = at;
            if !line.starts_with([' ', '\t']) && !value.is_empty() {
                self.close();
                key = name;
                text = value;
                offset = at + name.len() + 1;
            }
            if key == "title" || key == "abstract" {
                self.headings = vec![(
                    1,
                    if key == "title" { "Title" } else { "Abstract" }.to_owned(),
                )];
                self.open.space(offset);
                self.open.extend(&words(text, offset, self.dialect));
            }
            at += line.len();
        }
        self.close();
        self.headings.clear();
        self.skip = Some("---");
    }

    fn heading<'l>(&self, content: &'l str) -> Option<(usize, &'l str)> {
        let level = content.bytes().take_while(|byte| *byte == b'#').count();
        if level > 0 && self.dialect == Dialect::Markdown {
            let title = content[level..].trim();
            return Some((
                level,
                title
                    .rsplit_once("{#")
                    .map_or(title, |(title, _)| title.trim_end()),
            ));
        }
        // Plain text has no marks: a short line that is a usual section name is a heading.
        let name = content.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.' || c == ' ');
        let low = name.trim_end_matches(':').to_lowercase();
        let known = [
            "abstract",
            "introduction",
            "related work",
            "background",
            "method",
            "methods",
            "methodology",
            "approach",
            "experimental setup",
            "experimental set-up",
            "experiments",
            "setup",
            "results",
            "discussion",
            "conclusion",
            "conclusions",
            "conclusions and future work",
            "limitations",
            "references",
            "appendix",
            "acknowledgements",
        ];
        (self.dialect == Dialect::Text && known.contains(&low.as_str())).then_some((1, name))
    }
}

fn numbered(line: &str) -> bool {
    line.split_once(". ").is_some_and(|(number, _)| {
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// A line without emphasis, code, citations and addresses; maths become numbers or formulas.
fn words(text: &str, offset: usize, dialect: Dialect) -> Plain {
    let mut out = Plain::default();
    let markdown = dialect == Dialect::Markdown;
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let place = offset + at;
        let skipped = [
            ("`", "`"),
            ("[@", "]"),
            ("](", ")"),
            ("<http", ">"),
            ("{#", "}"),
            ("\\cite{", "}"),
            ("\\ref{", "}"),
        ]
        .iter()
        .filter(|_| markdown)
        .find_map(|(open, close)| {
            let inner = rest.strip_prefix(open)?;
            Some(open.len() + inner.find(close)? + close.len())
        });
        if let Some(length) = skipped {
            out.space(place);
            if rest.starts_with("[@") || rest.starts_with("\\cite") {
                out.push(CITED, place);
            }
            at += length;
            continue;
        }
        if let Some(inner) = rest.strip_prefix('$')
            && let Some(end) = inner.find('$')
            && !inner.starts_with(' ')
            && (markdown || inner[..end].contains(['\\', '^', '_', '=']))
        {
            maths::read(&inner[..end], place + 1, &mut out);
            at += end + 2;
            continue;
        }
        let Some(letter) = rest.chars().next() else {
            break;
        };
        match letter {
            '\\' if markdown => {}
            // `[0.71, 0.75]` is an interval, no link.
            '[' if markdown
                && text[at + 1..]
                    .starts_with(|c: char| c.is_ascii_digit() || "−-.+".contains(c)) =>
            {
                out.push(letter, place);
            }
            ']' if markdown && text[..at].ends_with(|c: char| c.is_ascii_digit()) => {
                out.push(letter, place)
            }
            '*' | '[' | ']' if markdown => {}
            '_' if markdown && !text[..at].ends_with(char::is_alphanumeric) => {}
            letter => out.push(letter, place),
        }
        at += letter.len_utf8();
    }
    out
}
