//! `kyo cost`

use std::collections::BTreeMap;

use kyobashi_engine::run::{CallState, Event, FinalState, ledger};
use serde::Serialize;

use crate::arguments::{Cost, Global};
use crate::exit::{self, Code, Stopped};
use crate::{journal, talk, workspace};

/// What a run paid.
#[derive(Default, Serialize)]
struct Bill {
    run: u64,
    /// US dollars paid in the run.
    paid_usd: f64,
    /// US dollars that stored replies and results once cost, and that were not paid again.
    saved_usd: f64,
    rows: Vec<Row>,
    /// Calls of all runs of this store that were sent and of which nobody knows the end.
    perhaps_billed: Vec<ledger::Intent>,
}

/// One stage and one model.
#[derive(Default, Serialize)]
struct Row {
    stage: String,
    /// The model; empty for whole results that were reused.
    who: String,
    /// Calls made, and replies that were stored already.
    calls: u64,
    reused: u64,
    input_tokens: u64,
    output_tokens: u64,
    paid_usd: f64,
    saved_usd: f64,
}

pub(super) fn cost(global: &Global, arguments: &Cost) -> Result<Code, Stopped> {
    let store = workspace::look(global)?;
    let runs = store.runs();
    let run = match arguments.run {
        Some(number) => Some(number).filter(|number| runs.path(*number).exists()),
        None => runs.last()?,
    };
    let Some(run) = run else {
        return Err(
            Stopped::wrong(format!("no such run in {}", store.dir().display())).help(
                "choose the store with `--store DIR`; `kyo run FILE` makes one beside the file",
            ),
        );
    };
    let mut bill = bill(journal::events(&runs.events(run)));
    bill.run = run;
    bill.perhaps_billed = ledger::perhaps_billed(store.dir());
    if global.json {
        talk::json(&bill)?;
        return Ok(exit::DONE);
    }
    print(&bill)?;
    Ok(exit::DONE)
}

fn bill(events: impl Iterator<Item = Event>) -> Bill {
    let mut bill = Bill::default();
    let mut rows: BTreeMap<(String, String), Row> = BTreeMap::new();
    for event in events {
        match event {
            Event::Called {
                address,
                who,
                state,
                usd,
                saved_usd,
                tokens,
                ..
            } => {
                let row = row(&mut rows, &address, &who);
                match state {
                    CallState::Made => {
                        row.calls += 1;
                        let tokens = tokens.unwrap_or_default();
                        row.input_tokens += tokens.input;
                        row.output_tokens += tokens.output;
                    }
                    CallState::Reused => row.reused += 1,
                }
                row.paid_usd += usd;
                row.saved_usd += saved_usd;
            }
            Event::NodeFinished(finished)
                if finished.state == FinalState::Reused && finished.saved_usd > 0.0 =>
            {
                let row = row(&mut rows, &finished.address, "");
                row.reused += 1;
                row.saved_usd += finished.saved_usd;
            }
            _ => {}
        }
    }
    bill.rows = rows.into_values().collect();
    // The sum of nothing is -0.0, which nobody wants to read.
    bill.paid_usd = bill.rows.iter().fold(0.0, |sum, row| sum + row.paid_usd);
    bill.saved_usd = bill.rows.iter().fold(0.0, |sum, row| sum + row.saved_usd);
    bill
}

fn row<'r>(rows: &'r mut BTreeMap<(String, String), Row>, address: &str, who: &str) -> &'r mut Row {
    let stage = stage(address);
    rows.entry((stage.clone(), who.to_owned()))
        .or_insert_with(|| Row {
            stage,
            who: who.to_owned(),
            ..Row::default()
        })
}

/// An address without its instances: `study[one].review[sample=0]` → `study.review`.
fn stage(address: &str) -> String {
    let mut depth = 0;
    address
        .chars()
        .filter(|c| {
            match c {
                '[' => depth += 1,
                ']' => {
                    depth -= 1;
                    return false;
                }
                _ => {}
            }
            depth == 0
        })
        .collect()
}

fn print(bill: &Bill) -> Result<(), Stopped> {
    let widths = |part: fn(&Row) -> usize| bill.rows.iter().map(part).max().unwrap_or(0).max(5);
    let stage = widths(|row| row.stage.chars().count());
    let who = widths(|row| row.who.chars().count());
    if !bill.rows.is_empty() {
        talk::data(&format!(
            "{:stage$}  {:who$}  {:>6} {:>7} {:>10} {:>10} {:>9} {:>9}",
            "stage", "model", "made", "reused", "tokens in", "out", "paid", "saved"
        ))?;
    }
    for row in &bill.rows {
        talk::data(&format!(
            "{:stage$}  {:who$}  {:>6} {:>7} {:>10} {:>10} {:>9} {:>9}",
            row.stage,
            row.who,
            row.calls,
            row.reused,
            row.input_tokens,
            row.output_tokens,
            talk::money(row.paid_usd),
            talk::money(row.saved_usd)
        ))?;
    }
    talk::data(&format!(
        "run {}: paid {}, saved {} by reuse",
        bill.run,
        talk::money(bill.paid_usd),
        talk::money(bill.saved_usd)
    ))?;
    if !bill.perhaps_billed.is_empty() {
        let most: f64 = bill
            .perhaps_billed
            .iter()
            .filter_map(|intent| intent.most_usd)
            .sum();
        talk::data(&format!(
            "in this store's runs: {} without an answer, perhaps billed, at most {}",
            talk::plural(bill.perhaps_billed.len() as u64, "call"),
            talk::money(most)
        ))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_is_an_address_without_its_instances() {
        assert_eq!(
            stage("study[a[1]].first/reviewer[sample=0]"),
            "study.first/reviewer"
        );
    }
}
