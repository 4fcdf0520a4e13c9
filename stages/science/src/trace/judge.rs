//! Judges every number of a paper: block by block, sentence by sentence, cell by cell.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::around::{
    Around, approximate, around, by, clip_left, clip_right, continued, listed, moved, pairs_told,
    pieces, units, word_at, wordy,
};
use super::cells;
use super::change;
use super::context::Named;
use super::entry::{Class, Entry, Finding, Verdict};
use super::evidence::Evidence;
use super::gaps;
use super::kind::{self, Place};
use super::lookup::{self, Asked};
use super::parts;
use super::plain::{Block, CITED, Kind, Lines};
use super::plainly;
use super::results::{Value, Weight};
use super::rows::{self, Traced};
use super::shown::{self, Shown};
use super::token::{Number, Share, numbers};
use super::told;
use super::words::{self, Said};

/// Every number of a paper, in order. What its tables call the names of the results is learned on the way.
pub(super) fn judge(source: &str, blocks: &[Block], evidence: &mut Evidence) -> Vec<Entry> {
    let lines = Lines::of(source);
    let learned = Judge::new(evidence, blocks).aliases(blocks);
    evidence.names.aliases = learned;
    let mut judge = Judge::new(evidence, blocks);
    // Changes are told of values that may stand further down, so all blocks are judged twice.
    judge.shown = shown::gather(blocks.iter().flat_map(|block| judge.block(block)));
    judge.columns.clear();
    let mut entries: Vec<Entry> = Vec::new();
    let mut traced = Vec::new();
    for block in blocks {
        let text = &block.plain.text;
        for (number, finding, context) in judge.block(block) {
            let fits = finding
                .base
                .as_ref()
                .map(|base| base.fits.clone())
                .filter(|fits| !fits.is_empty() && !number.spread);
            if let (Some(cell), Some(fits), Kind::Cell) = (&block.cell, fits, block.kind) {
                traced.push(Traced {
                    entry: entries.len(),
                    cell: cell.clone(),
                    fits,
                    percent: number.share == Share::Percent,
                });
            }
            let at = if finding.class == Class::Name {
                word_at(text, &number.at)
            } else {
                number.at.clone()
            };
            let (line, col) = lines.of_byte(block.plain.place(at.start));
            entries.push(Entry {
                text: text.get(at).unwrap_or_default().trim().to_owned(),
                line,
                col,
                class: finding.class,
                verdict: finding.verdict,
                severity: finding.severity,
                source: finding.source,
                why: finding.why,
                chance: finding.chance,
                section: block.section.clone(),
                context,
            });
        }
    }
    for (entry, finding) in rows::strays(&traced, &judge.evidence.names) {
        entries[entry].verdict = finding.verdict;
        entries[entry].severity = finding.severity;
        entries[entry].why = finding.why;
    }
    entries.sort_by_key(|entry| (entry.line, entry.col));
    entries
}

pub(super) struct Judge<'e> {
    pub(super) evidence: &'e Evidence,
    /// Numbers, as written, that a word of a setting stood next to.
    pub(super) settled: BTreeSet<String>,
    /// Judged cells of the table that is being read: (table, row, column).
    pub(super) columns: BTreeMap<(usize, usize, usize), (Number, Finding)>,
    /// What the paper shows and is traced, known when the blocks are judged again.
    pub(super) shown: Vec<Shown>,
}

pub(super) type Judged = (Number, Finding, String);

pub(super) fn key(number: &Number) -> String {
    format!("{}{:?}", number.value, number.share)
}

impl<'e> Judge<'e> {
    fn new(evidence: &'e Evidence, blocks: &[Block]) -> Self {
        let mut judge = Self {
            evidence,
            settled: BTreeSet::new(),
            columns: BTreeMap::new(),
            shown: Vec::new(),
        };
        // Settings are named once and then used by value alone (`15 %`), so they are gathered first.
        for block in blocks.iter().filter(|block| block.kind != Kind::Formula) {
            judge.gather(block);
        }
        judge
    }

    fn gather(&mut self, block: &Block) {
        let text = &block.plain.text;
        for number in numbers(text) {
            let (before, after) = (&text[..number.at.start], &text[number.at.end..]);
            if words::setting(clip_left(before), clip_right(after)).is_some()
                && words::change(clip_left(before), clip_right(after)).is_none()
                && self.evidence.setting(&number).is_some()
            {
                self.settled.insert(key(&number));
            }
        }
    }

