//! The Typst source of a whole paper: head, body, references and the appendix of numbers.

use std::collections::BTreeMap;

use kyobashi_stage::Failure;
use serde_json::Value;

use crate::draft::place::failure;
use crate::draft::tree::Block;
use crate::numbers::record::Number;
use crate::paper::manuscript::Manuscript;
use crate::paper::stage::Asked;
use crate::typeset::emit::Emitter;
use crate::typeset::world::Memory;
use crate::typeset::writer::{Writer, literal};

/// The Typst source of the whole paper, with the files that it uses.
pub(crate) fn source(asked: &Asked, manuscript: &Manuscript) -> Result<(Memory, Writer), Failure> {
    let mut files = BTreeMap::new();
    for (index, (name, content)) in asked.figures.iter().enumerate() {
        let extension = if content.starts_with(b"\x89PNG") {
            "png"
        } else {
            "svg"
        };
        let file = format!("figure-{index}.{extension}");
        files.insert(name.clone(), (file, crate::input::is_wide(content)));
    }
    let mut emitter = Emitter {
        numbers: &manuscript.numbers,
        figures: &files,
        writer: Writer::default(),
        problems: Vec::new(),
    };
    head(&mut emitter, asked, manuscript)?;
    emitter.blocks(&manuscript.body);
    if asked.bibliography.is_some()
        && (cites_works(&manuscript.body) || cites_works(&manuscript.summary))
    {
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
        list(manuscript.authors(asked)),
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

fn cites_works(body: &[Block]) -> bool {
    let mut works = false;
    crate::check::each_key(body, &mut |key| works |= !key.is_internal());
    works
}
