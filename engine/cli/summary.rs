//! What a run came to, for people: each failure with the end of its log, its places and what it took
//! down; the counts; and the line that goes on.

use std::collections::BTreeMap;
use std::path::Path;

use kyobashi_engine::plan::Blocked;
use kyobashi_engine::run::{Ended, Finished, Totals};

use crate::arguments::{Global, Run};
use crate::deliver::Delivered;
use crate::progress::counts;
use crate::talk;

/// Lines of a log that a failure quotes; the rest is one command away.
const LAST: usize = 12;

/// Addresses that are named before they are only counted.
const NAMED: usize = 6;

/// Failures that are told one by one; of more, the rest is only counted and named.
const TOLD: usize = 10;

/// Signs of one line of a log that are shown.
const WIDE: usize = 400;

/// Says it all.
pub(crate) fn tell(global: &Global, arguments: &Run, ended: &Ended, delivered: &Delivered) {
    // What failed is said also to those who asked for quiet.
    let heard = Global {
        quiet: false,
        ..global.clone()
    };
    let (told, rest) =
        ended
            .failures
            .split_at(ended.failures.len().min(match ended.failures.len() {
                // One more costs no more lines than to say that there is one.
                count if count <= TOLD + 1 => count,
                _ => TOLD,
            }));
    for failed in told {
        for line in failure(failed, ended) {
            talk::say(&heard, &line);
        }
    }
    for line in others(rest) {
        talk::say(&heard, &line);
    }
    let totals = &ended.totals;
    let took = talk::duration(totals.seconds);
    let settled = totals.ran + totals.reused + totals.failed + totals.skipped;
    let how = match settled < ended.known {
        true => "Stopped",
        false => "Done",
    };
    let mut line = format!("{how} in {took}: {}", counts(totals));
    if settled < ended.known {
        line.push_str(&format!(", not reached {}", ended.known - settled));
    }
    talk::say(global, &line);
    for (name, value) in &ended.outputs {
        if let Err(Blocked::Problem(text)) = value {
            talk::say(global, &format!("output `{name}`: {text}"));
        }
    }
    for path in &delivered.restored {
        talk::say(
            global,
            &format!("{} was not as any run made it: restored", path.display()),
        );
    }
    if let Some(dir) = &arguments.out
        && !delivered.paths.is_empty()
    {
        talk::say(global, &format!("Results in {}", dir.display()));
    }
    if totals.failed > 0 || (totals.stopped && !totals.out_of_budget) {
        talk::say(global, &resume(totals, ended.known, None));
    }
}

/// Failures that are not told one by one: as many as share their first line, with some addresses.
fn others(rest: &[Finished]) -> Vec<String> {
    let mut alike: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for failed in rest {
        let message = failed.failure.as_ref().map_or("", |why| &why.message);
        let first = message.lines().next().unwrap_or_default();
        alike.entry(first).or_default().push(&failed.address);
    }
    if alike.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![format!("\nFAILED   {} more", rest.len())];
    let mut alike: Vec<_> = alike.into_iter().collect();
    alike.sort_by_key(|(_, addresses)| std::cmp::Reverse(addresses.len()));
    let hidden = alike.split_off(alike.len().min(TOLD));
    for (why, mut addresses) in alike {
        addresses.sort_by_key(|address| (address.len(), *address));
        lines.push(format!(
            "  {:>5}  {}",
            addresses.len(),
            talk::plain(why, WIDE)
        ));
        lines.push(format!("         {}", some(&addresses)));
    }
    if !hidden.is_empty() {
        let many = hidden
            .iter()
            .map(|(_, addresses)| addresses.len())
            .sum::<usize>();
        lines.push(format!("  {many:>5}  for other reasons"));
    }
    lines.push("  log    `kyo log last` tells of each".to_owned());
    lines
}

/// The first addresses, and how many more there are.
fn some<S: AsRef<str>>(addresses: &[S]) -> String {
    let named: Vec<&str> = addresses.iter().take(NAMED).map(AsRef::as_ref).collect();
    let more = match addresses.len() - named.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{}{more}", named.join(", "))
}

/// One failure, line by line.
fn failure(failed: &Finished, ended: &Ended) -> Vec<String> {
    let Some(failure) = &failed.failure else {
        return Vec::new();
    };
    let mut message = failure.message.lines();
    let mut head = format!(
        "\nFAILED   {}  {}",
        failed.address,
        message.next().unwrap_or_default()
    );
    if failed.seconds > 0.0 {
        head.push_str(&format!(" after {}", talk::duration(failed.seconds)));
    }
    if failed.tries > 1 {
        head.push_str(&format!(", the last of {} tries", failed.tries));
    }
    let mut lines = vec![talk::plain(&head, WIDE)];
    let rest: Vec<&str> = message.collect();
    let shown = rest.len().saturating_sub(LAST);
    if shown > 0 {
        lines.push("  …".to_owned());
    }
    let said = rest[shown..].iter();
    lines.extend(said.map(|line| format!("  {}", talk::plain(line, WIDE))));
    if let Some(log) = &failed.log {
        lines.push(format!("  log    {}{}", talk::here(log), counted(log)));
    }
    if let Some(place) = &failed.place {
        lines.push(format!("  spec   {place}"));
    }
    if let Some(help) = &failure.help {
        lines.push(format!("  help   {help}"));
    }
    if let Some(cut) = ended.cut.get(&failed.address) {
        let many = talk::plural(cut.len() as u64, "stage run");
        lines.push(format!("  so     {many} could not run: {}", some(cut)));
    }
    lines
}

fn counted(log: &Path) -> String {
    match std::fs::read(log) {
        Ok(bytes) => {
            let lines = bytes.split_inclusive(|byte| *byte == b'\n').count();
            format!("  ({})", talk::plural(lines as u64, "line"))
        }
        Err(_) => String::new(),
    }
}

/// The line that goes on: the command itself, perhaps with another budget in US dollars.
pub(crate) fn resume(totals: &Totals, known: u64, budget: Option<f64>) -> String {
    let mut words = Vec::new();
    let mut typed = std::env::args().skip(1);
    while let Some(word) = typed.next() {
        if budget.is_some() && word == "--budget" {
            typed.next();
        } else if budget.is_none() || !word.starts_with("--budget=") {
            words.push(quoted(&word));
        }
    }
    words.extend(budget.map(|usd| format!("--budget {usd}")));
    let kept = totals.ran + totals.reused;
    format!(
        "resume   kyo {}  (kept: {kept} of {})",
        words.join(" "),
        talk::plural(known, "stage run")
    )
}

/// A word as a shell reads it back.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_a_shell_would_change_them() {
        assert_eq!(quoted("params.n=3"), "params.n=3");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted("[reviewer, scientist]"), "'[reviewer, scientist]'");
    }
}
