//! `paper/set`: a draft, its figures and its results become a PDF, page images, plain text and the list
//! of every number. It knows no particular experiment.

use std::collections::BTreeMap;

use kyobashi_stage::{Call, Context, Failure, Output, Outputs, Port, Signature, Stage};
use serde_json::{Value, json};

use crate::bibliography::{self, Works};
use crate::check::{Known, Warning, check};
use crate::draft::matter::{self, Matter, Provenance};
use crate::draft::place::{Problem, failure};
use crate::draft::read::read;
use crate::draft::source::Source;
use crate::draft::tree::{Block, Inline, words};
use crate::numbers::record::Number;
use crate::numbers::resolve::Resolver;
use crate::text::Text;
use crate::typeset::emit::Emitter;
use crate::typeset::print;
use crate::typeset::world::Memory;
use crate::typeset::writer::{Writer, literal};

/// The stage type `paper/set`.
pub(crate) struct Set;

/// Figures wider than this, in points, span both columns (a column has 84 mm).
const WIDE: f64 = 290.0;

/// Two pixels a point (144 a inch) are enough to read every sign of a page on a screen.
const PIXELS_PER_POINT: f64 = 2.0;

impl Stage for Set {
    fn signature(&self) -> Signature {
        Signature {
            ins: vec![
                Port::new("draft", "text", "Markdown with references"),
                Port::new(
                    "figures",
                    "list<file(.svg)>?",
                    "the figures, in the order of `figure_names`",
                ),
            ],
            with: vec![
                Port::or(
                    "results",
                    "json",
                    json!({}),
                    "the documents that references lead into, by name",
                ),
                Port::or(
                    "figure_names",
                    "list<str>",
                    json!([]),
                    "what the draft calls the figures",
                ),
                Port::new("title", "str?", "instead of the front matter's"),
                Port::new("authors", "list<str>?", "instead of the front matter's"),
                Port::new(
                    "provenance",
                    "str?",
                    "live, local, scripted or baseline; the worse of this and the front matter's counts",
                ),
                Port::new(
                    "bibliography",
                    "text?",
                    "BibTeX of the works that the draft cites",
                ),
                Port::or(
                    "style",
                    "str",
                    "ieee",
                    "the citation style, by the name of its CSL file",
                ),
            ],
            outs: vec![
                Port::new(
                    "pdf",
                    "file(.pdf)",
                    "the paper; every number links to its origin",
                ),
                Port::new("text", "text", "the paper in plain text, in reading order"),
                Port::new(
                    "numbers",
                    "json",
                    "every number with its reference, full value and digest; warnings",
                ),
                Port::new("pages", "list<file(.png)>", "the pages as images"),
            ],
            ..Signature::new(
                "paper/set",
                1,
                "Typesets a paper whose numbers all lead to their origin",
            )
        }
    }

    fn run(&self, call: &Call, _: &dyn Context) -> Result<Outputs, Failure> {
        let paper = set(&Asked::read(call)?)?;
        let pages = paper.pages.into_iter().map(Output::bytes).collect();
        Ok(Outputs::from([
            ("pdf".to_owned(), Output::bytes(paper.pdf)),
            ("text".to_owned(), Output::bytes(paper.text)),
            ("numbers".to_owned(), Output::value(paper.numbers)),
            ("pages".to_owned(), Output::List { items: pages }),
        ]))
    }
}

/// Everything that a paper is made from.
pub(crate) struct Asked {
    pub(crate) draft: String,
    pub(crate) results: Value,
    /// Name and content, in the order given.
    pub(crate) figures: Vec<(String, Vec<u8>)>,
    pub(crate) title: Option<String>,
    pub(crate) authors: Option<Vec<String>>,
    pub(crate) provenance: Option<Provenance>,
    pub(crate) bibliography: Option<String>,
    pub(crate) style: String,
}

/// A typeset paper.
pub(crate) struct Paper {
    pub(crate) pdf: Vec<u8>,
    pub(crate) text: String,
    pub(crate) numbers: Value,
    pub(crate) pages: Vec<Vec<u8>>,
}