    fn block(&mut self, block: &Block) -> Vec<Judged> {
        match (&block.kind, &block.cell) {
            (Kind::Formula, _) => {
                let found = numbers(&block.plain.text).into_iter();
                found
                    .map(|number| {
                        (
                            number,
                            Finding::literal(Class::Formula, "part of a formula"),
                            String::new(),
                        )
                    })
                    .collect()
            }
            (Kind::Cell, Some(cell))
                if !wordy(&block.plain.text) && !cell.head && !cells::names_row(block, cell) =>
            {
                self.cell(block, cell)
            }
            (Kind::Cell, Some(cell)) if cell.column == 0 || cell.head => self.label(block),
            _ => self.prose(block),
        }
    }

    fn prose(&self, block: &Block) -> Vec<Judged> {
        let text = &block.plain.text;
        let far = match &block.cell {
            Some(cell) => self.cell_names(cell),
            None => self.evidence.names.named(&block.section),
        };
        let paragraph = if text.len() < 20_000 {
            self.evidence.names.named(text)
        } else {
            Named::default()
        };
        let mut out = Vec::new();
        for range in crate::paper::sentences(text)
            .into_iter()
            .flat_map(|range| pieces(text, range))
        {
            out.extend(self.sentence(block, range, &paragraph, &far));
        }
        out
    }

    fn sentence(
        &self,
        block: &Block,
        range: Range<usize>,
        paragraph: &Named,
        far: &Named,
    ) -> Vec<Judged> {
        let sentence = &block.plain.text[range.clone()];
        let mut found = listed(sentence, approximate(sentence, numbers(sentence)));
        for number in &mut found {
            number.spread |= told::spread(&sentence[..number.at.start]);
        }
        let found = found;
        let whole = self.evidence.names.named(sentence);
        let soft = whole.clone().or(paragraph).or(far);
        let context = sentence.replace(CITED, " ");
        let context = context.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut findings: Vec<Option<Finding>> = vec![None; found.len()];
        let mut changes: Vec<Option<Said>> = vec![None; found.len()];
        for (index, number) in found.iter().enumerate() {
            let around = around(sentence, number);
            // The digit of a name, `enwik8`, ends no list.
            let before = found[..index].iter().rposition(|before| !before.name);
            let said = words::change(around.before, around.after).or_else(|| {
                let before = before?;
                let said = changes[before].as_ref()?;
                continued(sentence, Some(&found[before]), said, number)
            });
            let said = said
                .or_else(|| change::signed(sentence, number))
                .filter(|_| !self.evidence.negative(number));
            changes[index] = said.filter(|_| {
                !told::begins(around.before, around.after)
                    && !number.name
                    && !number.version
                    && !number.spread
                    && !told::arrow(around.after)
                    && !self.evidence.keyed.says(number, around.after)
                    && !kind::set(self.evidence, number, &around)
            });
        }
        // `B lowers the loss from 0.5 to 0.4`: the first value is not of B.
        let froms: BTreeSet<usize> = pairs_told(sentence, &found, usize::MAX)
            .into_iter()
            .map(|(from, _)| from)
            .collect();
        // Values first, changes between them after.
        for (index, number) in found.iter().enumerate() {
            let sized = number.share != Share::None || !number.whole || number.figures >= 3;
            let factor = number.share == Share::Times && !number.name && !number.version;
            if (changes[index].is_some() && sized) || factor {
                continue;
            }
            let start = block.plain.is_formula(range.start + number.at.start);
            let local = self.local(sentence, &found, index);
            let own = self
                .evidence
                .names
                .but_others(sentence, &found, index, &whole);
            let rescued = self.rescued(&own, paragraph);
            let strict = self
                .evidence
                .names
                .beside(&local, rescued.unplaced())
                .lenient();
            let strict = if self.evidence.names.run.is_none() && froms.contains(&index) {
                Named::default()
            } else {
                strict
            };
            let bound = self.bound(sentence, &found, index, &local);
            let near = local.or(&soft);
            let place = Place {
                block: block.kind,
                section: &block.section,
                formula: start,
                first: range.start == 0 && number.at.start == 0,
                settled: self.settled.contains(&key(number)),
                change: changes[index].is_some(),
                of: None,
            };
            let before = index
                .checked_sub(1)
                .and_then(|before| findings[before].as_ref());
            let of = before.and_then(|finding| finding.base.clone());
            let place = Place { of, ..place };
            let finding = self.value(
                number,
                &around(sentence, number),
                &place,
                &strict,
                (&near, &bound),
            );
            let finding = match told::whose(sentence, &found, index) {
                Some(whose) => self.owned(finding, whose),
                None => finding,
            };
            findings[index] = Some(finding);
        }
        for index in 0..found.len() {
            if findings[index].is_none() {
                let clause = self
                    .evidence
                    .names
                    .named(told::clause(sentence, &found, index));
                let strict = self.local(sentence, &found, index).or(&clause);
                let near = strict.clone().or(&soft);
                let strict = strict.or(&whole);
                let finding = self.changed(
                    sentence,
                    &found,
                    &findings,
                    index,
                    changes[index].as_ref(),
                    &strict,
                    &near,
                );
                findings[index] = Some(finding);
            }
        }
        for (index, number) in found.iter().enumerate() {
            let lost = findings[index]
                .as_ref()
                .is_some_and(|finding| finding.verdict == Verdict::Untraced);
            if lost
                && !changes[index].as_ref().is_some_and(change::plain)
                && !number.spread
                && (!number.whole || super::scales::rate(&sentence[number.at.end..]))
                && (by(&sentence[..number.at.start])
                    || words::difference(&sentence[..number.at.start])
                    || shown::compared(&sentence[number.at.end..]))
            {
                let strict = self.local(sentence, &found, index);
                let near = strict.clone().or(&soft);
                let told = self.between_values(&found, &findings, index, None);
                let looked =
                    || change::measured(self.evidence, number, None, &strict, &near, false);
                let finding = told.or_else(|| looked().ok());
                findings[index] = finding.or(findings[index].take());
            }
            let untold = |finding: &Finding| finding.verdict == Verdict::Untraced;
            if let Some(told) = self.exact(&found, &findings, index) {
                findings[index] = Some(told);
            }
            if findings[index].as_ref().is_some_and(untold) {
                let follows = parts::follows(self.evidence, sentence, &found, &findings, index)
                    .or_else(|| gaps::gap(self.evidence, sentence, number, &soft));
                findings[index] = follows.or(findings[index].take());
            }
        }
        // Sections on the set-up tell settings, not changes between results.
        if !(self.evidence.has_settings && kind::set_up(&block.section)) {
            self.close_open_ends(sentence, &found, &changes, &mut findings, (&whole, &soft));
            self.imply(sentence, &found, &changes, &mut findings, (&whole, &soft));
        }
        self.turned(sentence, &found, &changes, &mut findings);
        self.compared(sentence, &found, &mut findings);
        if told::others(sentence, &block.section, &whole) {
            for finding in findings.iter_mut().flatten() {
                if matches!(finding.verdict, Verdict::Untraced | Verdict::WrongDirection) {
                    let why = "told of other works or of the field; the results say nothing of it";
                    *finding = Finding::literal(Class::Name, why).warning();
                }
            }
        }
        let mut out: Vec<Judged> = found
            .into_iter()
            .zip(findings)
            .filter_map(|(number, finding)| Some((number, finding?)))
            .chain(self.multiplied(sentence, &soft))
            .chain(self.miscounted(sentence))
            .map(|(number, finding)| (moved(number, range.start), finding, context.clone()))
            .collect();
        out.sort_by_key(|(number, _, _)| number.at.start);
        out
    }

