//! How often a stage runs, as written: `matrix`, `foreach` and `repeat` → [`Fan`].

use super::super::AtMax;
use super::super::node::{Entry, Node};
use super::super::report::Issue;
use super::draft::Fan;
use super::form::{Form, Given};

/// Keys of `repeat`.
pub(super) const REPEAT: &[&str] = &["max", "until", "at_max", "carry"];

/// Reads the fan of a stage. `fans` are the entries that could be one; `key` and `next` belong to some.
pub(super) fn fan(
    form: &mut Form<'_>,
    fans: &[&Entry],
    key: Option<&Entry>,
    next: Option<&Entry>,
) -> Fan {
    if let [first, second, ..] = fans {
        let message = format!("a stage has either `{}` or `{}`", first.key, second.key);
        let issue = Issue::error("spec::two_fans", second.at, "second", message);
        form.report.add(
            issue
                .also(first.at, "first")
                .help("put one of them on a group around"),
        );
    }
    let kind = fans.first().map(|part| part.key.as_str());
    for (entry, of) in [(key, "foreach"), (next, "repeat")] {
        if let Some(entry) = entry
            && kind != Some(of)
        {
            let message = format!("`{}` belongs to `{of}`", entry.key);
            form.report.add(Issue::error(
                "spec::misplaced_key",
                entry.at,
                "not here",
                message,
            ));
        }
    }
    let Some(part) = fans.first() else {
        return Fan::Once;
    };
    match kind {
        Some("matrix") => matrix(form, part),
        Some("foreach") => foreach(form, part, key),
        _ => repeat(form, part, next),
    }
}

fn matrix(form: &mut Form<'_>, part: &Entry) -> Fan {
    let (mut axes, mut exclude, mut include) = (Vec::new(), Vec::new(), Vec::new());
    for entry in form.map(&part.node, "matrix") {
        match entry.key.as_str() {
            "exclude" => exclude = cells(form, &entry.node, "exclude"),
            "include" => include = cells(form, &entry.node, "include"),
            name => {
                form.name(name, entry.at, "matrix axis");
                axes.push(Given {
                    name: name.to_owned(),
                    at: entry.at,
                    value: form.written(&entry.node),
                });
            }
        }
    }
    if axes.is_empty() {
        form.report.add(Issue::error(
            "matrix::empty",
            part.at,
            "no axis",
            "a matrix needs at least one axis",
        ));
    }
    Fan::Matrix {
        at: part.at,
        axes,
        exclude,
        include,
    }
}

fn cells(form: &mut Form<'_>, node: &Node, what: &str) -> Vec<Vec<Given>> {
    let mut cells = Vec::new();
    for item in form.list(node, what) {
        cells.push(form.givens(item, what));
    }
    cells
}

fn foreach(form: &mut Form<'_>, part: &Entry, key: Option<&Entry>) -> Fan {
    let entries = form.map(&part.node, "foreach");
    let [entry] = entries else {
        let message = "`foreach` has exactly one line, `name: ${ a list }`";
        form.report
            .add(Issue::error("foreach::one", part.at, "here", message));
        return Fan::Once;
    };
    form.name(&entry.key, entry.at, "foreach variable");
    Fan::Foreach {
        variable: entry.key.clone(),
        at: entry.at,
        list: form.written(&entry.node),
        key: key.map(|key| form.written(&key.node)),
    }
}

fn repeat(form: &mut Form<'_>, part: &Entry, next: Option<&Entry>) -> Fan {
    let entries = form.map(&part.node, "repeat");
    form.keys(entries, REPEAT, "`repeat`");
    let (mut max, mut until, mut carry, mut at_max) = (None, None, Vec::new(), AtMax::Keep);
    for entry in entries {
        match entry.key.as_str() {
            "max" => max = Some(form.written(&entry.node)),
            "until" => until = Some(form.written(&entry.node)),
            "carry" => {
                carry = form.givens(&entry.node, "carry");
                for given in &carry {
                    form.name(&given.name, given.at, "carried value");
                }
            }
            "at_max" => {
                let choices = [("keep", AtMax::Keep), ("fail", AtMax::Fail)];
                at_max = form
                    .choice(&entry.node, "at_max", &choices)
                    .unwrap_or(AtMax::Keep);
            }
            _ => {}
        }
    }
    if max.is_none() {
        let issue = Issue::error(
            "repeat::no_max",
            part.at,
            "no `max`",
            "`repeat` needs `max`",
        );
        form.report
            .add(issue.help("the number of rounds after which it ends in any case"));
    }
    Fan::Repeat {
        at: part.at,
        max,
        until,
        at_max,
        carry,
        next: next
            .map(|next| form.givens(&next.node, "next"))
            .unwrap_or_default(),
    }
}