impl Asked {
    fn read(call: &Call) -> Result<Self, Failure> {
        let names: Vec<String> = call.get("figure_names")?;
        let mut files = Vec::new();
        if call.has("figures") {
            for member in call.datum("figures")?.members() {
                files.push(crate::input::bytes(member, "figures")?);
            }
        }
        if names.len() != files.len() {
            return Err(Failure::new(format!(
                "{} figures were given and {} names",
                files.len(),
                names.len()
            ))
            .help("`figure_names` lists one name for each figure, in order"));
        }
        let optional = |name: &str| -> Result<Option<String>, Failure> {
            call.has(name).then(|| call.text(name)).transpose()
        };
        let provenance = match optional("provenance")? {
            None => None,
            Some(word) => Some(
                Provenance::ALL
                    .into_iter()
                    .find(|(known, _)| *known == word)
                    .ok_or_else(|| {
                        Failure::new(format!("unknown provenance `{word}`"))
                            .help("one of live, local, scripted and baseline")
                    })?
                    .1,
            ),
        };
        Ok(Self {
            draft: call.text("draft")?,
            results: call.value("results")?,
            figures: names.into_iter().zip(files).collect(),
            title: optional("title")?,
            authors: call
                .has("authors")
                .then(|| call.get("authors"))
                .transpose()?,
            provenance,
            bibliography: optional("bibliography")?,
            style: call.get("style")?,
        })
    }
}

/// A draft that was read and checked.
pub(crate) struct Manuscript {
    pub(crate) matter: Matter,
    pub(crate) title: Vec<Inline>,
    pub(crate) summary: Vec<Block>,
    pub(crate) body: Vec<Block>,
    pub(crate) provenance: Provenance,
    pub(crate) numbers: Vec<Number>,
    pub(crate) works: Works,
    pub(crate) warnings: Vec<Warning>,
}

/// Reads and checks a draft.
///
/// # Errors
/// All problems at once, each with its place.
pub(crate) fn manuscript(asked: &Asked) -> Result<Manuscript, Failure> {
    let draft = asked.draft.as_str();
    let mut problems = Vec::new();
    let (matter, start) = matter::read(draft, &mut problems);
    let works = match &asked.bibliography {
        Some(source) => bibliography::read(source)?,
        None => Works::new(),
    };
    let mut resolver = Resolver::new(&asked.results);
    let mut piece =
        |source: &Source, problems: &mut Vec<Problem>| read(draft, source, &mut resolver, problems);
    let mut value = |text: &Option<String>, problems: &mut Vec<Problem>| {
        let text = text.as_deref().unwrap_or_default();
        let source = Source::value(text, &draft[..start], problems);
        piece(&source, problems)
    };
    let title_text = asked.title.clone().or_else(|| matter.title.clone());
    let title = value(&title_text, &mut problems);
    let mut summary = value(&matter.summary, &mut problems);
    let source = Source::body(draft, start, &mut problems);
    let mut body = read(draft, &source, &mut resolver, &mut problems);
    if summary.is_empty() {
        summary = taken_abstract(&mut body);
    }
    raise(&mut body);
    let title = match title.into_iter().next() {
        Some(Block::Paragraph(words)) => words,
        _ => {
            problems.push(
                Problem::new(0..1, "the paper has no title")
                    .help("put `title:` into the front matter"),
            );
            Vec::new()
        }
    };
    let provenance = asked.provenance.max(matter.provenance);
    if provenance.is_none() {
        problems.push(
            Problem::new(0..1, "the paper does not say who wrote it").help(
                "put `provenance:` (live, local, scripted or baseline) into the front matter",
            ),
        );
    }
    let names: Vec<String> = asked.figures.iter().map(|(name, _)| name.clone()).collect();
    let known = Known {
        figures: &names,
        works: &works,
    };
    let warnings = check(draft, &[&summary, &body], &known, &mut problems);
    if !problems.is_empty() {
        return Err(failure(draft, &problems));
    }
    Ok(Manuscript {
        matter,
        title,
        summary,
        body,
        provenance: provenance.unwrap_or(Provenance::Baseline),
        numbers: resolver.numbers,
        works,
        warnings,
    })
}

