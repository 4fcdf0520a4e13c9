//! Judges the cells of tables, by the words of their rows and columns.

use super::around::Around;
use super::change::{self, Between, Operand};
use super::context::Named;
use super::entry::{Base, Class, Finding, Verdict};
use super::judge::{Judge, Judged};
use super::kind::{self, Place};
use super::lookup::{self, Asked};
use super::plain::{Block, Cell, Kind};
use super::results::Value;
use super::token::{Number, Share, numbers};
use super::told;
use super::words::{self, Said};

/// Whether a cell of the first column is the name of its row, with numbers in it: `Linear 0.0 → 0.3`.
pub(super) fn names_row(block: &Block, cell: &Cell) -> bool {
    let text = block.plain.text.trim();
    let word = text.split(' ').next().unwrap_or_default();
    let letters = word.chars().filter(|c| c.is_alphabetic()).count();
    cell.column == 0 && letters > 2 && letters == word.chars().count() && text.contains(' ')
}

impl Judge<'_> {
    pub(super) fn cell_names(&self, cell: &Cell) -> Named {
        let named = |text: &str| {
            text.split(" / ")
                .map(|part| self.evidence.names.named(part))
                .reduce(Named::and)
                .unwrap_or_default()
        };
        let columns = named(&cell.columns);
        // Rows may name methods by words of measures: `gates` beside a column of losses.
        let rows = self.evidence.names.yielding(named(&cell.rows), &columns);
        let own = rows.and(columns.clone()).halves_of(&columns);
        let caption = self.evidence.names.named(&cell.caption);
        // A caption tells what was measured; of what, the labels may tell in words of their own.
        let caption = self.evidence.names.yielding(caption, &columns);
        own.or(&self.evidence.names.measures_of(caption))
    }

    /// A row's name: what its numbers are is no claim.
    pub(super) fn label(&self, block: &Block) -> Vec<Judged> {
        let text = &block.plain.text;
        let found = numbers(text).into_iter();
        found
            .map(|number| {
                let setting = self.evidence.setting(&number).filter(|_| !number.name);
                let finding = match setting {
                    Some((_, source)) => {
                        Finding::literal(Class::Configuration, "a setting, in the name of a row")
                            .from(source.clone())
                    }
                    None => Finding::literal(Class::Name, "part of the name of a row or column"),
                };
                (number, finding, text.trim().to_owned())
            })
            .collect()
    }

    pub(super) fn cell(&mut self, block: &Block, cell: &Cell) -> Vec<Judged> {
        let text = &block.plain.text;
        let strict = self.cell_names(cell);
        let near = strict
            .clone()
            .or(&self.evidence.names.named(&cell.caption))
            .or(&self.evidence.names.named(&block.section));
        let context = format!("{} | {}: {}", cell.rows, cell.columns, text.trim());
        let mut out: Vec<Judged> = Vec::new();
        let said = told::bracketed(&format!("{} {} {}", cell.rows, cell.columns, cell.caption));
        let names = (strict, near);
        for mut number in numbers(text) {
            let shared = (number.share == Share::Percent).then(|| self.evidence.shares(&names.0));
            let (strict, near) = (shared.as_ref().unwrap_or(&names.0), &names.1);
            let inner = text[..number.at.start].trim_end().ends_with('(');
            number.spread |= said && inner && !out.is_empty();
            let before = out.last().and_then(|(_, finding, _)| finding.base.as_ref());
            let of = before.cloned();
            let lost = out
                .last()
                .is_some_and(|(_, finding, _)| finding.verdict == Verdict::Untraced);
            let told = (strict, near);
            let mut finding = self.cell_value(&number, cell, text, told, of.clone(), block);
            // `31.80 (0.14)`: the spread of the value before it, also where nothing says so.
            if inner && !number.spread && of.is_some() && finding.verdict == Verdict::Untraced {
                let spread = Number {
                    spread: true,
                    ..number.clone()
                };
                let told = self.cell_value(&spread, cell, text, told, of, block);
                if told.verdict == Verdict::Traced {
                    (number, finding) = (spread, told);
                }
            }
            // The row and the column may say whose spread it is without the value before it.
            let named = finding
                .base
                .as_ref()
                .is_some_and(|base| strict.holds(&base.names));
            let stray = number.spread && lost && !named;
            let finding = if stray && finding.verdict == Verdict::Traced {
                Finding::untraced(
                    Class::Result,
                    "the spread of a value that leads to no result",
                )
            } else {
                finding
            };
            if !number.spread {
                self.columns.insert(
                    (cell.table, cell.row, cell.column),
                    (number.clone(), finding.clone()),
                );
            }
            out.push((number, finding, context.clone()));
        }
        out
    }

    fn cell_value(
        &self,
        number: &Number,
        cell: &Cell,
        text: &str,
        (strict, near): (&Named, &Named),
        of: Option<Base>,
        block: &Block,
    ) -> Finding {
        let around = Around {
            before: &text[..number.at.start],
            after: &text[number.at.end..],
            sentence: &cell.columns,
        };
        let place = Place {
            block: Kind::Cell,
            section: &block.section,
            formula: false,
            first: false,
            settled: false,
            change: false,
            of: None,
        };
        if let Some(finding) = kind::cell(self.evidence, number, cell, &place) {
            return finding;
        }
        let matters = |value: &Value, depth: usize| depth < value.names.len();
        let asked = Asked {
            number,
            strict,
            near,
            bound: strict,
            matters: &matters,
            units: &format!("{} {} {}", cell.columns, cell.rows, around.after),
            averaged: [&cell.rows, &cell.columns, &cell.caption]
                .iter()
                .any(|text| words::averaged(text)),
            cell: true,
            around: &format!("{} {}", cell.columns, cell.caption),
            of: of.as_ref(),
            single: lookup::single(&format!("{} {} {}", cell.rows, cell.columns, cell.caption)),
        };
        // `Best val loss` is a loss, not a change.
        let said = words::directions(&format!("{} {}", cell.columns, cell.rows))
            .into_iter()
            .find(|said| !said.word.to_lowercase().starts_with("best"));
        let changes = said.is_some()
            || ["Δ", "change", "gain", "diff", "relative", "ratio"]
                .iter()
                .any(|word| cell.columns.to_lowercase().contains(word));
        let looked = self.evidence.look(&asked);
        let why = match looked {
            Ok(finding) if !changes || finding.chance.is_some_and(|chance| chance < 0.05) => {
                return finding;
            }
            Ok(_) => None,
            Err(why) => why,
        };
        if let Some(finding) = self.averaged_cell(number, cell) {
            return finding;
        }
        if !number.spread && (changes || number.share != Share::None || number.value < 0.0) {
            if let Some(finding) = self.within_row(number, cell, said.as_ref()) {
                return finding;
            }
            if let Ok(finding) =
                change::measured(self.evidence, number, said.as_ref(), strict, near, true)
            {
                return finding;
            }
        }
        if let Some(finding) = kind::unknown_setting(self.evidence, number, cell) {
            return finding;
        }
        if let Some(source) = self.evidence.numbered(number) {
            let why = "a condition under which results were measured";
            return Finding::literal(Class::Structural, why).from(source);
        }
        if cell.row == 0 && cell.columns.trim().is_empty() && number.whole {
            return Finding::literal(Class::Structural, "the name of a column");
        }
        let class = if changes {
            Class::Derived
        } else {
            Class::Result
        };
        Finding::untraced(
            class,
            why.unwrap_or_else(|| "no result has this value".to_owned()),
        )
    }

    /// A change between two cells of the same row, or of the same column.
    fn within_row(&self, number: &Number, cell: &Cell, said: Option<&Said>) -> Option<Finding> {
        let said = said?;
        let row: Vec<&(Number, Finding)> = self
            .columns
            .range((cell.table, cell.row, 0)..=(cell.table, cell.row, usize::MAX))
            .map(|(_, judged)| judged)
            .collect();
        for from in &row {
            for to in &row {
                let operand = |judged: &'_ &(Number, Finding)| (judged.0.clone(), judged.1.clone());
                let ((a, first), (b, last)) = (operand(from), operand(to));
                if a.at == b.at && a.value == b.value {
                    continue;
                }
                let between = Between {
                    from: Operand {
                        number: &a,
                        finding: Some(&first),
                    },
                    to: Operand {
                        number: &b,
                        finding: Some(&last),
                    },
                };
                let share = if number.share == Share::None && cell.columns.contains('%') {
                    Share::Percent
                } else {
                    number.share
                };
                let asked = Number {
                    share,
                    ..number.clone()
                };
                if let Some(finding) = change::told(&asked, said, &between)
                    .filter(|finding| finding.verdict == Verdict::Derived)
                {
                    return Some(finding);
                }
            }
        }
        None
    }

    /// The mean of the cells above or to the left, in a row or column that says so.
    fn averaged_cell(&self, number: &Number, cell: &Cell) -> Option<Finding> {
        let column = words::averaged(&cell.rows);
        if !column && !words::averaged(&cell.columns) {
            return None;
        }
        let mut cells: Vec<&(Number, Finding)> = self
            .columns
            .range((cell.table, 0, 0)..=(cell.table, cell.row, usize::MAX))
            .filter(|((_, row, at), _)| {
                if column {
                    *at == cell.column && *row < cell.row
                } else {
                    *row == cell.row && *at < cell.column
                }
            })
            .map(|(_, judged)| judged)
            .collect();
        // The last few: a table may hold several groups.
        while cells.len() > 1 {
            #[expect(clippy::cast_precision_loss, reason = "a table has few rows")]
            let mean =
                cells.iter().map(|(number, _)| number.value).sum::<f64>() / cells.len() as f64;
            if (mean - number.value).abs() <= number.step {
                let traced = cells
                    .iter()
                    .all(|(_, finding)| finding.verdict != Verdict::Untraced);
                return Some(if traced {
                    Finding::new(
                        Class::Derived,
                        Verdict::Derived,
                        format!("the mean of {} cells of the table", cells.len()),
                    )
                } else {
                    Finding::untraced(Class::Derived, "the mean of cells that lead to no result")
                });
            }
            cells.remove(0);
        }
        None
    }
}
