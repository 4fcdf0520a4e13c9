//! Pools: what there is of each, and requests that can never be met. What the machine has is asked of
//! the [`Question`](super::super::Question); this file knows no machine.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::node::{Entry, Node, What};
use super::super::report::Issue;
use super::super::source::Span;
use super::super::{MODEL_POOL, Pool, StageId};
use super::draft::Draft;
use super::file::File;
use super::form::Form;
use super::policy::{self, Rules};
use super::state::Check;

/// Stages that ask models at once where nobody says how many: they wait, so cores do not bound them.
const ASKING_AT_ONCE: f64 = 32.0;

/// What a stage asks of a pool, and where.
pub(super) struct Asked {
    pool: String,
    amount: f64,
    at: Span,
    stage: String,
}

/// Notes what a stage asks for.
pub(super) fn ask(check: &mut Check<'_>, id: StageId, draft: &Draft, rules: &Rules) {
    for (pool, (amount, at)) in &rules.resources {
        check.part(id, format!("resources.{pool}"), *at);
        check.asked.push(Asked {
            pool: pool.clone(),
            amount: *amount,
            at: *at,
            stage: draft.name.clone(),
        });
    }
}

/// Settles what there is of each pool: as the surroundings say, else as the file says, else as much
/// as the greediest stage asks for. Tells the requests that can never be met.
pub(super) fn pools(check: &mut Check<'_>, file: &File) {
    let asked = std::mem::take(&mut check.asked);
    let mut pools = written(check, file);
    for line in &asked {
        if !pools.contains_key(&line.pool) {
            let all = asked.iter().filter(|other| other.pool == line.pool);
            let greediest = all.map(|other| other.amount).fold(0.0, f64::max);
            pools.insert(line.pool.clone(), Pool::Sum(greediest));
        }
    }
    for name in ["cpu", "memory"] {
        pools.insert(name.to_owned(), Pool::Sum(f64::INFINITY));
    }
    pools.insert(MODEL_POOL.to_owned(), Pool::Sum(ASKING_AT_ONCE));
    for (name, pool) in &mut pools {
        if let Some(given) = (check.question.pools)(name) {
            *pool = given;
        }
    }
    for line in &asked {
        let size = pools.get(&line.pool).map_or(0.0, Pool::size);
        if line.amount > size + 1e-9 {
            unmet(check, line, size);
        }
    }
    check.pools = pools;
}

fn unmet(check: &mut Check<'_>, asked: &Asked, size: f64) {
    let Asked {
        pool,
        amount,
        at,
        stage,
    } = asked;
    let (wanted, there) = match pool.as_str() {
        "memory" => (bytes(*amount), bytes(size)),
        _ => (amount.to_string(), size.to_string()),
    };
    let message = format!(
        "stage `{stage}` can never run: it asks for {wanted} of `{pool}`, and there is {there} here"
    );
    let help = match pool.as_str() {
        "cpu" => {
            format!("ask for less, or let more cores be used than there are: `--jobs {wanted}`")
        }
        "gpu" => format!(
            "ask for less; if they are there and were not found, or the run is for another machine, \
             say so: `--pool gpu={wanted}`"
        ),
        "memory" => format!("ask for less, or say how much may be used: `--pool memory={wanted}`"),
        _ => format!("ask for less, or make the pool larger: `--pool {pool}={wanted}`"),
    };
    let issue = Issue::error("pool::unmet", *at, "more than there is", message);
    check.report.add(issue.help(help));
}

/// Bytes with the largest binary unit of which they are a whole number, or nearly.
fn bytes(amount: f64) -> String {
    let units = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)];
    for (unit, power) in units {
        let one = f64::from(power).exp2();
        if amount >= one {
            let rounded = (amount / one * 10.0).round() / 10.0;
            return format!("{rounded}{unit}");
        }
    }
    format!("{amount}B")
}

/// Reads `pools:`: `{licence: 2, port: [8001, 8002]}`.
fn written(check: &mut Check<'_>, file: &File) -> BTreeMap<String, Pool> {
    let mut found = BTreeMap::new();
    let Some(entry) = file.entry("pools") else {
        return found;
    };
    let mut form = check.form();
    for line in form.map(&entry.node, "pools") {
        if policy::MACHINE.contains(&line.key.as_str()) {
            policy::own_name(&mut form, line);
        } else if let Some(pool) = pool(&mut form, line) {
            found.insert(line.key.clone(), pool);
        }
    }
    found
}

fn pool(form: &mut Form<'_>, line: &Entry) -> Option<Pool> {
    if matches!(line.node.what, What::List(_)) {
        return things(form, line).map(Pool::Indexed);
    }
    let size = line.node.value().as_f64().filter(|size| *size >= 0.0);
    if size.is_none() {
        form.expected(&line.node, &line.key, "a number from 0, or a list of names");
    }
    size.map(Pool::Sum)
}

/// The names of things, each of which one stage run has for itself.
fn things(form: &mut Form<'_>, line: &Entry) -> Option<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    let mut right = true;
    for node in form.list(&line.node, &line.key) {
        let Some(name) = name(node) else {
            right = false;
            form.expected(node, &line.key, "a list of names");
            continue;
        };
        if names.contains(&name) {
            right = false;
            let message = format!("`{name}` is in the pool `{}` already", line.key);
            let issue = Issue::error("pool::twice", node.span, "once more", message);
            let help = "a thing is handed to one stage run at a time; if there are two of it, give each a name";
            form.report.add(issue.help(help));
        }
        names.push(name);
    }
    right.then_some(names)
}

/// The name of a thing; `8001` is one too.
fn name(node: &Node) -> Option<String> {
    match node.value() {
        Value::String(text) if !text.trim().is_empty() => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