/// Sets a paper.
///
/// # Errors
/// All problems of the draft at once, each with its place.
pub(crate) fn set(asked: &Asked) -> Result<Paper, Failure> {
    let manuscript = manuscript(asked)?;
    let text = text(asked, &manuscript);
    let (mut memory, writer) = source(asked, &manuscript)?;
    let Manuscript {
        mut numbers,
        warnings,
        provenance,
        ..
    } = manuscript;
    let list = |numbers: &[Number], warnings: &[Warning]| json!({"provenance": provenance.word(), "numbers": numbers, "warnings": warnings});
    // The pages are not in the attached list: they are known only after the list is attached.
    let attached = format!("{:#}", list(&numbers, &warnings));
    memory.add("numbers.json", attached.into_bytes());
    let document =
        print::layout(&memory, &writer).map_err(|problems| failure(&asked.draft, &problems))?;
    for (index, number) in numbers.iter_mut().enumerate() {
        number.page = print::page(&document, index);
    }
    let ident = blake3::hash(writer.text.as_bytes()).to_hex().to_string();
    Ok(Paper {
        pdf: print::pdf(&document, &ident)?,
        pages: print::pages(&document, PIXELS_PER_POINT)?,
        text,
        numbers: list(&numbers, &warnings),
    })
}

fn text(asked: &Asked, manuscript: &Manuscript) -> String {
    let mut text = Text::new(&manuscript.numbers, &manuscript.works, &manuscript.body);
    let shown = |index: usize| manuscript.numbers[index].shown.clone();
    text.line(&words(&manuscript.title, &shown));
    text.line(&authors(asked, manuscript).join(", "));
    if let Some(sentence) = manuscript.provenance.sentence() {
        text.line(&format!(
            "\nProvenance: {}. {sentence}",
            manuscript.provenance.word()
        ));
    }
    if !manuscript.summary.is_empty() {
        text.line("\nAbstract\n");
        text.blocks(&manuscript.summary);
    }
    text.blocks(&manuscript.body);
    text.finish()
}

fn authors<'m>(asked: &'m Asked, manuscript: &'m Manuscript) -> &'m [String] {
    asked
        .authors
        .as_deref()
        .unwrap_or(&manuscript.matter.authors)
}

/// The Typst source of the whole paper, with the files that it uses.
fn source(asked: &Asked, manuscript: &Manuscript) -> Result<(Memory, Writer), Failure> {
    let mut files = BTreeMap::new();
    for (index, (name, content)) in asked.figures.iter().enumerate() {
        let extension = if content.starts_with(b"\x89PNG") {
            "png"
        } else {
            "svg"
        };
        let wide = crate::input::svg_width(content).is_some_and(|width| width > WIDE);
        files.insert(name.clone(), (format!("figure-{index}.{extension}"), wide));
    }
    let mut emitter = Emitter {
        numbers: &manuscript.numbers,
        figures: &files,
        writer: Writer::default(),
        problems: Vec::new(),
    };
    head(&mut emitter, asked, manuscript)?;
    emitter.blocks(&manuscript.body);
    if asked.bibliography.is_some() && cites_works(&manuscript.body) {
        emitter.writer.push(&format!(
            "#bibliography(\"works.bib\", style: {})\n\n",
            literal(&asked.style)
        ));
    }
    if !manuscript.numbers.is_empty() {
        appendix(&mut emitter.writer, &manuscript.numbers);
        emitter.writer.push(
            "#pdf.attach(\"numbers.json\", relationship: \"data\", mime-type: \"application/json\", description: \"Every number with its origin\")\n",
        );
    }
    if !emitter.problems.is_empty() {
        return Err(failure(&asked.draft, &emitter.problems));
    }
    let writer = emitter.writer;
    let mut memory = Memory::new(writer.text.clone());
    for (name, content) in &asked.figures {
        memory.add(&files[name].0, content.clone());
    }
    if let Some(bibliography) = &asked.bibliography {
        memory.add("works.bib", bibliography.clone().into_bytes());
    }
    Ok((memory, writer))
}