    /// What a sentence names counts against a result, unless its paragraph names more.
    fn rescued(&self, whole: &Named, paragraph: &Named) -> Named {
        whole.clone().widened(paragraph)
    }

    fn value(
        &self,
        number: &Number,
        around: &Around<'_>,
        place: &Place<'_>,
        strict: &Named,
        (near, bound): (&Named, &Named),
    ) -> Finding {
        let told = super::pvalues::judge(self.evidence, number, around.before);
        if let Some(finding) = told.or_else(|| plainly::plain(number, around, place)) {
            return finding;
        }
        let next = words::tokens(around.after)
            .next()
            .map(|(_, word)| word.to_lowercase());
        let own_unit = !number.unit.is_empty()
            || number.share != Share::None
            || next.is_some_and(|next| kind::is_unit(&next));
        let matters = |value: &Value, depth: usize| {
            let last = depth >= super::context::metric_depth(value);
            !self.evidence.names.nameless(depth)
                && value.weight != Weight::Note
                && !(last && own_unit)
        };
        let asked = Asked {
            number,
            strict,
            near,
            bound,
            matters: &matters,
            units: &units(around.after),
            averaged: words::averaged(around.sentence),
            cell: false,
            of: place.of.as_ref(),
            around: around.sentence,
            single: lookup::single(around.sentence),
        };
        kind::value(self.evidence, &asked, around, place)
    }
}
