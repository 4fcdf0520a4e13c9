//! A draft that was read and checked, ready to be set.

use kyobashi_stage::Failure;

use crate::bibliography::{self, Works};
use crate::check::{Known, Warning, check, signs};
use crate::claims::unborne;
use crate::draft::matter::{self, Matter, Provenance};
use crate::draft::place::{Problem, failure};
use crate::draft::read::read;
use crate::draft::source::Source;
use crate::draft::tree::{Block, Inline, words};
use crate::numbers::record::Number;
use crate::numbers::resolve::Resolver;
use crate::numbers::typed::typed;
use crate::paper::stage::{Asked, Stance};

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
    if asked.own_fonts {
        signs(draft, &mut problems);
    }
    let mut warnings = check(draft, &[&summary, &body], &known, &mut problems);
    if let Some(source) = asked.bibliography.as_deref().filter(|_| asked.own_fonts) {
        // Names of others cannot be written otherwise by the writer, so they stop nothing.
        let mut found = Vec::new();
        signs(source, &mut found);
        warnings.extend(found.into_iter().map(|problem| Warning {
            message: format!("works.bib: {}", problem.message),
            line: None,
            col: None,
        }));
    }
    let parts: [&[Block]; 2] = [&summary, &body];
    for (stance, found) in [
        (asked.typed, typed(&parts, &asked.results)),
        (
            asked.claims,
            unborne(&parts, &resolver.numbers, &asked.results),
        ),
    ] {
        match stance {
            Stance::Refuse => problems.extend(found),
            Stance::Warn => warnings.extend(
                found
                    .into_iter()
                    .map(|problem| Warning::at(draft, problem.at.start, problem.message)),
            ),
            Stance::Pass => {}
        }
    }
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

impl Manuscript {
    /// The authors: those of the call before those of the front matter.
    pub(crate) fn authors<'m>(&'m self, asked: &'m Asked) -> &'m [String] {
        asked.authors.as_deref().unwrap_or(&self.matter.authors)
    }
}