fn head(emitter: &mut Emitter<'_>, asked: &Asked, manuscript: &Manuscript) -> Result<(), Failure> {
    let sentence = manuscript.provenance.sentence();
    let mut keywords = manuscript.matter.keywords.clone();
    keywords.push(format!("provenance: {}", manuscript.provenance.word()));
    keywords.extend(sentence.map(str::to_owned));
    let list = |items: &[String]| {
        let items: Vec<String> = items.iter().map(|item| literal(item)).collect();
        format!(
            "({})",
            items
                .iter()
                .map(|item| format!("{item}, "))
                .collect::<String>()
        )
    };
    let optional = |text: Option<&str>| text.map_or("none".to_owned(), literal);
    let date = manuscript.matter.date.as_deref().map(date).transpose()?;
    emitter.writer.push(
        "#import \"template.typ\": *\n#import \"maths.typ\": *\n#show: paper.with(\n  title: [",
    );
    emitter.inlines(&manuscript.title);
    emitter.writer.push(&format!(
        "],\n  authors: {},\n  keywords: {},\n  date: {},\n  banner: {},\n  word: {},\n  summary: ",
        list(authors(asked, manuscript)),
        list(&keywords),
        date.as_deref().unwrap_or("none"),
        optional(sentence),
        literal(manuscript.provenance.word()),
    ));
    if manuscript.summary.is_empty() {
        emitter.writer.push("none");
    } else {
        emitter.writer.push("[");
        emitter.blocks(&manuscript.summary);
        emitter.writer.push("]");
    }
    emitter.writer.push(",\n)\n\n");
    Ok(())
}

fn date(text: &str) -> Result<String, Failure> {
    let parts: Vec<u32> = text
        .split('-')
        .filter_map(|part| part.parse().ok())
        .collect();
    match parts.as_slice() {
        [year, month @ 1..=12, day @ 1..=31] if *year <= 9999 => Ok(format!(
            "datetime(year: {year}, month: {month}, day: {day})"
        )),
        _ => Err(Failure::new(format!(
            "the date `{text}` is not written as 2026-01-31"
        ))),
    }
}

fn appendix(writer: &mut Writer, numbers: &[Number]) {
    writer.push("#appendix((\n");
    let mut last = 0;
    for number in numbers {
        if number.row <= last {
            continue;
        }
        last = number.row;
        let cell = |text: &str| {
            let mut words = Writer::default();
            words.words(text);
            format!("[{}]", words.text)
        };
        let value = match &number.value {
            Value::String(word) => word.clone(),
            other => other.to_string(),
        };
        let reference = match &number.why {
            Some(why) => format!("{} ({why})", number.reference),
            None => number.reference.clone(),
        };
        let runs = number.n.map_or(String::new(), |n| n.to_string());
        writer.push(&format!(
            "  row({}, {}, {}, {}, {}, {}, {}),\n",
            number.row,
            cell(&number.shown),
            literal(&reference),
            literal(&value),
            cell(&runs),
            cell(&number.document),
            literal(number.digest.get(..10).unwrap_or(&number.digest)),
        ));
    }
    writer.push("))\n");
}

/// The content under a first heading `Abstract`, taken out of the body.
fn taken_abstract(body: &mut Vec<Block>) -> Vec<Block> {
    let is_abstract = matches!(body.first(), Some(Block::Heading { content, .. })
        if words(content, &|_| String::new()).trim().eq_ignore_ascii_case("abstract"));
    if !is_abstract {
        return Vec::new();
    }
    let end = body[1..]
        .iter()
        .position(|block| matches!(block, Block::Heading { .. }))
        .map_or(body.len(), |found| found + 1);
    body.drain(..end).skip(1).collect()
}

/// Makes the highest headings sections, whether the draft wrote them with one sign or two.
fn raise(body: &mut [Block]) {
    let least = body.iter().filter_map(|block| match block {
        Block::Heading { level, .. } => Some(*level),
        _ => None,
    });
    let by = least.min().unwrap_or(1) - 1;
    for block in body {
        if let Block::Heading { level, .. } = block {
            *level -= by;
        }
    }
}

fn cites_works(body: &[Block]) -> bool {
    let mut works = false;
    crate::check::each_key(body, &mut |key| works |= !key.is_internal());
    works
}
